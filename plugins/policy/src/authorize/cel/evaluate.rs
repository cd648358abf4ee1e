//! Runs a [`Program`] for one request.

mod loops;
mod order;

use std::borrow::Cow;

use crate::{Session, expression::Regex, pipeline::Facts};

use super::{
    fault::Fault,
    number,
    program::{Arithmetic, Node, Program},
    value::{List, Map, Value, is_same_key},
};

/// What one evaluation may cost. A step is a node that is evaluated, an element that is looked at or
/// copied, or [`TEXT_STEP`] bytes of text that are; so nothing that a client sends keeps the VM busy for
/// more than a few milliseconds, or makes it hold more than a few megabytes.
pub(super) const BUDGET: usize = 50_000;

/// How many bytes of text cost a step.
const TEXT_STEP: usize = 64;

/// How many steps of a pattern's runner cost one.
const PATTERN_STEPS: usize = 8;

/// Whether the expression is true.
///
/// # Errors
/// If it has no result, or one that is no boolean.
pub(super) fn decide<'v>(
    program: &'v Program,
    session: &'v Session,
    facts: &Facts<'v>,
) -> Result<bool, Fault> {
    let mut evaluation = Evaluation {
        session,
        facts,
        left: BUDGET,
    };
    match evaluation.value(&program.root, None)? {
        Value::Bool(truth) => Ok(truth),
        other => Err(Fault::NoBool(other.kind())),
    }
}

/// An evaluation under way.
struct Evaluation<'f, 'v> {
    session: &'v Session,
    facts: &'f Facts<'v>,
    /// What of [`BUDGET`] is left.
    left: usize,
}

/// The element that a loop is at, and the loop around it.
struct Element<'e, 'v> {
    value: Value<'v>,
    outer: Option<&'e Self>,
}

type Elements<'e, 'v> = Option<&'e Element<'e, 'v>>;

impl<'v> Evaluation<'_, 'v> {
    fn pay(&mut self, steps: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(steps).ok_or(Fault::TooCostly)?;
        Ok(())
    }

    /// Pays for looking at `bytes` of text.
    fn pay_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.pay(bytes.div_ceil(TEXT_STEP))
    }

    fn value(&mut self, node: &'v Node, at: Elements<'_, 'v>) -> Result<Value<'v>, Fault> {
        self.pay(1)?;
        let value = match node {
            Node::Null => Value::Null,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Int(number) => Value::Int(*number),
            Node::Uint(number) => Value::Uint(*number),
            Node::Double(number) => Value::Double(*number),
            Node::Text(text) => Value::from(text.as_ref()),
            Node::Variable(variable) => variable.value(self.session, self.facts)?,
            Node::Element(outward) => self.element(*outward, at)?,
            Node::Field { of, field } => {
                let map = self.map(of, ".", at)?;
                self.pay_text(map.extent())?;
                let value = map.get(field)?;
                value.ok_or_else(|| Fault::NoSuchKey(field.as_ref().to_owned()))?
            }
            Node::Has { of, field } => {
                let map = self.map(of, "has", at)?;
                self.pay_text(map.extent())?;
                Value::Bool(map.get(field)?.is_some())
            }
            Node::Index(both) => self.index(both, at)?,
            Node::Not(of) => Value::Bool(!self.truth(of, "!", at)?),
            Node::Negative(of) => number::negative(&self.value(of, at)?)?,
            Node::And(both) => Value::Bool(self.settled_by(false, "&&", both, at)?),
            Node::Or(both) => Value::Bool(self.settled_by(true, "||", both, at)?),
            Node::Choice(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let taken = if self.truth(condition, "? :", at)? {
                    then
                } else {
                    otherwise
                };
                self.value(taken, at)?
            }
            Node::Comparison(comparison, both) => {
                let [left, right] = self.both(both, at)?;
                Value::Bool(self.compare(*comparison, &left, &right)?)
            }
            Node::Arithmetic(operation, both) => self.arithmetic(*operation, both, at)?,
            Node::In(both) => self.is_in(both, at)?,
            Node::Call(function, nodes) => {
                let arguments = self.values(nodes, at)?;
                for argument in &arguments {
                    self.pay_text(extent(argument))?;
                }
                function.call(&arguments)?
            }
            Node::Matches(text, regex) => self.matches(text, regex, at)?,
            Node::List(nodes) => Value::List(List::Made(self.values(nodes, at)?.into())),
            Node::Map(entries) => self.made_map(entries, at)?,
            Node::Loop(each) => self.each(each, at)?,
        };
        // What does not stand in the request was copied.
        if let Value::Text(Cow::Owned(text)) = &value {
            self.pay_text(text.len())?;
        }
        Ok(value)
    }

    fn values(&mut self, nodes: &'v [Node], at: Elements<'_, 'v>) -> Result<Vec<Value<'v>>, Fault> {
        nodes.iter().map(|node| self.value(node, at)).collect()
    }

    fn both(
        &mut self,
        nodes: &'v [Node; 2],
        at: Elements<'_, 'v>,
    ) -> Result<[Value<'v>; 2], Fault> {
        let [left, right] = nodes;
        Ok([self.value(left, at)?, self.value(right, at)?])
    }

    fn truth(
        &mut self,
        node: &'v Node,
        operation: &'static str,
        at: Elements<'_, 'v>,
    ) -> Result<bool, Fault> {
        match self.value(node, at)? {
            Value::Bool(truth) => Ok(truth),
            other => Err(Fault::not_for(operation, &other)),
        }
    }

    fn map(
        &mut self,
        node: &'v Node,
        operation: &'static str,
        at: Elements<'_, 'v>,
    ) -> Result<Map<'v>, Fault> {
        match self.value(node, at)? {
            Value::Map(map) => Ok(map),
            other => Err(Fault::not_for(operation, &other)),
        }
    }

    fn element(&mut self, outward: usize, at: Elements<'_, 'v>) -> Result<Value<'v>, Fault> {
        let mut element = at;
        for _ in 0..outward {
            element = element.and_then(|element| element.outer);
        }
        let value = element.map_or(Value::Null, |element| element.value.clone());
        self.pay_text(extent(&value))?;
        Ok(value)
    }

    /// `&&` and `||`: one side that settles the matter makes up for a fault of the other, whichever
    /// stands first (CEL, "Logical Operators").
    fn settled_by(
        &mut self,
        settling: bool,
        sign: &'static str,
        both: &'v [Node; 2],
        at: Elements<'_, 'v>,
    ) -> Result<bool, Fault> {
        let [left, right] = both;
        let left = self.truth(left, sign, at);
        if matches!(left, Err(Fault::TooCostly)) || left == Ok(settling) {
            return left;
        }
        match self.truth(right, sign, at) {
            Ok(truth) if truth == settling => Ok(settling),
            Err(Fault::TooCostly) => Err(Fault::TooCostly),
            right => left.and(right),
        }
    }

    fn index(&mut self, both: &'v [Node; 2], at: Elements<'_, 'v>) -> Result<Value<'v>, Fault> {
        let [of, index] = self.both(both, at)?;
        match (&of, &index) {
            (Value::List(list), Value::Int(_) | Value::Uint(_) | Value::Double(_)) => {
                let position = match index {
                    Value::Int(position) => usize::try_from(position).ok(),
                    Value::Uint(position) => usize::try_from(position).ok(),
                    _ => None,
                };
                position
                    .and_then(|position| list.get(position))
                    .ok_or(Fault::NoElement)
            }
            (Value::Map(map), key) => {
                self.pay_text(map.extent())?;
                map.at(key)?.ok_or(Fault::NoKey)
            }
            (of, index) => Err(Fault::not_for_both("[]", of, index)),
        }
    }

    fn is_in(&mut self, both: &'v [Node; 2], at: Elements<'_, 'v>) -> Result<Value<'v>, Fault> {
        let [wanted, of] = self.both(both, at)?;
        match of {
            Value::Map(map) => {
                self.pay_text(map.extent())?;
                Ok(Value::Bool(map.at(&wanted)?.is_some()))
            }
            Value::List(list) => {
                for item in list.iter() {
                    if self.is_equal(&wanted, &item)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            other => Err(Fault::not_for("in", &other)),
        }
    }

    fn arithmetic(
        &mut self,
        operation: Arithmetic,
        both: &'v [Node; 2],
        at: Elements<'_, 'v>,
    ) -> Result<Value<'v>, Fault> {
        match (operation, self.both(both, at)?) {
            (Arithmetic::Add, [Value::Text(left), Value::Text(right)]) => {
                self.pay_text(left.len().saturating_add(right.len()))?;
                let mut joined = left.into_owned();
                joined.push_str(&right);
                Ok(Value::Text(joined.into()))
            }
            (Arithmetic::Add, [Value::List(left), Value::List(right)]) => {
                self.pay(left.len().saturating_add(right.len()))?;
                let joined: Vec<_> = left.iter().chain(right.iter()).collect();
                Ok(Value::List(List::Made(joined.into())))
            }
            (operation, [left, right]) => number::calculate(operation, &left, &right),
        }
    }

    fn matches(
        &mut self,
        text: &'v Node,
        regex: &'v Regex,
        at: Elements<'_, 'v>,
    ) -> Result<Value<'v>, Fault> {
        let text: Cow<'v, str> = match self.value(text, at)? {
            Value::Text(text) => text,
            other => return Err(Fault::not_for("matches", &other)),
        };
        let before = self.left.saturating_mul(PATTERN_STEPS);
        let mut left = before;
        let is_match = regex
            .is_match_within(&text, &mut left)
            .map_err(|_| Fault::TooCostly)?;
        self.pay(before.saturating_sub(left).div_ceil(PATTERN_STEPS))?;
        Ok(Value::Bool(is_match))
    }

    fn made_map(
        &mut self,
        entries: &'v [(Node, Node)],
        at: Elements<'_, 'v>,
    ) -> Result<Value<'v>, Fault> {
        let mut made: Vec<(Value<'v>, Value<'v>)> = Vec::new();
        for (key, value) in entries {
            let key = self.value(key, at)?;
            if matches!(
                key,
                Value::Null | Value::Double(_) | Value::List(_) | Value::Map(_)
            ) {
                return Err(Fault::not_for("{:}", &key));
            }
            self.pay(made.len())?;
            if made.iter().any(|(known, _)| is_same_key(known, &key)) {
                return Err(Fault::DuplicateKey);
            }
            made.push((key, self.value(value, at)?));
        }
        Ok(Value::Map(Map::Made(made.into())))
    }
}

/// How many bytes of text a value is.
fn extent(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Map(map @ (Map::Headers(_) | Map::Query(_))) => map.extent(),
        _ => 0,
    }
}
