//! Rules that are kept elsewhere: what `access_rules.repositories` names, polled where it is a URL.
//!
//! Oathkeeper fetches a rule file from a web server once and never looks again. Ours is asked for
//! changes, with `If-None-Match` (RFC 9110 section 13.1.2), and a change that cannot be used leaves the
//! former rules in force.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    Call, ConfigError, ConfigErrors, Policy, Reply, RuleFile, UnixTime,
    call::{Endpoint, Response},
    compile::compile_files,
    config::{Errors, Place, Section},
    digest::{Hash, sha256},
};

/// How often a repository is asked for changes, unless the configuration says otherwise.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long one answer may take, as in Oathkeeper.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The first and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A configuration with its rules, of which some may have to be fetched.
#[derive(Debug, Default)]
pub struct RuleSet {
    config: Value,
    files: Vec<(String, RuleFile)>,
    documents: BTreeMap<String, Value>,
    interval: Duration,
    repositories: Vec<Repository>,
}

/// A repository that is polled.
#[derive(Debug)]
struct Repository {
    url: String,
    endpoint: Endpoint,
    /// What it last said; `None` as long as it said nothing that could be used.
    content: Option<Content>,
    next: UnixTime,
    pause: Duration,
    is_under_way: bool,
}

#[derive(Clone, Debug)]
struct Content {
    rules: RuleFile,
    etag: Option<Vec<u8>>,
    /// Of the answer's body: many servers send no `ETag`.
    hash: Hash,
}

/// Names a repository in [`RuleSet::due`] and [`RuleSet::fetched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryId(usize);

/// The end of a poll.
#[derive(Debug)]
pub enum Polled {
    /// Nothing is new.
    Unchanged,
    /// This policy is to be enforced from now on.
    Taken(Box<Policy>),
    /// What came cannot be used, for these reasons. The former rules stay.
    Refused(Vec<String>),
}

impl RuleSet {
    /// Finds out what has to be fetched. `files` are the rules that are there already, by the name
    /// under which the configuration may list them; `documents` as in [`crate::Sources`].
    ///
    /// # Errors
    /// Every repository that cannot be had from where the policy is enforced.
    pub fn new(
        config: Value,
        files: Vec<(String, impl Into<RuleFile>)>,
        documents: BTreeMap<String, Value>,
    ) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        let files = files.into_iter();
        let mut set = Self {
            interval: interval(&config, &errors),
            repositories: Vec::new(),
            files: files.map(|(file, rules)| (file, rules.into())).collect(),
            documents,
            config,
        };
        for (place, named) in repositories(&set.config, &errors) {
            if !set.files.iter().any(|(file, _)| *file == named) {
                set.add(&named, place, &errors);
            }
        }
        let mistakes = errors.into_inner();
        if mistakes.is_empty() {
            Ok(set)
        } else {
            Err(ConfigErrors(mistakes))
        }
    }

    fn add(&mut self, named: &str, place: Place, errors: &Errors) {
        let (scheme, rest) = named.split_once("://").unwrap_or(("file", named));
        match scheme.to_ascii_lowercase().as_str() {
            // Whoever made the configuration has put its content among the files.
            "file" => {}
            "inline" => match inline(rest) {
                Ok(rules) => self.files.push((format!("{scheme}://…"), rules)),
                Err(problem) => errors.add(place, problem),
            },
            "http" | "https" => match Endpoint::parse(named) {
                Ok(endpoint) => self.repositories.push(Repository {
                    url: named.to_owned(),
                    endpoint,
                    content: None,
                    next: UnixTime::default(),
                    pause: PAUSES.0,
                    is_under_way: false,
                }),
                Err(error) => errors.add(place, format!("`{named}`: {error}")),
            },
            "s3" | "gs" | "azblob" => errors.add(
                place,
                format!(
                    "`{named}` is in an object store, which a proxy cannot read; fetch it with the \
                     store's own tool and name the file to `gatepost rules bundle`"
                ),
            ),
            other => errors.add(
                place,
                format!(
                    "`{other}` is none of the schemes `file`, `inline`, `http`, `https`, `s3`, `gs` \
                     and `azblob`"
                ),
            ),
        }
    }

    /// Whether there is anything to fetch.
    #[must_use]
    pub const fn polls(&self) -> bool {
        !self.repositories.is_empty()
    }

    /// The rules that are there, as they are written. Reads them anew: for those who list rules, not
    /// for every request.
    pub fn rules(&self) -> impl Iterator<Item = Value> {
        let fetched = self.repositories.iter();
        let fetched = fetched.filter_map(|repository| Some(&repository.content.as_ref()?.rules));
        let files = self.files.iter().map(|(_, rules)| rules);
        files.chain(fetched).flat_map(RuleFile::rules)
    }

    /// The configuration tree.
    #[must_use]
    pub const fn config(&self) -> &Value {
        &self.config
    }

    /// The document that handlers name by `url`, where it came with the policy.
    #[must_use]
    pub fn document(&self, url: &str) -> Option<&Value> {
        self.documents.get(url)
    }

    /// Takes over what `former` has fetched from the same places, so that a change of files leaves the
    /// fetched rules in force.
    pub fn inherit(&mut self, former: &Self) {
        for repository in &mut self.repositories {
            let mut known = former.repositories.iter();
            if let Some(known) = known.find(|known| known.url == repository.url) {
                repository.content.clone_from(&known.content);
                repository.next = known.next;
                repository.pause = known.pause;
            }
        }
    }

    /// Compiles what is there. As long as a repository was never read, the policy refuses every
    /// request: the rules that are missing might forbid what the others allow.
    ///
    /// # Errors
    /// As [`crate::compile`].
    pub fn compile(&self) -> Result<Policy, ConfigErrors> {
        self.compile_with(None)
    }

    fn compile_with(&self, new: Option<(usize, &RuleFile)>) -> Result<Policy, ConfigErrors> {
        let mut rules: Vec<_> = self
            .files
            .iter()
            .map(|(file, rules)| (file.as_str(), rules.written()))
            .collect();
        let mut missing = None;
        for (number, repository) in self.repositories.iter().enumerate() {
            let known = repository.content.as_ref().map(|content| &content.rules);
            let fresh = new.filter(|(id, _)| *id == number).map(|(_, rules)| rules);
            match fresh.or(known) {
                Some(fetched) => rules.push((&repository.url, fetched.written())),
                None => missing = Some(Arc::from(repository.url.as_str())),
            }
        }
        let mut policy = compile_files(&self.config, &self.documents, rules)?;
        policy.missing = missing;
        for repository in &self.repositories {
            let place = Place::default().key("access_rules").key("repositories");
            policy
                .origins
                .entry(Arc::clone(&repository.endpoint.origin))
                .or_insert(place);
        }
        Ok(policy)
    }

    /// The polls to make now. Each is handed out once until [`RuleSet::fetched`] is told its end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(RepositoryId, Call)> {
        let mut calls = Vec::new();
        for (number, repository) in self.repositories.iter_mut().enumerate() {
            if !repository.is_under_way && repository.next <= now {
                repository.is_under_way = true;
                calls.push((RepositoryId(number), repository.call()));
            }
        }
        calls
    }

    /// Takes in the answer to a poll. New rules count only if `accept` has nothing to say against the
    /// policy that they make.
    pub fn fetched(
        &mut self,
        id: RepositoryId,
        reply: Reply,
        now: UnixTime,
        accept: impl FnOnce(&mut Policy) -> Result<(), Vec<String>>,
    ) -> Polled {
        let taken = self.take(id, reply, accept);
        let interval = self.interval;
        let Some(repository) = self.repositories.get_mut(id.0) else {
            return Polled::Unchanged;
        };
        repository.is_under_way = false;
        match taken {
            Ok(new) => {
                repository.next = now.after(interval);
                repository.pause = PAUSES.0;
                match new {
                    None => Polled::Unchanged,
                    Some((content, policy)) => {
                        repository.content = Some(content);
                        Polled::Taken(policy)
                    }
                }
            }
            Err(problems) => {
                repository.next = now.after(repository.pause.min(interval));
                repository.pause = repository.pause.saturating_mul(2).min(PAUSES.1);
                let url = &repository.url;
                let told = problems
                    .into_iter()
                    .map(|problem| format!("repository `{url}`: {problem}"));
                Polled::Refused(told.collect())
            }
        }
    }

    /// What a reply brings that is new and can be used.
    fn take(
        &self,
        id: RepositoryId,
        reply: Reply,
        accept: impl FnOnce(&mut Policy) -> Result<(), Vec<String>>,
    ) -> Result<Option<(Content, Box<Policy>)>, Vec<String>> {
        let Some(repository) = self.repositories.get(id.0) else {
            return Ok(None);
        };
        let response = reply.map_err(|failure| vec![failure.to_string()])?;
        match (response.status, &repository.content) {
            (304, Some(_)) => return Ok(None),
            (200, _) => {}
            (status, _) => return Err(vec![format!("it answered {status}")]),
        }
        let hash = sha256(&response.body);
        if repository
            .content
            .as_ref()
            .is_some_and(|known| known.hash == hash)
        {
            return Ok(None);
        }
        let rules =
            RuleFile::parse(&repository.url, &response.body).map_err(|error| texts(&[error]))?;
        if !rules.is_list() {
            return Err(vec!["it is not a list of rules".to_owned()]);
        }
        // Rules are taken back with `[]`. A body of nothing is more likely a server in trouble.
        if rules.is_null() && repository.content.is_some() {
            return Err(vec!["it is empty; write `[]` for no rules".to_owned()]);
        }
        let mut policy = self
            .compile_with(Some((id.0, &rules)))
            .map_err(|errors| texts(&errors.0))?;
        accept(&mut policy)?;
        let content = Content {
            etag: etag(&response),
            rules,
            hash,
        };
        Ok(Some((content, Box::new(policy))))
    }
}

impl Repository {
    fn call(&self) -> Call {
        let mut headers = vec![("accept".to_owned(), b"application/json".to_vec())];
        if let Some(etag) = self.content.as_ref().and_then(|known| known.etag.clone()) {
            headers.push(("if-none-match".to_owned(), etag));
        }
        Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: "GET".to_owned(),
            path: self.endpoint.path.clone(),
            headers,
            body: Vec::new(),
            timeout: TIMEOUT,
        }
    }
}

fn etag(response: &Response) -> Option<Vec<u8>> {
    let mut headers = response.headers.iter();
    headers
        .find(|(name, _)| name.eq_ignore_ascii_case("etag"))
        .map(|(_, value)| value.clone())
}

/// Rules in standard base64 with padding, JSON or YAML.
fn inline(encoded: &str) -> Result<RuleFile, String> {
    let content = STANDARD
        .decode(encoded.trim())
        .map_err(|error| format!("is not standard base64 with padding: {error}"))?;
    RuleFile::parse("inline", &content).map_err(|error| error.message)
}

/// The entries of `access_rules.repositories`: one, or a list.
fn repositories(config: &Value, errors: &Errors) -> Vec<(Place, String)> {
    let place = Place::default().key("access_rules").key("repositories");
    let entries = match config.pointer("/access_rules/repositories") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::String(one)) => return vec![(place, one.clone())],
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            errors.add(place, "must be a URL or a list of URLs");
            return Vec::new();
        }
    };
    let mut named = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        match entry.as_str() {
            Some(url) => named.push((place.index(number), url.to_owned())),
            None => errors.add(place.index(number), "must be a URL"),
        }
    }
    named
}

/// `gatepost.poll_interval`.
fn interval(config: &Value, errors: &Errors) -> Duration {
    let place = Place::default().key("gatepost");
    let of_ours = config.get("gatepost").filter(|value| value.is_object());
    let mut section = Section::new(of_ours, place, errors);
    let interval = section.duration("poll_interval").unwrap_or(INTERVAL);
    interval.max(PAUSES.0)
}

fn texts(errors: &[ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
