//! How a test reads: `let app = TestApp::new().await; app.public.get("/health/alive").await.expect_status(200)`.

#![allow(dead_code, reason = "each room uses other parts of it")]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use gatepost::App;
use gatepost::app::Parts;
use gatepost::clock::ManualClock;
use gatepost::config::{Mode, Settings, Written};
use gatepost::entropy::SeededEntropy;
use gatepost::router;
use gatepost::storage::Storage;
use gatepost::storage::sqlite::SqliteStorage;
use serde_json::Value;
use time::Duration;
use time::macros::datetime;
use tower::ServiceExt;

/// The issuer of every test server.
pub const ISSUER: &str = "http://127.0.0.1:4444";

/// Elliptic-curve keys are made in microseconds; RSA keys would dominate the suite's time.
const BASE: &str = "
dsn: memory
secrets: { system: [test-0123456789-abcdefghijklmnop] }
keys: { algorithm: ES256 }
hashers: { argon2: { memory_kib: 64, iterations: 1, parallelism: 1 } }
";

/// A whole server.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub public: Door,
    pub admin: Door,
}

impl TestApp {
    /// With default settings.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With some keys set, named like environment variables: `("TTL_ACCESS_TOKEN", "5m")`.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).into())
        };
        let written = Written::read(BASE, "test", variable).unwrap();
        let settings = Settings::resolve(written, Mode::Dev, "test").unwrap();
        let storage = SqliteStorage::in_memory().await.unwrap();
        storage.migrate().await.unwrap();
        Self::over(settings, Arc::new(storage)).await
    }

    /// With an admin listener that says it is bound to `host`; nothing is bound.
    pub async fn reachable(host: &str) -> Self {
        let written = Written::read(BASE, "test", |_| None).unwrap();
        let mut settings = Settings::resolve(written, Mode::Dev, "test").unwrap();
        settings.admin.host = host.to_owned();
        let storage = SqliteStorage::in_memory().await.unwrap();
        storage.migrate().await.unwrap();
        Self::over(settings, Arc::new(storage)).await
    }

    /// Over a storage of the test's choosing.
    pub async fn over(settings: Settings, storage: Arc<dyn Storage>) -> Self {
        Self::seeded(settings, storage, 1).await
    }

    /// The same with other randomness: a second process over the same storage must not draw what the first one drew.
    pub async fn seeded(settings: Settings, storage: Arc<dyn Storage>, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(datetime!(2026-11-22 12:00 UTC)));
        let parts = Parts {
            settings,
            storage,
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(seed)),
        };
        let app = App::start(parts).await.unwrap();
        let (public, admin) = (
            Door(router::public(app.clone())),
            Door(router::admin(app.clone())),
        );
        Self {
            app,
            clock,
            public,
            admin,
        }
    }

    /// Lets time pass, and everything happen that the background tasks would have done.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        gatepost::maintenance::run_once(&self.app).await.unwrap();
    }
}

/// One of the two listeners.
pub struct Door(Router);

impl Door {
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        let host = HeaderValue::from_static("127.0.0.1");
        request.headers_mut().entry(header::HOST).or_insert(host);
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::POST, path, body).await
    }

    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields)).await
    }
}

/// A form request, to which a test can add headers before sending it.
pub fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no `{name}` in {:?}", self.headers))
            .to_str()
            .unwrap()
    }
}
