//! What every flow does the same: opening, showing, submitting, and answering.

use axum::Json;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::challenge::{self, Asked, Next};
use super::csrf::{self, CsrfSecret};
use super::exchange::{Exchange, see_other, with_cookies};
use super::form::{Form, FormState, flow_json};
use super::refusal::Refusal;
use super::submission::Submission;
use super::{
    Flow, FlowKind, FlowState, LIFESPAN, Outcome, SignedIn, Transport, login, message, registration,
};
use crate::id::FlowId;
use crate::identity::{identifier, public_json, traits};
use crate::sessions::cookie;
use crate::sessions::current::{self, Current};

/// Longer queries are refused: each flow stores the address that opened it.
const MAX_QUERY: usize = 4096;

/// A client's own data of more bytes than this is refused: it is stored with the flow.
const MAX_TRANSIENT_PAYLOAD: usize = 4096;

/// The longest address of an OAuth2 request that is stored with a flow.
const MAX_REQUEST_URL: usize = 8192;

/// Opens a flow.
pub async fn open(exchange: Exchange, kind: FlowKind, transport: Transport) -> Response {
    let opened = match try_open(&exchange, kind, transport).await {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    if transport.is_browser() {
        exchange.refuse(opened).await
    } else {
        opened.into_response()
    }
}

async fn try_open(
    exchange: &Exchange,
    kind: FlowKind,
    transport: Transport,
) -> Result<Response, Refusal> {
    if exchange
        .uri
        .query()
        .is_some_and(|query| query.len() > MAX_QUERY)
    {
        return Err(Refusal::bad_request("The query is too long"));
    }
    let return_to = allowed_return_to(exchange)?;
    let signed_in = signed_in(exchange, transport).await?;
    let refresh = kind == FlowKind::Login && exchange.query("refresh").as_deref() == Some("true");
    if exchange.query("aal").as_deref() == Some("aal2") {
        return Err(signed_in.map_or_else(Refusal::no_first_factor, |_| {
            Refusal::bad_request("The account has no second factor")
        }));
    }
    let challenge = exchange
        .query("login_challenge")
        .filter(|_| transport.is_browser());
    if let (Some(_), None, false) = (&signed_in, &challenge, refresh) {
        return already_signed_in(exchange, transport, return_to.as_deref());
    }
    let (secret, cookie) = browser_secret(exchange, transport)?;
    let mut flow = new_flow(exchange, kind, transport, exchange.app.clock().now())?;
    flow.return_to = return_to;
    flow.csrf_digest = secret.as_ref().map(CsrfSecret::digest);
    if let Some(challenge) = challenge {
        match challenge::look(&exchange.app, &challenge, signed_in.as_ref()).await? {
            Next::GoTo(url) if exchange.wants_json() => return Err(Refusal::go_to(&url)),
            Next::GoTo(url) => return Ok(see_other(&url)),
            Next::Ask(asked) => answer_challenge(&mut flow, challenge, asked),
        }
    }
    // With a challenge, who is signed in but not recently enough has to prove again who they are.
    if let (Some(current), FlowKind::Login) = (&signed_in, kind) {
        confirm(&mut flow, current, exchange);
    }
    insert(exchange, &flow).await?;
    let wants_flow = !transport.is_browser() || exchange.wants_json();
    let response = if wants_flow {
        Json(view(exchange, &flow, secret.as_ref())?).into_response()
    } else {
        see_other(&flow.page(exchange.app.settings()))
    };
    Ok(with_cookies(response, cookie))
}

/// Shows a flow.
///
/// # Errors
/// 404, 410, and 403 if it was opened in another browser.
pub async fn show(exchange: &Exchange, kind: FlowKind) -> Result<Response, Refusal> {
    let id = exchange
        .query("id")
        .ok_or_else(|| Refusal::bad_request("The query parameter `id` is missing"))?;
    let flow = find(exchange, kind, &id).await?;
    let secret = secret_of(exchange, &flow)?;
    if flow.is_over(exchange.app.clock().now()) {
        return Err(Refusal::flow_gone(&flow, &init_url(exchange, &flow)));
    }
    Ok(Json(view(exchange, &flow, secret.as_ref())?).into_response())
}

/// A flow and its form, for the page that shows it.
///
/// # Errors
/// As [`show`].
pub async fn form(exchange: &Exchange, kind: FlowKind, id: &str) -> Result<(Flow, Form), Refusal> {
    let flow = find(exchange, kind, id).await?;
    let secret = secret_of(exchange, &flow)?;
    let form = form_of(exchange, &flow, secret.as_ref())?;
    Ok((flow, form))
}

/// Takes a submission.
pub async fn submit(exchange: Exchange, kind: FlowKind, body: Bytes) -> Response {
    match try_submit(&exchange, kind, &body).await {
        Ok(response) => response,
        Err((refusal, Some(Transport::Api))) => refusal.into_response(),
        Err((refusal, _)) => exchange.refuse(refusal).await,
    }
}

async fn try_submit(
    exchange: &Exchange,
    kind: FlowKind,
    body: &[u8],
) -> Result<Response, (Refusal, Option<Transport>)> {
    let early = |refusal: Refusal| (refusal, None);
    let id = exchange
        .query("flow")
        .ok_or_else(|| Refusal::bad_request("The query parameter `flow` is missing"));
    let flow = find(exchange, kind, &id.map_err(early)?)
        .await
        .map_err(early)?;
    let transport = flow.transport;
    let response = match Submission::parse(&exchange.headers, body) {
        Ok(submission) => submit_to(exchange, flow, &submission).await,
        Err(refusal) => Err(refusal),
    };
    response.map_err(|refusal| (refusal, Some(transport)))
}

async fn submit_to(
    exchange: &Exchange,
    flow: Flow,
    submission: &Submission,
) -> Result<Response, Refusal> {
    check_size(submission)?;
    let checked = check_forgery(exchange, &flow, submission);
    let signed_in = signed_in(exchange, flow.transport).await?;
    let elsewhere = signed_in.is_some() && (flow.refresh.is_none() || checked.is_err());
    if elsewhere && is_for_app(exchange, &flow, submission) {
        // They signed in in another tab meanwhile. The app that waits still gets its answer, by way of a new flow,
        // which asks again only if that sign-in is not good enough for the app.
        let next = init_url_of(exchange, FlowKind::Login, &flow);
        if exchange.wants_json() {
            return Err(Refusal::go_to(&next));
        }
        return Ok(see_other(&next));
    }
    let secret = checked?;
    if signed_in.is_some() && flow.refresh.is_none() {
        return already_signed_in(exchange, flow.transport, flow.return_to.as_deref());
    }
    if flow.is_over(exchange.app.clock().now()) {
        return replace_expired(exchange, &flow, secret.as_ref()).await;
    }
    let outcome = match flow.kind {
        FlowKind::Login => login::submit(exchange, flow, submission, signed_in).await?,
        FlowKind::Registration => registration::submit(exchange, flow, submission).await?,
    };
    match outcome {
        Outcome::Again(flow) => show_again(exchange, &flow, secret.as_ref()).await,
        Outcome::SignedIn(done) => welcome(exchange, *done).await,
    }
}

/// Whether an app waits for this flow, and the form is really the flow's.
fn is_for_app(exchange: &Exchange, flow: &Flow, submission: &Submission) -> bool {
    let (settings, headers) = (exchange.app.settings(), &exchange.headers);
    let token = submission.text("csrf_token");
    flow.login_challenge.is_some()
        && flow
            .csrf_digest
            .as_deref()
            .is_some_and(|digest| csrf::is_form_of(digest, settings, headers, token))
}

fn check_size(submission: &Submission) -> Result<(), Refusal> {
    let payload = submission.value("transient_payload");
    if payload.is_some_and(|payload| payload.to_string().len() > MAX_TRANSIENT_PAYLOAD) {
        return Err(Refusal::bad_request(format!(
            "The transient payload has more than {MAX_TRANSIENT_PAYLOAD} bytes"
        )));
    }
    Ok(())
}

/// Browser flows need the cookie and the token; API flows must come from no browser at all.
fn check_forgery(
    exchange: &Exchange,
    flow: &Flow,
    submission: &Submission,
) -> Result<Option<CsrfSecret>, Refusal> {
    match flow.transport {
        Transport::Browser => {
            let secret = secret_of(exchange, flow)?;
            let ours = csrf::is_ours(
                exchange.app.settings(),
                &exchange.headers,
                submission.text("csrf_token"),
            );
            if ours {
                Ok(secret)
            } else {
                Err(Refusal::csrf())
            }
        }
        Transport::Api if comes_from_browser(exchange) => Err(Refusal::bad_request(
            "The request to an API flow has an `Origin` header or cookies, so it comes from a browser; use a browser \
             flow instead",
        )),
        Transport::Api => Ok(None),
    }
}

/// Cookies of the network in front of us do not count.
fn comes_from_browser(exchange: &Exchange) -> bool {
    let foreign = ["__cf", "_cf", "cf_"];
    let jar = axum_extra::extract::CookieJar::from_headers(&exchange.headers);
    let own = jar.iter().any(|cookie| {
        !foreign
            .iter()
            .any(|prefix| cookie.name().starts_with(prefix))
    });
    own || exchange.headers.contains_key(header::ORIGIN)
}

async fn show_again(
    exchange: &Exchange,
    flow: &Flow,
    secret: Option<&CsrfSecret>,
) -> Result<Response, Refusal> {
    let mut transaction = exchange.app.storage().begin().await?;
    transaction.update_self_service_flow(flow).await?;
    transaction.commit().await?;
    if flow.transport.is_browser() && !exchange.wants_json() {
        return Ok(see_other(&flow.page(exchange.app.settings())));
    }
    Ok((StatusCode::BAD_REQUEST, Json(view(exchange, flow, secret)?)).into_response())
}

/// Opens a flow like the one that is over, and says why.
async fn replace_expired(
    exchange: &Exchange,
    old: &Flow,
    secret: Option<&CsrfSecret>,
) -> Result<Response, Refusal> {
    let now = exchange.app.clock().now();
    let mut form = FormState::default();
    form.messages.push(match old.kind {
        FlowKind::Login => message::login_expired(old.expires_at),
        FlowKind::Registration => message::registration_expired(old.expires_at),
    });
    let flow = Flow {
        id: FlowId::random(exchange.app.entropy())?,
        issued_at: now,
        updated_at: now,
        expires_at: now.saturating_add(LIFESPAN),
        state: FlowState::ChooseMethod,
        active: None,
        csrf_digest: secret.map(CsrfSecret::digest),
        form,
        ..old.clone()
    };
    insert(exchange, &flow).await?;
    if flow.transport.is_browser() && !exchange.wants_json() {
        return Ok(see_other(&flow.page(exchange.app.settings())));
    }
    Err(Refusal::flow_expired(old, &flow, now))
}

/// Answers a success.
async fn welcome(exchange: &Exchange, done: SignedIn) -> Result<Response, Refusal> {
    let app = &exchange.app;
    let settings = app.settings();
    if !done.flow.transport.is_browser() {
        return Ok(Json(success_json(exchange, &done, None)).into_response());
    }
    let now = app.clock().now();
    let cookies = [
        cookie::issue(settings, &done.token, done.session.expires_at, now),
        // Whatever knew the secret before the sign-in knows nothing now.
        CsrfSecret::random(app.entropy())?.cookie(settings),
    ];
    let to_oauth2 = done.flow.login_challenge.is_some();
    let response = match (
        challenge::after_sign_in(app, &done).await,
        exchange.wants_json(),
    ) {
        (Ok(next), false) => see_other(&next),
        (Ok(next), true) if to_oauth2 => Refusal::go_to(&next).into_response(),
        (Ok(next), true) => Json(success_json(exchange, &done, Some(&next))).into_response(),
        // The app waited too long; the person is signed in all the same.
        (Err(refusal), _) => exchange.refuse(refusal).await,
    };
    Ok(with_cookies(response, cookies))
}

/// The body of a success. `next` is where a browser goes; an API client gets its token instead.
fn success_json(exchange: &Exchange, done: &SignedIn, next: Option<&str>) -> Value {
    let app = &exchange.app;
    let public_url = app.settings().public_url("");
    let session = done
        .session
        .to_json(Some(&done.identity), app.clock().now(), &public_url);
    let mut body = Map::from_iter([("session".to_owned(), session)]);
    let registered = done.flow.kind == FlowKind::Registration;
    if registered {
        body.insert("identity".into(), public_json(&done.identity, &public_url));
    }
    let mut continue_with = Vec::new();
    match next {
        Some(url) => continue_with
            .push(json!({ "action": "redirect_browser_to", "redirect_browser_to": url })),
        None => {
            body.insert("session_token".into(), done.token.expose().into());
            if registered {
                let token = done.token.expose();
                continue_with
                    .push(json!({ "action": "set_ory_session_token", "ory_session_token": token }));
            }
        }
    }
    body.insert("continue_with".into(), Value::Array(continue_with));
    Value::Object(body)
}

fn already_signed_in(
    exchange: &Exchange,
    transport: Transport,
    return_to: Option<&str>,
) -> Result<Response, Refusal> {
    if transport.is_browser() && !exchange.wants_json() {
        let default = exchange.app.flows().return_rules.default_url().as_str();
        return Ok(see_other(return_to.unwrap_or(default)));
    }
    Err(Refusal::session_already_available())
}

fn allowed_return_to(exchange: &Exchange) -> Result<Option<String>, Refusal> {
    let Some(written) = exchange.query("return_to") else {
        return Ok(None);
    };
    let url = exchange
        .app
        .flows()
        .return_rules
        .check(&written)
        .map_err(|_| Refusal::return_to())?;
    Ok(Some(url.into()))
}

/// The session that counts for this transport: API flows do not look at cookies.
async fn signed_in(exchange: &Exchange, transport: Transport) -> Result<Option<Current>, Refusal> {
    let mut headers = exchange.headers.clone();
    if !transport.is_browser() {
        headers.remove(header::COOKIE);
    }
    Ok(current::current(&exchange.app, &headers).await?)
}

fn browser_secret(
    exchange: &Exchange,
    transport: Transport,
) -> Result<(Option<CsrfSecret>, Option<Cookie<'static>>), Refusal> {
    if !transport.is_browser() {
        return Ok((None, None));
    }
    exchange
        .csrf_secret()
        .map(|(secret, cookie)| (Some(secret), cookie))
}

fn new_flow(
    exchange: &Exchange,
    kind: FlowKind,
    transport: Transport,
    now: OffsetDateTime,
) -> Result<Flow, Refusal> {
    Ok(Flow {
        id: FlowId::random(exchange.app.entropy())?,
        kind,
        transport,
        issued_at: now,
        expires_at: now.saturating_add(LIFESPAN),
        updated_at: now,
        request_url: exchange.request_url(),
        return_to: None,
        state: FlowState::ChooseMethod,
        active: None,
        refresh: None,
        login_challenge: None,
        login_request: None,
        csrf_digest: None,
        schema_id: exchange.app.flows().schemas.default_id().to_owned(),
        form: FormState::default(),
        transient_payload: None,
    })
}

fn answer_challenge(flow: &mut Flow, challenge: String, asked: Asked) {
    flow.login_challenge = Some(challenge);
    flow.login_request = Some(bounded(asked.request));
    let field = match flow.kind {
        FlowKind::Login => "identifier",
        FlowKind::Registration => "traits.email",
    };
    if let Some(hint) = asked.login_hint {
        flow.form.fill(
            field,
            hint.chars().take(identifier::MAX_BYTES).collect::<String>(),
        );
    }
}

/// The request with no more of its address than is worth storing; it is there to be looked at, nobody follows it.
fn bounded(mut request: Value) -> Value {
    if let Some(Value::String(url)) = request.get_mut("request_url") {
        url.truncate(url.floor_char_boundary(MAX_REQUEST_URL));
    }
    request
}

/// Makes a login flow one that confirms who is signed in.
fn confirm(flow: &mut Flow, current: &Current, exchange: &Exchange) {
    flow.refresh = Some(current.identity.id);
    flow.form.messages.push(message::reauthenticate());
    let schema = exchange
        .app
        .flows()
        .schemas
        .get(&current.identity.schema_id);
    let identifiers =
        schema.map(|schema| traits::password_identifiers(schema, &current.identity.traits));
    if let Some(identifier) = identifiers.and_then(|identifiers| identifiers.into_iter().next()) {
        flow.form.fill("identifier", identifier);
    }
}

async fn insert(exchange: &Exchange, flow: &Flow) -> Result<(), Refusal> {
    let mut transaction = exchange.app.storage().begin().await?;
    transaction.insert_self_service_flow(flow).await?;
    Ok(transaction.commit().await?)
}

async fn find(exchange: &Exchange, kind: FlowKind, id: &str) -> Result<Flow, Refusal> {
    let gone = || Refusal::not_found("There is no such flow");
    let id: FlowId = id.parse().map_err(|_| gone())?;
    let found = exchange
        .app
        .storage()
        .read()
        .await?
        .self_service_flow(&id)
        .await?;
    found.filter(|flow| flow.kind == kind).ok_or_else(gone)
}

/// The browser's secret, if the flow is a browser's; refuses any browser but the one that opened it.
fn secret_of(exchange: &Exchange, flow: &Flow) -> Result<Option<CsrfSecret>, Refusal> {
    let Some(digest) = &flow.csrf_digest else {
        return Ok(None);
    };
    CsrfSecret::in_cookie(exchange.app.settings(), &exchange.headers)
        .filter(|secret| secret.has_digest(digest))
        .map(Some)
        .ok_or_else(Refusal::csrf)
}

fn view(exchange: &Exchange, flow: &Flow, secret: Option<&CsrfSecret>) -> Result<Value, Refusal> {
    Ok(flow_json(flow, &form_of(exchange, flow, secret)?))
}

fn form_of(exchange: &Exchange, flow: &Flow, secret: Option<&CsrfSecret>) -> Result<Form, Refusal> {
    let app = &exchange.app;
    let token = secret
        .map(|secret| secret.mask(app.entropy()))
        .transpose()?
        .unwrap_or_default();
    let schema = app.flows().schemas.get(&flow.schema_id);
    let schema = schema.ok_or_else(|| {
        Refusal::internal(&"the flow's identity schema is not configured any more")
    })?;
    Ok(Form::of(flow, schema, &token, app.settings()))
}

fn init_url(exchange: &Exchange, flow: &Flow) -> String {
    init_url_of(exchange, flow.kind, flow)
}

/// Where a flow of this `kind` is opened that leads where `flow` would have led.
fn init_url_of(exchange: &Exchange, kind: FlowKind, flow: &Flow) -> String {
    let transport = if flow.transport.is_browser() {
        "browser"
    } else {
        "api"
    };
    let path = format!("/self-service/{}/{transport}", kind.name());
    let mut url = exchange.app.settings().public_url(&path);
    let query = flow.carried();
    if !query.is_empty() {
        url = format!("{url}?{query}");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_keeps_a_bounded_part_of_the_request_that_it_answers() {
        let url = format!("https://id.test/oauth2/auth?state={}", "é".repeat(100_000));
        let kept = bounded(json!({"challenge": "x", "request_url": url}));
        assert_eq!(kept["challenge"], "x");
        let length = kept["request_url"].as_str().unwrap().len();
        assert!((MAX_REQUEST_URL - 3..=MAX_REQUEST_URL).contains(&length));
        let short = json!({"request_url": "https://id.test/"});
        assert_eq!(bounded(short.clone()), short);
    }
}
