//! `api_key`: a key that a program was given, kept here as its hash. An extension: Oathkeeper has none.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::{
    Denial, Session,
    compile::{Compiler, Entry},
    config::{Errors, Place, Section},
    digest::{self, Hash},
    jose,
    pipeline::Facts,
};

use super::{Authentication, token_from::TokenFrom};

/// Where a key stands unless the rule says otherwise.
const HEADER: &str = "X-Api-Key";
/// No key that people make comes near.
const KEY_LIMIT: usize = 4096;

/// Responsible for requests that carry something where keys stand.
#[derive(Debug)]
pub(crate) struct ApiKey {
    token_from: TokenFrom,
    /// By the SHA-256 of the key: who looks a key up learns nothing of others by the time it takes.
    /// The fixed hasher cannot be played with, since only hashes of the configuration get in.
    owners: HashMap<Hash, Owner, BuildHasherDefault<DefaultHasher>>,
}

#[derive(Clone, Debug)]
struct Owner {
    hash: Hash,
    subject: String,
    extra: Arc<Map<String, Value>>,
}

impl ApiKey {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let token_from = match section.value("token_from") {
            None => TokenFrom::header(HEADER),
            Some(_) => TokenFrom::compile(&mut section),
        };
        let entries = section.list("keys");
        if entries.is_empty() {
            section.wrong(
                "keys",
                "is required: a list of keys, each with an `id` and the `hash` of the key",
            );
        }
        section.finish();
        let mut owners = HashMap::default();
        for (place, entry) in entries {
            let Some(owner) = Owner::compile(&entry, place.clone(), compiler.errors()) else {
                continue;
            };
            if owners.insert(owner.hash, owner).is_some() {
                compiler
                    .errors()
                    .add(place.key("hash"), "is the hash of another key of this list");
            }
        }
        Some(Self { token_from, owners })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        let key = match self.token_from.find(facts) {
            Ok(Some(key)) => key,
            Ok(None) => return Authentication::NotResponsible,
            Err(several) => return Authentication::Refused(several.into()),
        };
        if self.token_from == TokenFrom::Bearer && jose::looks_like_jws(&key) {
            // A token, for which the rule may have another authenticator.
            return Authentication::NotResponsible;
        }
        match self.owner(&key) {
            Some(owner) => Authentication::Known(Session {
                subject: owner.subject.clone(),
                extra: Some(Arc::clone(&owner.extra)),
                ..Session::default()
            }),
            None => {
                Authentication::Refused(Denial::Unauthorized("nobody has this API key".to_owned()))
            }
        }
    }

    fn owner(&self, key: &str) -> Option<&Owner> {
        if key.len() > KEY_LIMIT {
            return None;
        }
        let hash = digest::sha256(key.as_bytes());
        let owner = self.owners.get(&hash)?;
        bool::from(owner.hash.ct_eq(&hash)).then_some(owner)
    }
}

impl Owner {
    fn compile(entry: &Value, place: Place, errors: &Errors) -> Option<Self> {
        let mut section = Section::new(Some(entry), place, errors);
        let id = section.required_string("id");
        let written = section.required_string("hash");
        let subject = section.string("subject");
        let mut extra = section.object("extra").unwrap_or_default();
        let hash = written.and_then(|written| {
            let hash = read_hash(&written);
            if hash.is_none() {
                section.wrong(
                    "hash",
                    "must be `sha256:` and the SHA-256 of the key in hexadecimal or base64, as \
                     `printf %s KEY | sha256sum` prints it",
                );
            }
            hash
        });
        section.finish();
        let id = id?;
        extra.insert("api_key_id".to_owned(), Value::from(id.as_str()));
        Some(Self {
            hash: hash?,
            subject: subject.unwrap_or(id),
            extra: Arc::new(extra),
        })
    }
}

/// A key has the entropy of a random number, so that a plain hash hides it; passwords belong to
/// `basic`, with a hash that is made to be slow.
fn read_hash(written: &str) -> Option<Hash> {
    let encoded = written.strip_prefix("sha256:")?;
    digest::from_hex(encoded).or_else(|| {
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|engine| engine.decode(encoded).ok()?.try_into().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_tools_print_them() {
        let hash = digest::sha256(b"key");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        for written in [
            format!("sha256:{hex}"),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{}", STANDARD.encode(hash)),
            format!("sha256:{}", URL_SAFE_NO_PAD.encode(hash)),
        ] {
            assert_eq!(read_hash(&written), Some(hash), "{written}");
        }
        for written in [
            "",
            "sha256:",
            "key",
            &hex,
            &format!("sha1:{hex}"),
            &format!("sha256:{hex}00"),
            &format!("sha256:ä{}", "0".repeat(62)),
            &format!("sha256:{}", "0".repeat(62)),
        ] {
            assert_eq!(read_hash(written), None, "{written}");
        }
    }
}
