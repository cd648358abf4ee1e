//! What a token says about its bearer (RFC 7519 section 4), once its signature holds.

use std::{fmt, sync::Arc, time::Duration};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::{Binding, TokenError, token::decode};
use crate::UnixTime;

/// Where granted scopes stand: the first of these that is there counts.
const SCOPE_CLAIMS: [&str; 3] = ["scp", "scope", "scopes"];

/// The claims of a token whose signature holds.
#[derive(Clone, Debug)]
pub struct Claims {
    /// `sub`; empty where it is missing or not a string.
    pub subject: String,
    /// Every claim, with the first of `scp`, `scope` and `scopes` replaced by the array `scp`
    /// (empty where there is none): Oathkeeper's `extra` of a session.
    pub extra: Arc<Map<String, Value>>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires: Option<UnixTime>,
    pub(super) not_before: Option<UnixTime>,
    pub(super) issued: Option<UnixTime>,
    /// What the bearer must prove to hold (`cnf`, RFC 7800).
    pub(super) binding: Option<Binding>,
    /// How the caller signed in (`acr`, OpenID Connect Core section 2); `None` where it is not a
    /// string.
    pub(super) acr: Option<String>,
    /// When the caller signed in (`auth_time`, OpenID Connect Core section 2).
    pub(super) authenticated: Option<UnixTime>,
    /// The header's `typ`, which the signature covers too.
    pub(super) token_type: Option<Box<str>>,
}

impl Claims {
    /// Reads the payload (base64url) of a token. Registered claims of the wrong type are refused
    /// rather than skipped: a check that cannot read its claim must not pass.
    pub(super) fn read(payload: &str) -> Result<Self, TokenError> {
        let payload = decode(payload)?;
        let UniqueNames(mut claims) = serde_json::from_slice(&payload).map_err(|_| {
            TokenError::Malformed("the claims are not a JSON object with unique names")
        })?;
        let expires = time(&claims, "exp", "`exp` is not a time")?;
        let not_before = time(&claims, "nbf", "`nbf` is not a time")?;
        let issued = time(&claims, "iat", "`iat` is not a time")?;
        let authenticated = time(&claims, "auth_time", "`auth_time` is not a time")?;
        let binding = claims.get("cnf").map(Binding::read).transpose()?;
        let issuer = issuer(&claims)?;
        let audience = audience(&claims)?;
        let scopes = take_scopes(&mut claims)?;
        let listed = scopes.iter().map(|scope| Value::from(scope.as_str()));
        claims.insert("scp".to_owned(), listed.collect());
        Ok(Self {
            subject: text(&claims, "sub").unwrap_or_default(),
            acr: text(&claims, "acr"),
            extra: Arc::new(claims),
            issuer,
            audience,
            scopes,
            expires,
            not_before,
            issued,
            binding,
            authenticated,
            token_type: None,
        })
    }

    /// With the `typ` of the token's header.
    pub(super) fn of_type(self, token_type: Option<Box<str>>) -> Self {
        Self { token_type, ..self }
    }
}

fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims.get(name)?.as_str().map(str::to_owned)
}

fn issuer(claims: &Map<String, Value>) -> Result<Option<String>, TokenError> {
    match claims.get("iss") {
        None => Ok(None),
        Some(Value::String(issuer)) => Ok(Some(issuer.clone())),
        Some(_) => Err(TokenError::Malformed("`iss` is not a string")),
    }
}

/// `aud` is one string or an array of them (RFC 7519 section 4.1.3).
fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, TokenError> {
    const ODD: TokenError = TokenError::Malformed("`aud` is not a string or an array of strings");
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(audience)) => Ok(vec![audience.clone()]),
        Some(Value::Array(audiences)) => strings(audiences).ok_or(ODD),
        Some(_) => Err(ODD),
    }
}

/// Removes the scope claim that counts and returns what it grants.
fn take_scopes(claims: &mut Map<String, Value>) -> Result<Vec<String>, TokenError> {
    const ODD: TokenError =
        TokenError::Malformed("the scope claim is not a string or an array of strings");
    match SCOPE_CLAIMS.iter().find_map(|name| claims.remove(*name)) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(scopes)) => Ok(scopes
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect()),
        Some(Value::Array(scopes)) => strings(&scopes).ok_or(ODD),
        Some(_) => Err(ODD),
    }
}

fn strings(values: &[Value]) -> Option<Vec<String>> {
    values
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// A `NumericDate`: seconds since the epoch, with or without a fraction (RFC 7519 section 2).
pub(super) fn time(
    claims: &Map<String, Value>,
    name: &str,
    odd: &'static str,
) -> Result<Option<UnixTime>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => since_epoch(number)
            .map(|duration| Some(UnixTime::from_duration(duration)))
            .ok_or(TokenError::Malformed(odd)),
        Some(_) => Err(TokenError::Malformed(odd)),
    }
}

fn since_epoch(number: &Number) -> Option<Duration> {
    match number.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Duration::try_from_secs_f64(number.as_f64()?).ok(),
    }
}

/// A JSON object whose names differ (RFC 7519 section 4). Two parsers that disagree on which of two
/// `sub` counts are a way in.
pub(super) struct UniqueNames(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a repeated name"));
            }
        }
        Ok(object)
    }
}
