//! Where a token stands in a request: Oathkeeper's `token_from`.

use std::borrow::Cow;

use crate::{Denial, config::Section, cookies, pipeline::Facts};

/// Where to look for a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum TokenFrom {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    #[default]
    Bearer,
    /// The value of another header, behind a prefix, which may be empty.
    Header { name: String, prefix: String },
    /// The first value of a query parameter.
    QueryParameter(String),
    /// The first cookie of that name.
    Cookie(String),
    /// Any of these, of which one alone may hold a token: which of two the upstream would read is
    /// anybody's guess.
    OneOf(Vec<Self>),
}

impl TokenFrom {
    /// The whole value of a header.
    pub(super) fn header(name: &str) -> Self {
        Self::Header {
            name: name.to_owned(),
            prefix: String::new(),
        }
    }

    /// Reads the key `token_from`: absent, or an object with exactly one of three keys.
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        if section.value("token_from").is_none() {
            return Self::Bearer;
        }
        Self::read(section.section("token_from"), "").unwrap_or_default()
    }

    /// Reads the key `token_from` as ours: a list of places, where a header may have a `prefix`. `None`
    /// where it is absent.
    pub(crate) fn compile_list(section: &mut Section<'_>) -> Option<Self> {
        section.value("token_from")?;
        let entries = section.list("token_from");
        if entries.is_empty() {
            section.wrong("token_from", "must list one place at least");
        }
        let mut places = Vec::new();
        for (place, entry) in entries {
            let mut from = Section::new(Some(&entry), place, section.errors());
            let prefix = from.string("prefix").unwrap_or_default();
            places.extend(Self::read(from, &prefix));
        }
        Some(Self::OneOf(places))
    }

    fn read(mut from: Section<'_>, prefix: &str) -> Option<Self> {
        let header = from.string("header");
        let query_parameter = from.string("query_parameter");
        let cookie = from.string("cookie");
        let place = from.place().clone();
        let errors = from.errors();
        from.finish();
        match (header, query_parameter, cookie) {
            (Some(name), None, None)
                if name == "Authorization" && matches!(prefix, "" | "Bearer" | "Bearer ") =>
            {
                Some(Self::Bearer)
            }
            (Some(name), None, None) => Some(Self::Header {
                name,
                prefix: prefix.to_owned(),
            }),
            (None, Some(name), None) if prefix.is_empty() => Some(Self::QueryParameter(name)),
            (None, None, Some(name)) if prefix.is_empty() => Some(Self::Cookie(name)),
            _ => {
                let message = "needs exactly one of `header`, `query_parameter`, `cookie`";
                errors.add(place, message);
                None
            }
        }
    }

    /// The token of a request, where there is one. A value that is not UTF-8 is no token.
    ///
    /// # Errors
    /// There are several: which of them the upstream would read is anybody's guess.
    pub(super) fn find<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<Cow<'a, str>>, Several> {
        self.find_at(facts)
            .map(|found| found.map(|(_, token)| token))
    }

    /// The same, with the one place where it stands.
    ///
    /// # Errors
    /// As for [`TokenFrom::find`].
    pub(crate) fn find_at<'s, 'a>(
        &'s self,
        facts: &'a Facts<'_>,
    ) -> Result<Option<(&'s Self, Cow<'a, str>)>, Several> {
        let headers = &facts.request.headers;
        let token = match self {
            Self::Bearer => only(headers.all("authorization"))?
                .and_then(|value| after_scheme("bearer", value))
                .map(Cow::Borrowed),
            Self::Header { name, prefix } => only(headers.all(name))?
                .and_then(|value| std::str::from_utf8(value).ok())
                .and_then(|value| value.strip_prefix(prefix.as_str()))
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
            Self::OneOf(places) => {
                let mut found = None;
                for place in places {
                    match (place.find_at(facts)?, &found) {
                        (Some(_), Some(_)) => return Err(Several),
                        (Some(token), None) => found = Some(token),
                        (None, _) => {}
                    }
                }
                return Ok(found);
            }
        };
        let token = token.filter(|token| !token.is_empty());
        Ok(token.map(|token| (self, token)))
    }

    /// The token of a request under the scheme `DPoP` (RFC 9449 section 7.1), where this looks at
    /// `Authorization`.
    ///
    /// # Errors
    /// As for [`TokenFrom::find`].
    pub(crate) fn find_dpop<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<&'a str>, Several> {
        let looks = match self {
            Self::Bearer => true,
            Self::OneOf(places) => places.contains(&Self::Bearer),
            _ => false,
        };
        if !looks {
            return Ok(None);
        }
        let token = only(facts.request.headers.all("authorization"))?
            .and_then(|value| after_scheme("dpop", value))
            .filter(|token| !token.is_empty());
        if token.is_some() && self.find(facts)?.is_some() {
            return Err(Several);
        }
        Ok(token)
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
pub(crate) struct Several;

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
