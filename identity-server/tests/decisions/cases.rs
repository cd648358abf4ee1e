//! The corpus of policy cases, asked of the endpoint over HTTP, with every call that it makes answered
//! over HTTP.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use gatepost::{
    clock::ManualClock,
    decisions::{Endpoint, Parts, Settings, routes},
    entropy::SeededEntropy,
    keys::install_crypto,
    rules::Caller,
    serve::connections,
};
use gatepost_cases::{Case, CertificateSpec, Door, Outcome, RequestSpec, Script, play_case};
use gatepost_policy::RuleSet;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

use crate::{
    client::{self, Answer},
    scripted::{self, Called, ToScript},
};

/// How the proxy says what is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In `X-Forwarded-*`, as nginx, Caddy and Traefik do.
    Forwarded,
    /// By the method and path of its own request, as Envoy does.
    Own,
}

/// What becomes of a case that HTTP itself does not let through as it is written.
type Different = (&'static str, &'static str, &'static str);

const TWO_VALUES: &str = "the client's header stands beside the proxy's own, and of two values none counts: 400. A \
                          proxy replaces what the client wrote";
const NO_PATH: &str =
    "an empty `X-Forwarded-Uri` is none, and nothing behind `/decisions` is `/` (M10)";
const ALL_HEADERS: &str =
    "the session shows the headers of the question, among them those of the proxy";
const FRAGMENT: &str = "the HTTP library cuts the fragment off before we see it, and what stands before it is judged. \
                        Envoy, which asks in this way, refuses fragments itself";

const FORWARDED: &[Different] = &[
    (
        "matching/forwarded.yaml",
        "M21 a scheme that the client claims",
        TWO_VALUES,
    ),
    (
        "matching/forwarded.yaml",
        "M22 the connection's scheme counts",
        TWO_VALUES,
    ),
    (
        "matching/forwarded.yaml",
        "M23, T11 those that the client claims for another",
        TWO_VALUES,
    ),
    (
        "matching/no_shortcuts.yaml",
        "T13 a tunnel has no path",
        NO_PATH,
    ),
    (
        "mutate/hydrator.yaml",
        "U07 the session is shown as Oathkeeper writes it",
        ALL_HEADERS,
    ),
];

const OWN: &[Different] = &[
    (
        "matching/forwarded.yaml",
        "M21 a scheme that the client claims",
        TWO_VALUES,
    ),
    (
        "matching/forwarded.yaml",
        "M22 the connection's scheme counts",
        TWO_VALUES,
    ),
    (
        "matching/forwarded.yaml",
        "M23, T11 those that the client claims for another",
        TWO_VALUES,
    ),
    ("matching/hostile_urls.yaml", "T4 a fragment", FRAGMENT),
    (
        "matching/hostile_urls.yaml",
        "T4 a fragment in the query",
        FRAGMENT,
    ),
    ("matching/urls.yaml", "T4 a fragment", FRAGMENT),
    (
        "matching/no_shortcuts.yaml",
        "T13 a tunnel has no path",
        NO_PATH,
    ),
    (
        "mutate/hydrator.yaml",
        "U07 the session is shown as Oathkeeper writes it",
        ALL_HEADERS,
    ),
];

#[test]
fn every_case_in_forwarded_headers_is_decided_as_written() {
    play(Style::Forwarded, FORWARDED);
}

#[test]
fn every_case_by_its_own_method_and_path_is_decided_as_written() {
    play(Style::Own, OWN);
}

/// Plays the corpus. Each case in `different` has to end differently from what it says, all others as
/// they say.
fn play(style: Style, different: &[Different]) {
    install_crypto();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/policy/cases");
    let mut door = Http::new(style);
    let mut failures = Vec::new();
    let (mut played, mut differed) = (0, 0);
    let mut cases = Case::read_all(&folder).unwrap();
    // Other modules are about other things than who may call what.
    cases.retain(|case| case.module() == "access-rules" && case.cel != Some(false));
    let written: usize = cases.iter().map(|case| case.requests.len().max(1)).sum();
    for case in cases {
        for (name, result) in play_case(&case, &mut door) {
            played += 1;
            let listed = different
                .iter()
                .find(|(file, wanted, _)| case.file.ends_with(file) && name == *wanted);
            match (result, listed) {
                (Ok(()), None) => {}
                (Err(_), Some(_)) => differed += 1,
                (Err(error), None) => failures.push(format!("{}: {name}: {error:#}", case.file)),
                (Ok(()), Some((_, _, why))) => failures.push(format!(
                    "{}: {name}: ends as written, though listed as different: {why}",
                    case.file
                )),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {played}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(differed, different.len(), "some entry names no case");
    assert_eq!(played, written, "some case was not played");
}

/// What happens while a request is under way.
enum Event {
    Called(Called),
    Answered(anyhow::Result<Answer>),
}

impl From<Called> for Event {
    fn from(called: Called) -> Self {
        Self::Called(called)
    }
}

struct Http {
    style: Style,
    runtime: Runtime,
    events: (Sender<Event>, Receiver<Event>),
    port: u16,
    caller: Caller,
    started: u32,
    running: Option<Running>,
}

struct Running {
    address: SocketAddr,
    clock: Arc<ManualClock>,
    lines: Arc<Mutex<Vec<String>>>,
    _stop: watch::Sender<bool>,
}

impl Http {
    fn new(style: Style) -> Self {
        let events = mpsc::channel();
        Self {
            style,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            port: scripted::listen(events.0.clone()),
            events,
            caller: Caller::new().unwrap(),
            started: 0,
            running: None,
        }
    }

    fn start(&self, rules: &RuleSet, settings: Settings) -> Running {
        let clock = Arc::new(ManualClock::at(OffsetDateTime::UNIX_EPOCH));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let parts = Parts {
            settings,
            outward: Arc::new(ToScript {
                caller: self.caller.clone(),
                port: self.port,
                by: self.started,
            }),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SeededEntropy::new(7)),
            scribe: Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())),
            desks: 1,
        };
        let endpoint = Endpoint::new(parts, rules).unwrap();
        let (tell, stop) = watch::channel(false);
        let listener = self
            .runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        self.runtime
            .spawn(connections::answer(listener, routes(endpoint), stop));
        Running {
            address,
            clock,
            lines,
            _stop: tell,
        }
    }

    /// Waits for the answer, and meanwhile answers calls from the script. Key sets are fetched all at once:
    /// a call that comes too early waits for its turn, for as long as others may still come.
    fn converse(&self, script: &mut Script<'_>) -> anyhow::Result<Answer> {
        let mut early: Vec<Called> = Vec::new();
        let mut problem = None;
        let mut answered = None;
        loop {
            // Other fetches may go on after the answer.
            if answered.is_some() && (script.left() == 0 || problem.is_some()) {
                break;
            }
            let waits_on = early.is_empty() && answered.is_none();
            let patience = if waits_on { 30_000 } else { 2_000 };
            match self.events.1.recv_timeout(Duration::from_millis(patience)) {
                Ok(Event::Answered(answer)) => answered = Some(answer),
                // One that was fetched for a former case.
                Ok(Event::Called(called)) if called.by != self.started => {}
                Ok(Event::Called(called)) => early.push(called),
                Err(_) if early.is_empty() && answered.is_some() => break,
                Err(_) if early.is_empty() => bail!("nothing happens"),
                // Nobody else comes: the script says what is wrong with it.
                Err(_) => reply(&early.remove(0), script, &mut problem),
            }
            while let Some(next) = early
                .iter()
                .position(|it| script.expects(&it.method, &it.url))
            {
                reply(&early.remove(next), script, &mut problem);
            }
        }
        let answer = answered.unwrap_or_else(|| Err(anyhow::anyhow!("no answer came")));
        problem.map_or(answer, Err)
    }
}

fn reply(called: &Called, script: &mut Script<'_>, problem: &mut Option<anyhow::Error>) {
    let reply = script.answer(&called.method, &called.url, &called.headers, &called.body);
    let reply = reply.map_err(|error| problem.get_or_insert(error)).ok();
    // The endpoint may have given up.
    let _ = called.answer.send(reply.filter(|reply| !reply.fails));
}

impl Door for Http {
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        self.running = None;
        let texts = |errors: gatepost_policy::ConfigErrors| -> Vec<String> {
            errors.0.iter().map(ToString::to_string).collect()
        };
        let files = vec![("rules.json".to_owned(), case.rules.clone())];
        let rules = RuleSet::new(case.config.clone(), files, case.documents.clone());
        let rules = rules.map_err(texts)?;
        let mut policy = rules.compile().map_err(texts)?;
        policy.prove_signing();
        let faults: Vec<_> = policy.faults().iter().map(ToString::to_string).collect();
        let config = json!({"serve": {"api": {"gatepost": {
            "trusted_proxies": ["127.0.0.1"], "client_certificates": true, "log_decisions": true,
        }}}});
        let settings = Settings::read(&config, |_| None).unwrap();
        self.started += 1;
        self.running = Some(self.start(&rules, settings));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let running = self.running.as_ref().context("no rules are loaded")?;
        running
            .clock
            .set(OffsetDateTime::from_unix_timestamp(at.try_into()?)?);
        let fields = request.fields()?;
        let question = question(self.style, &fields, request);
        let (address, events) = (running.address, self.events.0.clone());
        let body = request.body.clone().unwrap_or_default().into_bytes();
        thread::spawn(move || {
            let (method, target, headers) = question;
            let answer = client::send(address, &method, &target, &headers, &body);
            events.send(Event::Answered(answer))
        });
        let answer = self.converse(script)?;
        let line = running.lines.lock().unwrap().pop();
        let line: Value = line.map_or(Ok(Value::Null), |line| serde_json::from_str(&line))?;
        Ok(outcome(answer, &line, fields))
    }
}

/// Method, target and headers of the question.
fn question(
    style: Style,
    fields: &[(String, String)],
    request: &RequestSpec,
) -> (String, String, Vec<(String, String)>) {
    let pseudo = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (method, scheme) = (pseudo(":method"), pseudo(":scheme"));
    let (authority, path) = (pseudo(":authority"), pseudo(":path"));
    let mut headers = vec![("x-forwarded-proto".to_owned(), scheme)];
    let (method, target) = match style {
        Style::Own => {
            headers.push(("host".to_owned(), authority));
            (method, format!("/decisions{path}"))
        }
        Style::Forwarded => {
            headers.push(("host".to_owned(), "gatepost.test".to_owned()));
            headers.push(("x-forwarded-method".to_owned(), method));
            headers.push(("x-forwarded-host".to_owned(), authority));
            headers.push(("x-forwarded-uri".to_owned(), path));
            ("GET".to_owned(), "/decisions".to_owned())
        }
    };
    headers.extend(request.headers.iter().cloned());
    if let Some(address) = &request.client_address {
        headers.push(("x-forwarded-for".to_owned(), address.clone()));
    }
    if let Some(certificate) = &request.peer_certificate {
        headers.push(("x-forwarded-client-cert".to_owned(), xfcc(certificate)));
    }
    (method, target, headers)
}

fn xfcc(certificate: &CertificateSpec) -> String {
    let quoted = certificate
        .subject
        .as_ref()
        .map(|subject| format!("\"{subject}\""));
    let pairs = [
        ("Hash", certificate.sha256.clone()),
        ("Subject", quoted),
        ("URI", certificate.uri.clone()),
        ("DNS", certificate.dns.clone()),
    ];
    let pairs = pairs
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value?)));
    pairs.collect::<Vec<_>>().join(";")
}

/// What a proxy that does as it is told makes of the answer.
fn outcome(answer: Answer, line: &Value, fields: Vec<(String, String)>) -> Outcome {
    let text = |key: &str| line[key].as_str().map(str::to_owned);
    let (rule, stage, reason) = (text("rule"), text("stage"), text("reason"));
    let headers = if answer.status == 200 {
        upstream(&answer, fields)
    } else {
        answer.headers
    };
    Outcome {
        status: answer.status,
        rule,
        stage,
        reason,
        headers,
        body: answer.body,
    }
}

/// The request as it goes upstream.
fn upstream(answer: &Answer, fields: Vec<(String, String)>) -> Vec<(String, Vec<u8>)> {
    let own = [
        "content-length",
        "date",
        "connection",
        "x-gatepost-path",
        "x-envoy-auth-headers-to-remove",
    ];
    let set: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .cloned()
        .collect();
    let removed = answer
        .header("x-envoy-auth-headers-to-remove")
        .unwrap_or_default();
    let path = answer.header("x-gatepost-path");
    let mut upstream: Vec<_> = fields
        .into_iter()
        .filter(|(name, _)| {
            !removed
                .split(',')
                .any(|removed| removed.eq_ignore_ascii_case(name))
        })
        .filter(|(name, _)| !set.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)))
        .map(|(name, value)| match (&path, name.as_str()) {
            (Some(path), ":path") => (name, path.clone().into_bytes()),
            _ => (name, value.into_bytes()),
        })
        .collect();
    upstream.extend(set);
    upstream
}
