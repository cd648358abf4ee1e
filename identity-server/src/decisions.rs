//! The decision endpoint: Oathkeeper's API on port 4456 and, beside it, Envoy's `ext_authz` over gRPC, for
//! proxies that ask before they forward.
//!
//! Owns the API, whom it believes `X-Forwarded-*`, the calls that decisions need, and reading rules anew
//! when they change. Does not own any judgement: that is the engine's, the same as in a proxy's module.
//!
//! ```text
//!   HTTP request -> subject ---> desk (an engine) -> answer        per request
//!   gRPC call    -> ext_authz -> desk             -> ext_authz
//!                                |  calls out, key sets
//!   files, repositories -> keeper -> every desk                    when rules change
//! ```
//!
//! An engine decides one step at a time. So there are as many engines as the machine has cores, each at a
//! desk of its own behind a lock, as Envoy runs one VM per worker. A lock is held only while an engine
//! thinks, never while anybody waits for the network, a body or a key set. The same credentials always
//! come to the same desk, and find there what it remembers of them.

mod answer;
mod body;
mod certificate;
mod desk;
mod endpoint;
mod ext_authz;
mod forwarded;
mod http;
mod keeper;
mod listed;
mod outward;
mod settings;
mod sources;
mod subject;
mod trouble;

pub use certificate::from_xfcc;
pub use endpoint::{Endpoint, Parts, Scribe};
pub use http::routes;
pub use keeper::Keeper;
pub use outward::{Outward, Overland};
pub use settings::Settings;
pub use sources::{Loaded, load};
