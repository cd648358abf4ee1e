//! OAuth 2.0 clients: who may ask this server for tokens, and how.
//!
//! A client is a [`Profile`] (everything an administrator writes, in Hydra's field names), an id, times, and perhaps a
//! secret of which only a hash is kept. [`rules`] checks a profile once, when it is registered; everything later
//! trusts it. [`http`] is the administrators' API.

pub mod http;
mod page;
pub mod profile;
pub mod rules;
pub mod secret;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use profile::{AuthMethod, Lifespans, Profile};
pub use secret::StoredSecret;

use crate::id::ClientId;

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// What it was registered with.
    pub profile: Profile,
    /// The hash of its secret; `None` for public clients.
    pub secret: Option<StoredSecret>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl Client {
    /// Whether this client cannot keep a secret (RFC 6749 §2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.profile.token_endpoint_auth_method == AuthMethod::None
    }

    /// Whether the client is registered for a grant type; registering none means `authorization_code`.
    #[must_use]
    pub fn may_use_grant(&self, grant_type: &str) -> bool {
        let registered = &self.profile.grant_types;
        registered.iter().any(|known| known == grant_type)
            || (registered.is_empty() && grant_type == "authorization_code")
    }

    /// Whether the client is registered for a response type (the order of its parts does not count); registering none
    /// means `code`.
    #[must_use]
    pub fn may_use_response_type(&self, response_type: &str) -> bool {
        fn parts(response_type: &str) -> Vec<&str> {
            let mut parts: Vec<&str> = response_type
                .split(' ')
                .filter(|part| !part.is_empty())
                .collect();
            parts.sort_unstable();
            parts
        }
        let wanted = parts(response_type);
        let registered = &self.profile.response_types;
        registered.iter().any(|known| parts(known) == wanted)
            || (registered.is_empty() && wanted == ["code"])
    }

    /// The client as administrators see it, with Hydra's keys. `secret` is the secret in clear, which exists only in
    /// the answer to the request that made it.
    #[must_use]
    pub fn to_json(&self, secret: Option<&str>) -> Value {
        let mut object = match serde_json::to_value(&self.profile) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        object.insert("client_id".into(), self.id.as_str().into());
        object.insert("created_at".into(), shown(self.created_at));
        object.insert("updated_at".into(), shown(self.updated_at));
        if let Some(secret) = secret {
            object.insert("client_secret".into(), secret.into());
        }
        Value::Object(object)
    }
}

/// RFC 3339 in UTC, to the second.
fn shown(time: OffsetDateTime) -> Value {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).map_or(Value::Null, Value::String)
}
