//! What is expected here was measured with Go 1.26's `text/template`, sprig 3.2.3 and Oathkeeper's
//! `print` and `printIndex`.

mod actions;
mod formats;
mod functions;
mod hostile;
mod limits;
mod oracle;
mod refusals;
mod values;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Data, RenderError, Template};
use crate::{
    headers::Headers,
    path::Url,
    session::{MatchContext, Session},
};

#[expect(
    clippy::approx_constant,
    reason = "a claim that happens to look like pi"
)]
fn extra() -> Value {
    json!({
        "n": 10, "pi": 3.14159, "yes": true, "no": false, "nul": null, "str": "hello wörld", "empty": "",
        "list": ["x", "y", null, 3], "nums": [1, 2, 3], "el": [], "em": {}, "roles": ["admin", "user"],
        "m": {"b": 2, "a": 1, "c": null, "d": {"e": ["f"]}},
        "objs": [{"name": "a", "ok": true}, {"name": "b", "ok": false}],
        "https://x/role": "r", "html": "<a href='x'>&\"\\=\n", "json": r#"{"a":[1,{"b":null}]}"#,
        "ts": 1_700_000_000, "mil": 1_000_000, "k": 999_999, "big": 1_234_567, "s4": 0.0001, "s5": 0.00001,
    })
}

fn session(extra: Value) -> Session {
    let Value::Object(extra) = extra else {
        panic!("extra is an object");
    };
    Session {
        subject: "al<i>ce".into(),
        extra: Some(Arc::new(extra)),
        headers: vec![("x-set".into(), "set".into())],
        ..Session::default()
    }
}

fn render_with(session: &Session, source: &str) -> Result<String, RenderError> {
    let captures = ["g0".to_owned(), String::new(), "g2".to_owned()];
    let url = Url {
        scheme: "https".into(),
        host: "h.test:8443".into(),
        path: "/a b/ü".into(),
        query: Some("q=1&q=2&x=%2F+y&bad=%zz".into()),
        ..Url::default()
    };
    let headers: Headers = [
        (":path", &b"/"[..]),
        ("host", b"h"),
        ("x-foo", b"one"),
        ("accept", b"*/*"),
        ("X-FOO", b"two"),
        ("x-raw", b"\xff\xfe"),
    ]
    .into_iter()
    .collect();
    let context = MatchContext {
        captures: &captures,
        url: &url,
        method: "GET",
        headers: &headers,
    };
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    template.render(&Data { session, context })
}

fn render(source: &str) -> Result<String, RenderError> {
    render_with(&session(extra()), source)
}

/// Renders each template and compares.
fn expect(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(render(source).as_deref(), Ok(*expected), "{source}");
    }
}

/// Each template parses, and ends in an error that says so much.
fn fails(cases: &[(&str, &str)]) {
    for (source, says) in cases {
        let error = render(source).expect_err(source).to_string();
        assert!(error.contains(says), "{source}: {error}");
    }
}
