//! The configurations in `istio/` and `gateway/`, loaded by the modules that they are for.

use std::{collections::BTreeMap, fs, path::Path};

use host_tests::{Answer, CallOut, Host, Outcome, Request};
use serde_json::{Value, json};
use xtask::build::MODULES;

/// A configuration: the file, the module and what it is handed.
struct Plugin {
    file: String,
    package: String,
    configuration: Value,
}

/// Every configuration there is. The module is the one that the image or file is named after.
fn plugins() -> Vec<Plugin> {
    let mut plugins = Vec::new();
    for folder in ["istio", "gateway"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let resources: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
            for resource in &resources {
                plugins.extend(
                    of_resource(resource)
                        .into_iter()
                        .map(|(url, configuration)| Plugin {
                            file: path.display().to_string(),
                            package: package(&url),
                            configuration,
                        }),
                );
            }
        }
    }
    plugins
}

/// The URL and the configuration of each plugin in a resource.
fn of_resource(resource: &Value) -> Vec<(Value, Value)> {
    let spec = &resource["spec"];
    let plugin = |place: &Value| (place["url"].clone(), place["pluginConfig"].clone());
    match resource["kind"].as_str().unwrap() {
        "WasmPlugin" => vec![plugin(spec)],
        "TrafficExtension" => vec![plugin(&spec["wasm"])],
        "EnvoyExtensionPolicy" => spec["wasm"]
            .as_array()
            .unwrap()
            .iter()
            .map(|wasm| {
                let code = &wasm["code"];
                let place = if code["type"] == "Image" {
                    "image"
                } else {
                    "http"
                };
                (code[place]["url"].clone(), wasm["config"].clone())
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// `oci://registry.example.com/gatepost/jwt-auth:0.1.0`, `https://…/jwt_auth.wasm`: `jwt-auth`.
fn package(url: &Value) -> String {
    let name = url.as_str().unwrap().rsplit('/').next().unwrap();
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let name = name.trim_end_matches(".wasm").replace('_', "-");
    assert!(MODULES.iter().any(|module| module.package == name), "{url}");
    name
}

#[test]
fn modules_take_the_configurations_in_the_manifests() {
    let plugins = plugins();
    let mut each: BTreeMap<&str, usize> = BTreeMap::new();
    for plugin in &plugins {
        let taken = Host::of(&plugin.package).configure(&plugin.configuration);
        assert_eq!(taken, Ok(()), "{}", plugin.file);
        *each.entry(&plugin.package).or_default() += 1;
    }
    // Istio's and the Gateway's of each, and those of TrafficExtension.
    assert_eq!(
        each.into_iter().collect::<Vec<_>>(),
        [("access-rules", 2), ("header-mutation", 3), ("jwt-auth", 3)]
    );
}

/// And not just anything: a key that is misspelt is refused by each.
#[test]
fn modules_refuse_them_with_a_mistake() {
    for plugin in plugins() {
        let mut wrong = plugin.configuration;
        wrong["clustres"] = json!({});
        let errors = Host::of(&plugin.package).configure(&wrong).unwrap_err();
        assert!(
            errors.iter().any(|error| error.contains("clustres")),
            "{errors:?}"
        );
    }
}

/// The rules decide as the quickstart's do, and ask the cluster that is written there.
#[test]
fn rules_in_the_manifests_decide() {
    let plugins = plugins();
    let with_rules = plugins
        .iter()
        .filter(|plugin| plugin.package == "access-rules");
    for plugin in with_rules {
        let clusters = plugin.configuration["clusters"].as_object().unwrap();
        let cluster = clusters.values().next().unwrap().as_str().unwrap();
        let mut host = Host::new().cluster(cluster, |call: &CallOut| match call.path().as_str() {
            "/sessions/whoami" => Answer::ok(
                r#"{"active": true, "identity": {"id": "alice", "traits": {"email": "alice@example.com"}}}"#,
            ),
            _ => Answer::ok(r#"{"keys": []}"#),
        });
        host.configure(&plugin.configuration).unwrap();
        let get = |path: &str| {
            Request::get(path)
                .without(":authority")
                .header(":authority", "shop.example.com")
        };
        for (path, status) in [
            ("/", 200),
            ("/public/x", 200),
            ("/api/x", 401),
            ("/closed", 401),
            ("/other", 404),
        ] {
            assert_eq!(
                host.request(get(path)).status(),
                Some(status),
                "{}: {path}",
                plugin.file
            );
        }
        let signed_in = host.request(get("/app").header("cookie", "ory_kratos_session=1"));
        assert_eq!(
            signed_in.header("x-user").as_deref(),
            Some("alice"),
            "{}",
            plugin.file
        );
        assert_eq!(
            signed_in.header("x-email").as_deref(),
            Some("alice@example.com")
        );
        let stranger = host.request(get("/app").header("accept", "text/html"));
        let Outcome::Answered(response) = &stranger else {
            panic!("{stranger:?}");
        };
        assert_eq!(response.status, 302);
        let to = stranger.header("location").unwrap();
        assert!(
            to.starts_with("https://id.example.com/login?return_to="),
            "{to}"
        );
    }
}
