//! `cargo xtask bench`: our module beside Envoy's own jwt_authn. Beside it `bench rules`: what many
//! rules cost.
//!
//! One Envoy with one worker on one core, the load on the other, a direct response behind each
//! filter. Every row is measured once per round, the rounds follow one another, and what counts is
//! the median: a machine that drifts, drifts for all rows.

mod config;
mod load;
mod report;
mod rules;

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    build,
    envoy::Start,
    http::Request,
    ports,
    progress::{self, Stopwatch, step},
    setup,
    upstream::{Answer, Upstream},
    workspace::Workspace,
};

/// More distinct tokens than any of the caches holds, so that cycling through them always misses.
const TOKENS: u32 = 40_000;

/// The core that Envoy has to itself; the load has the next one.
const ENVOY_CORE: u32 = 0;
const LOAD_CORE: u32 = 1;

/// What `cargo xtask bench` can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    other: Option<Other>,
    /// A short run: a first impression, not a measurement.
    #[arg(long)]
    quick: bool,
    /// How often every row is measured.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds per row and round.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
}

/// What else there is to measure.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Other {
    /// Measure what 10 to 10,000 rules cost to load and to decide by, natively and in the VM.
    Rules,
}

/// A listener under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checker {
    /// No filter.
    Nothing,
    /// Envoy's jwt_authn as it comes.
    JwtAuthn,
    /// Envoy's jwt_authn with `jwt_cache_config`.
    JwtAuthnCached,
    /// Our module.
    Module,
}

/// A row of the table: a listener and the tokens sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) checker: Checker,
    /// Every token another one, or one token again and again.
    pub(crate) distinct: bool,
}

const ROWS: [Row; 6] = [
    Row {
        checker: Checker::Nothing,
        distinct: false,
    },
    Row {
        checker: Checker::JwtAuthn,
        distinct: false,
    },
    Row {
        checker: Checker::JwtAuthnCached,
        distinct: false,
    },
    Row {
        checker: Checker::Module,
        distinct: false,
    },
    Row {
        checker: Checker::JwtAuthn,
        distinct: true,
    },
    Row {
        checker: Checker::Module,
        distinct: true,
    },
];

/// Measures, and prints the table.
///
/// # Errors
/// If a prerequisite is missing, a checker lets the wrong token pass, or a request fails.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if let Some(Other::Rules) = options.other {
        return rules::run(workspace);
    }
    let listeners = ROWS.map(|row| (row.checker.port(), row.checker.name()));
    ports::demand(&listeners, "bench")?;
    ports::demand(&[(config::ADMIN, "Envoy's admin page")], "bench")?;
    let binary = prerequisites(workspace)?;
    build::modules(workspace)?;
    let folder = workspace.target.join("bench");
    let tokens = load::tokens(workspace, &folder, TOKENS)?;
    let jwks = fs::read_to_string(tokens.folder.join("jwks.json"))?;

    let key_set = jwks.clone();
    let keys = Upstream::answering(0, move |_| Answer {
        status: 200,
        body: key_set.clone(),
    })?;
    config::write(
        &folder,
        &workspace.module("access_rules"),
        &jwks,
        keys.port(),
    )?;
    let start = Start {
        binary: &binary,
        folder: &folder,
        config: "envoy.yaml",
        concurrency: 1,
        core: Some(ENVOY_CORE),
    };
    let mut envoy = step("starting Envoy", || start.ready(config::ADMIN))?;
    check_honesty(&tokens.first()?)?;

    let (rounds, seconds) = if options.quick {
        (3, 2)
    } else {
        (options.rounds, options.seconds)
    };
    warn_if_busy();
    let mut table = report::Table::new();
    let watch = Stopwatch::start();
    for round in 1..=rounds {
        for row in ROWS {
            println!(
                "· round {round} of {rounds}: {}, {} ({} s gone)",
                row.checker.name(),
                row.tokens(),
                watch.elapsed().as_secs()
            );
            let pace = load::measure(&tokens, row, Duration::from_secs(seconds.into()), LOAD_CORE)?;
            table.add(row, pace);
            envoy.check_alive()?;
        }
    }
    table.print(rounds, seconds);
    Ok(true)
}

fn prerequisites(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        bail!("this machine has {cores} core: the bench needs one for Envoy and one for the load");
    }
    setup::to_build()?;
    setup::debian::require(&setup::debian::TASKSET)?;
    setup::debian::require(&setup::debian::WRK)?;
    let binary = setup::envoy::binary(workspace)?;
    let mut mint = workspace.cargo();
    mint.args(["build", "--quiet", "--workspace", "--bin", "mint"]);
    step("building the token mint", || progress::run(&mut mint))?;
    Ok(binary)
}

/// The two cores are the bench's own or the figures are nobody's.
fn warn_if_busy() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let last_minute = load
        .split(' ')
        .next()
        .and_then(|number| number.parse::<f32>().ok());
    if let Some(load) = last_minute.filter(|load| *load > 1.5) {
        println!(
            "! other programs keep this machine busy (load {load}): the figures will be worth little"
        );
    }
}

/// A checker that lets everything pass, or nothing, would win: each must know good from bad.
fn check_honesty(token: &str) -> Result<()> {
    let mut forged: Vec<char> = token.chars().collect();
    let middle = forged.len() - 20;
    if let Some(letter) = forged.get_mut(middle) {
        *letter = if *letter == 'A' { 'B' } else { 'A' };
    }
    let forged: String = forged.into_iter().collect();
    for checker in [Checker::JwtAuthn, Checker::JwtAuthnCached, Checker::Module] {
        for (token, expected) in [(token, 200), (forged.as_str(), 401)] {
            let url = format!("http://127.0.0.1:{}/", checker.port());
            let request = Request::get(&url).header("authorization", format!("Bearer {token}"));
            let status = request
                .send()
                .with_context(|| format!("no answer from {}", checker.name()))?
                .status;
            if status != expected {
                bail!(
                    "{} answers {status} where {expected} is right",
                    checker.name()
                );
            }
        }
    }
    Ok(())
}

impl Checker {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no filter",
            Self::JwtAuthn => "jwt_authn",
            Self::JwtAuthnCached => "jwt_authn with jwt_cache_config",
            Self::Module => "access_rules.wasm",
        }
    }

    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Nothing => 18_080,
            Self::JwtAuthn => 18_081,
            Self::JwtAuthnCached => 18_082,
            Self::Module => 18_083,
        }
    }
}

impl Row {
    pub(crate) const fn tokens(self) -> &'static str {
        if self.distinct {
            "every token distinct"
        } else {
            "one repeated token"
        }
    }
}
