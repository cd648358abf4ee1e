//! envoy-config/header-mutation, as it is shipped but for its ports.

use std::{env, fs, path::PathBuf, sync::LazyLock};

use mint::Key;
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::{
    build,
    envoy::{Envoy, Start},
    http::{Answer, Request},
    upstream::Upstream,
};

use crate::harness::{GIVEN, ISSUER, free_port, now, received};

static MODULE: LazyLock<PathBuf> = LazyLock::new(|| match env::var_os("HEADER_MUTATION_WASM") {
    Some(file) => PathBuf::from(file),
    None => build::module(&GIVEN.workspace, "header-mutation").unwrap(),
});

/// The example, started.
struct Shipped {
    envoy: Envoy,
    key: Key,
    front: u16,
    _upstream: Upstream,
    _folder: TempDir,
}

impl Shipped {
    /// With `edit` made to `envoy.yaml`.
    fn start(edit: impl Fn(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        let upstream = Upstream::echo(0).unwrap();
        let (front, admin) = (free_port(), free_port());
        let key = Key::generate("first").unwrap();
        let shipped = GIVEN
            .workspace
            .root
            .join("envoy-config/header-mutation/envoy.yaml");
        let config = fs::read_to_string(shipped)
            .unwrap()
            .replace("port_value: 8080", &format!("port_value: {front}"))
            .replace("port_value: 9901", &format!("port_value: {admin}"))
            .replace(
                "port_value: 8081",
                &format!("port_value: {}", upstream.port()),
            );
        fs::write(folder.path().join("envoy.yaml"), edit(config)).unwrap();
        fs::write(folder.path().join("jwks.json"), key.jwks().to_string()).unwrap();
        fs::copy(&*MODULE, folder.path().join("header_mutation.wasm")).unwrap();
        let start = Start {
            binary: &GIVEN.envoy,
            folder: folder.path(),
            config: "envoy.yaml",
            concurrency: 1,
            core: None,
        };
        let envoy = start.ready(admin).unwrap();
        Self {
            envoy,
            key,
            front,
            _upstream: upstream,
            _folder: folder,
        }
    }

    fn get(&self, path: &str) -> Request {
        Request::get(&format!("http://127.0.0.1:{}{path}", self.front))
    }

    fn with_token(&self, path: &str, claims: &Value) -> Request {
        let mut all = json!({"iss": ISSUER, "exp": now() + 600});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let token = self.key.sign(&all).unwrap();
        self.get(path)
            .header("authorization", format!("Bearer {token}"))
    }

    /// That no VM was ever lost.
    fn check_alive(&mut self) {
        assert_eq!(
            self.get("/").send().unwrap().status,
            200,
            "{}",
            self.envoy.log()
        );
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

fn all(answer: &Answer, name: &str) -> Vec<String> {
    let named = answer.headers.iter().filter(|(it, _)| it == name);
    named.map(|(_, value)| value.clone()).collect()
}

#[test]
fn verified_claims_reach_the_upstream_and_the_clients_own_do_not() {
    let mut shipped = Shipped::start(|config| config);
    let spoofed = |request: Request| {
        request
            .header("x-user", "root")
            .header("X-User", "root")
            .header("x-roles", "admin")
            .header("x-client-address", "10.0.0.1")
            .header("x-internal-call", "1")
            .header("x-api-version", "7")
    };
    let claims = json!({"sub": "ada", "roles": ["reader", "writer"]});
    let answer = spoofed(shipped.with_token("/a", &claims)).send().unwrap();
    assert_eq!(answer.status, 200, "{}", shipped.envoy.log());
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    assert_eq!(received(&answer, "x-roles"), ["reader,writer"]);
    let address = received(&answer, "x-client-address");
    assert!(
        address.len() == 1 && address[0].starts_with("127.0.0.1:"),
        "{address:?}"
    );
    assert!(received(&answer, "x-internal-call").is_empty());
    assert!(received(&answer, "x-api-version").is_empty());
    assert_eq!(received(&answer, "x-version"), ["7"]);
    assert!(received(&answer, "x-route").is_empty());

    let answer = spoofed(shipped.get("/a")).send().unwrap();
    assert_eq!(answer.status, 200);
    for name in ["x-user", "x-roles", "x-internal-call"] {
        assert!(
            received(&answer, name).is_empty(),
            "{name}: {}",
            answer.body
        );
    }

    // Eight bytes are a name, not a number.
    let claims = json!({"sub": "abcdefgh", "roles": [1, true]});
    let answer = shipped.with_token("/admin/x", &claims).send().unwrap();
    assert_eq!(received(&answer, "x-user"), ["abcdefgh"]);
    assert_eq!(received(&answer, "x-roles"), ["1,true"]);
    assert_eq!(received(&answer, "x-route"), ["everything"]);
    shipped.check_alive();
}

#[test]
fn every_response_has_the_headers_of_responses() {
    let mut shipped = Shipped::start(|config| config);
    let answer = shipped
        .get("/")
        .header("x-correlation-id", "c-7")
        .send()
        .unwrap();
    assert_eq!(all(&answer, "x-correlation-id"), ["c-7"]);
    assert_eq!(received(&answer, "x-correlation-id"), ["c-7"]);
    assert_eq!(all(&answer, "x-content-type-options"), ["nosniff"]);
    assert_eq!(all(&answer, "strict-transport-security").len(), 1);
    assert_eq!(all(&answer, "referrer-policy"), ["no-referrer"]);
    assert!(all(&answer, "server").is_empty(), "{:?}", answer.headers);
    assert!(all(&answer, "cache-control").is_empty());

    let refused = shipped
        .get("/")
        .header("authorization", "Bearer e30.e30.x")
        .send()
        .unwrap();
    assert_eq!(refused.status, 401);
    assert_eq!(all(&refused, "x-content-type-options"), ["nosniff"]);
    assert_eq!(all(&refused, "cache-control"), ["no-store"]);
    let id = all(&refused, "x-correlation-id");
    assert!(id.len() == 1 && !id[0].is_empty(), "{:?}", refused.headers);
    shipped.check_alive();
}

#[test]
fn hostile_values_harm_nothing() {
    let mut shipped = Shipped::start(|config| config);
    for value in [&b"\xff\xfe"[..], b"\xc3\x28", b"\x80\x80", b""] {
        for name in [
            "x-correlation-id",
            "x-user",
            "x-api-version",
            "x-internal-a",
            "cookie",
        ] {
            let answer = shipped.get("/").header(name, value).send().unwrap();
            assert_eq!(answer.status, 200, "{name}");
            assert!(received(&answer, "x-user").is_empty());
        }
        shipped.check_alive();
    }
    // A claim that would write headers of its own.
    let claims = json!({"sub": "ada\r\nx-admin: 1"});
    let answer = shipped.with_token("/", &claims).send().unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(all(&answer, "x-content-type-options"), ["nosniff"]);
    let claims =
        json!({"sub": "ada", "nested": [[[[[[{"a": {"b": [{}]}}]]]]]], "huge": "x".repeat(20_000)});
    assert_eq!(shipped.with_token("/", &claims).send().unwrap().status, 200);
    shipped.check_alive();
}

#[test]
fn a_response_to_a_request_that_never_came_harms_nothing() {
    // Behind the filter that refuses, the module sees at most the response.
    let mut shipped = Shipped::start(|config| {
        let rules = r#""rules": [
                                {
                                  "name": "admin"#;
        let value = "{{ .Response.Status }} {{ .Claims.sub }} {{ .Request.Method }}";
        let operation =
            format!(r#""response": [{{"set": "x-behind", "value": "{value}"}}], {rules}"#);
        assert!(config.contains(rules));
        config.replace(rules, &operation)
    });
    let answer = shipped
        .with_token("/", &json!({"sub": "ada"}))
        .send()
        .unwrap();
    assert_eq!(all(&answer, "x-behind"), ["200 ada GET"]);
    let refused = shipped
        .get("/")
        .header("authorization", "Bearer e30.e30.x")
        .send()
        .unwrap();
    assert_eq!(refused.status, 401);
    assert!(
        all(&refused, "x-behind").is_empty(),
        "{:?}",
        refused.headers
    );
    shipped.check_alive();
}
