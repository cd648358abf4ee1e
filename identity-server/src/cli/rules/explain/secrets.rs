//! The credentials of the request that is explained. A rule may copy one anywhere, into a header of its
//! own as well; whoever pastes the explanation into a ticket must not hand it on.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gatepost_cases::RequestSpec;
use gatepost_policy::trace::mask;
use serde_json::Value;

/// What must not be printed.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<String>);

/// Shorter than this nothing is a credential, and words of the explanation might hold it.
const SHORTEST: usize = 4;

impl Secrets {
    /// Those that a request carries, however a rule may read them.
    pub(super) fn of(spec: &RequestSpec) -> Self {
        let mut secrets = Self::default();
        for (name, value) in spec.headers.iter().filter(|(name, _)| is_secret(name)) {
            if name.eq_ignore_ascii_case("cookie") {
                for cookie in value.split(';') {
                    let value = cookie.split_once('=').map_or(cookie, |(_, value)| value);
                    secrets.add(value.trim().trim_matches('"'));
                }
            }
            secrets.add(value);
            if let Some((scheme, credential)) = value.split_once(' ') {
                secrets.add(credential.trim());
                if scheme.eq_ignore_ascii_case("basic") {
                    secrets.add_password(credential.trim());
                }
            }
        }
        let query = spec.url.split_once('?').map_or("", |(_, query)| query);
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if is_secret(name) {
                secrets.add(value);
            }
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if is_secret(&name) {
                secrets.add(&value);
            }
        }
        secrets.0.sort_unstable();
        secrets.0.dedup();
        // One may hold another.
        secrets
            .0
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// Takes it as it is, and as templates write it into queries (`urlquery`).
    fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(secret.to_owned());
            self.0
                .push(form_urlencoded::byte_serialize(secret.as_bytes()).collect());
        }
    }

    /// What `Basic` hides from no one (RFC 7617 section 2).
    fn add_password(&mut self, encoded: &str) {
        let decoded = STANDARD.decode(encoded).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = text.as_deref().and_then(|text| text.split_once(':')) {
            self.add(password);
        }
    }

    /// `text` with each of them masked.
    pub(super) fn masked(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, &mask(secret))
        })
    }

    /// The same for every text in `value`. Its keys stay: names of headers are no credentials.
    pub(super) fn mask_within(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.masked(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_within(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.mask_within(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether a header or a parameter of this name is a credential, as far as names tell.
fn is_secret(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "assertion",
        "auth",
        "cookie",
        "credential",
        "dpop",
        "jwt",
        "key",
        "nonce",
        "pass",
        "secret",
        "session",
        "signature",
        "token",
    ];
    /// Too short to be looked for within other words.
    const WHOLE: &[&str] = &["code", "otp", "sig", "state"];
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    WORDS.iter().any(|word| name.contains(word)) || parts.any(|part| WHOLE.contains(&part))
}
