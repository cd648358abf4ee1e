//! The module `jwt-auth`, in envoy-config/jwt-auth as it is shipped but for its ports and the module's
//! place.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use xtask::{
    build,
    envoy::{Envoy, Start},
    http::{Answer, Request},
    upstream::Upstream,
};

use crate::harness::{GIVEN, KeyServer, eventually, free_port, now, received};

struct Shipped {
    front: u16,
    keys: KeyServer,
    envoy: Envoy,
    _folder: TempDir,
    _upstream: Upstream,
}

impl Shipped {
    fn start() -> Self {
        let module = build::module(&GIVEN.workspace, "jwt-auth").unwrap();
        let upstream = Upstream::echo(0).unwrap();
        let keys = KeyServer::start(0);
        let (front, admin) = (free_port(), free_port());
        let file = GIVEN
            .workspace
            .root
            .join("envoy-config/jwt-auth/envoy.yaml");
        let config = fs::read_to_string(file)
            .unwrap()
            .replace("../../target/wasm/jwt_auth.wasm", module.to_str().unwrap())
            .replace("port_value: 8080", &format!("port_value: {front}"))
            .replace("port_value: 9901", &format!("port_value: {admin}"))
            .replace(
                "port_value: 3000",
                &format!("port_value: {}", upstream.port()),
            )
            .replace("port_value: 4444", &format!("port_value: {}", keys.port));
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("envoy.yaml"), config).unwrap();
        let start = Start {
            binary: &GIVEN.envoy,
            folder: folder.path(),
            config: "envoy.yaml",
            concurrency: 1,
            core: None,
        };
        let envoy = start.ready(admin).unwrap();
        Self {
            front,
            keys,
            envoy,
            _folder: folder,
            _upstream: upstream,
        }
    }

    fn token(&self, scope: &str) -> String {
        self.keys.sign(&json!({
            "iss": "http://127.0.0.1:4444", "sub": "ada", "exp": now() + 600, "scope": scope,
        }))
    }

    fn get(&self, path: &str) -> Request {
        Request::get(&format!("http://127.0.0.1:{}{path}", self.front))
    }

    fn with(&self, path: &str, token: &str) -> Answer {
        let request = self.get(path);
        request
            .header("authorization", format!("Bearer {token}"))
            .send()
            .unwrap()
    }
}

#[test]
fn the_shipped_jwt_auth_decides_as_its_readme_says() {
    let mut shipped = Shipped::start();
    let (plain, admin) = (shipped.token("read"), shipped.token("read admin"));
    eventually("a good token passes", || {
        shipped.with("/", &plain).status == 200
    });
    for (path, without, with, with_scope) in [
        ("/healthz", 200, 200, 200),
        ("/shop/1", 200, 200, 200),
        ("/admin/x", 401, 403, 200),
        ("/shop/../admin", 401, 403, 200),
        ("//admin", 401, 403, 200),
        ("/%61dmin", 401, 403, 200),
        ("/elsewhere", 401, 200, 200),
        ("/admin;x", 400, 400, 400),
        ("/shop%2f..%2fadmin", 400, 400, 400),
    ] {
        assert_eq!(shipped.get(path).send().unwrap().status, without, "{path}");
        assert_eq!(shipped.with(path, &plain).status, with, "{path}");
        assert_eq!(shipped.with(path, &admin).status, with_scope, "{path}");
    }
    let answer = shipped.with("/admin", &plain);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert_eq!(
        challenge,
        "Bearer error=\"insufficient_scope\", scope=\"admin\""
    );
    shipped.envoy.check_alive().unwrap();
}

#[test]
fn jwt_auth_tells_the_upstream_who_calls_and_keeps_the_token() {
    let shipped = Shipped::start();
    let token = shipped.token("");
    eventually("a good token passes", || {
        shipped.with("/", &token).status == 200
    });
    let answer = shipped.with("/", &token);
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    assert_eq!(received(&answer, "authorization"), Vec::<String>::new());
    let forged = shipped.get("/healthz").header("X-User", "root");
    let answer = forged.send().unwrap();
    assert_eq!(received(&answer, "x-user"), Vec::<String>::new());
}

#[test]
fn huge_and_broken_tokens_harm_nobody_in_jwt_auth() {
    let mut shipped = Shipped::start();
    let token = shipped.token("");
    eventually("a good token passes", || {
        shipped.with("/", &token).status == 200
    });
    let huge = format!("{token}{}", "A".repeat(40_000));
    let dots = ".".repeat(20_000);
    for bad in [huge.as_str(), dots.as_str(), "a.b.c", ".."] {
        assert_eq!(shipped.with("/", bad).status, 401);
    }
    assert_eq!(shipped.with("/", &token).status, 200);
    shipped.envoy.check_alive().unwrap();
}
