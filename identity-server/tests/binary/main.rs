//! The real binary, as an operator meets it: what it says when something is wrong, and what it keeps when it is
//! killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "test code"
)]

mod commands;
mod complaints;
mod credentials;
mod decisions;
mod durability;
mod kubernetes;
mod pages;
mod playground;
mod requests;
mod rules;
mod running;
mod server;
