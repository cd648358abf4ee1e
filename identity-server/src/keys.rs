//! The signing keys: made, published, used, retired and removed here, and nowhere else.
//!
//! Owns the private keys and the public key set. Does not know what a token says: the OAuth2 and OpenID Connect
//! rooms hand over claims and get a signed token back.

//!
//! - `rotate`: the life of a key, pure. `maker`: makes keys and rotates them, in the storage.
//! - `pair`: one key pair; the only file that touches private keys.
//! - `ring`: the keys in memory. `published`: keys of others that are published beside them.
//! - `sign`: claims to token. `jwks`: the public keys over HTTP.
pub mod jwks;
mod maker;
mod name;
mod pair;
mod published;
mod ring;
mod rotate;
mod sign;
pub mod store;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::config::Settings;
use crate::entropy::{Entropy, EntropyError};
use crate::id::KeyId;
use crate::secret::{Purpose, SealError, SealingKeys};
use crate::storage::{Storage, StorageError};
use pair::CryptoError;
use ring::Ring;

pub use maker::{KeyMaker, Rotation, remove_expired};
pub use name::{Algorithm, KeySet, UnknownName};
pub use published::{PublishedKeys, Unpublishable};
pub use rotate::Phase;
pub use sign::Envelope;

/// What private keys are sealed for.
const PRIVATE_KEYS: Purpose = Purpose("signing keys at rest");

/// Makes aws-lc-rs do jsonwebtoken's cryptography. Must run before any token is checked: where another crate links
/// a second back end, jsonwebtoken refuses to choose. Calling it again changes nothing.
pub fn install_crypto() {
    // An error means that a provider is installed already, and this crate installs no other.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// The signing keys of a running server.
///
/// Signing never touches the storage: it uses the keys as last [refreshed](Self::refresh), and their phases follow
/// from the time that is passed in.
pub struct Keyring {
    sealing: SealingKeys,
    longest_token: time::Duration,
    others: PublishedKeys,
    ring: RwLock<Arc<Ring>>,
}

impl Keyring {
    /// Loads the keys, after making those that are missing: every set gets its first, and a successor if the
    /// configured algorithm changed.
    ///
    /// # Errors
    /// [`KeyError`]; in particular if none of `secrets.system` opens a stored key.
    pub async fn open(
        settings: &Settings,
        storage: &dyn Storage,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        install_crypto();
        let maker = KeyMaker::new(settings);
        for set in KeySet::ALL {
            maker.ensure(storage, set, now, entropy).await?;
        }
        let keyring = Self {
            sealing: settings.secrets.sealing(PRIVATE_KEYS),
            longest_token: settings.longest_token(),
            others: PublishedKeys::open(&settings.keys.also_publish)?,
            ring: RwLock::default(),
        };
        keyring.refresh(storage).await?;
        Ok(keyring)
    }

    /// Reads the keys again, ours and those of `keys.also_publish`, so that a rotation by another process becomes known.
    /// On an error the old ones stay.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn refresh(&self, storage: &dyn Storage) -> Result<(), KeyError> {
        let stored = storage.read().await?.keys().await?;
        let fresh = Ring::load(stored, &self.sealing, &self.ring())?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(self.others.refresh()?)
    }

    /// Signs `claims`.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] for a token that would outlive its key, [`KeyError::NoActiveKey`].
    pub fn sign<C: Serialize>(
        &self,
        envelope: Envelope<'_>,
        claims: &C,
    ) -> Result<String, KeyError> {
        if envelope.expires_at - envelope.issued_at > self.longest_token {
            return Err(KeyError::TooLong);
        }
        let ring = self.ring();
        let key = ring
            .active(envelope.set, envelope.issued_at)
            .ok_or(KeyError::NoActiveKey(envelope.set))?;
        sign::compact(key, envelope.typ, claims)
    }

    /// The algorithm that `set` signs with now; for discovery and for `at_hash`.
    ///
    /// # Errors
    /// [`KeyError::NoActiveKey`].
    pub fn algorithm(&self, set: KeySet, now: OffsetDateTime) -> Result<Algorithm, KeyError> {
        self.ring()
            .active(set, now)
            .map(|key| key.stored.algorithm)
            .ok_or(KeyError::NoActiveKey(set))
    }

    /// The claims of `token` if one of our published keys of `set` signed it. **Only the signature is checked**, no
    /// time, audience or revocation: an `id_token_hint` may be old.
    #[must_use]
    pub fn signed_claims(&self, set: KeySet, token: &str, now: OffsetDateTime) -> Option<Value> {
        self.ring().open_token(set, token, now)
    }

    /// The JSON Web Key Set for the world: our keys, then those of `keys.also_publish`. Nothing that those signed counts as
    /// signed by us.
    #[must_use]
    pub fn public_set(&self, now: OffsetDateTime) -> Value {
        let ring = self.ring();
        let ours = ring.published(now).into_iter().cloned();
        json!({"keys": ours.chain(self.others.keys()).collect::<Vec<_>>()})
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring([redacted])")
    }
}

/// Why there is no signature, or no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The token would live longer than its key stays published.
    #[error("the token would live longer than `keys.longest_token` allows")]
    TooLong,
    /// Nothing signs for this set now.
    #[error(
        "no key of the set `{0}` is active; does the clock of this machine tell the right time?"
    )]
    NoActiveKey(KeySet),
    /// The private key cannot be sealed or opened.
    #[error("signing key `{id}`: {reason}")]
    Sealed {
        /// Which key.
        id: KeyId,
        /// Why.
        reason: SealError,
    },
    /// The claims are not representable in JSON.
    #[error("the claims cannot be written as JSON: {0}")]
    Claims(String),
    /// A file of `keys.also_publish`.
    #[error("`keys.also_publish`: {0}")]
    Unpublishable(#[from] Unpublishable),
    /// The cryptographic library refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// No storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
