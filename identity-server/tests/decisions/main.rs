//! The decision endpoint, over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "test code"
)]

mod cases;
mod client;
mod endpoint;
mod ext_authz;
mod reload;
mod scripted;
mod world;
