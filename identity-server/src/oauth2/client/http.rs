//! `/admin/clients`: clients for administrators, in Hydra's shapes.
//!
//! Bodies are parsed as JSON whatever their `Content-Type` says; existing callers do not always set it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::page::Page;
use super::secret::{LONGEST, SHORTEST};
use super::{AuthMethod, Client, Lifespans, Profile, StoredSecret, rules};
use crate::app::App;
use crate::entropy::Entropy;
use crate::error::ApiError;
use crate::id::ClientId;
use crate::identity::password::PasswordError;
use crate::oauth2::error::OAuthError;
use crate::oauth2::params::Params;
use crate::secret::SecretText;
use crate::storage::Transaction;

/// Why an answer is no: in OAuth's words for metadata, in the API's own for the rest.
#[derive(Debug)]
pub enum ClientError {
    /// The registration breaks a rule.
    Rule(OAuthError),
    /// Everything else.
    Api(ApiError),
}

impl IntoResponse for ClientError {
    fn into_response(self) -> Response {
        match self {
            Self::Rule(error) => error.into_response(),
            Self::Api(error) => error.into_response(),
        }
    }
}

impl From<OAuthError> for ClientError {
    fn from(error: OAuthError) -> Self {
        Self::Rule(error)
    }
}

impl<E: Into<ApiError>> From<E> for ClientError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server is busy",
                "too many secrets are being hashed; try again shortly",
            ),
            PasswordError::Cost(_) | PasswordError::Entropy(_) | PasswordError::Failed(_) => {
                Self::internal(&error)
            }
        }
    }
}

/// A client as it is sent.
#[derive(Clone, Deserialize)]
struct Sent {
    client_id: Option<String>,
    client_secret: Option<String>,
    #[serde(flatten)]
    profile: Profile,
}

/// `GET /admin/clients`
///
/// # Errors
/// 400 for a page that is none.
pub async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ClientError> {
    let page = Page::parse(&Params::parse(query.unwrap_or_default().as_bytes())?)?;
    let mut tx = app.storage().read().await?;
    // One more than shown tells whether there is a next page.
    let mut clients = tx
        .clients(
            &page.filter,
            page.after.as_ref(),
            page.size.saturating_add(1),
        )
        .await?;
    let shown = usize::try_from(page.size).unwrap_or(usize::MAX);
    let more = clients.len() > shown;
    clients.truncate(shown);
    let next = if more {
        clients.last().map(|client| &client.id)
    } else {
        None
    };
    let body: Vec<Value> = clients.iter().map(|client| client.to_json(None)).collect();
    let mut response = Json(body).into_response();
    if let Ok(link) = HeaderValue::from_str(&page.links(next)) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// `POST /admin/clients`
///
/// # Errors
/// 400 for what breaks a rule, 409 for an id that is taken.
pub async fn create(State(app): State<App>, body: Bytes) -> Result<Response, ClientError> {
    let sent: Sent = parse(&body)?;
    let now = app.clock().now();
    let id = match sent.client_id.filter(|id| !id.is_empty()) {
        Some(id) => {
            rules::check_id(&id)?;
            ClientId::new(id)
        }
        None => ClientId::random(app.entropy())?,
    };
    let profile = rules::complete(sent.profile, app.settings().longest_token())?;
    let chosen = choose(&app, &profile, sent.client_secret).await?;
    let (secret, shown) = settle(app.entropy(), &profile, chosen, None)?;
    let client = Client {
        id,
        profile,
        secret,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.storage().begin().await?;
    tx.insert_client(&client).await?;
    tx.commit().await?;
    let location = format!(
        "/admin/clients/{}",
        utf8_percent_encode(client.id.as_str(), NON_ALPHANUMERIC)
    );
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(client.to_json(shown.as_deref())),
    )
        .into_response())
}

/// `GET /admin/clients/{id}`
///
/// # Errors
/// 404.
pub async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Response, ClientError> {
    let client = load(&mut *app.storage().read().await?, &ClientId::new(id)).await?;
    Ok(Json(client.to_json(None)).into_response())
}

/// `PUT /admin/clients/{id}`: replaces everything but the secret, which is kept unless a new one is sent.
///
/// # Errors
/// 400, 404.
pub async fn replace(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ClientError> {
    let sent: Sent = parse(&body)?;
    update(&app, &ClientId::new(id), |_| Ok(sent.clone())).await
}

/// `PATCH /admin/clients/{id}`: JSON Patch (RFC 6902) over the client as `GET` shows it.
///
/// # Errors
/// 400, also for a patch that does not apply; 404.
pub async fn patch(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ClientError> {
    let patch: json_patch::Patch = parse(&body)?;
    update(&app, &ClientId::new(id), |known| patched(known, &patch)).await
}

fn patched(known: &Client, patch: &json_patch::Patch) -> Result<Sent, ApiError> {
    let mut document = known.to_json(None);
    json_patch::patch(&mut document, patch)
        .map_err(|error| ApiError::malformed(format!("the patch does not apply: {error}")))?;
    Sent::deserialize(document)
        .map_err(|error| ApiError::malformed(format!("the patched client is not valid: {error}")))
}

/// `DELETE /admin/clients/{id}`: with everything issued to it.
///
/// # Errors
/// 404.
pub async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ClientError> {
    let mut tx = app.storage().begin().await?;
    if !tx.delete_client(&ClientId::new(id)).await? {
        return Err(ApiError::not_found().into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /admin/clients/{id}/lifespans`: replaces all of them; what is absent is unset.
///
/// # Errors
/// 400, 404.
pub async fn set_lifespans(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, ClientError> {
    let lifespans: Lifespans = parse(&body)?;
    rules::check_lifespans(&lifespans, app.settings().longest_token())?;
    let mut tx = app.storage().begin().await?;
    let mut client = load(&mut *tx, &ClientId::new(id)).await?;
    client.profile.lifespans = lifespans;
    client.updated_at = app.clock().now();
    tx.update_client(&client).await?;
    tx.commit().await?;
    Ok(Json(client.to_json(None)).into_response())
}

/// Changes a client into what `sent_for` makes of it. That is worked out twice: once to learn which secret to hash,
/// which is slow and must not hold up every other writer, and once on the client as it is when it is saved, so that
/// no change made in between is lost.
async fn update(
    app: &App,
    id: &ClientId,
    sent_for: impl Fn(&Client) -> Result<Sent, ApiError>,
) -> Result<Response, ClientError> {
    let known = load(&mut *app.storage().read().await?, id).await?;
    let (profile, secret) = checked(app, &known, sent_for(&known)?)?;
    let expected = secret.clone();
    let chosen = choose(app, &profile, secret).await?;

    let mut tx = app.storage().begin().await?;
    let known = load(&mut *tx, id).await?;
    let (profile, secret) = checked(app, &known, sent_for(&known)?)?;
    // Only a patch that copies its secret from another member can do this.
    if secret != expected {
        return Err(ApiError::conflict().into());
    }
    let (secret, shown) = settle(app.entropy(), &profile, chosen, known.secret)?;
    let client = Client {
        id: known.id,
        profile,
        secret,
        created_at: known.created_at,
        updated_at: app.clock().now(),
    };
    tx.update_client(&client).await?;
    tx.commit().await?;
    Ok(Json(client.to_json(shown.as_deref())).into_response())
}

/// The complete profile, and the secret that was sent.
fn checked(
    app: &App,
    known: &Client,
    sent: Sent,
) -> Result<(Profile, Option<String>), ClientError> {
    if sent
        .client_id
        .is_some_and(|id| !id.is_empty() && id != known.id.as_str())
    {
        return Err(ApiError::malformed("the client_id of a client cannot change").into());
    }
    let profile = rules::complete(sent.profile, app.settings().longest_token())?;
    Ok((profile, sent.client_secret))
}

/// A secret that was sent, and its hash.
struct Chosen {
    clear: String,
    stored: StoredSecret,
}

/// Hashes the secret that was sent, if any. Slow, so never within a transaction.
async fn choose(
    app: &App,
    profile: &Profile,
    sent: Option<String>,
) -> Result<Option<Chosen>, ClientError> {
    let Some(clear) = sent.filter(|secret| !secret.is_empty()) else {
        return Ok(None);
    };
    if profile.token_endpoint_auth_method == AuthMethod::None {
        return Err(secret_of_public().into());
    }
    if !(SHORTEST..=LONGEST).contains(&clear.len()) {
        return Err(rules::invalid("client_secret", "must have 6 to 1024 bytes").into());
    }
    let secret = SecretText::new(clear.as_str());
    let stored = StoredSecret::from_chosen(&app.flows().passwords, app.entropy(), &secret).await?;
    Ok(Some(Chosen { clear, stored }))
}

/// What to store, and what to show this once: the secret that was sent, or else the one that is known, or else a
/// random one. Public clients have none.
fn settle(
    entropy: &dyn Entropy,
    profile: &Profile,
    chosen: Option<Chosen>,
    known: Option<StoredSecret>,
) -> Result<(Option<StoredSecret>, Option<String>), ClientError> {
    let public = profile.token_endpoint_auth_method == AuthMethod::None;
    match (chosen, known) {
        (Some(_), _) if public => Err(secret_of_public().into()),
        (None, _) if public => Ok((None, None)),
        (Some(chosen), _) => Ok((Some(chosen.stored), Some(chosen.clear))),
        (None, Some(known)) => Ok((Some(known), None)),
        (None, None) => {
            let (secret, stored) = StoredSecret::generate(entropy)?;
            Ok((Some(stored), Some(secret)))
        }
    }
}

fn secret_of_public() -> OAuthError {
    rules::invalid(
        "client_secret",
        "must not be set with token_endpoint_auth_method 'none'",
    )
}

async fn load(tx: &mut dyn Transaction, id: &ClientId) -> Result<Client, ClientError> {
    Ok(tx.client(id).await?.ok_or_else(ApiError::not_found)?)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::malformed(format!("the body is not the JSON expected: {error}")))
}
