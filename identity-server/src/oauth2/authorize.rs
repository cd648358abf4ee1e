//! The authorization endpoint.

pub mod request;
pub mod response;
