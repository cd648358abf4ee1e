//! Where the claims come from. Only from somebody who has verified the token: an unverified one is never
//! looked at.

mod metadata;

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

use crate::{config::Section, headers::Headers};

use super::{Refusal, operation::header_name};

/// The name of Envoy's filter in its own configuration, where no other is given.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// Longer than the header section that Envoy allows by default (60 KiB).
const MAX_PAYLOAD: usize = 64 * 1024;

/// base64url (RFC 4648 section 5), with padding or without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who has verified the token, and where the claims were left.
#[derive(Debug)]
pub(super) enum ClaimsFrom {
    /// In the dynamic metadata of the request, where an earlier filter put them.
    Metadata {
        /// The namespace: by custom the filter's name.
        namespace: String,
        /// The key, where the claims are not the whole namespace.
        key: Option<String>,
    },
    /// In a header, as base64url of JSON, as jwt_authn's `forward_payload_header` has it.
    Header(String),
}

impl ClaimsFrom {
    /// Reads `claims_from`.
    pub(super) fn compile(section: &mut Section<'_>) -> Option<Self> {
        section.value("claims_from")?;
        let mut from = section.section("claims_from");
        let header = from.string("header");
        let has_metadata = from.value("metadata").is_some();
        let compiled = if has_metadata {
            let mut metadata = from.section("metadata");
            let namespace = metadata.string("namespace");
            let key = metadata.string("key");
            metadata.finish();
            if header.is_some() {
                from.wrong("header", "stands beside `metadata`; claims have one source");
            }
            Some(Self::Metadata {
                namespace: namespace.unwrap_or_else(|| JWT_AUTHN.to_owned()),
                key,
            })
        } else if let Some(header) = header {
            match header_name(&header) {
                Ok(name) => Some(Self::Header(name)),
                Err(problem) => {
                    from.wrong("header", problem);
                    None
                }
            }
        } else {
            section.wrong("claims_from", "needs `metadata` or `header`");
            None
        };
        from.finish();
        compiled
    }

    /// The claims of a request; `None` where there are none. `metadata` is Envoy's message
    /// `envoy.config.core.v3.Metadata`, as its attribute `metadata` gives it.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn read(
        &self,
        headers: &Headers,
        metadata: Option<&[u8]>,
    ) -> Result<Option<Map<String, Value>>, Refusal> {
        match self {
            Self::Metadata { namespace, key } => match metadata {
                Some(bytes) => metadata::claims(bytes, namespace, key.as_deref()).map_err(
                    |metadata::Malformed| Refusal::Metadata("the metadata cannot be read"),
                ),
                None => Ok(None),
            },
            Self::Header(name) => from_header(headers, name).map_err(Refusal::ClaimsHeader),
        }
    }
}

fn from_header(headers: &Headers, name: &str) -> Result<Option<Map<String, Value>>, &'static str> {
    let mut values = headers.all(name);
    let payload = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        // One of them is not from the verifier.
        (Some(_), Some(_)) => return Err("there are several headers with claims"),
        (Some(payload), None) => payload,
    };
    if payload.len() > MAX_PAYLOAD {
        return Err("the header with claims is too long");
    }
    let claims = BASE64URL
        .decode(payload)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    match claims {
        Some(Value::Object(claims)) => Ok(Some(claims)),
        _ => Err("the header with claims is not JSON in base64url"),
    }
}
