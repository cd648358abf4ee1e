//! The module in a real Envoy: started for each test with a configuration of its own, between
//! scripted servers, on free ports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "test code"
)]

mod bodies;
mod corpus;
mod harness;
mod header_mutation;
mod hostile;
mod jwt_auth;
mod keys;
mod minting;
mod observability;
mod proxies;
mod quickstart;
mod refused;
mod scenarios;
mod sessions;
mod tokens;
