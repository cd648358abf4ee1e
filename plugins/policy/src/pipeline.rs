//! The one place that states the order of stages, and how a driver steps through them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Call, Changes, Decision, Denial, FetchId, Reply, Request, Session, UnixTime, Verdict,
    authenticate::{Authentication, Authenticator},
    authorize::Authorizer,
    call::Endpoint,
    config::Place,
    jose::{CacheLimits, KeySetSettings, KeySets, Verifier},
    matching::{Lookup, RuleIndex},
    mutate::Mutator,
    on_error::{self, ErrorHandler, Refused},
    path::Url,
    session::MatchContext,
};

/// A compiled policy: rules, handlers, patterns and templates, ready to use. Made once, by
/// [`crate::compile::compile`].
#[derive(Debug)]
pub struct Policy {
    pub(crate) index: RuleIndex,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fallback: Vec<ErrorHandler>,
    /// The key sets of all rules; a [`FetchId`] is an index into it.
    pub(crate) key_sets: Vec<Endpoint>,
    pub(crate) key_set_settings: KeySetSettings,
    pub(crate) origins: BTreeMap<Arc<str>, Place>,
    /// The headers that some rule sets, in lower case and with `-` for `_`.
    pub(crate) settable_headers: Vec<String>,
}

impl Policy {
    /// Every origin that the policy may call, with the place that names it first. A proxy must
    /// know a cluster for each.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.origins
            .iter()
            .map(|(origin, place)| (origin.as_ref(), place))
    }

    /// Whether decisions depend on [`Request::client_address`]: asking a host for it costs a call.
    #[must_use]
    pub fn needs_client_address(&self) -> bool {
        let of_rules = self.rules.iter().flat_map(|rule| &rule.errors);
        of_rules
            .chain(&self.fallback)
            .any(ErrorHandler::reads_client_address)
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
}

/// One rule: what happens to a request that it matches.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) authenticators: Vec<Authenticator>,
    pub(crate) authorizer: Authorizer,
    pub(crate) mutators: Vec<Mutator>,
    pub(crate) errors: Vec<ErrorHandler>,
}

/// A policy and what it remembers between requests: key sets and verified tokens, all bounded.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    tokens: Verifier,
}

/// Where a request stands after a step.
#[derive(Debug)]
pub enum Step {
    /// Decided.
    Done(Decision),
    /// The driver makes this call and hands the reply to [`Engine::resume`].
    Call(Call, Pending),
    /// The request waits for a shared background fetch. The driver makes what [`Engine::due`]
    /// lists now, and once [`Engine::fetched`] was told of this fetch calls [`Engine::retry`].
    Wait(FetchId, Pending),
}

/// A request half decided. Owns nothing of the request itself: the driver lends that to each step.
#[derive(Debug)]
pub struct Pending {
    matched: Matched,
    /// The authenticator whose answer is awaited.
    authenticator: usize,
    /// How often the request has waited for keys, so that it cannot wait for ever.
    waits: u8,
}

/// The rule that matched a request, and what the match left behind.
#[derive(Debug)]
struct Matched {
    rule: usize,
    url: Url,
    captures: Vec<String>,
}

/// What the handlers of a stage may know of a request.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a Request,
    pub(crate) method: &'a str,
    pub(crate) url: &'a Url,
    pub(crate) captures: &'a [String],
    pub(crate) now: UnixTime,
}

impl<'a> Facts<'a> {
    /// What templates see of the match.
    pub(crate) const fn match_context(&self) -> MatchContext<'a> {
        MatchContext {
            captures: self.captures,
            url: self.url,
            method: self.method,
            headers: &self.request.headers,
        }
    }
}

/// How often one request may wait for keys: for each of a few sets that were never fetched, and for
/// keys that appeared since.
const MAX_WAITS: u8 = 8;

impl Engine {
    /// An engine that knows no keys yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let key_sets = KeySets::new(policy.key_sets.clone(), policy.key_set_settings.clone());
        Self {
            policy,
            tokens: Verifier::new(key_sets, CacheLimits::default()),
        }
    }

    /// The policy that is enforced.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Begins to decide `request`.
    pub fn decide(&mut self, request: &Request, now: UnixTime) -> Step {
        let url = match Url::from_request(request) {
            Ok(url) => url,
            Err(bad) => return self.refuse(Denial::BadRequest(bad.reason()), None, None, request),
        };
        let Some(method) = method(request) else {
            let denial = Denial::BadRequest("the request has no method");
            return self.refuse(denial, None, Some(&url), request);
        };
        let (rule, captures) = match self.policy.index.lookup(method, &url) {
            Lookup::One { rule, captures } => (rule, captures),
            Lookup::None => return self.refuse(Denial::NoRule, None, Some(&url), request),
            Lookup::Several(_) => {
                return self.refuse(Denial::SeveralRules, None, Some(&url), request);
            }
            Lookup::TooManySteps(rule) => {
                let denial = Denial::Internal("matching took too many steps".to_owned());
                return self.refuse(denial, Some(rule), Some(&url), request);
            }
        };
        let matched = Matched {
            rule,
            url,
            captures,
        };
        self.authenticate(matched, 0, 0, request, now)
    }

    /// Goes on with a request whose [`Step::Call`] was answered.
    pub fn resume(
        &mut self,
        pending: Pending,
        request: &Request,
        reply: Reply,
        now: UnixTime,
    ) -> Step {
        let Pending {
            matched,
            authenticator,
            waits,
        } = pending;
        let asked = self
            .policy
            .rules
            .get(matched.rule)
            .and_then(|rule| rule.authenticators.get(authenticator));
        let outcome = match asked {
            Some(handler) => handler.resume(reply),
            None => Authentication::Refused(gone()),
        };
        self.authenticated(outcome, matched, authenticator, waits, request, now)
    }

    /// Goes on with a request whose [`Step::Wait`] is over.
    pub fn retry(&mut self, pending: Pending, request: &Request, now: UnixTime) -> Step {
        self.authenticate(
            pending.matched,
            pending.authenticator,
            pending.waits,
            request,
            now,
        )
    }

    /// The background fetches (key sets) to make now: those that requests wait for, and those due
    /// for a refresh. Each is handed out once until [`Engine::fetched`] is told its end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        self.tokens.due(now)
    }

    /// Takes in the answer to a background fetch.
    pub fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) {
        self.tokens.fetched(fetch, reply, now);
    }

    /// Why the latest fetch of a key set failed, for the operator's log; `None` if it did not.
    #[must_use]
    pub fn fetch_fault(&self, fetch: FetchId) -> Option<String> {
        let endpoint = self.policy.key_sets.get(usize::try_from(fetch.0).ok()?)?;
        let fault = self.tokens.fault(fetch)?;
        Some(format!(
            "key set `{}{}`: {fault}",
            endpoint.origin, endpoint.path
        ))
    }

    /// Asks the authenticators from number `first` on, until one is responsible.
    fn authenticate(
        &mut self,
        matched: Matched,
        first: usize,
        waits: u8,
        request: &Request,
        now: UnixTime,
    ) -> Step {
        let Some(rule) = self.policy.rules.get(matched.rule) else {
            return self.refuse(gone(), None, Some(&matched.url), request);
        };
        let facts = facts(&matched, request, now);
        let responsible = rule
            .authenticators
            .iter()
            .enumerate()
            .skip(first)
            .map(|(number, handler)| (number, handler.authenticate(&facts, &mut self.tokens)))
            .find(|(_, outcome)| !matches!(outcome, Authentication::NotResponsible));
        let (number, outcome) = responsible.unwrap_or((
            first,
            Authentication::Refused(Denial::Unauthorized(
                "no authenticator is responsible for the request's credentials".to_owned(),
            )),
        ));
        self.authenticated(outcome, matched, number, waits, request, now)
    }

    /// Acts on what the authenticator number `authenticator` said.
    fn authenticated(
        &mut self,
        outcome: Authentication,
        matched: Matched,
        authenticator: usize,
        waits: u8,
        request: &Request,
        now: UnixTime,
    ) -> Step {
        let pending = |matched, waits| Pending {
            matched,
            authenticator,
            waits,
        };
        match outcome {
            Authentication::Known(session) if !is_distinct(&session.subject) => {
                let denial = Denial::Unauthorized(
                    "the subject begins or ends with a blank, or holds control characters"
                        .to_owned(),
                );
                self.refuse(denial, Some(matched.rule), Some(&matched.url), request)
            }
            Authentication::Known(session) => self.finish(session, &matched, request, now),
            Authentication::Refused(denial) => {
                self.refuse(denial, Some(matched.rule), Some(&matched.url), request)
            }
            Authentication::Ask(call) => Step::Call(call, pending(matched, waits)),
            Authentication::Await(fetch) if waits < MAX_WAITS => {
                Step::Wait(fetch, pending(matched, waits.saturating_add(1)))
            }
            Authentication::Await(_) => {
                let denial = Denial::Unauthorized("the issuer's keys could not be had".to_owned());
                self.refuse(denial, Some(matched.rule), Some(&matched.url), request)
            }
            Authentication::NotResponsible => {
                let next = authenticator.saturating_add(1);
                self.authenticate(matched, next, waits, request, now)
            }
        }
    }

    /// Authorizes a known caller and makes the changes.
    fn finish(
        &self,
        mut session: Session,
        matched: &Matched,
        request: &Request,
        now: UnixTime,
    ) -> Step {
        let Some(rule) = self.policy.rules.get(matched.rule) else {
            return self.refuse(gone(), None, Some(&matched.url), request);
        };
        let facts = facts(matched, request, now);
        let outcome = rule.authorizer.authorize().and_then(|()| {
            rule.mutators
                .iter()
                .try_for_each(|mutator| mutator.mutate(&mut session, &facts))
        });
        match outcome {
            Ok(()) => Step::Done(Decision {
                rule: Some(Arc::clone(&rule.id)),
                verdict: Verdict::Allow(self.changes(session, &matched.url, request)),
            }),
            Err(denial) => self.refuse(denial, Some(matched.rule), Some(&matched.url), request),
        }
    }

    fn changes(&self, session: Session, url: &Url, request: &Request) -> Changes {
        let raw_path = request.headers.first(":path").unwrap_or_default();
        let is_set = |name: &[u8]| {
            session
                .headers
                .iter()
                .any(|(set, _)| set.as_bytes().eq_ignore_ascii_case(name))
        };
        let mut remove: Vec<Vec<u8>> = Vec::new();
        for (name, _) in request.headers.iter() {
            let spoofs = self.policy.reserves(name) && !is_set(name);
            if spoofs && !remove.iter().any(|known| known == name) {
                remove.push(name.to_vec());
            }
        }
        Changes {
            path: url.upstream_path(raw_path),
            remove,
            set: session
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
        }
    }

    /// Answers the client in the upstream's place.
    fn refuse(
        &self,
        reason: Denial,
        rule: Option<usize>,
        url: Option<&Url>,
        request: &Request,
    ) -> Step {
        let rule = rule.and_then(|rule| self.policy.rules.get(rule));
        let handlers = rule.map_or(&[][..], |rule| &rule.errors);
        let refused = Refused {
            denial: &reason,
            request,
            url,
        };
        let response = on_error::respond(handlers, &self.policy.fallback, &refused);
        Step::Done(Decision {
            rule: rule.map(|rule| Arc::clone(&rule.id)),
            verdict: Verdict::Deny { reason, response },
        })
    }
}

fn facts<'a>(matched: &'a Matched, request: &'a Request, now: UnixTime) -> Facts<'a> {
    Facts {
        request,
        method: method(request).unwrap_or_default(),
        url: &matched.url,
        captures: &matched.captures,
        now,
    }
}

/// The request method; `None` where it is missing or not a token.
fn method(request: &Request) -> Option<&str> {
    request
        .headers
        .first_str(":method")
        .filter(|method| !method.is_empty())
}

/// Whether a subject stays what it is in a header field: receivers take the blanks around a value
/// away (RFC 9110 section 5.5), which would make ` admin` an `admin`.
fn is_distinct(subject: &str) -> bool {
    subject.trim() == subject && !subject.contains(char::is_control)
}

/// A rule that is no longer there; a driver that mixes up engines must not get an allow.
fn gone() -> Denial {
    Denial::Internal("the rule is no longer there".to_owned())
}

/// Whether a client's `name` reaches some upstream as `settable`: they differ at most in letter
/// case and in `_` for `-`, which CGI-like upstreams fold (peers T9).
fn is_alias(settable: &[u8], name: &[u8]) -> bool {
    settable.len() == name.len()
        && settable.iter().zip(name).all(|(settable, sent)| {
            *settable == sent.to_ascii_lowercase() || (*settable == b'-' && *sent == b'_')
        })
}
