//! Who gets in, and in which order they are asked.

use serde_json::Value;

use super::{Findings, codes};
use crate::analysis::rule::{Handler, Rule};

/// What a handler lacks is only said where the whole configuration is known.
pub(super) fn check(findings: &mut Findings, rule: &Rule, complete: bool) {
    order(findings, rule, complete);
    for handler in &rule.authenticators {
        if handler.name == "jwt" && complete {
            jwt(findings, rule, handler);
        }
    }
    for handler in rule.handlers() {
        addresses(findings, rule, handler);
    }
}

/// Authenticators that no request comes to.
fn order(findings: &mut Findings, rule: &Rule, complete: bool) {
    for (at, first) in rule.authenticators.iter().enumerate() {
        let after = at.saturating_add(1);
        if first.extension.get("continue_on_failure") == Some(&Value::Bool(true)) {
            continue;
        }
        for later in rule.authenticators.iter().skip(after) {
            let why = match first.name.as_str() {
                "noop" | "unauthorized" => format!("`{}` before it settles every request", first.name),
                "anonymous" if !reads_authorization(later) => "`anonymous` before it takes every request without an `Authorization` header, whatever else that carries".to_owned(),
                _ => continue,
            };
            findings.add(
                codes::NEVER_ASKED,
                rule.place(&format!("{}.handler", later.path)),
                format!("`{}` is never asked: {why}", later.name),
                format!("put `{}` last", first.name),
            );
        }
        let is_last = rule.authenticators.len() == after;
        let any_cookie = first.name == "cookie_session" && list(first, "only").is_empty();
        if any_cookie && complete && !is_last {
            findings.add(
                codes::ANY_COOKIE,
                rule.place(&format!("{}.config.only", first.path)),
                "any cookie makes `cookie_session` responsible, so that one of another site's part keeps the caller from the authenticators after it",
                "name the session's cookie in `only`",
            );
        }
    }
}

/// Whether what the authenticator reads stands in `Authorization`.
fn reads_authorization(handler: &Handler) -> bool {
    let from = handler.config.get("token_from");
    match handler.name.as_str() {
        "cookie_session" => false,
        // Neither reads anything: they come after `anonymous` to refuse, or to take, all others.
        "noop" | "unauthorized" => true,
        _ => from.is_none_or(|from| {
            let header = from.get("header").and_then(Value::as_str);
            from.is_null() || header.is_some_and(|name| name.eq_ignore_ascii_case("authorization"))
        }),
    }
}

fn jwt(findings: &mut Findings, rule: &Rule, handler: &Handler) {
    let bound = handler.extension.get("issuers").is_some();
    if list(handler, "trusted_issuers").is_empty() && !bound {
        findings.add(
            codes::ANY_ISSUER,
            rule.place(&format!("{}.config.trusted_issuers", handler.path)),
            "tokens of any issuer are taken, if a key of the key sets has signed them",
            "name the issuers in `trusted_issuers`",
        );
    }
    if list(handler, "target_audience").is_empty() {
        findings.add(
            codes::ANY_AUDIENCE,
            rule.place(&format!("{}.config.target_audience", handler.path)),
            "tokens that were made for other services are taken",
            "name this service in `target_audience` (RFC 8725 section 3.9)",
        );
    }
}

fn list<'h>(handler: &'h Handler, key: &str) -> Vec<&'h Value> {
    let list = handler.config.get(key).and_then(Value::as_array);
    list.into_iter().flatten().collect()
}

/// The keys that hold URLs which are called.
const CALLED: &[&str] = &[
    "check_session_url",
    "introspection_url",
    "token_url",
    "remote",
    "base_url",
];

fn addresses(findings: &mut Findings, rule: &Rule, handler: &Handler) {
    for (index, url) in list(handler, "jwks_urls").into_iter().enumerate() {
        if is_cleartext(url) {
            let place = rule.place(&format!("{}.config.jwks_urls[{index}]", handler.path));
            findings.add(
                codes::KEYS_IN_CLEARTEXT,
                place,
                format!("the keys at {url} are fetched without TLS"),
                "use `https`",
            );
        }
    }
    let api = handler.config.get("api").and_then(|api| api.get("url"));
    let called = CALLED
        .iter()
        .filter_map(|key| Some((*key, handler.config.get(*key)?)))
        .chain(api.map(|url| ("api.url", url)));
    for (key, url) in called.filter(|(_, url)| is_cleartext(url)) {
        findings.add(
            codes::CALL_IN_CLEARTEXT,
            rule.place(&format!("{}.config.{key}", handler.path)),
            format!("{url} is called without TLS"),
            "use `https`, unless the proxy's cluster for it speaks TLS by itself",
        );
    }
}

/// `http` to somewhere else than this machine.
fn is_cleartext(url: &Value) -> bool {
    let Some(rest) = url.as_str().and_then(|url| url.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<std::net::IpAddr>();
    host != "localhost" && !address.is_ok_and(|address| address.is_loopback())
}
