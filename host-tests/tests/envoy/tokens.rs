//! Who passes with a token, and who does not.

use mint::Key;
use serde_json::json;

use crate::harness::{ISSUER, Setup, claims, now, received};

#[test]
fn a_good_token_passes_and_its_subject_reaches_the_upstream() {
    let mut world = Setup::new().start();
    let token = world.keys.token();
    for _ in 0..3 {
        let answer = world.api(&token);
        assert_eq!(answer.status, 200);
        assert_eq!(received(&answer, "x-user"), ["ada"]);
    }
    world.check_alive();
}

#[test]
fn bad_tokens_are_answered_with_401_and_never_reach_the_upstream() {
    let mut world = Setup::new().start();
    let stranger = Key::generate("first").unwrap();
    let good = world.keys.token();
    let payload = good.split('.').nth(1).unwrap();
    let bad = [
        ("none at all", String::new()),
        ("no token", "abc".to_owned()),
        (
            "expired",
            world
                .keys
                .sign(&json!({"iss": ISSUER, "sub": "ada", "exp": now() - 60})),
        ),
        (
            "not yet valid",
            world
                .keys
                .sign(&json!({"iss": ISSUER, "sub": "ada", "nbf": now() + 60, "exp": now() + 90})),
        ),
        (
            "from another issuer",
            world
                .keys
                .sign(&json!({"iss": "http://other.test", "sub": "ada", "exp": now() + 60})),
        ),
        (
            "by a stranger's key of the same name",
            stranger.sign(&claims()).unwrap(),
        ),
        (
            "by a key that nobody knows",
            Key::generate("unknown").unwrap().sign(&claims()).unwrap(),
        ),
        // {"alg":"none","kid":"first"}
        (
            "unsigned",
            format!("eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ.{payload}."),
        ),
        ("cut", good[..good.len() - 8].to_owned()),
    ];
    for (what, token) in bad {
        let answer = world.api(&token);
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert_eq!(answer.json().unwrap()["error"]["code"], 401, "{what}");
    }
    world.check_alive();
}

#[test]
fn what_a_rule_sets_cannot_be_brought_along_by_a_client() {
    let mut world = Setup::new().start();
    let forged = world
        .get("/public")
        .header("X-User", "root")
        .header("x-uSER", "root");
    assert_eq!(
        received(&forged.send().unwrap(), "x-user"),
        Vec::<String>::new()
    );
    let token = format!("Bearer {}", world.keys.token());
    let both = world
        .get("/api")
        .header("X-User", "root")
        .header("authorization", token);
    assert_eq!(received(&both.send().unwrap(), "x-user"), ["ada"]);
    world.check_alive();
}

#[test]
fn the_path_that_is_judged_is_the_one_that_the_upstream_sees() {
    let mut world = Setup::new().start();
    for path in ["/public/../api", "/public/%2e%2e/api", "//api", "/./api"] {
        assert_eq!(world.get(path).send().unwrap().status, 401, "{path}");
    }
    assert_eq!(world.get("/public%2f..%2fapi").send().unwrap().status, 400);
    assert_eq!(world.get("/elsewhere").send().unwrap().status, 404);
    let answer = world.get("/api/../public/a?q=1").send().unwrap();
    assert_eq!(answer.json().unwrap()["path"], "/public/a?q=1");
    world.check_alive();
}
