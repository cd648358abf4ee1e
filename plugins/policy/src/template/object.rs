//! The structs that Oathkeeper hands to a template, their fields and methods.

mod fields;
mod url;

pub(super) use fields::{Fields, query_escaped};
pub(super) use url::written_url;

use super::{
    Data,
    error::Fault,
    message::{Message, RequestPart, ResponsePart},
    value::{List, Map, Text, Value},
};
use crate::{path::Url, session::MatchContext};

#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'v> {
    /// The dot at the start.
    Session(&'v Data<'v>),
    /// `.MatchContext`.
    MatchContext(&'v MatchContext<'v>),
    /// `.MatchContext.URL`.
    Url(&'v Url),
    /// The dot at the start, for the headers of messages.
    Message(&'v Message<'v>),
    /// `.Request`.
    Request(&'v RequestPart<'v>),
    /// `.Response`.
    Response(&'v ResponsePart<'v>),
}

impl<'v> Object<'v> {
    /// The field or method `name`, called with `arguments`.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it does not take these arguments.
    pub(super) fn member(self, name: &str, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
        if let (Self::Message(message), "Attribute") = (self, name) {
            return message.attribute(arguments);
        }
        let member = match self {
            Self::Session(data) => session_field(data, name),
            Self::MatchContext(context) => context_field(context, name),
            Self::Url(url) => url::member(url, name),
            Self::Message(message) => message.field(name),
            Self::Request(request) => request.field(name),
            Self::Response(response) => response.field(name),
        };
        let member = member.ok_or_else(|| {
            Fault::new(format!(
                "cannot evaluate field `{name}` in type {}",
                self.type_name()
            ))
        })?;
        if arguments.is_empty() {
            return Ok(member);
        }
        Err(Fault::new(format!("`{name}` takes no arguments")))
    }

    pub(super) const fn type_name(self) -> &'static str {
        match self {
            Self::Session(_) => "*authn.AuthenticationSession",
            Self::MatchContext(_) => "authn.MatchContext",
            Self::Url(_) => "*url.URL",
            Self::Message(_) => "Message",
            Self::Request(_) => "Request",
            Self::Response(_) => "Response",
        }
    }

    /// The names under which Go's JSON encoder writes the fields, in its order.
    pub(super) fn json_fields(self) -> Vec<(&'static str, Value<'v>)> {
        let names: &[(&str, &str)] = match self {
            Self::Session(_) => &[
                ("subject", "Subject"),
                ("extra", "Extra"),
                ("header", "Header"),
                ("match_context", "MatchContext"),
            ],
            Self::MatchContext(_) => &[
                ("regexp_capture_groups", "RegexpCaptureGroups"),
                ("url", "URL"),
                ("method", "Method"),
                ("header", "Header"),
            ],
            Self::Url(_) => url::JSON_FIELDS,
            Self::Message(_) => &[("claims", "Claims")],
            Self::Request(_) => &[("method", "Method"), ("header", "Header"), ("url", "URL")],
            Self::Response(_) => &[("status", "Status"), ("header", "Header")],
        };
        names
            .iter()
            .map(|(json, field)| (*json, self.member(field, &[]).unwrap_or(Value::Nil)))
            .collect()
    }
}

fn session_field<'v>(data: &'v Data<'v>, name: &str) -> Option<Value<'v>> {
    Some(match name {
        "Subject" => Value::Text(Text::Borrowed(&data.session.subject)),
        "Extra" => Value::Map(data.session.extra.as_deref().map_or(Map::Nil, Map::Json)),
        "Header" => Value::Map(Map::Fields(Fields::Session(&data.session.headers))),
        "MatchContext" => Value::Object(Object::MatchContext(&data.context)),
        _ => return None,
    })
}

fn context_field<'v>(context: &'v MatchContext<'v>, name: &str) -> Option<Value<'v>> {
    Some(match name {
        "RegexpCaptureGroups" => Value::List(List::Strings(context.captures)),
        "URL" => Value::Object(Object::Url(context.url)),
        "Method" => Value::Text(Text::Borrowed(context.method)),
        "Header" => Value::Map(Map::Fields(Fields::Client(context.headers))),
        _ => return None,
    })
}
