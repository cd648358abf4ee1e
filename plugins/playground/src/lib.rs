//! The decision engine in a browser: `page/` shows what this decides.
//!
//! ```text
//!   page -- load(rules, configuration) --> what is wrong or doubtful
//!   page -- decide(request) -------------> a decision, or a call that it answers by
//!   page -- reply(answer) ---------------> a decision, or the next call
//! ```
//!
//! Everything goes in and out as JSON text; [`input`] and [`output`] say of which shape. Nothing here knows a
//! clock, randomness or network: the page gives the time and a seed, and answers calls itself.

pub mod input;
pub mod output;
mod session;

use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use self::{
    output::{Loaded, Step},
    session::Session,
};

/// An engine with the rules that were loaded last.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Playground(Session);

#[wasm_bindgen]
impl Playground {
    /// An engine without rules. `seed` is 32 random bytes, from which token ids and nonces are drawn.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(seed: &[u8]) -> Self {
        // A second one finds it there.
        let _ = gatepost_signatures::PROVIDER.install_default();
        Self(Session::new(seed))
    }

    /// Takes rules and configuration ([`input::Sources`]), and tells what is wrong or doubtful ([`Loaded`]).
    pub fn load(&mut self, sources: &str) -> String {
        text(&match serde_json::from_str(sources) {
            Ok(sources) => self.0.load(&sources),
            Err(error) => Loaded::refused(error.to_string()),
        })
    }

    /// Begins to decide a request ([`input::Request`]); answers with a [`Step`].
    pub fn decide(&mut self, request: &str) -> String {
        text(&match serde_json::from_str(request) {
            Ok(request) => self.0.decide(&request),
            Err(error) => Step::failed(error.to_string()),
        })
    }

    /// Answers the call of the last step ([`input::Answer`]); answers with the next [`Step`].
    pub fn reply(&mut self, answer: &str) -> String {
        text(&match serde_json::from_str(answer) {
            Ok(answer) => self.0.reply(answer),
            Err(error) => Step::failed(error.to_string()),
        })
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
