//! Where a command takes its settings from, and the database that they name.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use crate::config::{Dsn, Mode, Settings, Written};
use crate::entropy::{Entropy, SystemEntropy};
use crate::secret::SecretText;
use crate::storage::Storage;
use crate::storage::sqlite::{Missing, SqliteStorage};

/// Holds the generated secrets of `--dev`, in the working directory.
pub(super) const DEV_SECRETS: &str = "gatepost-dev-secrets.json";

/// The options that say which server a command is about.
#[derive(Debug, Args)]
pub(super) struct SettingsArgs {
    /// For trying things out: plain http on loopback, and whatever is missing is made in the working directory.
    #[arg(long)]
    dev: bool,
    /// The configuration file (YAML). Environment variables override its keys: `SERVE_PUBLIC_PORT` is
    /// `serve.public.port`.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database, instead of the key `dsn`: `memory` or `sqlite://<file>`.
    #[arg(long)]
    dsn: Option<String>,
}

impl SettingsArgs {
    /// Reads file and environment, and checks them.
    pub(super) fn load(&self) -> anyhow::Result<Settings> {
        let (yaml, source) = self.text()?;
        let mut written = Written::read(&yaml, &source, |name| std::env::var(name).ok())?;
        if let Some(dsn) = &self.dsn {
            written.dsn.clone_from(dsn);
        }
        if self.dev && written.secrets.system.is_empty() {
            written.secrets.system = vec![dev_secret(Path::new(DEV_SECRETS))?];
        }
        let mode = if self.dev {
            Mode::Dev
        } else {
            Mode::Production
        };
        Ok(Settings::resolve(written, mode, &source)?)
    }

    fn text(&self) -> anyhow::Result<(String, String)> {
        let Some(file) = &self.config else {
            return Ok((
                String::new(),
                "the environment alone; `-c` names a file, `--dev` tries things out".into(),
            ));
        };
        let yaml = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the configuration file `{}`", file.display()))?;
        Ok((yaml, format!("`{}` and the environment", file.display())))
    }
}

/// Opens the configured database.
pub(super) async fn open(
    settings: &Settings,
    missing: Missing,
) -> anyhow::Result<Arc<dyn Storage>> {
    Ok(match &settings.dsn {
        Dsn::Memory => Arc::new(SqliteStorage::in_memory().await?),
        Dsn::Sqlite(file) => Arc::new(SqliteStorage::open(file, missing).await?),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DevSecrets {
    system: SecretText,
}

/// The secret in `file`, or a new one, written for this user's eyes only.
fn dev_secret(file: &Path) -> anyhow::Result<SecretText> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let found: DevSecrets = serde_json::from_str(&text).with_context(|| {
                format!(
                    "`{}` does not hold secrets; remove it together with the database",
                    file.display()
                )
            })?;
            return Ok(found.system);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", file.display()));
        }
    }
    let entropy: &dyn Entropy = &SystemEntropy::default();
    let secret = entropy.token(48)?;
    let body = serde_json::json!({"system": secret}).to_string();
    private(OpenOptions::new().write(true).create_new(true))
        .open(file)
        .and_then(|mut file| file.write_all(body.as_bytes()))
        .with_context(|| format!("cannot write the generated secrets to `{}`", file.display()))?;
    Ok(SecretText::new(secret))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
