//! The folders, and what to start in them.

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    setup::{
        debian::{self, NGINX},
        envoy, proxies,
    },
    workspace::Workspace,
};

/// A configuration that is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// nginx-config/auth-request
    Nginx,
    /// nginx-config/cached
    NginxCached,
    /// caddy-config
    Caddy,
    /// traefik-config
    Traefik,
    /// envoy-config/ext-authz, over HTTP
    EnvoyHttp,
    /// envoy-config/ext-authz, over gRPC
    EnvoyGrpc,
}

impl Scenario {
    /// What runs.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Nginx | Self::NginxCached => "nginx",
            Self::Caddy => "Caddy",
            Self::Traefik => "Traefik",
            Self::EnvoyHttp | Self::EnvoyGrpc => "Envoy",
        }
    }

    /// The folder in the repository.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Nginx => "nginx-config/auth-request",
            Self::NginxCached => "nginx-config/cached",
            Self::Caddy => "caddy-config",
            Self::Traefik => "traefik-config",
            Self::EnvoyHttp | Self::EnvoyGrpc => "envoy-config/ext-authz",
        }
    }

    /// The folder above it that holds all of its files.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Nginx | Self::NginxCached => "nginx-config",
            _ => self.folder(),
        }
    }

    /// The program with its arguments, to be run in the folder; installed where it is missing.
    pub(super) fn command(self, workspace: &Workspace) -> Result<Command> {
        let (binary, arguments): (_, &[&str]) = match self {
            Self::Nginx | Self::NginxCached => {
                debian::require(&NGINX)?;
                let arguments = &[
                    "-e",
                    "stderr",
                    "-p",
                    ".",
                    "-c",
                    "nginx.conf",
                    "-g",
                    "daemon off;",
                ];
                ("nginx".into(), arguments)
            }
            Self::Caddy => (proxies::caddy(workspace)?, &["run"]),
            Self::Traefik => (proxies::traefik(workspace)?, &["--configFile=traefik.yaml"]),
            Self::EnvoyHttp => (envoy::binary(workspace)?, &["--config-path", "http.yaml"]),
            Self::EnvoyGrpc => (envoy::binary(workspace)?, &["--config-path", "grpc.yaml"]),
        };
        let mut command = Command::new(binary);
        command.args(arguments);
        Ok(command)
    }
}
