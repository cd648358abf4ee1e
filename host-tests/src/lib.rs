//! A proxy-wasm host on wasmtime, for tests of the built modules.
//!
//! It speaks ABI 0.2.1 and the small part of WASI that Envoy offers, and nothing else: a module that
//! imports more fails to start here as it would there. Where hosts differ it does what Envoy does:
//! calls belong to the root context and outlive the request that made them, a response or a resume
//! takes effect after the callback has returned, and a request's headers cannot be touched once it
//! has gone on.
//!
//! A test sends a request and looks at what the client, the upstream and the called clusters would
//! see, never at the order of hostcalls. Time stands still unless a test, or a reply's delay, moves it:
//!
//! ```no_run
//! use host_tests::{Answer, Host, Request};
//! use serde_json::json;
//!
//! let mut host = Host::new().cluster("idp", |_| Answer::ok(r#"{"keys": []}"#));
//! host.configure(&json!({"config": {}, "rules": []}))?;
//! let outcome = host.request(Request::get("/secret"));
//! assert_eq!(outcome.status(), Some(404));
//! # Ok::<(), Vec<String>>(())
//! ```

mod abi;
mod exchange;
mod host;
pub mod module;
mod upstream;
mod world;

pub use exchange::{Fields, Outcome, Request, Response};
pub use host::{Host, StreamId};
pub use upstream::{Answer, CallOut};
