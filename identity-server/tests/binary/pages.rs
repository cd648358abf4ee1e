//! What tests of pages have in common: the repository's files, and what a shell shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder with the quickstart's files.
pub(crate) fn quickstart() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["oathkeeper.yaml", "rules.json", "pages.yaml"] {
        let from = repository().join("envoy-config/quickstart").join(file);
        fs::copy(from, folder.path().join(file)).unwrap();
    }
    folder
}

/// What a shell shows of a command line.
pub(crate) fn session(folder: &Path, line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_gatepost"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
