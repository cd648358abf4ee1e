//! Who can sign in: identities, their traits, the schema that traits obey, and their credentials.
//!
//! This room owns identities and what proves them (so far the password). It does not own signing in, which is a
//! flow ([`crate::flows`]), nor being signed in, which is a session ([`crate::sessions`]).
//!
//! - [`schema`]: the JSON Schema of traits; it says which trait is the identifier and which inputs a form shows.
//! - [`identifier`]: the canonical form of an identifier. Two spellings of one address are one account.
//! - [`policy`]: which passwords are refused.
//! - [`password`]: hashing, off the async threads and with a limit on how much of it runs at once.
//! - [`traits`]: values of a form, made into typed and checked traits.
//! - [`http`]: the administrator's endpoints and the public list of schemas.
//! - [`store`]: what has to be kept.

pub mod create;
pub mod http;
pub mod identifier;
pub mod password;
pub mod policy;
pub mod schema;
pub mod store;
pub mod traits;
mod view;

use serde_json::Value;
use time::OffsetDateTime;

use crate::id::IdentityId;

pub use view::{admin_json, public_json};

/// A person or machine that can sign in.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The `sub` of tokens issued for it.
    pub id: IdentityId,
    /// Which schema its traits obey.
    pub schema_id: String,
    /// Whether it may sign in.
    pub state: IdentityState,
    /// When `state` was last set.
    pub state_changed_at: OffsetDateTime,
    /// What is known about it, as the schema describes it.
    pub traits: Value,
    /// Free data that its owner may see but not change.
    pub metadata_public: Option<Value>,
    /// Free data that only administrators see.
    pub metadata_admin: Option<Value>,
    /// The key of this identity in another system; unique.
    pub external_id: Option<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// Whether an identity may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityState {
    /// It may.
    Active,
    /// It may not, and its sessions count as ended.
    Inactive,
}

impl IdentityState {
    /// The name in the API and in storage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The inverse of [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }
}

/// Something by which an identity proves who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// Whose it is.
    pub identity: IdentityId,
    /// What sort of proof.
    pub kind: CredentialKind,
    /// The canonical identifiers under which it is found; unique per kind.
    pub identifiers: Vec<String>,
    /// What has to be known to check the proof; its shape depends on the kind.
    pub config: CredentialConfig,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// The sorts of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password.
    Password,
}

impl CredentialKind {
    /// The name in the API and in storage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
        }
    }

    /// The inverse of [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (name == "password").then_some(Self::Password)
    }
}

/// A credential's `config` document. It holds hashes, so it does not print.
#[derive(Clone, PartialEq)]
pub struct CredentialConfig(Value);

impl CredentialConfig {
    /// The config of a password credential.
    #[must_use]
    pub fn password(hash: &str) -> Self {
        Self(serde_json::json!({ "hashed_password": hash }))
    }

    /// Takes a stored document.
    #[must_use]
    pub fn from_json(document: Value) -> Self {
        Self(document)
    }

    /// The document, for storage.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// The hash of a password credential.
    #[must_use]
    pub fn hashed_password(&self) -> Option<&str> {
        self.0.get("hashed_password")?.as_str()
    }
}

impl std::fmt::Debug for CredentialConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
