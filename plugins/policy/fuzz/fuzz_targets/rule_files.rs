//! Configuration and rules: JSON as it comes, or the corpus of cases with some of its values put
//! elsewhere. Nothing panics or takes long; mistakes are told; and an engine with what was accepted
//! takes a request without a panic.

#![no_main]

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use gatepost_cases::Case;
use gatepost_policy::{Engine, Policy, Request, RuleSource, Sources, UnixTime, compile};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static SEEDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let cases = Case::read_all(&folder).expect("the corpus is there");
    cases
        .into_iter()
        .map(|case| json!({"config": case.config, "rules": case.rules}))
        .collect()
});

fuzz_target!(|data: &[u8]| {
    let document = match data.split_first() {
        Some((0, text)) => serde_json::from_slice(text).ok(),
        Some((seed, edits)) => Some(edited(usize::from(*seed), edits)),
        None => None,
    };
    let Some(Value::Object(document)) = document else {
        return;
    };
    let part = |name: &str| document.get(name).cloned().unwrap_or_default();
    let (config, rules) = (part("config"), part("rules"));
    let source = RuleSource {
        file: "rules.json",
        rules: &rules,
    };
    let compiled = compile(&Sources {
        config: &config,
        rules: &[source],
        documents: &BTreeMap::new(),
    });
    match compiled {
        Ok(policy) => decide(policy),
        Err(errors) => {
            assert!(!errors.0.is_empty());
            assert!(errors.0.iter().all(|error| !error.to_string().is_empty()));
        }
    }
});

/// One request, as far as it goes without an answer from outside.
fn decide(policy: Policy) {
    let request = Request {
        headers: [
            (":method", &b"GET"[..]),
            (":scheme", b"http"),
            (":authority", b"h"),
            (":path", b"/both?x=1"),
            ("authorization", b"Bearer a.b.c"),
            ("cookie", b"sid=1"),
        ]
        .into_iter()
        .collect(),
        ..Request::default()
    };
    let mut engine = Engine::new(policy, [7; 32]);
    drop(engine.decide(&request, UnixTime::from_secs(1_767_225_600)));
}

/// A seed with values replaced: each edit walks down by some bytes, then puts a value there.
fn edited(seed: usize, edits: &[u8]) -> Value {
    let mut document = SEEDS[seed % SEEDS.len()].clone();
    for edit in edits.chunks_exact(8).take(16) {
        let [path @ .., kind, value] = edit else {
            continue;
        };
        let replacement = replacement(*kind, *value);
        if let Some(place) = walk(&mut document, path) {
            *place = replacement;
        }
    }
    document
}

/// The node that `path` leads to: each byte chooses among a node's children, 255 stops.
fn walk<'v>(value: &'v mut Value, path: &[u8]) -> Option<&'v mut Value> {
    let Some((choice, rest)) = path.split_first().filter(|(choice, _)| **choice != u8::MAX) else {
        return Some(value);
    };
    let choice = usize::from(*choice);
    let children = match value {
        Value::Array(array) => array.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    if children == 0 {
        return Some(value);
    }
    match value {
        Value::Array(array) => walk(array.get_mut(choice % children)?, rest),
        Value::Object(object) => walk(object.values_mut().nth(choice % children)?, rest),
        _ => None,
    }
}

fn replacement(kind: u8, value: u8) -> Value {
    const TEXTS: &[&str] = &[
        "", "regexp", "glob", "<.*>", "<", "<(?=a)>", "http://h/<(a|b)+>", "jwt", "header", "json",
        "noop", "unauthorized", "{{ .Subject }}", "{{", "{{ print .Extra.x }}", "5s", "1h30m", "@this",
        "a.b", "#", "http://id.test/x", "file:///x", "RS256", "10.0.0.0/8", "::1", "X-A", "\u{0}",
        "GET", "exact", "v0.30.0",
    ];
    match kind % 8 {
        0 => Value::Null,
        1 => json!(value % 2 == 0),
        2 => json!(i64::from(value).wrapping_mul(i64::MAX / 200)),
        3 => json!(f64::from(value) * 1e300),
        4 => json!([]),
        5 => json!({}),
        6 => json!(TEXTS[usize::from(value) % TEXTS.len()]),
        // A part of another seed.
        _ => {
            let mut other = SEEDS[usize::from(value) % SEEDS.len()].clone();
            let path = [1, value, value / 3, value / 7];
            walk(&mut other, &path).map(|part| part.take()).unwrap_or_default()
        }
    }
}
