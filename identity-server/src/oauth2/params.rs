//! The parameters of an OAuth 2.0 request, parsed once.
//!
//! RFC 6749 §3.1 and §3.2: a parameter must not appear twice, and one without a value counts as absent. Refusing
//! repeats for every name, known or not, leaves no room for two parsers to disagree about which value counts.

use axum::http::{HeaderMap, header};

use super::error::OAuthError;

/// The most parameters one request may carry.
const LIMIT: usize = 100;

/// Parameters that a specification allows to repeat (`audience` by Hydra, `resource` by RFC 8707).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// Parsed parameters, in the order in which they came. Empty values are dropped.
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses a query string or form body.
    ///
    /// # Errors
    /// `invalid_request` when a name is repeated or there are too many of them.
    pub fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if params.len() >= LIMIT {
                return Err(OAuthError::InvalidRequest(format!(
                    "more than {LIMIT} parameters"
                )));
            }
            if !REPEATABLE.contains(&name.as_ref())
                && params.iter().any(|(known, _)| *known == name)
            {
                return Err(OAuthError::InvalidRequest(format!(
                    "the parameter '{}' appears more than once",
                    shown(&name)
                )));
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// Parses the body of a POST.
    ///
    /// # Errors
    /// `invalid_request` unless it says that it is a form.
    pub fn from_form(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::InvalidRequest(
                "the body must be application/x-www-form-urlencoded".into(),
            ));
        }
        Self::parse(body)
    }

    /// The value of `name`, or `None` when it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may repeat.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// `invalid_request` when it is absent or empty.
    pub fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::InvalidRequest(format!("the parameter '{name}' is missing")))
    }

    /// The values of a space-separated list, without repeats, in order.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for value in self
            .all(name)
            .flat_map(|list| list.split(' '))
            .filter(|value| !value.is_empty())
        {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        values
    }
}

/// A client's parameter name as it may appear in a message: short.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_counts_as_absent() {
        let params = Params::parse(b"state=&scope=a").unwrap();
        assert_eq!(params.get("state"), None);
        assert_eq!(params.get("scope"), Some("a"));
        assert!(params.required("state").is_err());
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_when_empty_encoded_or_unknown() {
        for body in [
            "a=1&a=2",
            "a=&a=2",
            "a=1&%61=1",
            "redirect_uri=x&redirect_uri=x",
            "a&a",
        ] {
            assert!(Params::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn audience_may_repeat_and_lists_lose_repeats() {
        let params = Params::parse(b"audience=a&audience=b%20a&scope=x++y+x").unwrap();
        assert_eq!(params.list("audience"), ["a", "b"]);
        assert_eq!(params.list("scope"), ["x", "y"]);
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let body: String = (0..=LIMIT).map(|n| format!("p{n}=1&")).collect();
        assert!(Params::parse(body.as_bytes()).is_err());
    }
}
