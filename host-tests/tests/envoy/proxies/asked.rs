//! The decision endpoint in this process: one port, behind which each case has an endpoint of its own.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, RwLock,
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, extract::Request};
use gatepost::{
    clock::ManualClock,
    decisions::{Endpoint, Outward, Parts, Settings, routes},
    entropy::SeededEntropy,
    serve::connections::{self, Speaks},
};
use gatepost_cases::SpecReply;
use gatepost_policy::{Call, FailedCall, Reply, RuleSet, call};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch, task::block_in_place};
use tower::ServiceExt as _;

use super::door::Events;

/// A call that a decision needs, and where its answer goes.
pub(super) struct Called {
    /// Which endpoint made it, by number.
    pub(super) by: u32,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) answer: SyncSender<Option<SpecReply>>,
}

/// The port that proxies ask.
pub(super) struct Asked {
    pub(super) port: u16,
    /// The number of the endpoint in force.
    pub(super) number: u32,
    runtime: Runtime,
    inside: Arc<RwLock<Router>>,
    clock: Arc<ManualClock>,
    lines: Arc<Mutex<Vec<String>>>,
    _stop: watch::Sender<bool>,
}

impl Asked {
    pub(super) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let inside = Arc::new(RwLock::new(Router::new()));
        let current = Arc::clone(&inside);
        let router = Router::new().fallback(move |request: Request| {
            let current = current.read().unwrap().clone();
            async move { current.oneshot(request).await }
        });
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = runtime.block_on(listening).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, stop) = watch::channel(false);
        let answering = connections::answer_to(Speaks::Either, listener, router, stop);
        runtime.spawn(answering);
        Self {
            port,
            number: 0,
            runtime,
            inside,
            clock: Arc::new(ManualClock::at(OffsetDateTime::UNIX_EPOCH)),
            lines: Arc::default(),
            _stop: tell,
        }
    }

    /// Puts an endpoint with these rules in force. `own` is its `serve.api.gatepost`.
    pub(super) fn load(&mut self, rules: &RuleSet, own: &Value, events: &Events) {
        self.number += 1;
        let log = Arc::clone(&self.lines);
        let config = serde_json::json!({"serve": {"api": {"gatepost": own}}});
        let parts = Parts {
            settings: Settings::read(&config, |_| None).unwrap(),
            outward: Arc::new(ByScript {
                by: self.number,
                events: events.clone(),
            }),
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::new(SeededEntropy::new(7)),
            scribe: Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())),
            desks: 1,
        };
        let endpoint = {
            let _inside = self.runtime.enter();
            Endpoint::new(parts, rules).unwrap()
        };
        *self.inside.write().unwrap() = routes(endpoint);
    }

    /// Sets the time, and forgets what was decided before.
    pub(super) fn begin(&self, at: u64) {
        let at = OffsetDateTime::from_unix_timestamp(at.try_into().unwrap());
        self.clock.set(at.unwrap());
        self.lines.lock().unwrap().clear();
    }

    /// The lines of the decision log since then.
    pub(super) fn lines(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

/// Asks the test what to answer.
struct ByScript {
    by: u32,
    events: Events,
}

#[async_trait]
impl Outward for ByScript {
    async fn send(&self, call: &Call, _limit: usize) -> Reply {
        let (answer, answered) = sync_channel(1);
        self.events.called(Called {
            by: self.by,
            method: call.method.clone(),
            url: format!("{}{}", call.origin, call.path),
            headers: call.headers.clone(),
            body: call.body.clone(),
            answer,
        });
        let reply = block_in_place(|| answered.recv_timeout(Duration::from_secs(10)));
        let reply = reply.ok().flatten().filter(|reply| !reply.fails);
        let reply = reply.ok_or(FailedCall::Unreachable)?;
        let headers = reply.headers.iter();
        Ok(call::Response {
            status: reply.status,
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                .collect(),
            body: reply.body(),
        })
    }
}
