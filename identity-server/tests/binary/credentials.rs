//! `gatepost credentials generate`: what it prints is what the handlers of rules take.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use gatepost_policy::{RuleSource, Sources, compile};
use serde_json::{Value, json};

use crate::server::{gatepost, run};

fn generate(folder: &Path, arguments: &[&str]) -> Output {
    run(
        folder,
        &[&["credentials", "generate"], arguments].concat(),
        &[],
    )
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = generate(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What is wrong with a rule of this authenticator and this mutator.
fn faults(gatepost: &Value, mutators: &Value, key_set: Option<Value>) -> Vec<String> {
    let rules = json!([{
        "id": "it",
        "match": {"url": "http://app.example/", "methods": ["GET"]},
        "authenticators": [{"handler": "noop"}],
        "authorizer": {"handler": "allow"},
        "mutators": mutators,
        "gatepost": gatepost,
    }]);
    let config = json!({
        "authenticators": {"noop": {"enabled": true}},
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {
            "noop": {"enabled": true},
            "id_token": {"enabled": true, "config": {"issuer_url": "https://a.example/", "jwks_url": "file:///keys.json"}},
        },
    });
    let documents = key_set.map(|set| ("file:///keys.json".to_owned(), set));
    let policy = compile(&Sources {
        config: &config,
        rules: &[RuleSource {
            file: "rules.json",
            rules: &rules,
        }],
        documents: &documents.into_iter().collect(),
    });
    let policy = policy.unwrap_or_else(|errors| panic!("{errors}"));
    policy.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn a_signing_key_is_printed_as_oathkeeper_prints_it() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, kty) in [
        (&["--alg", "RS256", "--kid", "mine"][..], "RSA"),
        (&["--alg", "ps256", "--kid", "mine"], "RSA"),
        (&["--alg", "ES256", "--kid", "mine"], "EC"),
        (&["jwks", "--alg", "EdDSA", "--kid", "mine"], "OKP"),
        (
            &["jwks", "--alg", "HS256", "--kid", "mine", "--bits", "512"],
            "oct",
        ),
    ] {
        let set: Value = serde_json::from_str(&printed(folder.path(), arguments)).unwrap();
        let [key] = set["keys"].as_array().unwrap().as_slice() else {
            panic!("one key");
        };
        assert_eq!(
            (&key["kty"], &key["kid"], &key["use"]),
            (&json!(kty), &json!("mine"), &json!("sig"))
        );
        let mutators = json!([{"handler": "id_token"}]);
        assert_eq!(faults(&json!({}), &mutators, Some(set)), [""; 0]);
    }
    let kid = |text: &str| serde_json::from_str::<Value>(text).unwrap()["keys"][0]["kid"].clone();
    let random = || kid(&printed(folder.path(), &["--alg", "ES256"]));
    assert_ne!(random(), random());
}

#[test]
fn an_api_key_comes_with_the_hash_that_rules_take() {
    let folder = tempfile::tempdir().unwrap();
    let printed = printed(folder.path(), &["api-key", "--format", "json"]);
    let made: Value = serde_json::from_str(&printed).unwrap();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("gatepost_") && key.len() > 50, "{key}");
    let handler =
        json!({"handler": "api_key", "config": {"keys": [{"id": "ci", "hash": made["hash"]}]}});
    let gatepost = json!({"authenticators": [handler]});
    assert_eq!(
        faults(&gatepost, &json!([{"handler": "noop"}]), None),
        [""; 0]
    );
}

#[test]
fn a_password_is_read_from_standard_input_and_its_hash_is_one_that_rules_take() {
    let folder = tempfile::tempdir().unwrap();
    let hash_of = |input: &str| {
        let mut child = gatepost(folder.path(), &["credentials", "generate", "password"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    let output = hash_of("open sesame\n");
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    let handler = json!({"handler": "basic", "config": {"users": [{"username": "ada", "password_hash": hash.trim()}]}});
    let gatepost = json!({"authenticators": [handler]});
    assert_eq!(
        faults(&gatepost, &json!([{"handler": "noop"}]), None),
        [""; 0]
    );

    let refused = hash_of("\n");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is empty"));
}

#[test]
fn what_cannot_be_made_is_said_with_what_can() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&[][..], "--alg <ALGORITHM>"),
        (&["--alg", "ES512"], "possible values"),
        (&["--alg", "RS256", "--bits", "1024"], "2048"),
        (&["--alg", "ES256", "--kid", ""], "must not be empty"),
    ] {
        let output = generate(folder.path(), arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && complaint.contains(said),
            "{complaint}"
        );
    }
}
