//! Session cookies: the check is made of another server while the request waits.

use std::{thread, time::Duration};

use serde_json::json;

use crate::harness::{Setup, answer, received};

#[test]
fn a_session_passes_with_its_subject_and_anything_else_does_not() {
    let mut world = Setup::new()
        .sessions(|request| {
            assert_eq!(request.target, "/whoami");
            match request.header("cookie").as_deref() {
                Some("session=good") => answer(200, &json!({"identity": {"id": "ada"}})),
                Some("session=odd") => answer(200, &json!({"identity": {"id": ["not", "text"]}})),
                Some("session=broken") => answer(500, &json!({})),
                _ => answer(401, &json!({})),
            }
        })
        .start();
    for (cookie, status) in [
        ("good", 200),
        ("bad", 401),
        ("odd", 403),
        ("broken", 401),
        ("good", 200),
    ] {
        let request = world
            .get("/app")
            .header("cookie", format!("session={cookie}"));
        let answer = request.send().unwrap();
        assert_eq!(answer.status, status, "{cookie}: {}", answer.body);
        if status == 200 {
            assert_eq!(received(&answer, "x-user"), ["ada"]);
        }
    }
    assert_eq!(world.get("/app").send().unwrap().status, 401, "no cookie");
    world.check_alive();
}

#[test]
fn a_session_check_that_does_not_answer_in_time_denies() {
    let mut world = Setup::new()
        .sessions(|_| {
            thread::sleep(Duration::from_secs(7));
            answer(200, &json!({"identity": {"id": "ada"}}))
        })
        .start();
    let answer = world
        .get("/app")
        .header("cookie", "session=1")
        .send()
        .unwrap();
    // Envoy hands the module an answer of its own (504), which is not taken for the store's.
    assert_eq!(answer.status, 403, "{}", answer.body);
    world.check_alive();
}
