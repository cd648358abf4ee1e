//! Rules as companies with many teams have them, and requests for them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::{Value, json};

/// How many requests are made up.
const REQUESTS: usize = 1_500;

/// Writes a plugin configuration with so many rules, and requests for it; tells the folder.
pub(super) fn write(folder: &Path, rules: usize) -> Result<PathBuf> {
    let folder = folder.join(rules.to_string());
    fs::create_dir_all(&folder)?;
    let list: Vec<_> = (0..rules).map(rule).collect();
    let plugin = json!({
        "config": config(),
        "clusters": {"http://issuer.test": "issuer"},
        "rules": list,
    });
    fs::write(folder.join("plugin.json"), plugin.to_string())?;
    let requests: Vec<_> = (0..REQUESTS).map(|number| request(number, rules)).collect();
    fs::write(folder.join("requests.json"), json!(requests).to_string())?;
    Ok(folder)
}

fn config() -> Value {
    json!({
        "authenticators": {
            "anonymous": {"enabled": true},
            "jwt": {"enabled": true, "config": {
                "jwks_urls": ["http://issuer.test/jwks.json"],
                "trusted_issuers": ["http://issuer.test"],
                "scope_strategy": "exact",
            }},
        },
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {"header": {"enabled": true, "config": {"headers": {}}}},
    })
}

/// A rule whose URL, scope and headers no other rule has: nothing of it can be shared.
fn rule(number: usize) -> Value {
    let team = format!("team-{number:05}");
    json!({
        "id": team,
        "version": "v0.40.0",
        "upstream": {"url": format!("http://{team}.internal:8080")},
        "match": {"methods": ["GET", "POST", "PUT", "DELETE"], "url": pattern(number)},
        "authenticators": [
            {"handler": "jwt", "config": {"required_scope": [format!("{team}.read")]}},
            {"handler": "anonymous"},
        ],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "header", "config": {"headers": {
            "X-User": "{{ print .Subject }}",
            "X-Team": team,
        }}}],
        "errors": [{"handler": "json"}],
    })
}

/// Literal URLs, wild cards at the end, in the middle and in the host, and a look-ahead.
fn pattern(number: usize) -> String {
    match number % 6 {
        0 => format!("<https?>://api.example.test/team-{number:05}/<[0-9]+>/items<(/.*)?>"),
        1 => format!("https://api.example.test/status/team-{number:05}"),
        2 => format!("https://api.example.test/files/team-{number:05}/<.*>"),
        3 => format!("<https?>://<[^/]+>/svc-{number:05}/<[^/]+>/detail"),
        4 => format!("<http|https>://tenant-{number:05}.example.test/<.*>"),
        _ => format!("https://api.example.test/users-{number:05}/<(?!admin)[a-z0-9-]+>"),
    }
}

/// The host and path of a request. Two of three match a rule, and those are spread over all rules;
/// the third comes close to one.
fn request(number: usize, rules: usize) -> (String, String) {
    // Steps that have no factor in common with the numbers of rules reach every rule.
    let rule = number.wrapping_mul(7_919) % rules;
    let api = "api.example.test".to_owned();
    let missed = number % 3 == 2;
    match (rule % 6, missed) {
        (0, false) => (api, format!("/team-{rule:05}/{number}/items/parts")),
        (0, true) => (api, format!("/team-{rule:05}/parts/items")),
        (1, false) => (api, format!("/status/team-{rule:05}")),
        (1, true) => (api, format!("/status/team-{rule:05}/history")),
        (2, false) => (
            api,
            format!("/files/team-{rule:05}/reports/2026/{number}.pdf"),
        ),
        (2, true) => (api, format!("/archive/team-{rule:05}/{number}.pdf")),
        (3, false) => (api, format!("/svc-{rule:05}/order-{number}/detail")),
        (3, true) => (api, format!("/svc-{rule:05}/order-{number}/summary")),
        (4, false) => (
            format!("tenant-{rule:05}.example.test"),
            format!("/orders/{number}"),
        ),
        (4, true) => (
            format!("tenant-{rule:05}.example.com"),
            format!("/orders/{number}"),
        ),
        (_, false) => (api, format!("/users-{rule:05}/person-{number}")),
        (_, true) => (api, format!("/users-{rule:05}/administrator")),
    }
}
