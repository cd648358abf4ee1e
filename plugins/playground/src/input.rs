//! What the page tells, as JSON.

use std::collections::BTreeMap;

use gatepost_policy::{FailedCall, Headers, PeerCertificate, Reply, UnixTime, call::Response};
use serde::Deserialize;
use serde_json::Value;

/// Rules, and what belongs to them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// Oathkeeper's configuration.
    pub config: File,
    /// Rule files.
    pub rules: Vec<File>,
    /// Key sets of `file:` URLs and their like, by URL.
    pub documents: BTreeMap<String, Value>,
}

/// A file: JSON or YAML.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// What it is called in messages.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Scheme, host, path and query.
    pub url: String,
    /// Its header fields in order; `Host` takes the place of the URL's host.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Its body.
    #[serde(default)]
    pub body: String,
    /// The client's IP address.
    #[serde(default)]
    pub client_address: Option<String>,
    /// The client's certificate.
    #[serde(default)]
    pub peer_certificate: Option<Certificate>,
    /// When it comes, in seconds since 1970.
    pub at: u64,
}

/// What a proxy tells of a client's certificate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificate {
    /// The SHA-256 of its DER form, in hexadecimal.
    pub sha256: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// The first URI among its alternative names.
    pub uri: Option<String>,
    /// The first DNS name among its alternative names.
    pub dns: Option<String>,
}

/// The answer to a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// Instead of an answer: there is no connection.
    pub fails: bool,
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Request {
    /// The request as a proxy hands it over, without its body.
    ///
    /// # Errors
    /// What is wrong with the URL or the address.
    pub fn read(&self) -> Result<gatepost_policy::Request, String> {
        let address = self.client_address.as_deref().map(str::trim);
        let client_address = address
            .filter(|address| !address.is_empty())
            .map(|address| {
                address
                    .parse()
                    .map_err(|_| format!("`{address}` is not an IP address"))
            })
            .transpose()?;
        Ok(gatepost_policy::Request {
            headers: self.fields()?,
            client_address,
            peer_certificate: self.peer_certificate.as_ref().map(Certificate::read),
            body: None,
        })
    }

    /// The fields with the pseudo-header fields of HTTP/2 (RFC 9113 section 8.3.1).
    fn fields(&self) -> Result<Headers, String> {
        let (scheme, rest) = self
            .url
            .trim()
            .split_once("://")
            .filter(|(_, rest)| !rest.is_empty())
            .ok_or_else(|| {
                format!(
                    "`{}` is not a URL; write one like `https://app.example/path`",
                    self.url
                )
            })?;
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(split);
        // A tunnel is asked for without a path (RFC 9113 section 8.5).
        let path = if path.starts_with('/') || path.is_empty() && self.method == "CONNECT" {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        let host = self.headers.iter().find(|(name, _)| is_host(name));
        let authority = host.map_or(authority, |(_, host)| host.as_str());
        let pseudo = [
            (":method", self.method.as_str()),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path.as_str()),
        ];
        let sent = self.headers.iter().filter(|(name, _)| !is_host(name));
        let sent = sent.map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(pseudo
            .into_iter()
            .chain(sent)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// When it comes.
    #[must_use]
    pub fn time(&self) -> UnixTime {
        UnixTime::from_secs(self.at)
    }
}

impl Certificate {
    fn read(&self) -> PeerCertificate {
        let digest = self.sha256.as_deref();
        PeerCertificate {
            sha256: digest.and_then(PeerCertificate::digest_from_hex),
            subject: self.subject.clone(),
            uri: self.uri.clone(),
            dns: self.dns.clone(),
        }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        if answer.fails {
            return Err(FailedCall::Unreachable);
        }
        let fields = answer.headers.into_iter();
        Ok(Response {
            status: answer.status,
            headers: fields
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
            body: answer.body.into_bytes(),
        })
    }
}
