//! Keys and tokens for the cases: made once per process, named by algorithm and number.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use anyhow::{Context as _, bail};
use aws_lc_rs::{
    digest,
    encoding::AsDer as _,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING},
    signature::{EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::{Map, Value, json};

use crate::{
    case::{SetMember, Token},
    private_keys::private_members,
};

static KEYS: LazyLock<Mutex<BTreeMap<String, EncodingKey>>> = LazyLock::new(Mutex::default);

/// The JWK Set (RFC 7517 section 5) of the keys named, public parts only.
///
/// # Errors
/// A name that is none, such as `XY256-1`.
pub fn jwks(names: &[String]) -> anyhow::Result<Value> {
    let keys = names
        .iter()
        .map(|name| jwk(name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "keys": keys }))
}

/// The JWK Set of these keys, private parts and all.
///
/// # Errors
/// A name that is none.
pub fn private_jwks(members: &[SetMember]) -> anyhow::Result<Value> {
    let mut keys = Vec::new();
    for member in members {
        let mut jwk = jwk(&member.key)?;
        let parts = jwk.as_object_mut().context("a JWK is an object")?;
        if !member.public {
            parts.extend(private_members(
                algorithm(&member.key)?,
                key(&member.key)?.as_bytes(),
            )?);
        }
        for (name, value) in &member.with {
            if value.is_null() {
                parts.remove(name);
            } else {
                parts.insert(name.clone(), value.clone());
            }
        }
        keys.push(jwk);
    }
    Ok(json!({ "keys": keys }))
}

/// Signs every token of a case. Proofs come after the tokens that they are for.
///
/// # Errors
/// A name that is none, of a key or of a token.
pub(crate) fn sign_all(
    tokens: &BTreeMap<String, Token>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut signed = BTreeMap::new();
    for (name, token) in tokens.iter().filter(|(_, it)| it.proof_for.is_none()) {
        signed.insert(name.clone(), sign(token)?);
    }
    for (name, token) in tokens.iter().filter(|(_, it)| it.proof_for.is_some()) {
        let of = token.proof_for.as_deref().and_then(|of| signed.get(of));
        let proof = proof(token, of.context("a proof is for a token of the case")?)?;
        signed.insert(name.clone(), sign(&proof)?);
    }
    Ok(signed)
}

/// A DPoP proof for the token with the text `of`: its own members go before what it is given.
fn proof(token: &Token, of: &str) -> anyhow::Result<Token> {
    let mut jwk = jwk(&token.key)?;
    let members = jwk.as_object_mut().context("a JWK is an object")?;
    for member in ["kid", "use", "alg"] {
        members.remove(member);
    }
    let mut header = Map::from_iter([
        ("typ".to_owned(), json!("dpop+jwt")),
        ("jwk".to_owned(), jwk),
        ("kid".to_owned(), Value::Null),
    ]);
    header.extend(token.header.clone());
    let hash = digest::digest(&digest::SHA256, of.as_bytes());
    let ath = URL_SAFE_NO_PAD.encode(hash.as_ref());
    let mut claims = Map::from_iter([("ath".to_owned(), json!(ath))]);
    claims.extend(token.claims.as_object().cloned().unwrap_or_default());
    Ok(Token {
        header,
        claims: Value::Object(claims),
        ..token.clone()
    })
}

/// Signs a token in the JWS compact form (RFC 7515 section 7.1).
///
/// # Errors
/// A key's name that is none.
pub fn sign(token: &Token) -> anyhow::Result<String> {
    let algorithm = algorithm(&token.key)?;
    let mut claims = token.claims.clone();
    if let Some(holder) = &token.bound_to {
        let jwk: Jwk = serde_json::from_value(jwk(holder)?)?;
        let claims = claims.as_object_mut().context("claims are an object")?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256)?;
        claims.insert("cnf".to_owned(), json!({ "jkt": thumbprint }));
    }
    let mut header: Map<String, Value> = Map::from_iter([
        ("alg".to_owned(), json!(algorithm)),
        ("kid".to_owned(), json!(token.key)),
        ("typ".to_owned(), json!("JWT")),
    ]);
    for (name, value) in &token.header {
        if value.is_null() {
            header.remove(name);
        } else {
            header.insert(name.clone(), value.clone());
        }
    }
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&Value::Object(header)), encode(&claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key(&token.key)?, algorithm)?;
    Ok(format!("{message}.{signature}"))
}

pub(crate) fn jwk(name: &str) -> anyhow::Result<Value> {
    let jwk = Jwk::from_encoding_key(&key(name)?, algorithm(name)?)?;
    let mut jwk = serde_json::to_value(jwk)?;
    let members = jwk.as_object_mut().context("a JWK is an object")?;
    members.insert("kid".to_owned(), json!(name));
    members.insert("use".to_owned(), json!("sig"));
    Ok(jwk)
}

pub(crate) fn algorithm(name: &str) -> anyhow::Result<Algorithm> {
    let (algorithm, _) = name
        .split_once('-')
        .context("a key is named like `RS256-1`")?;
    algorithm
        .parse()
        .with_context(|| format!("no algorithm `{algorithm}`"))
}

fn key(name: &str) -> anyhow::Result<EncodingKey> {
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = keys.get(name) {
        return Ok(key.clone());
    }
    let key = generate(algorithm(name)?, name)?;
    keys.insert(name.to_owned(), key.clone());
    Ok(key)
}

fn generate(algorithm: Algorithm, name: &str) -> anyhow::Result<EncodingKey> {
    Ok(match algorithm {
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048)?;
            // jsonwebtoken takes PKCS #1; the PKCS #8 envelope is 26 bytes for a 2048-bit key.
            let pkcs8 = pair.as_der()?;
            EncodingKey::from_rsa_der(pkcs1_of(pkcs8.as_ref()).context("a PKCS #8 key")?)
        }
        Algorithm::ES256 => EncodingKey::from_ec_der(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?
                .to_pkcs8v1()?
                .as_ref(),
        ),
        Algorithm::ES384 => EncodingKey::from_ec_der(
            EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?
                .to_pkcs8v1()?
                .as_ref(),
        ),
        Algorithm::EdDSA => {
            EncodingKey::from_ed_der(Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref())
        }
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => EncodingKey::from_secret(
            format!("a shared secret of the cases, {name}, and long enough for any hash")
                .as_bytes(),
        ),
        other => bail!("no key of the cases signs with {other:?}"),
    })
}

/// The RSAPrivateKey inside a PKCS #8 PrivateKeyInfo (RFC 5208 section 5): the last octet string.
fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    pkcs8.get(26..)
}
