//! Pages of clients, linked by the `Link` header (RFC 8288).
//!
//! A page token is the id that the last page ended with, base64url. It reaches the database as a bound value and
//! nothing else, so forging one shows what asking for that page would show.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::ApiError;
use crate::id::ClientId;
use crate::oauth2::params::Params;
use crate::oauth2::store::ClientFilter;

const DEFAULT_SIZE: u32 = 250;
const LARGEST_SIZE: u32 = 1000;

/// Which clients to show.
pub(super) struct Page {
    pub(super) size: u32,
    pub(super) after: Option<ClientId>,
    pub(super) filter: ClientFilter,
}

impl Page {
    pub(super) fn parse(params: &Params) -> Result<Self, ApiError> {
        let size = match params.get("page_size") {
            None => DEFAULT_SIZE,
            Some(text) => match text.parse::<u32>() {
                Ok(0) => DEFAULT_SIZE,
                Ok(size) => size.min(LARGEST_SIZE),
                Err(_) => return Err(ApiError::malformed("page_size must be a number")),
            },
        };
        let after = params.get("page_token").map(decoded).transpose()?;
        let filter = ClientFilter {
            name: params.get("client_name").map(str::to_owned),
            owner: params.get("owner").map(str::to_owned),
        };
        Ok(Self {
            size,
            after,
            filter,
        })
    }

    /// The `Link` header: the first page, and the next one if `last` is where this one ended.
    pub(super) fn links(&self, last: Option<&ClientId>) -> String {
        let first = format!("<{}>; rel=\"first\"", self.address(None));
        match last {
            None => first,
            Some(last) => format!("{first},<{}>; rel=\"next\"", self.address(Some(last))),
        }
    }

    fn address(&self, after: Option<&ClientId>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("page_size", &self.size.to_string());
        if let Some(after) = after {
            query.append_pair("page_token", &URL_SAFE_NO_PAD.encode(after.as_str()));
        }
        if let Some(name) = &self.filter.name {
            query.append_pair("client_name", name);
        }
        if let Some(owner) = &self.filter.owner {
            query.append_pair("owner", owner);
        }
        format!("/admin/clients?{}", query.finish())
    }
}

fn decoded(token: &str) -> Result<ClientId, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let id = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|id| id.len() <= 255);
    id.map(ClientId::new)
        .ok_or_else(|| ApiError::malformed("page_token is not one that this server gave out"))
}
