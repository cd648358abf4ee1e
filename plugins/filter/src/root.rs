//! The plugin as a whole: its configuration, the key sets that it fetches in the background, and the
//! requests that wait for them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
    time::Duration,
};

use gatepost_policy::{
    Call, Engine, FailedCall, FetchId, Policy, Polled, Reply, RepositoryId, RuleSet, UnixTime,
};
use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::ContextType,
};

use crate::{
    host,
    http::{Exchange, Http, Within},
    report::Reporter,
    settings::{self, BrokenRules, Clusters, Reader, Settings},
};

/// How often due fetches are looked for.
const TICK: Duration = Duration::from_secs(1);

/// "As soon as possible": a fetch that a request waits for has to start from the root context, or it
/// would be lost with that request.
const NOW: Duration = Duration::from_millis(1);

/// How many requests may wait for one fetch. A flood of unknown key ids must not fill the memory.
const MAX_WAITING: usize = 4096;

/// What all requests of one configuration share. Lives in one VM, so in one thread.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) decision_metadata: bool,
    pub(crate) trust_forwarded_address: bool,
    pub(crate) reporter: Reporter,
    rules: RuleSet,
    broken_rules: BrokenRules,
    clusters: Clusters,
    waiting: BTreeMap<FetchId, Vec<Weak<RefCell<Exchange>>>>,
    /// The requests whose bodies are awaited.
    reading: Vec<Weak<RefCell<Exchange>>>,
    /// Whether a part of a paused request's body was ever seen: not every host shows them.
    pub(crate) bodies_come: bool,
    /// Whether ticks come at all.
    ticks: bool,
    calls: BTreeMap<u32, Caller>,
    pub(crate) parked_bytes: Rc<Cell<usize>>,
    hurried: bool,
}

/// How many bytes of requests may wait at once. A VM never gives memory back, so a flood of large
/// requests during one slow answer must not decide how much it holds from then on.
const MAX_PARKED_BYTES: usize = 16 * 1024 * 1024;

/// A request's share of [`MAX_PARKED_BYTES`], given back when it is dropped.
pub(crate) struct Parked {
    all: Rc<Cell<usize>>,
    bytes: usize,
}

impl Parked {
    /// `None` if too much waits already.
    pub(crate) fn new(all: &Rc<Cell<usize>>, bytes: usize) -> Option<Self> {
        let sum = all.get().saturating_add(bytes);
        (sum <= MAX_PARKED_BYTES).then(|| {
            all.set(sum);
            Self {
                all: Rc::clone(all),
                bytes,
            }
        })
    }
}

impl Parked {
    /// Takes `bytes` more; false if too much waits already.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let sum = self.all.get().saturating_add(bytes);
        if sum > MAX_PARKED_BYTES {
            return false;
        }
        self.all.set(sum);
        self.bytes = self.bytes.saturating_add(bytes);
        true
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.bytes));
    }
}

/// Who made a call whose reply comes back to the root context.
enum Caller {
    Fetch(FetchId),
    /// A poll for new rules.
    Poll(RepositoryId),
    /// A request that was woken in the root's callback, and then needed another call.
    Request(Weak<RefCell<Exchange>>),
}

impl Shared {
    fn new(settings: Settings, seed: [u8; 32]) -> Self {
        Self {
            reporter: Reporter::new(settings.reporting, &settings.policy),
            engine: Engine::new(settings.policy, seed),
            decision_metadata: settings.decision_metadata,
            trust_forwarded_address: settings.trust_forwarded_address,
            rules: settings.rules,
            broken_rules: settings.broken_rules,
            clusters: settings.clusters,
            waiting: BTreeMap::new(),
            reading: Vec::new(),
            bodies_come: false,
            ticks: settings.fetches,
            calls: BTreeMap::new(),
            parked_bytes: Rc::default(),
            hurried: true,
        }
    }

    /// Sends a call to the cluster of its origin.
    pub(crate) fn send(&self, call: &Call) -> Result<u32, FailedCall> {
        let Some(cluster) = self.clusters.get(&call.origin) else {
            // Every origin is checked when the configuration is read; kept as the last line.
            host::log_error(&format!("no cluster for the origin `{}`", call.origin));
            return Err(FailedCall::NotSent);
        };
        host::send(cluster, call).map_err(|error| {
            host::log_warning(&format!(
                "no call to `{}` through the cluster `{cluster}`: {error}; \
                 does the proxy's configuration have a cluster of that name?",
                call.origin
            ));
            FailedCall::NotSent
        })
    }

    /// Takes a request into the queue for `fetch`; false if that is full.
    pub(crate) fn wait(&mut self, fetch: FetchId, exchange: Weak<RefCell<Exchange>>) -> bool {
        let queue = self.waiting.entry(fetch).or_default();
        if queue.len() >= MAX_WAITING {
            queue.retain(|waiting| waiting.strong_count() > 0);
        }
        if queue.len() >= MAX_WAITING {
            return false;
        }
        queue.push(exchange);
        if !std::mem::replace(&mut self.hurried, true) {
            host::tick_every(NOW);
        }
        true
    }

    /// Notes a request whose body is awaited; false if there are too many.
    pub(crate) fn read(&mut self, exchange: Weak<RefCell<Exchange>>) -> bool {
        if self.reading.len() >= MAX_WAITING {
            self.reading.retain(|reading| reading.strong_count() > 0);
        }
        if self.reading.len() >= MAX_WAITING {
            return false;
        }
        self.reading.push(exchange);
        if !std::mem::replace(&mut self.ticks, true) {
            host::tick_every(TICK);
        }
        true
    }

    /// Notes that the reply to `token` comes to the root context and belongs to this request.
    pub(crate) fn adopt(&mut self, token: u32, exchange: Weak<RefCell<Exchange>>) {
        if self.calls.len() >= MAX_WAITING {
            self.forget_gone();
        }
        self.calls.insert(token, Caller::Request(exchange));
    }

    /// Forgets the calls of requests that have gone: hosts cancel these, and no reply ever comes.
    fn forget_gone(&mut self) {
        self.calls.retain(|_, caller| match caller {
            Caller::Request(request) => request.strong_count() > 0,
            Caller::Fetch(_) | Caller::Poll(_) => true,
        });
    }

    /// Starts the fetches that are due; returns the requests whose wait is over already.
    fn fetch_due(&mut self, now: UnixTime) -> Vec<Weak<RefCell<Exchange>>> {
        for (fetch, call) in self.engine.due(now) {
            match self.send(&call) {
                Ok(token) => {
                    self.calls.insert(token, Caller::Fetch(fetch));
                }
                Err(failed) => self.engine.fetched(fetch, Err(failed), now),
            }
        }
        let under_way: Vec<_> = self.calls.values().filter_map(Caller::fetch).collect();
        self.waiting
            .extract_if(.., |fetch, _| !under_way.contains(fetch))
            .flat_map(|(_, queue)| queue)
            .collect()
    }

    /// Starts the polls that are due.
    fn poll_due(&mut self, now: UnixTime) {
        for (repository, call) in self.rules.due(now) {
            match self.send(&call) {
                Ok(token) => {
                    self.calls.insert(token, Caller::Poll(repository));
                }
                Err(failed) => drop(self.polled(repository, Err(failed), now)),
            }
        }
    }

    /// A repository has answered. Returns the requests that waited for keys of the former policy.
    fn polled(
        &mut self,
        repository: RepositoryId,
        reply: Reply,
        now: UnixTime,
    ) -> Vec<Weak<RefCell<Exchange>>> {
        let (broken_rules, clusters) = (self.broken_rules, &self.clusters);
        let polled = self.rules.fetched(repository, reply, now, |policy| {
            settings::accept(policy, broken_rules, clusters)
                .map_err(|problems| problems.iter().map(ToString::to_string).collect())
        });
        match polled {
            Polled::Unchanged => Vec::new(),
            Polled::Refused(problems) => {
                for problem in problems {
                    host::log_error(&format!("new rules are not taken: {problem}"));
                }
                Vec::new()
            }
            Polled::Taken(policy) => {
                host::log_info(&format!(
                    "new rules are in force: {} in all, {} mistakes",
                    policy.rule_count(),
                    policy.faults().len()
                ));
                log_faults(&policy);
                self.reporter.reload(&policy);
                self.engine.reload(*policy);
                // Fetches of the former policy are nobody's any more, and who waits begins anew.
                self.calls.retain(|_, caller| caller.fetch().is_none());
                std::mem::take(&mut self.waiting)
                    .into_values()
                    .flatten()
                    .collect()
            }
        }
    }

    /// Every request whose reply would come back to the root context.
    fn abandon(&mut self) -> Vec<Weak<RefCell<Exchange>>> {
        let reading = std::mem::take(&mut self.reading);
        let waiting = std::mem::take(&mut self.waiting);
        let calls = std::mem::take(&mut self.calls);
        let called = calls.into_values().filter_map(|caller| match caller {
            Caller::Request(request) => Some(request),
            Caller::Fetch(_) | Caller::Poll(_) => None,
        });
        let stranded = waiting.into_values().flatten().chain(called);
        stranded.chain(reading).collect()
    }
}

impl Caller {
    const fn fetch(&self) -> Option<FetchId> {
        match self {
            Self::Fetch(fetch) => Some(*fetch),
            Self::Poll(_) | Self::Request(_) => None,
        }
    }
}

fn log_faults(policy: &Policy) {
    for fault in policy.faults() {
        host::log_error(&format!("a rule is not in force: {fault}"));
    }
}

/// The root context.
pub(crate) struct Root {
    id: u32,
    reader: Reader,
    shared: Option<Rc<RefCell<Shared>>>,
}

impl Root {
    pub(crate) const fn new(id: u32, reader: Reader) -> Self {
        Self {
            id,
            reader,
            shared: None,
        }
    }

    /// Runs `step` for each request, in its own context.
    fn each(&self, requests: &[Weak<RefCell<Exchange>>], mut step: impl FnMut(&mut Exchange)) {
        for request in requests.iter().filter_map(Weak::upgrade) {
            if let Ok(mut exchange) = request.try_borrow_mut()
                && host::act_for(exchange.id()).is_ok()
            {
                step(&mut exchange);
            }
        }
        if !requests.is_empty() && host::act_for(self.id).is_err() {
            host::log_error("the proxy has lost the plugin's root context");
        }
    }

    /// How many bytes of the reply to `token` are read.
    fn reply_limit(&self, token: u32) -> usize {
        let shared = self.shared.as_ref().and_then(|s| s.try_borrow().ok());
        match shared.as_ref().and_then(|shared| shared.calls.get(&token)) {
            Some(Caller::Poll(_)) => host::MAX_RULES_BODY,
            _ => host::MAX_REPLY_BODY,
        }
    }

    /// Refuses those whose bodies do not come, and goes on waiting for the others.
    fn look_after(&self, reading: &[Weak<RefCell<Exchange>>], bodies_come: bool, now: UnixTime) {
        let mut awaited = Vec::new();
        self.each(reading, |exchange| {
            if exchange.awaits_body(bodies_come, now) {
                awaited.push(exchange.me());
            }
        });
        if let Some(Ok(mut shared)) = self.shared.as_ref().map(|shared| shared.try_borrow_mut()) {
            shared.reading.append(&mut awaited);
        }
    }

    /// Who was waiting for the reply to `token`, after the engine was told of a fetch's end.
    fn replied(&self, token: u32, reply: &mut Option<Reply>) -> Vec<Weak<RefCell<Exchange>>> {
        let Some(mut shared) = self.shared.as_ref().and_then(|s| s.try_borrow_mut().ok()) else {
            return Vec::new();
        };
        match shared.calls.remove(&token) {
            Some(Caller::Fetch(fetch)) => {
                // Without a clock the keys could not be aged: the fetch counts as failed.
                let now = host::now();
                let answer = match (&now, reply.take()) {
                    (Ok(_), Some(answer)) => answer,
                    _ => Err(FailedCall::Unreachable),
                };
                shared
                    .engine
                    .fetched(fetch, answer, now.unwrap_or_default());
                if let Some(fault) = shared.engine.fetch_fault(fetch) {
                    shared.reporter.fetch_failed();
                    host::log_warning(&fault);
                }
                shared.waiting.remove(&fetch).unwrap_or_default()
            }
            Some(Caller::Poll(repository)) => {
                let now = host::now();
                let answer = match (&now, reply.take()) {
                    (Ok(_), Some(answer)) => answer,
                    _ => Err(FailedCall::Unreachable),
                };
                shared.polled(repository, answer, now.unwrap_or_default())
            }
            Some(Caller::Request(request)) => vec![request],
            // From before a new configuration.
            None => Vec::new(),
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        let limit = self.reply_limit(token);
        let mut reply = Some(host::reply(headers, body, limit));
        let requests = self.replied(token, &mut reply);
        self.each(&requests, |exchange| match reply.take() {
            Some(reply) => exchange.replied(token, reply, Within::Root),
            None => exchange.retry(Within::Root),
        });
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        #[cfg(feature = "tokens")]
        crate::crypto::install();
        let settings = match (self.reader)(host::configuration(size)) {
            Ok(settings) => settings,
            Err(errors) => {
                for error in errors {
                    host::log_error(&format!("configuration refused: {error}"));
                }
                return false;
            }
        };
        let seed = match host::seed() {
            Ok(seed) => seed,
            Err(error) => {
                host::log_error(&format!("configuration refused: {error}"));
                return false;
            }
        };
        log_faults(&settings.policy);
        if let Some(digest) = &settings.reporting.digest {
            host::log_info(&format!("in force: {digest}"));
        }
        if settings.fetches {
            // Hosts allow no call from here: the first tick makes it.
            host::tick_every(NOW);
        }
        let shared = Rc::new(RefCell::new(Shared::new(settings, seed)));
        let former = self.shared.replace(shared);
        // Replies to the former configuration's calls find nobody any more.
        let stranded = former.and_then(|former| Some(former.try_borrow_mut().ok()?.abandon()));
        self.each(&stranded.unwrap_or_default(), Exchange::abandon);
        true
    }

    fn on_tick(&mut self) {
        let Some(Ok(mut shared)) = self.shared.as_ref().map(|s| s.try_borrow_mut()) else {
            return;
        };
        if std::mem::take(&mut shared.hurried) {
            host::tick_every(TICK);
        }
        let now = match host::now() {
            Ok(now) => now,
            Err(error) => return host::log_error(&error.to_string()),
        };
        shared.forget_gone();
        shared.poll_due(now);
        let woken = shared.fetch_due(now);
        let bodies_come = shared.bodies_come;
        let reading = std::mem::take(&mut shared.reading);
        drop(shared);
        self.each(&woken, |exchange| exchange.retry(Within::Root));
        self.look_after(&reading, bodies_come, now);
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(id, self.shared.clone())))
    }
}
