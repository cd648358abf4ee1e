//! The HTTP API, end to end in one process: the real routes and layers over a database in memory, with a clock that
//! the test moves and randomness that repeats. The modules mirror the URLs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "test code"
)]

mod browser;
mod harness;

mod health;
mod identities;
mod oauth2;
mod pages;
mod pages_oauth2;
mod self_service;
mod userinfo;
mod well_known;
