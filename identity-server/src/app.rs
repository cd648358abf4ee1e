//! [`App`]: the handles that a request may use. There are no globals; whatever is not in here must be passed in.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Settings;
use crate::entropy::Entropy;
use crate::flows::runtime::{Runtime, RuntimeError};
use crate::keys::{KeyError, Keyring};
use crate::secret::Secrets;
use crate::storage::Storage;

/// What the outside supplies to an [`App`].
pub struct Parts {
    /// Checked settings.
    pub settings: Settings,
    /// An open, migrated storage.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The running server's handles; cheap to clone, used as axum state.
#[derive(Clone)]
pub struct App(Arc<Handles>);

struct Handles {
    parts: Parts,
    keys: Keyring,
    flows: Runtime,
}

/// Why a server cannot start with these parts.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The signing keys cannot be made or opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The settings of identities and flows do not work.
    #[error(transparent)]
    Flows(#[from] RuntimeError),
}

impl App {
    /// Puts the parts together and readies the signing keys and what flows need.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts {
            settings,
            storage,
            clock,
            entropy,
        } = &parts;
        let keys = Keyring::open(settings, &**storage, clock.now(), &**entropy).await?;
        let flows = Runtime::start(settings, &**entropy).await?;
        Ok(Self(Arc::new(Handles { parts, keys, flows })))
    }

    /// What the operator configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    /// Where everything is kept.
    #[must_use]
    pub fn storage(&self) -> &dyn Storage {
        &*self.0.parts.storage
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.parts.clock
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.parts.entropy
    }

    /// The signing keys.
    #[must_use]
    pub fn keys(&self) -> &Keyring {
        &self.0.keys
    }

    /// What the identity and flows rooms built from the settings.
    #[must_use]
    pub fn flows(&self) -> &Runtime {
        &self.0.flows
    }

    /// What keys are derived from.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.parts.settings.secrets
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
