//! What the server can do, for clients to discover (OpenID Connect Discovery, RFC 8414).
//!
//! Only what is true today is said. Three members need a word: `id_token_signed_response_alg` and
//! `userinfo_signed_response_alg` are no standard, but Hydra's SDKs refuse a document without them; so they do without
//! `device_authorization_endpoint`, which therefore exists and answers that the grant is not supported, as
//! `grant_types_supported` says too.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::keys::{Algorithm, KeySet};
use crate::oauth2::authorize::request::{Prompt, ResponseMode};
use crate::oauth2::client::AuthMethod;
use crate::oauth2::error::OAuthError;
use crate::oauth2::grant::GrantType;

/// How clients may authenticate.
const AUTH_METHODS: [AuthMethod; 3] = [
    AuthMethod::ClientSecretPost,
    AuthMethod::ClientSecretBasic,
    AuthMethod::None,
];

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`
///
/// # Errors
/// 500, when there is no signing key.
pub async fn document(State(app): State<App>) -> Result<Response, ApiError> {
    let algorithm = app
        .keys()
        .algorithm(KeySet::IdToken, app.clock().now())
        .map_err(|error| ApiError::internal(&error))?;
    let mut response = Json(describe(&app, algorithm)).into_response();
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    Ok(response)
}

/// `GET /.well-known/oauth-authorization-server/{path}`: where RFC 8414 puts the document of an issuer with a path.
///
/// # Errors
/// 404, unless `path` is that of the issuer.
pub async fn document_at_path(
    State(app): State<App>,
    Path(path): Path<String>,
) -> Result<Response, ApiError> {
    let issuer = url::Url::parse(&app.settings().issuer).ok();
    let own = issuer
        .as_ref()
        .map(|issuer| issuer.path().trim_matches('/'))
        .unwrap_or_default();
    if own.is_empty() || own != path.trim_matches('/') {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "Not Found",
            "There is nothing at this address",
        ));
    }
    document(State(app)).await
}

/// `POST /oauth2/device/auth`: only says that there is no such grant.
///
/// # Errors
/// Always.
pub async fn no_device_grant() -> Result<Response, OAuthError> {
    Err(OAuthError::UnsupportedGrantType(
        "the device grant is not supported yet".into(),
    ))
}

fn describe(app: &App, algorithm: Algorithm) -> Value {
    let settings = app.settings();
    let at = |path: &str| settings.public_url(path);
    let auth_methods = AUTH_METHODS.map(AuthMethod::name);
    json!({
        "issuer": settings.issuer,
        "authorization_endpoint": at("/oauth2/auth"),
        "token_endpoint": at("/oauth2/token"),
        "device_authorization_endpoint": at("/oauth2/device/auth"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "userinfo_endpoint": at("/userinfo"),
        "revocation_endpoint": at("/oauth2/revoke"),
        "subject_types_supported": ["public"],
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": GrantType::ALL.map(GrantType::name),
        "scopes_supported": ["offline_access", "offline", "openid"],
        "claims_supported": ["sub"],
        "prompt_values_supported": Prompt::NAMES,
        "token_endpoint_auth_methods_supported": auth_methods,
        "revocation_endpoint_auth_methods_supported": auth_methods,
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": [algorithm.name()],
        "id_token_signed_response_alg": [algorithm.name()],
        "userinfo_signing_alg_values_supported": ["none"],
        "userinfo_signed_response_alg": ["none"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "claims_parameter_supported": false,
        "backchannel_logout_supported": false,
        "backchannel_logout_session_supported": false,
        "frontchannel_logout_supported": false,
        "frontchannel_logout_session_supported": false,
    })
}
