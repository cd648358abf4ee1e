//! An image as a folder: the OCI image layout, which every tool that copies images can read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::image::{self, Descriptor, Image};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Descriptor; 1],
}

/// Writes the `image` into `folder` under `tag`; what was in the folder is gone afterwards.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(folder: &Path, tag: &str, image: &Image) -> Result<()> {
    if folder.exists() {
        // Blobs of a former module would be copied along by some tools.
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("blobs/sha256"))?;
    for bytes in [&image.layer, &image.config, &image.manifest] {
        fs::write(blob(folder, &image::digest(bytes))?, bytes)?;
    }
    let index = Index {
        schema_version: 2,
        media_type: "application/vnd.oci.image.index.v1+json",
        manifests: [image.descriptor(tag)],
    };
    fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    // Last: a folder without this file is no layout, and so half of one is none.
    Ok(fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )?)
}

fn blob(folder: &Path, digest: &str) -> Result<PathBuf> {
    let (algorithm, hash) = digest
        .split_once(':')
        .context("a digest names its algorithm")?;
    Ok(folder.join("blobs").join(algorithm).join(hash))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, io::Read as _};

    use flate2::read::GzDecoder;
    use serde_json::Value;

    use super::*;

    const WASM: &[u8] = b"\0asm\x01\0\0\0 and more of a module";

    fn written(wasm: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::of("header-mutation", "0.1.0", wasm).unwrap();
        write(folder.path(), "0.1.0", &image).unwrap();
        folder
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    /// The bytes that a descriptor names, after its digest and its size were found to be true.
    fn named(folder: &Path, descriptor: &Value) -> Vec<u8> {
        let digest = descriptor["digest"].as_str().unwrap();
        let bytes = fs::read(blob(folder, digest).unwrap()).unwrap();
        assert_eq!(image::digest(&bytes), digest);
        assert_eq!(descriptor["size"], bytes.len());
        bytes
    }

    fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
        let mut files = BTreeSet::new();
        for folder in [folder.to_owned(), folder.join("blobs/sha256")] {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    let name = PathBuf::from(entry.file_name());
                    files.insert((name, fs::read(entry.path()).unwrap()));
                }
            }
        }
        files
    }

    /// Reads a layout as Istio's and Envoy Gateway's image fetchers read what they have pulled.
    #[test]
    fn hosts_find_the_module_where_they_look_for_it() {
        let folder = written(WASM);
        let folder = folder.path();
        let marker = json(&fs::read(folder.join("oci-layout")).unwrap());
        assert_eq!(marker["imageLayoutVersion"], "1.0.0");
        let index = json(&fs::read(folder.join("index.json")).unwrap());
        let [entry] = index["manifests"].as_array().unwrap().as_slice() else {
            panic!("one image: {index}");
        };
        assert_eq!(
            entry["mediaType"],
            "application/vnd.oci.image.manifest.v1+json"
        );
        assert_eq!(
            entry["annotations"]["org.opencontainers.image.ref.name"],
            "0.1.0"
        );

        let manifest = json(&named(folder, entry));
        assert_eq!(manifest["mediaType"], entry["mediaType"]);
        assert_eq!(
            manifest["annotations"]["org.opencontainers.image.version"],
            "0.1.0"
        );
        let layer = manifest["layers"].as_array().unwrap().last().unwrap();
        assert_eq!(
            layer["mediaType"],
            "application/vnd.oci.image.layer.v1.tar+gzip"
        );
        let mut archive = Vec::new();
        GzDecoder::new(named(folder, layer).as_slice())
            .read_to_end(&mut archive)
            .unwrap();
        let config = json(&named(folder, &manifest["config"]));
        assert_eq!(config["rootfs"]["diff_ids"][0], image::digest(&archive));

        let mut archive = tar::Archive::new(archive.as_slice());
        let mut entries = archive.entries().unwrap();
        let mut file = entries.next().unwrap().unwrap();
        assert_eq!(file.path().unwrap(), Path::new("plugin.wasm"));
        let mut wasm = Vec::new();
        file.read_to_end(&mut wasm).unwrap();
        assert_eq!(wasm, WASM);
        assert!(entries.next().is_none());
    }

    #[test]
    fn the_same_module_is_the_same_image_byte_for_byte() {
        assert_eq!(files(written(WASM).path()), files(written(WASM).path()));
        assert_ne!(files(written(WASM).path()), files(written(b"other").path()));
    }

    /// Whoever pins a digest has pinned these bytes: a library that compresses or orders otherwise is noticed.
    #[test]
    fn nothing_but_the_module_decides_the_digest() {
        let image = Image::of("header-mutation", "0.1.0", WASM).unwrap();
        assert_eq!(
            image.digest(),
            "sha256:bc0ed7f61f56dd72613e788a3acc4fa5157c3abc9abf62fbb139be5059ca2cc0"
        );
    }

    #[test]
    fn a_former_image_leaves_nothing_behind() {
        let folder = written(b"former");
        let image = Image::of("header-mutation", "0.1.0", WASM).unwrap();
        write(folder.path(), "0.1.0", &image).unwrap();
        assert_eq!(files(folder.path()), files(written(WASM).path()));
    }
}
