//! The URL that is matched, made canonical once.

use crate::Request;

/// A canonical request URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`, in lower case.
    pub scheme: String,
    /// Host, with the port where one was sent; lower case, no trailing dot.
    pub host: String,
    /// The decoded, cleaned path that is matched: `/a/b`, never with a trailing slash except `/`.
    pub path: String,
    /// The raw query without `?`, where there is one.
    pub query: Option<String>,
}

/// Why a request's URL is refused. The client gets a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// No `:path`.
    #[error("no path")]
    NoPath,
}

impl BadUrl {
    /// The reason as a fixed text.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoPath => "no path",
        }
    }
}

impl Url {
    /// Reads and canonicalises the URL of `request`.
    ///
    /// # Errors
    /// Where the request is ambiguous or malformed.
    pub fn from_request(_request: &Request) -> Result<Self, BadUrl> {
        Err(BadUrl::NoPath)
    }

    /// What patterns are matched against: `scheme://host[:port]/path`.
    #[must_use]
    pub fn subject(&self) -> String {
        [&self.scheme, "://", &self.host, &self.path].concat()
    }

    /// The `:path` to send upstream, where it differs from `raw_path`, the `:path` that the client
    /// sent.
    #[must_use]
    pub fn upstream_path(&self, _raw_path: &[u8]) -> Option<String> {
        None
    }
}
