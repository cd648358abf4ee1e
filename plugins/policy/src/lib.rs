//! Gatepost's decision engine: a request goes in; a decision, or a call that it needs answered,
//! comes out.
//!
//! The engine is a pure state machine. It knows no host, clock, network, randomness or logger:
//! the time arrives with each call, side calls leave as values ([`Call`]) and come back as
//! values ([`Reply`]). Whoever drives it (the wasm filter, a decision endpoint, a command line, a
//! browser) only carries these back and forth:
//!
//! ```text
//!   bytes -> config -> compile -> Policy                              once, at load
//!   Request -> matching -> authenticate -> authorize -> mutate -> Decision    per request
//!                 |             |              |           |
//!                 +-------------+---- Denial --+-----------+--> on_error -> Decision
//! ```
//!
//! An error never allows: whatever goes wrong becomes a [`Denial`], and a [`Denial`] becomes a
//! response to the client.

#![deny(clippy::arithmetic_side_effects)]
// Features cut at the handlers; what only those used that are left out falls to the linker.
#![cfg_attr(
    not(feature = "rules"),
    allow(
        dead_code,
        unused_imports,
        reason = "a reduced build leaves out its users"
    )
)]

#[cfg(feature = "analysis")]
pub mod analysis;
mod answers;
mod ask;
mod authenticate;
mod authorize;
pub mod call;
pub mod challenge;
pub mod compile;
mod conditions;
pub mod config;
mod cookies;
pub mod decision;
pub mod decision_log;
pub mod denial;
mod digest;
mod entropy;
pub mod explain;
mod expression;
#[cfg(feature = "templates")]
pub mod header_mutation;
pub mod headers;
pub mod jose;
pub mod json_path;
#[cfg(not(all(feature = "rules", feature = "cel")))]
mod left_out;
pub mod matching;
#[cfg(feature = "rules")]
mod migrate;
mod mutate;
mod network;
mod on_error;
pub mod path;
pub mod peer_certificate;
pub mod pipeline;
pub mod policy;
pub mod repositories;
pub mod request;
mod rule_file;
pub mod session;
pub mod source;
#[cfg(feature = "templates")]
pub mod template;
pub mod time;
pub mod trace;

pub use call::{Call, FailedCall, FetchId, Reply};
pub use compile::{RuleSource, Sources, compile};
pub use config::{ConfigError, ConfigErrors};
pub use decision::{Changes, Decision, Response, Stage, Verdict};
pub use denial::Denial;
pub use headers::Headers;
pub use peer_certificate::PeerCertificate;
pub use pipeline::{Engine, Pending, Step};
pub use policy::Policy;
pub use repositories::{Polled, RepositoryId, RuleSet};
pub use request::Request;
pub use rule_file::RuleFile;
pub use session::Session;
pub use time::UnixTime;
pub use trace::Trace;
