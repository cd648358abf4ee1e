#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use serde_json::json;

use super::*;
use crate::{Denial, Engine, FailedCall, Request, Step, Verdict};

const URL: &str = "https://rules.test/rules.json";

fn config() -> Value {
    json!({
        "access_rules": {"repositories": [URL, "file:///etc/rules.json"]},
        "authenticators": {"noop": {"enabled": true}},
        "authorizers": {"allow": {"enabled": true}, "deny": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}},
        "gatepost": {"poll_interval": "10s"},
    })
}

fn rule(path: &str) -> Value {
    json!({
        "id": path,
        "match": {"url": format!("http://app.test{path}"), "methods": ["GET"]},
        "authenticators": [{"handler": "noop"}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
    })
}

fn rule_set() -> RuleSet {
    let files = vec![("file:///etc/rules.json".to_owned(), json!([rule("/local")]))];
    RuleSet::new(config(), files, BTreeMap::new()).unwrap()
}

fn answer(body: &str, etag: Option<&str>) -> Reply {
    Ok(Response {
        status: 200,
        headers: etag
            .iter()
            .map(|etag| ("ETag".to_owned(), etag.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
    })
}

fn status(status: u16) -> Reply {
    Ok(Response {
        status,
        ..Response::default()
    })
}

const fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

fn yes(_: &mut Policy) -> Result<(), Vec<String>> {
    Ok(())
}

/// The poll that is due, and nothing else.
fn poll(set: &mut RuleSet, now: UnixTime) -> (RepositoryId, Call) {
    let mut due = set.due(now);
    assert_eq!(due.len(), 1, "{due:?}");
    due.pop().unwrap()
}

fn decide(engine: &mut Engine, path: &str) -> Result<(), Denial> {
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "app.test"),
        (":path", path),
    ];
    let request = Request {
        headers: fields.into_iter().collect(),
        ..Request::default()
    };
    match engine.decide(&request, at(0)) {
        Step::Done(decision) => match decision.verdict {
            Verdict::Allow(_) => Ok(()),
            Verdict::Deny { reason, .. } => Err(reason),
        },
        other => panic!("{other:?}"),
    }
}

fn taken(polled: Polled) -> Policy {
    match polled {
        Polled::Taken(policy) => *policy,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_allowed_until_every_repository_was_read() {
    let mut set = rule_set();
    let mut engine = Engine::new(set.compile().unwrap(), [0; 32]);
    assert_eq!(
        decide(&mut engine, "/local"),
        Err(Denial::NotReady(URL.into()))
    );
    let (id, call) = poll(&mut set, at(0));
    assert_eq!(
        (&*call.origin, &*call.path),
        ("https://rules.test", "/rules.json")
    );
    let content = json!([rule("/remote")]).to_string();
    let policy = taken(set.fetched(id, answer(&content, None), at(0), yes));
    engine.reload(policy);
    assert_eq!(decide(&mut engine, "/local"), Ok(()));
    assert_eq!(decide(&mut engine, "/remote"), Ok(()));
}

#[test]
fn the_origin_of_a_repository_needs_a_cluster_too() {
    let policy = rule_set().compile().unwrap();
    let origins: Vec<_> = policy.origins().map(|(origin, _)| origin).collect();
    assert_eq!(origins, ["https://rules.test"]);
}

#[test]
fn it_is_asked_for_changes_only() {
    let mut set = rule_set();
    let (id, first) = poll(&mut set, at(0));
    assert!(
        first
            .headers
            .iter()
            .all(|(name, _)| name != "if-none-match")
    );
    assert!(set.due(at(0)).is_empty(), "one poll at a time");
    let content = json!([rule("/remote")]).to_string();
    taken(set.fetched(id, answer(&content, Some("\"1\"")), at(0), yes));
    assert!(set.due(at(9)).is_empty());
    let (id, second) = poll(&mut set, at(10));
    let condition = ("if-none-match".to_owned(), b"\"1\"".to_vec());
    assert!(second.headers.contains(&condition), "{second:?}");
    let unchanged = set.fetched(id, status(304), at(10), yes);
    assert!(matches!(unchanged, Polled::Unchanged));
    let (id, _) = poll(&mut set, at(20));
    let same = set.fetched(id, answer(&content, None), at(20), yes);
    assert!(matches!(same, Polled::Unchanged), "a server without ETag");
}

#[test]
fn l04_what_cannot_be_used_leaves_the_former_rules_in_force() {
    let mut set = rule_set();
    let (id, _) = poll(&mut set, at(0));
    let content = json!([rule("/remote")]).to_string();
    taken(set.fetched(id, answer(&content, None), at(0), yes));
    let mut now = 10;
    for (reply, problem) in [
        (Err(FailedCall::TimedOut), "in time"),
        (status(500), "500"),
        (status(404), "404"),
        (answer("[{\"id\": ", None), "JSON"),
        (answer("{\"id\": \"one\"}", None), "list"),
    ] {
        let (id, _) = poll(&mut set, at(now));
        match set.fetched(id, reply, at(now), yes) {
            Polled::Refused(problems) => {
                let told = problems.join("\n");
                assert!(told.contains(problem) && told.contains(URL), "{told}");
            }
            other => panic!("{other:?}"),
        }
        let mut engine = Engine::new(set.compile().unwrap(), [0; 32]);
        assert_eq!(decide(&mut engine, "/remote"), Ok(()));
        now += 30;
    }
    let (id, _) = poll(&mut set, at(now));
    let refused = set.fetched(id, answer("[]", None), at(now), |_| {
        Err(vec!["no cluster".to_owned()])
    });
    assert!(matches!(refused, Polled::Refused(_)));
    let mut engine = Engine::new(set.compile().unwrap(), [0; 32]);
    assert_eq!(decide(&mut engine, "/remote"), Ok(()));
}

#[test]
fn a_broken_rule_from_a_repository_spoils_no_other() {
    let mut set = rule_set();
    let (id, _) = poll(&mut set, at(0));
    let content = json!([{"id": "broken"}, rule("/remote")]).to_string();
    let policy = taken(set.fetched(id, answer(&content, None), at(0), yes));
    assert_eq!(policy.faults().len(), 4, "{:?}", policy.faults());
    let mut engine = Engine::new(policy, [0; 32]);
    assert_eq!(decide(&mut engine, "/remote"), Ok(()));
}

#[test]
fn failures_are_retried_sooner_and_then_more_and_more_rarely() {
    let mut set = rule_set();
    let mut now = at(0);
    let (mut id, _) = poll(&mut set, now);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        set.fetched(id, Err(FailedCall::Unreachable), now, yes);
        let mut pause = 0;
        id = loop {
            let due = set.due(now.after(Duration::from_secs(pause)));
            if let Some((id, _)) = due.first() {
                break *id;
            }
            pause += 1;
        };
        pauses.push(pause);
        now = now.after(Duration::from_secs(pause));
    }
    assert_eq!(
        pauses,
        [1, 2, 4, 8, 10, 10],
        "never longer than the interval"
    );
}

#[test]
fn l05_inline_rules_are_rules() {
    let encoded = STANDARD.encode(json!([rule("/inline")]).to_string());
    let mut config = config();
    config["access_rules"]["repositories"] = json!(format!("inline://{encoded}"));
    let set = RuleSet::new(config, Vec::<(String, Value)>::new(), BTreeMap::new()).unwrap();
    let mut engine = Engine::new(set.compile().unwrap(), [0; 32]);
    assert_eq!(decide(&mut engine, "/inline"), Ok(()));
}

#[test]
fn what_cannot_be_fetched_is_named_with_its_remedy() {
    let mut config = config();
    config["access_rules"]["repositories"] = json!([
        "s3://bucket/rules.json",
        "ftp://h/x",
        "inline://%%",
        "http://u:p@h/",
        7
    ]);
    let errors = RuleSet::new(config, Vec::<(String, Value)>::new(), BTreeMap::new()).unwrap_err();
    let told: Vec<_> = errors.0.iter().map(ToString::to_string).collect();
    for (index, part) in ["rules bundle", "`ftp`", "base64", "password", "URL"]
        .iter()
        .enumerate()
    {
        let place = format!("access_rules.repositories[{index}]");
        assert!(
            told.iter()
                .any(|line| line.contains(part) && line.contains(&place)),
            "{part}: {told:?}"
        );
    }
}
