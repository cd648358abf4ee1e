//! The module that changes headers, and decides nothing.
//!
//! Everything it does is in [`gatepost_filter`]; this is its entry point.

#![expect(
    missing_docs,
    reason = "`proxy_wasm::main!` exports an entry point without documentation"
)]

proxy_wasm::main! {{
    gatepost_filter::register_header_mutation();
}}
