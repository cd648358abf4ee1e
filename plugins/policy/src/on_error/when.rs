//! `when`: under which conditions an error handler is chosen.

use std::net::IpAddr;

use crate::{
    Denial, Headers,
    config::Section,
    network::{Network, networks},
};

use super::Refused;

/// Alternatives, any of which is enough; no list at all matches everything.
#[derive(Debug)]
pub(crate) struct When(Vec<Condition>);

/// All parts must hold; a part that is not configured always does.
#[derive(Debug)]
struct Condition {
    errors: Vec<ErrorName>,
    content_type: Vec<String>,
    accept: Vec<String>,
    networks: Vec<Network>,
    respect_forwarded_for: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorName {
    BadRequest,
    Unauthorized,
    Forbidden,
    InternalServerError,
    NotFound,
}

impl When {
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        let errors = section.errors();
        Self(
            section
                .list("when")
                .into_iter()
                .map(|(place, entry)| Condition::compile(Section::new(Some(&entry), place, errors)))
                .collect(),
        )
    }

    /// Whether the choice depends on the peer's address.
    pub(super) fn reads_client_address(&self) -> bool {
        let mut conditions = self.0.iter();
        conditions.any(|condition| !condition.networks.is_empty())
    }

    pub(super) fn matches(&self, refused: &Refused<'_>) -> bool {
        self.0.is_empty() || self.0.iter().any(|condition| condition.matches(refused))
    }
}

impl Condition {
    fn compile(mut section: Section<'_>) -> Self {
        let errors = error_names(&mut section);
        let mut request = section.section("request");
        section.finish();
        let mut header = request.section("header");
        let content_type = header.strings("content_type").unwrap_or_default();
        let accept = header.strings("accept").unwrap_or_default();
        header.finish();
        // Oathkeeper's schema knows `cidr`, its code `remote_ip`: both are taken, with one meaning.
        let mut networks = networks(
            request.strings("cidr"),
            &request.place().key("cidr"),
            request.errors(),
        );
        let mut remote_ip = request.section("remote_ip");
        request.finish();
        let matches = remote_ip.strings("match");
        networks.extend(crate::network::networks(
            matches,
            &remote_ip.place().key("match"),
            remote_ip.errors(),
        ));
        let respect_forwarded_for = remote_ip.bool("respect_forwarded_for_header", false);
        remote_ip.finish();
        Self {
            errors,
            content_type,
            accept,
            networks,
            respect_forwarded_for,
        }
    }

    fn matches(&self, refused: &Refused<'_>) -> bool {
        let headers = &refused.request.headers;
        (self.errors.is_empty() || self.errors.iter().any(|name| name.names(refused.denial)))
            && mime_matches(&self.content_type, headers, "content-type")
            && mime_matches(&self.accept, headers, "accept")
            && (self.networks.is_empty() || self.comes_from(refused))
    }

    /// Whether the caller is in one of the networks. With `respect_forwarded_for_header` any
    /// element of `X-Forwarded-For` will do, as in Oathkeeper; it only chooses how a refusal looks.
    fn comes_from(&self, refused: &Refused<'_>) -> bool {
        let inside = |address: IpAddr| {
            self.networks
                .iter()
                .any(|network| network.contains(address))
        };
        if refused.request.client_address.is_some_and(inside) {
            return true;
        }
        self.respect_forwarded_for
            && refused
                .request
                .headers
                .all("x-forwarded-for")
                .filter_map(|value| std::str::from_utf8(value).ok())
                .flat_map(|value| value.split(','))
                .filter_map(|address| address.trim().parse().ok())
                .any(inside)
    }
}

impl ErrorName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("bad_request", Self::BadRequest),
        ("unauthorized", Self::Unauthorized),
        ("forbidden", Self::Forbidden),
        ("internal_server_error", Self::InternalServerError),
        ("not_found", Self::NotFound),
    ];

    /// Whether this is the name of the refusal. A rate limit counts as an internal error, as it
    /// does in Oathkeeper.
    const fn names(self, denial: &Denial) -> bool {
        match self {
            Self::BadRequest => denial.status() == 400,
            Self::Unauthorized => denial.status() == 401,
            Self::Forbidden => denial.status() == 403,
            Self::NotFound => denial.status() == 404,
            Self::InternalServerError => matches!(denial.status(), 429 | 500),
        }
    }
}

fn error_names(section: &mut Section<'_>) -> Vec<ErrorName> {
    let mut names = Vec::new();
    for text in section.strings("error").unwrap_or_default() {
        match ErrorName::ALL.iter().find(|(name, _)| *name == text) {
            Some((_, name)) => names.push(*name),
            None => {
                let known: Vec<_> = ErrorName::ALL.iter().map(|(name, _)| *name).collect();
                section.wrong("error", format!("`{text}` is none of {}", known.join(", ")));
            }
        }
    }
    names
}

/// Whether the media type of a header is wanted. `*/*` and `type/*` are wildcards only where the
/// operator wrote them: a client's `Accept: */*` matches nothing but a literal `*/*`. Weights are
/// ignored, and an absent header counts as `application/octet-stream`.
fn mime_matches(wanted: &[String], headers: &Headers, name: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let value = headers
        .first_str(name)
        .unwrap_or("application/octet-stream");
    value
        .split(',')
        .map(|part| part.split(';').next().unwrap_or_default().trim())
        .any(|sent| wanted.iter().any(|wanted| mime_covers(wanted, sent)))
}

fn mime_covers(wanted: &str, sent: &str) -> bool {
    if wanted == "*/*" {
        return true;
    }
    match (wanted.strip_suffix("/*"), sent.split_once('/')) {
        (Some(kind), Some((sent_kind, _))) => kind.eq_ignore_ascii_case(sent_kind),
        _ => wanted.eq_ignore_ascii_case(sent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_operators_wildcards_are_wildcards() {
        assert!(mime_covers("text/*", "text/html"));
        assert!(mime_covers("*/*", "text/html"));
        assert!(mime_covers("*/*", "*/*"));
        assert!(!mime_covers("application/json", "*/*"));
        assert!(!mime_covers("text/*", "*/*"));
    }
}
