//! The functions that a template may call: Go's own, Oathkeeper's two, and the part of sprig that
//! needs neither clock nor randomness, secrets nor the network.

mod args;
mod compare;
mod encode;
mod escape;
mod general;
mod lists;
mod maps;
mod numbers;
mod print;
mod refused;
mod text;

pub(super) use args::Args;

use super::{
    ast::{Command, Expression},
    error::{Fault, Place, TemplateError},
    value::Value,
};

/// A function, and how many arguments it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// All arguments are evaluated first.
    Eager(Eager),
    /// `and`: up to the first argument that is false.
    And,
    /// `or`: up to the first argument that is true.
    Or,
}

type Eager = for<'a, 'b, 'v> fn(&'a mut Args<'b, 'v>) -> Result<Value<'v>, Fault>;

/// However many arguments.
const ANY: usize = usize::MAX;

impl Function {
    const fn new(name: &'static str, least: usize, most: usize, run: Eager) -> Self {
        Self {
            name,
            least,
            most,
            kind: Kind::Eager(run),
        }
    }

    /// A call of this function, once its number of arguments is right.
    pub(super) fn command(
        &'static self,
        place: Place,
        mut arguments: Vec<Expression>,
        piped: bool,
    ) -> Result<Command, TemplateError> {
        let count = arguments.len().saturating_add(usize::from(piped));
        self.check_count(count)
            .map_err(|problem| TemplateError::new(place, problem))?;
        if self.name != text::REGEX_MATCH {
            return Ok(Command {
                place,
                head: Expression::Function(self),
                arguments,
            });
        }
        let subject = arguments.split_off(1.min(arguments.len()));
        let Some(Expression::Text(pattern)) = arguments.first() else {
            return Err(TemplateError::new(
                place,
                "`regexMatch` needs its pattern as a literal string, to compile it at load",
            ));
        };
        let pattern =
            text::pattern(pattern).map_err(|problem| TemplateError::new(place, problem))?;
        Ok(Command {
            place,
            head: Expression::Matches(Box::new(pattern)),
            arguments: subject,
        })
    }

    /// Whether it can be called with so many arguments.
    pub(super) fn check_count(&self, count: usize) -> Result<(), String> {
        let Self {
            name, least, most, ..
        } = self;
        match count {
            count if count < *least => Err(format!(
                "`{name}` takes at least {least} arguments, not {count}"
            )),
            count if count > *most => Err(format!(
                "`{name}` takes at most {most} arguments, not {count}"
            )),
            _ => Ok(()),
        }
    }
}

/// The function of that name, or why there is none.
pub(super) fn find(name: &str) -> Result<&'static Function, String> {
    let tables: [&'static [Function]; 9] = [
        print::TABLE,
        compare::TABLE,
        general::TABLE,
        text::TABLE,
        lists::TABLE,
        maps::TABLE,
        numbers::TABLE,
        encode::TABLE,
        escape::TABLE,
    ];
    tables
        .into_iter()
        .flatten()
        .find(|function| function.name == name)
        .ok_or_else(|| refused::reason(name))
}
