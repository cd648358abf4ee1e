use serde_json::{Value, json};

use super::*;
use crate::{Engine, Headers, Request, RuleSource, Sources, Step, UnixTime, compile};

fn config(strategy: &str) -> Value {
    json!({
        "access_rules": {"matching_strategy": strategy},
        "authenticators": {
            "noop": {"enabled": true}, "anonymous": {"enabled": true},
            "cookie_session": {"enabled": true, "config": {
                "check_session_url": "http://store/whoami", "only": ["session"],
            }},
        },
        "authorizers": {"allow": {"enabled": true}, "deny": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}, "header": {"enabled": true, "config": {
            "headers": {"X-User": "{{ print .Subject }}", "Authorization": "Bearer {{ print .Subject }}"},
        }}},
    })
}

fn rule(id: &str, method: &str, url: &str) -> Value {
    json!({
        "id": id, "match": {"url": url, "methods": [method]},
        "authenticators": [{"handler": "cookie_session"}, {"handler": "anonymous"}],
        "authorizer": {"handler": "allow"}, "mutators": [{"handler": "header"}],
    })
}

fn request(method: &str, url: &str) -> Request {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let fields = [
        (":method", method),
        (":scheme", scheme),
        (":authority", host),
        (":path", path),
    ];
    Request {
        headers: fields.into_iter().collect::<Headers>(),
        ..Request::default()
    }
}

fn misses(strategy: &str, rules: &Value, method: &str, url: &str) -> Vec<(String, Vec<Miss>)> {
    let source = RuleSource {
        file: "rules.json",
        rules,
    };
    let trace = Trace {
        method: Some(method.to_owned()),
        url: Some(url.to_owned()),
        rules: vec!["itself".to_owned()],
        ..Trace::default()
    };
    near(&config(strategy), &[source], &trace)
        .into_iter()
        .map(|near| (near.rule, near.misses))
        .collect()
}

#[test]
fn near_misses_name_what_differs_the_nearest_first() {
    let rules = json!([
        rule("far", "GET", "<https?>://<[^/]+>/zebra"),
        rule("path", "GET", "<https?>://<[^/]+>/api/other"),
        rule("host", "GET", "https://api.example/api/orders"),
        rule("scheme", "GET", "http://<[^/]+>/api/orders"),
        rule("method", "POST", "<https?>://<[^/]+>/api/<.*>"),
        rule("whole", "GET", "<https?://x/.*>"),
        rule("itself", "GET", "https://shop.example/api/orders"),
        rule("outranked", "GET", "https://shop.example/<.*>"),
    ]);
    let found = misses("regexp", &rules, "GET", "https://shop.example/api/orders");
    let expected = [
        ("outranked", Miss::Precedence),
        ("method", Miss::Method),
        ("host", Miss::Host),
        ("scheme", Miss::Scheme),
        ("path", Miss::Path),
    ];
    let mut sorted = found.clone();
    sorted.sort();
    let mut expected: Vec<_> = expected
        .map(|(rule, miss)| (rule.to_owned(), vec![miss]))
        .to_vec();
    assert_eq!(found.last(), expected.last());
    expected.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn near_misses_are_found_among_globs_and_are_few() {
    let rules: Vec<_> = (0..50)
        .map(|number| rule(&format!("r{number}"), "GET", "https://<*>.example/api/<**>"))
        .collect();
    let found = misses("glob", &json!(rules), "GET", "https://a.b.example/api/x");
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|(_, misses)| misses == &[Miss::Host]));
}

#[test]
fn odd_rules_are_passed_over() {
    let rules = json!([null, 1, {}, {"match": 1}, {"match": {"url": 1}}, {"match": {"url": "<"}},
        {"match": {"url": "http://<(>/x"}}, {"Match": {"URL": "http://h/x", "Methods": ["PUT"]}}]);
    let found = misses("regexp", &rules, "GET", "http://h/x");
    assert_eq!(found, [(String::new(), vec![Miss::Method])]);
    assert!(misses("regexp", &Value::Null, "GET", "http://h/x").is_empty());
}

fn engine(rules: &Value) -> Engine {
    let source = RuleSource {
        file: "rules.json",
        rules,
    };
    let sources = Sources {
        config: &config("regexp"),
        rules: &[source],
        documents: &std::collections::BTreeMap::new(),
    };
    Engine::new(compile(&sources).unwrap(), [7; 32])
}

#[test]
fn each_handlers_turn_is_told_and_costs_nothing_unasked() {
    let mut engine = engine(&json!([rule("one", "GET", "<https?>://<[^/]+>/a")]));
    let now = UnixTime::from_secs(1_767_225_600);
    let request = request("GET", "https://h/a/");
    let Step::Done(decision) = engine.decide(&request, now) else {
        panic!("no call is needed");
    };
    assert!(decision.trace.is_none());
    let Step::Done(decision) = engine.explain(&request, now) else {
        panic!("no call is needed");
    };
    let told = serde_json::to_value(Explanation::of(decision, Vec::new())).unwrap();
    assert_eq!(told["url"], "https://h/a");
    assert_eq!(told["rules"], json!(["one"]));
    assert_eq!(told["captures"], json!(["https", "h"]));
    let turns: Vec<_> = told["turns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| {
            format!(
                "{} {} {}",
                turn["stage"], turn["handler"], turn["events"][0]["event"]
            )
        })
        .collect();
    assert_eq!(
        turns,
        [
            r#""authenticate" "cookie_session" "not_responsible""#,
            r#""authenticate" "anonymous" "known""#,
            r#""authorize" "allow" "passed""#,
            r#""mutate" "header" "passed""#,
        ]
    );
    assert_eq!(told["decision"]["verdict"], "allow");
    assert!(
        told["decision"]["set"].to_string().contains("(sha256:"),
        "{told}"
    );
}

#[test]
fn calls_are_told_as_they_are_made_and_answered() {
    let mut engine = engine(&json!([rule("one", "GET", "<https?>://<[^/]+>/a")]));
    let now = UnixTime::from_secs(1_767_225_600);
    let mut request = request("GET", "https://h/a");
    request.headers = request
        .headers
        .iter()
        .chain([(&b"cookie"[..], &b"session=hunter2"[..])])
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect();
    let Step::Call(_, pending) = engine.explain(&request, now) else {
        panic!("the session is asked for");
    };
    let waiting = pending.trace().unwrap();
    assert!(matches!(
        waiting.turns.last().unwrap().events.as_slice(),
        [crate::trace::Event::Asked { .. }]
    ));
    let Step::Done(decision) =
        engine.resume(pending, &request, Err(crate::FailedCall::TimedOut), now)
    else {
        panic!("the failure decides");
    };
    let told = serde_json::to_string(&Explanation::of(decision, Vec::new())).unwrap();
    assert!(!told.contains("hunter2"), "{told}");
    for part in [
        "\"asked\"",
        "\"answered\"",
        "no answer in time",
        "\"refused\"",
        "\"deny\"",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn what_no_rule_matches_is_told_too() {
    let mut engine = engine(&json!([
        rule("one", "GET", "<https?>://<[^/]+>/a"),
        rule("two", "GET", "<.*>://h/a"),
    ]));
    let now = UnixTime::from_secs(0);
    let mut rules_of = |url: &str| {
        let Step::Done(decision) = engine.explain(&request("GET", url), now) else {
            panic!("no call is needed");
        };
        let trace = decision.trace.unwrap();
        (trace.url, trace.rules.len(), trace.turns.len())
    };
    assert_eq!(
        rules_of("http://h/a"),
        (Some("http://h/a".to_owned()), 2, 0)
    );
    assert_eq!(
        rules_of("http://h/b"),
        (Some("http://h/b".to_owned()), 0, 0)
    );
    assert_eq!(rules_of("http://h/a%2fb"), (None, 0, 0));
}
