//! Folders of `envoy-config` with one file and one module, as they are shipped but for ports and the module's place.

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

/// An Envoy with the file of a folder.
struct Scenario {
    front: u16,
    staff: u16,
    keys: KeyServer,
    envoy: Envoy,
    _folder: TempDir,
    _upstream: Upstream,
}

impl Scenario {
    fn start(folder: &str, package: &str) -> Self {
        let module = build::module(&GIVEN.workspace, package).unwrap();
        let shipped = format!("../../target/wasm/{}.wasm", package.replace('-', "_"));
        let upstream = Upstream::echo(0).unwrap();
        let keys = KeyServer::start(0);
        let (front, staff, admin) = (free_port(), free_port(), free_port());
        let file = GIVEN.workspace.root.join("envoy-config").join(folder);
        let mut config = fs::read_to_string(file.join("envoy.yaml")).unwrap();
        assert!(config.contains(&shipped), "{shipped}");
        config = config.replace(&shipped, module.to_str().unwrap());
        for (written, here) in [
            (8080, front),
            (8090, staff),
            (9901, admin),
            (3000, upstream.port()),
            (4444, keys.port),
        ] {
            let port = |number| format!("port_value: {number} ");
            config = config.replace(&port(written), &port(here));
        }
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
            staff,
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
}

fn send(port: u16, method: &str, path: &str, token: Option<&str>) -> Answer {
    let mut request = Request::get(&format!("http://127.0.0.1:{port}{path}"));
    request.method = method.to_owned();
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.send().unwrap()
}

#[test]
fn listeners_have_rules_of_their_own() {
    let mut scenario = Scenario::start("listeners", "access-rules");
    let (public, staff) = (scenario.front, scenario.staff);
    let (plain, admin) = (scenario.token("read"), scenario.token("read admin"));
    eventually("a good token passes", || {
        send(public, "GET", "/orders", Some(&plain)).status == 200
    });
    eventually("a good token passes", || {
        send(staff, "GET", "/orders", Some(&admin)).status == 200
    });
    // Without a token, with one, with one of the scope.
    for (port, method, path, expected) in [
        (public, "GET", "/catalogue", [200, 200, 200]),
        (public, "PUT", "/catalogue", [404, 404, 404]),
        (public, "GET", "/orders", [401, 200, 200]),
        (public, "GET", "/elsewhere", [404, 404, 404]),
        (staff, "GET", "/catalogue", [401, 401, 200]),
        (staff, "PUT", "/catalogue", [401, 401, 200]),
        (staff, "GET", "/orders", [401, 401, 200]),
        (staff, "GET", "/elsewhere", [404, 404, 404]),
    ] {
        for (token, status) in [None, Some(&plain), Some(&admin)].iter().zip(expected) {
            let answer = send(port, method, path, token.map(String::as_str));
            let with = token.is_some();
            assert_eq!(
                answer.status, status,
                "{port} {method} {path}, token: {with}"
            );
        }
    }
    let answer = send(staff, "GET", "/catalogue", Some(&admin));
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    scenario.envoy.check_alive().unwrap();
}

#[test]
fn routes_choose_their_configuration() {
    let mut scenario = Scenario::start("per-route", "jwt-auth");
    let front = scenario.front;
    let (plain, admin) = (scenario.token("read"), scenario.token("read admin"));
    for path in ["/", "/admin"] {
        eventually("a good token passes", || {
            send(front, "GET", path, Some(&admin)).status == 200
        });
    }
    for (path, expected) in [
        ("/healthz", [200, 200, 200]),
        ("/healthz/x", [401, 200, 200]),
        ("/admin", [401, 403, 200]),
        ("/admin/x", [401, 403, 200]),
        ("/administrators", [401, 200, 200]),
        ("/", [401, 200, 200]),
        // Envoy and the module read paths alike: no spelling gets the filter of another route.
        ("/x/../admin", [401, 403, 200]),
        ("//admin", [401, 403, 200]),
        ("/%61dmin", [401, 403, 200]),
        ("/healthz/../admin", [401, 403, 200]),
        ("/healthz%2f..%2fadmin", [400, 400, 400]),
        // Nor the filter of `/` for what many upstreams take for `/admin`.
        ("/admin;x", [400, 400, 400]),
        ("/admin%3Bx", [401, 400, 400]),
        ("/admin%3bx/y", [401, 400, 400]),
    ] {
        for (token, status) in [None, Some(&plain), Some(&admin)].iter().zip(expected) {
            let answer = send(front, "GET", path, token.map(String::as_str));
            let with = token.is_some();
            assert_eq!(answer.status, status, "{path}, token: {with}");
        }
    }
    let answer = send(front, "GET", "/admin", Some(&admin));
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    scenario.envoy.check_alive().unwrap();
}
