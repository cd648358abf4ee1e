//! The signing keys: made, published, used, retired and removed here, and nowhere else.
//!
//! Owns the private keys and the public key set. Does not know what a token says: the OAuth2 and OpenID Connect
//! rooms hand over claims and get a signed token back.

//!
//! - `rotate`: the life of a key, pure.
//! - `pair`: one key pair; the only file that touches private keys.
//! - `ring`: the keys in memory.
//! - `sign`: claims to token. `jwks`: the public keys over HTTP.

pub mod jwks;
mod pair;
mod ring;
mod rotate;
mod sign;
pub mod store;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::config::Settings;
use crate::entropy::{Entropy, EntropyError};
use crate::id::KeyId;
use crate::secret::{Purpose, SealError, SealingKeys};
use crate::storage::{Storage, StorageError};
use pair::{CryptoError, Pair};
use ring::Ring;
use rotate::Plan;
use store::StoredKey;

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
            ring: RwLock::default(),
        };
        keyring.refresh(storage).await?;
        Ok(keyring)
    }

    /// Reads the keys again, so that a rotation by another process becomes known. On an error the old ones stay.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn refresh(&self, storage: &dyn Storage) -> Result<(), KeyError> {
        let stored = storage.read().await?.keys().await?;
        let fresh = Ring::load(stored, &self.sealing, &self.ring())?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
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

    /// The JSON Web Key Set for the world.
    #[must_use]
    pub fn public_set(&self, now: OffsetDateTime) -> Value {
        json!({"keys": self.ring().published(now)})
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

/// Makes keys and rotates them, in the storage. Needs no running server.
pub struct KeyMaker<'a> {
    settings: &'a Settings,
    sealing: SealingKeys,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// This key is new, or signs earlier than planned.
    Started(StoredKey),
    /// This key was published already and takes over by itself.
    Pending(StoredKey),
}

impl<'a> KeyMaker<'a> {
    /// Takes algorithms, times and secrets from the settings.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            sealing: settings.secrets.sealing(PRIVATE_KEYS),
        }
    }

    /// Publishes the next key of `set`; it signs after `keys.publish_ahead`, or `at_once`: then verifiers that cache
    /// the key set refuse good tokens until they fetch it again.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
        at_once: bool,
    ) -> Result<Rotation, KeyError> {
        // Made before the write lock is taken; thrown away if it turns out not to be needed.
        let candidate = self.candidate(set, now, entropy).await?;
        let mut tx = storage.begin().await?;
        let keys = tx.keys().await?;
        let ahead = self.settings.keys.publish_ahead.0;
        let rotation = match rotate::plan(&keys, set, now, ahead, at_once) {
            Plan::Wait { successor } => return Ok(Rotation::Pending(successor)),
            Plan::Advance {
                successor,
                activates_at,
            } => {
                let successor = StoredKey {
                    activates_at,
                    ..successor
                };
                tx.update_key_times(&successor).await?;
                Rotation::Started(successor)
            }
            Plan::Create { activates_at } => {
                let successor = StoredKey {
                    activates_at,
                    ..candidate
                };
                tx.insert_key(&successor).await?;
                Rotation::Started(successor)
            }
        };
        let (Rotation::Started(successor) | Rotation::Pending(successor)) = &rotation;
        for key in rotate::retire(&keys, successor) {
            tx.update_key_times(&key).await?;
        }
        tx.commit().await?;
        Ok(rotation)
    }

    /// Makes the set usable, and lets every key know the longest token that it may have to outlive.
    async fn ensure(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        let keys = storage.read().await?.keys().await?;
        let newest = keys
            .iter()
            .filter(|key| key.set == set && key.phase(now) <= Phase::Active)
            .max_by_key(|key| key.activates_at);
        if newest.is_none_or(|key| key.algorithm != self.settings.keys.algorithm_of(set)) {
            self.rotate(storage, set, now, entropy, false).await?;
        }
        self.update(storage, set, entropy).await
    }

    /// Brings the keys of `set` in line with settings that changed since they were made: the longest token, and the
    /// secret that seals them.
    async fn update(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        let longest = self.settings.longest_token();
        let short = |key: &StoredKey| key.set == set && key.token_lifespan < longest;
        let outdated = |key: &StoredKey| {
            key.set == set
                && self
                    .sealing
                    .is_outdated(key.id.as_str().as_bytes(), &key.sealed_private)
        };
        if !storage
            .read()
            .await?
            .keys()
            .await?
            .iter()
            .any(|key| short(key) || outdated(key))
        {
            return Ok(());
        }
        let mut tx = storage.begin().await?;
        for key in tx.keys().await? {
            if short(&key) {
                tx.update_key_times(&StoredKey {
                    token_lifespan: longest,
                    ..key.clone()
                })
                .await?;
            }
            if outdated(&key) {
                let fail = |reason| KeyError::Sealed {
                    id: key.id.clone(),
                    reason,
                };
                let context = key.id.as_str().as_bytes();
                let private = self
                    .sealing
                    .open(context, &key.sealed_private)
                    .map_err(fail)?;
                let sealed_private = self
                    .sealing
                    .seal(entropy, context, &private)
                    .map_err(fail)?;
                tx.reseal_key(&StoredKey {
                    sealed_private,
                    ..key.clone()
                })
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn candidate(
        &self,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<StoredKey, KeyError> {
        let algorithm = self.settings.keys.algorithm_of(set);
        let pair = tokio::task::spawn_blocking(move || Pair::generate(algorithm))
            .await
            .map_err(|_| CryptoError)??;
        let id = KeyId::random(entropy)?;
        let sealed_private = self
            .sealing
            .seal(entropy, id.as_str().as_bytes(), &pair.pkcs8()?)
            .map_err(|reason| KeyError::Sealed {
                id: id.clone(),
                reason,
            })?;
        Ok(StoredKey {
            set,
            algorithm,
            sealed_private,
            public_jwk: pair.public_jwk(&id)?.to_string(),
            id,
            created_at: now,
            activates_at: now,
            retires_at: None,
            token_lifespan: self.settings.longest_token(),
        })
    }
}

/// Removes expired keys. Answers how many there were.
///
/// # Errors
/// [`StorageError`].
pub async fn remove_expired(
    storage: &dyn Storage,
    now: OffsetDateTime,
) -> Result<usize, StorageError> {
    let expired = |key: &StoredKey| key.phase(now) == Phase::Expired;
    if !storage.read().await?.keys().await?.iter().any(expired) {
        return Ok(0);
    }
    let mut tx = storage.begin().await?;
    let mut removed = 0;
    for key in tx.keys().await?.iter().filter(|key| expired(key)) {
        removed += usize::from(tx.delete_key(&key.id).await?);
    }
    tx.commit().await?;
    Ok(removed)
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

/// Which tokens a key signs. The names are Hydra's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySet {
    /// ID tokens, and other signed answers to clients.
    IdToken,
    /// Access tokens, which resource servers check.
    AccessToken,
}

impl KeySet {
    /// Every set.
    pub const ALL: [Self; 2] = [Self::IdToken, Self::AccessToken];

    /// The set's name, as in `/admin/keys/{set}`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IdToken => "hydra.openid.id-token",
            Self::AccessToken => "hydra.jwt.access-token",
        }
    }
}

impl fmt::Display for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeySet {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|set| set.name() == name)
            .ok_or_else(|| UnknownName::new("key set", name))
    }
}

/// How a key signs (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256; every OpenID Connect client understands it.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256: small tokens, fast signing.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519: small and fastest; not every client knows it.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// Every algorithm we sign with.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The `alg` value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|alg| alg.name() == name)
            .ok_or_else(|| UnknownName::new("algorithm", name))
    }
}

/// A name that stands for nothing we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
}

impl UnknownName {
    fn new(kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
        }
    }
}
