//! What a client sent to a flow: JSON or a form, made alike.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::negotiate;
use super::refusal::Refusal;
use crate::secret::SecretText;

/// The body of a submission. It holds a password, so it does not print.
#[derive(Clone, Default, PartialEq)]
pub struct Submission {
    fields: Map<String, Value>,
    is_form: bool,
}

/// More fields or deeper names than any form of ours has.
const MAX_FIELDS: usize = 200;
const MAX_DEPTH: usize = 8;

impl Submission {
    /// Reads the body as its `Content-Type` says: JSON, or a form whose names may be nested with dots.
    ///
    /// # Errors
    /// 400 when it is neither, or is malformed.
    pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if negotiate::has_json_body(headers) {
            return match serde_json::from_slice(body) {
                Ok(Value::Object(fields)) => Ok(Self {
                    fields,
                    is_form: false,
                }),
                // The error is not passed on: it may quote the password.
                _ => Err(Refusal::bad_request("The body is not a JSON object")),
            };
        }
        Self::from_form(body)
    }

    fn from_form(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Map::new();
        for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if count >= MAX_FIELDS || name.split('.').count() > MAX_DEPTH {
                return Err(Refusal::bad_request("The form has too many fields"));
            }
            insert(&mut fields, &name, value.into_owned());
        }
        Ok(Self {
            fields,
            is_form: true,
        })
    }

    /// Whether it came from an HTML form, in which everything is text.
    #[must_use]
    pub fn is_form(&self) -> bool {
        self.is_form
    }

    /// A field of text; absent if it is empty or something else.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields
            .get(name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// A field that must not reach a log.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretText> {
        self.text(name).map(SecretText::new)
    }

    /// A field of any type.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Submission([redacted])")
    }
}

/// Of a name that comes twice the last one with a value counts: code forms carry `method` twice, and a checkbox is
/// preceded by a hidden "false".
fn insert(fields: &mut Map<String, Value>, name: &str, value: String) {
    match name.split_once('.') {
        None => {
            fields.insert(name.to_owned(), Value::String(value));
        }
        Some((parent, rest)) => {
            let child = fields
                .entry(parent)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(child) = child.as_object_mut() {
                insert(child, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;
    use serde_json::json;

    fn parse(content_type: &str, body: &str) -> Result<Submission, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        Submission::parse(&headers, body.as_bytes())
    }

    #[test]
    fn dots_in_names_nest_values() {
        let form = parse(
            "application/x-www-form-urlencoded",
            "traits.name.first=Ada&traits.email=a%40b.c&method=x",
        );
        assert_eq!(
            form.unwrap().value("traits"),
            Some(&json!({"name": {"first": "Ada"}, "email": "a@b.c"}))
        );
    }

    #[test]
    fn json_and_form_are_read_alike_and_do_not_print() {
        let form = parse(
            "application/x-www-form-urlencoded",
            "password=hunter2&method=password",
        )
        .unwrap();
        let json = parse(
            "application/json",
            r#"{"password":"hunter2","method":"password"}"#,
        )
        .unwrap();
        assert_eq!(form.text("password"), json.text("password"));
        assert!(!format!("{form:?}").contains("hunter2"));
    }

    #[test]
    fn clashing_and_endless_names_do_no_harm() {
        let clash = parse(
            "application/x-www-form-urlencoded",
            "traits=x&traits.email=y",
        )
        .unwrap();
        assert_eq!(clash.value("traits"), Some(&json!("x")));
        let deep = format!("{}=1", ["a"; 100].join("."));
        assert!(parse("application/x-www-form-urlencoded", &deep).is_err());
        assert!(parse("application/x-www-form-urlencoded", &"a=1&".repeat(1000)).is_err());
        assert!(parse("application/json", "[1]").is_err());
        assert!(parse("application/json", "{").is_err());
    }
}
