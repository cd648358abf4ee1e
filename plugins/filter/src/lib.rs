//! The glue between a proxy-wasm host (Envoy, Istio, nginx) and the decision engine.
//!
//! Owns: what all modules' configurations share, handing requests to the engine, and carrying out what
//! it decides. Owns no decision: whatever fails here refuses the request.
//!
//! ```text
//!   root.rs     configure; key sets fetched in the background; wakes the requests that wait
//!   http.rs     one request: read, step, act
//!   settings.rs the configuration, as far as all modules share it
//!   report.rs   decisions in the log and in the host's metrics
//!   host.rs     the only file that calls the host; every failure is a value
//!   crypto.rs   signatures: checked by the host where it can, in pure Rust elsewhere
//! ```
//!
//! The module that only changes headers has `header_mutation.rs` in the place of the first four.

#![cfg_attr(
    not(feature = "rules"),
    allow(dead_code, reason = "a reduced build leaves out its users")
)]

#[cfg(feature = "tokens")]
mod crypto;
#[cfg(feature = "templates")]
mod header_mutation;
mod host;
mod http;
mod report;
mod root;
mod settings;

use proxy_wasm::traits::RootContext;

pub use settings::{BrokenRules, Options, Settings, members, parse};

/// What is particular to a module.
pub trait Module {
    /// Reads its configuration.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    fn configure(bytes: Vec<u8>) -> Result<Settings, Vec<String>>;
}

/// Registers the plugin with the host. A module's entry point calls this and nothing else.
pub fn register<M: Module>() {
    std::panic::set_hook(Box::new(|panic| host::log_panic(panic.location())));
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> {
        Box::new(root::Root::new(id, M::configure))
    });
}

/// Registers the plugin that only changes headers. The entry point of `header-mutation` calls this and
/// nothing else.
#[cfg(feature = "templates")]
pub fn register_header_mutation() {
    std::panic::set_hook(Box::new(|panic| host::log_panic(panic.location())));
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> {
        Box::new(header_mutation::Root::default())
    });
}
