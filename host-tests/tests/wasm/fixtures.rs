//! A small policy with one rule of each kind, its issuer, and the tokens that it signs.

use std::sync::{Arc, Mutex, Once};

use host_tests::{Answer, CallOut, Host, Request};
use serde_json::{Value, json};

/// A second key of the issuer, and one that it never had.
pub(crate) const KEY: &str = "RS256-1";
pub(crate) const NEXT_KEY: &str = "ES256-2";
pub(crate) const STRANGER: &str = "RS256-9";

/// The plugin's configuration.
pub(crate) fn configuration() -> Value {
    json!({
        "config": {
            "authenticators": {
                "noop": {"enabled": true},
                "jwt": {"enabled": true, "config": {
                    "jwks_urls": ["http://idp.test/keys"],
                    "allowed_algorithms": ["RS256", "ES256"],
                }},
                "cookie_session": {"enabled": true, "config": {
                    "check_session_url": "http://idp.test/sessions/whoami",
                    "preserve_path": true,
                    "subject_from": "identity.id",
                }},
            },
            "authorizers": {"allow": {"enabled": true}},
            "mutators": {
                "noop": {"enabled": true},
                "header": {"enabled": true, "config": {"headers": {"X-User": "{{ print .Subject }}"}}},
            },
        },
        "rules": {"rules.json": [
            rule("public", "noop", "noop"),
            rule("api", "jwt", "header"),
            rule("app", "cookie_session", "header"),
        ]},
        "clusters": {"http://idp.test": "idp"},
        "decision_metadata": true,
        "log_decisions": true,
    })
}

/// A rule for the paths below `/<id>/`.
pub(crate) fn rule(id: &str, authenticator: &str, mutator: &str) -> Value {
    json!({
        "id": id,
        "match": {"url": format!("http://app.test/{id}/<.*>"), "methods": ["GET", "POST"]},
        "authenticators": [{"handler": authenticator}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": mutator}],
    })
}

/// What the issuer says; a test may change it while the host runs.
#[derive(Clone)]
pub(crate) struct Issuer(Arc<Mutex<Says>>);

pub(crate) struct Says {
    pub(crate) keys: Answer,
    pub(crate) session: Answer,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Says {
            keys: keys(&[KEY]),
            session: Answer::ok(r#"{"active": true, "identity": {"id": "alice"}}"#),
        })))
    }

    pub(crate) fn says(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.0.lock().unwrap());
    }

    /// A host that knows this issuer, not configured yet.
    pub(crate) fn bare_host(&self) -> Host {
        let Self(says) = self.clone();
        Host::new().cluster("idp", move |call: &CallOut| {
            let says = says.lock().unwrap();
            match call.path().as_str() {
                "/keys" => says.keys.clone(),
                "/sessions/whoami" => says.session.clone(),
                _ => Answer::status(404, ""),
            }
        })
    }

    pub(crate) fn host(&self) -> Host {
        let mut host = self.bare_host();
        host.configure(&configuration()).unwrap();
        host
    }
}

/// A host with everything as it should be.
pub(crate) fn host() -> Host {
    Issuer::new().host()
}

/// A key set of these keys.
pub(crate) fn keys(names: &[&str]) -> Answer {
    install();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    Answer::ok(gatepost_cases::jwks(&names).unwrap().to_string())
}

/// A token for `alice`, good for an hour.
pub(crate) fn token(host: &Host, key: &str) -> String {
    token_until(host.unix_time() + 3600, key)
}

pub(crate) fn token_until(expiry: u64, key: &str) -> String {
    install();
    let token = json!({"key": key, "claims": {"sub": "alice", "exp": expiry}});
    gatepost_cases::sign(&serde_json::from_value(token).unwrap()).unwrap()
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another test module of this process may have been first.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    });
}

/// That the module is alive and well: a good request of each kind gets through.
pub(crate) fn assert_serves(host: &mut Host) {
    let good = token(host, KEY);
    for request in [
        Request::get("/public/x"),
        Request::get("/api/x").bearer(&good),
        Request::get("/app/x").header("cookie", "session=1"),
    ] {
        let outcome = host.request(request);
        assert_eq!(outcome.status(), Some(200), "{outcome:?} {:?}", host.log());
    }
}
