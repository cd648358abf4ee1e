//! Header values and payloads drawn from the session: Go's `text/template` with Oathkeeper's
//! `print` and `printIndex`, and sprig as far as it is pure.
//!
//! A template is parsed once, when the configuration is loaded; names of functions, variables and
//! templates are resolved there, so that a rule with a wrong one never goes live. Rendering reads
//! the session, touches nothing else, and ends in an error where Go's interpreter would or where a
//! limit (50 000 steps, 512 KiB of text, 50 levels) is reached.
//!
//! Values land in the output as they are, like in Oathkeeper: `toJson` and `quote` escape. In a document
//! ([`Template::render_json`]) no value can end the string that it stands in.
//! Where this differs from Go, it is stricter: bytes that are not UTF-8 become U+FFFD, `b64dec` of
//! something else is an error, `keys` is sorted, a whole session cannot be printed, and functions
//! that need the clock, randomness, secrets or the network are refused by name at load.

mod ast;
mod budget;
mod error;
mod eval;
mod format;
mod functions;
mod in_string;
mod json;
mod lexer;
mod message;
mod object;
#[cfg(feature = "analysis")]
mod outputs;
mod parser;
#[cfg(test)]
mod tests;
mod value;

pub use error::{RenderError, TemplateError};
pub(crate) use message::{
    AttributeValue, Message, MessageTemplate, Reads, RequestPart, ResponsePart,
};
#[cfg(feature = "analysis")]
pub(crate) use outputs::RawOutput;

use crate::session::{MatchContext, Session};
use ast::{Expression, Node, Program};
use budget::{Budget, Draft};
use error::Place;
use in_string::InString;
use object::Object;
use value::Value;

/// A template, parsed when the configuration is loaded.
#[derive(Clone, Debug)]
pub struct Template {
    program: Program,
    lane: Lane,
}

/// What a template may draw from: the values behind `.Subject`, `.Extra`, `.Header` and
/// `.MatchContext`.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// Who the caller is.
    pub session: &'a Session,
    /// What matched.
    pub context: MatchContext<'a>,
}

/// The shapes that most rule files have are answered without the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// No action at all.
    Literal,
    /// `{{ print .Subject }}` or `{{ .Subject }}`.
    Subject,
    General,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// A syntax error, an undefined variable or template, or a function that is unknown, refused
    /// or called with too few or too many arguments; the error names the place.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let program = parser::parse(source)?;
        let lane = lane(&program.main.nodes);
        Ok(Self { program, lane })
    }

    /// Renders the template.
    ///
    /// # Errors
    ///
    /// Where Go's interpreter would end with an error, or where a limit is reached. A caller
    /// denies then: a header that could not be made must not be left to the client.
    pub fn render(&self, data: &Data<'_>) -> Result<String, RenderError> {
        match (self.lane, self.program.main.nodes.as_slice()) {
            (Lane::Subject, _) => Ok(data.session.subject.clone()),
            (Lane::Literal, [Node::Text(text)]) => Ok(text.to_string()),
            (Lane::Literal, _) => Ok(String::new()),
            (Lane::General, _) => eval::render(&self.program, Object::Session(data), None),
        }
    }

    /// Renders a template whose output is to be JSON (RFC 8259): what an action puts between quotation
    /// marks of the template's own stays between them. A value that would end the string, and could go on
    /// with members of its own, is escaped; everything else is as [`Template::render`] has it. The output
    /// need not be JSON even so.
    ///
    /// # Errors
    ///
    /// As [`Template::render`].
    pub fn render_json(&self, data: &Data<'_>) -> Result<String, RenderError> {
        eval::render(
            &self.program,
            Object::Session(data),
            Some(InString::default()),
        )
    }
}

/// The whole session as Go's JSON encoder writes it.
///
/// # Errors
///
/// Where it is larger than what a template may make.
pub(crate) fn session_json(data: &Data<'_>) -> Result<String, RenderError> {
    let mut budget = Budget::new();
    let mut draft = Draft::new(&mut budget);
    json::write(&mut draft, &Value::Object(Object::Session(data)), false)
        .map_err(|fault| fault.at(Place::START))?;
    Ok(draft.finish())
}

fn lane(nodes: &[Node]) -> Lane {
    match nodes {
        [] | [Node::Text(_)] => Lane::Literal,
        [Node::Pipeline(pipeline)] if pipeline.target.is_none() => {
            match pipeline.commands.as_slice() {
                [command] => match (&command.head, command.arguments.as_slice()) {
                    (Expression::Function(function), [argument])
                        if function.name == "print" && is_subject(argument) =>
                    {
                        Lane::Subject
                    }
                    (head, []) if is_subject(head) => Lane::Subject,
                    _ => Lane::General,
                },
                _ => Lane::General,
            }
        }
        _ => Lane::General,
    }
}

fn is_subject(expression: &Expression) -> bool {
    matches!(expression, Expression::Fields(fields)
        if matches!(fields.base, Expression::Dot) && matches!(fields.names.as_slice(), [name] if &**name == "Subject"))
}
