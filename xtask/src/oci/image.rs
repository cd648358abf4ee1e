//! An image with one file in it: its layer, its configuration and its manifest.
//!
//! The same module makes the same bytes everywhere: no time, no user and no machine is written down, and
//! whatever has an order has a fixed one.

use std::collections::BTreeMap;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What hosts look for in the layer.
const FILE: &str = "plugin.wasm";

/// An image, ready to be written: every part as the bytes that its digest is of.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) layer: Vec<u8>,
    pub(super) config: Vec<u8>,
    pub(super) manifest: Vec<u8>,
}

/// Names bytes by what they are, how many and which (image-spec, "descriptor").
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    media_type: &'static str,
    digest: String,
    size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    annotations: BTreeMap<&'static str, String>,
}

/// The runtime that the image is for; a registry shows it, and hosts do not look.
#[derive(Serialize)]
struct Configuration {
    architecture: &'static str,
    os: &'static str,
    rootfs: RootFs,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [String; 1],
}

impl Image {
    /// The image of a module: `wasm` as its one file, `name` and `version` in its annotations.
    ///
    /// # Errors
    /// Those of writing the archive into memory.
    pub(super) fn of(name: &str, version: &str, wasm: &[u8]) -> Result<Self> {
        let archive = archive(wasm)?;
        let layer = compressed(&archive)?;
        let config = serde_json::to_vec(&Configuration {
            architecture: "wasm",
            os: "wasip1",
            rootfs: RootFs {
                r#type: "layers",
                diff_ids: [digest(&archive)],
            },
        })?;
        let manifest = serde_json::to_vec(&Manifest {
            schema_version: 2,
            media_type: MANIFEST,
            config: Descriptor::of(CONFIG, &config),
            layers: [Descriptor::of(LAYER, &layer)],
            // Neither `created` nor `revision`: the same module must be the same image, whenever and from
            // whichever commit it is built.
            annotations: BTreeMap::from([
                (
                    "org.opencontainers.image.licenses",
                    env!("CARGO_PKG_LICENSE").to_owned(),
                ),
                ("org.opencontainers.image.title", format!("gatepost {name}")),
                ("org.opencontainers.image.version", version.to_owned()),
            ]),
        })?;
        Ok(Self {
            layer,
            config,
            manifest,
        })
    }

    /// What registries and hosts know the image by: the digest of its manifest.
    pub(super) fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// Names the image in an index, by the tag that it is to have.
    pub(super) fn descriptor(&self, tag: &str) -> Descriptor {
        Descriptor {
            annotations: BTreeMap::from([("org.opencontainers.image.ref.name", tag.to_owned())]),
            ..Descriptor::of(MANIFEST, &self.manifest)
        }
    }
}

impl Descriptor {
    fn of(media_type: &'static str, bytes: &[u8]) -> Self {
        Self {
            media_type,
            digest: digest(bytes),
            size: bytes.len(),
            annotations: BTreeMap::new(),
        }
    }
}

/// `sha256:` and the hash in lower-case hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn archive(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(u64::try_from(wasm.len())?);
    header.set_mode(0o644);
    // Nobody's, from 1970: an archive has no way to leave these out.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, FILE, wasm)?;
    Ok(archive.into_inner()?)
}

fn compressed(archive: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut writer = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    writer.write_all(archive)?;
    Ok(writer.finish()?)
}
