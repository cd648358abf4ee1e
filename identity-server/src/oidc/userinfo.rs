//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3).
//!
//! The token comes in the `Authorization` header or in a form body. One in the query is refused: queries end up in
//! logs and histories (RFC 9700 §4.3.2).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use super::claims;
use crate::app::App;
use crate::oauth2::authorize::response::never_store;
use crate::oauth2::error::OAuthError;
use crate::oauth2::params::Params;
use crate::oauth2::subject::live_grant;
use crate::oauth2::tokens::Grant;
use crate::secret::digest;

/// Answers who the token is about.
///
/// # Errors
/// `invalid_request`, `request_unauthorized` without a token, `invalid_token`, `insufficient_scope`.
pub async fn userinfo(
    State(app): State<App>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let token = bearer(&method, query.as_deref(), &headers, &body)?;
    let now = app.clock().now();
    let (grant, issued_at) = grant_of(&app, &token, now).await?;
    let mut claims = claims::of(&grant, &app.settings().issuer);
    claims.insert("iat".into(), issued_at.unix_timestamp().into());
    let mut response = Json(claims).into_response();
    never_store(response.headers_mut());
    Ok(response)
}

async fn grant_of(
    app: &App,
    token: &str,
    now: OffsetDateTime,
) -> Result<(Grant, OffsetDateTime), OAuthError> {
    let refuse =
        || OAuthError::InvalidToken("the access token is unknown, expired or revoked".into());
    let mut tx = app.storage().read().await?;
    let token = tx
        .access_token(&digest(token))
        .await?
        .filter(|token| now < token.expires_at)
        .ok_or_else(refuse)?;
    if !token.scope.iter().any(|scope| scope == "openid") {
        let hint = "the access token was issued without the scope 'openid'".into();
        return Err(OAuthError::InsufficientScope {
            hint,
            scope: "openid",
        });
    }
    let grant = match &token.grant_id {
        Some(id) => live_grant(&mut *tx, app.settings(), id).await?,
        // A client acting for itself is nobody.
        None => None,
    };
    Ok((grant.ok_or_else(refuse)?, token.issued_at))
}

/// The one bearer token of a request (RFC 6750 §2).
fn bearer(
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<String, OAuthError> {
    let invalid = |hint: &str| OAuthError::InvalidRequest(hint.to_owned());
    if Params::parse(query.unwrap_or_default().as_bytes())?
        .get("access_token")
        .is_some()
    {
        return Err(invalid(
            "the access token must not be in the query; send it in the Authorization header",
        ));
    }
    let in_form = if method == Method::POST && !body.is_empty() {
        Params::from_form(headers, body)?
            .get("access_token")
            .map(str::to_owned)
    } else {
        None
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next(), in_form) {
        (None, _, Some(token)) => Ok(token),
        (Some(value), None, None) => value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim().to_owned())
            .ok_or_else(|| {
                OAuthError::InvalidToken("the Authorization header is not a bearer token".into())
            }),
        (None, _, None) => Err(OAuthError::RequestUnauthorized(
            "the request carries no access token".into(),
        )),
        _ => Err(invalid("the request carries more than one access token")),
    }
}
