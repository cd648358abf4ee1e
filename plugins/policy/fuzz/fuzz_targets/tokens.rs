//! Tokens as strangers make them: raw bytes; good tokens with their parts changed, cut, swapped or
//! signed again by another key. None is accepted unless one of the keys signed just this text, and a
//! second look, from the cache of verified tokens, finds what the first one found.

#![no_main]

use std::sync::{LazyLock, Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gatepost_cases::{jwks, sign};
use gatepost_policy::{
    FetchId, UnixTime,
    jose::{Algorithms, CacheLimits, Check, InlineKeys, KeySetSettings, KeySets, KeySource},
    jose::{TokenRules, Verifier},
};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const KEYS: [&str; 4] = ["RS256-1", "ES256-1", "ES384-1", "EdDSA-1"];
/// A key that the verifier does not know, and one for a symmetric algorithm.
const STRANGERS: [&str; 2] = ["RS256-9", "HS256-1"];
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

struct World {
    verifier: Verifier,
    rules: TokenRules,
    tokens: Vec<String>,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let keys = jwks(&KEYS.map(str::to_owned)).expect("the keys are known");
    let keys = InlineKeys::read(&keys).expect("the key set is good");
    let sets = KeySets::new([KeySource::Inline(keys)], KeySetSettings::default());
    let rules = TokenRules {
        key_sets: [FetchId(0)].into(),
        algorithms: Algorithms::parse(&["RS256", "ES256", "ES384", "EdDSA"]).expect("known"),
        allow_missing_kid: true,
        ..TokenRules::default()
    };
    let token = |key: &&str, claims| {
        sign(&serde_json::from_value(json!({"key": key, "claims": claims})).expect("a token"))
            .expect("the key signs")
    };
    let good = json!({"sub": "alice", "exp": 1_800_003_600_u64, "aud": ["a", "b"], "scp": "x y"});
    let expired = json!({"sub": "alice", "exp": 1_700_000_000_u64});
    let signed = KEYS.iter().chain(&STRANGERS).map(|key| token(key, good.clone()));
    let tokens = signed.chain(KEYS.iter().map(|key| token(key, expired.clone()))).collect();
    Mutex::new(World {
        verifier: Verifier::new(sets, CacheLimits::default(), [7; 32]),
        rules,
        tokens,
    })
});

fuzz_target!(|data: &[u8]| {
    let mut world = WORLD.lock().expect("no test holds it twice");
    let token = match data.split_first() {
        Some((0, raw)) => String::from_utf8_lossy(raw).into_owned(),
        Some((choice, edits)) => edited(&world.tokens, usize::from(*choice), edits),
        None => return,
    };
    let World {
        verifier,
        rules,
        tokens,
    } = &mut *world;
    let first = subject(&verifier.check(&token, rules, NOW));
    let second = subject(&verifier.check(&token, rules, NOW));
    assert_eq!(first, second);
    if let Some(subject) = first {
        assert_eq!(subject, "alice");
        let text = |token: &str| token.rsplit_once('.').map(|(text, _)| text.to_owned());
        let genuine = tokens.iter().take(KEYS.len()).any(|good| text(good) == text(&token));
        assert!(genuine, "accepted: {token}");
    }
});

fn subject(check: &Check) -> Option<String> {
    match check {
        Check::Verified(claims) => Some(claims.subject.clone()),
        Check::NeedKeys(_) | Check::Rejected(_) => None,
    }
}

/// Header, claims and signature of one token, changed by three bytes an edit: what to do, to which
/// part at which place, with which value.
fn edited(tokens: &[String], choice: usize, edits: &[u8]) -> String {
    let mut parts: Vec<Vec<u8>> = decoded(&tokens[choice % tokens.len()]);
    for edit in edits.chunks_exact(3).take(24) {
        let [what, place, value] = *edit else {
            continue;
        };
        let part = usize::from(what >> 4) % parts.len();
        let other = decoded(&tokens[usize::from(value) % tokens.len()]);
        let bytes = &mut parts[part];
        let at = usize::from(place) % (bytes.len() + 1);
        match what & 15 {
            0 => bytes.insert(at, value),
            1 => bytes.truncate(at),
            2 => bytes[at..].fill(value),
            3 => *bytes = other[part % other.len()].clone(),
            4 => bytes.splice(at.., other[part % other.len()].iter().copied().skip(at)).for_each(drop),
            5 => {
                let algorithms = ["none", "None", "HS256", "RS256", "PS256", "ES256", "EdDSA", "RS512"];
                let algorithm = algorithms[usize::from(value) % algorithms.len()];
                *bytes = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#).into_bytes();
            }
            6 => {
                let kid = KEYS[usize::from(value) % KEYS.len()];
                *bytes = format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#).into_bytes();
            }
            7 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= value;
                }
            }
            8 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = byte.wrapping_add(value);
                }
            }
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
    parts.join(".")
}

fn decoded(token: &str) -> Vec<Vec<u8>> {
    let parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("a good token"));
    parts.collect()
}
