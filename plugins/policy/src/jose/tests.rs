#![allow(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "test code"
)]

mod caching;
mod claims;
mod fetching;
mod keys;
mod parsing;
mod support;
