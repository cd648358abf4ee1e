//! Where a token stands in a request: Oathkeeper's `token_from`.

use std::borrow::Cow;

use crate::{Denial, config::Section, cookies, pipeline::Facts};

/// One place to look for a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum TokenFrom {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    #[default]
    Bearer,
    /// The whole value of another header.
    Header(String),
    /// The first value of a query parameter.
    QueryParameter(String),
    /// The first cookie of that name.
    Cookie(String),
}

impl TokenFrom {
    /// Reads the key `token_from`: absent, or an object with exactly one of three keys.
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        if section.value("token_from").is_none() {
            return Self::Bearer;
        }
        let mut from = section.section("token_from");
        let header = from.string("header");
        let query_parameter = from.string("query_parameter");
        let cookie = from.string("cookie");
        from.finish();
        match (header, query_parameter, cookie) {
            (Some(name), None, None) if name == "Authorization" => Self::Bearer,
            (Some(name), None, None) => Self::Header(name),
            (None, Some(name), None) => Self::QueryParameter(name),
            (None, None, Some(name)) => Self::Cookie(name),
            _ => {
                section.wrong(
                    "token_from",
                    "needs exactly one of `header`, `query_parameter`, `cookie`",
                );
                Self::Bearer
            }
        }
    }

    /// The token of a request, where there is one. A value that is not UTF-8 is no token.
    ///
    /// # Errors
    /// There are several: which of them the upstream would read is anybody's guess.
    pub(super) fn find<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<Cow<'a, str>>, Several> {
        let headers = &facts.request.headers;
        let token = match self {
            Self::Bearer => only(headers.all("authorization"))?
                .and_then(|value| after_scheme("bearer", value))
                .map(Cow::Borrowed),
            Self::Header(name) => only(headers.all(name))?
                .and_then(|value| std::str::from_utf8(value).ok())
                .map(Cow::Borrowed),
            Self::QueryParameter(name) => {
                let query = facts.url.query.as_deref().unwrap_or_default();
                only(
                    form_urlencoded::parse(query.as_bytes())
                        .filter(|(key, _)| key == name)
                        .map(|(_, value)| value),
                )?
            }
            Self::Cookie(name) => only(
                cookies::pairs(headers)
                    .filter(|(cookie, _)| cookie == name)
                    .map(|(_, value)| value),
            )?
            .map(Cow::Borrowed),
        };
        Ok(token.filter(|token| !token.is_empty()))
    }

    /// The token of a request under the scheme `DPoP` (RFC 9449 section 7.1), where this looks at
    /// `Authorization`.
    ///
    /// # Errors
    /// As for [`TokenFrom::find`].
    pub(super) fn find_dpop<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<&'a str>, Several> {
        if *self != Self::Bearer {
            return Ok(None);
        }
        let token = only(facts.request.headers.all("authorization"))?
            .and_then(|value| after_scheme("dpop", value));
        Ok(token.filter(|token| !token.is_empty()))
    }
}

/// A token of which nothing is known but where it stands and how it begins: Oathkeeper's `token_from`
/// and `prefix`.
#[derive(Debug)]
pub(super) struct OpaqueToken {
    from: TokenFrom,
    /// What tokens begin with that are this handler's; empty for all of them.
    prefix: String,
}

impl OpaqueToken {
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        Self {
            from: TokenFrom::compile(section),
            prefix: section.string("prefix").unwrap_or_default(),
        }
    }

    /// The token of a request, where it has one that begins as it must.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn find<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<Cow<'a, str>>, Several> {
        let token = self.from.find(facts)?;
        Ok(token.filter(|token| token.starts_with(&self.prefix)))
    }
}

/// A request with more than one token.
#[derive(Debug)]
pub(super) struct Several;

impl From<Several> for Denial {
    fn from(Several: Several) -> Self {
        Self::Unauthorized("the request carries more than one token".to_owned())
    }
}

/// The one of `values`, where there is one.
///
/// # Errors
/// There are several.
pub(super) fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Several> {
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Several),
    }
}

/// The token after `scheme`, which is in lower case.
fn after_scheme<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a str> {
    let (sent, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    sent.eq_ignore_ascii_case(scheme).then_some(token)
}
