//! The clients and the person of the tour, made through the server's own APIs.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::stage::{Stage, admin, public};
use crate::{
    http::{Answer, Request, encode},
    progress::step,
};

/// The person's address.
pub(super) const EMAIL: &str = "ada@example.test";
/// The person's password.
pub(super) const PASSWORD: &str = "quiet otter climbs nine bridges";

/// A client of the token endpoint.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

/// Who and what the tour needs.
#[derive(Debug)]
pub(super) struct People {
    /// May read orders, not change them.
    pub(super) reader: Client,
    /// A token of the reader.
    pub(super) good: String,
    /// A token that has expired.
    pub(super) expired: String,
    /// A token that somebody else signed.
    pub(super) strangers: String,
    /// The signed-in person's cookies, as a `Cookie` header.
    pub(super) cookie: String,
    /// The person's identity id.
    pub(super) person: String,
}

pub(super) fn seed(stage: &mut Stage) -> Result<People> {
    step("seeding clients, tokens and a person", || {
        let reader = client("reader", "orders.read", None)?;
        let good = reader.token()?;
        let brief = client("brief", "orders.read", Some("1s"))?;
        let expired = brief.token()?;
        let person = identity()?;
        let cookie = sign_in()?;
        let strangers = strangers(stage)?;
        // The brief token's second, and one for the clocks.
        thread::sleep(Duration::from_millis(2100));
        Ok(People {
            reader,
            good,
            expired,
            strangers,
            cookie,
            person,
        })
    })
}

fn client(name: &str, scope: &str, lifespan: Option<&str>) -> Result<Client> {
    let wanted = json!({
        "client_name": name, "grant_types": ["client_credentials"], "scope": scope,
        "token_endpoint_auth_method": "client_secret_post", "access_token_strategy": "jwt",
        "client_credentials_grant_access_token_lifespan": lifespan,
    });
    let made = demand(&Request::json(&admin("/admin/clients"), &wanted), 201)?.json()?;
    Ok(Client {
        id: text(&made, "/client_id")?,
        secret: text(&made, "/client_secret")?,
    })
}

impl Client {
    /// A fresh access token.
    pub(super) fn token(&self) -> Result<String> {
        let fields = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=orders.read",
            encode(&self.id),
            encode(&self.secret)
        );
        let answer = demand(&Request::form(&public("/oauth2/token"), &fields), 200)?;
        text(&answer.json()?, "/access_token")
    }
}

fn identity() -> Result<String> {
    let wanted = json!({
        "schema_id": "default", "traits": {"email": EMAIL},
        "credentials": {"password": {"config": {"password": PASSWORD}}},
    });
    let answer = Request::json(&admin("/admin/identities"), &wanted).send()?;
    match answer.status {
        201 => text(&answer.json()?, "/id"),
        // A kept database knows her already.
        409 => {
            let url = admin(&format!(
                "/admin/identities?credentials_identifier={}",
                encode(EMAIL)
            ));
            text(&demand(&Request::get(&url), 200)?.json()?, "/0/id")
        }
        _ => bail!(
            "gatepost makes no identity: {} {}",
            answer.status,
            answer.body
        ),
    }
}

/// What a browser does on the sign-in page, without the browser: begins a flow, posts its form.
fn sign_in() -> Result<String> {
    let begin =
        Request::get(&public("/self-service/login/browser")).header("accept", "application/json");
    let begun = demand(&begin, 200)?;
    let flow = begun.json()?;
    let fields = format!(
        "method=password&identifier={}&password={}&csrf_token={}",
        encode(EMAIL),
        encode(PASSWORD),
        encode(&csrf_token(&flow)?)
    );
    let submit = Request::form(&text(&flow, "/ui/action")?, &fields)
        .header("accept", "text/html")
        .header("cookie", jar(&begun));
    let answer = submit.send()?;
    if !(answer.status == 303 || answer.status == 302) || answer.cookies().is_empty() {
        bail!("signing in failed: {} {}", answer.status, answer.body);
    }
    let mut cookies = jar(&begun);
    for (name, value) in answer.cookies() {
        cookies.push_str(&format!("; {name}={value}"));
    }
    Ok(cookies)
}

fn jar(answer: &Answer) -> String {
    let pairs: Vec<_> = answer
        .cookies()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

fn csrf_token(flow: &Value) -> Result<String> {
    let nodes = flow
        .pointer("/ui/nodes")
        .and_then(Value::as_array)
        .context("the flow has no form")?;
    let attributes = nodes.iter().filter_map(|node| node.get("attributes"));
    let mut tokens =
        attributes.filter(|field| field.get("name").is_some_and(|name| name == "csrf_token"));
    text(
        tokens.next().context("the form has no `csrf_token`")?,
        "/value",
    )
}

fn strangers(stage: &Stage) -> Result<String> {
    let jwks = demand(&Request::get(&public("/.well-known/jwks.json")), 200)?.json()?;
    let discovery = Request::get(&public("/.well-known/openid-configuration"));
    let issuer = text(&demand(&discovery, 200)?.json()?, "/issuer")?;
    stage.strangers_token(&text(&jwks, "/keys/0/kid")?, &issuer, in_an_hour()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a developer's tool; the token is for the real clock"
)]
fn in_an_hour() -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)?
        .as_secs()
        .saturating_add(3600))
}

/// Sends the request and demands this status.
fn demand(request: &Request, status: u16) -> Result<Answer> {
    let answer = request.send()?;
    if answer.status != status {
        bail!(
            "{} {} answered {} instead of {status}: {}",
            request.method,
            request.url,
            answer.status,
            answer.body
        );
    }
    Ok(answer)
}

fn text(json: &Value, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no `{pointer}` in {json}"))
}
