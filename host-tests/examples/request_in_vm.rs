//! What a request costs inside the VM, by the instructions that wasmtime counts: no other program disturbs
//! them. One rule, one RS256 token sent again and again, one header set.

use std::error::Error;

use gatepost_cases::{install_crypto, jwks, sign};
use host_tests::{Answer, Host, Outcome, Request};
use serde_json::{Value, json};

/// How many requests the mean is taken over, and how many warm up the caches before.
const REQUESTS: u64 = 200;
const FIRST: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    install_crypto();
    let keys = jwks(&["RS256-1".to_owned()])?.to_string();
    let mut host = Host::counting().cluster("idp", move |_| Answer::ok(keys.as_str()));
    host.configure(&configuration())
        .map_err(|problems| problems.join("\n"))?;
    let token = sign(&serde_json::from_value(
        json!({"key": "RS256-1", "claims": {
            "sub": "alice", "exp": host.unix_time() + 3600, "iat": host.unix_time(), "iss": "http://idp.test",
            "aud": ["shop"], "scope": "orders.read orders.write", "jti": "0c1d7a52-6b7d-4a0e-b0b2-1a2b3c4d5e6f",
        }}),
    )?)?;
    ask(&mut host, &token, FIRST)?;
    let before = host.executed();
    ask(&mut host, &token, REQUESTS)?;
    let executed = host.executed().saturating_sub(before);
    println!("{} instructions a request", executed / REQUESTS);
    Ok(())
}

fn ask(host: &mut Host, token: &str, times: u64) -> Result<(), Box<dyn Error>> {
    for _ in 0..times {
        match host.request(request(token)) {
            Outcome::Upstream(_) => {}
            other => return Err(format!("the request was not let through: {other:?}").into()),
        }
    }
    Ok(())
}

/// A browser's request as a proxy sees it.
fn request(token: &str) -> Request {
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    Request::get("/api/orders/17?page=2")
        .header("user-agent", browser)
        .header("accept", "*/*")
        .header("x-request-id", "0c1d7a52-6b7d-4a0e-b0b2-1a2b3c4d5e6f")
        .header("x-forwarded-proto", "http")
        .bearer(token)
}

fn configuration() -> Value {
    json!({
        "config": {
            "authenticators": {"jwt": {"enabled": true, "config": {
                "jwks_urls": ["http://idp.test/keys"], "trusted_issuers": ["http://idp.test"],
                "target_audience": ["shop"], "allowed_algorithms": ["RS256"],
            }}},
            "authorizers": {"allow": {"enabled": true}},
            "mutators": {"header": {"enabled": true, "config": {"headers": {"X-User": "{{ print .Subject }}"}}}},
        },
        "rules": {"rules.json": [{
            "id": "api",
            "match": {"url": "http://app.test/api/<.*>", "methods": ["GET", "POST"]},
            "authenticators": [{"handler": "jwt"}],
            "authorizer": {"handler": "allow"},
            "mutators": [{"handler": "header"}],
        }]},
        "clusters": {"http://idp.test": "idp"},
    })
}
