//! One plain http request and its answer, as they are: no redirects followed, no status an error.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use ureq::{Agent, http};

/// A request on its way to becoming an [`Answer`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Header fields, in the order they are sent; values may be any bytes that HTTP lets pass.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, empty for none.
    pub body: String,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// A `GET` without credentials.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A `POST` of an HTML form, already encoded.
    #[must_use]
    pub fn form(url: &str, fields: &str) -> Self {
        let post = Self {
            method: "POST".into(),
            body: fields.into(),
            ..Self::get(url)
        };
        post.header("content-type", "application/x-www-form-urlencoded")
    }

    /// A `POST` of a JSON document.
    #[must_use]
    pub fn json(url: &str, body: &Value) -> Self {
        let post = Self {
            method: "POST".into(),
            body: body.to_string(),
            ..Self::get(url)
        };
        post.header("content-type", "application/json")
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// If no answer arrives within ten seconds.
    pub fn send(&self) -> Result<Answer> {
        let what = format!("{} {}", self.method, self.url);
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        let answer = if self.body.is_empty() && self.method != "POST" {
            agent().run(request.body(())?)
        } else {
            agent().run(request.body(self.body.as_str())?)
        };
        let mut answer = answer.with_context(|| format!("no answer to {what}"))?;
        let headers = answer.headers().iter();
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    (
                        name.as_str().into(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body: answer
                .body_mut()
                .read_to_string()
                .with_context(|| format!("broken answer to {what}"))?,
        })
    }
}

impl Answer {
    /// The first field of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The cookies that the answer sets, as a `Cookie` header would send them back.
    #[must_use]
    pub fn cookies(&self) -> Vec<(String, String)> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()?.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none; the message shows the status and the beginning of the body.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| {
            let start: String = self.body.chars().take(200).collect();
            format!("not JSON (status {}): {start}", self.status)
        })
    }
}

/// Percent-encodes what is not unreserved (RFC 3986 section 2.3), for a form field or a query.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(10)))
        .proxy(None)
        .build()
        .into()
}
