//! The module's corpus, played natively: its configuration, and the engine driven by hand.

#![allow(clippy::panic, reason = "test code")]

#[path = "../../policy/tests/engine/driver.rs"]
mod driver;

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script};
use gatepost_policy::{
    ConfigError, Engine, RuleSource, Sources, compile,
    config::{Errors, Place, Section},
};
use jwt_auth::config::Translation;

/// Drives the engine with what the module makes of a configuration.
#[derive(Default)]
struct Native {
    engine: Option<Engine>,
}

impl Door for Native {
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let texts = |errors: &[ConfigError]| errors.iter().map(ToString::to_string).collect();
        let errors = Errors::default();
        let section = Section::new(Some(&case.config), Place::default(), &errors);
        let translation = Translation::read(section);
        let found = errors.into_inner();
        if !found.is_empty() {
            return Err(texts(&found));
        }
        let source = RuleSource {
            file: "rules",
            rules: &translation.rules,
        };
        let sources = Sources {
            config: &translation.config,
            rules: &[source],
            documents: &BTreeMap::new(),
        };
        let names = &translation.names;
        let policy =
            compile(&sources).map_err(|errors| texts(&names.in_the_users_terms(&errors.0)))?;
        let faults: Vec<String> = texts(&names.in_the_users_terms(policy.faults()));
        self.engine = Some(Engine::new(policy, [7; 32]));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let engine = self.engine.as_mut().context("no policy is loaded")?;
        driver::send(engine, at, request, script)
    }
}

#[test]
fn every_case_is_decided_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let played = gatepost_cases::play(&folder, &mut Native::default())
        .unwrap_or_else(|failures| panic!("{failures:#}"));
    println!("{played} cases");
}
