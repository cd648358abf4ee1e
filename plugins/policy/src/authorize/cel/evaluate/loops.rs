//! The macros over lists and the keys of maps.

use super::{
    super::{
        fault::Fault,
        program::{Loop, LoopKind, Node},
        value::{List, Value},
    },
    Element, Elements, Evaluation,
};

impl<'v> Evaluation<'_, 'v> {
    pub(super) fn each(
        &mut self,
        each: &'v Loop,
        outer: Elements<'_, 'v>,
    ) -> Result<Value<'v>, Fault> {
        let list = match self.value(&each.over, outer)? {
            Value::List(list) => list,
            Value::Map(map) => List::Made(self.keys(&map)?.into()),
            other => return Err(Fault::not_for("a loop", &other)),
        };
        match &each.kind {
            LoopKind::Exists(test) => self.any(true, test, &list, outer).map(Value::Bool),
            LoopKind::All(test) => self.any(false, test, &list, outer).map(Value::Bool),
            LoopKind::One(test) => {
                let mut count: usize = 0;
                for value in list.iter() {
                    let element = Element { value, outer };
                    let holds = self.truth(test, "exists_one", Some(&element))?;
                    count = count.saturating_add(usize::from(holds));
                }
                Ok(Value::Bool(count == 1))
            }
            LoopKind::Collect { test, item } => {
                let mut items = Vec::new();
                for value in list.iter() {
                    let element = Element { value, outer };
                    let at = Some(&element);
                    let holds = match test {
                        Some(test) => self.truth(test, "filter", at)?,
                        None => true,
                    };
                    if holds {
                        items.push(self.value(item, at)?);
                    }
                }
                Ok(Value::List(List::Made(items.into())))
            }
        }
    }

    /// `exists` and `all`: whether an element settles the matter, which makes up for faults at others.
    fn any(
        &mut self,
        settling: bool,
        test: &'v Node,
        list: &List<'v>,
        outer: Elements<'_, 'v>,
    ) -> Result<bool, Fault> {
        let mut result = Ok(!settling);
        for value in list.iter() {
            let element = Element { value, outer };
            match self.truth(test, "a loop", Some(&element)) {
                Ok(truth) if truth == settling => return Ok(settling),
                Err(Fault::TooCostly) => return Err(Fault::TooCostly),
                Ok(_) => {}
                Err(fault) => result = result.and(Err(fault)),
            }
        }
        result
    }
}
