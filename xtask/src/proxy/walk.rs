//! A few requests, each with what it must come to.

use std::{thread, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{ADMIN, FRONT, PUBLIC};
use crate::http::{Answer, Request, encode};

/// How often to ask a proxy that listens before it knows where requests go.
const TRIES: usize = 50;

/// Sends them; whether each came to what it must.
pub(super) fn walk() -> Result<bool> {
    let (token, client) = token()?;
    let bearer = format!("Bearer {token}");
    wait()?;
    println!(
        "\n    {:<34} {:>8} {:>6}  then",
        "request", "expected", "actual"
    );
    let lines = [
        line("/public", 200, "guest"),
        line("/public", 200, "guest").with("x-user", "root"),
        line("/api/orders", 401, ""),
        line("/api/orders", 200, &client).with("authorization", &bearer),
        line("/account?tab=1", 302, "http://127.0.0.1:4444/login"),
        line("/public/../admin", 403, ""),
        line("/nowhere", 404, ""),
    ];
    let mut passed = true;
    for line in lines {
        let answer = send(line.path, line.header)?;
        let seen = seen(&answer);
        let is_so = answer.status == line.status && seen.starts_with(line.then);
        passed &= is_so;
        let mark = if is_so { "✓" } else { "✗" };
        let how = line.header.map(|(name, _)| format!("with {name}"));
        let what = format!("GET {} {}", line.path, how.unwrap_or_default());
        let (expected, actual) = (line.status, answer.status);
        println!("  {mark} {what:<34} {expected:>8} {actual:>6}  {seen}");
    }
    Ok(passed)
}

/// A request and what it must come to.
struct Line<'a> {
    path: &'a str,
    header: Option<(&'a str, &'a str)>,
    status: u16,
    /// What [`seen`] must begin with.
    then: &'a str,
}

const fn line<'a>(path: &'a str, status: u16, then: &'a str) -> Line<'a> {
    Line {
        path,
        header: None,
        status,
        then,
    }
}

impl<'a> Line<'a> {
    const fn with(self, name: &'a str, value: &'a str) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }
}

/// Who the upstream was told that it is, or where the client is sent.
fn seen(answer: &Answer) -> String {
    let user = || {
        let told: Value = serde_json::from_str(&answer.body).ok()?;
        let headers = told.get("headers")?.as_array()?;
        let mut users = headers.iter().filter_map(|field| {
            let name = field.get(0)?.as_str()?;
            (name == "x-user").then(|| field.get(1)?.as_str().map(str::to_owned))?
        });
        users.next()
    };
    let location = || answer.header("location").map(str::to_owned);
    location().or_else(user).unwrap_or_default()
}

fn send(path: &str, header: Option<(&str, &str)>) -> Result<Answer> {
    let mut request = Request::get(&format!("http://127.0.0.1:{FRONT}{path}"));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.send()
}

/// Traefik answers 404 by itself until it has read its files.
fn wait() -> Result<()> {
    for _ in 0..TRIES {
        if send("/public", None)?.status == 200 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("`/public` is not served")
}

/// A token of a client that is made for it, and who that is.
fn token() -> Result<(String, String)> {
    let wanted = json!({
        "client_name": "walk", "grant_types": ["client_credentials"], "scope": "orders.read",
        "token_endpoint_auth_method": "client_secret_post", "access_token_strategy": "jwt",
    });
    let made = Request::json(&format!("http://127.0.0.1:{ADMIN}/admin/clients"), &wanted);
    let made = made.send()?.json()?;
    let id = text(&made, "client_id")?;
    let secret = text(&made, "client_secret")?;
    let fields = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=orders.read",
        encode(&id),
        encode(&secret)
    );
    let answer = Request::form(&format!("http://127.0.0.1:{PUBLIC}/oauth2/token"), &fields);
    let token = text(&answer.send()?.json()?, "access_token")?;
    Ok((token, id))
}

fn text(json: &Value, key: &str) -> Result<String> {
    let text = json.get(key).and_then(Value::as_str);
    let text = text.with_context(|| format!("gatepost tells no `{key}`: {json}"))?;
    Ok(text.to_owned())
}
