//! What Envoy's operators see of decisions: `/stats/prometheus` and the log.

use serde_json::{Value, json};

use crate::harness::{Setup, World, eventually, rule};

/// The value of a metric, by its line in Prometheus's text format up to the value.
fn value(world: &World, name: &str) -> Option<u64> {
    let text = world.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

#[test]
fn decisions_are_counted_by_rule_and_logged_without_credentials() {
    let mut setup = Setup::new();
    let mut tried = rule("tried", "jwt", "noop");
    tried["gatepost"] = json!({"shadow": true});
    setup.rules.as_array_mut().unwrap().push(tried);
    setup.log_decisions = json!(true);
    let mut world = setup.start();
    for _ in 0..3 {
        assert_eq!(world.get("/public").send().unwrap().status, 200);
    }
    assert_eq!(world.api("nonsense").status, 401);
    assert_eq!(world.get("/tried").send().unwrap().status, 200);
    assert_eq!(
        world.get("/nowhere?key=hunter2").send().unwrap().status,
        404
    );
    for (name, expected) in [
        ("gatepost_rules{}", 4),
        ("gatepost_rules_quarantined{}", 0),
        (r#"gatepost_rule_allowed{rule="public"}"#, 3),
        (r#"gatepost_rule_denied{rule="public"}"#, 0),
        (r#"gatepost_rule_denied{rule="api"}"#, 1),
        (r#"gatepost_rule_would_deny{rule="tried"}"#, 1),
        ("gatepost_unmatched_denied{}", 1),
        ("gatepost_key_fetch_failures{}", 0),
    ] {
        let found = value(&world, name);
        assert_eq!(found, Some(expected), "{name} in {}", world.metrics());
    }
    assert!(world.metrics().contains("gatepost_waited_us_bucket"));
    let log = world.envoy.log();
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line.get(line.find("{\"log\"")?..)?).ok())
        .collect();
    let denied = lines.iter().find(|line| line["stage"] == "match").unwrap();
    assert_eq!(denied["path"], "/nowhere");
    assert!(
        denied["request_id"].as_str().unwrap().len() > 30,
        "{denied}"
    );
    assert!(lines.iter().any(|line| line["shadow"]["verdict"] == "deny"));
    assert!(!log.contains("hunter2"), "{log}");
    world.check_alive();
}

#[test]
fn key_sets_that_cannot_be_fetched_are_counted() {
    let mut setup = Setup::new();
    setup.stop_keys();
    let world = setup.start_without_keys();
    eventually("the failure is counted", || {
        value(&world, "gatepost_key_fetch_failures{}").is_some_and(|n| n > 0)
    });
}
