//! What a handler may demand beyond Oathkeeper: the kind of token, its life, and the sign-in behind
//! it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{TokenError, TokenRules},
    support::{NOW, Outcome, alice, claims, claims_with, ec_key, outcome, rules, verifier},
};

/// Checks a token with this header member and these claims, twice: known tokens obey too.
fn check(typ: Value, claims: &Value, change: impl FnOnce(&mut TokenRules)) -> Outcome {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let mut rules = rules(&[0], &["ES256"]);
    change(&mut rules);
    let mut header = json!({"alg": "ES256", "kid": "k"});
    if !typ.is_null() {
        header["typ"] = typ;
    }
    let token = key.token_of(&header.to_string(), &claims.to_string());
    let first = outcome(verifier.check(&token, &rules, NOW));
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), first);
    first
}

fn rejected(error: TokenError) -> Outcome {
    Outcome::Rejected(error)
}

#[test]
fn t21_an_id_token_is_no_access_token_where_the_type_is_demanded() {
    let demand = |rules: &mut TokenRules| rules.required_type = Some("at+jwt".to_owned());
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert_eq!(check(json!(typ), &claims(), demand), alice(), "{typ}");
    }
    for typ in [
        json!("JWT"),
        json!("dpop+jwt"),
        json!("at+jwtx"),
        json!(""),
        json!("application/"),
        Value::Null,
    ] {
        assert_eq!(
            check(typ.clone(), &claims(), demand),
            rejected(TokenError::WrongType),
            "{typ}"
        );
    }
    let long = check(json!("x".repeat(129)), &claims(), |_| ());
    assert!(matches!(long, Outcome::Rejected(TokenError::Malformed(_))));
}

#[test]
fn an_expiry_may_be_demanded() {
    let without = json!({"sub": "alice"});
    assert_eq!(check(Value::Null, &without, |_| ()), alice());
    let demand = |rules: &mut TokenRules| rules.require_expiry = true;
    assert_eq!(
        check(Value::Null, &without, demand),
        rejected(TokenError::NoExpiry)
    );
    assert_eq!(check(Value::Null, &claims(), demand), alice());
}

#[test]
fn a_token_may_live_only_so_long() {
    let demand = |rules: &mut TokenRules| rules.max_lifetime = Some(Duration::from_secs(600));
    let now = NOW.as_secs();
    let of = |issued: Value, expires: Value| json!({"sub": "alice", "iat": issued, "exp": expires});
    let check = |claims: &Value| check(Value::Null, claims, demand);
    assert_eq!(check(&of(json!(now), json!(now + 600))), alice());
    assert_eq!(check(&of(json!(now - 300), json!(now + 300))), alice());
    for claims in [
        of(json!(now), json!(now + 601)),
        json!({"sub": "alice", "exp": now + 1}),
        json!({"sub": "alice", "iat": now}),
    ] {
        assert_eq!(check(&claims), rejected(TokenError::TooLongLived));
    }
}

#[test]
fn a_strong_sign_in_may_be_demanded() {
    let demand = |rules: &mut TokenRules| rules.acr_values = vec!["aal2".into(), "aal3".into()];
    for (acr, expected) in [
        (json!("aal2"), alice()),
        (json!("aal3"), alice()),
        (json!("aal1"), rejected(TokenError::WeakAuthentication)),
        (json!("AAL2"), rejected(TokenError::WeakAuthentication)),
        (json!(["aal2"]), rejected(TokenError::WeakAuthentication)),
        (json!(2), rejected(TokenError::WeakAuthentication)),
    ] {
        let claims = claims_with("acr", acr.clone());
        assert_eq!(check(Value::Null, &claims, demand), expected, "{acr}");
    }
    assert_eq!(
        check(Value::Null, &claims(), demand),
        rejected(TokenError::WeakAuthentication)
    );
}

#[test]
fn a_late_sign_in_may_be_demanded() {
    let now = NOW.as_secs();
    let demand = |rules: &mut TokenRules| rules.max_age = Some(Duration::from_secs(300));
    for (at, expected) in [
        (json!(now), alice()),
        (json!(now - 300), alice()),
        (json!(now - 301), rejected(TokenError::OldAuthentication)),
        (json!(now + 1), rejected(TokenError::OldAuthentication)),
    ] {
        let claims = claims_with("auth_time", at.clone());
        assert_eq!(check(Value::Null, &claims, demand), expected, "{at}");
    }
    assert_eq!(
        check(Value::Null, &claims(), demand),
        rejected(TokenError::OldAuthentication)
    );
    for odd in [json!("1800000000"), json!(-1), json!([now])] {
        let claims = claims_with("auth_time", odd.clone());
        let found = check(Value::Null, &claims, demand);
        assert!(
            matches!(found, Outcome::Rejected(TokenError::Malformed(_))),
            "{odd}: {found:?}"
        );
    }
}
