//! Tokens that the module signs for the upstream.

use gatepost_cases::{SetMember, install_crypto, private_jwks};
use gatepost_policy::jose::public_keys;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::harness::{Setup, received, rule};

#[test]
fn an_id_token_from_envoy_is_good_by_the_keys_that_are_published() {
    install_crypto();
    let member = SetMember {
        key: "ES256-1".to_owned(),
        with: serde_json::Map::new(),
        public: false,
    };
    let keys = private_jwks(&[member]).unwrap();
    // What `gatepost serve` and the decision endpoint serve of this set.
    let published = public_keys(&keys).unwrap();
    assert!(published.iter().all(|key| key.get("d").is_none()));
    let mut setup = Setup::new();
    setup.config["authenticators"]["anonymous"] = json!({"enabled": true});
    setup.config["mutators"]["id_token"] = json!({"enabled": true, "config": {
        "issuer_url": "https://gate.test/", "jwks_url": "file:///keys.json", "ttl": "60s",
    }});
    let rules = json!([
        rule("minted", "anonymous", "id_token"),
        rule("api", "jwt", "noop")
    ]);
    let plugin = json!({
        "config": setup.config, "rules": rules, "clusters": setup.clusters,
        "jwks": {"file:///keys.json": keys},
    });
    setup.verbatim = Some(plugin.to_string());
    let mut world = setup.start();
    let answer = world.get("/minted").send().unwrap();
    let authorization = received(&answer, "authorization");
    let token = authorization[0].strip_prefix("Bearer ").unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let key = published
        .iter()
        .find(|key| key["kid"] == kid.as_str())
        .unwrap();
    let key = DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap()).unwrap();
    let mut demands = Validation::new(jsonwebtoken::Algorithm::ES256);
    demands.set_issuer(&["https://gate.test/"]);
    demands.validate_aud = false;
    let claims = decode::<Value>(token, &key, &demands).unwrap().claims;
    assert_eq!(claims["sub"], "anonymous");
    world.check_alive();
}
