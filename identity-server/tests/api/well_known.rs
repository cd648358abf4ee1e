//! `/.well-known/jwks.json`, and what rotation does to it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use gatepost::keys::{Envelope, KeyMaker, KeySet, Rotation};
use serde_json::{Value, json};
use time::Duration;

use crate::harness::{Answer, TestApp};

const JWKS: &str = "/.well-known/jwks.json";

fn kids(set: &Value) -> BTreeSet<String> {
    set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn sign(app: &TestApp, lifespan: Duration) -> String {
    let now = app.app.clock().now();
    let envelope = Envelope {
        set: KeySet::AccessToken,
        typ: "JWT",
        issued_at: now,
        expires_at: now + lifespan,
    };
    app.app
        .keys()
        .sign(envelope, &json!({"sub": "alice"}))
        .unwrap()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn rotate(app: &TestApp, at_once: bool) -> Rotation {
    let handles = &app.app;
    let rotation = KeyMaker::new(handles.settings())
        .rotate(
            handles.storage(),
            KeySet::AccessToken,
            handles.clock().now(),
            handles.entropy(),
            at_once,
        )
        .await
        .unwrap();
    handles.keys().refresh(handles.storage()).await.unwrap();
    rotation
}

#[tokio::test]
async fn the_key_set_has_one_key_per_set_and_no_private_member() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let app = TestApp::with(&[("KEYS_ALGORITHM", algorithm)]).await;
        let set = app.public.get(JWKS).await.expect_status(200).json();
        assert_eq!(kids(&set).len(), 2);
        for key in set["keys"].as_array().unwrap() {
            assert_eq!(
                (&key["alg"], &key["use"]),
                (&json!(algorithm), &json!("sig"))
            );
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(key.get(private).is_none(), "`{private}` in {key}");
            }
        }
    }
}

#[tokio::test]
async fn private_keys_are_not_readable_in_the_storage() {
    let app = TestApp::new().await;
    for key in app
        .app
        .storage()
        .read()
        .await
        .unwrap()
        .keys()
        .await
        .unwrap()
    {
        // Every PKCS#8 key on P-256 holds the name of its curve.
        let curve = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
        assert!(
            !key.sealed_private
                .windows(curve.len())
                .any(|window| window == curve)
        );
        assert!(!key.public_jwk.contains("\"d\""));
    }
}

#[tokio::test]
async fn each_set_can_have_an_algorithm_of_its_own() {
    let app = TestApp::with(&[("KEYS_ACCESS_TOKEN_ALGORITHM", "EdDSA")]).await;
    let now = app.app.clock().now();
    assert_eq!(
        app.app
            .keys()
            .algorithm(KeySet::AccessToken, now)
            .unwrap()
            .name(),
        "EdDSA"
    );
    assert_eq!(
        app.app
            .keys()
            .algorithm(KeySet::IdToken, now)
            .unwrap()
            .name(),
        "ES256"
    );
}

#[tokio::test]
async fn the_key_set_may_be_cached_and_revalidated() {
    let app = TestApp::new().await;
    let first = app.public.get(JWKS).await.expect_status(200);
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    assert_eq!(
        first.header("content-type"),
        "application/json; charset=utf-8"
    );
    let again = |tag: &str| {
        let request = Request::get(JWKS)
            .header("if-none-match", tag)
            .body(Body::empty())
            .unwrap();
        app.public.send(request)
    };
    let same: Answer = again(first.header("etag")).await.expect_status(304);
    assert!(same.body.is_empty());
    assert_eq!(same.header("etag"), first.header("etag"));
    again("\"other\"").await.expect_status(200);
    rotate(&app, false).await;
    again(first.header("etag")).await.expect_status(200);
}

#[tokio::test]
async fn a_token_carries_its_keys_name_and_checks_against_the_published_key() {
    let app = TestApp::new().await;
    let token = sign(&app, Duration::hours(1));
    let set: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(app.public.get(JWKS).await.json()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid(&token)).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.required_spec_claims.clear();
    let opened = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
    assert_eq!(opened.claims, json!({"sub": "alice"}));
    assert_eq!(opened.header.typ.as_deref(), Some("JWT"));

    let now = app.app.clock().now();
    let keys = app.app.keys();
    assert_eq!(
        keys.signed_claims(KeySet::AccessToken, &token, now),
        Some(json!({"sub": "alice"}))
    );
    assert_eq!(
        keys.signed_claims(KeySet::IdToken, &token, now),
        None,
        "an access token is no ID token"
    );
    let forged = format!("{}A", token.split_at(token.len() - 1).0);
    assert!(
        forged == token
            || keys
                .signed_claims(KeySet::AccessToken, &forged, now)
                .is_none()
    );
}

/// A verifier that fetches the key set and keeps it for its whole max-age never meets an unknown key, and a token
/// never outlives its key, whatever the moment of rotation.
#[tokio::test]
async fn rotation_causes_no_false_401_for_a_verifier_that_caches() {
    let app = TestApp::new().await;
    let (max_age, lifespan, step) = (
        Duration::minutes(5),
        Duration::hours(1),
        Duration::minutes(1),
    );
    let mut cached = BTreeSet::new();
    let mut fetched_at = app.app.clock().now() - max_age;
    let mut outstanding = Vec::new();
    let mut signers = BTreeSet::new();
    for minute in 0..240 {
        if minute == 30 || minute == 100 {
            rotate(&app, false).await;
        }
        app.advance(step).await;
        let now = app.app.clock().now();
        if now - fetched_at >= max_age {
            cached = kids(&app.public.get(JWKS).await.json());
            fetched_at = now;
        }
        let token = sign(&app, lifespan);
        signers.insert(kid(&token));
        outstanding.push((kid(&token), now + lifespan));
        outstanding.retain(|(_, expires_at)| *expires_at > now);
        for (kid, _) in &outstanding {
            assert!(cached.contains(kid), "minute {minute}");
        }
    }
    assert_eq!(signers.len(), 3, "both rotations took effect");
    app.advance(Duration::hours(48)).await;
    let left = kids(&app.public.get(JWKS).await.json());
    assert_eq!(
        left.len(),
        2,
        "the retired keys are gone, one per set is left"
    );
}

#[tokio::test]
async fn rotating_twice_publishes_one_successor_and_at_once_advances_it() {
    let app = TestApp::new().await;
    let before = kid(&sign(&app, Duration::hours(1)));
    let Rotation::Started(first) = rotate(&app, false).await else {
        panic!("a new key")
    };
    assert_eq!(rotate(&app, false).await, Rotation::Pending(first.clone()));
    assert_eq!(kid(&sign(&app, Duration::hours(1))), before);
    let Rotation::Started(advanced) = rotate(&app, true).await else {
        panic!("an advanced key")
    };
    assert_eq!(advanced.id, first.id);
    assert_eq!(kid(&sign(&app, Duration::hours(1))), first.id.as_str());
    assert_eq!(kids(&app.public.get(JWKS).await.json()).len(), 3);
}

#[tokio::test]
async fn a_token_that_would_outlive_its_key_is_not_signed() {
    let app = TestApp::new().await;
    let now = app.app.clock().now();
    let envelope = Envelope {
        set: KeySet::IdToken,
        typ: "JWT",
        issued_at: now,
        expires_at: now + Duration::hours(25),
    };
    assert!(app.app.keys().sign(envelope, &json!({})).is_err());
}

/// A key set as the mutator `id_token` signs with: this and a symmetric key, both private.
fn signing_keys(kid: &str) -> String {
    json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid,
         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
        {"kty": "oct", "alg": "HS256", "use": "sig", "kid": "secret", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
    ]})
    .to_string()
}

#[tokio::test]
async fn the_public_keys_of_files_stand_beside_ours_and_follow_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id_token.jwks.json");
    std::fs::write(&file, signing_keys("mutator-1")).unwrap();
    let app = TestApp::with(&[("KEYS_ALSO_PUBLISH", &file.display().to_string())]).await;
    let set = app.public.get(JWKS).await.expect_status(200).json();
    let published = kids(&set);
    assert_eq!(published.len(), 3, "{set}");
    assert!(published.contains("mutator-1"), "{set}");
    for key in set["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none() && key.get("k").is_none(), "{key}");
    }

    std::fs::write(&file, signing_keys("mutator-number-2")).unwrap();
    app.app.keys().refresh(app.app.storage()).await.unwrap();
    let set = app.public.get(JWKS).await.expect_status(200).json();
    assert!(kids(&set).contains("mutator-number-2"), "{set}");
}
