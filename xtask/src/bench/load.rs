//! The tokens, and the load that carries them.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{
    LOAD_CORE,
    config::{self, COOKIE, ISSUER},
    subjects::Load,
};
use crate::{
    envoy::Envoy,
    progress::{self, step},
    workspace::Workspace,
};

/// More distinct tokens than any of the caches holds, so that cycling through them always misses.
const TOKENS: usize = 40_000;

/// How long the tokens of a run may be used again by later ones.
const DAY: u64 = 24 * 3600;

/// How many connections there are.
const CONNECTIONS: u32 = 16;

/// How long a connection rests after each answer where the pace is everybody's, in milliseconds: with
/// 16 connections at most 1,600 requests a second, which even the slowest chain keeps up with.
const REST: u32 = 10;

/// Every connection takes the next request from the file: a path and header fields, with tabs between
/// them. They are put together beforehand: the load must not be the slow part.
const SCRIPT: &str = r#"
local requests, next, rest = {}, 0, 0
function init(args)
  for line in io.lines(args[1]) do
    local path, fields = line:match("^(%S+)"), {}
    for name, value in line:gmatch("\t([^\t:]+): ([^\t]*)") do fields[name] = value end
    requests[#requests + 1] = wrk.format("GET", path, fields)
  end
  rest = tonumber(args[2])
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"#;

const RESTING: &str = "function delay() return rest end\n";

/// What the requests are made of.
pub(super) struct Tokens {
    folder: PathBuf,
    /// The public keys, as a key set.
    pub(super) jwks: String,
    /// An RS256 token.
    pub(super) first: String,
}

/// How fast a chain was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Requests per second.
    pub(super) pace: f64,
    /// What 99 of 100 requests took at most, in milliseconds.
    pub(super) p99: f64,
    /// Envoy's own CPU time for each, in microseconds: what other programs take does not count in it.
    pub(super) cpu: f64,
}

/// Signs the tokens, unless an earlier run of today left them.
pub(super) fn tokens(workspace: &Workspace, folder: &Path) -> Result<Tokens> {
    let mut mint = workspace.cargo();
    mint.args(["build", "--quiet", "--workspace", "--bin", "mint"]);
    step("building the token mint", || progress::run(&mut mint))?;
    let folder = folder.join(format!("tokens-{}", today()?));
    let mut keys = Vec::new();
    for algorithm in ["RS256", "ES256"] {
        let out = folder.join(algorithm);
        if !out.join("jwks.json").is_file() {
            mint_into(workspace, &out, algorithm)?;
        }
        let jwks: Value = serde_json::from_str(&fs::read_to_string(out.join("jwks.json"))?)?;
        let listed = jwks.get("keys").and_then(Value::as_array);
        keys.extend(listed.cloned().unwrap_or_default());
    }
    let first = lines(&folder.join("RS256/tokens.txt"))?
        .next()
        .context("no token was signed")??;
    fs::write(folder.join("load.lua"), SCRIPT)?;
    fs::write(folder.join("steady.lua"), format!("{SCRIPT}{RESTING}"))?;
    Ok(Tokens {
        folder,
        jwks: json!({"keys": keys}).to_string(),
        first,
    })
}

fn mint_into(workspace: &Workspace, out: &Path, algorithm: &str) -> Result<()> {
    let expires = (today()? + 3) * DAY;
    let mut mint = Command::new(workspace.dev_binary("mint"));
    mint.arg("--out").arg(out);
    mint.args(["--algorithm", algorithm, "--kid", algorithm]);
    mint.args(["--issuer", ISSUER, "--expires", &expires.to_string()]);
    mint.args(["--count", &TOKENS.to_string()]);
    let what = format!("signing {TOKENS} distinct {algorithm} tokens");
    step(&what, || progress::run(&mut mint))
}

fn lines(file: &Path) -> Result<impl Iterator<Item = std::io::Result<String>>> {
    let file = File::open(file).with_context(|| format!("`{}`", file.display()))?;
    Ok(BufReader::new(file).lines())
}

impl Tokens {
    /// Writes the requests of a load, one a line; tells the file.
    fn requests(&self, load: Load) -> Result<PathBuf> {
        let bearer = |path: &str, token: &str| format!("{path}\tAuthorization: Bearer {token}\n");
        let name = format!("{load:?}.txt");
        let file = self.folder.join(name);
        if file.is_file() {
            return Ok(file);
        }
        let text = match load {
            Load::Repeated | Load::Steady => bearer("/", &self.first),
            Load::Opaque => {
                // One credential goes the one way, the other the other way.
                format!("/\tAuthorization: Bearer opaque\tCookie: {COOKIE}=opaque\n")
            }
            Load::Paths(count) => {
                let lines = (0..count).map(|rule| bearer(&config::path_of(rule), &self.first));
                lines.collect()
            }
            Load::DistinctRs256 => self.each("RS256")?,
            Load::DistinctEs256 => self.each("ES256")?,
        };
        fs::write(&file, text)?;
        Ok(file)
    }

    fn each(&self, algorithm: &str) -> Result<String> {
        lines(&self.folder.join(algorithm).join("tokens.txt"))?
            .map(|token| Ok(format!("/\tAuthorization: Bearer {}\n", token?)))
            .collect()
    }

    /// Puts the load on a listener of this Envoy.
    pub(super) fn measure(
        &self,
        envoy: &Envoy,
        port: u16,
        load: Load,
        time: Duration,
    ) -> Result<Measured> {
        let script = match load {
            Load::Steady => "steady.lua",
            _ => "load.lua",
        };
        let mut wrk = Command::new("taskset");
        wrk.args(["-c", &LOAD_CORE.to_string(), "wrk", "-t1", "--latency"]);
        wrk.arg(format!("-c{CONNECTIONS}"));
        wrk.arg(format!("-d{}s", time.as_secs()));
        wrk.args(["-s", script, &format!("http://127.0.0.1:{port}/"), "--"]);
        wrk.arg(self.requests(load)?).arg(REST.to_string());
        wrk.current_dir(&self.folder);
        let before = envoy.cpu_time()?;
        let output = wrk.output().context("cannot start `wrk`")?;
        let spent = envoy.cpu_time()?.saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        read(&text, spent)
            .with_context(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Reads wrk's report; a run with failures is no measurement.
fn read(text: &str, spent: Duration) -> Result<Measured> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("requests failed under load");
    }
    let after = |label: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.trim().strip_prefix(label).map(str::trim))
    };
    let pace = after("Requests/sec:").context("wrk reports no requests per second")?;
    let p99 = after("99%").context("wrk reports no latency")?;
    let requests: f64 = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .context("wrk does not tell how many requests it made")?
        .0
        .parse()?;
    Ok(Measured {
        pace: pace.parse()?,
        cpu: spent.as_secs_f64() * 1e6 / requests,
        p99: milliseconds(p99).with_context(|| format!("`{p99}` is no time"))?,
    })
}

/// A time as wrk writes it: `250.00us`, `1.20ms`, `1.00s`.
fn milliseconds(text: &str) -> Option<f64> {
    [("us", 0.001), ("ms", 1.0), ("s", 1000.0)]
        .iter()
        .find_map(|(unit, factor)| {
            let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(number * factor)
        })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool; the tokens are for the real clock"
)]
fn today() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_failures_is_no_measurement() {
        let good = "  Latency Distribution\n     50%  250.00us\n     99%    1.20ms\n  \
                    100 requests in 1.00s, 2MB read\n\
                    Requests/sec:  12345.67\nTransfer/sec: 1MB\n";
        let spent = Duration::from_millis(2);
        let measured = read(good, spent).unwrap();
        assert!((measured.pace - 12345.67).abs() < 0.001);
        assert!((measured.p99 - 1.2).abs() < 0.001);
        assert!((measured.cpu - 20.0).abs() < 0.001);
        assert!(read(&format!("{good}  Non-2xx or 3xx responses: 3\n"), spent).is_err());
        assert!(read("unable to connect", spent).is_err());
    }

    #[test]
    fn times_are_read_in_every_unit() {
        for (text, expected) in [("250.00us", 0.25), ("1.20ms", 1.2), ("2.00s", 2000.0)] {
            let read = milliseconds(text).unwrap();
            assert!((read - expected).abs() < 1e-9, "{text}: {read}");
        }
        assert!(milliseconds("soon").is_none());
    }
}
