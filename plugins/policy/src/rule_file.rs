//! A rule file that is kept: its text, which takes a tenth of the memory that a tree of it does.

use serde_json::Value;

use crate::{compile::Written, config::ConfigError, source};

/// The content of a rule file, as JSON.
#[derive(Clone, Debug)]
pub struct RuleFile(Content);

#[cfg(feature = "rules")]
type Content = Box<str>;

/// Small modules make their few rules themselves, as a tree.
#[cfg(not(feature = "rules"))]
type Content = Value;

impl RuleFile {
    /// Reads the content of `file`, like [`source::parse`].
    ///
    /// # Errors
    /// As [`source::parse`].
    pub fn parse(file: &str, content: &[u8]) -> Result<Self, ConfigError> {
        #[cfg(feature = "rules")]
        if let Ok(json) = serde_json::from_slice::<&serde_json::value::RawValue>(content) {
            return Ok(json.into());
        }
        source::parse(file, content).map(Self::from)
    }

    /// Whether it holds a list, or nothing at all.
    pub(crate) fn is_list(&self) -> bool {
        #[cfg(feature = "rules")]
        let is_list = self.0.starts_with('[');
        #[cfg(not(feature = "rules"))]
        let is_list = self.0.is_array();
        is_list || self.is_null()
    }
}

#[cfg(feature = "rules")]
impl RuleFile {
    /// The JSON.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn written(&self) -> Written<'_> {
        Written::Text(&self.0)
    }

    /// The rules of the list that it holds.
    pub(crate) fn rules(&self) -> Vec<Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Whether it holds nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        &*self.0 == "null"
    }
}

#[cfg(feature = "rules")]
impl From<Value> for RuleFile {
    fn from(rules: Value) -> Self {
        Self(rules.to_string().into())
    }
}

#[cfg(feature = "rules")]
impl From<&serde_json::value::RawValue> for RuleFile {
    fn from(rules: &serde_json::value::RawValue) -> Self {
        Self(rules.get().into())
    }
}

#[cfg(not(feature = "rules"))]
impl RuleFile {
    pub(crate) const fn written(&self) -> Written<'_> {
        Written::Tree(&self.0)
    }

    /// The rules of the list that it holds.
    pub(crate) fn rules(&self) -> Vec<Value> {
        self.0.as_array().cloned().unwrap_or_default()
    }

    /// Whether it holds nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

#[cfg(not(feature = "rules"))]
impl From<Value> for RuleFile {
    fn from(rules: Value) -> Self {
        Self(rules)
    }
}
