//! Identities for operators, and the schemas for everybody.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::create::{self, Created, NewIdentity};
use super::schema::IdentitySchema;
use super::{Credential, Identity, admin_json, identifier};
use crate::App;
use crate::flows::refusal::Refusal;
use crate::id::IdentityId;

/// What a list of identities may be filtered by.
#[derive(Debug, Default, Deserialize)]
pub struct Listing {
    page_size: Option<String>,
    page_token: Option<String>,
    credentials_identifier: Option<String>,
}

const DEFAULT_PAGE: u32 = 250;
const MAX_PAGE: u32 = 500;

/// `GET /admin/identities`
///
/// # Errors
/// 400 for a page token that is not one of ours.
pub async fn list(
    State(app): State<App>,
    Query(listing): Query<Listing>,
) -> Result<(HeaderMap, Json<Vec<Value>>), Refusal> {
    let size = listing
        .page_size
        .as_deref()
        .and_then(|size| size.parse().ok())
        .filter(|size| *size > 0);
    let size: u32 = size.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let after = match listing
        .page_token
        .as_deref()
        .filter(|token| !token.is_empty())
    {
        Some(token) => Some(
            token
                .parse()
                .map_err(|_| Refusal::bad_request("`page_token` is malformed"))?,
        ),
        None => None,
    };
    let mut transaction = app.storage().read().await?;
    let identities = match listing
        .credentials_identifier
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        Some(written) => match identifier::canonical(written) {
            Some(identifier) => transaction
                .identity_by_identifier(&identifier)
                .await?
                .into_iter()
                .collect(),
            None => Vec::new(),
        },
        None => transaction.identities(after.as_ref(), size).await?,
    };
    let mut body = Vec::with_capacity(identities.len());
    for identity in &identities {
        body.push(view(
            &app,
            identity,
            &transaction.credentials(&identity.id).await?,
        ));
    }
    Ok((links(&identities, size), Json(body)))
}

/// `GET /admin/identities/{id}`
///
/// # Errors
/// 404.
pub async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let id = identity_id(&id)?;
    let mut transaction = app.storage().read().await?;
    let identity = transaction.identity(&id).await?.ok_or_else(missing)?;
    let credentials = transaction.credentials(&id).await?;
    Ok(Json(view(&app, &identity, &credentials)))
}

/// `POST /admin/identities`: 201 and its address.
///
/// # Errors
/// 400 for traits that the schema refuses, 409 for an identifier or `external_id` that is taken.
pub async fn create(State(app): State<App>, body: axum::body::Bytes) -> Result<Response, Refusal> {
    let new: NewIdentity = serde_json::from_slice(&body).map_err(|error| {
        // The position is enough to find a mistake; the text around it may be a password.
        Refusal::bad_request(format!(
            "The body is not a new identity: unexpected content at line {} column {}",
            error.line(),
            error.column()
        ))
    })?;
    let Created {
        identity,
        credentials,
    } = create::create(&app, new).await?;
    let location = app
        .settings()
        .public_url(&format!("/admin/identities/{}", identity.id));
    let mut response = (
        StatusCode::CREATED,
        Json(view(&app, &identity, &credentials)),
    )
        .into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `DELETE /admin/identities/{id}`: 204; its sessions end with it, and so does what it granted to OAuth2 clients.
///
/// # Errors
/// 404.
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let id = identity_id(&id)?;
    let mut transaction = app.storage().begin().await?;
    if !transaction.delete_identity(&id).await? {
        return Err(missing());
    }
    let subject = id.to_string();
    transaction
        .end_grants_of(&subject, None, app.clock().now())
        .await?;
    transaction.delete_login_sessions_of(&subject).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /schemas`
pub async fn schemas(State(app): State<App>) -> Response {
    let all: Vec<Value> = app
        .flows()
        .schemas
        .iter()
        .map(|schema| json!({ "id": schema.id(), "schema": schema.document() }))
        .collect();
    let total = HeaderValue::from(all.len());
    ([("x-total-count", total)], Json(all)).into_response()
}

/// `GET /schemas/{id}`: the bare document. The id is base64url in the addresses that we hand out, and may be plain.
///
/// # Errors
/// 404.
pub async fn schema(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let schemas = &app.flows().schemas;
    let decoded = URL_SAFE_NO_PAD
        .decode(&id)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let found = schemas.get(&id).or_else(|| schemas.get(&decoded?));
    let document = found.map(IdentitySchema::document).cloned();
    document
        .map(Json)
        .ok_or_else(|| Refusal::not_found("There is no such schema"))
}

fn view(app: &App, identity: &Identity, credentials: &[Credential]) -> Value {
    admin_json(identity, credentials, &app.settings().public_url(""))
}

fn links(page: &[Identity], size: u32) -> HeaderMap {
    let first = format!("</admin/identities?page_size={size}>; rel=\"first\"");
    let full = u32::try_from(page.len()).is_ok_and(|count| count == size);
    let next = page.last().filter(|_| full).map(|last| {
        format!(
            ",</admin/identities?page_size={size}&page_token={}>; rel=\"next\"",
            last.id
        )
    });
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("{first}{}", next.unwrap_or_default())) {
        headers.insert(header::LINK, value);
    }
    headers
}

fn identity_id(text: &str) -> Result<IdentityId, Refusal> {
    text.parse().map_err(|_| missing())
}

fn missing() -> Refusal {
    Refusal::not_found("There is no such identity")
}
