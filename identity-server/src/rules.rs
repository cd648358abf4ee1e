//! Access rules outside the proxy: what the engine's command line does with rule files.
//!
//! Owns reading Oathkeeper's files, requests and access logs, and what is made of them. Does not own
//! any judgement about them: that is the engine's, so that a file that passes here passes in the proxy.

mod access_log;
mod bundle;
mod curl;
mod drive;
mod files;
mod har;
mod key_sets;
mod network;
mod trial;

pub use access_log::{Line, read_log};
pub use bundle::{Bundle, Bundling, bundle};
pub use curl::from_curl;
pub use drive::{Answers, Driver, End, Nobody, Scripted, Subject};
pub use files::{Files, KeySets};
pub use har::from_har;
pub use network::{Caller, MAX_ANSWER, Network};
pub use trial::{Coverage, RuleCoverage, Trial};
