use super::*;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

#[test]
fn a_credential_is_told_apart_and_not_shown() {
    let shown = mask(&format!("Bearer {TOKEN}"));
    assert!(shown.starts_with("Bearer eyJ…(sha256:"), "{shown}");
    assert_ne!(shown, mask(&format!("Bearer {TOKEN}x")));
    for secret in ["hunter2", "session=abc; other=def", "Basic YWRhOnB3", "ä ö"] {
        let shown = mask(secret);
        let last = secret.split(' ').next_back().unwrap();
        assert!(shown.len() < 40 && !shown.contains(last), "{shown}");
    }
}

#[test]
fn tokens_in_texts_are_masked_and_nothing_else() {
    let text = format!("of `{TOKEN}`, and again {TOKEN}");
    let clear = masked(&text);
    assert!(!clear.contains("eyJh"), "{clear}");
    assert!(clear.starts_with("of `eyJ…(sha256:"), "{clear}");
    for same in ["", "eyJ", "a eyJ short", "ä€", "/a/b?c=d"] {
        assert_eq!(masked(same), same);
    }
}

#[test]
fn a_call_is_shown_without_credentials() {
    let call = Call {
        origin: "http://store".into(),
        method: "POST".to_owned(),
        path: "/check?token=hunter2".to_owned(),
        headers: [
            ("Cookie", "session=hunter2"),
            ("Authorization", "Bearer hunter2"),
            ("X-Api-Key", "hunter2"),
            ("Accept", "application/json"),
            ("X-Forwarded-Method", "GET"),
            ("ä", "hunter2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec(),
        body: b"token=hunter2".to_vec(),
        timeout: std::time::Duration::from_secs(1),
    };
    let shown = serde_json::to_string(&ShownCall::of(&call)).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    for clear in ["http://store/check?…", "application/json", "\"GET\"", "13"] {
        assert!(shown.contains(clear), "{shown}");
    }
}

#[test]
fn a_trace_is_bounded() {
    let mut trace = Trace::default();
    for number in 0..1000 {
        trace.note(Stage::Mutate, number, "noop", Event::Passed);
    }
    for _ in 0..1000 {
        trace.note(Stage::Authorize, 0, "allow", Event::NeededBody);
    }
    assert!(trace.turns.len() <= MAX_TURNS);
    let events = trace.turns.iter().map(|turn| turn.events.len());
    assert!(events.max().unwrap() <= MAX_EVENTS);
}
