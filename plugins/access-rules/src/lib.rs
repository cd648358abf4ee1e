//! The module that enforces Ory Oathkeeper's access rules inside a proxy.
//!
//! What it does is in [`gatepost_filter`]; this is its entry point and its configuration.

#![expect(
    missing_docs,
    reason = "`proxy_wasm::main!` exports an entry point without documentation"
)]

mod config;

use gatepost_filter::{Module, Settings};

/// Takes Oathkeeper's configuration.
struct AccessRules;

impl Module for AccessRules {
    fn configure(bytes: Vec<u8>) -> Result<Settings, Vec<String>> {
        config::read(bytes)
    }
}

proxy_wasm::main! {{
    gatepost_filter::register::<AccessRules>();
}}
