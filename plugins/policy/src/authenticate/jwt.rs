//! `jwt`: a signed token, checked against key sets that are fetched in the background.

use std::sync::Arc;

use crate::{
    Denial, Session,
    compile::Compiler,
    config::Section,
    jose::{self, Algorithms, Check, ScopeStrategy, TokenRules, UnknownScopeStrategy, Verifier},
    pipeline::Facts,
};

use super::{Authentication, token_from::TokenFrom};

/// Responsible for requests that carry something of a JWS's shape (three parts, RFC 7515 section 3.1).
#[derive(Debug)]
pub(crate) struct Jwt {
    token_from: TokenFrom,
    rules: TokenRules,
}

impl Jwt {
    pub(super) fn compile(mut section: Section<'_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let token_from = TokenFrom::compile(&mut section);
        // Read once for the whole process by Oathkeeper; here they stand with the handler.
        let ttl = section.duration("jwks_ttl");
        let max_wait = section.duration("jwks_max_wait");
        compiler.key_set_times(ttl, max_wait);
        let key_sets = key_sets(&mut section, compiler).into();
        let rules = TokenRules {
            key_sets,
            algorithms: algorithms(&mut section),
            trusted_issuers: section.strings("trusted_issuers").unwrap_or_default(),
            target_audience: section.strings("target_audience").unwrap_or_default(),
            required_scope: section.strings("required_scope").unwrap_or_default(),
            scope_strategy: scope_strategy(&mut section),
            ..TokenRules::default()
        };
        section.finish();
        Some(Self { token_from, rules })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>, tokens: &mut Verifier) -> Authentication {
        let token = match self.token_from.find(facts) {
            Ok(Some(token)) => token,
            Ok(None) => return Authentication::NotResponsible,
            Err(several) => return Authentication::Refused(several.into()),
        };
        if !jose::looks_like_jws(&token) {
            return Authentication::NotResponsible;
        }
        match tokens.check(&token, &self.rules, facts.now) {
            Check::Verified(claims) => Authentication::Known(Session {
                subject: claims.subject.clone(),
                extra: Some(Arc::clone(&claims.extra)),
                headers: Vec::new(),
            }),
            Check::NeedKeys(fetch) => Authentication::Await(fetch),
            Check::Rejected(error) => {
                Authentication::Refused(Denial::Unauthorized(error.to_string()))
            }
        }
    }
}

fn key_sets(section: &mut Section<'_>, compiler: &mut Compiler<'_>) -> Vec<crate::FetchId> {
    let urls = section.strings("jwks_urls").unwrap_or_default();
    if urls.is_empty() {
        section.wrong(
            "jwks_urls",
            "is required: the URLs of the issuers' key sets",
        );
    }
    let place = section.place().key("jwks_urls");
    urls.iter()
        .enumerate()
        .filter_map(|(index, url)| compiler.key_set(url, place.index(index)))
        .collect()
}

fn algorithms(section: &mut Section<'_>) -> Algorithms {
    let Some(names) = section.strings("allowed_algorithms") else {
        return Algorithms::default();
    };
    Algorithms::parse(&names).unwrap_or_else(|error| {
        section.wrong("allowed_algorithms", error.to_string());
        Algorithms::default()
    })
}

/// Reads the key `scope_strategy`.
pub(super) fn scope_strategy(section: &mut Section<'_>) -> ScopeStrategy {
    let Some(name) = section.string("scope_strategy") else {
        return ScopeStrategy::None;
    };
    name.parse().unwrap_or_else(|error: UnknownScopeStrategy| {
        section.wrong("scope_strategy", error.to_string());
        ScopeStrategy::None
    })
}
