//! How these tests read: a [`World`] is an Envoy with our module, a key set server, a session
//! endpoint and an upstream that tells what it received. Dropping it ends everything.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mint::Key;
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::{
    build,
    envoy::{Envoy, Start},
    http::{Answer, Request},
    setup,
    upstream::{self, Received, Upstream},
    workspace::Workspace,
};

/// Who our tokens say they are from.
pub(crate) const ISSUER: &str = "http://issuer.test";

/// What every test needs once: the workspace, the module built, Envoy installed.
pub(crate) struct Given {
    pub(crate) workspace: Workspace,
    pub(crate) module: PathBuf,
    pub(crate) envoy: PathBuf,
}

pub(crate) static GIVEN: LazyLock<Given> = LazyLock::new(|| {
    let workspace = Workspace::locate().unwrap();
    // As in tests/wasm: ACCESS_RULES_WASM names a built file to take instead.
    let module = match env::var_os("ACCESS_RULES_WASM") {
        Some(file) => PathBuf::from(file),
        None => build::module(&workspace, "access-rules").unwrap(),
    };
    let envoy = setup::envoy::binary(&workspace).unwrap();
    Given {
        workspace,
        module,
        envoy,
    }
});

/// A configuration to start a [`World`] with.
pub(crate) struct Setup {
    /// Oathkeeper's configuration tree.
    pub(crate) config: Value,
    /// The content of `rules.json`.
    pub(crate) rules: Value,
    /// What the plugin is told about clusters.
    pub(crate) clusters: Value,
    /// For which decisions the module logs a line.
    pub(crate) log_decisions: Value,
    /// The plugin configuration as it stands, instead of one made of the fields above.
    pub(crate) verbatim: Option<String>,
    /// Whether Envoy shows the module the bodies of paused requests.
    pub(crate) shows_bodies: bool,
    keys: KeyServer,
    sessions: Arc<Mutex<Box<Session>>>,
    session_server: Upstream,
    upstream: Upstream,
    front: u16,
    admin: u16,
    folder: TempDir,
}

type Session = dyn Fn(&Received) -> upstream::Answer + Send;

/// Envoy and everything around it.
pub(crate) struct World {
    pub(crate) envoy: Envoy,
    pub(crate) keys: KeyServer,
    front: u16,
    admin: u16,
    _servers: [Upstream; 2],
    _folder: TempDir,
}

impl Setup {
    /// Three rules: `/public` for all, `/api` by token, `/app` by session cookie.
    pub(crate) fn new() -> Self {
        let keys = KeyServer::start(0);
        let sessions: Arc<Mutex<Box<Session>>> =
            Arc::new(Mutex::new(Box::new(|_: &Received| answer(401, &json!({})))));
        let shared = Arc::clone(&sessions);
        let session_server =
            Upstream::answering(0, move |request| (shared.lock().unwrap())(request)).unwrap();
        let keys_at = format!("http://127.0.0.1:{}", keys.port);
        let sessions_at = format!("http://127.0.0.1:{}", session_server.port());
        Self {
            config: json!({
                "authenticators": {
                    "noop": {"enabled": true},
                    "jwt": {"enabled": true, "config": {
                        "jwks_urls": [format!("{keys_at}/jwks.json")], "trusted_issuers": [ISSUER],
                    }},
                    "cookie_session": {"enabled": true, "config": {
                        "check_session_url": format!("{sessions_at}/whoami"),
                        "preserve_path": true, "subject_from": "identity.id", "extra_from": "@this",
                    }},
                },
                "authorizers": {"allow": {"enabled": true}},
                "mutators": {"noop": {"enabled": true}, "header": {"enabled": true, "config": {
                    "headers": {"X-User": "{{ print .Subject }}"},
                }}},
            }),
            rules: json!([
                rule("public", "noop", "noop"),
                rule("api", "jwt", "header"),
                rule("app", "cookie_session", "header"),
            ]),
            clusters: json!({keys_at: "keys", sessions_at: "sessions"}),
            log_decisions: json!(false),
            verbatim: None,
            shows_bodies: false,
            keys,
            sessions,
            session_server,
            upstream: Upstream::echo(0).unwrap(),
            front: free_port(),
            admin: free_port(),
            folder: TempDir::new().unwrap(),
        }
    }

    /// Answers session checks by `session`.
    pub(crate) fn sessions(
        self,
        session: impl Fn(&Received) -> upstream::Answer + Send + 'static,
    ) -> Self {
        *self.sessions.lock().unwrap() = Box::new(session);
        self
    }

    /// The origins that the rules call.
    pub(crate) fn origins(&self) -> Vec<String> {
        let ports = [self.keys.port, self.session_server.port()];
        ports
            .iter()
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect()
    }

    /// Stops the key server before Envoy starts.
    pub(crate) fn stop_keys(&mut self) {
        self.keys.stop();
    }

    /// Starts Envoy, which must accept the configuration, and waits until the module has its keys.
    pub(crate) fn start(self) -> World {
        let world = self.start_without_keys();
        let good = world.keys.token();
        eventually("a good token passes", || world.api(&good).status == 200);
        world
    }

    /// Starts Envoy, which must accept the configuration.
    pub(crate) fn start_without_keys(self) -> World {
        self.write();
        let envoy = self.envoy_start().ready(self.admin).unwrap();
        World {
            envoy,
            keys: self.keys,
            front: self.front,
            admin: self.admin,
            _servers: [self.session_server, self.upstream],
            _folder: self.folder,
        }
    }

    /// Starts Envoy, which must refuse the configuration, and tells what it logged.
    pub(crate) fn refused(self) -> String {
        self.write();
        let mut process = self.envoy_start().spawn().unwrap();
        let end = process.wait_for_end(Duration::from_secs(120));
        let log = process.log();
        assert!(
            end.is_some_and(|status| !status.success()),
            "Envoy should refuse this: {log}"
        );
        log
    }

    fn envoy_start(&self) -> Start<'_> {
        Start {
            binary: &GIVEN.envoy,
            folder: self.folder.path(),
            config: "envoy.yaml",
            concurrency: 1,
            core: None,
        }
    }

    fn wasm(&self, plugin: &str) -> Value {
        let mut config = json!({
            "name": "access-rules", "failure_policy": "FAIL_RELOAD",
            "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": GIVEN.module}}},
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin},
        });
        if self.shows_bodies {
            config["allow_on_headers_stop_iteration"] = json!(true);
        }
        json!({"name": "access-rules", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config,
        }})
    }

    fn write(&self) {
        let plugin = json!({"config": self.config, "rules": {"rules.json": self.rules}, "clusters": self.clusters, "broken_rules": "refuse", "log_decisions": self.log_decisions});
        let plugin = self.verbatim.clone().unwrap_or_else(|| plugin.to_string());
        let clusters = [
            cluster("keys", self.keys.port),
            cluster("sessions", self.session_server.port()),
            cluster("upstream", self.upstream.port()),
        ];
        let config = json!({
            "admin": {"address": address(self.admin)},
            "stats_config": {"stats_tags": [{
                "tag_name": "rule", "regex": "^wasmcustom\\.gatepost\\.rule\\.((.*?)\\.)",
            }]},
            "static_resources": {"listeners": [listener(self.front, &self.wasm(&plugin))], "clusters": clusters},
        });
        fs::write(self.folder.path().join("envoy.yaml"), config.to_string()).unwrap();
    }
}

impl World {
    /// A `GET` of `path` through Envoy.
    pub(crate) fn get(&self, path: &str) -> Request {
        Request::get(&format!("http://127.0.0.1:{}{path}", self.front))
    }

    /// What Envoy tells Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/stats/prometheus", self.admin);
        Request::get(&url).send().unwrap().body
    }

    /// A `GET /api` with this token.
    pub(crate) fn api(&self, token: &str) -> Answer {
        self.get("/api")
            .header("authorization", format!("Bearer {token}"))
            .send()
            .unwrap()
    }

    /// Sends these bytes and reads until the answer's head is there, or the connection ends.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A connection to Envoy.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.front)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// The proof that nothing before has harmed the module: the very next good request passes, and
    /// no VM was ever lost.
    pub(crate) fn check_alive(&mut self) {
        let answer = self.api(&self.keys.token());
        assert_eq!(answer.status, 200, "{}\n{}", answer.body, self.envoy.log());
        self.envoy.check_alive().unwrap();
        for sign in [
            "panic",
            "unreachable",
            "VM failed",
            "wasm trap",
            "Function: proxy_",
        ] {
            assert!(!self.envoy.log().contains(sign), "{}", self.envoy.log());
        }
    }
}

/// A rule that lets `/<id>` and what is below it pass.
pub(crate) fn rule(id: &str, authenticator: &str, mutator: &str) -> Value {
    json!({
        "id": id,
        "match": {"url": format!("<https?>://<[^/]*>/{id}<(/.*)?>"), "methods": ["GET", "POST", "OPTIONS"]},
        "authenticators": [{"handler": authenticator}], "authorizer": {"handler": "allow"},
        "mutators": [{"handler": mutator}],
    })
}

/// Serves a key set that can change, and signs with its newest key.
pub(crate) struct KeyServer {
    pub(crate) port: u16,
    set: Arc<Mutex<Vec<Key>>>,
    pub(crate) fetches: Arc<AtomicU32>,
    server: Option<Upstream>,
}

impl KeyServer {
    pub(crate) fn start(port: u16) -> Self {
        let set = Arc::new(Mutex::new(vec![Key::generate("first").unwrap()]));
        let fetches = Arc::default();
        let server = Self::serve(port, &set, &fetches);
        Self {
            port: server.port(),
            set,
            fetches,
            server: Some(server),
        }
    }

    fn serve(port: u16, set: &Arc<Mutex<Vec<Key>>>, fetches: &Arc<AtomicU32>) -> Upstream {
        let (set, fetches) = (Arc::clone(set), Arc::clone(fetches));
        Upstream::answering(port, move |_| {
            fetches.fetch_add(1, Ordering::SeqCst);
            let keys: Vec<_> = set.lock().unwrap().iter().map(Key::jwk).collect();
            answer(200, &json!({"keys": keys}))
        })
        .unwrap()
    }

    /// Stops serving; connections break.
    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    /// Serves again, where it did before.
    pub(crate) fn start_again(&mut self) {
        self.server = Some(Self::serve(self.port, &self.set, &self.fetches));
    }

    /// Adds a key that signs from now on; the others stay.
    pub(crate) fn rotate(&self, kid: &str) {
        self.set.lock().unwrap().push(Key::generate(kid).unwrap());
    }

    /// A good token for `ada`.
    pub(crate) fn token(&self) -> String {
        self.sign(&claims())
    }

    /// A token with these claims, signed by the newest key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.set
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .sign(claims)
            .unwrap()
    }
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "ada", "exp": now() + 600})
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// An answer of a scripted server.
pub(crate) fn answer(status: u16, body: &Value) -> upstream::Answer {
    upstream::Answer {
        status,
        body: body.to_string(),
    }
}

/// What the upstream received under `name`.
pub(crate) fn received(answer: &Answer, name: &str) -> Vec<String> {
    let echo = answer.json().unwrap();
    let pairs = echo["headers"].as_array().unwrap().iter();
    pairs
        .filter(|pair| pair[0] == name)
        .map(|pair| pair[1].as_str().unwrap().to_owned())
        .collect()
}

/// Waits for what Envoy and the module do on their own time.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("still not so after ten seconds: {what}");
}

/// A port that nobody uses, below those that the system gives to outgoing connections. Envoy shares
/// ports with whoever else asks, so asking it for a port is no proof that it is free.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let step = NEXT.fetch_add(1, Ordering::SeqCst);
        let start = u16::try_from(process::id() % 500).unwrap() * 20;
        let port = 20_000 + (start + step) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn listener(port: u16, wasm: &Value) -> Value {
    json!({"name": "front", "address": address(port), "filter_chains": [{"filters": [{
        "name": "http",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "front", "normalize_path": true, "merge_slashes": true,
            "path_with_escaped_slashes_action": "REJECT_REQUEST",
            // Larger than any sane Envoy has it: the module must bear what gets through.
            "max_request_headers_kb": 4096,
            "http_filters": [wasm, {"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }}],
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
                {"match": {"connect_matcher": {}}, "direct_response": {"status": 405}},
            ]}]},
        },
    }]}]})
}

fn cluster(name: &str, port: u16) -> Value {
    json!({"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
    }})
}

pub(crate) fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
