#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use super::*;

fn errors(text: &str) -> Vec<String> {
    read(text.into()).err().unwrap()
}

#[test]
fn an_empty_configuration_is_an_error_with_its_remedy() {
    for nothing in ["", "  \n"] {
        let errors = errors(nothing);
        assert!(
            errors
                .iter()
                .any(|e| e.contains("give it JSON with `config`")),
            "{errors:?}"
        );
    }
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let errors = errors(r#"{"config": {}, "rules": [], "cluster": {}}"#);
    assert!(errors.iter().any(|e| e.contains("`cluster`")), "{errors:?}");
}

const JWT: &str = r#"{"enabled": true, "config": {"jwks_urls": ["http://id.test/keys"]}}"#;

#[test]
fn an_origin_without_a_cluster_is_named_with_its_place() {
    let errors = errors(&format!(
        r#"{{"config": {{"authenticators": {{"jwt": {JWT}}}, "authorizers": {{"allow": {{"enabled": true}}}},
            "mutators": {{"noop": {{"enabled": true}}}}}},
            "rules": [{{"id": "api", "match": {{"url": "http://app.test/x", "methods": ["GET"]}},
            "authenticators": [{{"handler": "jwt"}}], "authorizer": {{"handler": "allow"}},
            "mutators": [{{"handler": "noop"}}]}}]}}"#
    ));
    let [error] = errors.as_slice() else {
        panic!("{errors:?}")
    };
    for part in ["http://id.test", "jwks_urls", "`clusters`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
