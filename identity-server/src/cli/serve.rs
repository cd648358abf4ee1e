//! `gatepost serve`

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::sync::watch;

use super::settings::{DEV_SECRETS, SettingsArgs, open};
use super::{logging, show};
use crate::app::{App, Parts};
use crate::clock::SystemClock;
use crate::config::{Dsn, Settings};
use crate::entropy::SystemEntropy;
use crate::maintenance;
use crate::pages::playground;
use crate::serve::Bound;
use crate::storage::sqlite::Missing;

/// How long requests under way may take after a signal to stop.
const DRAIN: Duration = Duration::from_secs(35);

/// Run the server.
///
/// Examples:
///   gatepost serve --dev                      try it: plain http, files in the working directory
///   gatepost serve -c gatepost.yaml           the real thing: needs secrets and an https issuer
///   DSN=memory gatepost serve --dev           keep nothing
///
/// The smallest gatepost.yaml:
///   dsn: sqlite:///var/lib/gatepost/gatepost.sqlite
///   urls: { self: { issuer: https://id.example.com } }
///   secrets: { system: ["<openssl rand -base64 48>"] }
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: SettingsArgs,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut settings = self.settings.load()?;
        logging::start(&settings.log);
        // The addresses first: a second server must fail before it touches the first one's database.
        let bound = Bound::bind(&settings.public, &settings.admin).await?;
        let (public, admin) = bound.addresses()?;
        settings.listens_on(public);
        let storage = open(&settings, Missing::Create).await?;
        storage
            .migrate()
            .await
            .context("cannot bring the database up to date")?;
        let parts = Parts {
            settings,
            storage: Arc::clone(&storage),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::default()),
        };
        let app = App::start(parts)
            .await
            .context("cannot ready the signing keys")?;
        let signals = Signals::listen().context("cannot listen to signals")?;
        announce(app.settings(), public, admin);
        until_told_to_stop(bound, app, signals).await;
        storage.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn until_told_to_stop(bound: Bound, app: App, mut signals: Signals) {
    let (tell, stop) = watch::channel(false);
    let listening = tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping; a second signal ends at once");
        // Nobody listens any more if the server ended by itself.
        let _ = tell.send(true);
        signals.next().await;
        std::process::exit(130);
    });
    let chores = tokio::spawn(maintenance::run(app.clone(), stop.clone()));
    let mut stopping = stop.clone();
    let patience = async {
        if stopping.wait_for(|stop| *stop).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        () = bound.serve(app, stop) => {}
        () = patience => tracing::warn!("gave up waiting for requests under way"),
    }
    listening.abort();
    chores.abort();
}

/// SIGTERM and SIGINT, heard from the moment this is made: before that, they end the process on the spot.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

fn announce(settings: &Settings, public: SocketAddr, admin: SocketAddr) {
    tracing::info!(%public, %admin, issuer = settings.issuer, version = env!("CARGO_PKG_VERSION"), "ready");
    if !admin.ip().is_loopback() {
        tracing::warn!(%admin, "other machines can reach the admin listener, and it asks nobody who they are");
    }
    if !settings.dev {
        return;
    }
    let database = match &settings.dsn {
        Dsn::Memory => "in memory, gone when this ends".to_owned(),
        Dsn::Sqlite(file) => file.display().to_string(),
    };
    let playground = match playground::file(settings) {
        Some(_) => format!("http://{admin}/playground"),
        None => "not built; `cargo xtask build` does it".to_owned(),
    };
    let secrets = if Path::new(DEV_SECRETS).exists() {
        DEV_SECRETS
    } else {
        "as configured"
    };
    show::out(&format!(
        "
  Gatepost {version}, for development: plain http, do not expose it.

    public      http://{public}        /.well-known/openid-configuration
    admin       http://{admin}        /admin/clients
    playground  {playground}
    issuer      {issuer}
    database    {database}
    secrets     {secrets}

  Next:  gatepost create client --grant-type client_credentials --scope read
  Stop:  Ctrl-C
",
        version = env!("CARGO_PKG_VERSION"),
        issuer = settings.issuer,
    ));
}
