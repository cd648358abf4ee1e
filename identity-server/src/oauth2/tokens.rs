//! What has been issued, as it is recorded. Tokens and codes themselves are never stored, only their digests.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::serde::timestamp::microseconds;

use super::flow::SessionClaims;
use super::pkce::CodeChallenge;
use crate::id::ClientId;

/// What a person has granted to a client: the family of everything issued because of one consent. Revoking the grant
/// revokes the family.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The consent request's id.
    pub id: String,
    /// Who may use it.
    pub client_id: ClientId,
    /// Who gave it.
    pub subject: String,
    /// The browser session (`sid`) that it was given in.
    pub session_id: String,
    /// Everything else.
    pub details: GrantDetails,
    /// When the person agreed.
    pub created_at: OffsetDateTime,
    /// When nothing issued under it can be valid any more, as far as is known; moves on with each refresh.
    pub ends_at: OffsetDateTime,
    /// Whether the person's answer stands for later requests, too.
    pub remember: bool,
    /// Until when; `None` is for ever.
    pub remember_until: Option<OffsetDateTime>,
    /// When the family was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// The parts of a [`Grant`] that are only read together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantDetails {
    /// Granted scopes.
    pub scope: Vec<String>,
    /// Granted audiences.
    pub audience: Vec<String>,
    /// Claims for the tokens.
    pub claims: SessionClaims,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// `auth_time`.
    #[serde(with = "microseconds")]
    pub authenticated_at: OffsetDateTime,
    /// `rat`: when the client asked.
    #[serde(with = "microseconds")]
    pub requested_at: OffsetDateTime,
    /// `acr`.
    pub acr: Option<String>,
    /// `amr`.
    pub amr: Vec<String>,
    /// For how many seconds the consent was to be remembered, as the page said it.
    pub remember_for: i64,
    /// The consent page's notes.
    pub context: Value,
}

impl Grant {
    /// Whether an ID token belongs to it.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.has_scope("openid")
    }

    /// Whether a refresh token belongs to it.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.has_scope("offline") || self.has_scope("offline_access")
    }

    fn has_scope(&self, wanted: &str) -> bool {
        self.details.scope.iter().any(|scope| scope == wanted)
    }
}

/// An authorization code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Digest of the code.
    pub digest: String,
    /// The grant that it is for.
    pub grant_id: String,
    /// The redirect URI, if the authorization request named it: then the token request must, too.
    pub redirect_uri: Option<String>,
    /// What the verifier must match.
    pub challenge: Option<CodeChallenge>,
    /// When it is too late.
    pub expires_at: OffsetDateTime,
    /// When it was redeemed. The row stays, so that a second attempt is noticed.
    pub used_at: Option<OffsetDateTime>,
}

/// An access token.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessToken {
    /// Digest of the whole token, whatever its format: changing any byte of a token makes it unknown.
    pub digest: String,
    /// The grant it belongs to; `None` for a client acting for itself.
    pub grant_id: Option<String>,
    /// Who may use it.
    pub client_id: ClientId,
    /// For whom.
    pub subject: String,
    /// What it allows.
    pub scope: Vec<String>,
    /// For which resource servers.
    pub audience: Vec<String>,
    /// The consent page's claims.
    pub extra: Map<String, Value>,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Digest of the token.
    pub digest: String,
    /// The grant it belongs to.
    pub grant_id: String,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// When it ends if it is not used; `None` for never.
    pub expires_at: Option<OffsetDateTime>,
    /// How it was used. The row stays, so that a second attempt is noticed.
    pub rotation: Option<Rotation>,
}

/// That a refresh token was exchanged for its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// When.
    pub at: OffsetDateTime,
    /// Digest of the successor.
    pub successor: String,
    /// The successor itself, sealed, for the few seconds in which the same answer is given again.
    pub sealed_successor: String,
}

/// A sign-in that a browser remembers (Hydra's authentication session), used with external login pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// The `sid`.
    pub id: String,
    /// Digest of the cookie.
    pub cookie: String,
    /// Who.
    pub subject: String,
    /// When they last proved it.
    pub authenticated_at: OffsetDateTime,
    /// The identity provider's session behind it.
    pub identity_session_id: Option<String>,
    /// When it is forgotten.
    pub expires_at: OffsetDateTime,
}
