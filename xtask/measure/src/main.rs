//! What many rules cost natively: reads the folders that it is told, which `cargo xtask bench rules`
//! has written, and prints a line of JSON for each.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use gatepost_policy::{Engine, Headers, Request, RuleSet, Step, UnixTime};
use serde_json::{Value, json};

/// How often the folders are measured in turn; the fastest counts, as what disturbs a run only
/// makes it slower.
const ROUNDS: usize = 15;

/// How often rules are compiled; here too the fastest counts.
const COMPILATIONS: usize = 3;

/// How many decisions a round times.
const DECISIONS: u32 = 20_000;

fn main() -> Result<()> {
    let folders: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let mut subjects = folders
        .iter()
        .map(|folder| Subject::load(folder))
        .collect::<Result<Vec<_>>>()?;
    for _ in 0..ROUNDS {
        subjects.iter_mut().for_each(Subject::decide);
    }
    for subject in &subjects {
        println!("{}", subject.told());
    }
    Ok(())
}

/// One set of rules, and how fast it was.
struct Subject {
    engine: Engine,
    /// Two of three match a rule, spread over all of them.
    requests: Vec<Request>,
    compile: Duration,
    decision: Duration,
}

impl Subject {
    fn load(folder: &Path) -> Result<Self> {
        let plugin: Value = serde_json::from_slice(&fs::read(folder.join("plugin.json"))?)?;
        let requests: Vec<(String, String)> =
            serde_json::from_slice(&fs::read(folder.join("requests.json"))?)?;
        let part = |key: &str| {
            plugin
                .get(key)
                .cloned()
                .context("`plugin.json` lacks a part")
        };
        let files = vec![("rules.json".to_owned(), part("rules")?)];
        let set = RuleSet::new(part("config")?, files, BTreeMap::new())?;
        let mut compile = Duration::MAX;
        let mut policy = None;
        for _ in 0..COMPILATIONS {
            let start = now();
            policy = Some(set.compile()?);
            compile = compile.min(start.elapsed());
        }
        let policy = policy.context("nothing was compiled")?;
        if !policy.faults().is_empty() {
            bail!("rules are broken: {:?}", policy.faults().first());
        }
        let mut subject = Self {
            engine: Engine::new(policy, [0; 32]),
            requests: requests.iter().map(request).collect(),
            compile,
            decision: Duration::MAX,
        };
        subject.check()?;
        Ok(subject)
    }

    /// Every request is decided at once, without a call.
    fn check(&mut self) -> Result<()> {
        for request in &self.requests {
            match self
                .engine
                .decide(request, UnixTime::from_secs(1_800_000_000))
            {
                Step::Done(_) => {}
                other => bail!("not decided at once: {other:?}"),
            }
        }
        Ok(())
    }

    fn decide(&mut self) {
        let start = now();
        for request in self.requests.iter().cycle().take(DECISIONS as usize) {
            let step = self
                .engine
                .decide(request, UnixTime::from_secs(1_800_000_000));
            std::hint::black_box(step);
        }
        self.decision = self.decision.min(start.elapsed() / DECISIONS);
    }

    fn told(&self) -> Value {
        json!({
            "compile_ms": self.compile.as_secs_f64() * 1000.0,
            "decision_ns": self.decision.as_nanos(),
        })
    }
}

fn request((authority, path): &(String, String)) -> Request {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", authority.as_str()),
        (":path", path.as_str()),
        ("user-agent", "bench"),
        ("accept", "*/*"),
    ];
    Request {
        headers: fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect::<Headers>(),
        ..Request::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn now() -> Instant {
    Instant::now()
}
