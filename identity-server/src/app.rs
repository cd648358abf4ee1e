//! [`App`]: the handles that a request may use. There are no globals; whatever is not in here must be passed in.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Settings;
use crate::entropy::Entropy;
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
pub struct App(Arc<Parts>);

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// What the operator configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Where everything is kept.
    #[must_use]
    pub fn storage(&self) -> &dyn Storage {
        &*self.0.storage
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }

    /// What keys are derived from.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.0.settings.secrets
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}
