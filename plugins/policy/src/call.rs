//! Side calls: what the engine asks its driver to fetch, and what comes back.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// An HTTP request that the engine needs answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Scheme, host and port: `https://id.example.test` or `http://127.0.0.1:4444`. A proxy maps it
    /// to one of its clusters; every origin is known and checked when the policy is compiled.
    pub origin: Arc<str>,
    /// The request method.
    pub method: String,
    /// Path with query, beginning with `/`.
    pub path: String,
    /// Header fields, without `Host` (that is the origin's).
    pub headers: Vec<(String, Vec<u8>)>,
    /// The request body, empty for none.
    pub body: Vec<u8>,
    /// After this long the driver gives up and replies [`FailedCall::TimedOut`].
    pub timeout: Duration,
}

/// The answer to a [`Call`].
pub type Reply = Result<Response, FailedCall>;

/// An HTTP response to a [`Call`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields; names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, cut by the driver at the engine's limit at the latest.
    pub body: Vec<u8>,
}

/// Why a [`Call`] has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailedCall {
    /// The host refused to send it: an unknown cluster, or out of resources.
    #[error("the proxy could not send the call")]
    NotSent,
    /// No connection, or it broke.
    #[error("the connection failed")]
    Unreachable,
    /// No answer within [`Call::timeout`].
    #[error("no answer in time")]
    TimedOut,
}

/// Where calls go: an absolute `http` or `https` URL from the configuration, split for a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// For [`Call::origin`]: in lower case, without the scheme's default port.
    pub origin: Arc<str>,
    /// For [`Call::path`]: path with query, beginning with `/`.
    pub path: String,
}

impl Endpoint {
    /// Splits `url`.
    ///
    /// # Errors
    /// Why `url` cannot be called. User names, passwords and fragments are refused, since no call
    /// would carry them.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        if url.contains('#') {
            return Err(EndpointError::Fragment);
        }
        let uri: http::Uri = url.parse().map_err(|_| EndpointError::Malformed)?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            Some(_) => return Err(EndpointError::Scheme),
            None => return Err(EndpointError::Malformed),
        };
        let authority = uri.authority().ok_or(EndpointError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        Ok(Self {
            origin: origin(scheme, authority)?.into(),
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |path| with_leading_slash(path.as_str())),
        })
    }
}

/// Why an [`Endpoint`] cannot be made of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an absolute URL.
    #[error("not an absolute URL such as `https://id.example.test/keys`")]
    Malformed,
    /// Neither `http` nor `https`.
    #[error("only `http` and `https` URLs can be called")]
    Scheme,
    /// A user name or password.
    #[error("a URL that is called must not hold a user name or password")]
    UserInfo,
    /// A fragment.
    #[error("a URL that is called must not have a fragment (`#`)")]
    Fragment,
}

/// The value of `Authorization` for a user name and a password (RFC 7617 section 2).
pub(crate) fn basic_credentials(user: &str, password: &str) -> String {
    let pair = STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}

fn origin(scheme: &str, authority: &http::uri::Authority) -> Result<String, EndpointError> {
    let host = authority.host().to_ascii_lowercase();
    if host.is_empty() {
        return Err(EndpointError::Malformed);
    }
    // What follows the host is either nothing or `:` and a port that is a number.
    let port = match authority.as_str().get(host.len()..) {
        None | Some("") => None,
        Some(_) => Some(authority.port_u16().ok_or(EndpointError::Malformed)?),
    };
    Ok(match (scheme, port) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    })
}

/// `http://h?a=1` has an empty path, which a request writes as `/` (RFC 9110 section 4.2.3).
fn with_leading_slash(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// Names a background fetch that requests may wait for: one key set, shared by all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchId(pub u32);

impl FetchId {
    /// The name of a fetch where the first is called `first`. The names go round.
    pub(crate) const fn after(self, first: u32) -> Self {
        Self(self.0.wrapping_add(first))
    }

    /// The reverse of [`FetchId::after`]. What came before the first gets a number that no fetch has.
    pub(crate) const fn before(self, first: u32) -> Self {
        Self(self.0.wrapping_sub(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(url: &str) -> (String, String) {
        let endpoint = Endpoint::parse(url).unwrap();
        (endpoint.origin.to_string(), endpoint.path)
    }

    #[test]
    fn a_url_is_split_into_origin_and_path() {
        for (url, origin, path) in [
            (
                "http://127.0.0.1:4444/keys",
                "http://127.0.0.1:4444",
                "/keys",
            ),
            ("https://Id.Example.test", "https://id.example.test", "/"),
            ("https://h:443/a?b=c", "https://h", "/a?b=c"),
            ("http://h:80", "http://h", "/"),
            ("http://h:443/", "http://h:443", "/"),
            ("HTTP://h/A", "http://h", "/A"),
            ("http://h?a=1", "http://h", "/?a=1"),
            ("http://[::1]:4444/x", "http://[::1]:4444", "/x"),
        ] {
            assert_eq!(split(url), (origin.to_owned(), path.to_owned()), "{url}");
        }
    }

    #[test]
    fn urls_that_no_call_could_carry_are_refused() {
        for (url, error) in [
            ("", EndpointError::Malformed),
            ("/keys", EndpointError::Malformed),
            ("id.example.test", EndpointError::Malformed),
            ("http://", EndpointError::Malformed),
            ("http:///keys", EndpointError::Malformed),
            ("http://h:99999/", EndpointError::Malformed),
            ("http://h:/", EndpointError::Malformed),
            ("http://h/ä b", EndpointError::Malformed),
            ("http://h/\r\nX: y", EndpointError::Malformed),
            ("file:///etc/jwks.json", EndpointError::Malformed),
            ("ftp://h/x", EndpointError::Scheme),
            ("https://user:pw@h/x", EndpointError::UserInfo),
            ("https://good.test@evil.test/", EndpointError::UserInfo),
            ("https://h/x#y", EndpointError::Fragment),
        ] {
            assert_eq!(Endpoint::parse(url), Err(error), "{url}");
        }
    }
}
