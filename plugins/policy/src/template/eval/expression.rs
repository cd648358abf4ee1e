//! Pipelines, commands and operands.

use super::{Run, constant};
use crate::template::{
    ast::{Command, Expression, Fields, Pipeline},
    error::Fault,
    functions::{Args, Function, Kind},
    object::Object,
    value::{Map, Value},
};

impl<'v> Run<'v> {
    /// The last command's value, which is also stored where the pipeline names a variable.
    pub(super) fn pipeline(
        &mut self,
        pipeline: &'v Pipeline,
        dot: &Value<'v>,
    ) -> Result<Value<'v>, Fault> {
        self.budget.enter()?;
        let mut value = None;
        for command in &pipeline.commands {
            self.place = command.place;
            value = Some(self.command(command, dot, value)?.settled());
        }
        self.budget.leave();
        let value = value.unwrap_or(Value::Nil);
        if let Some(slot) = pipeline.target {
            self.set(slot, value.clone());
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'v Command,
        dot: &Value<'v>,
        piped: Option<Value<'v>>,
    ) -> Result<Value<'v>, Fault> {
        match &command.head {
            Expression::Function(function) => self.call(command, function, dot, piped),
            Expression::Pattern(pattern) => {
                let arguments = self.arguments(command, dot, piped)?;
                self.place = command.place;
                if self.gap.is_some() && arguments.iter().any(Value::is_nil) {
                    return Ok(Value::Nil);
                }
                pattern.call(&arguments, &mut self.budget)
            }
            Expression::Fields(fields) => {
                let arguments = self.arguments(command, dot, piped)?;
                self.fields(fields, dot, &arguments)
            }
            operand => self.operand(operand, dot),
        }
    }

    fn call(
        &mut self,
        command: &'v Command,
        function: &'static Function,
        dot: &Value<'v>,
        piped: Option<Value<'v>>,
    ) -> Result<Value<'v>, Fault> {
        match function.kind {
            Kind::And => self.first_with(false, command, dot, piped),
            Kind::Or => self.first_with(true, command, dot, piped),
            Kind::Pattern(_) => Err(Fault::new("the pattern was not compiled")),
            Kind::Eager(run) => {
                let values = self.arguments(command, dot, piped)?;
                self.place = command.place;
                if self.gap.is_some() && !function.takes_nil() && values.iter().any(Value::is_nil) {
                    return Ok(Value::Nil);
                }
                let mut arguments = Args::new(function.name, &values, &mut self.budget)?;
                run(&mut arguments)
            }
        }
    }

    /// `and` and `or`: the first argument of that truth, or the last; the others are not evaluated.
    fn first_with(
        &mut self,
        truth: bool,
        command: &'v Command,
        dot: &Value<'v>,
        piped: Option<Value<'v>>,
    ) -> Result<Value<'v>, Fault> {
        let mut last = Value::Nil;
        for argument in &command.arguments {
            last = self.operand(argument, dot)?;
            if last.truth() == truth {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    fn arguments(
        &mut self,
        command: &'v Command,
        dot: &Value<'v>,
        piped: Option<Value<'v>>,
    ) -> Result<Vec<Value<'v>>, Fault> {
        let mut values = Vec::with_capacity(command.arguments.len().saturating_add(1));
        for argument in &command.arguments {
            values.push(self.operand(argument, dot)?);
        }
        values.extend(piped);
        Ok(values)
    }

    fn operand(&mut self, operand: &'v Expression, dot: &Value<'v>) -> Result<Value<'v>, Fault> {
        self.budget.steps(1)?;
        Ok(match operand {
            Expression::Dot => dot.clone(),
            Expression::Nil => Value::Nil,
            Expression::Bool(bool) => Value::Bool(*bool),
            Expression::Int(int) => Value::Int(*int),
            Expression::Float(float) => Value::Float(*float),
            Expression::Text(text) => constant(text),
            Expression::Variable(slot) => self.frame.get(*slot).cloned().unwrap_or(Value::Nil),
            Expression::Function(function) => match function.kind {
                Kind::Eager(run) => run(&mut Args::new(function.name, &[], &mut self.budget)?)?,
                Kind::And | Kind::Or | Kind::Pattern(_) => Value::Nil,
            },
            Expression::Pattern(_) => Value::Nil,
            Expression::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
            Expression::Fields(fields) => self.fields(fields, dot, &[])?,
        })
    }

    /// `.A.B arguments`: only the last may take arguments.
    fn fields(
        &mut self,
        fields: &'v Fields,
        dot: &Value<'v>,
        arguments: &[Value<'v>],
    ) -> Result<Value<'v>, Fault> {
        let mut value = self.operand(&fields.base, dot)?;
        let Some((last, path)) = fields.names.split_last() else {
            return Ok(value);
        };
        for name in path {
            self.budget.steps(cost(&value))?;
            value = self.member(value, name, &[])?;
        }
        self.budget.steps(cost(&value))?;
        self.member(value, last, arguments)
    }

    /// One field, method or key; where values may be missing, of a missing one it is missing too.
    fn member(
        &self,
        value: Value<'v>,
        name: &str,
        arguments: &[Value<'v>],
    ) -> Result<Value<'v>, Fault> {
        if self.gap.is_none() {
            return member(&value, name, arguments);
        }
        let looks_up = name == "Get" && matches!(value, Value::Map(Map::Fields(_)));
        Ok(match member(&value.settled(), name, arguments)? {
            // A field that was not sent.
            Value::Text(text) if looks_up && text.is_empty() => Value::Nil,
            member => member,
        })
    }
}

/// Steps that a member of `value` takes: a URL's methods read all of it.
const fn cost(value: &Value<'_>) -> usize {
    match value {
        Value::Object(Object::Url(url)) => {
            let query = match &url.query {
                Some(query) => query.len(),
                None => 0,
            };
            url.path
                .len()
                .saturating_add(query)
                .wrapping_shr(5)
                .saturating_add(1)
        }
        _ => 1,
    }
}

/// One field, method or key.
fn member<'v>(value: &Value<'v>, name: &str, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    match value {
        Value::Nil => Ok(Value::Nil),
        Value::Null => Err(Fault::new(format!(
            "there is nothing to take field `{name}` of: the value before it is missing or null"
        ))),
        Value::Object(object) => object.member(name, arguments),
        Value::Map(map) => {
            if let Map::Fields(fields) = map
                && let Some(result) = fields.method(name, arguments)
            {
                return result;
            }
            if arguments.is_empty() {
                return Ok(map.get_or_zero(name));
            }
            Err(Fault::new(format!(
                "`{name}` is not a method but has arguments"
            )))
        }
        other => Err(Fault::new(format!(
            "cannot evaluate field `{name}` in type {}",
            other.type_name()
        ))),
    }
}
