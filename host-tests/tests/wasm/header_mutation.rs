//! The module `header-mutation`: the cases of the corpus, and what a case cannot say.

use std::path::Path;

use anyhow::{Context as _, bail};
use gatepost_cases::{Case, Door, Outcome, RequestSpec, ResponseSpec, Script};
use host_tests::{self as wasm, Fields, Host, Request};
use serde_json::{Value, json};

#[test]
fn every_case_ends_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/policy/cases");
    gatepost_cases::play(&folder, &mut Wasm::default())
        .unwrap_or_else(|failures| panic!("{failures}"));
}

/// Plays cases through the module. One VM plays a whole case: it must bear that.
#[derive(Default)]
struct Wasm {
    host: Option<Host>,
    response: Fields,
}

impl Wasm {
    fn exchange(
        &mut self,
        mut request: Request,
        script: &Script<'_>,
    ) -> anyhow::Result<wasm::Outcome> {
        let exchange = script.exchange;
        for (name, value) in &exchange.attributes {
            request = request.attribute(name, gatepost_cases::attribute(value));
        }
        if !exchange.metadata.is_empty() {
            request = request.attribute("metadata", gatepost_cases::metadata(&exchange.metadata));
        }
        if let Some(response) = &exchange.response {
            request.response.status = response.status;
            request.is_answered_early = response.early;
            for (name, value) in &response.headers {
                request = request.answered(response.status, name, value.as_str());
            }
        }
        let host = self.host.as_mut().context("nothing is loaded")?;
        let id = host.send(request);
        self.response = host.response(id);
        Ok(host.outcome(id))
    }
}

impl Door for Wasm {
    fn module(&self) -> &str {
        "header-mutation"
    }

    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let mut host = self
            .host
            .take()
            .unwrap_or_else(|| Host::of("header-mutation"));
        let configured = host.configure(&case.header_mutation.clone().unwrap_or_default());
        self.host = Some(host);
        configured
    }

    fn send(
        &mut self,
        _: u64,
        spec: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let fields = spec.fields()?.into_iter();
        let request = fields.fold(Request::default(), |request, (name, value)| {
            request.header(&name, value)
        });
        let outcome = self.exchange(request, script)?;
        let status = outcome.status().context("no status")?;
        let (headers, body) = match outcome {
            wasm::Outcome::Upstream(headers) => (headers, Vec::new()),
            wasm::Outcome::Answered(response) => (Vec::new(), response.body),
            other => bail!("{other:?}"),
        };
        Ok(Outcome {
            status,
            rule: None,
            stage: None,
            reason: None,
            headers,
            body,
        })
    }

    fn respond(&mut self, response: &ResponseSpec, script: &Script<'_>) -> anyhow::Result<Fields> {
        if response.early {
            let outcome = self.exchange(Request::get("/"), script)?;
            anyhow::ensure!(outcome.status() == Some(response.status), "{outcome:?}");
        }
        Ok(std::mem::take(&mut self.response))
    }
}

fn host(configuration: &Value) -> Host {
    let mut host = Host::of("header-mutation");
    host.configure(configuration).unwrap();
    host
}

/// Everything that a template can draw from.
fn full() -> Host {
    host(&json!({
        "claims_from": {"metadata": {"key": "claims"}},
        "request": [
            {"set": "x-user", "value": "{{ .Claims.sub }}"},
            {"set": "x-copy", "value": "{{ .Request.Header.Get \"x-in\" }}", "on_error": "skip"},
            {"rename": "x-old", "to": "x-new"},
            {"remove": "x-internal-*"},
        ],
        "response": [
            {"set": "x-copy", "value": "{{ .Request.Header.Get \"x-in\" }}{{ .Response.Header.Get \"x-up\" }}"},
            {"remove": "server"},
        ],
    }))
}

#[test]
fn bytes_that_are_no_text_harm_nothing() {
    let mut host = full();
    for value in [
        &b"\xff\xfe"[..],
        b"\xc3\x28",
        b"\x80",
        b"\xf0\x90",
        b"\x01\x7f",
    ] {
        for name in ["x-in", "x-old", "x-user", "x-internal-a", "cookie", ":path"] {
            let request = Request::get("/").without(name).header(name, value);
            let request = request
                .answered(200, "x-up", value)
                .answered(200, "server", value);
            let id = host.send(request);
            let outcome = host.outcome(id);
            let status = outcome.status();
            assert!(
                matches!(status, Some(200 | 500)),
                "{name} {value:?}: {outcome:?}"
            );
            assert_eq!(outcome.header("x-user"), None);
        }
    }
    let outcome = host.request(Request::get("/").header("x-old", "7"));
    assert_eq!(outcome.header("x-new").as_deref(), Some("7"));
}

#[test]
fn metadata_that_is_none_refuses_and_harms_nothing() {
    let mut host = full();
    for bytes in [
        &b"\x0a\xff\xff\xff\xff\x0f"[..],
        b"\x0a\x02\x0a",
        b"\xff",
        &[0x0a; 100_000],
    ] {
        let request = Request::get("/").attribute("metadata", bytes);
        assert_eq!(
            host.request(request).status(),
            Some(500),
            "{:?}",
            &bytes[..1]
        );
    }
    assert_eq!(host.request(Request::get("/")).status(), Some(200));
    assert_eq!(host.metric("gatepost.header_mutation.refused"), Some(4));
}

#[test]
fn reserved_headers_come_in_no_trailer() {
    let mut host = full();
    let outcome = host.request(
        Request::new("POST", "/")
            .body("b")
            .trailer("x-user", "root")
            .trailer("x_user", "root")
            .trailer("x-other", "stays"),
    );
    let wasm::Outcome::Upstream(fields) = &outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        fields.iter().all(|(name, _)| !name.ends_with("user")),
        "{fields:?}"
    );
    assert_eq!(outcome.header("x-other").as_deref(), Some("stays"));
}

#[test]
fn its_own_refusals_get_the_headers_of_responses_too() {
    let mut host = host(&json!({
        "request": [{"set": "x-a", "value": "{{ fail \"never\" }}"}],
        "response": [{"set": "x-content-type-options", "value": "nosniff"}],
    }));
    let id = host.send(Request::get("/"));
    assert_eq!(host.outcome(id).status(), Some(500));
    let response = host.response(id);
    let set = ("x-content-type-options".to_owned(), b"nosniff".to_vec());
    assert!(response.contains(&set), "{response:?}");
}

#[test]
fn a_log_line_stays_one_line() {
    let template = "{{ fail (.Request.Header.Get \"x-in\") }}";
    let mut host = host(&json!({
        "request": [{"set": "x-a", "value": template, "on_error": "skip"}],
    }));
    let request = Request::get("/").header("x-in", "a\u{85}b\r\nforged".repeat(1000));
    assert_eq!(host.request(request).status(), Some(200));
    let line = (*host.log().last().unwrap()).to_owned();
    assert!(line.starts_with("left out: `request[0]`: "), "{line}");
    assert!(
        line.len() < 2000 && !line.chars().any(char::is_control),
        "{line}"
    );
    assert_eq!(host.metric("gatepost.header_mutation.skipped"), Some(1));
}

#[test]
fn without_a_configuration_nothing_passes() {
    let mut host = Host::of("header-mutation");
    assert_eq!(host.request(Request::get("/")).status(), Some(503));
    let errors = host.configure_bytes("").unwrap_err();
    assert!(errors[0].contains("docs/header-mutation.md"), "{errors:?}");
    let errors = host.configure_bytes("{").unwrap_err();
    assert!(errors[0].contains("cannot be read"), "{errors:?}");
    let errors = host
        .configure(&json!({"metrics": 1, "request": [{}]}))
        .unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn a_refused_configuration_leaves_the_former_in_force() {
    let mut host = host(&json!({"request": [{"set": "x-a", "value": "1"}]}));
    host.configure(&json!({"request": [{"set": ":path", "value": "/"}]}))
        .unwrap_err();
    let outcome = host.request(Request::get("/"));
    assert_eq!(outcome.header("x-a").as_deref(), Some("1"));
}
