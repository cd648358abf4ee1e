//! Templates for the headers of requests and responses: the values of `header-mutation`.
//!
//! They are Go templates like all others, over other data, and with one difference: what is missing
//! is not printed as `<no value>`. A value computed of something missing is missing too, unless
//! `default`, `with` or their like look at it, and a template that prints such a value makes nothing.

mod reads;

use serde_json::{Map as JsonMap, Value as Json};

use super::{
    ast::Program,
    error::{Fault, RenderError, TemplateError},
    eval,
    object::{Fields, Object},
    parser,
    value::{Map, Text, Value},
};
use crate::{headers::Headers, path::Url};

pub(crate) use reads::Reads;

/// A template for the value of a header, parsed when the configuration is loaded.
#[derive(Clone, Debug)]
pub(crate) struct MessageTemplate {
    program: Program,
    reads: Reads,
}

/// What is behind the dot.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// `.Claims`: of a token that somebody has verified.
    pub(crate) claims: Option<&'a JsonMap<String, Json>>,
    /// `.Attribute "name"`: those that the host has.
    pub(crate) attributes: &'a [(&'static str, AttributeValue)],
    /// `.Request`.
    pub(crate) request: Option<RequestPart<'a>>,
    /// `.Response`, once there is one.
    pub(crate) response: Option<ResponsePart<'a>>,
}

/// The request.
#[derive(Debug)]
pub(crate) struct RequestPart<'a> {
    /// Its header section as changed so far.
    pub(crate) headers: &'a Headers,
    /// Its canonical URL, where a template asks for it.
    pub(crate) url: Option<&'a Url>,
}

/// The response.
#[derive(Debug)]
pub(crate) struct ResponsePart<'a> {
    /// Its header section as changed so far.
    pub(crate) headers: &'a Headers,
    /// Its status code.
    pub(crate) status: u16,
}

/// What a host says of a request or its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttributeValue {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
}

impl MessageTemplate {
    /// Parses a template. `for_response` says whether there is a `.Response` to read.
    ///
    /// # Errors
    /// As [`super::Template::parse`], and for a field that there is not.
    pub(crate) fn parse(source: &str, for_response: bool) -> Result<Self, TemplateError> {
        let program = parser::parse(source)?;
        let reads = Reads::of(&program, for_response)?;
        Ok(Self { program, reads })
    }

    /// What it draws from.
    pub(crate) const fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Its text, where it has no action.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.program.main.nodes.as_slice() {
            [] => Some(""),
            [super::Node::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Renders it; `None` if something that it prints is not there.
    ///
    /// # Errors
    /// As [`super::Template::render`].
    pub(crate) fn render(&self, message: &Message<'_>) -> Result<Option<String>, RenderError> {
        match self.literal() {
            Some(text) => Ok(Some(text.to_owned())),
            None => eval::render_present(&self.program, Object::Message(message)),
        }
    }
}

impl<'v> Message<'v> {
    pub(super) fn field(&'v self, name: &str) -> Option<Value<'v>> {
        Some(match name {
            "Claims" => Value::Map(self.claims.map_or(Map::Nil, Map::Json)),
            "Request" => {
                let request = self.request.as_ref().map(Object::Request);
                request.map_or(Value::Nil, Value::Object)
            }
            "Response" => {
                let response = self.response.as_ref().map(Object::Response);
                response.map_or(Value::Nil, Value::Object)
            }
            _ => return None,
        })
    }

    /// `.Attribute "name"`.
    pub(super) fn attribute(&'v self, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
        let [Value::Text(name)] = arguments else {
            return Err(Fault::new("`.Attribute` takes one name, a string"));
        };
        let known = self.attributes.iter().find(|(known, _)| *known == &**name);
        Ok(match known {
            Some((_, AttributeValue::Text(text))) if !text.is_empty() => {
                Value::Text(Text::Borrowed(text))
            }
            Some((_, AttributeValue::Int(int))) => Value::Int(*int),
            Some((_, AttributeValue::Bool(bool))) => Value::Bool(*bool),
            _ => Value::Nil,
        })
    }
}

impl<'v> RequestPart<'v> {
    pub(super) fn field(&'v self, name: &str) -> Option<Value<'v>> {
        Some(match name {
            "Method" => match self.headers.first(":method") {
                Some(method) => Value::Text(Text::from_bytes(method)),
                None => Value::Nil,
            },
            "Header" => Value::Map(Map::Fields(Fields::Client(self.headers))),
            "URL" => self
                .url
                .map_or(Value::Nil, |url| Value::Object(Object::Url(url))),
            _ => return None,
        })
    }
}

impl<'v> ResponsePart<'v> {
    pub(super) fn field(&'v self, name: &str) -> Option<Value<'v>> {
        Some(match name {
            "Status" => Value::Int(self.status.into()),
            "Header" => Value::Map(Map::Fields(Fields::Client(self.headers))),
            _ => return None,
        })
    }
}
