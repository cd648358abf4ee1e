use std::{sync::Arc, time::Duration};

use super::{Algorithms, Claims, DpopRules, ScopeStrategy, TokenError};
use crate::{FetchId, UnixTime};

/// What a handler demands of a token, compiled from its configuration.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// The key sets whose keys count, as indices into the policy's [`KeySets`](super::KeySets).
    /// Handlers with the same list share verified tokens.
    pub key_sets: Arc<[FetchId]>,
    /// Accepted signature algorithms.
    pub algorithms: Algorithms,
    /// `iss` must be one of these; empty accepts any issuer.
    pub trusted_issuers: Vec<String>,
    /// Every one of these must be in `aud`.
    pub target_audience: Vec<String>,
    /// One of these must be in `aud`; empty accepts any. Unlike [`TokenRules::target_audience`], which
    /// asks for all, as Oathkeeper does.
    pub audiences: Vec<String>,
    /// Every one of these must be covered by a granted scope.
    pub required_scope: Vec<String>,
    /// How scopes are compared.
    pub scope_strategy: ScopeStrategy,
    /// How far `exp`, `nbf` and `iat` may be off. Zero, as in Oathkeeper, unless somebody asks.
    pub leeway: Duration,
    /// Accept a token whose header has no `kid` if any fitting key of the sets signed it. Off, as
    /// in Oathkeeper.
    pub allow_missing_kid: bool,
    /// Accept keys that do not state `"use": "sig"` (they must not state another use). Off, as in
    /// Oathkeeper.
    pub allow_missing_use: bool,
    /// The header's `typ` must be this one, such as `at+jwt` (RFC 9068 section 4, RFC 8725 section
    /// 3.11). Compared without regard to case and to a leading `application/`.
    pub required_type: Option<String>,
    /// There must be an `exp`.
    pub require_expiry: bool,
    /// `exp` may be at most this long after `iat`; both must be there.
    pub max_lifetime: Option<Duration>,
    /// `acr` must be one of these; empty accepts any sign-in (RFC 9470 section 5).
    pub acr_values: Vec<String>,
    /// `auth_time` may be at most this long ago (RFC 9470 section 5).
    pub max_age: Option<Duration>,
    /// How DPoP proofs are taken; `None` takes none, and refuses tokens that need one.
    pub dpop: Option<DpopRules>,
    /// Whether tokens bound to a client certificate (RFC 8705 section 3) are taken.
    pub certificate_bound: CertificateBound,
}

/// What a handler makes of tokens that are bound to a client certificate (`cnf.x5t#S256`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateBound {
    /// They are refused: the connection's certificate is not known.
    #[default]
    Refused,
    /// They are taken on a connection with that certificate, beside others.
    Accepted,
    /// Nothing else is taken.
    Required,
}

impl Default for TokenRules {
    /// Demands a signature by `RS256` with a key from no key set: accepts nothing until it is told
    /// whom to trust.
    fn default() -> Self {
        Self {
            key_sets: Arc::from([]),
            algorithms: Algorithms::default(),
            trusted_issuers: Vec::new(),
            target_audience: Vec::new(),
            audiences: Vec::new(),
            required_scope: Vec::new(),
            scope_strategy: ScopeStrategy::default(),
            leeway: Duration::ZERO,
            allow_missing_kid: false,
            allow_missing_use: false,
            required_type: None,
            require_expiry: false,
            max_lifetime: None,
            acr_values: Vec::new(),
            max_age: None,
            dpop: None,
            certificate_bound: CertificateBound::Refused,
        }
    }
}

impl TokenRules {
    /// Checks everything that can change between two requests with the same token: time, and what
    /// this handler demands. Runs on every request, whether or not the signature was known. Who holds
    /// the token is checked after it, by [`super::holder`].
    pub(super) fn check(&self, claims: &Claims, now: UnixTime) -> Result<(), TokenError> {
        self.check_type(claims)?;
        self.check_times(claims, now)?;
        if !self.trusts_issuer(claims.issuer.as_deref()) {
            return Err(TokenError::WrongIssuer);
        }
        let meant_for = |audience| claims.audience.contains(audience);
        if !self.target_audience.iter().all(meant_for) {
            return Err(TokenError::WrongAudience);
        }
        if !self.audiences.is_empty() && !self.audiences.iter().any(meant_for) {
            return Err(TokenError::WrongAudience);
        }
        if !self
            .scope_strategy
            .covers_all(&claims.scopes, &self.required_scope)
        {
            return Err(TokenError::MissingScope);
        }
        self.check_sign_in(claims, now)
    }

    fn check_type(&self, claims: &Claims) -> Result<(), TokenError> {
        let Some(required) = &self.required_type else {
            return Ok(());
        };
        let stated = claims.token_type.as_deref().map(media_type);
        if stated.is_some_and(|stated| stated.eq_ignore_ascii_case(media_type(required))) {
            Ok(())
        } else {
            Err(TokenError::WrongType)
        }
    }

    /// Whether the caller signed in as strongly and as lately as the handler demands (RFC 9470).
    fn check_sign_in(&self, claims: &Claims, now: UnixTime) -> Result<(), TokenError> {
        let acr = claims.acr.as_ref();
        if !self.acr_values.is_empty() && !acr.is_some_and(|acr| self.acr_values.contains(acr)) {
            return Err(TokenError::WeakAuthentication);
        }
        let Some(max_age) = self.max_age else {
            return Ok(());
        };
        let patience = max_age.saturating_add(self.leeway);
        match claims.authenticated {
            Some(at) if at <= now.after(self.leeway) && now.since(at) <= patience => Ok(()),
            _ => Err(TokenError::OldAuthentication),
        }
    }

    fn check_times(&self, claims: &Claims, now: UnixTime) -> Result<(), TokenError> {
        let latest_now = now.after(self.leeway);
        if claims
            .expires
            .is_some_and(|expires| expires.after(self.leeway) <= now)
        {
            return Err(TokenError::Expired);
        }
        if claims.not_before.is_some_and(|start| start > latest_now) {
            return Err(TokenError::NotYetValid);
        }
        if claims.issued.is_some_and(|issued| issued > latest_now) {
            return Err(TokenError::IssuedInFuture);
        }
        if self.require_expiry && claims.expires.is_none() {
            return Err(TokenError::NoExpiry);
        }
        let Some(max_lifetime) = self.max_lifetime else {
            return Ok(());
        };
        match (claims.issued, claims.expires) {
            (Some(issued), Some(expires)) if expires.since(issued) <= max_lifetime => Ok(()),
            _ => Err(TokenError::TooLongLived),
        }
    }

    fn trusts_issuer(&self, issuer: Option<&str>) -> bool {
        self.trusted_issuers.is_empty()
            || issuer
                .is_some_and(|issuer| self.trusted_issuers.iter().any(|trusted| trusted == issuer))
    }
}

/// A `typ` without the prefix that RFC 7515 section 4.1.9 recommends to leave out.
fn media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    }
}
