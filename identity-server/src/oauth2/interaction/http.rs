//! `/admin/oauth2/auth/requests/{login,consent}`: the same for other people's pages, in Hydra's shapes.
//!
//! Bodies are parsed as JSON whatever their `Content-Type` says; existing callers do not always set it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::{InteractionError, RedirectTo};
use crate::app::App;
use crate::error::ApiError;
use crate::oauth2::params::Params;

/// `GET …/login?login_challenge=`
pub async fn get_login(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    match super::login_request(&app, &challenge(query, "login_challenge")?).await {
        Ok(request) => Ok(Json(request.to_json()).into_response()),
        Err(error) => gone_or(error),
    }
}

/// `PUT …/login/accept?login_challenge=`
pub async fn accept_login(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    answer(super::accept_login(&app, &challenge(query, "login_challenge")?, parse(&body)?).await)
}

/// `PUT …/login/reject?login_challenge=`
pub async fn reject_login(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    answer(super::reject_login(&app, &challenge(query, "login_challenge")?, parse(&body)?).await)
}

/// `GET …/consent?consent_challenge=`
pub async fn get_consent(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    match super::consent_request(&app, &challenge(query, "consent_challenge")?).await {
        Ok(request) => Ok(Json(request.to_json()).into_response()),
        Err(error) => gone_or(error),
    }
}

/// `PUT …/consent/accept?consent_challenge=`
pub async fn accept_consent(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    answer(
        super::accept_consent(&app, &challenge(query, "consent_challenge")?, parse(&body)?).await,
    )
}

/// `PUT …/consent/reject?consent_challenge=`
pub async fn reject_consent(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    answer(
        super::reject_consent(&app, &challenge(query, "consent_challenge")?, parse(&body)?).await,
    )
}

/// The challenge, under its own name or simply as `challenge`.
fn challenge(query: Option<String>, name: &str) -> Result<String, ApiError> {
    let params = Params::parse(query.unwrap_or_default().as_bytes())
        .map_err(|error| ApiError::malformed(error.to_string()))?;
    let challenge = params.get(name).or_else(|| params.get("challenge"));
    challenge
        .map(str::to_owned)
        .ok_or_else(|| ApiError::malformed(format!("the query parameter '{name}' is missing")))
}

fn parse<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::malformed(format!("the body is not the JSON expected: {error}")))
}

fn answer(result: Result<String, InteractionError>) -> Result<Response, ApiError> {
    match result {
        Ok(redirect_to) => Ok(Json(RedirectTo { redirect_to }).into_response()),
        Err(error) => gone_or(error),
    }
}

/// 410 carries the address to start again from; SDKs hand it to the page.
fn gone_or(error: InteractionError) -> Result<Response, ApiError> {
    match error {
        InteractionError::Handled { redirect_to } => {
            Ok((StatusCode::GONE, Json(RedirectTo { redirect_to })).into_response())
        }
        other => Err(other.into()),
    }
}
