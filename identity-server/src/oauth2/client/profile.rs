//! What a client is registered with, in Hydra's field names and shapes.
//!
//! Reading is lenient where SDKs are: every field may be missing or `null`, and unknown fields are ignored. Writing
//! always emits the keys that Hydra always emits, lists as `[]` rather than `null`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::config::AccessTokens;
use crate::duration::GoDuration;

/// The registration of a client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the fields are the metadata of RFC 7591, OpenID Connect Registration and Hydra, by name"
)]
pub struct Profile {
    #[serde(deserialize_with = "lenient")]
    pub client_name: String,
    #[serde(deserialize_with = "lenient")]
    pub redirect_uris: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub grant_types: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub response_types: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub scope: String,
    #[serde(deserialize_with = "lenient")]
    pub audience: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub owner: String,
    #[serde(deserialize_with = "lenient")]
    pub policy_uri: String,
    #[serde(deserialize_with = "lenient")]
    pub tos_uri: String,
    #[serde(deserialize_with = "lenient")]
    pub client_uri: String,
    #[serde(deserialize_with = "lenient")]
    pub logo_uri: String,
    #[serde(deserialize_with = "lenient")]
    pub allowed_cors_origins: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub contacts: Vec<String>,
    /// Always 0: secrets do not expire.
    #[serde(deserialize_with = "lenient")]
    pub client_secret_expires_at: i64,
    #[serde(deserialize_with = "lenient")]
    pub subject_type: String,
    #[serde(deserialize_with = "lenient")]
    pub jwks: Map<String, Value>,
    /// The operator's own notes: any JSON.
    #[serde(default = "empty_object", deserialize_with = "object_by_default")]
    pub metadata: Value,
    #[serde(deserialize_with = "lenient")]
    pub skip_consent: bool,
    pub skip_logout_consent: Option<bool>,
    #[serde(flatten)]
    pub lifespans: Lifespans,

    #[serde(deserialize_with = "lenient")]
    pub token_endpoint_auth_method: AuthMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_session_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_required: Option<bool>,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_strategy: Option<AccessTokens>,
}

/// How a client proves who it is at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Its secret, by HTTP Basic.
    #[default]
    ClientSecretBasic,
    /// Its secret, in the form.
    ClientSecretPost,
    /// An assertion signed with its key (RFC 7523).
    PrivateKeyJwt,
    /// Not at all: a public client.
    None,
}

impl AuthMethod {
    /// The name in metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

/// How long this client's tokens live, by grant; `None` leaves it to the server's `ttl`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it: which grant, which token")]
pub struct Lifespans {
    pub authorization_code_grant_access_token_lifespan: Option<GoDuration>,
    pub authorization_code_grant_id_token_lifespan: Option<GoDuration>,
    pub authorization_code_grant_refresh_token_lifespan: Option<GoDuration>,
    pub client_credentials_grant_access_token_lifespan: Option<GoDuration>,
    pub device_authorization_grant_access_token_lifespan: Option<GoDuration>,
    pub device_authorization_grant_id_token_lifespan: Option<GoDuration>,
    pub device_authorization_grant_refresh_token_lifespan: Option<GoDuration>,
    pub implicit_grant_access_token_lifespan: Option<GoDuration>,
    pub implicit_grant_id_token_lifespan: Option<GoDuration>,
    pub jwt_bearer_grant_access_token_lifespan: Option<GoDuration>,
    pub refresh_token_grant_access_token_lifespan: Option<GoDuration>,
    pub refresh_token_grant_id_token_lifespan: Option<GoDuration>,
    pub refresh_token_grant_refresh_token_lifespan: Option<GoDuration>,
}

/// `null` and absence both mean the default.
fn lenient<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn empty_object() -> Value {
    Value::Object(Map::new())
}

fn object_by_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_null() {
        empty_object()
    } else {
        value
    })
}
