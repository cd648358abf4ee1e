//! The grants: each turns a checked request into tokens, in its own file.
//!
//! All of them work the same way: read and decide, sign (which is slow, so no transaction is open), then write once
//! and commit, and only then answer. Writing checks again whatever another request may have changed in between; if it
//! did, the grant starts over and sees why.

pub mod authorization_code;
pub mod client_credentials;
mod issue;
pub mod refresh_token;

use time::OffsetDateTime;

use super::client::Client;
use super::error::OAuthError;
use super::params::Params;
use crate::app::App;

/// How often a grant starts over when it races with another request, before it gives up.
const ATTEMPTS: usize = 4;

/// What asks for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 3] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Reads `grant_type`.
    ///
    /// # Errors
    /// `unsupported_grant_type` (Hydra answers `invalid_request`, against RFC 6749 §5.2).
    pub fn parse(name: &str) -> Result<Self, OAuthError> {
        Self::ALL
            .into_iter()
            .find(|grant| grant.name() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                OAuthError::UnsupportedGrantType(format!("the grant type must be one of: {known}"))
            })
    }
}

/// A token request whose client has been authenticated and may use the grant.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The server.
    pub app: &'a App,
    /// Who asks.
    pub client: &'a Client,
    /// What for.
    pub params: &'a Params,
    /// When.
    pub now: OffsetDateTime,
}

/// Every attempt met another request.
fn too_busy() -> OAuthError {
    OAuthError::TemporarilyUnavailable(
        "too many requests use the same code or token at once; try again".into(),
    )
}
