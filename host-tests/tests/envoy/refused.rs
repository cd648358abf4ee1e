//! Configurations that must not come into force, and what the operator is told.

use serde_json::json;

use crate::harness::{Setup, rule};

#[test]
fn a_missing_configuration_is_refused_with_what_to_write() {
    let log = refused_with("");
    assert!(log.contains("the plugin has no configuration"), "{log}");
}

#[test]
fn a_configuration_that_is_no_json_is_refused_with_its_place() {
    let log = refused_with("{\"config\": ");
    assert!(
        log.contains("cannot be read") && log.contains("line 1"),
        "{log}"
    );
}

#[test]
fn malformed_rules_are_refused_by_file_rule_and_key_all_at_once() {
    let mut handler = rule("strange", "noop", "noop");
    handler["authenticators"][0]["handler"] = json!("jwtt");
    let mut pattern = rule("unbalanced", "noop", "noop");
    pattern["match"]["url"] = json!("http://a.test/<[0-9]+");
    let mut template = rule("unclosed", "noop", "header");
    template["mutators"][0]["config"] = json!({"headers": {"X-User": "{{ print .Subject "}});
    let mut setup = Setup::new();
    setup.rules = json!([handler, pattern, template]);
    let log = setup.refused();
    for (rule, key) in [
        ("strange", "authenticators[0].handler"),
        ("unbalanced", "match.url"),
        ("unclosed", "mutators[0].config.headers.X-User"),
    ] {
        let told = log.lines().any(|line| {
            ["rules.json", rule, key]
                .iter()
                .all(|part| line.contains(part))
        });
        assert!(told, "no line names rules.json, {rule} and {key}: {log}");
    }
}

#[test]
fn an_origin_without_a_cluster_is_refused_by_name() {
    let mut setup = Setup::new();
    setup.clusters = json!({});
    let origins: Vec<_> = setup.origins();
    let log = setup.refused();
    for origin in origins {
        assert!(
            log.lines()
                .any(|line| line.contains(&origin) && line.contains("cluster")),
            "{origin}: {log}"
        );
    }
}

#[test]
fn a_cluster_that_envoy_does_not_know_denies_and_is_named_in_the_log() {
    let mut setup = Setup::new();
    let clusters: serde_json::Map<_, _> = setup
        .origins()
        .into_iter()
        .map(|origin| (origin, json!("nowhere")))
        .collect();
    setup.clusters = clusters.into();
    let mut world = setup.start_without_keys();
    assert_eq!(world.api(&world.keys.token()).status, 401);
    assert_eq!(
        world
            .get("/app")
            .header("cookie", "session=1")
            .send()
            .unwrap()
            .status,
        403
    );
    assert_eq!(world.get("/public").send().unwrap().status, 200);
    world.envoy.wait_for_log("nowhere").unwrap();
}

fn refused_with(plugin_configuration: &str) -> String {
    let mut setup = Setup::new();
    setup.verbatim = Some(plugin_configuration.to_owned());
    setup.refused()
}
