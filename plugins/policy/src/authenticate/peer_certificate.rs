//! `peer_certificate`: the name in the client certificate of the connection. An extension: Oathkeeper
//! has none.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    Denial, PeerCertificate, Session,
    compile::{Compiler, Entry},
    pipeline::Facts,
};

use super::Authentication;

/// Responsible for requests on a connection with a client certificate.
#[derive(Debug)]
pub(crate) struct FromPeerCertificate {
    subject_from: Name,
    allowed: Vec<Pattern>,
}

/// Which of a certificate's names counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Uri,
    Dns,
    Subject,
}

/// Which names are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// This one.
    Exactly(String),
    /// All that begin so: `spiffe://example.test/ns/shop/*`.
    Prefix(String),
    /// All with one label before this: `*.example.test`.
    OneLabelBefore(String),
}

impl FromPeerCertificate {
    pub(super) fn compile(entry: Entry<'_, '_>, _: &Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let subject_from = match section.string("subject_from").as_deref() {
            None | Some("uri_san") => Name::Uri,
            Some("dns_san") => Name::Dns,
            Some("subject") => Name::Subject,
            Some(other) => {
                let message = format!("`{other}` is none of `uri_san`, `dns_san`, `subject`");
                section.wrong("subject_from", message);
                Name::Uri
            }
        };
        let names = section.strings("allowed").unwrap_or_default();
        if names.is_empty() {
            section.wrong(
                "allowed",
                "is required: the names that are accepted; `[\"*\"]` accepts every certificate \
                 that the proxy does",
            );
        }
        let allowed = names
            .iter()
            .filter_map(|name| {
                let pattern = Pattern::read(name, subject_from);
                if pattern.is_none() {
                    let message = format!(
                        "`{name}`: `*` may stand at the end only, or as the first label of a DNS name"
                    );
                    section.wrong("allowed", message);
                }
                pattern
            })
            .collect();
        section.finish();
        Some(Self {
            subject_from,
            allowed,
        })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        let Some(certificate) = &facts.request.peer_certificate else {
            return Authentication::NotResponsible;
        };
        let refused = |why: &str| Authentication::Refused(Denial::Unauthorized(why.to_owned()));
        let Some(name) = self.subject_from.of(certificate) else {
            return refused("the client certificate has no name of the kind that the rule takes");
        };
        if !self.allowed.iter().any(|pattern| pattern.matches(&name)) {
            return refused("the client certificate's name is not among those allowed");
        }
        Authentication::Known(Session {
            subject: name.into_owned(),
            extra: Some(Arc::new(extra(certificate))),
            ..Session::default()
        })
    }
}

impl Name {
    fn of(self, certificate: &PeerCertificate) -> Option<Cow<'_, str>> {
        let name = match self {
            Self::Uri => certificate.uri.as_deref().map(Cow::Borrowed),
            // Names of hosts have no case (RFC 4343).
            Self::Dns => certificate
                .dns
                .as_deref()
                .map(|name| name.to_ascii_lowercase().into()),
            Self::Subject => certificate.subject.as_deref().map(Cow::Borrowed),
        };
        name.filter(|name| !name.is_empty())
    }
}

impl Pattern {
    fn read(name: &str, kind: Name) -> Option<Self> {
        if let Some(parent) = name.strip_prefix("*.")
            && kind == Name::Dns
        {
            let plain = !parent.is_empty() && !parent.contains('*');
            return plain.then(|| Self::OneLabelBefore(parent.to_ascii_lowercase()));
        }
        let (text, is_prefix) = match name.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (name, false),
        };
        if text.contains('*') || (text.is_empty() && !is_prefix) {
            return None;
        }
        let text = match kind {
            Name::Dns => text.to_ascii_lowercase(),
            Name::Uri | Name::Subject => text.to_owned(),
        };
        Some(match is_prefix {
            true => Self::Prefix(text),
            false => Self::Exactly(text),
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exactly(text) => name == text,
            Self::Prefix(text) => name.starts_with(text),
            Self::OneLabelBefore(parent) => name
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        }
    }
}

/// Every name of the certificate, for templates and authorizers.
fn extra(certificate: &PeerCertificate) -> Map<String, Value> {
    [
        ("uri_san", &certificate.uri),
        ("dns_san", &certificate.dns),
        ("subject", &certificate.subject),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.as_deref()?))))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_they_say_and_nothing_beside() {
        for (pattern, kind, name, expected) in [
            ("spiffe://a/b", Name::Uri, "spiffe://a/b", true),
            ("spiffe://a/b", Name::Uri, "spiffe://a/bc", false),
            ("spiffe://a/b", Name::Uri, "spiffe://a/B", false),
            ("spiffe://a/*", Name::Uri, "spiffe://a/b/c", true),
            ("spiffe://a/*", Name::Uri, "spiffe://ab/c", false),
            ("*", Name::Uri, "anything", true),
            ("*.example.test", Name::Dns, "a.example.test", true),
            ("*.example.test", Name::Dns, "a.b.example.test", false),
            ("*.example.test", Name::Dns, "example.test", false),
            ("*.example.test", Name::Dns, ".example.test", false),
            ("*.example.test", Name::Dns, "badexample.test", false),
            ("Host.test", Name::Dns, "host.test", true),
            ("CN=a,O=b", Name::Subject, "CN=a,O=b", true),
            ("CN=a,O=b", Name::Subject, "CN=a,O=bc", false),
        ] {
            let read = Pattern::read(pattern, kind).unwrap();
            assert_eq!(read.matches(name), expected, "{pattern} {name}");
        }
        for (pattern, kind) in [
            ("", Name::Uri),
            ("a*b", Name::Uri),
            ("*a", Name::Uri),
            ("**", Name::Uri),
            ("*.example.test", Name::Uri),
            ("*.", Name::Dns),
            ("*.a.*", Name::Dns),
        ] {
            assert_eq!(Pattern::read(pattern, kind), None, "{pattern}");
        }
    }
}
