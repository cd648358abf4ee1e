//! `cargo xtask bench`: our modules beside Envoy's own filters and beside asking a service. Beside it
//! `bench rules`: what many rules cost.
//!
//! One Envoy with one worker on one core; the load on another, with what Envoy asks. Every row is
//! measured once a round, the rounds follow one another, and what counts is the median of the
//! rounds' ratios: a machine that drifts, drifts for both sides.

mod config;
mod empty;
mod load;
mod report;
mod rules;
mod services;
mod subjects;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    build,
    envoy::{Envoy, Start},
    http::Request,
    ports,
    process::Process,
    progress::{Stopwatch, step},
    setup,
    workspace::Workspace,
};

use self::{
    config::{ADMIN, Listeners, World},
    load::Tokens,
    report::Report,
    subjects::{Chain, GOALS, Goal, Row},
};

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
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Measure only what the comparisons with these words need, `--only ext_authz` for instance.
    #[arg(long, value_name = "WORDS")]
    only: Vec<String>,
    /// Take this file in place of the `access_rules.wasm` that is built: to compare builds.
    #[arg(long, value_name = "FILE")]
    access_rules: Option<PathBuf>,
}

/// What else there is to measure.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Other {
    /// Measure what 10 to 10,000 rules cost to load and to decide by, natively and in the VM.
    Rules,
}

/// Measures, prints the tables, and writes them and a chart into `target/bench`.
///
/// # Errors
/// If a prerequisite is missing, a chain lets the wrong credential pass, or a request fails.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    if let Some(Other::Rules) = options.other {
        return rules::run(workspace);
    }
    let goals = chosen(&options.only)?;
    let rows = subjects::rows(&goals);
    let listeners = Listeners::of(&rows);
    demand_ports(&listeners)?;
    let binary = prerequisites(workspace)?;
    build::modules(workspace)?;
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder)?;
    let tokens = load::tokens(workspace, &folder)?;

    let _nginx = services::nginx(&folder, &tokens.jwks)?;
    let _gatepost = decision_endpoint(workspace, &folder, &rows)?;
    let world = world(workspace, options, &folder, &tokens)?;
    listeners.write(&folder, &world)?;
    let start = Start {
        binary: &binary,
        folder: &folder,
        config: "envoy.yaml",
        concurrency: 1,
        core: Some(ENVOY_CORE),
    };
    let mut envoy = step("starting Envoy", || start.ready(ADMIN))?;
    check_honesty(&listeners, &tokens)?;

    let (rounds, seconds) = match options.quick {
        true => (3, 1),
        false => (options.rounds, options.seconds),
    };
    warn_if_busy();
    let mut report = Report::new(&rows, rounds, seconds);
    let watch = Stopwatch::start();
    for round in 1..=rounds {
        println!(
            "· round {round} of {rounds} ({} s gone)",
            watch.elapsed().as_secs()
        );
        for row in &rows {
            let time = Duration::from_secs(seconds.into());
            let measured = measure(&mut envoy, &tokens, listeners.port(*row)?, *row, time)?;
            println!("    {:>8.0} requests/s  {row}", measured.pace);
            report.add(*row, measured);
        }
    }
    report.publish(&goals, &folder)?;
    Ok(true)
}

fn measure(
    envoy: &mut Envoy,
    tokens: &Tokens,
    port: u16,
    row: Row,
    time: Duration,
) -> Result<load::Measured> {
    let measured = tokens.measure(envoy, port, row.load, time);
    envoy.check_alive()?;
    measured
}

/// The goals that are asked for.
fn chosen(only: &[String]) -> Result<Vec<&'static Goal>> {
    let is_wanted = |goal: &&Goal| only.is_empty() || only.iter().any(|words| goal.is_about(words));
    let goals: Vec<_> = GOALS.iter().filter(is_wanted).collect();
    if goals.is_empty() {
        let known: Vec<_> = subjects::rows(&GOALS.iter().collect::<Vec<_>>())
            .iter()
            .map(|row| format!("  {row}"))
            .collect();
        bail!("nothing is called so; there are\n{}", known.join("\n"));
    }
    Ok(goals)
}

fn demand_ports(listeners: &Listeners) -> Result<()> {
    let names: Vec<_> = listeners
        .iter()
        .map(|(port, chain, _)| (port, chain.to_string()))
        .collect();
    let mut wanted: Vec<_> = names
        .iter()
        .map(|(port, name)| (*port, name.as_str()))
        .collect();
    wanted.extend([
        (ADMIN, "Envoy's admin page"),
        (config::NGINX, "nginx"),
        (config::GATEPOST, "the decision endpoint"),
    ]);
    ports::demand(&wanted, "bench")
}

fn prerequisites(workspace: &Workspace) -> Result<PathBuf> {
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        bail!("this machine has {cores} core: the bench needs one for Envoy and one for the load");
    }
    setup::to_build()?;
    setup::debian::require(&setup::debian::TASKSET)?;
    setup::debian::require(&setup::debian::WRK)?;
    setup::envoy::binary(workspace)
}

/// The decision endpoint, where a row asks it.
fn decision_endpoint(
    workspace: &Workspace,
    folder: &Path,
    rows: &[Row],
) -> Result<Option<Process>> {
    rows.iter()
        .any(|row| row.chain == Chain::AskGatepost)
        .then(|| services::gatepost(workspace, folder))
        .transpose()
}

fn world(
    workspace: &Workspace,
    options: &Options,
    folder: &Path,
    tokens: &Tokens,
) -> Result<World> {
    let empty = folder.join("empty.wasm");
    fs::write(&empty, empty::module())?;
    let access_rules = match &options.access_rules {
        Some(file) => fs::canonicalize(file)?,
        None => workspace.module("access_rules"),
    };
    Ok(World {
        access_rules,
        jwt_auth: workspace.module("jwt_auth"),
        empty,
        jwks: tokens.jwks.clone(),
    })
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

/// A chain that lets everything pass, or nothing, would win: each must know good from bad.
fn check_honesty(listeners: &Listeners, tokens: &Tokens) -> Result<()> {
    let good = format!("Bearer {}", tokens.first);
    let cookie = format!("{}=opaque", config::COOKIE);
    let path = config::path_of(1);
    for (port, chain, _) in listeners.iter().filter(|(_, chain, _)| chain.decides()) {
        let is_opaque = matches!(
            chain,
            Chain::IntrospectCached | Chain::IntrospectEach | Chain::SessionEach
        );
        let ask = |authorization: Option<&str>| {
            let mut request = Request::get(&format!("http://127.0.0.1:{port}{path}"));
            if let Some(value) = authorization {
                request = request
                    .header("authorization", value)
                    .header("cookie", &cookie);
            }
            request.send().map(|answer| answer.status)
        };
        let bad = (!is_opaque).then(|| forged(&good));
        for (authorization, expected) in [(Some(good.as_str()), 200), (bad.as_deref(), 401)] {
            let status = ask(authorization)?;
            if status != expected {
                bail!("{chain} answers {status} where {expected} is right");
            }
        }
    }
    Ok(())
}

/// The token with a letter of its signature changed.
fn forged(token: &str) -> String {
    let mut letters: Vec<char> = token.chars().collect();
    let middle = letters.len().saturating_sub(20);
    if let Some(letter) = letters.get_mut(middle) {
        *letter = if *letter == 'A' { 'B' } else { 'A' };
    }
    letters.into_iter().collect()
}
