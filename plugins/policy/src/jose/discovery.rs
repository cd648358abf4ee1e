//! Where an issuer's keys are, as the issuer says itself: OpenID Connect Discovery 1.0 and RFC 8414.
//!
//! The document is fetched only from the URL in the configuration, must name the very issuer that the
//! configuration names, and may point only to origins that the configuration lists: whoever can
//! change the answer cannot make the proxy call, or trust, anybody else. Redirects are not followed.

use std::sync::Arc;

use serde::Deserialize;

use super::jwks::{FetchFault, body_of};
use crate::{Reply, call::Endpoint};

/// How the key set of an issuer is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Where the metadata is.
    pub document: Endpoint,
    /// The issuer, exactly as its metadata and tokens name it.
    pub issuer: String,
    /// The origins on which its key set may be.
    pub origins: Vec<Arc<str>>,
}

impl Discovery {
    /// Where the metadata of `issuer` is by OpenID Connect Discovery 1.0 section 4: below the
    /// issuer's path.
    #[must_use]
    pub fn openid_url(issuer: &str) -> String {
        let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
        format!("{issuer}/.well-known/openid-configuration")
    }

    /// Where the metadata of `issuer` is by RFC 8414 section 3: between the host and the issuer's path.
    /// `None` where the issuer is not a URL.
    #[must_use]
    pub fn oauth_url(issuer: &str) -> Option<String> {
        let (scheme, rest) = issuer.split_once("://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.strip_suffix('/').unwrap_or(path);
        let slash = if path.is_empty() { "" } else { "/" };
        Some(format!(
            "{scheme}://{host}/.well-known/oauth-authorization-server{slash}{path}"
        ))
    }

    /// The place of the key set, out of the answer to a fetch of the metadata.
    pub(super) fn read(&self, reply: Reply) -> Result<Endpoint, FetchFault> {
        #[derive(Deserialize)]
        struct Metadata {
            issuer: String,
            jwks_uri: String,
        }
        let body = body_of(reply)?;
        let metadata: Metadata =
            serde_json::from_slice(&body).map_err(|_| FetchFault::NotMetadata)?;
        if metadata.issuer != self.issuer {
            return Err(FetchFault::OtherIssuer);
        }
        let endpoint =
            Endpoint::parse(&metadata.jwks_uri).map_err(|_| FetchFault::ForeignOrigin)?;
        if !self.origins.contains(&endpoint.origin) {
            return Err(FetchFault::ForeignOrigin);
        }
        Ok(endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_urls_are_as_the_specifications_say() {
        for (issuer, openid, oauth) in [
            (
                "https://id.test",
                "https://id.test/.well-known/openid-configuration",
                "https://id.test/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.test/",
                "https://id.test/.well-known/openid-configuration",
                "https://id.test/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.test:8443/realms/a",
                "https://id.test:8443/realms/a/.well-known/openid-configuration",
                "https://id.test:8443/.well-known/oauth-authorization-server/realms/a",
            ),
        ] {
            assert_eq!(Discovery::openid_url(issuer), openid);
            assert_eq!(Discovery::oauth_url(issuer).as_deref(), Some(oauth));
        }
        assert_eq!(Discovery::oauth_url("accounts"), None);
    }
}
