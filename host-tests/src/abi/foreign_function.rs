//! Envoy's foreign functions: `verify_signature` and `sign`, which a test can take away, and
//! `clear_route_cache`.

use anyhow::{Context, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        self, EcdsaKeyPair, RsaEncoding, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
    },
};
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
        "sign" if vm.data().verifies => {
            // The fields `result` and `signature`, or `error`.
            let result = match sign(&arguments) {
                Ok(signature) => [&[0x08, 0x01][..], &field(2, &signature)].concat(),
                Err(error) => field(3, error.to_string().as_bytes()),
            };
            give(&mut vm, &result, data, size)?;
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

/// RSA with PKCS#1 v1.5 padding or ECDSA with a DER signature, with a PKCS #8 key, as in Envoy.
fn sign(arguments: &[u8]) -> Result<Vec<u8>, anyhow::Error> {
    let fields = fields(arguments).context("not a message")?;
    let field = |number| {
        let field = fields.iter().find(|(field, _)| *field == number);
        field.map(|(_, value)| *value).unwrap_or_default()
    };
    let (hash, key, text) = (std::str::from_utf8(field(1))?, field(2), field(3));
    let (padding, ecdsa): (&'static dyn RsaEncoding, _) = match hash {
        "sha256" => (
            &signature::RSA_PKCS1_SHA256,
            Some(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        ),
        "sha384" => (
            &signature::RSA_PKCS1_SHA384,
            Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        ),
        "sha512" => (&signature::RSA_PKCS1_SHA512, None),
        _ => return Err(anyhow!("an unknown hash function")),
    };
    let random = SystemRandom::new();
    if let Some(pair) = ecdsa.and_then(|ecdsa| EcdsaKeyPair::from_pkcs8(ecdsa, key).ok()) {
        return Ok(pair.sign(&random, text)?.as_ref().to_vec());
    }
    let pair = RsaKeyPair::from_pkcs8(key)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &random, text, &mut signature)?;
    Ok(signature)
}

/// A length-delimited field of a protobuf message.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap_or_default());
    field.extend_from_slice(value);
    field
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
