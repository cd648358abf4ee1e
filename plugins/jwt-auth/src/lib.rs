//! The module that checks tokens inside a proxy: issuers, claims in headers, and what each path
//! requires. For those who come from Envoy's `jwt_authn` or Istio's RequestAuthentication.
//!
//! It decides nothing itself: its configuration is turned into the rules of the same engine that
//! enforces Oathkeeper's ([`gatepost_policy`]).

#![expect(
    missing_docs,
    reason = "`proxy_wasm::main!` exports an entry point without documentation"
)]

pub mod config;

use gatepost_filter::{BrokenRules, Module, Options, Settings};
use gatepost_policy::{
    ConfigError, ConfigErrors, RuleSet,
    config::{Errors, Place, Section},
};

use config::Translation;

/// Takes issuers, and what paths require.
struct JwtAuth;

impl Module for JwtAuth {
    fn configure(bytes: Vec<u8>) -> Result<Settings, Vec<String>> {
        let value = gatepost_filter::parse(
            &bytes,
            "`issuers` (whose tokens are taken), `rules` (what paths require) and `clusters`",
        )?;
        let errors = Errors::default();
        let mut section = Section::new(Some(&value), Place::default(), &errors);
        let options = Options::read(&mut section);
        let translation = Translation::read(section);
        let found = errors.into_inner();
        if !found.is_empty() {
            return Err(texts(&found));
        }
        let Translation {
            config,
            rules,
            names,
        } = translation;
        RuleSet::new(
            config,
            vec![("rules".to_owned(), rules)],
            Default::default(),
        )
        .map_err(|ConfigErrors(errors)| errors)
        .and_then(|rules| Settings::new(rules, BrokenRules::Refuse, options))
        .map_err(|errors| texts(&names.in_the_users_terms(&errors)))
    }
}

fn texts(errors: &[ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

proxy_wasm::main! {{
    gatepost_filter::register::<JwtAuth>();
}}
