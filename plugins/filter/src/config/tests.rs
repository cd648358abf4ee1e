#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use super::*;

fn errors(text: &str) -> Vec<String> {
    read(text.as_bytes()).err().unwrap()
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

#[test]
fn each_bad_entry_of_clusters_is_named() {
    let errors = errors(
        r#"{"config": {}, "rules": [], "clusters": {"id.test": "a", "http://x/y": "b", "http://z": ""}}"#,
    );
    for origin in ["`id.test`", "`http://x/y`", "`http://z`"] {
        assert!(
            errors.iter().any(|e| e.contains(origin)),
            "{origin}: {errors:?}"
        );
    }
}

#[test]
fn spellings_of_one_origin_are_one() {
    let mut errors = Vec::new();
    let written = [("HTTP://Id.Test:80/".to_owned(), "idp".to_owned())];
    let clusters = clusters(&written.into(), &mut errors);
    assert_eq!(clusters["http://id.test"], "idp");
    assert_eq!(errors, Vec::<String>::new());
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
