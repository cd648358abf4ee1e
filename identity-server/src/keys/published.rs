//! Key sets that somebody else signs with, such as the mutator `id_token` inside the proxy: upstreams
//! must find the public keys somewhere, and here they do. Read from files, again whenever these change.
//!
//! Private members never leave this file: what is kept of a set is what
//! [`gatepost_policy::jose::public_keys`] lets through, which omits symmetric keys altogether.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use gatepost_policy::jose::public_keys;
use serde_json::Value;

/// The largest key set that is read, in bytes: what the proxy's module takes over.
const MAX_BYTES: u64 = 256 * 1024;

/// The public keys of some key set files. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct PublishedKeys(Arc<Vec<File>>);

/// A file, and what it held when it was read last.
#[derive(Debug)]
struct File {
    path: PathBuf,
    held: RwLock<Held>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Arc<Vec<Value>>,
    /// What tells a changed file: when it was written, and its size in bytes.
    version: Option<(SystemTime, u64)>,
}

/// A file whose keys cannot be published.
#[derive(Debug, thiserror::Error)]
#[error("the key set `{}` cannot be published: {reason}", path.display())]
pub struct Unpublishable {
    path: PathBuf,
    reason: String,
}

impl PublishedKeys {
    /// Reads the key sets in these files: paths, or `file:` URLs as the handlers of rules name them.
    ///
    /// # Errors
    /// [`Unpublishable`]: the first file that cannot be read, or holds no key set, or no key to publish.
    pub fn open<S: AsRef<str>>(files: &[S]) -> Result<Self, Unpublishable> {
        let files = files.iter().map(|name| {
            let name = name.as_ref();
            let path = PathBuf::from(name.strip_prefix("file://").unwrap_or(name));
            let held = read(&path, None)?.unwrap_or_default();
            Ok(File {
                path,
                held: RwLock::new(held),
            })
        });
        Ok(Self(Arc::new(files.collect::<Result<_, _>>()?)))
    }

    /// Reads those files again that have changed. A file that is broken or gone leaves its keys as they
    /// were: tokens that were signed with them are still under way.
    ///
    /// # Errors
    /// [`Unpublishable`]: the last file that could not be read.
    pub fn refresh(&self) -> Result<(), Unpublishable> {
        let mut result = Ok(());
        for file in &*self.0 {
            let known = file.held().version;
            match read(&file.path, known) {
                Ok(None) => {}
                Ok(Some(held)) => {
                    tracing::info!(file = %file.path.display(), keys = held.keys.len(), "published key set changed");
                    *file.held.write().unwrap_or_else(PoisonError::into_inner) = held;
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// The public keys, in the order of the files.
    #[must_use]
    pub fn keys(&self) -> Vec<Value> {
        let files = self.0.iter();
        files
            .flat_map(|file| file.held().keys.iter().cloned().collect::<Vec<_>>())
            .collect()
    }
}

impl File {
    fn held(&self) -> Held {
        let held = self.held.read();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the file holds, unless it is the `known` version still.
fn read(path: &Path, known: Option<(SystemTime, u64)>) -> Result<Option<Held>, Unpublishable> {
    let fail = |reason: String| Unpublishable {
        path: path.to_owned(),
        reason,
    };
    let io = |error: std::io::Error| fail(format!("{error}; check the name and the permissions"));
    let metadata = std::fs::metadata(path).map_err(io)?;
    let version = metadata.modified().ok().map(|time| (time, metadata.len()));
    if version.is_some() && version == known {
        return Ok(None);
    }
    if metadata.len() > MAX_BYTES {
        return Err(fail("it is larger than 256 KiB".to_owned()));
    }
    let text = zeroize::Zeroizing::new(std::fs::read(path).map_err(io)?);
    // The parser's own message would quote what it read.
    let set: Value = serde_json::from_slice(&text).map_err(|error| {
        fail(format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let keys = public_keys(&set).map_err(|error| fail(error.to_string()))?;
    if keys.is_empty() {
        return Err(fail(
            "it holds no asymmetric key; `gatepost credentials generate --alg ES256` makes one"
                .to_owned(),
        ));
    }
    Ok(Some(Held {
        keys: Arc::new(keys),
        version,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"K",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;

    fn kids(keys: &PublishedKeys) -> Vec<String> {
        let keys = keys.keys();
        keys.iter().map(|key| key["kid"].to_string()).collect()
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write(&format!(r#"{{"keys":[{KEY}]}}"#));
        let keys = PublishedKeys::open(&[format!("file://{}", file.display())]).unwrap();
        assert_eq!(kids(&keys), ["\"K\""]);
        assert!(keys.keys().iter().all(|key| key.get("d").is_none()));

        let renamed = KEY.replace(r#""K""#, r#""K-2""#);
        write(&format!(
            r#"{{"keys":[{KEY},{renamed},{{"kty":"oct","kid":"S","k":"c2VjcmV0"}}]}}"#
        ));
        keys.refresh().unwrap();
        assert_eq!(kids(&keys), ["\"K\"", "\"K-2\""]);

        write("{");
        let said = keys.refresh().unwrap_err().to_string();
        assert!(
            said.contains("keys.json") && said.contains("not JSON"),
            "{said}"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(keys.refresh().is_err());
        assert_eq!(kids(&keys), ["\"K\"", "\"K-2\""]);
    }

    #[test]
    fn a_set_with_nothing_to_publish_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        for text in [
            "[]",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"oct","kid":"S","k":"c2VjcmV0"}]}"#,
        ] {
            std::fs::write(&file, text).unwrap();
            let said = PublishedKeys::open(&[file.display().to_string()]).unwrap_err();
            assert!(!said.to_string().contains("c2VjcmV0"), "{said}");
        }
    }
}
