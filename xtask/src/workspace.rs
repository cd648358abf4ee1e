//! Where things are, and how cargo is called.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The repository and its target folder.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo builds: `target`, or what `CARGO_TARGET_DIR` or cargo's configuration say.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo where the workspace of this very crate is.
    ///
    /// # Errors
    /// If cargo cannot be started or does not understand the workspace.
    pub fn locate() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut metadata = cargo(here);
        metadata.args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ]);
        let output = metadata.output().context("cannot start `cargo`")?;
        if !output.status.success() {
            bail!(
                "`cargo metadata` failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let folder = |key: &str| {
            let text = answer.get(key).and_then(Value::as_str);
            text.map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` tells no `{key}`"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
        })
    }

    /// `cargo`, to run in the root of the workspace.
    #[must_use]
    pub fn cargo(&self) -> Command {
        cargo(&self.root)
    }

    /// The binary `name` as the dev profile builds it.
    #[must_use]
    pub fn dev_binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The binary `name` as the dev profile builds it, to run.
    #[must_use]
    pub fn dev(&self, name: &str) -> Command {
        let mut command = Command::new(self.dev_binary(name));
        command.current_dir(&self.root);
        command
    }

    /// The folder of the playground: its page, and the engine in `engine`.
    #[must_use]
    pub fn playground(&self) -> PathBuf {
        self.target.join("playground")
    }

    /// The release build of a wasm module, `access_rules` for instance.
    #[must_use]
    pub fn module(&self, name: &str) -> PathBuf {
        self.target.join("wasm").join(format!("{name}.wasm"))
    }
}

/// The cargo that runs us, without what it told us about ourselves: left in the environment, that
/// would make the crates below look changed and build anew.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}
