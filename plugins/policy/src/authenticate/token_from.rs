//! Where a token stands in a request: Oathkeeper's `token_from`.

use std::borrow::Cow;

use crate::{config::Section, cookies, pipeline::Facts};

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

    /// The token of a request, where there is one. A value that is not UTF-8 is no token. So are
    /// two `Authorization` headers: which of them the upstream would read is anybody's guess.
    pub(super) fn find<'a>(&self, facts: &'a Facts<'_>) -> Option<Cow<'a, str>> {
        let headers = &facts.request.headers;
        match self {
            Self::Bearer => {
                let mut values = headers.all("authorization");
                let value = values.next()?;
                if values.next().is_some() {
                    return None;
                }
                let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
                scheme
                    .eq_ignore_ascii_case("bearer")
                    .then_some(Cow::Borrowed(token))
            }
            Self::Header(name) => headers.first_str(name).map(Cow::Borrowed),
            Self::QueryParameter(name) => {
                let query = facts.url.query.as_deref()?;
                form_urlencoded::parse(query.as_bytes())
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value)
            }
            Self::Cookie(name) => cookies::first(headers, name).map(Cow::Borrowed),
        }
        .filter(|token| !token.is_empty())
    }
}
