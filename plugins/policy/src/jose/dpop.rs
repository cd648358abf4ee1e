//! DPoP proofs (RFC 9449): that the sender of a token holds the key that the token is bound to.
//!
//! A proof is good for one request: it names the method and the URL, was made just now, and its
//! `jti` was not seen before. What was seen lives in this engine alone; where a proxy runs several
//! (one a worker thread), each of them would take the same proof once.

mod nonce;
mod proof;
mod replay;

use std::{sync::Arc, time::Duration};

use subtle::ConstantTimeEq as _;

use self::{proof::Proof, replay::SeenProofs};
use super::Algorithms;
use crate::{UnixTime, digest, path::Url};

pub use nonce::NonceRules;
pub use proof::ProofError;

/// What a handler demands of DPoP proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopRules {
    /// Take no other tokens than those bound to a key.
    pub required: bool,
    /// Accepted signature algorithms, all of them asymmetric.
    pub algorithms: Algorithms,
    /// How old a proof may be, by its `iat`.
    pub max_age: Duration,
    /// Whether proofs must hold a nonce of ours (RFC 9449 section 9).
    pub nonce: Option<NonceRules>,
}

/// How old a proof may be at most, whatever a handler says.
pub const PROOF_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// How far a client's clock may be ahead of ours.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// A DPoP proof and the request that it must be for.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    /// The value of the only `DPoP` header.
    pub proof: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's canonical URL.
    pub url: &'a Url,
}

/// Checks proofs, and remembers those it has seen.
#[derive(Debug)]
pub struct DpopProver {
    seen: SeenProofs,
    /// Makes nonces where the policy has no secret for them.
    seed: digest::Hash,
}

impl DpopProver {
    pub(super) fn new(seed: digest::Hash) -> Self {
        Self {
            seen: SeenProofs::new(&seed),
            seed,
        }
    }

    /// Checks the proof of a request with `token`, which is bound to `key` and otherwise good, and
    /// remembers it.
    pub(super) fn check(
        &mut self,
        request: &ProofRequest<'_>,
        token: &str,
        key: &str,
        rules: &DpopRules,
        now: UnixTime,
    ) -> Result<(), ProofError> {
        let proof = Proof::verify(request.proof, &rules.algorithms)?;
        proof.check_request(request)?;
        proof.check_time(rules.max_age, now)?;
        let hash = digest::base64url(&digest::sha256(token.as_bytes()));
        if proof.access_token_hash != hash {
            return Err(ProofError::OtherToken);
        }
        if proof.thumbprint != key {
            return Err(ProofError::OtherKey);
        }
        if let Some(nonce) = &rules.nonce {
            let known = proof
                .nonce
                .as_deref()
                .is_some_and(|sent| nonce.knows(sent, &self.seed, now));
            if !known {
                return Err(ProofError::NonceWanted);
            }
        }
        // Last, so that nothing but a good proof is remembered.
        // As long as any rule may take it: another one for the same URL may have a longer time.
        let until = proof.issued.after(PROOF_AGE_MAX);
        self.seen.remember(&proof.thumbprint, &proof.id, until, now)
    }

    /// The nonce that the next proof under `rules` must hold.
    #[must_use]
    pub fn nonce(&self, rules: &NonceRules, now: UnixTime) -> String {
        rules.current(&self.seed, now)
    }
}

fn same_text(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A secret that the policy's engines share, kept as its hash.
pub(super) type SharedSecret = Arc<digest::Hash>;
