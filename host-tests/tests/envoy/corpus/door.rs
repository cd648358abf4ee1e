//! Plays cases through Envoy.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::envoy::{Envoy, Start};

use super::{
    bootstrap::{Policy, bootstrap},
    scripted::{self, Called, Event, Server, Turn},
    wire::{self, Message},
};
use crate::harness::{GIVEN, free_port};

/// The files in which one request changes what is remembered for the next: each of their requests has a
/// policy of its own.
const FRESH: &[&str] = &[
    "authenticate/discovery.yaml",
    "authenticate/dpop.yaml",
    "authenticate/introspection_cache.yaml",
    "authenticate/jwks_faults.yaml",
    "authenticate/oauth2_client_credentials.yaml",
    "authenticate/session_cache.yaml",
];

/// Envoy with all policies.
pub(super) struct Proxied {
    envoy: Envoy,
    folder: TempDir,
    events: (Sender<Event>, Receiver<Event>),
    turn: Turn,
    /// For each file the number of its first policy, and whether every request has one.
    files: BTreeMap<String, (usize, bool)>,
    file: String,
    /// How many requests of the file were begun.
    begun: usize,
    read: usize,
}

impl Proxied {
    pub(super) fn start(cases: &[Case]) -> Self {
        let folder = TempDir::new().unwrap();
        let events = mpsc::channel();
        let turn = Turn::new(usize::MAX.into());
        let mut policies = Vec::new();
        let mut files = BTreeMap::new();
        for case in cases {
            let is_https = |it: &&gatepost_cases::Exchange| it.request.url.starts_with("https");
            let is_fresh = FRESH.iter().any(|file| case.file.ends_with(file))
                || case.requests.iter().filter(is_https).count() > 0;
            files.insert(case.file.clone(), (policies.len(), is_fresh));
            let known = Arc::new(scripted::key_sets(case));
            let own = if is_fresh {
                case.requests.as_slice()
            } else {
                &case.requests[..1]
            };
            for exchange in own {
                let scheme = if is_https(&exchange) { "https" } else { "http" };
                let policy = policy(policies.len(), scheme, case);
                for (number, origin) in policy.origins.iter().enumerate() {
                    let server =
                        Server::new(policy.number, origin.clone(), &known, &turn, &events.0);
                    server.listen(&folder.path().join(policy.server(number)));
                }
                policies.push(policy);
            }
        }
        scripted::upstream(&folder.path().join("upstream.sock"), events.0.clone());
        println!("{} policies", policies.len());
        Self {
            envoy: start_envoy(&policies, folder.path()),
            folder,
            events,
            turn,
            files,
            file: String::new(),
            begun: 0,
            read: 0,
        }
    }

    /// The requests that follow are those of `file`.
    pub(super) fn turn_to(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        self.begun = 0;
    }

    /// Whether one request of `file` changes what is remembered for the next.
    pub(super) fn remembers(&self, file: &str) -> bool {
        self.files[file].1
    }

    pub(super) fn check_alive(&mut self) {
        self.envoy.check_alive().unwrap();
        for sign in [
            "panic",
            "unreachable",
            "VM failed",
            "wasm trap",
            "Function: proxy_",
        ] {
            assert!(!self.envoy.log().contains(sign), "{sign}");
        }
    }

    /// The line of the decision log that was written meanwhile.
    fn line(&mut self) -> Value {
        for _ in 0..30 {
            let log = fs::read(self.folder.path().join("envoy.log")).unwrap();
            let new =
                String::from_utf8_lossy(log.get(self.read..).unwrap_or_default()).into_owned();
            let is_whole = new.ends_with('\n');
            let line = new.lines().rev().find_map(|line| {
                let at = line.find(r#"{"log":"gatepost.decision""#)?;
                serde_json::from_str(&line[at..]).ok()
            });
            if let (Some(line), true) = (line, is_whole) {
                self.read = log.len();
                return line;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Value::Null
    }

    /// Waits for the answer, and meanwhile answers calls from the script.
    fn converse(&self, script: &mut Script<'_>) -> anyhow::Result<(Message, Option<Message>)> {
        let mut early: Vec<Called> = Vec::new();
        let (mut problem, mut passed) = (None, None);
        loop {
            let patience = if early.is_empty() { 20_000 } else { 2_000 };
            match self.events.1.recv_timeout(Duration::from_millis(patience)) {
                Ok(Event::Answered(answer)) => {
                    return match problem {
                        Some(problem) => Err(problem),
                        None => Ok((answer?, passed)),
                    };
                }
                Ok(Event::Passed(message)) => passed = Some(message),
                Ok(Event::Called(called)) => early.push(called),
                Err(_) if early.is_empty() => bail!("nothing happens"),
                Err(_) => reply(&early.remove(0), script, &mut problem),
            }
            while let Some(next) = early
                .iter()
                .position(|it| script.expects(&it.method, &it.url))
            {
                reply(&early.remove(next), script, &mut problem);
            }
        }
    }
}

fn reply(called: &Called, script: &mut Script<'_>, problem: &mut Option<anyhow::Error>) {
    let reply = script.answer(&called.method, &called.url, &called.headers, &called.body);
    let reply = reply.map_err(|error| problem.get_or_insert(error)).ok();
    // Envoy may have given up.
    let _ = called.answer.send(reply);
}

impl Door for Proxied {
    /// The policies are in force already; what is wrong with them other drivers check.
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let (first, is_fresh) = self.files[&self.file];
        let number = if is_fresh { first + self.begun } else { first };
        self.begun += 1;
        self.turn.store(number, Ordering::SeqCst);
        if case.errors.is_empty() {
            Ok(())
        } else {
            Err(case.errors.clone())
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let _ = at;
        while self.events.1.try_recv().is_ok() {}
        let policy = self.turn.load(Ordering::SeqCst);
        let socket = self.folder.path().join(format!("l{policy}.sock"));
        let request = request.clone();
        let events = self.events.0.clone();
        thread::spawn(move || events.send(Event::Answered(ask(&socket, &request))));
        let (answer, passed) = self.converse(script)?;
        Ok(outcome(answer, passed, &self.line()))
    }
}

/// Sends the request over a connection of its own.
fn ask(socket: &Path, request: &RequestSpec) -> anyhow::Result<Message> {
    let fields = request.fields()?;
    let pseudo = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut stream = UnixStream::connect(socket).context("no listener")?;
    stream.set_read_timeout(Some(Duration::from_secs(15)))?;
    let proxied = match request.client_address.as_deref() {
        Some(ip) if ip.contains(':') => format!("PROXY TCP6 {ip} ::1 1 1\r\n"),
        Some(ip) => format!("PROXY TCP4 {ip} 127.0.0.1 1 1\r\n"),
        None => "PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n".to_owned(),
    };
    stream.write_all(proxied.as_bytes())?;
    let mut headers = vec![("host".to_owned(), pseudo(":authority"))];
    headers.extend(request.headers.iter().cloned());
    let body = request.body.clone().unwrap_or_default();
    let has_length = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !body.is_empty() && !has_length {
        headers.push(("content-length".to_owned(), body.len().to_string()));
    }
    let method = pseudo(":method");
    let start = format!("{method} {} HTTP/1.1", pseudo(":path"));
    wire::write(&mut stream, &start, &headers, body.as_bytes())?;
    wire::read(&mut stream, Some(&method))
}

fn outcome(answer: Message, passed: Option<Message>, line: &Value) -> Outcome {
    let text = |key: &str| line[key].as_str().map(str::to_owned);
    let status = answer.words().get(1).and_then(|word| word.parse().ok());
    let headers = match passed {
        None => answer.headers,
        Some(passed) => {
            let words = passed.start.split(' ').map(|word| word.as_bytes().to_vec());
            let names = [":method", ":path"].map(str::to_owned);
            let pseudo: Vec<_> = names.into_iter().zip(words).collect();
            passed.headers.into_iter().chain(pseudo).collect()
        }
    };
    Outcome {
        status: status.unwrap_or_default(),
        rule: text("rule"),
        stage: text("stage"),
        reason: text("reason"),
        headers,
        body: answer.body,
    }
}

fn policy(number: usize, scheme: &'static str, case: &Case) -> Policy {
    Policy {
        number,
        scheme,
        plugin: json!({
            "config": case.config, "rules": {"rules.json": case.rules}, "jwks": case.documents,
            "log_decisions": true, "metrics": false,
        }),
        origins: case.origins().into_iter().collect(),
        has_custom_methods: case.requests.iter().any(|it| it.request.method == "CUSTOM"),
    }
}

fn start_envoy(policies: &[Policy], folder: &Path) -> Envoy {
    let admin = free_port();
    let config = bootstrap(policies, admin);
    fs::write(folder.join("envoy.json"), config.to_string()).unwrap();
    let start = Start {
        binary: &GIVEN.envoy,
        folder,
        config: "envoy.json",
        concurrency: 1,
        core: None,
    };
    start.ready(admin).unwrap()
}
