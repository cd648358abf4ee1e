//! Against the published schemas.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use xtask::{setup::schemas, workspace::Workspace};

use crate::resources;

/// What is wrong with each of these.
fn problems(resources: &[Value]) -> Vec<Vec<String>> {
    let packages = schemas::folder(&Workspace::locate().unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/validate.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .arg(packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    input
        .write_all(Value::from(resources.to_vec()).to_string().as_bytes())
        .unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_resource_is_as_its_schema_wants_it() {
    let (places, resources): (Vec<_>, Vec<_>) = resources().into_iter().unzip();
    assert!(resources.len() > 20, "{places:?}");
    let mut wrong = Vec::new();
    for (place, problems) in places.iter().zip(problems(&resources)) {
        wrong.extend(problems.iter().map(|problem| format!("{place}: {problem}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check that finds nothing proves nothing: each of these mistakes is found.
#[test]
fn mistakes_are_found() {
    // The first resource of a kind, a place in it, and what is written there instead.
    let mistakes = [
        (
            "WasmPlugin",
            "/spec",
            "failStategy",
            json!("FAIL_RELOAD"),
            "failStategy is unknown",
        ),
        (
            "WasmPlugin",
            "/spec",
            "failStrategy",
            json!("FAIL_RETRY"),
            "spec/failStrategy must be equal",
        ),
        (
            "WasmPlugin",
            "/spec",
            "pluginConfig",
            json!("text"),
            "spec/pluginConfig must be object",
        ),
        (
            "TrafficExtension",
            "/spec",
            "url",
            json!("oci://a/b"),
            "spec.url is unknown",
        ),
        (
            "TrafficExtension",
            "/spec/wasm",
            "phase",
            json!("AUTHN"),
            "spec.wasm.phase is unknown",
        ),
        (
            "TrafficExtension",
            "/spec/wasm",
            "sha256",
            json!("0"),
            "sha256",
        ),
        (
            "EnvoyExtensionPolicy",
            "/spec/wasm/0",
            "failopen",
            json!(false),
            "failopen is unknown",
        ),
        (
            "EnvoyExtensionPolicy",
            "/spec/wasm/0/code",
            "type",
            json!("Git"),
            "code/type must be equal",
        ),
        (
            "SecurityPolicy",
            "/spec/extAuth/http",
            "path",
            json!(1),
            "http/path must be string",
        ),
        (
            "HTTPRoute",
            "/spec/rules/0/backendRefs/0",
            "port",
            json!(0),
            "port must be >= 1",
        ),
        (
            "DestinationRule",
            "/spec/trafficPolicy/tls",
            "mode",
            json!("EASY"),
            "tls/mode must be equal",
        ),
        (
            "Deployment",
            "/spec",
            "replicas",
            json!("1"),
            "spec/replicas must be integer",
        ),
        (
            "Deployment",
            "/spec/template/spec/containers/0/securityContext",
            "readOnlyRootFileSystem",
            json!(true),
            "readOnlyRootFileSystem is unknown",
        ),
        (
            "NetworkPolicy",
            "/spec",
            "ingres",
            json!([]),
            "spec.ingres is unknown",
        ),
    ];
    let wrong: Vec<_> = mistakes
        .iter()
        .map(|(kind, place, key, value, _)| {
            let (_, mut resource) = crate::of_kind(kind).swap_remove(0);
            resource.pointer_mut(place).unwrap()[key] = value.clone();
            resource
        })
        .collect();
    for ((kind, _, key, _, expected), found) in mistakes.iter().zip(problems(&wrong)) {
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{kind} {key}: {found:?}"
        );
    }
}
