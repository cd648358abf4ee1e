//! What a token is bound to (`cnf`, RFC 7800): who sends it must prove to hold that.

use serde_json::Value;

use super::TokenError;

/// What the bearer of a token must prove to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// `jkt`: the SHA-256 thumbprint of a key (RFC 7638), base64url. Proved with DPoP (RFC 9449
    /// section 6).
    pub(super) key: Option<Box<str>>,
    /// `x5t#S256`: the SHA-256 of a client certificate's DER, base64url (RFC 8705 section 3.1).
    pub(super) certificate: Option<Box<str>>,
}

impl Binding {
    /// Reads a `cnf` claim. One that says nothing known is a binding nonetheless, which nothing
    /// fulfils.
    pub(super) fn read(claim: &Value) -> Result<Self, TokenError> {
        let Value::Object(members) = claim else {
            return Err(TokenError::Malformed("`cnf` is not an object"));
        };
        let text = |name| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str().into())),
            Some(_) => Err(TokenError::Malformed("a member of `cnf` is not a string")),
        };
        Ok(Self {
            key: text("jkt")?,
            certificate: text("x5t#S256")?,
        })
    }

    pub(super) const fn is_unknown(&self) -> bool {
        self.key.is_none() && self.certificate.is_none()
    }
}
