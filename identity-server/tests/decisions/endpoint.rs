//! The API, and whom it believes.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    thread,
};

use gatepost_cases::{Token, check_minted, jwks, sign};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::world::{World, config, rule, serve, write};

fn rules() -> Value {
    let mut sign_in = rule("app", "unauthorized", "allow", "noop");
    sign_in["errors"] = json!([{"handler": "redirect"}]);
    json!([
        rule("public", "anonymous", "allow", "header"),
        rule("closed", "noop", "deny", "noop"),
        rule("quiet", "noop", "allow", "noop"),
        sign_in,
    ])
}

fn world() -> World {
    World::start(&config(), &rules())
}

#[test]
fn whoever_may_gets_200_and_the_headers_that_rules_set() {
    let world = world();
    let answer = world.ask("/public/a?b=c", &[]);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("x-user").unwrap(), "anonymous");
    let own = [("host", "app.test")];
    for (method, target) in [
        ("GET", "/decisions/public"),
        ("PURGE", "/decisions/public/a/b?c"),
        ("POST", "/decisions/public/%2e/a//b/"),
    ] {
        let answer = world.send(method, target, &own, b"");
        assert_eq!(answer.status, 200, "{method} {target}");
        assert_eq!(answer.header("x-user").unwrap(), "anonymous");
    }
}

#[test]
fn whoever_may_not_gets_what_the_error_handler_says() {
    let world = world();
    let denied = world.ask("/closed", &[]);
    assert_eq!(denied.status, 403);
    assert_eq!(denied.header("content-type").unwrap(), "application/json");
    let body: Value = serde_json::from_slice(&denied.body).unwrap();
    assert_eq!(body["error"]["code"], 403);
    let sent_away = world.ask("/app", &[]);
    assert_eq!(sent_away.status, 302);
    assert_eq!(
        sent_away.header("location").unwrap(),
        "http://id.test/login"
    );
    assert_eq!(world.ask("/elsewhere", &[]).status, 404);
    assert_eq!(world.ask("/public/..%2fclosed", &[]).status, 400);
    assert_eq!(world.ask("/public/../closed", &[]).status, 403);
}

#[test]
fn the_proxy_is_told_what_clients_may_not_send_and_the_path_that_was_judged() {
    let world = world();
    let answer = world.ask("/quiet/x/../y", &[("x-user", "root"), ("X_User", "root")]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-user"), None);
    assert_eq!(
        answer.header("x-envoy-auth-headers-to-remove").unwrap(),
        "x-user,x_user"
    );
    assert_eq!(answer.header("x-gatepost-path").unwrap(), "/quiet/y");
}

#[test]
fn the_proxy_is_told_of_credentials_that_the_upstream_must_not_get() {
    let mut emptied = rule("emptied", "noop", "allow", "header");
    emptied["mutators"][0]["config"] =
        json!({"headers": {"Authorization": "", "Cookie": "", "X-Other": ""}});
    let world = World::start(
        &config(),
        &json!([emptied, rule("other", "noop", "allow", "noop")]),
    );
    let own = [("authorization", "Basic c2VjcmV0"), ("cookie", "a=b")];
    for (path, headers, told) in [
        ("/emptied", &own[..], "authorization,cookie"),
        ("/emptied", &[], "authorization,cookie"),
        ("/other", &own, "authorization,cookie"),
    ] {
        let answer = world.ask(path, headers);
        assert_eq!(answer.status, 200, "{path}");
        let removed = answer.header("x-envoy-auth-headers-to-remove").unwrap();
        let mut removed: Vec<_> = removed.split(',').collect();
        removed.sort_unstable();
        assert_eq!(removed.join(","), told, "{path}");
    }
    let answer = world.ask("/other", &[]);
    assert_eq!(answer.header("x-envoy-auth-headers-to-remove"), None);
}

#[test]
fn t11_forwarded_headers_of_a_peer_that_is_not_named_are_refused() {
    let mut config = config();
    for trusted in [json!([]), json!(["10.0.0.0/8"])] {
        config["serve"]["api"]["gatepost"]["trusted_proxies"] = trusted;
        let world = World::start(&config, &rules());
        for header in ["method", "proto", "host", "uri"] {
            let name = format!("x-forwarded-{header}");
            let headers = [("host", "app.test"), (name.as_str(), "/public")];
            for target in ["/decisions", "/decisions/closed", "/decisions/public"] {
                let answer = world.send("GET", target, &headers, b"");
                let is_same = header == "uri" && target == "/decisions/public";
                assert_eq!(
                    answer.status,
                    if is_same { 200 } else { 403 },
                    "{header} {target}"
                );
                assert!(is_same || answer.header("x-user").is_none());
            }
        }
    }
}

#[test]
fn a_body_that_nobody_needs_does_not_matter_and_one_that_is_too_large_is_refused() {
    let runtime = Runtime::new().unwrap();
    let (port, asked) = serve(&runtime, &Arc::new(Mutex::new((200, String::new()))));
    let mut config = config();
    config["authorizers"]["remote"] = json!({"enabled": true, "config": {
        "remote": format!("http://127.0.0.1:{port}/check"),
    }});
    let world = World::start(
        &config,
        &json!([
            rule("open", "noop", "allow", "noop"),
            rule("checked", "noop", "remote", "noop"),
        ]),
    );
    let host = [("host", "app.test")];
    let large = vec![b'x'; (1 << 20) + 1];
    assert_eq!(
        world
            .send("POST", "/decisions/checked", &host, &large)
            .status,
        413
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(
        world
            .send("POST", "/decisions/checked", &host, &large[1..])
            .status,
        200
    );
    assert_eq!(
        world.send("POST", "/decisions/open", &host, &large).status,
        200
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn t19_requests_that_wait_for_one_key_set_cost_one_fetch_at_each_desk() {
    let runtime = Runtime::new().unwrap();
    let keys = jwks(&["ES256-1".to_owned()]).unwrap().to_string();
    let (port, asked) = serve(&runtime, &Arc::new(Mutex::new((200, keys))));
    let mut config = config();
    config["authenticators"]["jwt"] = json!({"enabled": true, "config": {
        "jwks_urls": [format!("http://127.0.0.1:{port}/keys")], "allowed_algorithms": ["ES256"],
    }});
    let world = World::start(&config, &json!([rule("api", "jwt", "allow", "header")]));
    thread::scope(|scope| {
        for number in 0..40 {
            let world = &world;
            scope.spawn(move || {
                let token = sign(&Token {
                    key: "ES256-1".to_owned(),
                    header: serde_json::Map::new(),
                    bound_to: None,
                    proof_for: None,
                    claims: json!({"sub": format!("user-{number}")}),
                });
                let bearer = format!("Bearer {}", token.unwrap());
                let answer = world.ask("/api", &[("authorization", &bearer)]);
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("x-user").unwrap(), format!("user-{number}"));
            });
        }
    });
    assert!(asked.load(Ordering::SeqCst) <= 2, "{asked:?}");
}

#[test]
fn the_rules_in_force_are_listed_and_those_with_mistakes_are_not() {
    let mut rules = rules();
    let mut broken = rule("broken", "noop", "allow", "noop");
    broken["authorizer"]["handler"] = json!("nonsense");
    rules.as_array_mut().unwrap().push(broken);
    let world = World::start(&config(), &rules);
    let list = world.get("/rules");
    let text = String::from_utf8(list.body).unwrap();
    assert!(text.contains("\\u003c") && !text.contains('<'), "{text}");
    let ids = |text: &str| -> Vec<String> {
        let rules: Vec<Value> = serde_json::from_str(text).unwrap();
        rules
            .iter()
            .map(|rule| rule["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&text), ["public", "closed", "quiet", "app"]);
    let page = world.get("/rules?limit=2&offset=1").body;
    assert_eq!(ids(&String::from_utf8(page).unwrap()), ["closed", "quiet"]);
    let one: Value = serde_json::from_slice(&world.get("/rules/closed").body).unwrap();
    assert_eq!(one["match"]["url"], "<https?>://app.test/closed<(/.*)?>");
    for missing in ["/rules/broken", "/rules/nobody", "/", "/decisionsx"] {
        let answer = world.get(missing);
        assert_eq!(answer.status, 404, "{missing}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error"]["code"], 404);
    }
    assert_eq!(
        world.ask("/broken", &[]).status,
        500,
        "it refuses what it matches"
    );
}

#[test]
fn health_and_version_are_told() {
    let world = world();
    for (target, body) in [
        ("/health/alive", json!({"status": "ok"})),
        ("/health/ready", json!({"status": "ok"})),
        ("/version", json!({"version": env!("CARGO_PKG_VERSION")})),
    ] {
        let answer = world.get(target);
        assert_eq!(answer.status, 200);
        assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), body);
    }
    let empty = World::start(&config(), &json!([]));
    assert_eq!(empty.get("/health/alive").status, 200);
    assert_eq!(empty.get("/health/ready").status, 503);
}

#[test]
fn each_decision_is_a_line_of_the_log() {
    let world = world();
    world.ask(
        "/closed/x",
        &[("x-request-id", "7"), ("authorization", "Bearer hunter2")],
    );
    let lines = world.lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    for (key, value) in [
        ("log", "gatepost.decision"),
        ("rule", "closed"),
        ("verdict", "deny"),
        ("reason", "forbidden"),
        ("path", "/closed/x"),
        ("request_id", "7"),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert!(!lines[0].contains("hunter2"));
}

#[test]
fn the_keys_that_id_token_signs_with_are_published_without_their_private_halves() {
    let folder = tempfile::tempdir().unwrap();
    let member = gatepost_cases::SetMember {
        key: "ES256-1".to_owned(),
        with: serde_json::Map::new(),
        public: false,
    };
    let keys = gatepost_cases::private_jwks(&[member]).unwrap();
    write(&folder, "keys.json", &keys);
    write(
        &folder,
        "rules.json",
        &json!([rule("api", "anonymous", "allow", "id_token")]),
    );
    let mut config = config();
    let url = format!("file://{}", folder.path().join("keys.json").display());
    config["mutators"]["id_token"] = json!({"enabled": true, "config": {
        "issuer_url": "http://issuer.test", "jwks_url": url,
    }});
    let world = World::start_in(folder, &config);
    let answer = world.get("/.well-known/jwks.json");
    assert_eq!(answer.status, 200);
    let set: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(set["keys"][0]["kid"], "ES256-1");
    assert_eq!(set["keys"][0]["d"], Value::Null);
    let minted = world.ask("/api", &[]).header("authorization").unwrap();
    let expected = json!({"key": "ES256-1", "claims": {"sub": "anonymous"}});
    check_minted(&serde_json::from_value(expected).unwrap(), &minted).unwrap();
    let without = World::start(&crate::world::config(), &json!([]));
    assert_eq!(without.get("/.well-known/jwks.json").status, 500);
}
