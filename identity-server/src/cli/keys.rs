//! `gatepost keys list`, `gatepost keys rotate`

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::settings::{SettingsArgs, open};
use super::show::FormatArgs;
use crate::clock::{Clock, SystemClock};
use crate::entropy::SystemEntropy;
use crate::keys::store::StoredKey;
use crate::keys::{KeyMaker, KeySet, Rotation};
use crate::storage::sqlite::Missing;

const COLUMNS: [&str; 7] = [
    "kid",
    "set",
    "algorithm",
    "phase",
    "created_at",
    "activates_at",
    "retires_at",
];

const MIGRATE: &str =
    "cannot read the signing keys; if the database is new or old, run `gatepost migrate` first";

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    List(List),
    Rotate(Rotate),
}

/// Show the signing keys and what each is doing.
///
/// Works on the database directly, beside a running server.
///
/// Examples:
///   gatepost keys list --dev
///   gatepost keys list -c gatepost.yaml --format json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct List {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Publish the next signing key. It takes over after `keys.publish_ahead`, when everybody has seen it.
///
/// A running server notices within seconds; nothing needs a restart, and no good token is refused.
///
/// Examples:
///   gatepost keys rotate -c gatepost.yaml
///   gatepost keys rotate -c gatepost.yaml --set access-token
///   gatepost keys rotate -c gatepost.yaml --now        after a key leaked
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Rotate {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// Which keys.
    #[arg(long, value_enum, default_value_t = Which::All)]
    set: Which,
    /// Sign with the new key at once. Verifiers that cache the key set refuse its tokens until they fetch the set
    /// again, so this is for emergencies.
    #[arg(long)]
    now: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    All,
    AccessToken,
    IdToken,
}

impl Which {
    fn sets(self) -> Vec<KeySet> {
        match self {
            Self::All => KeySet::ALL.to_vec(),
            Self::AccessToken => vec![KeySet::AccessToken],
            Self::IdToken => vec![KeySet::IdToken],
        }
    }
}

impl Keys {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Rotate(rotate) => rotate.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let settings = self.settings.load()?;
        let storage = open(&settings, Missing::Refuse).await?;
        let keys = storage.read().await?.keys().await.context(MIGRATE)?;
        let now = SystemClock.now();
        let rows = keys
            .iter()
            .map(|key| describe(key, now))
            .collect::<anyhow::Result<Vec<_>>>()?;
        self.format.print(&Value::Array(rows), &COLUMNS);
        storage.close().await;
        Ok(())
    }
}

impl Rotate {
    async fn run(self) -> anyhow::Result<()> {
        let settings = self.settings.load()?;
        let storage = open(&settings, Missing::Refuse).await?;
        storage.read().await?.keys().await.context(MIGRATE)?;
        let maker = KeyMaker::new(&settings);
        let now = SystemClock.now();
        let mut rows = Vec::new();
        for set in self.set.sets() {
            let key = match maker
                .rotate(&*storage, set, now, &SystemEntropy::default(), self.now)
                .await?
            {
                Rotation::Started(key) => key,
                Rotation::Pending(key) => {
                    eprintln!(
                        "note: `{set}` has a next key already; it takes over by itself (`--now` hurries it)"
                    );
                    key
                }
            };
            rows.push(describe(&key, now)?);
        }
        if self.now {
            eprintln!(
                "warning: verifiers that cache the key set refuse new tokens until they fetch it again"
            );
        }
        self.format.print(&Value::Array(rows), &COLUMNS);
        storage.close().await;
        Ok(())
    }
}

fn describe(key: &StoredKey, now: OffsetDateTime) -> anyhow::Result<Value> {
    let time = |time: OffsetDateTime| time.truncate_to_second().format(&Rfc3339);
    Ok(json!({
        "kid": key.id,
        "set": key.set.name(),
        "algorithm": key.algorithm.name(),
        "phase": key.phase(now).name(),
        "created_at": time(key.created_at)?,
        "activates_at": time(key.activates_at)?,
        "retires_at": key.retires_at.map(time).transpose()?,
    }))
}
