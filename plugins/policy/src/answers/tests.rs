use super::*;

fn call(path: &str, headers: &[(&str, &str)], body: &str) -> Call {
    Call {
        origin: "https://id.example.test".into(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
        timeout: Duration::from_secs(1),
    }
}

fn answer(body: &str) -> Response {
    Response {
        status: 200,
        body: body.as_bytes().to_vec(),
        ..Response::default()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn an_answer_is_found_by_the_whole_call_alone() {
    let asked = call("/a", &[("authorization", "Bearer x")], "token=1");
    let mut answers = Answers::default();
    let now = UnixTime::from_secs(100);
    answers.keep(Question::of(&asked), answer("yes"), MINUTE, now);
    for other in [
        call("/b", &[("authorization", "Bearer x")], "token=1"),
        call("/a", &[("authorization", "Bearer y")], "token=1"),
        call("/a", &[("authorization", "Bearer x")], "token=2"),
        call("/a", &[], "token=1"),
        // The same bytes, cut elsewhere.
        call("/a", &[("authorizationB", "earer x")], "token=1"),
        Call {
            method: "GET".to_owned(),
            ..asked.clone()
        },
        Call {
            origin: "https://other.example.test".into(),
            ..asked.clone()
        },
    ] {
        assert_eq!(answers.get(&Question::of(&other), MINUTE, now), None);
    }
    let found = answers.get(&Question::of(&asked), MINUTE, now);
    assert_eq!(found, Some(answer("yes")));
}

#[test]
fn an_answer_is_never_older_than_it_may_be() {
    let question = Question::of(&call("/a", &[], ""));
    let mut answers = Answers::default();
    answers.keep(question, answer("yes"), MINUTE, UnixTime::from_secs(100));
    let mut known = |max_age, at| {
        answers
            .get(
                &question,
                Duration::from_secs(max_age),
                UnixTime::from_secs(at),
            )
            .is_some()
    };
    assert!(known(3600, 159));
    assert!(!known(3600, 160), "its own expiry counts");
    assert!(known(10, 109));
    assert!(!known(10, 110), "and so does the patience of who asks");
    assert!(
        !known(3600, 99),
        "a clock that was set back makes it doubtful"
    );
}

#[test]
fn a_flood_of_questions_does_not_fill_the_memory() {
    let mut answers = Answers::default();
    let now = UnixTime::from_secs(100);
    for number in 0..20_000 {
        let question = Question::of(&call(&format!("/{number}"), &[], ""));
        answers.keep(question, answer(&"x".repeat(1000)), MINUTE, now);
        let entries = answers.young.entries.len() + answers.old.entries.len();
        assert!(entries <= MAX_ANSWERS);
        assert!(answers.young.bytes + answers.old.bytes <= MAX_BYTES);
    }
    answers.keep(
        Question::of(&call("/large", &[], "")),
        answer(&"x".repeat(MAX_ANSWER)),
        MINUTE,
        now,
    );
    let large = Question::of(&call("/large", &[], ""));
    assert_eq!(answers.get(&large, MINUTE, now), None);
}
