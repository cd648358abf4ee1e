//! The corpus of policy cases, played through the built modules.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::ensure;
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script, SpecReply};
use host_tests::{self as wasm, Answer, CallOut, Host, Request};
use serde_json::{Value, json};

#[test]
fn the_module_decides_every_case_as_written() {
    play(Wasm::default());
}

#[test]
fn jwt_auth_decides_every_case_of_its_own_as_written() {
    play_in("../plugins/jwt-auth/cases", jwt_auth());
}

#[test]
fn jwt_auth_decides_the_same_without_the_hosts_signature_check() {
    let alone = Wasm {
        alone: true,
        ..jwt_auth()
    };
    play_in("../plugins/jwt-auth/cases", alone);
}

fn jwt_auth() -> Wasm {
    Wasm {
        package: "jwt-auth",
        ..Wasm::default()
    }
}

#[test]
fn without_the_hosts_signature_check_it_decides_the_same() {
    play(Wasm {
        alone: true,
        ..Wasm::default()
    });
}

fn play(door: Wasm) {
    play_in("../plugins/policy/cases", door);
}

fn play_in(folder: &str, mut door: Wasm) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    gatepost_cases::play(&folder, &mut door).unwrap_or_else(|failures| panic!("{failures}"));
}

/// Plays cases through the module.
struct Wasm {
    /// What the module is built of. `access-rules` takes a case's configuration and rules as
    /// Oathkeeper's, others its configuration as their own.
    package: &'static str,
    configuration: Value,
    clusters: BTreeMap<String, String>,
    /// The host that the last request left behind, with what the module remembers.
    running: Option<Host>,
    /// Without `verify_signature`.
    alone: bool,
    /// Whether the module has the authorizer `cel`: with `ACCESS_RULES_WASM` naming such a one.
    cel: bool,
}

impl Default for Wasm {
    fn default() -> Self {
        Self {
            package: "access-rules",
            configuration: Value::Null,
            clusters: BTreeMap::new(),
            running: None,
            alone: false,
            cel: std::env::var_os("ACCESS_RULES_HAS_CEL").is_some(),
        }
    }
}

impl Wasm {
    fn host(&self, at: u64) -> Result<Host, Vec<String>> {
        let mut host = Host::of(self.package).at(at);
        if self.alone {
            host = host.without_verify_signature();
        }
        for cluster in self.clusters.values() {
            host = host.cluster(cluster, |_| Answer::held());
        }
        host.configure(&self.configuration)?;
        Ok(host)
    }
}

impl Door for Wasm {
    fn signs_rsa(&self) -> bool {
        !self.alone
    }

    fn has_cel(&self) -> bool {
        self.cel
    }

    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        self.running = None;
        let origins = case.origins().into_iter();
        self.clusters = origins.map(|origin| (origin.clone(), origin)).collect();
        if self.package != "access-rules" {
            self.configuration = case.config.clone();
            self.configuration["clusters"] = json!(self.clusters);
            self.configuration["decision_metadata"] = json!(true);
            self.configuration["log_decisions"] = json!(true);
            return self.host(0).map(drop);
        }
        self.configuration = json!({
            "config": case.config,
            "rules": {"rules.json": case.rules},
            "clusters": self.clusters,
            "jwks": case.documents,
            "broken_rules": "refuse",
            "decision_metadata": true,
            "log_decisions": true,
        });
        let refused = self.host(0).map(drop);
        self.configuration["broken_rules"] = json!("quarantine");
        refused
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let mut host = match self.running.take() {
            Some(host) => host.at(at),
            None => self.host(at).map_err(|e| anyhow::anyhow!("{e:?}"))?,
        };
        let mut sent = Request::default();
        for (name, value) in request.fields()? {
            sent = sent.header(&name, value);
        }
        sent.body = request.body.clone().unwrap_or_default().into_bytes();
        let peer = request.client_address.as_ref();
        sent.peer = peer.map(|ip| match ip.contains(':') {
            true => format!("[{ip}]:1"),
            false => format!("{ip}:1"),
        });
        sent.properties = properties(request);
        let id = host.send(sent);
        for _ in 0..16 {
            for (token, call) in host.held_calls() {
                let reply =
                    script.answer(&method(&call), &url(&call), &call.headers, &call.body)?;
                host.reply(token, answer(&reply));
            }
            if host.outcome(id) != wasm::Outcome::Pending {
                break;
            }
            host.advance(Duration::from_millis(2));
        }
        let rule = host.property(id, "gatepost.rule");
        let line = host.log().last().and_then(|line| decision(line));
        let outcome = outcome(host.outcome(id), rule, &line.unwrap_or_default());
        self.running = Some(host);
        outcome
    }
}

/// The peer's certificate as Envoy tells it.
fn properties(request: &RequestSpec) -> Vec<(&'static str, String)> {
    let Some(certificate) = request.peer_certificate.clone() else {
        return Vec::new();
    };
    [
        (
            "connection.sha256_peer_certificate_digest",
            certificate.sha256,
        ),
        ("connection.subject_peer_certificate", certificate.subject),
        ("connection.uri_san_peer_certificate", certificate.uri),
        ("connection.dns_san_peer_certificate", certificate.dns),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn outcome(outcome: wasm::Outcome, rule: Option<String>, line: &Value) -> anyhow::Result<Outcome> {
    let status = outcome.status().unwrap_or_default();
    let (headers, body) = match outcome {
        wasm::Outcome::Upstream(headers) => (headers, Vec::new()),
        wasm::Outcome::Answered(response) => (response.headers, response.body),
        other => anyhow::bail!("{other:?}"),
    };
    ensure!(status > 0, "no status");
    Ok(Outcome {
        status,
        rule,
        stage: text(line, "stage"),
        reason: text(line, "reason"),
        headers,
        body,
    })
}

/// A line of the decision log.
fn decision(line: &str) -> Option<Value> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["log"] == "gatepost.decision").then_some(line)
}

fn text(line: &Value, key: &str) -> Option<String> {
    Some(line[key].as_str()?.to_owned())
}

fn method(call: &CallOut) -> String {
    call.header(":method").unwrap_or_default()
}

/// The clusters are named after their origins.
fn url(call: &CallOut) -> String {
    format!("{}{}", call.cluster, call.path())
}

fn answer(reply: &SpecReply) -> Answer {
    if reply.fails {
        return Answer::failure();
    }
    let answer = Answer::status(reply.status, reply.body());
    reply.headers.iter().fold(answer, |answer, (name, value)| {
        answer.header(name, value.as_str())
    })
}
