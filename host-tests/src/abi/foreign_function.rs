//! Envoy's foreign functions: `verify_signature`, which a test can take away, and
//! `clear_route_cache`.

use anyhow::{Context, anyhow};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, NOT_FOUND, OK, Vm, give, read, read_text};
use crate::world::World;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_call_foreign_function", call)?;
    Ok(())
}

fn call(
    mut vm: Vm,
    name: u32,
    name_size: u32,
    arguments: u32,
    arguments_size: u32,
    data: u32,
    size: u32,
) -> Result<u32> {
    let name = read_text(&mut vm, name, name_size)?;
    let arguments = read(&mut vm, arguments, arguments_size)?;
    match name.as_str() {
        "clear_route_cache" => Ok(OK),
        "verify_signature" if vm.data().verifies => {
            let Ok(good) = verify(&arguments) else {
                return Ok(BAD_ARGUMENT);
            };
            vm.data_mut().verified += 1;
            // The field `result`, a bool; false is left out as protobuf does.
            let result: &[u8] = if good { &[0x08, 0x01] } else { &[] };
            give(&mut vm, result, data, size)?;
            Ok(OK)
        }
        _ => Ok(NOT_FOUND),
    }
}

/// RSA with PKCS#1 v1.5 padding or ECDSA with a DER signature, as in Envoy.
fn verify(arguments: &[u8]) -> Result<bool, anyhow::Error> {
    let fields = fields(arguments).context("not a message")?;
    let field = |number| {
        fields
            .iter()
            .find(|(field, _)| *field == number)
            .map(|(_, value)| *value)
    };
    let key = match (field(2), field(5)) {
        (Some(der), None) => der.to_vec(),
        (None, Some(pem)) => pem_body(pem)?,
        _ => return Err(anyhow!("one key, in one form")),
    };
    let hash = std::str::from_utf8(field(1).context("no hash function")?)?;
    let signature = field(3).unwrap_or_default();
    let text = field(4).unwrap_or_default();
    let algorithms: &[&'static dyn VerificationAlgorithm] = match hash {
        "sha256" => &[
            &signature::RSA_PKCS1_2048_8192_SHA256,
            &signature::ECDSA_P256_SHA256_ASN1,
        ],
        "sha384" => &[
            &signature::RSA_PKCS1_2048_8192_SHA384,
            &signature::ECDSA_P384_SHA384_ASN1,
        ],
        "sha512" => &[&signature::RSA_PKCS1_2048_8192_SHA512],
        _ => return Err(anyhow!("an unknown hash function")),
    };
    Ok(algorithms.iter().any(|algorithm| {
        UnparsedPublicKey::new(*algorithm, &key)
            .verify(text, signature)
            .is_ok()
    }))
}

fn pem_body(pem: &[u8]) -> Result<Vec<u8>, anyhow::Error> {
    let text = std::str::from_utf8(pem)?;
    let lines: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    Ok(STANDARD.decode(lines)?)
}

/// The length-delimited fields of a protobuf message, by number.
fn fields(mut message: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut fields = Vec::new();
    while let Some((tag, rest)) = message.split_first() {
        if tag & 7 != 2 {
            return None;
        }
        let (length, rest) = varint(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        fields.push((tag >> 3, value));
        message = rest;
    }
    Some(fields)
}

fn varint(mut bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for shift in (0..28).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, bytes));
        }
    }
    None
}
