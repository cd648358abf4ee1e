//! `gatepost decisions …`

use std::{io::Write as _, net::SocketAddr, path::PathBuf, sync::Arc, thread};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use super::{logging, serve::Signals};
use crate::{
    clock::SystemClock,
    config::{Log, LogFormat, LogLevel},
    decisions::{Endpoint, Keeper, Overland, Parts, Settings, load, routes},
    entropy::SystemEntropy,
    serve::connections::{self, Speaks},
};

/// Decide for proxies that ask: nginx, Caddy, Traefik, Envoy's `ext_authz`.
#[derive(Debug, Subcommand)]
pub(super) enum Decisions {
    Serve(Serve),
}

impl Decisions {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(serve) => serve.run().await,
        }
    }
}

/// Answer Oathkeeper's decision API, with Oathkeeper's own configuration and rules.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost decisions serve -c oathkeeper.yaml
  SERVE_API_PORT=4000 gatepost decisions serve -c oathkeeper.yaml

Then, elsewhere:
  curl -i http://127.0.0.1:4456/decisions/some/path -H 'Host: app.example.com'

Listens on `serve.api.host` and `serve.api.port` (127.0.0.1:4456). A proxy that tells of its
requests in X-Forwarded-Method, -Proto, -Host and -Uri has to be named, or it is refused:
  serve: {api: {gatepost: {trusted_proxies: [127.0.0.1]}}}
So has an Envoy that asks over gRPC (`envoy.service.auth.v3.Authorization`), on the same port.
Rule files, key sets at `file://` URLs and the configuration are read again when they change.")]
pub(super) struct Serve {
    /// Oathkeeper's configuration file (YAML or JSON).
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
}

impl Serve {
    async fn run(self) -> anyhow::Result<()> {
        let loaded = match load(&self.config) {
            Ok(loaded) => loaded,
            Err(mistakes) => {
                let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                bail!("{}", lines.join("\n"));
            }
        };
        let settings = Settings::read(&loaded.config, |name| std::env::var(name).ok())?;
        logging::start(&log(&loaded.config));
        for key in &settings.ignored {
            tracing::warn!("`{key}` has no effect");
        }
        let listener = bind(&settings).await?;
        let address = listener.local_addr()?;
        let nobody = settings.trusted_proxies.is_empty();
        let endpoint = Endpoint::new(
            Parts {
                settings,
                outward: Arc::new(Overland::new()?),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy::default()),
                scribe: Arc::new(write_line),
                desks: thread::available_parallelism().map_or(1, usize::from),
            },
            &loaded.rules,
        )?;
        let mut signals = Signals::listen().context("cannot listen to signals")?;
        let (tell, stop) = watch::channel(false);
        let keeper = Keeper::new(Arc::clone(&endpoint), self.config, loaded);
        let keeping = tokio::spawn(keeper.keep(stop.clone()));
        announce(address, nobody);
        let serving = connections::answer_to(Speaks::Either, listener, routes(endpoint), stop);
        let told = async {
            signals.next().await;
            tracing::info!("stopping; a second signal ends at once");
            // Nobody listens any more if the server ended by itself.
            let _ = tell.send(true);
            signals.next().await;
        };
        tokio::select! {
            () = serving => {}
            () = told => std::process::exit(130),
        }
        keeping.abort();
        tracing::info!("stopped");
        Ok(())
    }
}

async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let Settings { host, port, .. } = settings;
    TcpListener::bind((host.as_str(), *port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on `{host}:{port}`; stop whatever uses it, or change `serve.api.port` \
                 (environment `SERVE_API_PORT`)"
            )
        })
}

fn announce(address: SocketAddr, nobody_is_trusted: bool) {
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "other machines can reach the endpoint; it shows `/rules` to whoever asks"
        );
    }
    if nobody_is_trusted {
        tracing::info!(
            "no proxy's X-Forwarded-* is believed, and none may ask over gRPC: \
             `serve.api.gatepost.trusted_proxies` is empty"
        );
    }
}

/// Oathkeeper's `log`, as far as there is something like it here.
fn log(config: &Value) -> Log {
    let text = |key: &str| {
        config
            .pointer(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let level = match text("/log/level").to_ascii_lowercase().as_str() {
        "panic" | "fatal" | "error" => LogLevel::Error,
        "warn" | "warning" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => LogLevel::Info,
    };
    let format = match text("/log/format") {
        "json" | "json_pretty" | "gelf" => LogFormat::Json,
        _ => LogFormat::Text,
    };
    Log { level, format }
}

/// The decision log goes to standard output, apart from the process's own on standard error.
fn write_line(line: &str) {
    // Whoever reads it may have gone; decisions go on.
    let _ = writeln!(std::io::stdout(), "{line}");
}
