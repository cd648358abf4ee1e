//! The corpus of policy cases, decided by the engine as it stands in the page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context as _;
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script};
use serde_json::{Value, json};
use xtask::{
    build,
    setup::debian::{self, NODE},
    workspace::Workspace,
};

#[test]
fn the_page_decides_every_case_as_written() {
    let workspace = Workspace::locate().unwrap();
    debian::require(&NODE).unwrap();
    build::playground::page(&workspace).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut engine = Engine::start(folder, &workspace.playground().join("engine"));
    let cases = folder.join("../policy/cases");
    gatepost_cases::play(&cases, &mut engine).unwrap_or_else(|failures| panic!("{failures}"));
}

/// The engine, inside node. Killed when dropped.
struct Engine {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Engine {
    fn start(folder: &Path, engine: &Path) -> Self {
        let mut child = Command::new("node")
            .arg(folder.join("tests/engine.mjs"))
            .arg(engine)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            to: child.stdin.take().unwrap(),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, method: &str, value: &Value) -> anyhow::Result<Value> {
        writeln!(self.to, "{}", json!({"method": method, "value": value}))?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        serde_json::from_str(&line).context("the engine says nothing more: it trapped")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Door for Engine {
    fn signs_rsa(&self) -> bool {
        false
    }

    fn has_cel(&self) -> bool {
        false
    }

    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let sources = json!({
            "config": {"name": "", "text": case.config.to_string()},
            "rules": [{"name": "rules.json", "text": case.rules.to_string()}],
            "documents": case.documents,
        });
        let loaded = self.ask("load", &sources).unwrap();
        let errors = loaded["errors"].as_array().unwrap().iter();
        let errors: Vec<_> = errors.map(|error| text(&error["text"]).unwrap()).collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let certificate = request.peer_certificate.clone().map(
            |it| json!({"sha256": it.sha256, "subject": it.subject, "uri": it.uri, "dns": it.dns}),
        );
        let mut step = self.ask(
            "decide",
            &json!({
                "method": request.method,
                "url": request.url,
                "headers": request.headers,
                "body": request.body.clone().unwrap_or_default(),
                "client_address": request.client_address,
                "peer_certificate": certificate,
                "at": at,
            }),
        )?;
        while step["step"] == "call" {
            let call = &step["call"];
            make_in_background(&step["background"], Some(call), script)?;
            let reply = script.answer(
                &text(&call["method"])?,
                &text(&call["url"])?,
                &fields(&call["headers"]),
                text(&call["body"])?.as_bytes(),
            )?;
            let answer = json!({
                "fails": reply.fails,
                "status": reply.status,
                "headers": reply.headers.iter().collect::<Vec<_>>(),
                "body": String::from_utf8_lossy(&reply.body()),
            });
            step = self.ask("reply", &answer)?;
        }
        make_in_background(&step["background"], None, script)?;
        let seen = &step["seen"];
        let status = seen["status"].as_u64().with_context(|| step.to_string())?;
        Ok(Outcome {
            status: status.try_into()?,
            rule: text(&seen["rule"]).ok(),
            stage: text(&seen["stage"]).ok(),
            reason: text(&seen["reason"]).ok(),
            headers: fields(&seen["headers"]),
            body: text(&seen["body"])?.into_bytes(),
        })
    }
}

/// Makes the fetches that the page tells of and nobody waits for, up to the one that somebody waits for: a case
/// expects them all, in order.
fn make_in_background(
    fetches: &Value,
    waited_for: Option<&Value>,
    script: &mut Script<'_>,
) -> anyhow::Result<()> {
    let expects = |call: &Value, script: &Script<'_>| -> anyhow::Result<bool> {
        Ok(script.left() > 0 && script.expects(&text(&call["method"])?, &text(&call["url"])?))
    };
    let mut left: Vec<_> = fetches.as_array().into_iter().flatten().collect();
    loop {
        if let Some(call) = waited_for
            && expects(call, script)?
        {
            return Ok(());
        }
        let mut next = None;
        for (at, fetch) in left.iter().enumerate() {
            if expects(fetch, script)? {
                next = Some(at);
            }
        }
        let Some(next) = next else { return Ok(()) };
        let fetch = left.remove(next);
        let (method, url) = (text(&fetch["method"])?, text(&fetch["url"])?);
        script.answer(&method, &url, &fields(&fetch["headers"]), b"")?;
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("a text")?.to_owned())
}

fn fields(value: &Value) -> Vec<(String, Vec<u8>)> {
    let fields = value.as_array().into_iter().flatten();
    fields
        .map(|field| {
            let part = |at: usize| field[at].as_str().unwrap().to_owned();
            (part(0), part(1).into_bytes())
        })
        .collect()
}
