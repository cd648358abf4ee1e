//! JSON, base64, base32 and checksums.

mod base32;

use base64::{Engine, engine::general_purpose::STANDARD};
#[cfg(feature = "functions")]
use sha2::{Digest as _, Sha256};

use super::{Args, Function};
use crate::template::{error::Fault, json, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("toJson", 1, 1, |args| to_json(args, true)),
    Function::new("toRawJson", 1, 1, |args| to_json(args, false)),
    Function::new("toPrettyJson", 1, 1, |args| {
        let value = args.value(0);
        let mut draft = args.draft();
        json::write_indented(&mut draft, value)?;
        Ok(Value::text(draft.finish()))
    }),
    Function::new("fromJson", 1, 1, from_json),
    Function::new("mustFromJson", 1, 1, must_from_json),
    Function::new("b64enc", 1, 1, b64enc),
    Function::new("b64dec", 1, 1, b64dec),
    Function::new("b32enc", 1, 1, |args| {
        let encoded = base32::encode(args.text(0)?.as_bytes());
        args.made(encoded)
    }),
    Function::new("b32dec", 1, 1, b32dec),
    #[cfg(feature = "functions")]
    Function::new("sha256sum", 1, 1, |args| {
        let digest = Sha256::digest(args.text(0)?.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        args.made(hex)
    }),
    Function::new("adler32sum", 1, 1, |args| {
        let sum = adler32(args.text(0)?.as_bytes());
        args.made(sum.to_string())
    }),
];

fn to_json<'v>(args: &mut Args<'_, 'v>, html: bool) -> Result<Value<'v>, Fault> {
    let value = args.value(0);
    let mut draft = args.draft();
    json::write(&mut draft, value, html)?;
    Ok(Value::text(draft.finish()))
}

/// What is not JSON is no value.
fn from_json<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    parsed(args)?.map_or(Ok(Value::Null), Value::from_owned_json)
}

fn must_from_json<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let parsed = parsed(args)?.ok_or_else(|| args.fault("the string is not JSON"))?;
    Value::from_owned_json(parsed)
}

/// The document may take many times the room of its text: `[[],[],[]]`.
fn parsed(args: &mut Args<'_, '_>) -> Result<Option<serde_json::Value>, Fault> {
    let text = args.text(0)?;
    args.budget.text(text.len())?;
    args.budget.steps(text.len().wrapping_shr(2))?;
    Ok(serde_json::from_str(&text).ok())
}

fn b64enc<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let encoded = STANDARD.encode(args.text(0)?.as_bytes());
    args.made(encoded)
}

/// sprig answers bad input with the text of its error; here it is an error.
fn b64dec<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(0)?.replace(['\r', '\n'], "");
    let decoded = STANDARD
        .decode(text)
        .map_err(|_| args.fault("the string is not base64"))?;
    args.made(String::from_utf8_lossy(&decoded))
}

/// Like [`b64dec`].
fn b32dec<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(0)?.replace(['\r', '\n'], "");
    let decoded = base32::decode(&text).ok_or_else(|| args.fault("the string is not base32"))?;
    args.made(String::from_utf8_lossy(&decoded))
}

/// RFC 1950 section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = low.wrapping_add(u32::from(*byte)).wrapping_rem(MODULUS);
        (low, high.wrapping_add(low).wrapping_rem(MODULUS))
    });
    high.wrapping_shl(16) | low
}
