//! The corpus, played natively: the engine driven by hand, without any host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::path::Path;

use anyhow::Context as _;
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script};
use gatepost_policy::{ConfigError, Engine, RuleSource, Sources, compile};

use crate::driver;

/// Drives the engine with nothing in between.
#[derive(Default)]
struct Native {
    engine: Option<Engine>,
}

impl Door for Native {
    fn has_cel(&self) -> bool {
        cfg!(feature = "cel")
    }

    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let source = RuleSource {
            file: "rules.json",
            rules: &case.rules,
        };
        let sources = Sources {
            config: &case.config,
            rules: &[source],
            documents: &case.documents,
        };
        let texts = |errors: &[ConfigError]| errors.iter().map(ToString::to_string).collect();
        let mut policy = compile(&sources).map_err(|errors| texts(&errors.0))?;
        policy.prove_signing();
        let faults: Vec<String> = texts(policy.faults());
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
