use serde_json::{Value, json};

use super::*;
use crate::template::Template;

/// A rule that nothing can be said against, with `over` laid on top.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn rule(over: Value) -> Value {
    let plain = json!({
        "id": "one",
        "match": {"url": "http://h/a", "methods": ["GET"]},
        "authenticators": [{"handler": "anonymous"}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
    });
    crate::config::merge(Some(&plain), Some(&over))
}

fn findings(rules: &[Value]) -> Vec<Finding> {
    findings_with(None, rules)
}

fn findings_with(config: Option<&Value>, rules: &[Value]) -> Vec<Finding> {
    let rules = Value::Array(rules.to_vec());
    let source = RuleSource {
        file: "r.json",
        rules: &rules,
    };
    lint(config, &[source])
}

/// The same under a configuration that enables `authenticators`: then what they lack is missed.
fn said_with(authenticators: &[&str], rule: Value) -> Vec<(&'static str, String)> {
    let enabled = |names: &[&str]| -> Value {
        let names = names.iter();
        names
            .map(|name| ((*name).to_owned(), json!({"enabled": true})))
            .collect::<Map<_, _>>()
            .into()
    };
    let config = json!({
        "authenticators": enabled(authenticators),
        "authorizers": enabled(&["allow"]),
        "mutators": enabled(&["noop"]),
    });
    let findings = findings_with(Some(&config), &[rule]).into_iter();
    let findings = findings.filter(|it| it.code != "invalid");
    findings.map(|it| (it.code, it.place.path)).collect()
}

/// Codes with the keys that they are said of.
fn said(rules: &[Value]) -> Vec<(&'static str, String)> {
    let findings = findings(rules).into_iter();
    findings.map(|it| (it.code, it.place.path)).collect()
}

#[track_caller]
fn assert_said(over: Value, expected: &[(&str, &str)]) {
    let said = said(&[rule(over)]);
    let said: Vec<(&str, &str)> = said
        .iter()
        .map(|(code, key)| (*code, key.as_str()))
        .collect();
    assert_eq!(said, expected);
}

fn url(url: &str) -> Value {
    json!({"match": {"url": url}})
}

#[test]
fn a_plain_rule_is_clean() {
    assert_said(json!({}), &[]);
    assert_said(url("<https?>://<[^/]+>/api/<(?!a).*>"), &[]);
    assert_said(
        url("https://<[a-z]+\\.example\\.test>/users/<[0-9]+>/x"),
        &[],
    );
}

#[test]
fn doubtful_patterns_are_named() {
    let key = "match.url";
    assert_said(url("http://h/a/"), &[("unreachable", key)]);
    assert_said(url("http://h/a?b=<.*>"), &[("query-in-pattern", key)]);
    assert_said(url("http://h/a%20b"), &[("escape-in-pattern", key)]);
    assert_said(url("http://<.*>/a"), &[("host-crosses-slash", key)]);
    assert_said(url("http://<api.test|h>/a"), &[("dot-in-host", key)]);
    assert_said(
        url("http://<api.*|[a.b]>/a"),
        &[("host-crosses-slash", key)],
    );
    assert_said(url("http://h/a/<.*>/b"), &[("crosses-slash", key)]);
    assert_said(url("http://h/admin<.*>"), &[("open-ended", key)]);
    assert_said(url("http://h/<[a>"), &[("invalid", key)]);
}

#[test]
fn methods_ids_and_keys_are_looked_at() {
    let methods = |methods: Value| json!({"match": {"methods": methods}});
    assert_said(methods(json!([])), &[("no-methods", "match.methods")]);
    assert_said(
        methods(json!(["get", "GTE"])),
        &[("unknown-method", "match.methods")],
    );
    assert_said(json!({"id": ""}), &[("no-id", "id")]);
    assert_said(
        json!({"authenticator": []}),
        &[("unknown-key", "authenticator")],
    );
    assert_said(
        json!({"upstream": {"url": "http://x"}}),
        &[("upstream-ignored", "upstream")],
    );
    assert_said(
        json!({"gatepost": {"shadow": true}}),
        &[("shadow-mode", "gatepost.shadow")],
    );
    let twice = [rule(json!({})), rule(url("http://h/A"))];
    let codes: Vec<_> = said(&twice).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["duplicate-id", "case-twins"]);
}

#[test]
fn a_wider_rule_below_a_single_path_is_a_trap() {
    let narrow = || rule(json!({"id": "admin", "match": {"url": "http://h/admin"}}));
    let wide = || rule(json!({"id": "all", "match": {"url": "http://h/<(?!admin$).*>"}}));
    let found = findings(&[narrow(), wide()]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, "not-below");
    assert!(
        found[0].message.contains("`/admin/x`, is `all`'s"),
        "{}",
        found[0].message
    );
    let beside = rule(json!({"id": "item", "match": {"url": "http://h/admin/<[a-z]+>"}}));
    assert_eq!(said(&[narrow(), beside]), []);
}

#[test]
fn the_order_of_authenticators_is_looked_at() {
    let ask = |names: &[&str]| {
        let entries: Vec<Value> = names.iter().map(|name| json!({"handler": name})).collect();
        json!({ "authenticators": entries })
    };
    let second = "authenticators[1].handler";
    assert_said(ask(&["noop", "anonymous"]), &[("never-asked", second)]);
    assert_said(ask(&["anonymous", "unauthorized"]), &[]);
    let found = said(&[rule(ask(&["anonymous", "cookie_session"]))]);
    assert_eq!(found, [("never-asked", second.to_owned())]);
    let found = said_with(
        &["cookie_session", "anonymous"],
        rule(ask(&["cookie_session", "anonymous"])),
    );
    assert_eq!(
        found,
        [("any-cookie", "authenticators[0].config.only".to_owned())]
    );
}

#[test]
fn tokens_are_bound_and_keys_come_over_tls() {
    let said = |config: Value| {
        let jwt = json!({"authenticators": [{"handler": "jwt", "config": config}]});
        said_with(&["jwt"], rule(jwt))
    };
    let bound = json!({
        "jwks_urls": ["http://127.0.0.1:1/k", "https://id.test/k", "http://[::1]/k"],
        "trusted_issuers": ["i"], "target_audience": ["a"],
    });
    assert_eq!(said(bound), []);
    let key = |key: &str| format!("authenticators[0].config.{key}");
    assert_eq!(
        said(json!({"jwks_urls": ["http://id.test/k"]})),
        [
            ("any-issuer", key("trusted_issuers")),
            ("keys-in-cleartext", key("jwks_urls[0]")),
            ("any-audience", key("target_audience")),
        ]
    );
}

#[test]
fn templates_that_lose_or_leak_structure_are_named() {
    let subject = json!({
        "authenticators": [{"handler": "noop"}],
        "mutators": [{"handler": "header", "config": {"headers": {"X-User": "{{ print .Subject }}"}}}],
    });
    assert_said(
        subject,
        &[("no-caller", "mutators[0].config.headers.X-User")],
    );
    let template = |text| Template::parse(text).unwrap();
    let raw = |text| {
        let outputs = template(text).raw_outputs().into_iter();
        outputs
            .map(|it| (it.name, it.in_string))
            .collect::<Vec<_>>()
    };
    let named = |name: &str, in_string| [(name.to_owned(), in_string)];
    let both = "{\"a\": \"{{ .Extra.name }}\", \"b\": {{ toJson .Subject }}}";
    assert_eq!(raw(both), named(".Extra.name", true));
    assert_eq!(
        raw("{\"a\": {{ .Extra.name }}}"),
        named(".Extra.name", false)
    );
    assert_eq!(
        raw("{{ if .Extra.a }}{{ print .Subject }}{{ end }}"),
        named(".Subject", false)
    );
    assert!(raw("{{ .Extra.name | toJson }}{{ toJson .Subject }}{{ $x := .Subject }}").is_empty());
    assert!(template("{{ if eq .Subject \"a\" }}{{ end }}").reads(&["Subject"]));
    assert!(!template("{{ .Extra.Subject }}").reads(&["Subject"]));
}

#[test]
fn error_handlers_that_both_match_are_named() {
    let errors = |first: Value, second: Value| {
        json!({"errors": [
            {"handler": "json", "config": {"when": first}},
            {"handler": "www_authenticate", "config": {"when": second}},
        ]})
    };
    let when = |error: &str, accept: &str| json!([{"error": [error], "request": {"header": {"accept": [accept]}}}]);
    let key = "errors[1].config.when";
    let (json, html) = ("application/json", "text/html");
    assert_said(
        errors(when("forbidden", json), when("unauthorized", json)),
        &[],
    );
    assert_said(
        errors(when("forbidden", json), when("forbidden", html)),
        &[("both-may-answer", key)],
    );
    assert_said(
        errors(when("forbidden", "*/*"), when("forbidden", html)),
        &[("both-answer", key)],
    );
    assert_said(
        errors(json!([]), when("forbidden", html)),
        &[("both-answer", key)],
    );
}

#[test]
fn with_a_configuration_what_is_enabled_counts() {
    let config = json!({
        "authenticators": {"anonymous": {"enabled": true}, "noop": {"enabled": true}},
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}},
    });
    let rules = json!([
        rule(json!({})),
        rule(json!({"id": "two", "authorizer": {"handler": "deny"}}))
    ]);
    let source = RuleSource {
        file: "r.json",
        rules: &rules,
    };
    let found = lint(Some(&config), &[source]);
    let codes: Vec<_> = found
        .iter()
        .map(|it| (it.code, it.place.path.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            ("unused-handler", "authenticators.noop"),
            ("invalid", "authorizer.handler")
        ]
    );
    assert_eq!(
        found[1].remedy,
        "set `authorizers.deny.enabled: true` in the configuration"
    );
    assert_eq!(found[1].place.rule.as_deref(), Some("two"));
}

#[cfg(feature = "cel")]
#[test]
fn an_expression_without_a_variable_decides_nothing() {
    let with = |expression: &str| {
        let authorizer = json!({"handler": "cel", "config": {"expression": expression}});
        json!({"gatepost": {"authorizers": [authorizer]}})
    };
    let place = "gatepost.authorizers[0].config.expression";
    assert_said(with("1 < 2"), &[("constant-expression", place)]);
    assert_said(with("subject == 'a'"), &[]);
    assert_said(with("subjekt == 'a'"), &[("invalid", place)]);
}
