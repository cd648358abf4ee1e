//! Plays the corpus through a driver.

use std::{collections::BTreeMap, path::Path, sync::Once};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::{
    case::{
        CallSpec, Case, Exchange, Expectation, Outcome, RequestSpec, ResponseSpec, SpecReply,
        Values,
    },
    keys::{jwks, private_jwks, sign_all},
    minted,
};

/// A driver of the engine, seen from outside.
pub trait Door {
    /// Loads the policy of a case; a fresh engine each time.
    ///
    /// # Errors
    /// The configuration errors, one message each.
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>>;

    /// Whether the policy can sign with RSA behind this door.
    fn signs_rsa(&self) -> bool {
        true
    }

    /// Whether the policy has the authorizer `cel` behind this door.
    fn has_cel(&self) -> bool {
        true
    }

    /// Sends one request. Whatever the engine asks for is put to `script`.
    ///
    /// # Errors
    /// Anything that is neither an answer to the client nor a request to the upstream.
    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome>;

    /// The module whose cases are played.
    fn module(&self) -> &str {
        "access-rules"
    }

    /// Lets a response to the last request pass, and tells its header section as the client gets it.
    ///
    /// # Errors
    /// If responses do not come through this door.
    fn respond(
        &mut self,
        _response: &ResponseSpec,
        _script: &Script<'_>,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        bail!("the module has nothing to do with responses")
    }
}

/// Answers the engine's calls during one request.
#[derive(Debug)]
pub struct Script<'a> {
    case: &'a Case,
    /// The request that is played.
    pub exchange: &'a Exchange,
    calls: std::slice::Iter<'a, CallSpec>,
}

impl Script<'_> {
    /// How many calls are still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.calls.len()
    }

    /// Whether this call is the next one that the case expects, or one for a key set. For drivers that make
    /// several at once, and cannot say in which order they arrive.
    #[must_use]
    pub fn expects(&self, method: &str, url: &str) -> bool {
        let next = self.calls.as_slice().first();
        next.is_some_and(|next| next.method == method && next.url == url)
            || self.case.key_sets.contains_key(url)
            || self.case.private_key_sets.contains_key(url)
    }

    /// The answer to a call, which must be the next one that the case expects or one for a key set.
    ///
    /// # Errors
    /// A call that the case does not expect.
    pub fn answer(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(String, Vec<u8>)],
        body: &[u8],
    ) -> anyhow::Result<SpecReply> {
        if let Some(names) = self.case.key_sets.get(url) {
            return Ok(SpecReply {
                status: 200,
                json: Some(jwks(names)?),
                ..SpecReply::default()
            });
        }
        if let Some(members) = self.case.private_key_sets.get(url) {
            return Ok(SpecReply {
                status: 200,
                json: Some(private_jwks(members)?),
                ..SpecReply::default()
            });
        }
        let expected = self
            .calls
            .next()
            .with_context(|| format!("unexpected call: {method} {url}"))?;
        ensure!(
            expected.method == method && expected.url == url,
            "called {method} {url} instead of {} {}",
            expected.method,
            expected.url
        );
        check_headers(&expected.headers, headers)?;
        check_body(expected, body)?;
        Ok(expected.reply.clone())
    }
}

/// Has aws-lc-rs sign what cases need signed. To be called before cases are read.
pub fn install_crypto() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The second install of a process fails; tokens are then signed by whoever was first.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

/// Plays every case below `folder` through `door`.
///
/// # Errors
/// Every case that did not end as it says, by file and name.
pub fn play(folder: &Path, door: &mut dyn Door) -> anyhow::Result<usize> {
    install_crypto();
    let mut failures = Vec::new();
    let mut played: usize = 0;
    for case in Case::read_all(folder)? {
        let is_of_this_build = case.cel.is_none_or(|cel| cel == door.has_cel());
        let can_sign = door.signs_rsa() || !case.signs_rsa;
        if case.module() != door.module() || !can_sign || !is_of_this_build {
            continue;
        }
        let checks = play_case(&case, door);
        played = played.saturating_add(checks.len());
        failures.extend(checks.into_iter().filter_map(|(name, result)| {
            Some(format!("{}: {name}: {:#}", case.file, result.err()?))
        }));
    }
    ensure!(
        played > 0,
        "there are no cases below `{}`",
        folder.display()
    );
    if !failures.is_empty() {
        bail!(
            "{} of {played} cases failed:\n{}",
            failures.len(),
            failures.join("\n")
        );
    }
    Ok(played)
}

/// Plays the requests of one case, and tells of each by its name whether it ended as the case says.
pub fn play_case(case: &Case, door: &mut dyn Door) -> Vec<(String, anyhow::Result<()>)> {
    if case.module() != door.module() {
        let problem = anyhow::anyhow!("the case is for the module `{}`", case.module());
        return vec![("load".to_owned(), Err(problem))];
    }
    if case.requests.is_empty() {
        return vec![("load".to_owned(), check_errors(case, door))];
    }
    let tokens = match sign_all(&case.tokens) {
        Ok(tokens) => tokens,
        Err(error) => return vec![("tokens".to_owned(), Err(error))],
    };
    case.requests
        .iter()
        .map(|exchange| {
            let played = play_exchange(case, &tokens, exchange, door);
            (exchange.name.clone(), played)
        })
        .collect()
}

fn check_errors(case: &Case, door: &mut dyn Door) -> anyhow::Result<()> {
    let errors = door.load(case).err().unwrap_or_default();
    ensure!(
        errors.len() == case.errors.len(),
        "expected {} errors, got {}:\n  {}",
        case.errors.len(),
        errors.len(),
        errors.join("\n  ")
    );
    for (expected, error) in case.errors.iter().zip(&errors) {
        ensure!(
            error.contains(expected),
            "expected `{expected}`, got `{error}`"
        );
    }
    Ok(())
}

fn play_exchange(
    case: &Case,
    tokens: &BTreeMap<String, String>,
    exchange: &Exchange,
    door: &mut dyn Door,
) -> anyhow::Result<()> {
    check_errors(case, door)?;
    play_row(case, tokens, exchange, door)
}

/// A request, and those that follow it on the same engine.
fn play_row(
    case: &Case,
    tokens: &BTreeMap<String, String>,
    exchange: &Exchange,
    door: &mut dyn Door,
) -> anyhow::Result<()> {
    let mut request = exchange.request.clone();
    fill_in(&mut request.url, tokens)?;
    for (_, value) in &mut request.headers {
        fill_in(value, tokens)?;
    }
    let mut script = Script {
        case,
        exchange,
        calls: exchange.calls.iter(),
    };
    if let Some(response) = exchange.response.as_ref().filter(|it| it.early) {
        let got = door.respond(response, &script)?;
        return check_values(&exchange.expect.response, &got).context("in the response");
    }
    let outcome = door.send(exchange.at, &request, &mut script)?;
    check(&exchange.expect, &outcome).with_context(|| format!("got {}", summary(&outcome)))?;
    if let Some(response) = &exchange.response {
        let got = door.respond(response, &script)?;
        check_values(&exchange.expect.response, &got).context("in the response")?;
    }
    let left = script.calls.len();
    ensure!(left == 0, "{left} expected calls were not made");
    for next in &exchange.then {
        play_row(case, tokens, next, door).with_context(|| format!("then {}", next.name))?;
    }
    Ok(())
}

fn fill_in(text: &mut String, tokens: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for (name, token) in tokens {
        let place = format!("${{{name}}}");
        if text.contains(&place) {
            *text = text.replace(&place, token);
        }
    }
    ensure!(
        !text.contains("${"),
        "`{text}` names a token that there is not"
    );
    Ok(())
}

fn check(expected: &Expectation, outcome: &Outcome) -> anyhow::Result<()> {
    ensure!(
        expected.status == outcome.status,
        "expected status {}",
        expected.status
    );
    if let (Some(expected), Some(rule)) = (&expected.rule, &outcome.rule) {
        ensure!(expected == rule, "expected rule `{expected}`");
    }
    if let (Some(expected), Some(stage)) = (&expected.stage, &outcome.stage) {
        ensure!(expected == stage, "expected stage `{expected}`");
    }
    if let (Some(expected), Some(reason)) = (&expected.reason, &outcome.reason) {
        ensure!(expected == reason, "expected reason `{expected}`");
    }
    if let Some(path) = &expected.path {
        check_headers(
            &[(":path".to_owned(), Some(path.clone()))].into(),
            &outcome.headers,
        )?;
    }
    check_headers(&expected.headers, &outcome.headers)?;
    check_values(&expected.upstream, &outcome.headers)?;
    if let Some(expected) = &expected.minted {
        let authorization = value_of(&outcome.headers, "authorization")?;
        minted::check(expected, &authorization)?;
    }
    if let Some(expected) = &expected.json {
        let body: Value = serde_json::from_slice(&outcome.body).context("the body is not JSON")?;
        ensure!(
            includes(&body, expected),
            "expected the body to have {expected}, got {body}"
        );
    }
    Ok(())
}

fn check_body(expected: &CallSpec, body: &[u8]) -> anyhow::Result<()> {
    if let Some(text) = &expected.body {
        ensure!(
            text.as_bytes() == body,
            "called with the body `{}` instead of `{text}`",
            String::from_utf8_lossy(body)
        );
    }
    if let Some(json) = &expected.json {
        let body: Value = serde_json::from_slice(body).context("the call's body is not JSON")?;
        ensure!(*json == body, "called with {body} instead of {json}");
    }
    Ok(())
}

fn check_headers(
    expected: &BTreeMap<String, Option<String>>,
    headers: &[(String, Vec<u8>)],
) -> anyhow::Result<()> {
    for (name, expected) in expected {
        let values: Vec<_> = headers
            .iter()
            .filter(|(present, _)| present.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        match expected {
            None => ensure!(
                values.is_empty(),
                "expected no header `{name}`, got {values:?}"
            ),
            Some(expected) => ensure!(
                values.len() == 1 && values.first() == Some(expected),
                "expected header `{name}: {expected}`, got {values:?}"
            ),
        }
    }
    Ok(())
}

fn check_values(
    expected: &BTreeMap<String, Values>,
    headers: &[(String, Vec<u8>)],
) -> anyhow::Result<()> {
    for (name, expected) in expected {
        let values: Vec<_> = headers
            .iter()
            .filter(|(present, _)| present.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect();
        ensure!(
            values == expected.list(),
            "expected for `{name}` {:?}, got {values:?}",
            expected.list()
        );
    }
    Ok(())
}

/// The value of a field that must be there once.
fn value_of(headers: &[(String, Vec<u8>)], name: &str) -> anyhow::Result<String> {
    let mut values = headers
        .iter()
        .filter(|(present, _)| present.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(String::from_utf8(value.clone())?),
        _ => bail!("expected one header `{name}`"),
    }
}

/// Whether `body` has every member that `expected` has.
pub(crate) fn includes(body: &Value, expected: &Value) -> bool {
    match (body, expected) {
        (Value::Object(body), Value::Object(expected)) => {
            expected
                .iter()
                .all(|(key, expected)| match (body.get(key), expected) {
                    (None, Value::Null) => true,
                    (Some(value), expected) => includes(value, expected),
                    (None, _) => false,
                })
        }
        _ => body == expected,
    }
}

fn summary(outcome: &Outcome) -> String {
    format!(
        "{} (rule {:?}, stage {:?}, reason {:?}, body {})",
        outcome.status,
        outcome.rule,
        outcome.stage,
        outcome.reason,
        String::from_utf8_lossy(&outcome.body)
    )
}
