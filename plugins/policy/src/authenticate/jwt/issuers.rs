//! `issuers` of a `jwt` entry: each with keys of its own, and where those are.

use serde_json::Value;

use crate::{
    FetchId,
    compile::Compiler,
    config::{Place, Section},
    jose::{Discovery, InlineKeys, IssuerRules, KeySource, TokenRules, Trust},
};

use super::algorithms_at;

/// The rules of every issuer: those that `common` to all, with its own keys, audiences and algorithms.
pub(super) fn compile(
    entries: Vec<(Place, Value)>,
    common: &TokenRules,
    compiler: &mut Compiler<'_>,
) -> Trust {
    let mut names: Vec<String> = Vec::new();
    let mut issuers = Vec::new();
    for (place, entry) in entries {
        let errors = compiler.errors();
        let mut section = Section::new(Some(&entry), place, errors);
        let issuer = section.required_string("issuer").unwrap_or_default();
        if names.contains(&issuer) {
            section.wrong(
                "issuer",
                "is listed twice; give it all its keys in one place",
            );
        }
        let key_set = keys(&mut section, &issuer, compiler);
        let algorithms = algorithms_at(&mut section, "algorithms");
        let rules = TokenRules {
            key_sets: key_set.into_iter().collect(),
            algorithms: algorithms.unwrap_or_else(|| common.algorithms.clone()),
            audiences: section.strings("audiences").unwrap_or_default(),
            ..common.clone()
        };
        section.finish();
        issuers.push(IssuerRules::new(&issuer, rules));
        names.push(issuer);
    }
    Trust::ByIssuer(issuers)
}

/// The key set of an issuer, from the one place that is named.
fn keys(section: &mut Section<'_>, issuer: &str, compiler: &mut Compiler<'_>) -> Option<FetchId> {
    let named: Vec<&str> = ["jwks_url", "jwks", "discovery"]
        .into_iter()
        .filter(|key| section.value(key).is_some())
        .collect();
    match named.as_slice() {
        ["jwks_url"] => {
            let url = section.string("jwks_url")?;
            compiler.key_set(&url, section.place().key("jwks_url"))
        }
        ["jwks"] => inline(section, compiler),
        ["discovery"] => discovery(section, issuer, compiler),
        _ => {
            section.wrong(
                "issuer",
                "needs exactly one of `jwks_url`, `jwks` and `discovery` beside it",
            );
            None
        }
    }
}

fn inline(section: &mut Section<'_>, compiler: &mut Compiler<'_>) -> Option<FetchId> {
    match InlineKeys::read(section.value("jwks")?) {
        Ok(keys) => compiler.key_source(KeySource::Inline(keys)),
        Err(fault) => {
            section.wrong("jwks", fault.to_string());
            None
        }
    }
}

/// `discovery` is `true` or `openid` for OpenID Connect Discovery 1.0, `oauth` for RFC 8414, or the URL
/// of the metadata.
fn discovery(
    section: &mut Section<'_>,
    issuer: &str,
    compiler: &mut Compiler<'_>,
) -> Option<FetchId> {
    let url = match section.value("discovery")? {
        Value::Bool(true) => Some(Discovery::openid_url(issuer)),
        Value::String(kind) if kind == "openid" => Some(Discovery::openid_url(issuer)),
        Value::String(kind) if kind == "oauth" => Discovery::oauth_url(issuer),
        Value::String(url) if url.contains("://") => Some(url.clone()),
        _ => None,
    };
    let Some(url) = url else {
        section.wrong(
            "discovery",
            "must be `true`, `openid`, `oauth` (RFC 8414) or the URL of the issuer's metadata",
        );
        return None;
    };
    let document = compiler.parse_endpoint(&url, section.place().key("discovery"))?;
    let mut origins = vec![document.origin.clone()];
    let place = section.place().key("jwks_origins");
    let others = section.strings("jwks_origins").unwrap_or_default();
    for (index, origin) in others.iter().enumerate() {
        let endpoint = compiler.parse_endpoint(origin, place.index(index))?;
        if endpoint.path != "/" {
            let message = format!("`{origin}` must end after the host and port");
            compiler.errors().add(place.index(index), message);
        }
        origins.push(endpoint.origin);
    }
    compiler.key_source(KeySource::Discovery(Discovery {
        document,
        issuer: issuer.to_owned(),
        origins,
    }))
}
