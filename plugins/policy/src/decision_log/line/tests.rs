use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::{Decision, Denial, Headers, Request, Response, Sources, compile, decision::Stage};

use super::*;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";

#[test]
fn a_line_tells_everything_and_no_client_can_break_it() {
    let fields = [
        (":method", "GET"),
        (":authority", "h"),
        (":path", "/a//b/%C2%9B1m?access_token=hunter2"),
        ("x-request-id", "id\u{1b}[31m\"\n{\"log\":1}"),
        ("authorization", "Bearer hunter2"),
    ];
    let request = Request {
        headers: fields.into_iter().collect::<Headers>(),
        ..Request::default()
    };
    let denied = Verdict::Deny {
        reason: Denial::Unauthorized(format!("{TOKEN} is {}", "long ".repeat(1000))),
        response: Response {
            status: 401,
            ..Response::default()
        },
    };
    let decision = Decision {
        rule: Some("api".into()),
        stage: Stage::Authenticate,
        subject: Some("ada\r\n".to_owned()),
        verdict: denied.clone(),
        shadow: Some(Box::new(denied)),
        trace: None,
    };
    let began = UnixTime::from_secs(7);
    let config = serde_json::json!({});
    let sources = Sources {
        config: &config,
        rules: &[],
        documents: &BTreeMap::new(),
    };
    let policy = compile(&sources).unwrap();
    let observed = Observed {
        policy: &policy,
        decision: &decision,
        request: &request,
        began,
        decided: began,
    };
    let ended = began.after(Duration::from_micros(1500));
    let text = Line::of(&observed, ended, Some("sha256:00")).text();
    assert!(!text.contains(char::is_control), "{text}");
    assert!(!text.contains("hunter2") && !text.contains(TOKEN), "{text}");
    assert!(text.len() < 4 * MAX_TEXT, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in [
        ("rule", "api"),
        ("stage", "authenticate"),
        ("verdict", "deny"),
        ("reason", "unauthorized"),
        ("method", "GET"),
        ("digest", "sha256:00"),
        ("path", "/a/b/\u{fffd}1m"),
        ("subject", "ada\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(line[key], value, "{text}");
    }
    assert_eq!(
        (&line["status"], &line["latency_us"]),
        (&401.into(), &1500.into())
    );
    assert_eq!(line["shadow"]["verdict"], "deny");
}
