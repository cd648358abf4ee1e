//! Signatures known to be right, to find out what a host verifies before a request depends on it.
//! The private keys were thrown away.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, errors};

use super::{Ask, HostVerifier};

const TEXT: &[u8] = b"gatepost known answer";
/// What a host must not take for [`TEXT`].
const OTHER_TEXT: &[u8] = b"gatepost known answex";

/// The algorithms that `ask` verifies: it takes the right signature, and refuses it for another text.
pub(super) fn verified_by(ask: Ask) -> Vec<Algorithm> {
    ANSWERS
        .iter()
        .filter(|answer| answer.is_given_by(ask).unwrap_or_default())
        .map(|answer| answer.algorithm)
        .collect()
}

/// Each answer's algorithm, key and signature.
#[cfg(test)]
pub(super) fn all() -> Vec<(Algorithm, DecodingKey, Vec<u8>)> {
    ANSWERS
        .iter()
        .map(|answer| {
            let signature = decode(answer.signature).unwrap();
            (answer.algorithm, (answer.key)().unwrap(), signature)
        })
        .collect()
}

struct KnownAnswer {
    algorithm: Algorithm,
    key: fn() -> errors::Result<DecodingKey>,
    /// Base64url, as in a JWS.
    signature: &'static str,
}

impl KnownAnswer {
    fn is_given_by(&self, ask: Ask) -> Option<bool> {
        let key = (self.key)().ok()?;
        let signature = decode(self.signature)?;
        let verifier = HostVerifier::new(self.algorithm, &key, ask)?;
        let right = verifier.ask(TEXT, &signature).ok()?;
        let wrong = verifier.ask(OTHER_TEXT, &signature).ok()?;
        Some(right && !wrong)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn rsa() -> errors::Result<DecodingKey> {
    DecodingKey::from_rsa_components(
        "qrgEwQXdHOELEUvm9NVm7Rs-8yMWbVFLGHcf6xJhhRgz36x00e159kER7HUzXKtZ361ya0UU344CJ_6sLQ8hq99m\
         wq_X4GOv3Glw5pmh0iwv7dVcR5EH7I9JJP11RHjm1TDTqDmYXVuaP5gm04PDgdeKr-P88oiuodJs7-ADIrHGSumj\
         OXeRhk4pNgRgfZT62MUwR3TYeFSJnGK9sr4QDBWgyXQSrYE9wpnPyJJ8H2n4LeshpyXiwZiPLnp3zli8YVHNxEJR\
         587qPwBeBGWCSjS7JYBL4jQxSl5DXbnmIMbOno8C7kD3DDilT_L0K5S1r2KBDSXW4tCizGe4gahBuw",
        "AQAB",
    )
}

fn p256() -> errors::Result<DecodingKey> {
    DecodingKey::from_ec_components(
        "KB7jKwAaXIRirIqZctKUCvdIWgLA0INtwckJLi5Atnw",
        "7OnSpZYbAgPfUKZfxjd40JY2e9Wt84S5XISRuvTprKo",
    )
}

fn p384() -> errors::Result<DecodingKey> {
    DecodingKey::from_ec_components(
        "W4llYXIvj-uNNAA2YSUJDic_0gn6HYSACGkbGZCC9MHIWaW1xxzxUOYDIfAyy7wD",
        "IEmLEJr42U3Wdeav03CdX0JUCkWiFMypIf97qKTd9vJWUfxqX7XJFitzpYLR2WU6",
    )
}

const ANSWERS: [KnownAnswer; 5] = [
    KnownAnswer {
        algorithm: Algorithm::RS256,
        key: rsa,
        signature: "lSLdCZLxjIPDlGJZxtiy7CqHFWFqmHGwBWMwWwtqkEZeAzlSIUFNYa87Znp6MlyO2JrCJcS5ct8cQsmD-U518hVJ\
         iHuhZThY2grBK3EAIkjn27h7pSPRw7TFJtqn7-pmD7OaJdkdQAfK6vArBY00SJvqELGb1RqBFfKMOnm3Im8pZHCF\
         oU1NyB5tikZwHXRoegXOvcbto96SOPO5etHHY1WlBZ0J02ibiZBd3jNz_HbifS-g2pMmX9mUycsTrUqcfE-SBNhK\
         wPm_DA2XqA4_ixK90GSfuyWEA92s3mls3GoKEeVk9rFtFGOepQhathpu0bZjQUzLnSBNKyHgcT04Cg",
    },
    KnownAnswer {
        algorithm: Algorithm::RS384,
        key: rsa,
        signature: "hmOfWOafZSSofdwEQtMpCUvuaxkDv4uhBYEXRcFRxnUqtZfgEb0wnbwIMO5rM2BpgU9HNBoXm5AmdN4uwUqrNMsB\
         xvFlSq0jrMl_sZ7yA_dIUiG0tT3J-ILERrunYp-LKBiVrQcyvlOAft2EiQkw1_u66Cde15PDFwasEyhlsCncMXuz\
         fyAkDqP5TRfkH7oZzplzb7daMjXp5ORZfNePEnUmxjuDPsUrA0gPF6kJOAHCjiSuJMr5d1S3loRxKJXvIk6VmJ9c\
         rPTdy9QcAQt3Kp0wgc_z3CGZFRi0UgAEUe7KpXySYX3vsbYhHRdGZbm1Z9Gtp1qUMLam-KGwRNr6ig",
    },
    KnownAnswer {
        algorithm: Algorithm::RS512,
        key: rsa,
        signature: "iYTXJABVdwtgmkBQP9zqbBlxjDOgiRwb5rRFsc10Um8XflHSMtSonfaor0KvzlIJOuYLGldRx7Rsvt91IrtqnhSm\
         I1gP6Lef3rbvPY_al_2rQoiW8LKj8uEJ8oE7Df8V8UFOtwav5skMWpQMn-cdBQnN6lTWIhueG74UDtLXho0wCwEb\
         vpdGszbjZguRfZu1PTa3p4JO-UGQE_ZENLp6XLyhwDFEzQuqYmkMHu6YVtyQXUo6fw1RjNY6UxLKQrP-4GEzxUHj\
         8GyoLnl5Ak6CozVD5Zb41ktUzh_uu00Xcpznl45V-agMgcFS55AMz2LTEY3-aI3rIQHlJaCg5eSGYg",
    },
    KnownAnswer {
        algorithm: Algorithm::ES256,
        key: p256,
        signature: "OccG0EPpF-b3LCeTKXDAIbyh2y_J5gp2lD7Je7eaKoX9FsDwmUnI261D4YPHsi5ptDoRT5tOq5sa4-bE9mEkDA",
    },
    KnownAnswer {
        algorithm: Algorithm::ES384,
        key: p384,
        signature: "Ltt13e1ma-SOjYkcab9kbMTOcXGRTh5HnYWK3aJ3BkqE_HMzlWGHeTyYvNrNl9bfE0cZQ5oudITuQUfircpe4asK\
         OsoWu-n0xm9Wup1ZzN1Q-cPR-EZjApvJoE5mODN8",
    },
];
