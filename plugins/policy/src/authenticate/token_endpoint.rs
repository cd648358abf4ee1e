//! Tokens for clients that speak for themselves: the client-credentials grant (RFC 6749 section 4.4).

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use crate::{Call, call};

/// A token endpoint, and what is asked of it.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    pub(super) endpoint: call::Endpoint,
    /// The scopes to ask for; empty leaves them to the endpoint.
    pub(super) scopes: Vec<String>,
    /// Whom the token is meant for, where the endpoint wants to know (`audience`).
    pub(super) audience: Option<String>,
    /// For [`Call::timeout`].
    pub(super) timeout: Duration,
}

/// What the endpoint grants (RFC 6749 section 5.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) access_token: String,
    /// How long the token is good for; zero where the endpoint does not say.
    pub(super) good_for: Duration,
}

impl TokenEndpoint {
    /// The call for a token; the client identifies itself with HTTP Basic (RFC 6749 section 2.3.1).
    pub(super) fn call(&self, client_id: &str, client_secret: &str) -> Call {
        let id = form_encoded(client_id);
        let secret = form_encoded(client_secret);
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: "POST".to_owned(),
            path: self.endpoint.path.clone(),
            headers: vec![
                ("authorization".to_owned(), basic.into_bytes()),
                ("content-type".to_owned(), FORM.to_vec()),
            ],
            body: self.form().into_bytes(),
            timeout: self.timeout,
        }
    }

    /// The fields in the order of their names.
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if let Some(audience) = &self.audience {
            form.append_pair("audience", audience);
        }
        form.append_pair("grant_type", "client_credentials");
        if !self.scopes.is_empty() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        form.finish()
    }
}

/// The media type of a form.
pub(super) const FORM: &[u8] = b"application/x-www-form-urlencoded";

impl Granted {
    /// Reads the endpoint's answer; `None` where it holds no token.
    pub(super) fn read(response: &call::Response) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            access_token: String,
            #[serde(default)]
            expires_in: Value,
        }
        if !(200..300).contains(&response.status) {
            return None;
        }
        let body: Body = serde_json::from_slice(&response.body).ok()?;
        Some(Self {
            access_token: Some(body.access_token).filter(|token| !token.is_empty())?,
            good_for: Duration::from_secs(seconds(&body.expires_in)),
        })
    }
}

/// `expires_in` as endpoints write it: a number, or one in quotes.
fn seconds(expires_in: &Value) -> u64 {
    match expires_in {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
    .unwrap_or_default()
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
