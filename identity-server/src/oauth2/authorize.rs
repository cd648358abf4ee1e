//! The authorization endpoint: `GET` and `POST /oauth2/auth`.
//!
//! A browser comes here three times, and each time the stored [`Flow`](super::flow::Flow) says what comes next:
//! with the client's request ([`start`]), with the login page's decision, and with the consent page's decision
//! ([`resume`]). The pages themselves never meet.

mod browser;
mod refusal;
pub mod request;
pub mod response;
mod resume;
mod start;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;

use super::error::OAuthError;
use super::params::Params;
use crate::app::App;
use refusal::Refusal;

/// The most bytes of parameters in a request, as they are encoded. The request is stored until somebody has signed
/// in, so its size must not be the sender's choice.
const LONGEST_REQUEST: usize = 8192;

/// A browser at this endpoint.
struct Visit<'a> {
    app: &'a App,
    cookies: CookieJar,
    params: Params,
    /// The parameters as they came, to start again from.
    query: String,
}

/// `GET /oauth2/auth`
pub async fn get(
    State(app): State<App>,
    cookies: CookieJar,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let params = within_bounds(query.as_bytes()).and_then(|()| Params::parse(query.as_bytes()));
    answer(&app, cookies, params, query).await
}

/// `POST /oauth2/auth`: the same, with the parameters in a form (OpenID Connect Core §3.1.2.1).
pub async fn post(
    State(app): State<App>,
    cookies: CookieJar,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = within_bounds(&body).and_then(|()| Params::from_form(&headers, &body));
    let query = String::from_utf8_lossy(&body).into_owned();
    answer(&app, cookies, params, query).await
}

fn within_bounds(encoded: &[u8]) -> Result<(), OAuthError> {
    if encoded.len() <= LONGEST_REQUEST {
        return Ok(());
    }
    Err(OAuthError::InvalidRequest(format!(
        "the parameters are longer than {LONGEST_REQUEST} bytes"
    )))
}

async fn answer(
    app: &App,
    cookies: CookieJar,
    params: Result<Params, OAuthError>,
    query: String,
) -> Response {
    let answered = match params {
        Ok(params) => {
            visit(Visit {
                app,
                cookies,
                params,
                query,
            })
            .await
        }
        Err(error) => Err(Refusal::Page(error)),
    };
    answered.unwrap_or_else(|refusal| refusal.answer(app.settings()).into_response())
}

async fn visit(visit: Visit<'_>) -> Result<Response, Refusal> {
    if let Some(verifier) = visit.params.get("login_verifier") {
        return resume::after_login(&visit, verifier).await;
    }
    if let Some(verifier) = visit.params.get("consent_verifier") {
        return resume::after_consent(&visit, verifier).await;
    }
    start::start(&visit).await
}
