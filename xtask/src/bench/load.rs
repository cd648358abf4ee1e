//! The tokens, and the load that carries them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};

use super::{Row, config::ISSUER};
use crate::{
    progress::{self, step},
    workspace::Workspace,
};

/// How long the tokens of a run may be used again by later ones.
const DAY: u64 = 24 * 3600;

/// Every connection takes the next token, so with `count` tokens the same one comes back after
/// `count` requests. Requests are made beforehand: the load must not be the slow part.
const SCRIPT: &str = r#"
local requests, next = {}, 0
function init(args)
  local count = tonumber(args[2])
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/", { Authorization = "Bearer " .. token })
    if #requests == count then break end
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
"#;

/// A file of distinct tokens.
pub(super) struct Tokens {
    pub(super) folder: PathBuf,
    count: u32,
}

/// Signs the tokens, unless an earlier run of today left them.
pub(super) fn tokens(workspace: &Workspace, folder: &Path, count: u32) -> Result<Tokens> {
    let day = today()?;
    let tokens = Tokens {
        folder: folder.join(format!("tokens-{count}-{day}")),
        count,
    };
    if !tokens.folder.join("jwks.json").is_file() {
        let expires = (day + 3) * DAY;
        let mut mint = Command::new(workspace.dev_binary("mint"));
        mint.arg("--out")
            .arg(&tokens.folder)
            .args(["--issuer", ISSUER, "--kid", "bench"]);
        mint.args([
            "--count",
            &count.to_string(),
            "--expires",
            &expires.to_string(),
        ]);
        step(&format!("signing {count} distinct tokens"), || {
            progress::run(&mut mint)
        })?;
    }
    fs::write(folder.join("load.lua"), SCRIPT)?;
    Ok(tokens)
}

impl Tokens {
    /// The token that the rows with one token repeat.
    pub(super) fn first(&self) -> Result<String> {
        let text = fs::read_to_string(self.folder.join("tokens.txt"))?;
        Ok(text
            .lines()
            .next()
            .context("the token file is empty")?
            .to_owned())
    }
}

/// Requests per second of one row.
pub(super) fn measure(tokens: &Tokens, row: Row, time: Duration, core: u32) -> Result<f64> {
    let count = if row.distinct { tokens.count } else { 1 };
    let mut wrk = Command::new("taskset");
    wrk.args(["-c", &core.to_string(), "wrk", "-t1", "-c16"]);
    wrk.arg(format!("-d{}s", time.as_secs()));
    wrk.args([
        "-s",
        "load.lua",
        &format!("http://127.0.0.1:{}/", row.checker.port()),
        "--",
    ]);
    wrk.arg(tokens.folder.join("tokens.txt"))
        .arg(count.to_string());
    wrk.current_dir(tokens.folder.parent().unwrap_or(&tokens.folder));
    let output = wrk.output().context("cannot start `wrk`")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    read(&text).with_context(|| {
        format!(
            "{}: {text}{}",
            row.checker.name(),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Reads wrk's report; a run with failures is no measurement.
fn read(text: &str) -> Result<f64> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("requests failed under load");
    }
    let mut lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(lines
        .next()
        .context("wrk reports no requests per second")?
        .trim()
        .parse()?)
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
        let good = "  100 requests in 1.00s\nRequests/sec:  12345.67\nTransfer/sec: 1MB\n";
        assert!((read(good).unwrap() - 12345.67).abs() < 0.001);
        assert!(read(&format!("{good}  Non-2xx or 3xx responses: 3\n")).is_err());
        assert!(read("unable to connect").is_err());
    }
}
