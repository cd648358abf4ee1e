//! What the developer's commands are made of, and what the end-to-end tests share with them.
//!
//! `main.rs` reads the command line and dispatches; each command is one file of the same name
//! ([`setup`], [`build`], [`oci`], [`test`], [`demo`], [`proxy`], [`bench`]). Below them lie the parts:
//!
//! ```text
//!   workspace   where things are; how cargo is called      progress   what is on screen meanwhile
//!   process     children that never outlive us             http       one plain request and its answer
//!   envoy       a running Envoy                            upstream   a server that tells what it got
//!   quickstart  envoy-config/quickstart, made ready        ports      fixed ports, checked first
//! ```

pub mod bench;
pub mod build;
pub mod demo;
pub mod envoy;
pub mod http;
pub mod oci;
pub mod ports;
pub mod process;
pub mod progress;
pub mod proxy;
pub mod quickstart;
pub mod setup;
pub mod test;
pub mod upstream;
pub mod workspace;
