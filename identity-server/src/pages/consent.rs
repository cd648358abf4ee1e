//! `/consent`: may this app have what it asks for?

use askama::Template;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};

use super::page::{self, Chrome};
use super::{Person, error};
use crate::App;
use crate::flows::challenge::refusal;
use crate::flows::csrf;
use crate::flows::exchange::{Exchange, see_other, with_cookies};
use crate::flows::refusal::Refusal;
use crate::flows::submission::Submission;
use crate::identity::Identity;
use crate::oauth2::flow::SessionClaims;
use crate::oauth2::interaction::{
    self, AcceptConsent, ConsentRequest, InteractionError, Reject, accept_consent, reject_consent,
};
use crate::sessions::current;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    chrome: Chrome,
    client: String,
    person: Person,
    scopes: Vec<Scope>,
    links: Vec<Link>,
    csrf_token: String,
    challenge: String,
}

struct Scope {
    name: String,
    meaning: String,
    show_name: bool,
}

struct Link {
    url: String,
    label: &'static str,
}

/// `GET /consent?consent_challenge=`: asks, unless nobody needs to be asked.
pub async fn show(exchange: Exchange) -> Response {
    try_show(&exchange)
        .await
        .unwrap_or_else(|refusal| error::for_refusal(&refusal))
}

/// `POST /consent`: takes the answer.
pub async fn decide(exchange: Exchange, body: Bytes) -> Response {
    try_decide(&exchange, &body)
        .await
        .unwrap_or_else(|refusal| error::for_refusal(&refusal))
}

async fn try_show(exchange: &Exchange) -> Result<Response, Refusal> {
    let app = &exchange.app;
    let challenge = exchange.query("consent_challenge");
    let challenge = challenge.ok_or_else(|| {
        Refusal::bad_request("The query parameter `consent_challenge` is missing")
    })?;
    let request = match interaction::consent_request(app, &challenge).await {
        Err(InteractionError::Handled { redirect_to }) => return Ok(see_other(&redirect_to)),
        other => other.map_err(refusal)?,
    };
    let identity = asked_person(exchange, &request).await?;
    if request.skip() {
        return accept(app, &challenge, &request, &identity, false).await;
    }
    let (secret, cookie) = exchange.csrf_secret()?;
    let page = ConsentPage {
        chrome: Chrome::new(),
        client: client_name(&request),
        person: Person::of(&identity),
        scopes: request
            .requested_scope()
            .iter()
            .map(|name| explain(name))
            .collect(),
        links: links(&request),
        csrf_token: secret.mask(app.entropy())?,
        challenge,
    };
    let mut destinations = request.client.profile.redirect_uris.clone();
    destinations.extend(app.settings().urls.error.clone());
    let response = page::render(StatusCode::OK, &page, &destinations)?;
    Ok(with_cookies(response, cookie))
}

async fn try_decide(exchange: &Exchange, body: &[u8]) -> Result<Response, Refusal> {
    let app = &exchange.app;
    let form = Submission::parse(&exchange.headers, body)?;
    if !csrf::is_ours(app.settings(), &exchange.headers, form.text("csrf_token")) {
        return Err(Refusal::csrf());
    }
    let challenge = form.text("consent_challenge");
    let challenge = challenge
        .ok_or_else(|| Refusal::bad_request("The field `consent_challenge` is missing"))?;
    let request = match interaction::consent_request(app, challenge).await {
        Err(InteractionError::Handled { redirect_to }) => return Ok(see_other(&redirect_to)),
        other => other.map_err(refusal)?,
    };
    let identity = asked_person(exchange, &request).await?;
    match form.text("decision") {
        Some("accept") => {
            accept(
                app,
                challenge,
                &request,
                &identity,
                form.text("remember") == Some("true"),
            )
            .await
        }
        Some("reject") => {
            let reject = Reject {
                error: Some("access_denied".into()),
                error_description: Some("The person at the browser said no".into()),
                error_hint: None,
            };
            Ok(see_other(
                &reject_consent(app, challenge, reject)
                    .await
                    .map_err(refusal)?,
            ))
        }
        _ => Err(Refusal::bad_request(
            "The field `decision` must be `accept` or `reject`",
        )),
    }
}

/// Whoever signed in for this request, if it is they who sit at this browser: a consent link that was sent to
/// somebody else must not let them decide, nor decide on their account.
async fn asked_person(exchange: &Exchange, request: &ConsentRequest) -> Result<Identity, Refusal> {
    let current = current::current(&exchange.app, &exchange.headers).await?;
    let same = current.filter(|current| current.identity.id.to_string() == request.subject());
    same.map(|current| current.identity).ok_or_else(|| {
        Refusal::forbidden("You are not signed in as the person whom this request is about")
    })
}

async fn accept(
    app: &App,
    challenge: &str,
    request: &ConsentRequest,
    identity: &Identity,
    remember: bool,
) -> Result<Response, Refusal> {
    let scopes = request.requested_scope();
    let accept = AcceptConsent {
        grant_scope: scopes.to_vec(),
        grant_access_token_audience: request.requested_audience().to_vec(),
        session: SessionClaims {
            access_token: Map::new(),
            id_token: claims(scopes, identity),
        },
        remember,
        remember_for: 0,
        context: Value::Null,
    };
    Ok(see_other(
        &accept_consent(app, challenge, accept)
            .await
            .map_err(refusal)?,
    ))
}

/// What OpenID Connect Core, 5.4, lets these scopes see. Addresses are not verified yet, and say so.
fn claims(scopes: &[String], identity: &Identity) -> Map<String, Value> {
    let granted = |name: &str| scopes.iter().any(|scope| scope == name);
    let text = |name: &str| {
        identity
            .traits
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let mut claims = Map::new();
    if let (true, Some(email)) = (granted("email"), text("email")) {
        claims.insert("email".into(), email.into());
        claims.insert("email_verified".into(), Value::Bool(false));
    }
    if let (true, Some(name)) = (granted("profile"), text("name")) {
        claims.insert("name".into(), name.into());
    }
    claims
}

fn client_name(request: &ConsentRequest) -> String {
    let name = request.client.profile.client_name.trim();
    if name.is_empty() {
        request.client.id.to_string()
    } else {
        name.to_owned()
    }
}

fn explain(name: &str) -> Scope {
    let meaning = match name {
        "openid" => "Know that it is you, by the id of your account",
        "profile" => "See your name",
        "email" => "See your e-mail address",
        "offline" | "offline_access" => "Keep this access while you are away",
        "phone" => "See your telephone number",
        "address" => "See your postal address",
        _ => {
            let meaning = "Use the permission".to_owned();
            return Scope {
                name: name.to_owned(),
                meaning,
                show_name: true,
            };
        }
    };
    Scope {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        show_name: false,
    }
}

/// The app's own documents; only web addresses, because anybody may have registered them.
fn links(request: &ConsentRequest) -> Vec<Link> {
    let profile = &request.client.profile;
    let documents = [
        (&profile.client_uri, "About the app"),
        (&profile.policy_uri, "Privacy"),
        (&profile.tos_uri, "Terms"),
    ];
    documents
        .into_iter()
        .filter(|(url, _)| url.starts_with("https://") || url.starts_with("http://"))
        .map(|(url, label)| Link {
            url: url.clone(),
            label,
        })
        .collect()
}
