#![allow(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "test code"
)]

mod caching;
mod claims;
mod demands;
mod fetching;
mod holder;
mod issuers;
mod keys;
mod parsing;
mod support;
mod wycheproof;
