//! The tour: each line is one request through Envoy, with what it must come to.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{
    Interrupt, report,
    seed::People,
    stage::{self, Stage, front},
};
use crate::http::Request;

/// A header value that is no UTF-8: it crashes filters that read headers as text.
const NOT_UTF8: [u8; 2] = [0xff, 0xfe];
/// `{"alg":"none"}` and a claim, without a signature.
const UNSIGNED: &str = "eyJhbGciOiJub25lIiwia2lkIjoieCJ9.eyJzdWIiOiJyb290In0.";

/// One request of the tour and what is expected of it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// `GET /api/hello`, as the table shows it.
    pub(super) what: String,
    /// The credential, in words.
    pub(super) credential: String,
    request: Request,
    pub(super) expected: Expected,
}

/// What a line must come to.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) status: u16,
    /// The rule that decides; `None` where none may match.
    pub(super) rule: Option<&'static str>,
    /// Header fields that the upstream must have received; a `None` value must be missing there.
    pub(super) upstream: Vec<(&'static str, Option<String>)>,
    /// What the answer's `Location` must contain.
    pub(super) location: Vec<String>,
}

/// What a line came to.
#[derive(Clone, Debug)]
pub(super) struct Actual {
    pub(super) status: u16,
    pub(super) rule: Option<String>,
    /// What the upstream received beyond what any client sends, or where the client is sent.
    pub(super) seen: Vec<(String, String)>,
    /// The header fields as the upstream received them; `None` if it was not asked.
    upstream: Option<Vec<(String, String)>>,
    location: String,
}

/// Walks through the tour; whether every line was as expected.
pub(super) fn walk(stage: &mut Stage, people: &People, interrupt: &Interrupt) -> Result<bool> {
    let mut guide = Guide::new();
    guide.lines(stage, interrupt, "who may pass", passing(people))?;
    guide.lines(stage, interrupt, "tricks", tricks(people))?;

    stage.stop_gatepost();
    let without = vec![
        line("GET", "/api/hello", 200, Some("api")).bearer("token of reader", &people.good),
        // Nobody vouches for the session, so it does not count.
        line("GET", "/app", 403, Some("app")).cookie("session", &people.cookie),
    ];
    guide.lines(
        stage,
        interrupt,
        "gatepost is stopped: tokens are checked all the same",
        without,
    )?;

    stage.start_gatepost()?;
    let again = vec![
        line("GET", "/app", 200, Some("app"))
            .cookie("session", &people.cookie)
            .passes("x-user", &people.person),
        line("GET", "/api/hello", 200, Some("api")).bearer("token of reader", &people.good),
    ];
    guide.lines(
        stage,
        interrupt,
        "gatepost is back, Envoy was not touched",
        again,
    )?;

    let new = rotate_key(stage, people)?;
    let rotated = vec![
        line("GET", "/api/hello", 200, Some("api")).bearer("token by the new key", &new),
        line("GET", "/api/hello", 200, Some("api")).bearer("token by the old key", &people.good),
    ];
    guide.lines(stage, interrupt, "the signing key is rotated", rotated)?;
    Ok(report::summary(guide.walked, guide.surprises))
}

/// Rotates the signing key the hard way, so that its first token meets a filter that has never seen
/// the key; a token by the new key, as soon as the server uses it.
fn rotate_key(stage: &Stage, people: &People) -> Result<String> {
    stage.gatepost(&["keys", "rotate", "--dev", "--now"])?;
    for _ in 0..150 {
        let token = people.reader.token()?;
        // The header names the key.
        if token.split('.').next() != people.good.split('.').next() {
            return Ok(token);
        }
        Interrupt::pause();
    }
    bail!("gatepost still signs with the old key, 15 s after `gatepost keys rotate --now`")
}

fn passing(people: &People) -> Vec<Line> {
    let subject = people.reader.id.as_str();
    let sign_in = format!("{}?return_to=", stage::public("/login"));
    vec![
        line("GET", "/public/news", 200, Some("public")).lacks("x-user"),
        line("GET", "/api/hello", 401, Some("api")),
        line("GET", "/api/hello", 200, Some("api"))
            .bearer("token of reader", &people.good)
            .passes("x-user", subject)
            .passes("x-client", subject),
        line("GET", "/api/hello", 401, Some("api")).bearer("expired token", &people.expired),
        line("GET", "/api/hello", 401, Some("api")).bearer("a stranger's token", &people.strangers),
        line("GET", "/api/orders", 200, Some("orders-read"))
            .bearer("token of reader", &people.good)
            .passes("x-user", subject),
        line("POST", "/api/orders", 401, Some("orders-write")).bearer("wrong scope", &people.good),
        line("GET", "/app", 302, Some("app"))
            .browser()
            .redirects(&sign_in)
            .redirects("%2Fapp"),
        line("GET", "/app", 200, Some("app"))
            .browser()
            .cookie("session", &people.cookie)
            .passes("x-user", &people.person)
            .passes("x-email", super::seed::EMAIL),
        line("GET", "/app", 401, Some("app")),
        line("GET", "/admin", 403, Some("admin")).bearer("token of reader", &people.good),
        line("GET", "/closed", 401, Some("closed")),
        line("GET", "/nowhere", 404, None),
    ]
}

fn tricks(people: &People) -> Vec<Line> {
    vec![
        line("GET", "/public/../admin", 403, Some("admin")),
        line("GET", "/api%2Fhello", 400, None),
        line("GET", "/public", 200, Some("public"))
            .with("X-User", b"root", "claims to be root")
            .lacks("x-user"),
        line("GET", "/api/hello", 401, Some("api")).bearer("unsigned token", UNSIGNED),
        line("GET", "/public", 200, Some("public")).with("X-Odd", &NOT_UTF8, "header \\xff\\xfe"),
        line("GET", "/api/hello", 200, Some("api")).bearer("token of reader", &people.good),
    ]
}

fn line(method: &str, path: &str, status: u16, rule: Option<&'static str>) -> Line {
    let mut request = Request::get(&front(path)).header("accept", "application/json");
    request.method = method.to_owned();
    Line {
        what: format!("{method} {path}"),
        credential: "none".to_owned(),
        request,
        expected: Expected {
            status,
            rule,
            upstream: Vec::new(),
            location: Vec::new(),
        },
    }
}

impl Line {
    fn with(mut self, name: &str, value: &[u8], credential: &str) -> Self {
        self.request = self.request.header(name, value);
        credential.clone_into(&mut self.credential);
        self
    }

    fn bearer(self, credential: &str, token: &str) -> Self {
        self.with(
            "authorization",
            format!("Bearer {token}").as_bytes(),
            credential,
        )
    }

    fn cookie(self, credential: &str, cookie: &str) -> Self {
        self.with("cookie", cookie.as_bytes(), credential)
    }

    fn browser(mut self) -> Self {
        self.request.headers.retain(|(name, _)| name != "accept");
        self.request = self
            .request
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        self.what.push_str(" (browser)");
        self
    }

    fn passes(mut self, name: &'static str, value: &str) -> Self {
        self.expected.upstream.push((name, Some(value.to_owned())));
        self
    }

    fn lacks(mut self, name: &'static str) -> Self {
        self.expected.upstream.push((name, None));
        self
    }

    fn redirects(mut self, part: &str) -> Self {
        self.expected.location.push(part.to_owned());
        self
    }
}

/// Counts on the way.
struct Guide {
    walked: usize,
    surprises: usize,
    logged: usize,
}

impl Guide {
    fn new() -> Self {
        Self {
            walked: 0,
            surprises: 0,
            logged: 0,
        }
    }

    fn lines(
        &mut self,
        stage: &mut Stage,
        interrupt: &Interrupt,
        title: &str,
        lines: Vec<Line>,
    ) -> Result<()> {
        report::title(title);
        for line in lines {
            interrupt.check()?;
            let actual = self.send(stage, &line)?;
            let surprise = surprise(&line.expected, &actual);
            self.walked += 1;
            self.surprises += usize::from(surprise.is_some());
            report::line(self.walked, &line, &actual, surprise.as_deref());
        }
        Ok(())
    }

    fn send(&mut self, stage: &mut Stage, line: &Line) -> Result<Actual> {
        let answer = line
            .request
            .send()
            .with_context(|| format!("Envoy does not answer {}", line.what))?;
        stage.envoy.check_alive()?;
        let entry = self.access_log_entry(stage)?;
        let location = answer.header("location").unwrap_or_default().to_owned();
        let upstream = serde_json::from_str::<Value>(&answer.body)
            .ok()
            .and_then(|echo| headers(&echo));
        let mut seen: Vec<_> = upstream
            .iter()
            .flatten()
            .filter(|(name, _)| is_telling(name))
            .cloned()
            .collect();
        if !location.is_empty() {
            seen.push(("location".to_owned(), location.clone()));
        }
        let rule = entry.get("rule").and_then(Value::as_str).map(str::to_owned);
        Ok(Actual {
            status: answer.status,
            rule,
            seen,
            upstream,
            location,
        })
    }

    /// The next line of Envoy's access log: requests go one after the other, so it is this one's.
    fn access_log_entry(&mut self, stage: &Stage) -> Result<Value> {
        for _ in 0..50 {
            let log = stage.envoy.log();
            let mut entries = log
                .lines()
                .filter(|line| line.starts_with('{'))
                .skip(self.logged);
            if let Some(entry) = entries.next() {
                self.logged += 1;
                return Ok(serde_json::from_str(entry)?);
            }
            Interrupt::pause();
        }
        bail!("Envoy's access log shows no line for the request")
    }
}

/// The fields that the echo upstream says it received.
fn headers(echo: &Value) -> Option<Vec<(String, String)>> {
    let pairs = echo.get("headers")?.as_array()?.iter();
    pairs
        .map(|pair| {
            Some((
                pair.get(0)?.as_str()?.to_owned(),
                pair.get(1)?.as_str()?.to_owned(),
            ))
        })
        .collect()
}

/// Fields that a rule or a trick put there, not the client's or Envoy's everyday ones.
fn is_telling(name: &str) -> bool {
    name.starts_with("x-")
        && !["x-forwarded-", "x-envoy-", "x-request-id"]
            .iter()
            .any(|usual| name.starts_with(usual))
}

/// What is not as expected, in words.
fn surprise(expected: &Expected, actual: &Actual) -> Option<String> {
    if expected.status != actual.status {
        return Some(format!("status {} was expected", expected.status));
    }
    if expected.rule != actual.rule.as_deref() {
        return Some(format!(
            "the rule should be {}",
            expected.rule.unwrap_or("none")
        ));
    }
    if let Some(part) = expected
        .location
        .iter()
        .find(|part| !actual.location.contains(*part))
    {
        return Some(format!("the location lacks `{part}`"));
    }
    if (actual.status == 200) != actual.upstream.is_some() {
        return Some("the upstream should see exactly the requests with 200".to_owned());
    }
    let fields = actual.upstream.as_deref().unwrap_or_default();
    expected.upstream.iter().find_map(|(name, value)| {
        let found: Vec<_> = fields
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect();
        (found != value.iter().collect::<Vec<_>>()).then(|| {
            format!(
                "the upstream should see {name} = {}",
                value.as_deref().unwrap_or("nothing")
            )
        })
    })
}
