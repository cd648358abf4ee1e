//! Access rules outside the proxy: what the engine's command line does with rule files.
//!
//! Owns reading Oathkeeper's files, and what is made of them. Does not own any judgement about
//! them: that is the engine's, so that a file that passes here passes in the proxy.

mod bundle;
mod files;
mod key_sets;

pub use bundle::{Bundle, Bundling, bundle};
pub use files::Files;
