//! An endpoint with its files in a folder of its own, as `gatepost decisions serve` runs it.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{Router, extract::State};
use gatepost::{
    clock::SystemClock,
    decisions::{Endpoint, Keeper, Overland, Parts, Settings, load, routes},
    entropy::SystemEntropy,
    serve::connections::{self, Speaks},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

use crate::client::{self, Answer};

/// A running endpoint.
pub struct World {
    pub folder: TempDir,
    pub lines: Arc<Mutex<Vec<String>>>,
    pub address: SocketAddr,
    pub runtime: Runtime,
    stop: watch::Sender<bool>,
}

/// A configuration with every handler that the tests use, and the rules of `rules.json`.
pub fn config() -> Value {
    json!({
        "serve": {"api": {"gatepost": {"trusted_proxies": ["127.0.0.1"], "log_decisions": true}}},
        "access_rules": {"repositories": ["file://rules.json"]},
        "authenticators": {
            "noop": {"enabled": true}, "unauthorized": {"enabled": true}, "anonymous": {"enabled": true},
        },
        "authorizers": {"allow": {"enabled": true}, "deny": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}, "header": {"enabled": true, "config": {
            "headers": {"X-User": "{{ print .Subject }}"},
        }}},
        "errors": {"handlers": {"redirect": {"enabled": true, "config": {
            "to": "http://id.test/login", "when": [{"error": ["unauthorized"]}],
        }}}},
    })
}

/// A rule for `http://app.test/<id>` and what is below it.
pub fn rule(id: &str, authenticator: &str, authorizer: &str, mutator: &str) -> Value {
    json!({
        "id": id,
        "match": {"url": format!("<https?>://app.test/{id}<(/.*)?>"), "methods": ["GET", "POST", "PURGE"]},
        "authenticators": [{"handler": authenticator}], "authorizer": {"handler": authorizer},
        "mutators": [{"handler": mutator}],
    })
}

pub fn write(folder: &TempDir, name: &str, content: &Value) {
    fs::write(folder.path().join(name), content.to_string()).unwrap();
}

impl World {
    pub fn start(config: &Value, rules: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        write(&folder, "rules.json", rules);
        Self::start_in(folder, config)
    }

    pub fn start_in(folder: TempDir, config: &Value) -> Self {
        write(&folder, "oathkeeper.json", config);
        let file = folder.path().join("oathkeeper.json");
        let loaded = load(&file).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let parts = Parts {
            settings: Settings::read(&loaded.config, |_| None).unwrap(),
            outward: Arc::new(Overland::new().unwrap()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::default()),
            scribe: Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())),
            desks: 2,
        };
        let endpoint = Endpoint::new(parts, &loaded.rules).unwrap();
        let runtime = Runtime::new().unwrap();
        let (stop, told) = watch::channel(false);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(Keeper::new(Arc::clone(&endpoint), file, loaded).keep(told.clone()));
        let answering = connections::answer_to(Speaks::Either, listener, routes(endpoint), told);
        runtime.spawn(answering);
        Self {
            folder,
            lines,
            address,
            runtime,
            stop,
        }
    }

    /// A request to the endpoint itself.
    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<_> = headers.iter().map(own).collect();
        client::send(self.address, method, target, &headers, body).unwrap()
    }

    /// A question about `http://app.test` and this path, as nginx asks it.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("host", "gatepost.test"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "app.test"),
            ("x-forwarded-uri", path),
        ];
        all.extend(headers);
        self.send("GET", "/decisions", &all, b"")
    }

    pub fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[("host", "gatepost.test")], b"")
    }
}

/// Serves what `content` holds, on a port of its own, and counts how often it is asked.
pub fn serve(runtime: &Runtime, content: &Arc<Mutex<(u16, String)>>) -> (u16, Arc<AtomicU32>) {
    type Served = (Arc<Mutex<(u16, String)>>, Arc<AtomicU32>);
    async fn answer(State((content, count)): State<Served>) -> (axum::http::StatusCode, String) {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (status, body) = content.lock().unwrap().clone();
        (axum::http::StatusCode::from_u16(status).unwrap(), body)
    }
    let count = Arc::new(AtomicU32::new(0));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let state = (Arc::clone(content), Arc::clone(&count));
    let routes = Router::new().fallback(answer).with_state(state);
    runtime.spawn(async move { axum::serve(listener, routes).await });
    (port, count)
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// Waits for what the endpoint does on its own time.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("still not so after ten seconds: {what}");
}
