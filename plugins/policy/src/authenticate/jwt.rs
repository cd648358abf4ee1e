//! `jwt`: a signed token, checked against key sets that are fetched in the background.

mod demands;
mod issuers;

use std::{borrow::Cow, sync::Arc, time::Duration};

use crate::{
    Denial, Session,
    challenge::{ChallengeError, Offer, Scheme},
    compile::{Compiler, Entry},
    config::Section,
    jose::{
        self, Algorithms, CertificateBound, Check, DpopRules, Presentation, ProofError,
        ProofRequest, ScopeStrategy, TokenError, TokenRules, Trust, UnknownScopeStrategy, Verifier,
    },
    pipeline::{Facts, Memory},
};

use super::{
    Authentication,
    token_from::{Several, TokenFrom},
};

/// Responsible for requests that carry something of a JWS's shape (three parts, RFC 7515 section 3.1).
#[derive(Debug)]
pub(crate) struct Jwt {
    token_from: TokenFrom,
    /// Whether it is responsible for whatever stands where a token belongs.
    any_token: bool,
    trust: Trust,
    /// What the rules of all issuers have in common, for challenges.
    demanded: Demanded,
}

#[derive(Debug)]
struct Demanded {
    scope: Vec<String>,
    acr_values: Vec<String>,
    max_age: Option<Duration>,
    dpop: Option<DpopRules>,
    certificate_bound: CertificateBound,
}

/// A token as it was sent.
struct Sent<'a> {
    token: Cow<'a, str>,
    scheme: Scheme,
}

impl Jwt {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let Entry {
            config: mut section,
            extension,
            ..
        } = entry;
        let oathkeepers = TokenFrom::compile(&mut section);
        let token_from = TokenFrom::compile_list(extension).unwrap_or(oathkeepers);
        let any_token = extension.bool("any_token", false);
        // Read once for the whole process by Oathkeeper; here they stand with the handler.
        let ttl = section.duration("jwks_ttl");
        let max_wait = section.duration("jwks_max_wait");
        compiler.key_set_times(ttl, max_wait);
        let issuers = extension.list("issuers");
        if issuers.is_empty() && extension.value("issuers").is_some() {
            extension.wrong(
                "issuers",
                "must name an issuer; without the list the keys of `jwks_urls` count for all of them",
            );
        }
        let key_sets = if issuers.is_empty() {
            key_sets(&mut section, compiler)
        } else {
            // A file that Oathkeeper reads too has them; here each issuer has keys of its own.
            section.value("jwks_urls");
            Vec::new()
        };
        let mut rules = TokenRules {
            key_sets: key_sets.into(),
            algorithms: algorithms(&mut section),
            trusted_issuers: section.strings("trusted_issuers").unwrap_or_default(),
            target_audience: section.strings("target_audience").unwrap_or_default(),
            required_scope: section.strings("required_scope").unwrap_or_default(),
            scope_strategy: scope_strategy(&mut section),
            ..TokenRules::default()
        };
        demands::read(extension, &mut rules);
        let demanded = Demanded::of(&rules);
        let trust = if issuers.is_empty() {
            Trust::Unbound(Box::new(rules))
        } else {
            issuers::compile(issuers, &rules, compiler)
        };
        section.finish();
        Some(Self {
            token_from,
            any_token,
            trust,
            demanded,
        })
    }

    pub(super) fn authenticate_with(
        &self,
        facts: &Facts<'_>,
        memory: &mut Memory,
    ) -> Authentication {
        let tokens = &mut memory.tokens;
        let sent = match self.sent(facts) {
            Ok(Some(sent)) if self.any_token || jose::looks_like_jws(&sent.token) => sent,
            Ok(_) => return Authentication::NotResponsible,
            Err(several) => return Authentication::Refused(several.into()),
        };
        let refused = |error: TokenError, tokens: &Verifier| {
            Authentication::Refused(self.demanded.denial(error, sent.scheme, tokens, facts))
        };
        let proof = match self.proof(&sent, facts) {
            Ok(proof) => proof,
            Err(error) => return refused(error.into(), tokens),
        };
        let certificate = facts.request.peer_certificate.as_ref();
        let presentation = Presentation {
            proof,
            certificate: certificate.and_then(|certificate| certificate.sha256.as_ref()),
        };
        match tokens.check_presented(&sent.token, &self.trust, &presentation, facts.now) {
            Check::Verified(claims) => Authentication::Known(Session {
                subject: claims.subject.clone(),
                extra: Some(Arc::clone(&claims.extra)),
                ..Session::default()
            }),
            Check::NeedKeys(fetch) => Authentication::Await(fetch),
            Check::Rejected(error) => refused(error, tokens),
        }
    }

    pub(super) fn offers(&self) -> Vec<Offer> {
        let dpop = self.demanded.dpop.as_ref();
        let bearer = dpop.is_none_or(|dpop| !dpop.required);
        let bearer = bearer.then_some(Offer::Bearer);
        let dpop = dpop.map(|dpop| Offer::Dpop(dpop.algorithms.names()));
        bearer.into_iter().chain(dpop).collect()
    }

    pub(super) fn reads_peer_certificate(&self) -> bool {
        self.demanded.certificate_bound != CertificateBound::Refused
    }

    fn sent<'a>(&self, facts: &'a Facts<'_>) -> Result<Option<Sent<'a>>, Several> {
        if self.demanded.dpop.is_some()
            && let Some(token) = self.token_from.find_dpop(facts)?
        {
            let token = Cow::Borrowed(token);
            let scheme = Scheme::Dpop;
            return Ok(Some(Sent { token, scheme }));
        }
        let scheme = Scheme::Bearer;
        let token = self.token_from.find(facts)?;
        Ok(token.map(|token| Sent { token, scheme }))
    }

    /// The proof beside a token that came under the scheme `DPoP`: exactly one (RFC 9449 section 4.3).
    fn proof<'a>(
        &self,
        sent: &Sent<'_>,
        facts: &'a Facts<'_>,
    ) -> Result<Option<ProofRequest<'a>>, ProofError> {
        if sent.scheme != Scheme::Dpop {
            return Ok(None);
        }
        let mut fields = facts.request.headers.all("dpop");
        let (Some(proof), None) = (fields.next(), fields.next()) else {
            return Err(ProofError::Missing);
        };
        Ok(Some(ProofRequest {
            proof: std::str::from_utf8(proof).map_err(|_| ProofError::Missing)?,
            method: facts.method,
            url: facts.url,
        }))
    }
}

impl Demanded {
    fn of(rules: &TokenRules) -> Self {
        Self {
            scope: rules.required_scope.clone(),
            acr_values: rules.acr_values.clone(),
            max_age: rules.max_age,
            dpop: rules.dpop.clone(),
            certificate_bound: rules.certificate_bound,
        }
    }

    /// The refusal of a token, with what would have been accepted.
    fn denial(
        &self,
        error: TokenError,
        scheme: Scheme,
        tokens: &Verifier,
        facts: &Facts<'_>,
    ) -> Denial {
        let nonce = self.dpop.as_ref().and_then(|dpop| dpop.nonce.as_ref());
        let challenge = match (error, nonce) {
            // Nothing that the client could mend.
            (TokenError::KeysUnavailable, _) => return Denial::Unauthorized(error.to_string()),
            (TokenError::Proof(ProofError::TooMany), _) => {
                let headers = vec![("retry-after", b"1".to_vec())];
                return Denial::TooManyRequests { headers };
            }
            (TokenError::MissingScope, _) => ChallengeError::InsufficientScope(self.scope.clone()),
            (TokenError::WeakAuthentication | TokenError::OldAuthentication, _) => {
                ChallengeError::InsufficientUserAuthentication {
                    acr_values: self.acr_values.clone(),
                    max_age: self.max_age,
                }
            }
            (TokenError::Proof(ProofError::NonceWanted), Some(rules)) => {
                ChallengeError::UseDpopNonce(tokens.nonce(rules, facts.now))
            }
            (TokenError::Proof(_), _) => ChallengeError::InvalidDpopProof,
            _ => ChallengeError::InvalidToken,
        };
        Denial::challenged(error.to_string(), scheme, challenge)
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

/// The algorithms at `allowed_algorithms`.
fn algorithms(section: &mut Section<'_>) -> Algorithms {
    algorithms_at(section, "allowed_algorithms").unwrap_or_default()
}

fn algorithms_at(section: &mut Section<'_>, key: &'static str) -> Option<Algorithms> {
    let names = section.strings(key)?;
    Algorithms::parse(&names)
        .map_err(|error| section.wrong(key, error.to_string()))
        .ok()
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
