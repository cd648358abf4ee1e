//! `/error`: what went wrong, in words for people.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::page::{self, Chrome};
use crate::flows::exchange::Exchange;
use crate::flows::http::find_error;
use crate::flows::refusal::Refusal;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    chrome: Chrome,
    heading: String,
    text: String,
    code: Option<String>,
}

/// What comes from the address bar is cut at so many characters.
const SHOWN_CHARS: usize = 300;

/// `GET /error?id=` (an error of a flow) and `GET /error?error=&error_description=` (one of OAuth2).
pub async fn show(exchange: Exchange) -> Response {
    let page = match exchange.query("id") {
        Some(id) => stored(&exchange, &id).await,
        None => Ok(from_query(&exchange)),
    };
    let page = page.unwrap_or_else(|refusal| of_refusal(&refusal));
    answer(StatusCode::OK, &page)
}

/// The page for a refusal, with its status.
#[must_use]
pub fn for_refusal(refusal: &Refusal) -> Response {
    answer(refusal.status(), &of_refusal(refusal))
}

fn answer(status: StatusCode, page: &ErrorPage) -> Response {
    page::render(status, page, &[]).unwrap_or_else(Refusal::into_response)
}

async fn stored(exchange: &Exchange, id: &str) -> Result<ErrorPage, Refusal> {
    let found = find_error(exchange, id).await?;
    Ok(found
        .and_then(|found| found.get("error").map(of_json))
        .unwrap_or_else(unknown))
}

fn from_query(exchange: &Exchange) -> ErrorPage {
    let cut = |text: String| text.chars().take(SHOWN_CHARS).collect::<String>();
    let (error, description) = (exchange.query("error"), exchange.query("error_description"));
    if error.is_none() && description.is_none() {
        return unknown();
    }
    ErrorPage {
        chrome: Chrome::new(),
        heading: "That did not work".into(),
        text: description.map_or_else(|| "The app's request could not be carried out.".into(), cut),
        code: error.map(cut),
    }
}

fn of_refusal(refusal: &Refusal) -> ErrorPage {
    of_json(&refusal.error_json())
}

fn of_json(error: &Value) -> ErrorPage {
    let text = |name: &str| {
        error
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let status = error.get("code").and_then(Value::as_u64).unwrap_or(500);
    let heading = match status {
        400..=499 => "That did not work",
        _ => "Something went wrong on our side",
    };
    let text_shown = text("reason")
        .or_else(|| text("message"))
        .unwrap_or("Please try again.");
    let code = text("id").map_or_else(|| status.to_string(), str::to_owned);
    ErrorPage {
        chrome: Chrome::new(),
        heading: heading.into(),
        text: text_shown.to_owned(),
        code: Some(code),
    }
}

fn unknown() -> ErrorPage {
    ErrorPage {
        chrome: Chrome::new(),
        heading: "Nothing to report".into(),
        text: "There is no error here, or it happened too long ago.".into(),
        code: None,
    }
}
