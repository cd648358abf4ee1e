//! `/account`: who am I, and where am I signed in?

use askama::Template;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;
use time::macros::format_description;

use super::page::{self, Chrome};
use super::{Person, error};
use crate::flows::csrf;
use crate::flows::exchange::{Exchange, see_other, with_cookies};
use crate::flows::logout;
use crate::flows::refusal::Refusal;
use crate::flows::submission::Submission;
use crate::id::SessionId;
use crate::sessions::Session;
use crate::sessions::current::{self, Current};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    chrome: Chrome,
    person: Person,
    email: Option<String>,
    facts: Vec<Fact>,
    sessions: Vec<Row>,
    truncated: bool,
    csrf_token: String,
    logout_url: String,
}

struct Fact {
    name: &'static str,
    value: String,
    is_code: bool,
}

struct Row {
    id: String,
    agent: String,
    ip: String,
    since: String,
    is_current: bool,
}

/// More would not fit a page that anybody reads.
const SHOWN_SESSIONS: u32 = 50;

/// `GET /account`: the page; who is not signed in is sent to sign in and back.
pub async fn show(exchange: Exchange) -> Response {
    try_show(&exchange)
        .await
        .unwrap_or_else(|refusal| error::for_refusal(&refusal))
}

/// `POST /account/sessions`: ends one session (`end=<id>`), or all but this one (`end=others`).
pub async fn end_sessions(exchange: Exchange, body: Bytes) -> Response {
    try_end_sessions(&exchange, &body)
        .await
        .unwrap_or_else(|refusal| error::for_refusal(&refusal))
}

async fn try_show(exchange: &Exchange) -> Result<Response, Refusal> {
    let app = &exchange.app;
    let Some(current) = browser_session(exchange).await? else {
        return Ok(sign_in_first(exchange));
    };
    let now = app.clock().now();
    let mut transaction = app.storage().read().await?;
    let mine = &current.identity.id;
    let others = transaction
        .sessions_of(
            mine,
            Some(now),
            Some(&current.session.id),
            SHOWN_SESSIONS,
            0,
        )
        .await?;
    drop(transaction);
    let truncated = u32::try_from(others.len()).is_ok_and(|count| count == SHOWN_SESSIONS);
    let rows = std::iter::once(row(&current.session, true))
        .chain(others.iter().map(|other| row(other, false)));
    let (secret, cookie) = exchange.csrf_secret()?;
    let page = AccountPage {
        chrome: Chrome::new(),
        person: Person::of(&current.identity),
        email: email_beside_name(&current),
        facts: facts(&current),
        sessions: rows.collect(),
        truncated,
        csrf_token: secret.mask(app.entropy())?,
        logout_url: logout::link(exchange, &current.token.logout_token(), None),
    };
    Ok(with_cookies(
        page::render(StatusCode::OK, &page, &[])?,
        cookie,
    ))
}

async fn try_end_sessions(exchange: &Exchange, body: &[u8]) -> Result<Response, Refusal> {
    let app = &exchange.app;
    let form = Submission::parse(&exchange.headers, body)?;
    if !csrf::is_ours(app.settings(), &exchange.headers, form.text("csrf_token")) {
        return Err(Refusal::csrf());
    }
    let Some(current) = browser_session(exchange).await? else {
        return Ok(sign_in_first(exchange));
    };
    let mut transaction = app.storage().begin().await?;
    match form.text("end") {
        Some("others") => {
            transaction
                .revoke_sessions_of(&current.identity.id, Some(&current.session.id))
                .await?;
        }
        Some(id) => {
            let id: SessionId = id
                .parse()
                .map_err(|_| Refusal::not_found("There is no such session"))?;
            let session = transaction.session(&id).await?;
            // Somebody else's session is treated as one that is gone: the page will not show it either way.
            if session.is_some_and(|session| session.identity == current.identity.id) {
                transaction.revoke_session(&id).await?;
            }
        }
        None => return Err(Refusal::bad_request("The field `end` is missing")),
    }
    transaction.commit().await?;
    Ok(see_other(&app.settings().public_url("/account")))
}

async fn browser_session(exchange: &Exchange) -> Result<Option<Current>, Refusal> {
    let Some(token) = current::cookie_token(&exchange.app, &exchange.headers) else {
        return Ok(None);
    };
    let mut transaction = exchange.app.storage().read().await?;
    Ok(current::current_in(&exchange.app, token, &mut *transaction).await?)
}

fn sign_in_first(exchange: &Exchange) -> Response {
    see_other(&exchange.app.settings().public_url("/login"))
}

fn email_beside_name(current: &Current) -> Option<String> {
    let email = current.identity.traits.get("email")?.as_str()?;
    (Person::of(&current.identity).name != email).then(|| email.to_owned())
}

fn facts(current: &Current) -> Vec<Fact> {
    let fact = |name, value, is_code| Fact {
        name,
        value,
        is_code,
    };
    vec![
        fact("Account id", current.identity.id.to_string(), true),
        fact("Member since", date(current.identity.created_at), false),
        fact(
            "Signed in until",
            date_and_time(current.session.expires_at),
            false,
        ),
    ]
}

fn row(session: &Session, is_current: bool) -> Row {
    let device = session.devices.first();
    Row {
        id: session.id.to_string(),
        agent: device.map_or_else(
            || "Unknown device".into(),
            |device| describe(&device.user_agent),
        ),
        ip: device
            .map(|device| device.ip_address.clone())
            .unwrap_or_default(),
        since: date_and_time(session.issued_at),
        is_current,
    }
}

/// `Firefox on Linux`, from what the client calls itself. The order matters: most browsers also claim to be others.
fn describe(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if user_agent.is_empty() => "Unknown device".to_owned(),
        (None, None) => user_agent.chars().take(40).collect(),
    }
}

fn date(at: OffsetDateTime) -> String {
    at.format(format_description!(
        "[day padding:none] [month repr:long] [year]"
    ))
    .unwrap_or_default()
}

fn date_and_time(at: OffsetDateTime) -> String {
    let format =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_their_names() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(describe(chrome), "Chrome on Linux");
        assert_eq!(
            describe("Mozilla/5.0 (iPhone; CPU iPhone OS 19) Version/19 Safari/604.1"),
            "Safari on iPhone"
        );
        assert_eq!(describe("curl/8.5"), "curl");
        assert_eq!(describe(""), "Unknown device");
    }

    #[test]
    fn times_read_like_times() {
        assert_eq!(
            date_and_time(OffsetDateTime::UNIX_EPOCH),
            "1 Jan 1970, 00:00 UTC"
        );
        assert_eq!(date(OffsetDateTime::UNIX_EPOCH), "1 January 1970");
    }
}
