//! Where a refusal of the authorization endpoint goes: to the client if it can be trusted to be one, otherwise to an
//! error page of ours. Redirecting to an address that nobody has registered would make the server an open redirector.

use axum::response::Response;

use super::request::Destination;
use super::response::{redirect, with_query};
use crate::config::Settings;
use crate::entropy::EntropyError;
use crate::oauth2::error::OAuthError;
use crate::storage::StorageError;

/// A refusal and where it goes.
#[derive(Debug)]
pub(super) enum Refusal {
    /// To the error page.
    Page(OAuthError),
    /// To the client.
    Client(Box<Destination>, OAuthError),
}

impl Refusal {
    /// To the client.
    pub(super) fn to(destination: &Destination, error: OAuthError) -> Self {
        Self::Client(Box::new(destination.clone()), error)
    }

    /// Sends it there.
    pub(super) fn answer(&self, settings: &Settings) -> Response {
        match self {
            Self::Client(destination, error) => destination.refuse(error, &settings.issuer),
            Self::Page(error) => {
                let page = settings
                    .urls
                    .error
                    .clone()
                    .unwrap_or_else(|| settings.public_url("/error"));
                let (_, code) = error.status_and_code();
                let params = [
                    ("error", code.to_owned()),
                    ("error_description", error.description()),
                ];
                redirect(&with_query(&page, &params))
            }
        }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Page(error.into())
    }
}

impl From<EntropyError> for Refusal {
    fn from(error: EntropyError) -> Self {
        Self::Page(error.into())
    }
}
