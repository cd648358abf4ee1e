//! One type per kind of id, so that a session id can never be passed where an identity id is meant.
//!
//! Every id is text at the edges: it prints, serialises and is stored as it is written here. Ids that we make are
//! random UUIDs ([`uuid_id!`]); ids that an operator may choose are free text ([`text_id!`]).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entropy::{Entropy, EntropyError};

/// Defines an id that holds any text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// A fresh id: a random UUID in text.
            ///
            /// # Errors
            /// [`EntropyError`] when the generator fails.
            pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                Ok(Self(entropy.uuid()?.to_string()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

/// Defines an id that is a UUID.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh random id.
            ///
            /// # Errors
            /// [`EntropyError`] when the generator fails.
            pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                entropy.uuid().map(Self)
            }

            /// The id as a UUID.
            #[must_use]
            pub fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    };
}

text_id! {
    /// An OAuth2 client, `client_id`.
    ClientId
}

text_id! {
    /// A signing key, `kid`.
    KeyId
}

uuid_id! {
    /// An identity: a person or machine that can sign in. It is the `sub` of the tokens issued for it.
    IdentityId
}

uuid_id! {
    /// A signed-in session.
    SessionId
}

uuid_id! {
    /// One run of a self-service flow: a registration, a login.
    FlowId
}
