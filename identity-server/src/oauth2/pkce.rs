//! Proof Key for Code Exchange (RFC 7636), S256 only.
//!
//! `plain` is refused everywhere: whoever can read the authorization request could then redeem the code.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::OAuthError;
use super::params::Params;

/// The challenge of an authorization request: base64url of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`; `required` is `oauth2.pkce.enforced` or the rule for public clients.
    ///
    /// # Errors
    /// `invalid_request` when it is missing but required, is not S256, or is not a base64url SHA-256.
    pub fn from_params(params: &Params, required: bool) -> Result<Option<Self>, OAuthError> {
        let method = params.get("code_challenge_method");
        let Some(challenge) = params.get("code_challenge") else {
            if required {
                return Err(invalid(
                    "this server asks for PKCE: send code_challenge with code_challenge_method=S256",
                ));
            }
            if method.is_some() {
                return Err(invalid(
                    "code_challenge_method was sent without code_challenge",
                ));
            }
            return Ok(None);
        };
        if method != Some("S256") {
            return Err(invalid("only code_challenge_method=S256 is supported"));
        }
        let is_digest = URL_SAFE_NO_PAD
            .decode(challenge)
            .is_ok_and(|digest| digest.len() == 32);
        if !is_digest {
            return Err(invalid(
                "code_challenge must be the base64url form of a SHA-256, 43 characters without padding",
            ));
        }
        Ok(Some(Self(challenge.to_owned())))
    }

    /// Whether `verifier` is the one this challenge was made from. Compares in constant time.
    #[must_use]
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        is_verifier(verifier) && bool::from(computed.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

/// Checks the verifier of a token request against the challenge of the authorization request. A verifier without a
/// challenge is refused too, or an attacker could strip the challenge from the first request (RFC 9700 §2.1.1).
///
/// # Errors
/// `invalid_grant`.
pub fn check(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), OAuthError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(OAuthError::InvalidGrant(
            "code_verifier does not match the code_challenge".into(),
        )),
        (Some(_), None) => Err(OAuthError::InvalidGrant("code_verifier is missing".into())),
        (None, Some(_)) => Err(OAuthError::InvalidGrant(
            "code_verifier was sent, but the code was issued without code_challenge".into(),
        )),
    }
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

fn invalid(hint: &str) -> OAuthError {
    OAuthError::InvalidRequest(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read(query: &str, required: bool) -> Result<Option<CodeChallenge>, OAuthError> {
        CodeChallenge::from_params(&Params::parse(query.as_bytes()).unwrap(), required)
    }

    #[test]
    fn the_example_of_the_specification_holds() {
        let challenge = read(
            &format!("code_challenge={CHALLENGE}&code_challenge_method=S256"),
            true,
        )
        .unwrap()
        .unwrap();
        assert!(check(Some(&challenge), Some(VERIFIER)).is_ok());
    }

    #[test]
    fn a_missing_challenge_is_refused_when_required() {
        assert!(read("", true).is_err());
        assert_eq!(read("", false).unwrap(), None);
        assert!(read("code_challenge_method=S256", false).is_err());
    }

    #[test]
    fn anything_but_s256_is_refused() {
        for method in [
            "",
            "&code_challenge_method=plain",
            "&code_challenge_method=s256",
        ] {
            assert!(
                read(&format!("code_challenge={CHALLENGE}{method}"), false).is_err(),
                "{method}"
            );
        }
        for challenge in [
            "short",
            VERIFIER.get(1..).unwrap(),
            &format!("{CHALLENGE}="),
            &format!("{CHALLENGE}A"),
        ] {
            assert!(
                read(
                    &format!("code_challenge={challenge}&code_challenge_method=S256"),
                    false
                )
                .is_err(),
                "{challenge}"
            );
        }
    }

    #[test]
    fn challenge_and_verifier_must_come_together_and_match() {
        let challenge = CodeChallenge(CHALLENGE.to_owned());
        assert!(check(None, None).is_ok());
        assert!(check(Some(&challenge), None).is_err());
        assert!(check(None, Some(VERIFIER)).is_err());
        assert!(check(Some(&challenge), Some(&VERIFIER.replace('d', "e"))).is_err());
        assert!(check(Some(&challenge), Some(CHALLENGE)).is_err());
    }

    #[test]
    fn a_verifier_outside_the_alphabet_is_refused_even_if_its_hash_fits() {
        let short = "too-short";
        let challenge = CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(short)));
        assert!(!challenge.is_met_by(short));
    }
}
