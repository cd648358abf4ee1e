//! Plays cases through a proxy.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use anyhow::bail;
use gatepost_cases::{Case, Door, Exchange, Outcome, RequestSpec, Script};
use gatepost_policy::{ConfigErrors, RuleSet};
use serde_json::Value;
use xtask::process::Process;

use super::{
    asked::{Asked, Called},
    places::{Places, Proxy, listener},
};
use crate::corpus::wire::{self, Message};

/// What happens while a request is under way.
pub(super) enum Event {
    Called(Called),
    /// A request has reached the upstream.
    Passed(Message),
    Answered(anyhow::Result<Message>),
}

/// Where events are told.
#[derive(Clone)]
pub(super) struct Events(Sender<Event>);

impl Events {
    pub(super) const fn new(to: Sender<Event>) -> Self {
        Self(to)
    }

    pub(super) fn called(&self, called: Called) {
        let _ = self.0.send(Event::Called(called));
    }
}

/// A proxy between scripted clients, endpoint and upstream.
pub(super) struct Proxied<'p> {
    proxy: &'p dyn Proxy,
    asked: Asked,
    places: Places,
    events: (Sender<Event>, Receiver<Event>),
    process: Process,
    passed: Option<Message>,
    status: Option<u16>,
    /// What of the present case got through that must not.
    holes: Vec<Hole>,
    /// How its rows of requests ended, by the name of the first.
    ends: BTreeMap<String, End>,
    /// The names of first requests, and the one that is under way.
    rows: (BTreeSet<String>, String),
    /// Whether a header that a rule sets to nothing may be missing.
    drops_empty: bool,
    /// Whether one was.
    pub(super) has_dropped_empty: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    /// What the client got, if it was an answer.
    pub(super) status: Option<u16>,
    /// Whether the upstream got the request.
    pub(super) has_arrived: bool,
}

/// What is wrong with a request that got through.
pub(super) enum Hole {
    /// The case refuses the request of this name, which arrived under this path.
    Refused { name: String, path: String },
    /// Whatever is listed: this must not be.
    Always(String),
}

impl<'p> Proxied<'p> {
    pub(super) fn start(proxy: &'p dyn Proxy, headers: Vec<String>, drops_empty: bool) -> Self {
        let events = mpsc::channel();
        let asked = Asked::start();
        let (listener, upstream) = listener();
        serve_upstream(listener, events.0.clone());
        let places = Places::new(asked.port, upstream, headers);
        let process = proxy.start(&places);
        Self {
            proxy,
            asked,
            places,
            events,
            process,
            passed: None,
            status: None,
            holes: Vec::new(),
            ends: BTreeMap::new(),
            rows: Default::default(),
            drops_empty,
            has_dropped_empty: false,
        }
    }

    /// Fails if the proxy has ended.
    pub(super) fn check_alive(&mut self) {
        let ended = self.process.ended();
        assert!(ended.is_none(), "{ended:?}: {}", self.process.log());
    }

    /// What got through meanwhile that should not have.
    pub(super) fn take_holes(&mut self) -> Vec<Hole> {
        std::mem::take(&mut self.holes)
    }

    /// How the requests ended since then.
    pub(super) fn take_ends(&mut self) -> BTreeMap<String, End> {
        std::mem::take(&mut self.ends)
    }

    /// What the proxy has logged.
    pub(super) fn log(&self) -> String {
        self.process.log()
    }

    /// Waits for the answer, and meanwhile answers calls from the script. A call that comes too early waits
    /// for its turn, for as long as others may still come.
    fn converse(&mut self, script: &mut Script<'_>) -> anyhow::Result<Message> {
        let mut early: Vec<Called> = Vec::new();
        let (mut problem, mut answered) = (None, None);
        loop {
            // Other fetches may go on after the answer.
            if answered.is_some() && (script.left() == 0 || problem.is_some()) {
                break;
            }
            let waits_on = early.is_empty() && answered.is_none();
            let patience = if waits_on { 20_000 } else { 1_000 };
            match self.events.1.recv_timeout(Duration::from_millis(patience)) {
                Ok(Event::Answered(answer)) => answered = Some(answer),
                Ok(Event::Passed(message)) => self.passed = Some(message),
                // One that was fetched for a former case.
                Ok(Event::Called(called)) if called.by != self.asked.number => {}
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
        self.status = answer.as_ref().ok().and_then(status);
        problem.map_or(answer, Err)
    }
}

fn reply(called: &Called, script: &mut Script<'_>, problem: &mut Option<anyhow::Error>) {
    let reply = script.answer(&called.method, &called.url, &called.headers, &called.body);
    let reply = reply.map_err(|error| problem.get_or_insert(error)).ok();
    // The endpoint may have given up.
    let _ = called.answer.send(reply);
}

impl Door for Proxied<'_> {
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        self.rows.0 = case.requests.iter().map(|it| it.name.clone()).collect();
        let texts = |errors: ConfigErrors| -> Vec<String> {
            errors.0.iter().map(ToString::to_string).collect()
        };
        let files = vec![("rules.json".to_owned(), case.rules.clone())];
        let rules = RuleSet::new(case.config.clone(), files, case.documents.clone());
        let rules = rules.map_err(texts)?;
        let events = Events(self.events.0.clone());
        self.asked.load(&rules, &self.proxy.endpoint(), &events);
        // What is wrong with rules is other drivers' matter.
        match case.errors.is_empty() {
            true => Ok(()),
            false => Err(case.errors.clone()),
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        while self.events.1.try_recv().is_ok() {}
        (self.passed, self.status) = (None, None);
        self.asked.begin(at);
        let is_https = request.url.starts_with("https:");
        let port = match is_https {
            true => self.places.https,
            false => self.places.http,
        };
        let sent = request.clone();
        let events = self.events.0.clone();
        thread::spawn(move || events.send(Event::Answered(ask(port, &sent))));
        let answer = self.converse(script);
        let lines = self.asked.lines();
        if let Some(passed) = &self.passed {
            self.holes
                .extend(holes(script.exchange, request, passed, &lines));
        }
        let line = lines.last().cloned().unwrap_or_default();
        let end = End {
            status: self.status,
            has_arrived: self.passed.is_some(),
        };
        let (firsts, row) = &mut self.rows;
        let name = &script.exchange.name;
        if firsts.contains(name) {
            row.clone_from(name);
        }
        self.ends.insert(row.clone(), end);
        let mut outcome = outcome(answer?, self.passed.clone(), &line)?;
        if self.drops_empty && end.has_arrived {
            let empty = empty(script.exchange, &outcome);
            self.has_dropped_empty |= !empty.is_empty();
            outcome.headers.extend(empty);
        }
        Ok(outcome)
    }
}

/// The headers that the upstream is to get without a value, and did not get at all.
fn empty(exchange: &Exchange, outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let arrived = |name: &str| outcome.headers.iter().any(|(it, _)| it == name);
    let expected = exchange.expect.headers.iter();
    let empty = expected.filter(|(_, value)| value.as_deref() == Some(""));
    let names = empty.map(|(name, _)| name.to_ascii_lowercase());
    names
        .filter(|name| !arrived(name))
        .map(|name| (name, Vec::new()))
        .collect()
}

fn status(answer: &Message) -> Option<u16> {
    answer.words().get(1)?.parse().ok()
}

/// What is wrong with a request that got through.
fn holes(
    exchange: &Exchange,
    request: &RequestSpec,
    passed: &Message,
    lines: &[Value],
) -> Vec<Hole> {
    let mut holes = Vec::new();
    let (expected, name) = (&exchange.expect, &exchange.name);
    let path = passed.words().get(1).copied().unwrap_or_default();
    if expected.status != 200 {
        holes.push(Hole::Refused {
            name: name.clone(),
            path: path.to_owned(),
        });
        // The proxy may take such a header out before anybody is asked, but not only before the endpoint is.
        let alias = passed.headers.iter().find(|(name, _)| name.contains('_'));
        let alias = alias.map(|(alias, _)| format!("{name}: `{alias}` arrived"));
        holes.extend(alias.map(Hole::Always));
    }
    // What arrives is what was judged.
    let allowed = lines.iter().find(|line| line["verdict"] == "allow");
    // A path is not logged that is too long, or read in two ways.
    let judged = allowed.map(|line| line["path"].as_str());
    let (arrived, _) = path.split_once('?').unwrap_or((path, ""));
    let is_judged = |judged: Option<&str>| {
        judged.is_none_or(|judged| {
            judged.trim_end_matches('/') == decoded(arrived).trim_end_matches('/')
                || judged.trim_end_matches('/') == arrived.trim_end_matches('/')
                || decoded(judged) == decoded(arrived)
        })
    };
    if !judged.is_some_and(is_judged) {
        holes.push(Hole::Always(format!(
            "{name}: `{path}` arrived, {judged:?} was allowed"
        )));
    }
    // What the client wrote may not arrive where the upstream is to read something else.
    for (header, wanted) in &expected.headers {
        let arrived = passed.header(&header.to_ascii_lowercase());
        let is_own = |(own, value): &(String, String)| {
            own.eq_ignore_ascii_case(header) && !value.is_empty() && Some(value) == arrived.as_ref()
        };
        if arrived != *wanted && request.headers.iter().any(is_own) {
            holes.push(Hole::Always(format!(
                "{name}: the client's own `{header}` arrived"
            )));
        }
    }
    holes
}

/// The path with its escapes resolved, once.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|it| std::str::from_utf8(it).ok());
        match escaped.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The client's address where the case tells none. Envoy would take its own for one on loopback.
const STRANGER: &str = "203.0.113.9";

/// Sends the request over a connection of its own.
pub(super) fn ask(port: u16, request: &RequestSpec) -> anyhow::Result<Message> {
    let fields = request.fields()?;
    let pseudo = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(15)))?;
    stream.set_nodelay(true)?;
    let ip = request.client_address.as_deref().unwrap_or(STRANGER);
    let proxied = match ip.contains(':') {
        true => format!("PROXY TCP6 {ip} ::1 4711 80\r\n"),
        false => format!("PROXY TCP4 {ip} 127.0.0.1 4711 80\r\n"),
    };
    let mut headers = vec![("Host".to_owned(), pseudo(":authority"))];
    headers.extend(request.headers.iter().cloned());
    let body = request.body.clone().unwrap_or_default();
    let has_length = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !body.is_empty() && !has_length {
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let method = pseudo(":method");
    let start = format!("{method} {} HTTP/1.1", pseudo(":path"));
    stream.write_all(proxied.as_bytes())?;
    wire::write(&mut stream, &start, &headers, body.as_bytes())?;
    wire::read(&mut stream, Some(&method))
}

fn outcome(answer: Message, passed: Option<Message>, line: &Value) -> anyhow::Result<Outcome> {
    let text = |key: &str| line[key].as_str().map(str::to_owned);
    let status = status(&answer).unwrap_or_default();
    let headers = match passed {
        None if status == 200 => bail!("200 without the upstream"),
        None => answer.headers,
        Some(passed) => {
            let words = passed.start.split(' ').map(|word| word.as_bytes().to_vec());
            let names = [":method", ":path"].map(str::to_owned);
            let pseudo: Vec<_> = names.into_iter().zip(words).collect();
            passed.headers.into_iter().chain(pseudo).collect()
        }
    };
    Ok(Outcome {
        status,
        rule: text("rule"),
        stage: text("stage"),
        reason: text("reason"),
        headers,
        body: answer.body,
    })
}

/// The upstream: tells the test of what it gets.
fn serve_upstream(listener: TcpListener, events: Sender<Event>) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let events = events.clone();
            thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                if let Ok(message) = wire::read(&mut stream, None) {
                    let _ = events.send(Event::Passed(message));
                    let fields = [("Content-Length", "0"), ("Connection", "close")];
                    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
                    let _ = wire::write(&mut stream, "HTTP/1.1 200 OK", &fields, b"");
                }
            });
        }
    });
}
