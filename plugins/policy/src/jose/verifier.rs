use std::sync::Arc;

use super::{
    CacheLimits, Claims, DpopProver, FetchFault, IssuerRules, KeySets, NonceRules, Presentation,
    TokenError, TokenRules, Trust,
    cache::{Place, Signer, VerifiedTokens},
    issuers,
    key_set::Answer,
    token::UnverifiedToken,
};
use crate::{Call, FetchId, Reply, UnixTime};

/// How many keys are tried on one token. More than one only where several keys share a `kid`, or
/// where tokens without `kid` are allowed.
const TRIES: usize = 16;

/// The outcome of checking a token.
#[derive(Clone, Debug)]
pub enum Check {
    /// Signature and claims hold.
    Verified(Arc<Claims>),
    /// The token's key may be in a key set that is being fetched: wait for that fetch, then check
    /// again.
    NeedKeys(FetchId),
    /// Not accepted.
    Rejected(TokenError),
}

/// Checks tokens, and remembers keys and verified tokens between requests.
#[derive(Debug)]
pub struct Verifier {
    key_sets: KeySets,
    verified: VerifiedTokens,
    prover: DpopProver,
}

/// Why there are no claims to be checked.
enum NoClaims {
    NeedKeys(FetchId),
    Rejected(TokenError),
}

impl Verifier {
    /// A verifier that knows no keys yet. Whoever knows `seed` knows the nonces that it asks clients
    /// for.
    #[must_use]
    pub fn new(key_sets: KeySets, limits: CacheLimits, seed: [u8; 32]) -> Self {
        Self {
            key_sets,
            verified: VerifiedTokens::new(limits),
            prover: DpopProver::new(seed),
        }
    }

    /// Takes other key sets, and forgets which tokens were verified. Keys that were fetched from the
    /// same places stay, and so do the proofs that were seen.
    pub(crate) fn renew(&mut self, key_sets: KeySets, limits: CacheLimits) {
        let former = std::mem::replace(&mut self.key_sets, key_sets);
        self.key_sets.inherit(former);
        self.verified = VerifiedTokens::new(limits);
    }

    /// How many key sets there are.
    pub(crate) const fn key_set_count(&self) -> usize {
        self.key_sets.len()
    }

    /// Checks a bearer token against `rules`. One that is bound to its holder is refused.
    ///
    /// # Panics
    /// If no `jsonwebtoken::crypto::CryptoProvider` is installed.
    pub fn check(&mut self, token: &str, rules: &TokenRules, now: UnixTime) -> Check {
        self.check_under(token, rules, &Presentation::default(), now)
    }

    /// Checks `token`, presented like this, against the rules of its issuer.
    ///
    /// # Panics
    /// If no `jsonwebtoken::crypto::CryptoProvider` is installed.
    pub fn check_presented(
        &mut self,
        token: &str,
        trust: &Trust,
        presentation: &Presentation<'_>,
        now: UnixTime,
    ) -> Check {
        let rules = match trust {
            Trust::Unbound(rules) => rules,
            Trust::ByIssuer(issuers) => match self.rules_of_issuer(token, issuers) {
                Ok(rules) => rules,
                Err(error) => return Check::Rejected(error),
            },
        };
        self.check_under(token, rules, presentation, now)
    }

    /// The rules for a token by its issuer: a token that is known was read before, and no other is
    /// read twice.
    fn rules_of_issuer<'r>(
        &mut self,
        token: &str,
        issuers: &'r [IssuerRules],
    ) -> Result<&'r TokenRules, TokenError> {
        let known = issuers.iter().find(|issuer| {
            let rules = issuer.rules();
            self.verified
                .get(Place::of(token, rules), token, rules)
                .is_some_and(|(_, claims)| issuer.is_of(claims.issuer.as_deref()))
        });
        known.map_or_else(
            || issuers::named_by(token, issuers),
            |known| Ok(known.rules()),
        )
    }

    fn check_under(
        &mut self,
        token: &str,
        rules: &TokenRules,
        presentation: &Presentation<'_>,
        now: UnixTime,
    ) -> Check {
        let place = Place::of(token, rules);
        let claims = match self.claims(place, token, rules, now) {
            Ok(claims) => claims,
            Err(NoClaims::NeedKeys(fetch)) => return Check::NeedKeys(fetch),
            Err(NoClaims::Rejected(error)) => return Check::Rejected(error),
        };
        let outcome = rules
            .check(&claims, now)
            .and_then(|()| rules.check_holder(&claims, token, presentation, &mut self.prover, now));
        match outcome {
            Ok(()) => Check::Verified(claims),
            Err(error) => {
                if error == TokenError::Expired {
                    self.verified.remove(place);
                }
                Check::Rejected(error)
            }
        }
    }

    /// The nonce that the next DPoP proof under `rules` must hold (RFC 9449 section 9).
    #[must_use]
    pub fn nonce(&self, rules: &NonceRules, now: UnixTime) -> String {
        self.prover.nonce(rules, now)
    }

    /// The key sets to fetch now. Each is handed out once until [`Verifier::fetched`] is told its
    /// end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        self.key_sets.due(now)
    }

    /// Takes in the answer to a fetch that [`Verifier::due`] asked for. Anything but a proper key
    /// set leaves the last good one; [`Verifier::fault`] then tells why.
    pub fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) {
        let gone = self.key_sets.fetched(fetch, reply, now);
        self.verified.remove_signed_by(&gone);
    }

    /// Why the latest fetch of a key set failed; `None` if it did not. For the operator's log.
    #[must_use]
    pub fn fault(&self, fetch: FetchId) -> Option<FetchFault> {
        self.key_sets.fault(fetch)
    }

    /// The claims of a token whose signature holds under `rules`, known or found out now.
    fn claims(
        &mut self,
        place: Place,
        token: &str,
        rules: &TokenRules,
        now: UnixTime,
    ) -> Result<Arc<Claims>, NoClaims> {
        if let Some((signer, claims)) = self.verified.get(place, token, rules)
            && self.still_has(signer, now)
        {
            return Ok(claims);
        }
        let unverified = UnverifiedToken::parse(token)?;
        if !rules.algorithms.contains(unverified.algorithm) {
            return Err(TokenError::AlgorithmNotAllowed.into());
        }
        if unverified.kid.is_none() && !rules.allow_missing_kid {
            return Err(TokenError::MissingKeyId.into());
        }
        let signer = self.signer(&unverified, rules, now)?;
        let claims = Claims::read(unverified.payload)?.of_type(unverified.typ);
        let claims = Arc::new(claims);
        if claims.expires.is_none_or(|expires| expires > now) {
            self.verified.insert(place, token, rules, signer, &claims);
        }
        Ok(claims)
    }

    fn still_has(&self, signer: Signer, now: UnixTime) -> bool {
        self.key_sets
            .keys(signer.key_set, now)
            .iter()
            .any(|(key, _)| *key == signer.key)
    }

    /// Finds the key that signed the token among the key sets of `rules`, and no others.
    fn signer(
        &mut self,
        token: &UnverifiedToken<'_>,
        rules: &TokenRules,
        now: UnixTime,
    ) -> Result<Signer, NoClaims> {
        let kid = token.kid.as_deref();
        let mut failure = TokenError::UnknownKey;
        let mut tries = 0..TRIES;
        for key_set in rules.key_sets.iter().copied() {
            for (id, key) in self.key_sets.keys(key_set, now) {
                if kid.is_some() && key.kid.as_deref() != kid {
                    continue;
                }
                let admitted = key.states_use || rules.allow_missing_use;
                if !admitted || !key.fits(token.algorithm) {
                    if failure == TokenError::UnknownKey {
                        failure = TokenError::UnfitKey;
                    }
                    continue;
                }
                if tries.next().is_none() {
                    return Err(TokenError::WrongSignature.into());
                }
                if key.signed(token.algorithm, token.message, token.signature) {
                    return Ok(Signer {
                        key_set,
                        key: *id,
                        algorithm: token.algorithm,
                        named_by_token: kid.is_some(),
                        states_use: key.states_use,
                    });
                }
                failure = TokenError::WrongSignature;
            }
        }
        Err(self.ask_for_key(kid, failure, rules, now))
    }

    /// No key has signed the token: whether to wait for one, or why not. A set that is in order is
    /// asked for a refetch only if no set knows the `kid`.
    fn ask_for_key(
        &mut self,
        kid: Option<&str>,
        failure: TokenError,
        rules: &TokenRules,
        now: UnixTime,
    ) -> NoClaims {
        let (mut wait, mut missing) = (None, None);
        let mut unavailable = false;
        for key_set in rules.key_sets.iter().copied() {
            if failure != TokenError::UnknownKey && self.key_sets.is_usable(key_set, now) {
                continue;
            }
            match self.key_sets.ask(key_set, kid, now) {
                // A set that was never there rather than one that only lacks the key.
                Answer::Wait if !self.key_sets.is_usable(key_set, now) => {
                    missing = missing.or(Some(key_set));
                }
                Answer::Wait => wait = wait.or(Some(key_set)),
                Answer::Unavailable => unavailable = true,
                Answer::Unknown => {}
            }
        }
        match missing.or(wait) {
            Some(fetch) => NoClaims::NeedKeys(fetch),
            None if unavailable => NoClaims::Rejected(TokenError::KeysUnavailable),
            None => NoClaims::Rejected(failure),
        }
    }
}

impl From<TokenError> for NoClaims {
    fn from(error: TokenError) -> Self {
        Self::Rejected(error)
    }
}
