//! An operator's template: nothing panics or takes long, and a rendering stays within its limits.

#![no_main]

use std::sync::{Arc, LazyLock};

use gatepost_policy::{
    Headers, Session,
    path::Url,
    session::MatchContext,
    template::{Data, Template},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

/// The limit of one rendering.
const MAX_TEXT: usize = 512 * 1024;

static EXTRA: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let extra = json!({
        "n": 10, "pi": 3.5, "yes": true, "nul": null, "str": "hello wörld", "list": ["x", null, 3],
        "m": {"a": 1, "d": {"e": ["f"]}}, "roles": ["admin", "user"], "json": "{\"a\":[1]}",
    });
    extra.as_object().cloned().unwrap_or_default()
});

fuzz_target!(|source: &str| {
    let Ok(template) = Template::parse(source) else {
        return;
    };
    let session = Session {
        subject: "al<i>ce".to_owned(),
        extra: Some(Arc::new(EXTRA.clone())),
        headers: vec![("x-set".into(), "set".to_owned())],
    };
    let captures = ["g0".to_owned(), String::new()];
    let url = Url {
        scheme: "https".to_owned(),
        host: "h.test:8443".to_owned(),
        path: "/a b/ü".to_owned(),
        query: Some("q=1&q=2&bad=%zz".to_owned()),
        ..Url::default()
    };
    let headers: Headers = [("x-foo", &b"one"[..]), ("x-raw", b"\xff")].into_iter().collect();
    let context = MatchContext {
        captures: &captures,
        url: &url,
        method: "GET",
        headers: &headers,
    };
    let data = Data {
        session: &session,
        context,
    };
    let rendered = template.render(&data);
    if let Ok(text) = &rendered {
        assert!(text.len() <= MAX_TEXT);
    }
    assert_eq!(template.render(&data), rendered, "a rendering depends on its data alone");
});
