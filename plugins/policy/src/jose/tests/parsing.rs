//! Hostile texts (T18, T21, T22): refused, cheaply, whatever they are.

use serde_json::json;

use super::{
    super::{TokenError, looks_like_jws},
    support::{NOW, Outcome, alice, b64, claims, outcome, rsa_key, rules, verifier},
};

fn check(token: &str) -> Outcome {
    let key = rsa_key(0, "rsa");
    let mut verifier = verifier(&[&[&key.jwk]]);
    outcome(verifier.check(token, &rules(&[0], &[]), NOW))
}

/// A properly signed token with this header text.
fn with_header(header: &str) -> String {
    rsa_key(0, "rsa").token_of(header, &claims().to_string())
}

fn is_malformed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Rejected(TokenError::Malformed(_)))
}

#[test]
fn only_three_parts_look_like_a_jws() {
    for token in ["a.b.c", "..", "a..c"] {
        assert!(looks_like_jws(token), "{token}");
    }
    for token in [
        "",
        ".",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        &".".repeat(1 << 20),
    ] {
        assert!(!looks_like_jws(token));
    }
}

#[test]
fn t22_a_long_token_is_refused_before_anything_looks_at_it() {
    for token in [".".repeat(1 << 20), format!("{}..", "a".repeat(16 * 1024))] {
        assert_eq!(check(&token), Outcome::Rejected(TokenError::TooLong));
    }
    let padding = "x".repeat(9000);
    let key = rsa_key(0, "rsa");
    let mut claims = claims();
    claims["padding"] = json!(padding);
    assert_eq!(check(&key.token("RS256", &claims)), alice());
}

#[test]
fn texts_of_other_shapes_are_malformed() {
    let good = rsa_key(0, "rsa").token("RS256", &claims());
    assert_eq!(check(&good), alice());
    let (message, signature) = good.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        message.to_owned(),
        format!("{good}.x"),
        format!(".{good}"),
        format!(" {good}"),
        format!("={good}"),
        format!("{}.{}.{signature}", b64(b"null"), b64(b"{}")),
        format!("{}.{}.{signature}", b64(b"[]"), b64(b"{}")),
        format!("{}.{}.{signature}", b64(b"\xff\xfe"), b64(b"{}")),
    ] {
        assert!(is_malformed(&check(&token)), "{token}");
    }
    // The signature's own encoding is strict too: no padding, no spare bits, no spaces.
    for token in [
        format!("{good}="),
        format!("{good} "),
        format!("{good}\n"),
        format!("{message}.{}", signature.replace(['-', '_'], "+")),
        format!("{}x", &good[..good.len() - 1]),
    ] {
        assert_eq!(
            check(&token),
            Outcome::Rejected(TokenError::WrongSignature),
            "{token}"
        );
    }
}

#[test]
fn headers_that_change_the_meaning_of_a_token_are_refused() {
    assert_eq!(
        check(&with_header(
            r#"{"alg":"RS256","kid":"rsa","typ":"x","x":[1]}"#
        )),
        alice()
    );
    for header in [
        r#"{"alg":"RS256","kid":"rsa","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","kid":"rsa","crit":[]}"#,
        r#"{"alg":"RS256","kid":"rsa","crit":null}"#,
        r#"{"alg":"RS256","kid":"rsa","b64":false}"#,
        r#"{"alg":"RS256","kid":"rsa","zip":"DEF"}"#,
        r#"{"alg":"RS256","kid":"rsa","enc":"A256GCM"}"#,
        r#"{"alg":"RS256","alg":"none","kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa","kid":"other"}"#,
        r#"{"alg":["RS256"],"kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":7}"#,
        r#"{"kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa"} x"#,
        r#"{"alg":"RS256","kid":"rsa""#,
    ] {
        assert!(is_malformed(&check(&with_header(header))), "{header}");
    }
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(513));
    assert!(is_malformed(&check(&with_header(&long))));
}

#[test]
fn a_token_without_kid_is_refused() {
    for header in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","kid":null}"#] {
        assert_eq!(
            check(&with_header(header)),
            Outcome::Rejected(TokenError::MissingKeyId)
        );
    }
}

#[test]
fn t22_deep_json_is_refused_and_not_recursed_into() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let header = format!(r#"{{"x":{deep},"alg":"RS256","kid":"rsa"}}"#);
    let _ = check(&with_header(&header));
    let key = rsa_key(0, "rsa");
    let token = key.token_of(
        r#"{"alg":"RS256","kid":"rsa"}"#,
        &format!(r#"{{"sub":"alice","x":{deep}}}"#),
    );
    assert!(is_malformed(&check(&token)));
}
