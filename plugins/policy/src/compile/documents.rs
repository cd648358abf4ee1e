//! Documents that come with the policy, for URLs that nobody can fetch from where it is enforced.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// `inline://` and a document in base64, as Oathkeeper has it for rules.
const INLINE: &str = "inline://";

/// What is said of a document that has to come with the policy and did not.
pub(crate) const UNREADABLE_THERE: &str = "a proxy cannot read this";

/// The documents by the URL under which handlers name them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Documents<'a>(&'a BTreeMap<String, Value>);

impl<'a> Documents<'a> {
    pub(super) const fn new(documents: &'a BTreeMap<String, Value>) -> Self {
        Self(documents)
    }

    /// The document at `url`; `None` if it is to be fetched.
    ///
    /// # Errors
    /// Nobody can fetch it, and it did not come with the policy; or it is not JSON.
    pub(super) fn find(&self, url: &str) -> Result<Option<Cow<'a, Value>>, String> {
        if let Some(document) = self.0.get(url) {
            return Ok(Some(Cow::Borrowed(document)));
        }
        if let Some(text) = url.strip_prefix(INLINE) {
            let json = STANDARD
                .decode(text)
                .ok()
                .and_then(|json| serde_json::from_slice(&json).ok());
            return match json {
                Some(document) => Ok(Some(Cow::Owned(document))),
                None => Err(format!("`{}` is not JSON in base64", shown(url))),
            };
        }
        match url.split_once("://") {
            Some((scheme, _)) if is_read(scheme) => Err(format!(
                "`{url}`: {UNREADABLE_THERE}; put the document into `jwks` of the plugin's \
                 configuration, under this URL"
            )),
            _ => Ok(None),
        }
    }
}

/// `url` as messages may show it: without what it holds itself, which may be a secret.
pub(super) fn shown(url: &str) -> Cow<'_, str> {
    if url.starts_with(INLINE) {
        return Cow::Borrowed("inline://…");
    }
    // A password has no place in a log, and neither has what a query may hold.
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            match authority.rsplit_once('@') {
                Some((_, host)) => Cow::Owned(format!("{scheme}://…@{host}{path}")),
                None => Cow::Borrowed(url),
            }
        }
        None => Cow::Borrowed(url),
    }
}

/// Whether Oathkeeper reads such URLs from a disk or an object store.
fn is_read(scheme: &str) -> bool {
    ["file", "s3", "gs", "azblob"]
        .iter()
        .any(|read| scheme.eq_ignore_ascii_case(read))
}
