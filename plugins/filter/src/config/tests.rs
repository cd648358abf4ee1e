#![allow(clippy::unwrap_used, reason = "test code")]

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
    for (written, normal) in [
        ("HTTP://Id.Test/", "http://id.test"),
        ("http://id.test:80", "http://id.test"),
        ("https://id.test:443", "https://id.test"),
        ("https://id.test:80", "https://id.test:80"),
        ("http://127.0.0.1:4444", "http://127.0.0.1:4444"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ] {
        assert_eq!(normal_origin(written), normal);
    }
}

#[test]
fn places_of_an_origin_are_told_as_paths() {
    let config =
        serde_json::json!({"a": {"urls": ["http://id.test/keys", "http://id.test.evil/"]}});
    let mut places = Vec::new();
    find(&config, "http://id.test", "config", &mut places);
    assert_eq!(places, ["config.a.urls[0]"]);
}
