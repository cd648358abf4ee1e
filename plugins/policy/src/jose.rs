//! Tokens and keys: which keys may sign (RFC 7517), whether a signature holds (RFC 7515), and what
//! the claims then say (RFC 7519).
//!
//! ```text
//!   token -> cache hit? ----------------------------------+
//!     |  no                                               v
//!   UnverifiedToken -> key by kid -> signature -> Claims -> claim checks -> Check::Verified
//!                         |                                 (every time, against the rules at hand)
//!                         +-> Check::NeedKeys: wait for a fetch of that key set
//! ```
//!
//! In: token text, [`TokenRules`] compiled from a handler's configuration, replies to the fetches
//! that [`Verifier::due`] asks for. Out: [`Check`]. This room never does cryptography itself: the
//! driver installs a `jsonwebtoken::crypto::CryptoProvider` before the first token is checked
//! (without one `jsonwebtoken` panics).

mod algorithm;
mod binding;
mod cache;
mod claims;
pub mod der;
mod discovery;
mod dpop;
mod error;
mod fetches;
mod holder;
mod issuers;
mod jwk;
mod jwks;
mod key_set;
mod key_sets;
mod minter;
mod rules;
mod scope;
mod signing_key;
mod token;
mod verifier;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithms, UnknownAlgorithm};
pub use binding::Binding;
pub use cache::CacheLimits;
pub use claims::Claims;
pub use discovery::Discovery;
pub use dpop::{DpopProver, DpopRules, NonceRules, PROOF_AGE_MAX, ProofError, ProofRequest};
pub use error::TokenError;
pub use holder::Presentation;
pub use issuers::{IssuerRules, Trust};
pub use jwks::{FetchFault, InlineKeys};
pub use key_sets::{KeySetSettings, KeySets, KeySource};
pub use rules::{CertificateBound, TokenRules};
pub use scope::{ScopeStrategy, UnknownScopeStrategy};
pub use signing_key::public_keys;
pub use verifier::{Check, Verifier};

pub(crate) use minter::{Minter, NoToken, Order, SigningSource};
pub(crate) use signing_key::SigningKey;

/// Whether `token` has the shape of a JWS in compact serialization: three parts separated by dots
/// (RFC 7515 section 3.1). Nothing is decoded; what lacks the shape is some other kind of token,
/// and another authenticator's business.
#[must_use]
pub fn looks_like_jws(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').take(3).count() == 2
}
