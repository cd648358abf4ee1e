//! Key sets come and go while Envoy runs.

use std::{sync::atomic::Ordering, thread, time::Duration};

use mint::Key;

use crate::harness::{Setup, claims, eventually};

#[test]
fn tokens_pass_while_the_key_server_is_down() {
    let mut world = Setup::new().start();
    let token = world.keys.token();
    world.keys.stop();
    for _ in 0..5 {
        assert_eq!(world.api(&token).status, 200);
        // One that was never seen before: the key is known, not just the token.
        assert_eq!(world.api(&world.keys.sign(&claims_of("bea"))).status, 200);
        thread::sleep(Duration::from_millis(200));
    }
    world.check_alive();
}

#[test]
fn a_new_signing_key_is_found_at_once_and_the_old_one_stays_good() {
    let mut world = Setup::new().start();
    let old = world.keys.token();
    for kid in ["second", "third"] {
        world.keys.rotate(kid);
        assert_eq!(
            world.api(&world.keys.token()).status,
            200,
            "the first token of `{kid}`"
        );
        assert_eq!(world.api(&old).status, 200);
        // Longer than the module waits between fetches that unknown keys ask for.
        thread::sleep(Duration::from_secs(11));
    }
    world.check_alive();
}

#[test]
fn t19_unknown_keys_cannot_make_the_module_flood_the_key_server() {
    let mut world = Setup::new().start();
    let before = world.keys.fetches.load(Ordering::SeqCst);
    for number in 0..40 {
        let token = Key::generate(&format!("unknown-{number}"))
            .unwrap()
            .sign(&claims())
            .unwrap();
        assert_eq!(world.api(&token).status, 401);
    }
    let fetches = world.keys.fetches.load(Ordering::SeqCst) - before;
    assert!(fetches < 15, "{fetches} fetches for 40 unknown keys");
    world.check_alive();
}

#[test]
fn a_key_server_that_starts_late_needs_no_restart_of_envoy() {
    let mut setup = Setup::new();
    setup.stop_keys();
    let mut world = setup.start_without_keys();
    assert_eq!(world.api(&world.keys.token()).status, 401);
    world.keys.start_again();
    eventually("a good token passes", || {
        world.api(&world.keys.token()).status == 200
    });
    world.check_alive();
}

fn claims_of(subject: &str) -> serde_json::Value {
    let mut claims = claims();
    claims["sub"] = subject.into();
    claims
}
