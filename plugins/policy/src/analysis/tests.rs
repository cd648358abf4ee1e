use serde_json::{Value, json};

use super::*;

fn analysis(strategy: &str, rules: &[(&str, &str)]) -> Analysis {
    let rules: Vec<Value> = rules
        .iter()
        .enumerate()
        .map(|(at, (methods, url))| {
            let methods: Vec<&str> = methods.split_whitespace().collect();
            json!({"id": at.to_string(), "match": {"url": url, "methods": methods}})
        })
        .collect();
    let config = json!({"access_rules": {"matching_strategy": strategy}});
    let source = RuleSource {
        file: "r",
        rules: &Value::Array(rules),
    };
    analyze(&config, &[source])
}

/// The one witness of two patterns, `None` where they are shown never to meet.
#[track_caller]
fn meeting(strategy: &str, a: &str, b: &str) -> Option<String> {
    let analysis = analysis(strategy, &[("GET", a), ("GET", b)]);
    assert!(analysis.undecided.is_empty(), "undecided: {a} and {b}");
    let mut overlaps = analysis.overlaps.into_iter();
    overlaps.next().map(|overlap| overlap.witness.url)
}

#[test]
fn the_witness_is_the_shortest_url_that_a_request_can_have() {
    for (a, b, url) in [
        ("http://h/a", "http://h/<.*>", Some("http://h/a")),
        ("http://h/<.*>", "http://h/<[^/]+>/x", Some("http://h/a/x")),
        ("<https?>://h/<a|b>", "https://<.*>/b", Some("https://h/b")),
        (
            "http://h/<[0-9]+>",
            "http://h/<[a-z0-9]{3}>",
            Some("http://h/000"),
        ),
        ("http://h/<[0-9]+>", "http://h/<[a-z]+>", None),
        ("http://h/<a+>", "http://h/<(aa)+>", Some("http://h/aa")),
        // Only a path that no request has would match both.
        ("http://h/a<.*>", "http://h/<.*>/", None),
        (
            "http://h/<.*>/b",
            "http://h/a<[/.]*>b",
            Some("http://h/a/b"),
        ),
        (
            "http://h/a<[/.]*>",
            "http://h/a<[^a]+>",
            Some("http://h/a."),
        ),
        ("http://h/<\\.+>", "http://h/<..?.?>", Some("http://h/...")),
        ("http://h/< >", "http://h/<.>", Some("http://h/%20")),
        ("http://h/<%.*>", "http://h/<.*>", Some("http://h/%25")),
        ("http://h/<é>", "http://h/<[^a-z]>", Some("http://h/%C3%A9")),
        ("http://<.*>/a", "http://h/b/<.*>", Some("http://h/b/a")),
    ] {
        assert_eq!(meeting("regexp", a, b).as_deref(), url, "{a} and {b}");
    }
}

#[test]
fn look_aheads_are_followed_exactly() {
    let api = "<https?>://<[^/]+>/api/<(?!orders(/|$)).*>";
    for (a, b, url) in [
        (api, "<https?>://<[^/]+>/api/orders<(/.*)?>", None),
        (api, "http://h/api/orders<.*>", Some("http://h/api/ordersa")),
        ("http://h/<(?!a)[a-c]+>", "http://h/<(?!b)[a-b]+>", None),
        ("http://h/<(?=a).*>", "http://h/<.*c>", Some("http://h/ac")),
        ("http://h/<((?!x).)*>", "http://h/<.*x.*>", None),
        ("http://h/<(?i:(?!admin).*)>", "http://h/<ADMIN>", None),
        (
            "http://h/<(?i:(?!admin$).*)>",
            "http://h/<ADMINS?>",
            Some("http://h/ADMINS"),
        ),
        (
            "http://h/<(?!admin\\b).*>",
            "http://h/<admin.>",
            Some("http://h/admina"),
        ),
    ] {
        assert_eq!(meeting("regexp", a, b).as_deref(), url, "{a} and {b}");
    }
}

#[test]
fn what_cannot_be_told_is_said_to_be_undecided() {
    let nested = "http://h/<(?!a(?!b)).*>";
    let meets = analysis("regexp", &[("GET", nested), ("GET", "http://h/<[ab]+>")]);
    assert_eq!(meets.overlaps[0].witness.url, "http://h/b");
    let never = analysis("regexp", &[("GET", nested), ("GET", "http://h/ac")]);
    assert_eq!((never.overlaps.len(), never.undecided.len()), (0, 1));
    assert!(!never.is_clean());
    let apart = analysis("regexp", &[("GET", nested), ("GET", "http://g/<.*>")]);
    assert!(apart.undecided.is_empty(), "a glance is enough");
}

#[test]
fn globs_are_compared_as_the_matcher_reads_them() {
    for (a, b, url) in [
        ("https://h/<*>", "https://h/<**>", Some("https://h/")),
        ("https://h/<*>/b", "https://h/a/<?>", Some("https://h/a/b")),
        (
            "https://h/<{foo*,bar*}>",
            "https://h/<ba?>",
            Some("https://h/bar"),
        ),
        ("https://h/<*>", "https://h/<[!a]>/<**>", None),
        ("https://h/a<*>", "https://h/a.<*>", None),
    ] {
        assert_eq!(meeting("glob", a, b).as_deref(), url, "{a} and {b}");
    }
}

#[test]
fn methods_keep_rules_apart() {
    let url = "http://h/<.*>";
    assert!(
        analysis("regexp", &[("GET", url), ("POST", url)])
            .overlaps
            .is_empty()
    );
    let analysis = analysis("regexp", &[("get POST", url), ("PUT Get", "http://h/a")]);
    assert_eq!(analysis.overlaps[0].methods, ["GET"]);
    assert_eq!(analysis.overlaps[0].witness.method, "GET");
    assert_eq!(analysis.overlaps[0].relation, Relation::SecondWithinFirst);
    assert!(analysis.shadowed.is_empty(), "PUT is only the second's");
}

#[test]
fn paths_are_compared_as_the_configuration_has_them_read() {
    let rules = json!([
        {"id": "a", "match": {"url": "http://h/a/", "methods": ["GET"]}},
        {"id": "b", "match": {"url": "http://h/a<.*>", "methods": ["GET"]}},
    ]);
    let source = RuleSource {
        file: "r",
        rules: &rules,
    };
    let kept = analyze(&json!({"gatepost": {"path_cleaning": "v0.40"}}), &[source]);
    assert_eq!(kept.overlaps[0].witness.url, "http://h/a/");
    assert_eq!(kept.unreachable, []);
    let cleaned = analyze(&Value::Null, &[source]);
    assert_eq!((cleaned.overlaps.len(), cleaned.unreachable.len()), (0, 1));
}

#[test]
fn priorities_conditions_and_default_rules_count() {
    let overlaps = |first: Value, second: Value| {
        let rule =
            |own| json!({"match": {"url": "http://h/a", "methods": ["GET"]}, "gatepost": own});
        let rules = json!([rule(first), rule(second), {"gatepost": {"default": true}}]);
        let source = RuleSource {
            file: "r",
            rules: &rules,
        };
        let analysis = analyze(&Value::Null, &[source]);
        assert!(analysis.left_out.is_empty() && analysis.uncovered.is_empty());
        (
            analysis.is_clean(),
            analysis.overlaps,
            analysis.shadowed.len(),
        )
    };
    let header = |value: Value| json!({"match": {"headers": {"X-A": value}}});
    let (_, found, shadowed) = overlaps(json!({"priority": 1}), json!({}));
    assert_eq!(found[0].decides.as_ref().unwrap().rule, "#1");
    assert_eq!(shadowed, 1);
    let higher = json!({"priority": 1, "match": {"headers": {"X-A": "<.*>"}}});
    let (clean, found, shadowed) = overlaps(higher, json!({}));
    assert!(clean && found[0].conditional);
    assert_eq!(shadowed, 0, "requests without the header are the second's");
    assert!(
        overlaps(header(json!("a")), header(json!("b")))
            .1
            .is_empty()
    );
    assert!(
        overlaps(header(json!("a")), header(Value::Null))
            .1
            .is_empty()
    );
    assert_eq!(
        overlaps(header(json!("a")), header(json!("<.*>"))).1.len(),
        1
    );
}

#[test]
fn a_rule_within_another_is_shadowed() {
    let rules = [("GET", "http://h/<.*>"), ("GET", "http://h/a/<[0-9]+>")];
    let shadowed = analysis("regexp", &rules).shadowed;
    assert_eq!(shadowed.len(), 1);
    assert_eq!(
        (shadowed[0].rule.rule.as_str(), shadowed[0].by.rule.as_str()),
        ("1", "0")
    );
    assert!(shadowed[0].refused);
    let same = analysis(
        "regexp",
        &[("GET", "http://h/<a|b>"), ("GET", "http://h/<[ab]>")],
    );
    assert_eq!(same.overlaps[0].relation, Relation::Same);
    assert_eq!(same.shadowed.len(), 2);
    let look_ahead = [("GET", "http://h/<(?!a).*>"), ("GET", "http://h/<[b-z]+>")];
    assert_eq!(analysis("regexp", &look_ahead).shadowed.len(), 1);
}

#[test]
fn what_no_request_can_be_is_unreachable() {
    for (url, reason) in [
        ("h/a", "no scheme"),
        ("http://h/a/", "trailing slash"),
        ("http://H.test/a", "lower case"),
        ("http://h/a//b", "repeated"),
        ("http://h/a/../b", "dot segments"),
        ("http://h", "every path begins"),
        ("http://h/<a\\\\b>", "no canonical URL"),
        ("ftp://h/a", "no canonical URL"),
        ("http://h_ö/a", "no canonical URL"),
    ] {
        let unreachable = analysis("regexp", &[("GET", url)]).unreachable;
        let said = unreachable
            .first()
            .unwrap_or_else(|| panic!("{url} is reachable"));
        assert!(said.reason.contains(reason), "{url}: {}", said.reason);
    }
    let none = analysis("regexp", &[("", "http://h/a")]);
    assert!(none.unreachable[0].reason.contains("no methods"));
    for url in [
        "<.*>",
        "http://h/",
        "http://[::1]:80/a",
        "http://h/a/<.*>",
        "http://h/...",
        "http://h/a%b",
    ] {
        assert_eq!(analysis("regexp", &[("GET", url)]).unreachable, [], "{url}");
    }
}
