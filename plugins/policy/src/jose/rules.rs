use std::{sync::Arc, time::Duration};

use super::{Algorithms, Claims, ScopeStrategy, TokenError};
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
            required_scope: Vec::new(),
            scope_strategy: ScopeStrategy::default(),
            leeway: Duration::ZERO,
            allow_missing_kid: false,
            allow_missing_use: false,
        }
    }
}

impl TokenRules {
    /// Checks everything that can change between two requests with the same token: time, and what
    /// this handler demands. Runs on every request, whether or not the signature was known.
    pub(super) fn check(&self, claims: &Claims, now: UnixTime) -> Result<(), TokenError> {
        self.check_times(claims, now)?;
        if !self.trusts_issuer(claims.issuer.as_deref()) {
            return Err(TokenError::WrongIssuer);
        }
        let meant_for = |audience| claims.audience.contains(audience);
        if !self.target_audience.iter().all(meant_for) {
            return Err(TokenError::WrongAudience);
        }
        if !self
            .scope_strategy
            .covers_all(&claims.scopes, &self.required_scope)
        {
            return Err(TokenError::MissingScope);
        }
        Ok(())
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
        Ok(())
    }

    fn trusts_issuer(&self, issuer: Option<&str>) -> bool {
        self.trusted_issuers.is_empty()
            || issuer
                .is_some_and(|issuer| self.trusted_issuers.iter().any(|trusted| trusted == issuer))
    }
}
