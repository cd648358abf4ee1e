//! Writes a key set and a file of distinct tokens, one a line.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use mint::{Algorithm, Key};
use serde_json::json;

/// Sign tokens with a throw-away key: `jwks.json` and `tokens.txt` (one a line).
#[derive(Parser)]
struct Arguments {
    /// Folder to write to; it is made if missing.
    #[arg(long)]
    out: PathBuf,
    /// How many distinct tokens.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// What they are signed by.
    #[arg(long, default_value = "RS256", value_parser = algorithm)]
    algorithm: Algorithm,
    /// The `kid` of the key.
    #[arg(long, default_value = "throw-away")]
    kid: String,
    /// The claim `iss`.
    #[arg(long)]
    issuer: String,
    /// The scopes, separated by spaces (claim `scp`).
    #[arg(long, default_value = "")]
    scope: String,
    /// When the tokens expire, in seconds since 1970 (claim `exp`).
    #[arg(long)]
    expires: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.out)?;
    let key = Key::generate_for(arguments.algorithm, &arguments.kid)?;
    let tokens = sign_all(&key, &arguments)?;
    write_lines(&arguments.out.join("tokens.txt"), &tokens)?;
    fs::write(arguments.out.join("jwks.json"), key.jwks().to_string())?;
    Ok(())
}

fn algorithm(name: &str) -> Result<Algorithm, &'static str> {
    match name {
        "RS256" => Ok(Algorithm::Rs256),
        "ES256" => Ok(Algorithm::Es256),
        _ => Err("one of RS256 and ES256"),
    }
}

/// Signs on every core: tens of thousands of RSA signatures take a while on one.
fn sign_all(key: &Key, arguments: &Arguments) -> Result<Vec<String>> {
    let workers = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    thread::scope(|scope| {
        let shares: Vec<_> = (0..workers)
            .map(|first| scope.spawn(move || sign_share(key, arguments, first, workers)))
            .collect();
        let mut tokens = Vec::new();
        for share in shares {
            tokens.extend(
                share
                    .join()
                    .map_err(|_| anyhow!("a signing thread panicked"))??,
            );
        }
        Ok(tokens)
    })
}

fn sign_share(key: &Key, arguments: &Arguments, first: u32, step: u32) -> Result<Vec<String>> {
    let scopes: Vec<&str> = arguments.scope.split_whitespace().collect();
    (first..arguments.count)
        .step_by(step as usize)
        .map(|number| {
            key.sign(&json!({
                "iss": arguments.issuer, "sub": format!("client-{number}"), "scp": scopes,
                "exp": arguments.expires, "jti": number.to_string(),
            }))
        })
        .collect()
}

fn write_lines(path: &Path, lines: &[String]) -> Result<()> {
    let file =
        fs::File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut out = BufWriter::new(file);
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
