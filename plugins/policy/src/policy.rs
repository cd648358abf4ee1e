//! What was compiled: rules, handlers, patterns and templates, ready to use.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Changes, ConfigError, Decision, Denial, Request, Session, Verdict,
    authenticate::Authenticator,
    authorize::Authorizer,
    challenge::Challenges,
    conditions::Conditions,
    config::Place,
    decision::Stage,
    headers::are_aliases,
    jose::{KeySetSettings, KeySource, SigningSource},
    matching::{Admission, Lookup, RuleIndex, TooManySteps},
    mutate::Mutator,
    on_error::{self, ErrorHandler, Refused},
    path::{BadUrl, EncodedSlashes, Reading, Url},
    trace::Trace,
};

/// A compiled policy. Made once, by [`crate::compile::compile`].
#[derive(Debug)]
pub struct Policy {
    pub(crate) index: RuleIndex,
    pub(crate) rules: Vec<Rule>,
    pub(crate) faults: Vec<ConfigError>,
    pub(crate) fallback: Vec<ErrorHandler>,
    /// The key sets of all rules; a [`crate::FetchId`] is an index into it.
    pub(crate) key_sets: Vec<KeySource>,
    /// What signs tokens for the upstream.
    pub(crate) signing_keys: Vec<SigningSource>,
    pub(crate) key_set_settings: KeySetSettings,
    pub(crate) origins: BTreeMap<Arc<str>, Place>,
    /// The headers that some rule sets, in lower case and with `-` for `_`.
    pub(crate) settable_headers: Vec<String>,
    pub(crate) needs: Needs,
    /// The rule for requests that no other matches.
    pub(crate) default_rule: Option<usize>,
    /// The source of rules that was never read. Without it no request can be decided.
    pub(crate) missing: Option<Arc<str>>,
    /// Whether the whole rule set is only tried.
    pub(crate) shadow: bool,
    /// Whether some rule is only tried.
    pub(crate) tries_rules: bool,
    /// How paths are read, unless a rule wants encoded slashes.
    pub(crate) reading: Reading,
}

/// What decisions depend on beside the request's fields. Told by the rules once, and asked for each
/// request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    client_address: bool,
    peer_certificate: bool,
}

impl Needs {
    pub(crate) fn of(rules: &[Rule], fallback: &[ErrorHandler]) -> Self {
        let mut authenticators = rules.iter().flat_map(|rule| &rule.authenticators);
        let mut authorizers = rules.iter().flat_map(|rule| &rule.authorizers);
        let errors = rules.iter().flat_map(|rule| &rule.errors);
        Self {
            client_address: authorizers.any(|it| it.reads_client_address())
                || errors
                    .map(Arc::as_ref)
                    .chain(fallback)
                    .any(ErrorHandler::reads_client_address),
            peer_certificate: authenticators.any(|entry| entry.handler.reads_peer_certificate()),
        }
    }
}

/// One rule: what happens to a request that it matches.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    /// Why the rule cannot be enforced. Requests that it matches are refused: what it would have
    /// said of them is not known.
    pub(crate) fault: Option<ConfigError>,
    pub(crate) authenticators: Vec<Arc<AuthenticatorEntry>>,
    /// All of them must agree.
    pub(crate) authorizers: Vec<Arc<Authorizer>>,
    pub(crate) mutators: Vec<Arc<Mutator>>,
    pub(crate) errors: Vec<Arc<ErrorHandler>>,
    /// What refused clients are told of the credentials that would be accepted.
    pub(crate) challenges: Challenges,
    /// Whether the rule is only tried: decided and reported, not enforced.
    pub(crate) shadow: bool,
    /// What it demands of requests beyond their URL and method.
    pub(crate) conditions: Conditions,
    /// Of several rules that match, the one with the highest priority decides.
    pub(crate) priority: i64,
}

impl Rule {
    /// Whether it is asked in this round: enforced rules first.
    const fn is_of(&self, round: Round) -> bool {
        match round {
            Round::All => true,
            Round::Enforced => !self.shadow,
            Round::Tried => self.shadow,
        }
    }

    /// What is left of a rule that has a mistake.
    pub(crate) fn broken(mut self, fault: ConfigError) -> Self {
        self.stop(fault);
        self
    }

    /// The same, in place: it matches what it matched, and refuses all of it.
    pub(crate) fn stop(&mut self, fault: ConfigError) {
        self.fault = Some(fault);
        self.authenticators = Vec::new();
        self.authorizers = Vec::new();
        self.mutators = Vec::new();
        self.errors = Vec::new();
        self.challenges = Challenges::default();
        self.shadow = false;
    }
}

/// An authenticator, and what happens when it refuses.
#[derive(Debug)]
pub(crate) struct AuthenticatorEntry {
    pub(crate) handler: Authenticator,
    /// Whether the next one is asked after this one has refused.
    pub(crate) continue_on_failure: bool,
}

/// Which rules a lookup is about.
#[derive(Clone, Copy, Debug)]
enum Round {
    All,
    Enforced,
    Tried,
}

/// A rule's handlers by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// They are asked until one is responsible.
    pub authenticators: Vec<&'static str>,
    /// All of them must agree.
    pub authorizers: Vec<&'static str>,
    /// All of them run.
    pub mutators: Vec<&'static str>,
    /// Whether the rule is only tried.
    pub shadow: bool,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal<'a> {
    /// The rule that matched, where there is just one.
    pub(crate) rule: Option<usize>,
    pub(crate) stage: Stage,
    pub(crate) url: Option<&'a Url>,
    pub(crate) subject: Option<&'a str>,
}

impl Policy {
    /// Every origin that the policy may call, with the place that names it first. A proxy must
    /// know a cluster for each.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.origins
            .iter()
            .map(|(origin, place)| (origin.as_ref(), place))
    }

    /// Whether the policy may call `origin`.
    #[must_use]
    pub fn may_call(&self, origin: &str) -> bool {
        self.origins.contains_key(origin)
    }

    /// The repository that was never read, for which every request is refused.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// The mistakes for which rules were put aside. Such a rule no longer decides anything: requests
    /// that match it are refused, all others are decided as if it were not there.
    #[must_use]
    pub fn faults(&self) -> &[ConfigError] {
        &self.faults
    }

    /// Lets every signing key of the configuration sign something and checks it, and puts rules aside
    /// whose key does not pass: what can be signed depends on where the policy is enforced. To be called
    /// before requests come.
    ///
    /// # Panics
    /// If no `jsonwebtoken::crypto::CryptoProvider` is installed.
    pub fn prove_signing(&mut self) {
        let mut faults = BTreeMap::new();
        for rule in &mut self.rules {
            let broken = rule.mutators.iter().find_map(|mutator| {
                let (source, place) = mutator.signs_with()?;
                let key = self.signing_keys.get(source)?;
                // A key is tried once, however many rules sign with it.
                let fault = faults.entry(source).or_insert_with(|| key.fault());
                let message = fault.as_ref()?.to_string();
                Some(ConfigError {
                    place: place.clone(),
                    message,
                })
            });
            if let Some(fault) = broken {
                self.faults.push(fault.clone());
                rule.fault = Some(fault);
                rule.shadow = false;
            }
        }
    }

    /// Whether decisions depend on [`Request::client_address`]: asking a host for it costs a call.
    #[must_use]
    pub const fn needs_client_address(&self) -> bool {
        self.needs.client_address
    }

    /// Whether decisions depend on [`Request::peer_certificate`]: asking a host for it costs calls.
    #[must_use]
    pub const fn needs_peer_certificate(&self) -> bool {
        self.needs.peer_certificate
    }

    /// Whether some rule sets a header that an upstream could take `name` for: no client may send
    /// it, in the header section or in trailers.
    #[must_use]
    pub fn reserves(&self, name: &[u8]) -> bool {
        self.settable_headers
            .iter()
            .any(|settable| are_aliases(settable.as_bytes(), name))
    }

    /// How many rules there are.
    #[must_use]
    pub const fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// The path of a request as rules match it, for logs.
    #[must_use]
    pub fn canonical_path(&self, request: &Request) -> Option<String> {
        let kept = Reading {
            encoded_slashes: EncodedSlashes::Keep,
            ..self.reading
        };
        let url = Url::read(request, self.reading).or_else(|_| Url::read(request, kept));
        url.ok().map(|url| url.path)
    }

    /// The URL of a request, and the rule for it.
    pub(crate) fn locate(&self, method: &str, request: &Request) -> Result<(Url, Lookup), BadUrl> {
        match Url::read(request, self.reading) {
            Err(BadUrl::EncodedSlash) => self.locate_encoded(method, request),
            Err(bad) => Err(bad),
            Ok(url) => {
                let found = self.find(method, &url, request);
                Ok((url, found))
            }
        }
    }

    /// The same for a path with `%2F`, which only rules that ask for it take. The path is read either
    /// way, so that nobody gets past a rule by writing its URL differently.
    fn locate_encoded(&self, method: &str, request: &Request) -> Result<(Url, Lookup), BadUrl> {
        let wants = |rule: usize, reading| {
            let rule = self.rules.get(rule);
            rule.is_some_and(|rule| rule.conditions.encoded_slashes == reading)
        };
        let wanted = |reading| (0..self.rules.len()).any(|rule| wants(rule, reading));
        if !wanted(EncodedSlashes::Decode) && !wanted(EncodedSlashes::Keep) {
            return Err(BadUrl::EncodedSlash);
        }
        let read = |encoded_slashes| {
            let reading = Reading {
                encoded_slashes,
                ..self.reading
            };
            let url = Url::read(request, reading).ok()?;
            let found = self.find(method, &url, request);
            Some((url, found))
        };
        let taker = |(_, found): &(Url, Lookup), reading| match found {
            Lookup::One { rule, .. } if wants(*rule, reading) => Some(*rule),
            _ => None,
        };
        let decoded = read(EncodedSlashes::Decode).ok_or(BadUrl::EncodedSlash)?;
        let of_decoded = taker(&decoded, EncodedSlashes::Decode);
        let Some(kept) = read(EncodedSlashes::Keep) else {
            return of_decoded.map(|_| decoded).ok_or(BadUrl::EncodedSlash);
        };
        match (of_decoded, taker(&kept, EncodedSlashes::Keep)) {
            (Some(_), None) => Ok(decoded),
            // An upstream may decode what it gets. It must not come to where another rule decides.
            (None, Some(rule)) if self.takes_no_other(&decoded.1, rule) => Ok(kept),
            _ => Err(BadUrl::EncodedSlash),
        }
    }

    /// Whether no rule but `rule` and the default rule takes part in what was found.
    fn takes_no_other(&self, found: &Lookup, rule: usize) -> bool {
        match found {
            Lookup::None => true,
            Lookup::One { rule: other, .. } => *other == rule || Some(*other) == self.default_rule,
            Lookup::Several(_) | Lookup::TooManySteps(_) | Lookup::Unclear(_) => false,
        }
    }

    /// The rule for a request: the one that matches; of several the one that goes before all others;
    /// of none the default rule. A rule that is only tried must not keep one that is enforced from
    /// deciding: it is looked at only where none of these matches.
    pub(crate) fn find(&self, method: &str, url: &Url, request: &Request) -> Lookup {
        if !self.tries_rules {
            return self.find_in(Round::All, method, url, request);
        }
        match self.find_in(Round::Enforced, method, url, request) {
            Lookup::None => self.find_in(Round::Tried, method, url, request),
            found => found,
        }
    }

    fn find_in(&self, round: Round, method: &str, url: &Url, request: &Request) -> Lookup {
        let counts = |number: usize| self.rules.get(number).is_some_and(|rule| rule.is_of(round));
        let admits = |number: usize| match self.rules.get(number) {
            Some(rule) => rule.conditions.admit(request, url),
            None => Ok(Admission::No),
        };
        match self.index.lookup_among(method, url, counts, admits) {
            Lookup::Several(numbers) => match self.first_of(&numbers) {
                Some(rule) => self.index.captures(rule, url),
                None => Lookup::Several(numbers),
            },
            Lookup::None => match self.default_rule.filter(|rule| counts(*rule)) {
                Some(rule) => match admits(rule) {
                    Ok(Admission::Yes) => Lookup::One {
                        rule,
                        captures: Vec::new(),
                    },
                    Ok(Admission::No) => Lookup::None,
                    Ok(Admission::Unclear) => Lookup::Unclear(rule),
                    Err(TooManySteps) => Lookup::TooManySteps(rule),
                },
                None => Lookup::None,
            },
            found => found,
        }
    }

    /// The rule with the highest priority, if no other has the same.
    fn first_of(&self, numbers: &[usize]) -> Option<usize> {
        let priority = |number: usize| self.rules.get(number).map(|rule| rule.priority);
        let highest = numbers
            .iter()
            .filter_map(|number| priority(*number))
            .max()?;
        let mut first = numbers
            .iter()
            .filter(|number| priority(**number) == Some(highest));
        match (first.next(), first.next()) {
            (Some(rule), None) => Some(*rule),
            _ => None,
        }
    }

    /// Whether the whole rule set is only tried.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The ids of the rules that were put aside.
    pub fn quarantined(&self) -> impl Iterator<Item = &str> {
        let broken = self.rules.iter().filter(|rule| rule.fault.is_some());
        broken.map(|rule| &*rule.id)
    }

    /// The rules with their handlers, in the order in which they are asked.
    pub fn outline(&self) -> impl Iterator<Item = Outline<'_>> {
        self.rules.iter().map(|rule| Outline {
            rule: &rule.id,
            authenticators: rule
                .authenticators
                .iter()
                .map(|entry| entry.handler.name())
                .collect(),
            authorizers: rule.authorizers.iter().map(|it| it.name()).collect(),
            mutators: rule.mutators.iter().map(|it| it.name()).collect(),
            shadow: self.shadow || rule.shadow,
        })
    }

    /// Notes which rules a request matches.
    pub(crate) fn note_match(&self, trace: &mut Trace, method: &str, url: &Url, lookup: &Lookup) {
        let (rules, captures) = match lookup {
            Lookup::None => (&[][..], &[][..]),
            Lookup::One { rule, captures } => (std::slice::from_ref(rule), captures.as_slice()),
            Lookup::Several(rules) => (rules.as_slice(), &[][..]),
            Lookup::TooManySteps(rule) | Lookup::Unclear(rule) => {
                (std::slice::from_ref(rule), &[][..])
            }
        };
        let rules = rules.iter().filter_map(|rule| self.rules.get(*rule));
        trace.method = Some(method.to_owned());
        trace.url = Some(url.subject());
        trace.rules = rules.map(|rule| rule.id.to_string()).collect();
        trace.captures = captures.to_vec();
    }

    /// The request goes upstream, with what the session says about its sender.
    pub(crate) fn allow(
        &self,
        rule: usize,
        session: Session,
        url: &Url,
        request: &Request,
    ) -> Decision {
        let raw_path = request.headers.first(":path").unwrap_or_default();
        let is_set = |name: &[u8]| {
            session
                .headers
                .iter()
                .any(|(set, _)| set.as_bytes().eq_ignore_ascii_case(name))
        };
        let changes = Changes {
            path: without_parameters(url.upstream_path(raw_path), raw_path, &session),
            remove: self.spoofed(request, |name| {
                // Equal names are replaced; others that are taken for them would stay beside them.
                let names = session.headers.iter().map(|(set, _)| set.as_bytes());
                if is_set(name) {
                    Some(false)
                } else {
                    let withheld = session.withheld.headers.iter().map(|it| it.as_bytes());
                    names
                        .chain(withheld)
                        .any(|set| are_aliases(set, name))
                        .then_some(true)
                }
            }),
            set: session
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
        };
        let decision = Decision {
            rule: self.rules.get(rule).map(|rule| Arc::clone(&rule.id)),
            stage: Stage::Done,
            subject: Some(session.subject),
            verdict: Verdict::Allow(changes),
            shadow: None,
            trace: None,
        };
        self.enforced(decision, self.rules.get(rule), request)
    }

    /// Answers the client in the upstream's place.
    pub(crate) fn refuse(
        &self,
        reason: Denial,
        refusal: &Refusal<'_>,
        request: &Request,
    ) -> Decision {
        let rule = refusal.rule.and_then(|rule| self.rules.get(rule));
        let reason = match rule {
            Some(rule) => rule.challenges.renumber(reason),
            None => reason,
        };
        let handlers = rule.map_or(&[][..], |rule| &rule.errors);
        let refused = Refused {
            denial: &reason,
            request,
            url: refusal.url,
        };
        let mut response = on_error::respond(handlers, &self.fallback, &refused);
        if let Some(rule) = rule {
            let challenges = rule.challenges.headers(&reason, response.status);
            response.headers.extend(challenges);
        }
        let decision = Decision {
            rule: rule.map(|rule| Arc::clone(&rule.id)),
            stage: refusal.stage,
            subject: refusal.subject.map(str::to_owned),
            verdict: Verdict::Deny { reason, response },
            shadow: None,
            trace: None,
        };
        self.enforced(decision, rule, request)
    }

    /// A rule that is only tried lets everything pass as it came.
    fn enforced(&self, decision: Decision, rule: Option<&Rule>, request: &Request) -> Decision {
        if !self.shadow && !rule.is_some_and(|rule| rule.shadow) {
            return decision;
        }
        Decision {
            verdict: Verdict::Allow(self.unchanged(request)),
            shadow: Some(Box::new(decision.verdict)),
            ..decision
        }
    }

    /// What lets a request pass whatever becomes of it, if `rule` is only tried.
    pub(crate) fn passing(&self, rule: usize, request: &Request) -> Option<Changes> {
        let is_tried = self.shadow || self.rules.get(rule).is_some_and(|rule| rule.shadow);
        is_tried.then(|| self.unchanged(request))
    }

    /// A request as it came, but for the headers that only rules may set.
    fn unchanged(&self, request: &Request) -> Changes {
        Changes {
            path: None,
            remove: self.spoofed(request, |_| None),
            set: Vec::new(),
        }
    }

    /// The client's fields under names that only rules may set; `of_session` says it of names that
    /// it knows more of.
    fn spoofed(
        &self,
        request: &Request,
        of_session: impl Fn(&[u8]) -> Option<bool>,
    ) -> Vec<Vec<u8>> {
        let mut remove: Vec<Vec<u8>> = Vec::new();
        for (name, _) in request.headers.iter() {
            let spoofs = of_session(name).unwrap_or_else(|| self.reserves(name));
            if spoofs && !remove.iter().any(|known| known == name) {
                remove.push(name.to_vec());
            }
        }
        remove
    }
}

/// The path for the upstream without the parameters that a handler withholds; `None` where the client's
/// own may go there.
fn without_parameters(path: Option<String>, raw: &[u8], session: &Session) -> Option<String> {
    let withheld = &session.withheld.parameters;
    if withheld.is_empty() {
        return path;
    }
    let path = match path {
        Some(path) => path,
        None => std::str::from_utf8(raw).ok()?.to_owned(),
    };
    let Some((before, query)) = path.split_once('?') else {
        return Some(path);
    };
    let is_kept = |pair: &&str| {
        let mut read = form_urlencoded::parse(pair.as_bytes());
        !read.any(|(name, _)| withheld.iter().any(|it| **it == *name))
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    Some(match kept.is_empty() {
        true => before.to_owned(),
        false => format!("{before}?{}", kept.join("&")),
    })
}
