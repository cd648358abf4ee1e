//! `gatepost migrate`

use anyhow::Context;
use clap::Args;

use super::settings::{SettingsArgs, open};
use super::show;
use crate::storage::sqlite::Missing;

/// Bring the database up to date and end. `serve` does the same by itself at start.
///
/// Examples:
///   gatepost migrate -c gatepost.yaml
///   gatepost migrate --dev
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Migrate {
    #[command(flatten)]
    settings: SettingsArgs,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let settings = self.settings.load()?;
        let storage = open(&settings, Missing::Create).await?;
        storage
            .migrate()
            .await
            .context("cannot bring the database up to date")?;
        storage.close().await;
        show::out("the database is up to date\n");
        Ok(())
    }
}
