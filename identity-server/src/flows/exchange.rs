//! One request of a flow: what its handlers need to know about it, and how they answer it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;

use super::csrf::CsrfSecret;
use super::negotiate;
use super::refusal::Refusal;
use super::store::FlowError;
use crate::App;
use crate::sessions::Origin;

/// A request and the handles to answer it with.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The server's handles.
    pub app: App,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The request's address.
    pub uri: Uri,
    /// Where it came from.
    pub origin: Origin,
}

impl FromRequestParts<App> for Exchange {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| *peer);
        Ok(Self {
            app: app.clone(),
            origin: Origin::of(peer, &parts.headers, &app.settings().public.trusted_proxies),
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
        })
    }
}

impl Exchange {
    /// A query parameter. Empty counts as absent: clients always send all of them.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| Cow::into_owned(value))
    }

    /// Whether the client wants JSON instead of redirects.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        negotiate::wants_json(&self.headers)
    }

    /// The address of the request as clients see it.
    #[must_use]
    pub fn request_url(&self) -> String {
        self.app
            .settings()
            .public_url(self.uri.path_and_query().map_or("/", |path| path.as_str()))
    }

    /// The browser's CSRF secret, or a fresh one with the cookie to set.
    ///
    /// # Errors
    /// [`Refusal`], when no randomness is to be had.
    pub fn csrf_secret(&self) -> Result<(CsrfSecret, Option<Cookie<'static>>), Refusal> {
        if let Some(secret) = CsrfSecret::in_cookie(self.app.settings(), &self.headers) {
            return Ok((secret, None));
        }
        let secret = CsrfSecret::random(self.app.entropy())?;
        let cookie = secret.cookie(self.app.settings());
        Ok((secret, Some(cookie)))
    }

    /// Turns a refusal into the answer that this client understands: JSON, or the error page.
    pub async fn refuse(&self, refusal: Refusal) -> Response {
        if self.wants_json() {
            refusal.into_response()
        } else {
            self.error_page(&refusal).await
        }
    }

    /// Sends the browser to the page that shows this error.
    async fn error_page(&self, refusal: &Refusal) -> Response {
        match self.keep_error(refusal).await {
            Ok(id) => see_other(&self.app.settings().public_url(&format!("/error?id={id}"))),
            // Nowhere to keep it: better an ugly answer than a page that cannot say what happened.
            Err(worse) => worse.into_response(),
        }
    }

    async fn keep_error(&self, refusal: &Refusal) -> Result<uuid::Uuid, Refusal> {
        let error = FlowError {
            id: self.app.entropy().uuid()?,
            error: refusal.error_json(),
            created_at: self.app.clock().now(),
        };
        let mut transaction = self.app.storage().begin().await?;
        transaction.insert_flow_error(&error).await?;
        transaction.commit().await?;
        Ok(error.id)
    }
}

/// 303: look there, with GET.
#[must_use]
pub fn see_other(url: &str) -> Response {
    match HeaderValue::from_str(url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(error) => Refusal::internal(&error).into_response(),
    }
}

/// Adds `Set-Cookie` headers.
#[must_use]
pub fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = Cookie<'static>>,
) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.encoded().to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
