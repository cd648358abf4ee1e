//! Hashing and checking passwords with argon2id.
//!
//! Three rules:
//! - Hashing takes tens of milliseconds and megabytes on purpose, so it runs on the blocking threads, no more at
//!   once than there are permits; who would have to wait too long is told to come back later.
//! - An unknown account costs what a known one costs: it is checked against a [`decoy`](PasswordHasher::check) hash
//!   with the current parameters.
//! - A hash with other parameters than the configured ones still checks, and is to be replaced at that moment, which
//!   is the only one at which the password is known.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::entropy::{Entropy, EntropyError};
use crate::secret::SecretText;

/// The cost of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// Hashes and checks passwords. Clones share the limit on concurrent work.
#[derive(Clone)]
pub struct PasswordHasher {
    params: Params,
    permits: Arc<Semaphore>,
    patience: Duration,
    decoy: Arc<OnceLock<String>>,
}

/// What checking a password showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the right one.
    Right {
        /// The stored hash does not have the configured cost; hash the password anew and store that.
        outdated: bool,
    },
    /// It is not, or there is no such account.
    Wrong,
}

/// Why a password could be neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The cost is outside of what argon2 allows.
    #[error("argon2 cannot work with this cost: {0}")]
    Cost(String),
    /// Too many hashes are under way.
    #[error("too many passwords are being checked; try again shortly")]
    Busy,
    /// No salt could be made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Hashing failed, for example for lack of memory.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// How long a caller waits for its turn to hash.
const PATIENCE: Duration = Duration::from_secs(5);

const SALT_BYTES: usize = 16;

impl PasswordHasher {
    /// A hasher with this cost that does at most `concurrency` hashes at once.
    ///
    /// # Errors
    /// [`PasswordError::Cost`].
    pub fn new(cost: Argon2Cost, concurrency: usize) -> Result<Self, PasswordError> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| PasswordError::Cost(error.to_string()))?;
        Ok(Self {
            params,
            permits: Arc::new(Semaphore::new(concurrency.max(1))),
            patience: PATIENCE,
            decoy: Arc::default(),
        })
    }

    /// The hash of `password` as a PHC string.
    ///
    /// # Errors
    /// All but [`PasswordError::Cost`].
    pub async fn hash(
        &self,
        password: &SecretText,
        entropy: &dyn Entropy,
    ) -> Result<String, PasswordError> {
        self.hash_in_turn(self.turn().await?, password, entropy)
            .await
    }

    /// As [`hash`](Self::hash), for a caller whose turn it is.
    ///
    /// # Errors
    /// [`PasswordError::Entropy`], [`PasswordError::Failed`].
    pub async fn hash_in_turn(
        &self,
        turn: Turn,
        password: &SecretText,
        entropy: &dyn Entropy,
    ) -> Result<String, PasswordError> {
        let salt = salt(entropy)?;
        let (params, password) = (self.params.clone(), password.clone());
        turn.run(move || hash(params, &password, &salt)).await?
    }

    /// Checks `password` against a stored hash; `None` stands for an unknown account, takes as long, and is wrong.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], [`PasswordError::Entropy`], [`PasswordError::Failed`].
    pub async fn check(
        &self,
        password: &SecretText,
        stored: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<Verdict, PasswordError> {
        self.decoy(entropy).await?;
        self.check_in_turn(self.turn().await?, password, stored)
            .await
    }

    /// As [`check`](Self::check), for a caller whose turn it is. The hasher must have been [warmed up](Self::warm_up).
    ///
    /// # Errors
    /// [`PasswordError::Failed`].
    pub async fn check_in_turn(
        &self,
        turn: Turn,
        password: &SecretText,
        stored: Option<&str>,
    ) -> Result<Verdict, PasswordError> {
        let against = stored.or_else(|| self.decoy.get().map(String::as_str));
        let against = against
            .ok_or_else(|| PasswordError::Failed("there is no decoy hash yet".into()))?
            .to_owned();
        let (params, password) = (self.params.clone(), password.clone());
        let verdict = turn
            .run(move || check(&params, &password, &against))
            .await??;
        Ok(stored.map_or(Verdict::Wrong, |_| verdict))
    }

    /// A hash of nothing that anybody knows, made once.
    async fn decoy(&self, entropy: &dyn Entropy) -> Result<String, PasswordError> {
        if let Some(decoy) = self.decoy.get() {
            return Ok(decoy.clone());
        }
        let made = self
            .hash(&SecretText::new(entropy.token(32)?), entropy)
            .await?;
        Ok(self.decoy.get_or_init(|| made).clone())
    }

    /// Makes the decoy ahead of time, so that the first unknown account does not take twice as long.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub async fn warm_up(&self, entropy: &dyn Entropy) -> Result<(), PasswordError> {
        self.decoy(entropy).await.map(drop)
    }

    /// Waits for a turn, for whoever has something to decide between waiting and hashing.
    ///
    /// # Errors
    /// [`PasswordError::Busy`].
    pub async fn turn(&self) -> Result<Turn, PasswordError> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(self.patience, waiting)
            .await
            .ok()
            .and_then(Result::ok);
        permit.map(Turn).ok_or(PasswordError::Busy)
    }
}

/// The right to hash once, out of as many as there are permits. Given back when it is used or dropped.
///
/// Whoever counts attempts takes a turn first: then every attempt that is counted also pays for a hash, and nobody can
/// fill the counters for nothing.
#[derive(Debug)]
#[must_use]
pub struct Turn(OwnedSemaphorePermit);

impl Turn {
    /// Whether `password` is the one behind `stored`. A hash that cannot be read belongs to no password.
    ///
    /// # Errors
    /// [`PasswordError::Failed`].
    pub async fn verify(self, password: &SecretText, stored: &str) -> Result<bool, PasswordError> {
        let (password, stored) = (password.clone(), stored.to_owned());
        self.run(move || match PasswordHash::new(&stored) {
            Ok(parsed) if parsed.hash.is_some() => is_right(&password, &parsed),
            _ => Ok(false),
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        // The permit travels with the work: a caller that goes away does not make room for more.
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(self.0);
            done
        });
        task.await
            .map_err(|error| PasswordError::Failed(error.to_string()))
    }
}

impl std::fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// Whether `hash` is one that [`PasswordHasher::check`] can work with; for hashes that an administrator imports.
///
/// The bounds are those of the reference: a hash that takes gigabytes to check would be a weapon.
#[must_use]
pub fn is_acceptable_hash(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return false;
    };
    let known = matches!(parsed.algorithm.as_str(), "argon2id" | "argon2i");
    let bounded = Params::try_from(&parsed).is_ok_and(|params| {
        params.m_cost() <= 1024 * 1024 && params.t_cost() <= 10 && params.p_cost() <= 16
    });
    known && bounded && parsed.salt.is_some() && parsed.hash.is_some()
}

fn salt(entropy: &dyn Entropy) -> Result<[u8; SALT_BYTES], EntropyError> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt)?;
    Ok(salt)
}

fn hash(params: Params, password: &SecretText, salt: &[u8]) -> Result<String, PasswordError> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::Failed(error.to_string()))
}

fn check(current: &Params, password: &SecretText, stored: &str) -> Result<Verdict, PasswordError> {
    let parsed =
        PasswordHash::new(stored).map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(if is_right(password, &parsed)? {
        Verdict::Right {
            outdated: is_outdated(current, &parsed),
        }
    } else {
        Verdict::Wrong
    })
}

fn is_right(password: &SecretText, stored: &PasswordHash) -> Result<bool, PasswordError> {
    match Argon2::default().verify_password(password.expose().as_bytes(), stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Failed(error.to_string())),
    }
}

fn is_outdated(current: &Params, stored: &PasswordHash) -> bool {
    let same = Params::try_from(stored).is_ok_and(|params| {
        params.m_cost() == current.m_cost()
            && params.t_cost() == current.t_cost()
            && params.p_cost() == current.p_cost()
    });
    !same || stored.algorithm.as_str() != "argon2id"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const CHEAP: Argon2Cost = Argon2Cost {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
    };

    fn hasher(cost: Argon2Cost) -> PasswordHasher {
        PasswordHasher::new(cost, 2).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_checks_and_another_does_not() {
        let (hasher, entropy) = (hasher(CHEAP), SeededEntropy::new(1));
        let right = SecretText::new("correct horse");
        let hash = hasher.hash(&right, &entropy).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(
            hasher.check(&right, Some(&hash), &entropy).await.unwrap(),
            Verdict::Right { outdated: false }
        );
        let wrong = SecretText::new("correct house");
        assert_eq!(
            hasher.check(&wrong, Some(&hash), &entropy).await.unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn who_finds_every_turn_taken_is_told_to_come_back() {
        let (mut hasher, entropy) = (hasher(CHEAP), SeededEntropy::new(5));
        hasher.patience = Duration::from_millis(10);
        let taken = (hasher.turn().await.unwrap(), hasher.turn().await.unwrap());
        assert!(matches!(hasher.turn().await, Err(PasswordError::Busy)));
        let secret = SecretText::new("correct horse");
        assert!(matches!(
            hasher.hash(&secret, &entropy).await,
            Err(PasswordError::Busy)
        ));
        drop(taken);
        assert!(hasher.turn().await.is_ok());
    }

    #[tokio::test]
    async fn a_turn_verifies_and_an_unreadable_hash_belongs_to_nobody() {
        let (hasher, entropy) = (hasher(CHEAP), SeededEntropy::new(6));
        let right = SecretText::new("correct horse");
        let hash = hasher.hash(&right, &entropy).await.unwrap();
        let verify = async |secret: &str, stored: &str| {
            let turn = hasher.turn().await.unwrap();
            turn.verify(&SecretText::new(secret), stored).await.unwrap()
        };
        assert!(verify("correct horse", &hash).await);
        assert!(!verify("correct horsf", &hash).await);
        assert!(!verify("", &hash).await);
        for stored in ["", "plain", "$argon2id$broken"] {
            assert!(!verify("plain", stored).await, "{stored}");
            assert!(!verify("", stored).await, "{stored}");
        }
    }

    #[tokio::test]
    async fn an_unknown_account_is_wrong_whatever_the_password() {
        let (hasher, entropy) = (hasher(CHEAP), SeededEntropy::new(2));
        assert_eq!(
            hasher
                .check(&SecretText::new(""), None, &entropy)
                .await
                .unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_checks_and_is_outdated() {
        let entropy = SeededEntropy::new(3);
        let password = SecretText::new("correct horse");
        let old = hasher(CHEAP).hash(&password, &entropy).await.unwrap();
        let dearer = hasher(Argon2Cost {
            iterations: 2,
            ..CHEAP
        });
        assert_eq!(
            dearer.check(&password, Some(&old), &entropy).await.unwrap(),
            Verdict::Right { outdated: true }
        );
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let (hasher, entropy) = (hasher(CHEAP), SeededEntropy::new(4));
        let password = SecretText::new("correct horse");
        assert_ne!(
            hasher.hash(&password, &entropy).await.unwrap(),
            hasher.hash(&password, &entropy).await.unwrap()
        );
    }

    #[test]
    fn an_imported_hash_has_to_be_argon2_and_affordable() {
        let tail = "c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
        assert!(is_acceptable_hash(&format!(
            "$argon2id$v=19$m=65536,t=3,p=4${tail}"
        )));
        assert!(!is_acceptable_hash(&format!(
            "$argon2id$v=19$m=4194304,t=3,p=4${tail}"
        )));
        assert!(!is_acceptable_hash(&format!(
            "$argon2id$v=19$m=65536,t=99,p=4${tail}"
        )));
        assert!(!is_acceptable_hash("$2a$12$abcdefghijklmnopqrstuv"));
    }
}
