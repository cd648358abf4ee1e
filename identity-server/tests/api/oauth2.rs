//! `/oauth2/*`, and the operators' side of it. `support` plays clients, browsers and login pages.

pub mod support;

mod authorize;
mod clients;
mod code;
mod discovery;
mod durable;
mod interaction;
mod introspect;
mod refresh;
mod revoke;
mod sessions;
mod token;
