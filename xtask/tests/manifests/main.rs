//! The resources for Kubernetes in this repository, held against the schemas that Kubernetes, the Gateway API, Istio
//! and Envoy Gateway publish, against what a cluster should allow a workload, and against each other.
//!
//! That the modules take the configurations in them is tested where modules run (`host-tests`, `manifests.rs`), that
//! `gatepost` starts as its Deployments say where the binary runs (`identity-server`, `kubernetes.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

mod places;
mod schemas;
mod workloads;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Where resources are.
const FOLDERS: [&str; 3] = ["istio", "gateway", "identity-server/kubernetes"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The documents of each file, by its path from the root of the repository.
fn files() -> BTreeMap<String, Vec<Value>> {
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let text = fs::read_to_string(&file).unwrap();
                let documents = serde_saphyr::from_multiple(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let name = file.file_name().unwrap().to_str().unwrap();
                files.insert(format!("{folder}/{name}"), documents);
            }
        }
    }
    files
}

/// Every resource, with where it is. What kustomize reads is no resource of a cluster.
fn resources() -> Vec<(String, Value)> {
    let mut resources = Vec::new();
    for (file, documents) in files() {
        for resource in documents {
            if resource["kind"] != "Kustomization" {
                let place = format!(
                    "{file}: {} {}",
                    resource["kind"], resource["metadata"]["name"]
                );
                resources.push((place, resource));
            }
        }
    }
    resources
}

fn of_kind(kind: &str) -> Vec<(String, Value)> {
    let mut found = resources();
    found.retain(|(_, resource)| resource["kind"] == kind);
    assert!(!found.is_empty(), "{kind}");
    found
}
