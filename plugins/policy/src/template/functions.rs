//! The functions that a template may call: Go's own, Oathkeeper's two, and the part of sprig that
//! needs neither clock nor randomness, secrets nor the network.

mod args;
mod compare;
mod decimals;
mod encode;
mod escape;
mod general;
mod lists;
mod maps;
mod numbers;
mod paths;
mod print;
mod refused;
#[cfg(feature = "regexp")]
mod regexps;
mod sequences;
mod text;
mod types;
#[cfg(feature = "functions")]
mod urls;
#[cfg(not(feature = "regexp"))]
mod without_regexps;
mod words;

pub(super) use args::Args;

#[cfg(not(feature = "regexp"))]
use without_regexps as regexps;

use super::{
    ast::{Command, Expression},
    budget::Budget,
    error::{Fault, Place, TemplateError},
    value::Value,
};
use crate::expression::Regex;

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
    /// Its first argument is a pattern, compiled at load; it runs on the others.
    Pattern(Matcher),
}

type Eager = for<'a, 'b, 'v> fn(&'a mut Args<'b, 'v>) -> Result<Value<'v>, Fault>;

type Matcher = for<'a, 'b, 'v> fn(&'a mut Args<'b, 'v>, &Regex) -> Result<Value<'v>, Fault>;

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
        let Kind::Pattern(run) = self.kind else {
            return Ok(Command {
                place,
                head: Expression::Function(self),
                arguments,
            });
        };
        let others = arguments.split_off(1.min(arguments.len()));
        let Some(Expression::Text(pattern)) = arguments.first() else {
            let name = self.name;
            return Err(TemplateError::new(
                place,
                format!("`{name}` needs its pattern as a literal string, to compile it at load"),
            ));
        };
        let regex = regexps::compile(self.name, pattern)
            .map_err(|problem| TemplateError::new(place, problem))?;
        Ok(Command {
            place,
            head: Expression::Pattern(Box::new(Pattern {
                name: self.name,
                regex,
                run,
            })),
            arguments: others,
        })
    }

    /// Whether it looks at values that are not there.
    pub(super) fn takes_nil(&self) -> bool {
        TAKE_NIL.contains(&self.name)
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

/// Second names. sprig's `mustX` returns the error that `X` panics with: to a template both are one.
const ALIASES: &[(&str, &str)] = &[
    ("biggest", "max"),
    ("trimall", "trimAll"),
    ("push", "append"),
    ("tuple", "list"),
    ("osBase", "base"),
    ("osClean", "clean"),
    ("osDir", "dir"),
    ("osExt", "ext"),
    ("osIsAbs", "isAbs"),
    ("mustAppend", "append"),
    ("mustChunk", "chunk"),
    ("mustCompact", "compact"),
    ("mustDeepCopy", "deepCopy"),
    ("mustFirst", "first"),
    ("mustHas", "has"),
    ("mustInitial", "initial"),
    ("mustLast", "last"),
    ("mustPrepend", "prepend"),
    ("mustPush", "append"),
    ("mustRegexFind", "regexFind"),
    ("mustRegexFindAll", "regexFindAll"),
    ("mustRegexMatch", "regexMatch"),
    ("mustRegexReplaceAll", "regexReplaceAll"),
    ("mustRegexReplaceAllLiteral", "regexReplaceAllLiteral"),
    ("mustRegexSplit", "regexSplit"),
    ("mustRest", "rest"),
    ("mustReverse", "reverse"),
    ("mustSlice", "slice"),
    ("mustToJson", "toJson"),
    ("mustToPrettyJson", "toPrettyJson"),
    ("mustToRawJson", "toRawJson"),
    ("mustUniq", "uniq"),
    ("mustWithout", "without"),
];

/// Functions to which a value that is not there says something. All others make nothing of it where
/// templates may lack values ([`super::eval::render_present`]).
const TAKE_NIL: &[&str] = &[
    "append", "coalesce", "compact", "default", "dict", "empty", "eq", "has", "hasKey", "kindIs",
    "kindOf", "list", "ne", "not", "prepend", "set", "ternary", "typeIs", "typeOf", "without",
];

/// A regular expression with the function that uses it.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    name: &'static str,
    regex: Regex,
    run: Matcher,
}

impl Pattern {
    /// Calls the function with the arguments that follow the pattern.
    pub(super) fn call<'v>(
        &self,
        arguments: &[Value<'v>],
        budget: &mut Budget,
    ) -> Result<Value<'v>, Fault> {
        let mut arguments = Args::new(self.name, arguments, budget)?;
        arguments.pay_for_scan(self.regex.as_str())?;
        (self.run)(&mut arguments, &self.regex)
    }
}

/// The function of that name, or why there is none.
pub(super) fn find(name: &str) -> Result<&'static Function, String> {
    let tables: &[&'static [Function]] = &[
        print::TABLE,
        compare::TABLE,
        general::TABLE,
        types::TABLE,
        text::TABLE,
        words::TABLE,
        regexps::TABLE,
        lists::TABLE,
        sequences::TABLE,
        maps::TABLE,
        numbers::TABLE,
        decimals::TABLE,
        encode::TABLE,
        escape::TABLE,
        paths::TABLE,
        #[cfg(feature = "functions")]
        urls::TABLE,
    ];
    let found = ALIASES.iter().find(|(alias, _)| *alias == name);
    let known = found.map_or(name, |(_, known)| known);
    tables
        .iter()
        .copied()
        .flatten()
        .find(|function| function.name == known)
        .ok_or_else(|| refused::reason(name))
}
