//! A function's arguments, read as the types that it takes.

use std::fmt::Display;

use crate::template::{
    budget::{Budget, Draft},
    error::Fault,
    format,
    value::{List, Map, Text, Value},
};

pub(in crate::template) struct Args<'a, 'v> {
    name: &'static str,
    values: &'a [Value<'v>],
    pub(super) budget: &'a mut Budget,
}

impl<'a, 'v> Args<'a, 'v> {
    /// Pays for what the function will read.
    pub(in crate::template) fn new(
        name: &'static str,
        values: &'a [Value<'v>],
        budget: &'a mut Budget,
    ) -> Result<Self, Fault> {
        budget.steps(1)?;
        for value in values {
            budget.steps(match value {
                Value::Text(text) => text.len().wrapping_shr(6),
                Value::List(list) => list.len(),
                Value::Map(map) => map.len(),
                _ => 0,
            })?;
        }
        Ok(Self {
            name,
            values,
            budget,
        })
    }

    /// A scan of the texts for `pattern`: its engine may look at each character once for each state.
    pub(super) fn pay_for_scan(&mut self, pattern: &str) -> Result<(), Fault> {
        for value in self.values {
            if let Value::Text(text) = value {
                let work = text.len().saturating_mul(pattern.len());
                self.budget.steps(
                    text.len()
                        .wrapping_shr(4)
                        .saturating_add(work.wrapping_shr(10)),
                )?;
            }
        }
        Ok(())
    }

    pub(super) const fn all(&self) -> &'a [Value<'v>] {
        self.values
    }

    /// The arguments from `index` on.
    pub(super) fn from(&self, index: usize) -> &'a [Value<'v>] {
        self.values.get(index..).unwrap_or_default()
    }

    pub(super) fn value(&self, index: usize) -> &'a Value<'v> {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    pub(super) fn text(&self, index: usize) -> Result<Text<'v>, Fault> {
        match self.value(index) {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.wrong_type(index, "a string")),
        }
    }

    pub(super) fn int(&self, index: usize) -> Result<i64, Fault> {
        match self.value(index) {
            Value::Int(int) => Ok(*int),
            _ => Err(self.wrong_type(index, "an integer (use `int` on a JSON number)")),
        }
    }

    pub(super) fn bool(&self, index: usize) -> Result<bool, Fault> {
        match self.value(index) {
            Value::Bool(bool) => Ok(*bool),
            _ => Err(self.wrong_type(index, "a bool")),
        }
    }

    pub(super) fn list(&self, index: usize) -> Result<&'a List<'v>, Fault> {
        match self.value(index) {
            Value::List(list) => Ok(list),
            _ => Err(self.wrong_type(index, "a list")),
        }
    }

    /// A map with values of any type: not header fields, query parameters or parts.
    pub(super) fn map(&self, index: usize) -> Result<Map<'v>, Fault> {
        match self.value(index) {
            Value::Map(Map::Fields(_) | Map::Texts(_)) => Err(self.wrong_type(
                index,
                "a map of any values (take a field of this one, or use `index`)",
            )),
            Value::Map(map) => Ok(map.clone()),
            _ => Err(self.wrong_type(index, "a map")),
        }
    }

    /// The text of any value, as sprig's `toString` makes it.
    pub(super) fn display(&mut self, value: &Value<'v>) -> Result<String, Fault> {
        format::display(self.budget, value)
    }

    pub(super) fn draft(&mut self) -> Draft<'_> {
        Draft::new(self.budget)
    }

    /// A text that is made in one go: paid for before it is handed out.
    pub(super) fn made(&mut self, text: impl Into<String>) -> Result<Value<'v>, Fault> {
        let text = text.into();
        self.budget.text(text.len())?;
        Ok(Value::text(text))
    }

    /// A part of `text`; what was borrowed stays so.
    pub(super) fn part(
        &mut self,
        text: Text<'v>,
        part: impl FnOnce(&str) -> &str,
    ) -> Result<Value<'v>, Fault> {
        match text {
            Text::Borrowed(text) => Ok(Value::Text(Text::Borrowed(part(text)))),
            Text::Made(text) => self.made(part(&text)),
        }
    }

    pub(super) fn wrong_type(&self, index: usize, wanted: &str) -> Fault {
        let found = self.value(index).type_name();
        let number = index.saturating_add(1);
        self.fault(format_args!(
            "argument {number} must be {wanted}, not {found}"
        ))
    }

    pub(super) fn fault(&self, problem: impl Display) -> Fault {
        Fault::new(format!("`{}`: {problem}", self.name))
    }
}
