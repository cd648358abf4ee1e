//! `cargo xtask oci`: the wasm modules as OCI images, for hosts that pull them from a registry.
//!
//! Istio (`pkg/wasm` there) and Envoy Gateway (`internal/wasm`) take the same two forms. This is the one
//! that they try first, the "compat" variant of the Wasm Image Specification: an ordinary image whose last
//! layer is a `tar+gzip` with a file `plugin.wasm`. Every registry keeps such images and every tool copies
//! them, which is not so for the other form, an artifact of two layers with media types of its own.

mod image;
mod layout;

use std::fs;

use anyhow::{Context as _, Result};

use crate::{
    build::{self, MODULES},
    workspace::Workspace,
};

use self::image::Image;

/// The modules are released together.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds every module and writes it as an OCI image layout into `target/oci/<package>`, replacing what was
/// there.
///
/// # Errors
/// If a prerequisite is missing, a module does not compile, or a file cannot be written.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let mut report = String::new();
    for module in MODULES {
        let path = build::module(workspace, module.package)?;
        let wasm = fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
        let folder = workspace.target.join("oci").join(module.package);
        let image = Image::of(module.package, VERSION, &wasm)?;
        layout::write(&folder, VERSION, &image)
            .with_context(|| format!("cannot write `{}`", folder.display()))?;
        report.push_str(&format!(
            "\noci:{}:{VERSION}\n  image   {}\n  module  {}\n",
            folder.display(),
            image.digest(),
            image::digest(&wasm)
        ));
    }
    print!("{report}");
    println!(
        "\n`sha256` of an `oci://` URL (and of `type: Image`) is the image's digest without `sha256:`, that of an\n\
         `http(s)://` URL the module's. istio/README.md tells how to push images."
    );
    Ok(true)
}
