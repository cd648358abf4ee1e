//! envoy-config/quickstart, as it is shipped but for its ports.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command, sync::LazyLock};

use serde_json::Value;
use tempfile::TempDir;
use xtask::{
    envoy::{Envoy, Start},
    http::Request,
    progress,
    quickstart::{Ports, Quickstart},
    upstream::Upstream,
};

use crate::harness::{GIVEN, eventually, free_port};

/// The binary that bundles the rules, built once. Asking for this very test beside it makes cargo
/// choose the same features as `cargo test`, which then has nothing left to compile.
static GATEPOST: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo: Command = GIVEN.workspace.cargo();
    cargo.args([
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        "gatepost",
        "--test",
        "envoy",
    ]);
    progress::run(&mut cargo).unwrap();
    GIVEN.workspace.dev_binary("gatepost")
});

struct Shipped {
    quickstart: Quickstart,
    ports: Ports,
    folder: TempDir,
    _upstream: Upstream,
}

fn shipped() -> Shipped {
    let folder = TempDir::new().unwrap();
    let upstream = Upstream::echo(0).unwrap();
    let ports = Ports {
        front: free_port(),
        admin: free_port(),
        upstream: upstream.port(),
        gatepost: free_port(),
    };
    let quickstart =
        Quickstart::prepare(&GIVEN.workspace, folder.path(), &GATEPOST, ports).unwrap();
    Shipped {
        quickstart,
        ports,
        folder,
        _upstream: upstream,
    }
}

impl Shipped {
    fn start(&self) -> Start<'_> {
        Start {
            binary: &GIVEN.envoy,
            folder: self.folder.path(),
            config: "envoy.yaml",
            concurrency: 1,
            core: None,
        }
    }

    fn status(&self, path: &str) -> u16 {
        Request::get(&format!("http://127.0.0.1:{}{path}", self.ports.front))
            .send()
            .unwrap()
            .status
    }
}

#[test]
fn envoy_finds_the_shipped_configuration_valid() {
    let shipped = shipped();
    let output = shipped.start().validate().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_shipped_rules_are_enforced() {
    let shipped = shipped();
    let envoy = shipped.start().ready(shipped.ports.admin).unwrap();
    for (path, status) in [
        ("/", 200),
        ("/public/a", 200),
        ("/api/hello", 401),
        ("/api/orders", 401),
        ("/app", 401),
        ("/admin", 403),
        ("/public/../admin", 403),
        ("/closed", 401),
        ("/elsewhere", 404),
        ("/api%2fhello", 400),
    ] {
        assert_eq!(shipped.status(path), status, "{path}\n{}", envoy.log());
    }
    let page = Request::get(&format!("http://127.0.0.1:{}/app", shipped.ports.front));
    let answer = page.header("accept", "text/html").send().unwrap();
    let location = answer.header("location").unwrap_or_default();
    assert_eq!(answer.status, 302);
    let sign_in = format!(
        "http://127.0.0.1:{}/login?return_to=",
        shipped.ports.gatepost
    );
    assert!(
        location.starts_with(&sign_in) && location.ends_with("%2Fapp"),
        "{location}"
    );
    logs_rule(&envoy, "admin");
}

#[test]
fn rules_are_replaced_while_envoy_runs_and_broken_ones_are_not_taken() {
    let shipped = shipped();
    let mut envoy = shipped.start().ready(shipped.ports.admin).unwrap();
    assert_eq!(shipped.status("/public"), 200);

    shipped
        .quickstart
        .install(
            "{\"config\": {}, \"broken_rules\": \"refuse\",
            \"rules\": {\"bad.json\": [{\"id\": \"half\"}]}}",
        )
        .unwrap();
    envoy.wait_for_log("half").unwrap();
    assert_eq!(shipped.status("/public"), 200, "the former rules stay");
    assert_eq!(shipped.status("/admin"), 403, "the former rules stay");

    let pages = shipped.folder.path().join("pages.yaml");
    let text = fs::read_to_string(&pages)
        .unwrap()
        .replace("public(/.*)?", "open(/.*)?");
    fs::write(&pages, text).unwrap();
    shipped.quickstart.apply().unwrap();
    eventually("the new rules are in force", || {
        shipped.status("/open") == 200
    });
    assert_eq!(shipped.status("/public"), 404);
}

#[test]
fn the_shipped_files_use_no_key_that_oathkeeper_does_not_know() {
    let bundle: Value = serde_json::from_str(&shipped().quickstart.bundle().unwrap()).unwrap();
    let rule_keys = [
        "id",
        "version",
        "description",
        "match",
        "authenticators",
        "authorizer",
        "mutators",
        "errors",
        "upstream",
    ];
    let top_keys = [
        "serve",
        "cors",
        "access_rules",
        "authenticators",
        "authorizers",
        "mutators",
        "errors",
        "log",
    ];
    keys_are(&bundle["config"], &top_keys);
    for stage in ["authenticators", "authorizers", "mutators"] {
        bundle["config"][stage]
            .as_object()
            .unwrap()
            .values()
            .for_each(|handler| keys_are(handler, &["enabled", "config"]));
    }
    for rule in bundle["rules"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|file| file.as_array().unwrap())
    {
        keys_are(rule, &rule_keys);
        keys_are(&rule["match"], &["url", "methods"]);
    }
}

fn keys_are(object: &Value, known: &[&str]) {
    let keys: BTreeSet<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let strange: Vec<_> = keys
        .difference(&known.iter().copied().collect())
        .copied()
        .collect();
    assert!(strange.is_empty(), "{strange:?} in {object}");
}

fn logs_rule(envoy: &Envoy, rule: &str) {
    let field = format!("\"rule\":\"{rule}\"");
    eventually("the access log names the rule", || {
        envoy.log().contains(&field)
    });
}
