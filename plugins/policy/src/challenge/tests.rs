use serde_json::{Value, json};

use super::*;
use crate::config::{Errors, Place};

fn challenges(gatepost: &Value, offers: Vec<Offer>) -> Challenges {
    let errors = Errors::default();
    let mut section = Section::new(Some(gatepost), Place::default(), &errors);
    let challenges = Challenges::compile(&mut section, offers);
    assert!(errors.into_inner().is_empty());
    challenges
}

fn told(challenge: &Value) -> Challenges {
    let offers = vec![Offer::Bearer, Offer::Dpop("ES256 EdDSA".to_owned())];
    challenges(&json!({ "challenge": challenge }), offers)
}

fn lines(challenges: &Challenges, denial: &Denial, status: u16) -> Vec<String> {
    challenges
        .headers(denial, status)
        .into_iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8(value).unwrap()))
        .collect()
}

fn bearer(error: ChallengeError) -> Denial {
    Denial::challenged("x".to_owned(), Scheme::Bearer, error)
}

#[test]
fn without_the_switch_nothing_is_told() {
    let silent = challenges(&json!({}), vec![Offer::Bearer]);
    for denial in [
        Denial::Unauthorized("x".to_owned()),
        bearer(ChallengeError::InvalidToken),
    ] {
        assert!(silent.headers(&denial, 401).is_empty());
    }
}

#[test]
fn a_client_without_credentials_learns_every_scheme_and_no_error() {
    let challenges = told(&json!({"realm": "api"}));
    assert_eq!(
        lines(&challenges, &Denial::Unauthorized("x".to_owned()), 401),
        [
            "www-authenticate: Bearer realm=\"api\"",
            "www-authenticate: DPoP realm=\"api\", algs=\"ES256 EdDSA\"",
        ]
    );
}

#[test]
fn an_error_stands_under_its_own_scheme() {
    let challenges = told(&json!({"resource_metadata": "https://api.test/.well-known/x"}));
    assert_eq!(
        lines(&challenges, &bearer(ChallengeError::InvalidToken), 401),
        [
            "www-authenticate: Bearer error=\"invalid_token\", \
             resource_metadata=\"https://api.test/.well-known/x\"",
            "www-authenticate: DPoP resource_metadata=\"https://api.test/.well-known/x\", \
             algs=\"ES256 EdDSA\"",
        ]
    );
    let proof = Denial::challenged(
        "x".to_owned(),
        Scheme::Dpop,
        ChallengeError::InvalidDpopProof,
    );
    let lines = lines(&told(&json!({})), &proof, 401);
    assert_eq!(
        lines,
        [
            "www-authenticate: Bearer",
            "www-authenticate: DPoP error=\"invalid_dpop_proof\", algs=\"ES256 EdDSA\"",
        ]
    );
}

#[test]
fn a_missing_scope_is_forbidden_where_clients_are_told() {
    let denial = || {
        bearer(ChallengeError::InsufficientScope(vec![
            "read".to_owned(),
            "write".to_owned(),
        ]))
    };
    let silent = challenges(&json!({}), vec![Offer::Bearer]);
    assert_eq!(silent.renumber(denial()).status(), 401);
    let challenges = told(&json!({}));
    let denial = challenges.renumber(denial());
    assert_eq!((denial.status(), denial.code()), (403, "forbidden"));
    assert_eq!(
        lines(&challenges, &denial, 403),
        ["www-authenticate: Bearer error=\"insufficient_scope\", scope=\"read write\""]
    );
    assert_eq!(
        challenges
            .renumber(bearer(ChallengeError::InvalidToken))
            .status(),
        401
    );
}

#[test]
fn a_sign_in_that_is_not_enough_names_what_would_be() {
    let denial = bearer(ChallengeError::InsufficientUserAuthentication {
        acr_values: vec!["aal2".to_owned(), "aal3".to_owned()],
        max_age: Some(Duration::from_secs(300)),
    });
    let challenges = challenges(&json!({"challenge": {}}), vec![Offer::Bearer]);
    assert_eq!(
        lines(&challenges, &denial, 401),
        [
            "www-authenticate: Bearer error=\"insufficient_user_authentication\", \
             acr_values=\"aal2 aal3\", max_age=\"300\""
        ]
    );
}

#[test]
fn a_nonce_is_always_told() {
    let denial = Denial::challenged(
        "x".to_owned(),
        Scheme::Dpop,
        ChallengeError::UseDpopNonce("n".to_owned()),
    );
    let silent = challenges(&json!({}), vec![Offer::Dpop("ES256".to_owned())]);
    assert_eq!(
        lines(&silent, &denial, 401),
        [
            "dpop-nonce: n",
            "www-authenticate: DPoP error=\"use_dpop_nonce\", algs=\"ES256\"",
        ]
    );
}

#[test]
fn refusals_that_credentials_would_not_change_carry_no_challenge() {
    let challenges = told(&json!({}));
    let forbidden = Denial::Forbidden("x".to_owned());
    assert!(challenges.headers(&forbidden, 403).is_empty());
    assert!(challenges.headers(&Denial::NoRule, 404).is_empty());
    let token = bearer(ChallengeError::InvalidToken);
    assert!(challenges.headers(&token, 302).is_empty());
}

#[test]
fn t12_no_value_ends_its_string_or_line() {
    let mut value = Parameters::of("Bearer");
    value.add("a", r#"x", error="y\"#);
    value.add("b", "x\r\nSet-Cookie: y");
    value.add("c", "ä");
    value.add("d", "");
    assert_eq!(value.0, r#"Bearer a="x\", error=\"y\\", d="""#);
    let denial = bearer(ChallengeError::InsufficientScope(vec!["a\r\nb".to_owned()]));
    let challenges = told(&json!({}));
    let denial = challenges.renumber(denial);
    assert_eq!(
        lines(&challenges, &denial, 403),
        ["www-authenticate: Bearer error=\"insufficient_scope\""]
    );
}

#[test]
fn realms_and_urls_are_checked_at_load() {
    for (challenge, keys) in [
        (json!({"realm": "a\nb"}), vec!["challenge.realm"]),
        (json!({"realm": "ä"}), vec!["challenge.realm"]),
        (
            json!({"resource_metadata": "/x"}),
            vec!["challenge.resource_metadata"],
        ),
        (json!({"relm": "x"}), vec!["challenge.relm"]),
        (json!("yes"), vec!["challenge"]),
    ] {
        let errors = Errors::default();
        let gatepost = json!({ "challenge": challenge });
        let mut section = Section::new(Some(&gatepost), Place::default(), &errors);
        Challenges::compile(&mut section, Vec::new());
        let found = errors.into_inner();
        let found: Vec<_> = found
            .iter()
            .map(|error| error.place.path.as_str())
            .collect();
        assert_eq!(found, keys, "{gatepost}");
    }
}
