//! Gatepost's identity server: Ory Kratos' and Ory Hydra's APIs from one process and one database.
//!
//! # The rooms
//! Each room is a domain: what it owns is said at its door, `<room>.rs`.
//! - [`identity`]: who can sign in. [`flows`]: registration, login, logout. [`sessions`]: who is signed in.
//! - [`pages`]: the built-in pages for all of that.
//! - [`keys`]: signing keys and the public key set.
//! - [`oauth2`]: clients, and what they may be issued.
//! - [`oidc`]: ID tokens, userinfo, discovery.
//! - [`rules`]: access rules outside the proxy. [`decisions`]: the endpoint that proxies ask.
//!
//! Around them: [`config`] (settings), [`app`] (the handles a request may use), [`storage`] (where rows live),
//! [`clock`], [`client_address`], [`entropy`], [`id`], [`secret`], [`duration`], [`error`], [`health`], [`router`] (every route),
//! [`middleware`] (every layer), [`serve`] (the listeners), [`maintenance`] (what is done now and then), [`cli`] (the command line).
//!
//! # The law between them
//! - `router -> <room>/http -> <room> -> <room>/store (a trait) <- storage`. Nothing flows back.
//! - A handler parses once, loads, asks pure room code for the outcome, writes it in one transaction, answers.
//! - Rooms use each other's public functions, never each other's `http.rs` or queries.
//! - Time and randomness come from [`app::App`]; the ambient ones are banned by lint.

pub mod app;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod decisions;
pub mod duration;
pub mod entropy;
pub mod error;
pub mod flows;
pub mod health;
pub mod id;
pub mod identity;
pub mod keys;
pub mod maintenance;
pub mod middleware;
pub mod oauth2;
pub mod oidc;
pub mod pages;
pub mod router;
pub mod rules;
pub mod secret;
pub mod serve;
pub mod sessions;
pub mod storage;

pub use app::App;
