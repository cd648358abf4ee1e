//! Being signed in: sessions, the cookie and the tokens that name them, and the question "who am I?".
//!
//! A session is named by a random token: the value of the session cookie in a browser, `ory_st_…` for everything
//! else. Only its SHA-256 is stored. Signing in always makes a new session with a new token, so a token that
//! somebody planted in a browser before is worth nothing afterwards (session fixation).
//!
//! - [`token`]: the tokens. [`cookie`]: how a browser keeps them.
//! - [`current`]: from a request to its session; one read.
//! - [`http`]: the endpoints for the session's owner. [`admin`]: those for operators.
//! - [`store`]: what has to be kept.

pub mod admin;
pub mod cookie;
pub mod current;
pub mod http;
pub mod paging;
pub mod store;
pub mod token;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::client_address::client_address;
use crate::config::AddressRange;
use crate::entropy::{Entropy, EntropyError};
use crate::flows::instant;
use crate::id::{IdentityId, SessionId};
use crate::identity::{Identity, IdentityState, public_json};

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its name; not a secret.
    pub id: SessionId,
    /// Who.
    pub identity: IdentityId,
    /// Whether nobody has ended it yet.
    pub active: bool,
    /// How sure we are.
    pub aal: Aal,
    /// How they proved it.
    pub methods: Vec<AuthenticationMethod>,
    /// From where.
    pub devices: Vec<Device>,
    /// When it was made.
    pub issued_at: OffsetDateTime,
    /// When they last proved who they are.
    pub authenticated_at: OffsetDateTime,
    /// When it ends by itself.
    pub expires_at: OffsetDateTime,
}

/// Authenticator assurance level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aal {
    /// One factor.
    Aal1,
    /// Two factors.
    Aal2,
}

/// One proof of who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationMethod {
    /// What sort, for example `password`.
    pub method: String,
    /// What it is worth.
    pub aal: Aal,
    /// When.
    #[serde(with = "instant")]
    pub completed_at: OffsetDateTime,
}

/// Where a session was used from; as the client said, so not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub id: String,
    /// The address that the request came from.
    pub ip_address: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// Where that is; unknown so far.
    pub location: String,
}

/// The longest `User-Agent` that is kept.
const USER_AGENT_CHARS: usize = 256;

impl Session {
    /// A fresh session of `identity`, who has just given a password.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn issue(
        identity: IdentityId,
        lifespan: Duration,
        from: &Origin,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        Ok(Self {
            id: SessionId::random(entropy)?,
            identity,
            active: true,
            aal: Aal::Aal1,
            methods: vec![AuthenticationMethod {
                method: "password".into(),
                aal: Aal::Aal1,
                completed_at: now,
            }],
            devices: vec![from.device(entropy)?],
            issued_at: now,
            authenticated_at: now,
            expires_at: now.saturating_add(lifespan),
        })
    }

    /// The same session after its owner has given the password once more.
    #[must_use]
    pub fn refreshed(mut self, lifespan: Duration, now: OffsetDateTime) -> Self {
        // The list must not grow with every confirmation: one entry per method is enough.
        self.methods.retain(|method| method.method != "password");
        self.methods.push(AuthenticationMethod {
            method: "password".into(),
            aal: Aal::Aal1,
            completed_at: now,
        });
        self.authenticated_at = now;
        self.expires_at = now.saturating_add(lifespan);
        self
    }

    /// Whether it counts at `now`. Disabling the owner ends all their sessions at once.
    #[must_use]
    pub fn is_valid(&self, owner: &Identity, now: OffsetDateTime) -> bool {
        self.is_live(now) && owner.state == IdentityState::Active
    }

    /// Whether it is neither revoked nor expired at `now`.
    #[must_use]
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.active && self.expires_at > now
    }

    /// As the API shows it.
    #[must_use]
    pub fn to_json(
        &self,
        owner: Option<&Identity>,
        now: OffsetDateTime,
        public_url: &str,
    ) -> Value {
        let mut view = json!({
            "id": self.id.to_string(),
            "active": self.is_live(now) && owner.is_none_or(|owner| owner.state == IdentityState::Active),
            "expires_at": instant::format(self.expires_at),
            "authenticated_at": instant::format(self.authenticated_at),
            "authenticator_assurance_level": self.aal,
            "authentication_methods": self.methods,
            "issued_at": instant::format(self.issued_at),
            "devices": self.devices,
        });
        if let (Some(owner), Some(object)) = (owner, view.as_object_mut()) {
            object.insert("identity".into(), public_json(owner, public_url));
        }
        view
    }
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; see [`client_address`](crate::client_address::client_address).
    pub ip: String,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Origin {
    /// The client's address and what it calls itself.
    #[must_use]
    pub fn of(
        peer: Option<std::net::SocketAddr>,
        headers: &axum::http::HeaderMap,
        trusted_proxies: &[AddressRange],
    ) -> Self {
        let ip = peer.map(|peer| client_address(peer.ip(), headers, trusted_proxies));
        let user_agent = headers
            .get(axum::http::header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Self {
            ip: ip.map(|ip| ip.to_string()).unwrap_or_default(),
            user_agent: user_agent
                .unwrap_or_default()
                .chars()
                .take(USER_AGENT_CHARS)
                .collect(),
        }
    }

    fn device(&self, entropy: &dyn Entropy) -> Result<Device, EntropyError> {
        Ok(Device {
            id: entropy.uuid()?.to_string(),
            ip_address: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            location: String::new(),
        })
    }
}

#[cfg(test)]
mod tests;
