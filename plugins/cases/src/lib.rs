//! The corpus of policy cases, and the one script that plays it through every driver.
//!
//! A case file (`plugins/policy/cases/<stage>/<name>.yaml`) holds a policy, and requests with what
//! must become of them. It says nothing about who drives the engine: a [`Door`] does that, natively
//! or as a module in a wasm host, and reports what the client or the upstream would see.
//!
//! `gatepost rules test` plays the same format, with the rules of whoever uses it. No proxy's module
//! depends on it.

mod case;
mod host_values;
mod keys;
mod minted;
mod private_keys;
mod script;

pub use case::{
    CallSpec, Case, CertificateSpec, Exchange, Expectation, Minted, Outcome, RequestSpec,
    ResponseSpec, SetMember, SpecReply, Token, Values,
};
pub use host_values::{attribute, metadata};
pub use keys::{jwks, private_jwks, sign};
pub use minted::check as check_minted;
pub use script::{Door, Script, install_crypto, play, play_case};
