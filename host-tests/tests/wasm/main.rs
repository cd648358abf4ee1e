//! The built module in a wasmtime host: what clients, upstreams and called services would see.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod bodies;
mod callouts;
mod cases;
mod fail_closed;
mod fixtures;
mod header_mutation;
mod imports;
mod limits;
mod manifests;
mod observability;
mod reload;
