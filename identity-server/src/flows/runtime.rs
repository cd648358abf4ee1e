//! What flows need that is built once, from the settings.

use std::num::NonZeroUsize;

use super::return_to::ReturnRules;
use super::throttle::Throttle;
use crate::config::Settings;
use crate::entropy::Entropy;
use crate::identity::password::{Argon2Cost, PasswordError, PasswordHasher};
use crate::identity::schema::{SchemaError, Schemas};

/// The handles of the identity and flows rooms.
#[derive(Debug)]
pub struct Runtime {
    /// Which traits identities have.
    pub schemas: Schemas,
    /// Hashes and checks passwords.
    pub passwords: PasswordHasher,
    /// Counts attempts to sign in.
    pub throttle: Throttle,
    /// Where browsers may be sent.
    pub return_rules: ReturnRules,
}

/// Settings that these rooms cannot work with.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// `hashers.argon2`
    #[error("`hashers.argon2`: {0}")]
    Passwords(#[from] PasswordError),
    /// An identity schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl Runtime {
    /// Compiles what the settings say, and makes the decoy hash that unknown accounts are checked against.
    ///
    /// # Errors
    /// [`RuntimeError`].
    pub async fn start(settings: &Settings, entropy: &dyn Entropy) -> Result<Self, RuntimeError> {
        let argon2 = &settings.hashers.argon2;
        let cost = Argon2Cost {
            memory_kib: argon2.memory_kib,
            iterations: argon2.iterations,
            parallelism: argon2.parallelism,
        };
        // One hash per core: more at once would only take memory and finish later.
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let passwords = PasswordHasher::new(cost, cores)?;
        passwords.warm_up(entropy).await?;
        Ok(Self {
            schemas: Schemas::built_in()?,
            passwords,
            throttle: Throttle::default(),
            return_rules: ReturnRules::new(settings),
        })
    }
}
