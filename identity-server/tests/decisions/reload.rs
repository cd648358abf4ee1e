//! Rules that change while requests come.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::world::{World, config, eventually, rule, serve, write};

fn only(id: &str) -> Value {
    json!([rule(id, "noop", "allow", "noop")])
}

#[test]
fn rule_files_are_read_again_and_what_cannot_be_used_changes_nothing() {
    let world = World::start(&config(), &only("one"));
    assert_eq!(
        (world.ask("/one", &[]).status, world.ask("/two", &[]).status),
        (200, 404)
    );
    write(&world.folder, "rules.json", &only("two"));
    eventually("the new rules are in force", || {
        world.ask("/two", &[]).status == 200
    });
    assert_eq!(world.ask("/one", &[]).status, 404);
    // L04
    fs::write(world.folder.path().join("rules.json"), "[{").unwrap();
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(world.ask("/two", &[]).status, 200);
    fs::remove_file(world.folder.path().join("rules.json")).unwrap();
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(world.ask("/two", &[]).status, 200);
    write(&world.folder, "rules.json", &only("three"));
    eventually("the file is back", || {
        world.ask("/three", &[]).status == 200
    });
}

#[test]
fn fetched_rules_are_polled_and_outlive_a_change_of_the_configuration() {
    let runtime = Runtime::new().unwrap();
    let content = Arc::new(Mutex::new((500, String::new())));
    let (port, _) = serve(&runtime, &content);
    let mut config = config();
    config["access_rules"]["repositories"] = json!([
        format!("http://127.0.0.1:{port}/rules.json"),
        "file://rules.json"
    ]);
    config["gatepost"] = json!({"poll_interval": "1s"});
    let world = World::start(&config, &only("local"));
    assert_eq!(
        world.ask("/local", &[]).status,
        503,
        "a rule that is missing might forbid it"
    );
    assert_eq!(world.get("/health/ready").status, 503);
    *content.lock().unwrap() = (200, only("fetched").to_string());
    eventually("the rules are fetched", || {
        world.ask("/fetched", &[]).status == 200
    });
    assert_eq!(world.get("/health/ready").status, 200);
    *content.lock().unwrap() = (200, only("changed").to_string());
    eventually("the change is seen", || {
        world.ask("/changed", &[]).status == 200
    });
    *content.lock().unwrap() = (500, String::new());
    write(&world.folder, "rules.json", &only("locally"));
    eventually("the file is read", || {
        world.ask("/locally", &[]).status == 200
    });
    assert_eq!(
        world.ask("/changed", &[]).status,
        200,
        "and what was fetched stays"
    );
}

#[test]
fn no_request_is_dropped_or_judged_by_anything_but_a_whole_rule_set() {
    let one = json!([
        rule("open", "noop", "allow", "noop"),
        rule("shut", "noop", "deny", "noop")
    ]);
    let mut other = one.clone();
    other
        .as_array_mut()
        .unwrap()
        .push(rule("more", "noop", "allow", "noop"));
    let world = World::start(&config(), &one);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(world.ask("/open", &[]).status, 200);
                    assert_eq!(world.ask("/shut", &[]).status, 403);
                }
            });
        }
        for rules in [&other, &one, &other] {
            write(&world.folder, "rules.json", rules);
            let expected = if rules == &other { 200 } else { 404 };
            eventually("the rules change", || {
                world.ask("/more", &[]).status == expected
            });
        }
        is_over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn requests_that_wait_for_keys_when_the_rules_change_begin_anew() {
    let runtime = Runtime::new().unwrap();
    let keys = gatepost_cases::jwks(&["ES256-1".to_owned()]).unwrap();
    let content = Arc::new(Mutex::new((200, keys.to_string())));
    let (port, _) = serve(&runtime, &content);
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = hanging.local_addr().unwrap().port();
    let folder = TempDir::new().unwrap();
    let rules = |port: u16| {
        let mut rule = rule("api", "jwt", "allow", "noop");
        rule["authenticators"][0]["config"] = json!({
            "jwks_urls": [format!("http://127.0.0.1:{port}/keys")],
            "allowed_algorithms": ["ES256"], "jwks_max_wait": "30s",
        });
        json!([rule])
    };
    write(&folder, "rules.json", &rules(nowhere));
    let mut config = config();
    config["authenticators"]["jwt"] = json!({"enabled": true, "config": {
        "jwks_urls": ["http://127.0.0.1:1/unused"],
    }});
    let world = World::start_in(folder, &config);
    let token = gatepost_cases::sign(&gatepost_cases::Token {
        key: "ES256-1".to_owned(),
        header: serde_json::Map::new(),
        bound_to: None,
        proof_for: None,
        claims: json!({"sub": "ada"}),
    });
    let bearer = format!("Bearer {}", token.unwrap());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| world.ask("/api", &[("authorization", &bearer)]).status);
        thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished());
        write(&world.folder, "rules.json", &rules(port));
        assert_eq!(waiting.join().unwrap(), 200);
    });
}
