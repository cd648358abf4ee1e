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
    jose::{KeySetSettings, KeySource, SigningSource},
    matching::{Lookup, RuleIndex},
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
            client_address: authorizers.any(Authorizer::reads_client_address)
                || errors
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
    pub(crate) authenticators: Vec<AuthenticatorEntry>,
    /// All of them must agree.
    pub(crate) authorizers: Vec<Authorizer>,
    pub(crate) mutators: Vec<Mutator>,
    pub(crate) errors: Vec<ErrorHandler>,
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
    /// What is left of a rule that has a mistake.
    pub(crate) fn broken(self, fault: ConfigError) -> Self {
        let Self {
            id,
            conditions,
            priority,
            ..
        } = self;
        Self {
            id,
            fault: Some(fault),
            authenticators: Vec::new(),
            authorizers: Vec::new(),
            mutators: Vec::new(),
            errors: Vec::new(),
            challenges: Challenges::default(),
            shadow: false,
            conditions,
            priority,
        }
    }
}

/// An authenticator, and what happens when it refuses.
#[derive(Debug)]
pub(crate) struct AuthenticatorEntry {
    pub(crate) handler: Authenticator,
    /// Whether the next one is asked after this one has refused.
    pub(crate) continue_on_failure: bool,
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
            .any(|settable| is_alias(settable.as_bytes(), name))
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

    /// The same for a path with `%2F`, which only rules that ask for it take. All rules are looked
    /// at, read either way, so that nobody gets past one by writing its URL differently.
    fn locate_encoded(&self, method: &str, request: &Request) -> Result<(Url, Lookup), BadUrl> {
        let mut located = None;
        for encoded_slashes in [EncodedSlashes::Decode, EncodedSlashes::Keep] {
            let wanted = |rule: &Rule| rule.conditions.encoded_slashes == encoded_slashes;
            if !self.rules.iter().any(wanted) {
                continue;
            }
            let reading = Reading {
                encoded_slashes,
                ..self.reading
            };
            let Ok(url) = Url::read(request, reading) else {
                continue;
            };
            let found = self.find(method, &url, request);
            let takes = matches!(&found, Lookup::One { rule, .. }
                if self.rules.get(*rule).is_some_and(wanted));
            if takes && located.replace((url, found)).is_some() {
                return Err(BadUrl::EncodedSlash);
            }
        }
        located.ok_or(BadUrl::EncodedSlash)
    }

    /// The rule for a request: the one that matches; of several the one that goes before all others;
    /// of none the default rule.
    pub(crate) fn find(&self, method: &str, url: &Url, request: &Request) -> Lookup {
        let admits = |number: usize| match self.rules.get(number) {
            Some(rule) => rule.conditions.admit(request, url),
            None => Ok(false),
        };
        match self.index.lookup_among(method, url, admits) {
            Lookup::Several(numbers) => match self.first_of(&numbers) {
                Some(rule) => self.index.captures(rule, url),
                None => Lookup::Several(numbers),
            },
            Lookup::None => match self.default_rule.map(|rule| (rule, admits(rule))) {
                Some((rule, Ok(true))) => Lookup::One {
                    rule,
                    captures: Vec::new(),
                },
                Some((rule, Err(_))) => Lookup::TooManySteps(rule),
                Some((_, Ok(false))) | None => Lookup::None,
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
            authorizers: rule.authorizers.iter().map(Authorizer::name).collect(),
            mutators: rule.mutators.iter().map(Mutator::name).collect(),
            shadow: self.shadow || rule.shadow,
        })
    }

    /// Notes which rules a request matches.
    pub(crate) fn note_match(&self, trace: &mut Trace, method: &str, url: &Url, lookup: &Lookup) {
        let (rules, captures) = match lookup {
            Lookup::None => (&[][..], &[][..]),
            Lookup::One { rule, captures } => (std::slice::from_ref(rule), captures.as_slice()),
            Lookup::Several(rules) => (rules.as_slice(), &[][..]),
            Lookup::TooManySteps(rule) => (std::slice::from_ref(rule), &[][..]),
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
            path: url.upstream_path(raw_path),
            remove: self.spoofed(request, is_set),
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

    /// A rule that is only tried lets everything pass as it came, but for the headers that only
    /// rules may set.
    fn enforced(&self, decision: Decision, rule: Option<&Rule>, request: &Request) -> Decision {
        if !self.shadow && !rule.is_some_and(|rule| rule.shadow) {
            return decision;
        }
        let unchanged = Changes {
            path: None,
            remove: self.spoofed(request, |_| false),
            set: Vec::new(),
        };
        Decision {
            verdict: Verdict::Allow(unchanged),
            shadow: Some(Box::new(decision.verdict)),
            ..decision
        }
    }

    /// The client's fields under names that only rules may set, but for those that are set anyway.
    fn spoofed(&self, request: &Request, is_set: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let mut remove: Vec<Vec<u8>> = Vec::new();
        for (name, _) in request.headers.iter() {
            let spoofs = self.reserves(name) && !is_set(name);
            if spoofs && !remove.iter().any(|known| known == name) {
                remove.push(name.to_vec());
            }
        }
        remove
    }
}

/// Whether a client's `name` reaches some upstream as `settable`: they differ at most in letter
/// case and in `_` for `-`, which CGI-like upstreams fold (peers T9).
fn is_alias(settable: &[u8], name: &[u8]) -> bool {
    settable.len() == name.len()
        && settable.iter().zip(name).all(|(settable, sent)| {
            *settable == sent.to_ascii_lowercase() || (*settable == b'-' && *sent == b'_')
        })
}
