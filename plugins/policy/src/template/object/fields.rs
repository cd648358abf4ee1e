//! Go's `http.Header` and `url.Values`: several values for each key.

use std::{borrow::Cow, collections::BTreeMap, rc::Rc, sync::Arc};

use super::{Fault, List, Text, Value};
use crate::headers::Headers;

type Parameters<'v> = BTreeMap<String, Vec<Text<'v>>>;

#[derive(Clone, Debug)]
pub(in crate::template) enum Fields<'v> {
    /// The client's header fields, without pseudo-headers and `Host`.
    Client(&'v Headers),
    /// The headers that earlier mutators set.
    Session(&'v [(Arc<str>, String)]),
    /// The query's parameters.
    Query(Rc<Parameters<'v>>),
}

impl<'v> Fields<'v> {
    pub(super) fn query(query: &'v str) -> Self {
        let mut parameters = Parameters::new();
        // Go leaves out a pair that is not well encoded or contains a semicolon.
        for pair in query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let (Some(name), Some(value)) = (decoded(name), decoded(value)) {
                parameters
                    .entry(name.into_owned())
                    .or_default()
                    .push(value.into());
            }
        }
        Self::Query(Rc::new(parameters))
    }

    /// A method of `http.Header` or `url.Values`; `None` where the type has none of that name.
    pub(in crate::template) fn method(
        &self,
        name: &str,
        arguments: &[Value<'v>],
    ) -> Option<Result<Value<'v>, Fault>> {
        let is_query = matches!(self, Self::Query(_));
        if !matches!(
            (name, is_query),
            ("Get", _) | ("Values", false) | ("Has" | "Encode", true)
        ) {
            return None;
        }
        Some(match (name, arguments) {
            ("Encode", []) => Ok(Value::text(self.encoded())),
            ("Get", [Value::Text(key)]) => Ok(Value::Text(self.first(key))),
            ("Values", [Value::Text(key)]) => Ok(Value::List(self.values(&canonical(key)))),
            ("Has", [Value::Text(key)]) => Ok(Value::Bool(self.values(key).len() > 0)),
            _ => Err(Fault::new(format!(
                "wrong arguments for method `{name}`: it takes one name, a string"
            ))),
        })
    }

    fn first(&self, name: &str) -> Text<'v> {
        let value = match self {
            Self::Client(headers) => visible(name)
                .then(|| headers.first(name))
                .flatten()
                .map(Text::from_bytes),
            Self::Session(headers) => find(headers, name).map(Text::Borrowed),
            Self::Query(parameters) => parameters
                .get(name)
                .and_then(|values| values.first().cloned()),
        };
        value.unwrap_or(Text::Borrowed(""))
    }

    /// The values of exactly this key, which is canonical for headers: `X-User`.
    pub(in crate::template) fn values(&self, key: &str) -> List<'v> {
        let values = match self {
            Self::Query(parameters) => parameters.get(key).cloned().unwrap_or_default(),
            _ if canonical(key) != key => Vec::new(),
            Self::Client(headers) if visible(key) => {
                headers.all(key).map(Text::from_bytes).collect()
            }
            Self::Client(_) => Vec::new(),
            Self::Session(headers) => find(headers, key).map(Text::Borrowed).into_iter().collect(),
        };
        List::from_texts(values)
    }

    pub(in crate::template) fn entries(&self) -> Vec<(Text<'v>, Value<'v>)> {
        let mut entries: Parameters<'v> = BTreeMap::new();
        match self {
            Self::Client(headers) => {
                for (name, value) in headers.iter() {
                    let name = String::from_utf8_lossy(name);
                    if visible(&name) {
                        entries
                            .entry(canonical(&name).into_owned())
                            .or_default()
                            .push(Text::from_bytes(value));
                    }
                }
            }
            Self::Session(headers) => {
                for (name, value) in *headers {
                    entries.insert(canonical(name).into_owned(), vec![Text::Borrowed(value)]);
                }
            }
            Self::Query(parameters) => entries = parameters.as_ref().clone(),
        }
        entries
            .into_iter()
            .map(|(key, values)| (Text::from(key), Value::List(List::from_texts(values))))
            .collect()
    }

    fn encoded(&self) -> String {
        let Self::Query(parameters) = self else {
            return String::new();
        };
        let pairs = parameters.iter().flat_map(|(key, values)| {
            values
                .iter()
                .map(move |value| format!("{}={}", query_escaped(key), query_escaped(value)))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    pub(in crate::template) const fn type_name(&self) -> &'static str {
        match self {
            Self::Client(_) | Self::Session(_) => "http.Header",
            Self::Query(_) => "url.Values",
        }
    }
}

/// Setting a header replaces it, so the last one counts.
fn find<'v>(headers: &'v [(Arc<str>, String)], name: &str) -> Option<&'v str> {
    let found = headers
        .iter()
        .rev()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Go keeps `Host` apart from the other header fields, and knows no pseudo-headers.
fn visible(name: &str) -> bool {
    !name.starts_with(':') && !name.eq_ignore_ascii_case("host")
}

/// Go's canonical form: `x-user` is `X-User`. A name that is no token stays as it is.
fn canonical(name: &str) -> Cow<'_, str> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !name.bytes().all(token) {
        return name.into();
    }
    let mut upper = true;
    name.chars()
        .map(|c| {
            let c = if upper {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
            upper = c == '-';
            c
        })
        .collect::<String>()
        .into()
}

/// `url.QueryEscape`.
pub(in crate::template) fn query_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b' ' => escaped.push('+'),
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => escaped.push(char::from(b)),
            b => escaped.push_str(&format!("%{b:02X}")),
        }
    }
    escaped
}

/// `url.QueryUnescape`; `None` for a percent sign without two hex digits.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high.wrapping_shl(4) | low).ok()?
            }
            b => b,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned().into())
}
