//! What no case of the corpus shows: long bodies, WebSocket, an endpoint that is down, and that the files for the
//! endpoint that are shipped beside a proxy's configuration are good.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use gatepost::decisions::load;
use gatepost_policy::RuleSet;
use serde_json::json;
use xtask::process::Process;

use super::{
    asked::Asked,
    caddy::Caddy,
    door::{Event, Events, ask},
    envoy::{Grpc, Http},
    nginx::Nginx,
    places::{Places, Proxy, listener},
    traefik::Traefik,
};
use crate::{
    corpus::wire::{self, Message},
    harness::{GIVEN, free_port},
};

/// A proxy before the endpoint with the files that are shipped, and an upstream.
struct World {
    asked: Asked,
    places: Places,
    /// What the upstream got.
    arrived: Receiver<Message>,
    _events: Receiver<Event>,
    _process: Process,
}

impl World {
    /// `folder` holds the endpoint's files.
    fn start(proxy: &dyn Proxy, folder: &str) -> Self {
        let mut asked = Asked::start();
        let (sender, events) = mpsc::channel();
        let file = GIVEN.workspace.root.join(folder).join("oathkeeper.yaml");
        let loaded = load(&file).unwrap();
        let mut own = loaded.config["serve"]["api"]["gatepost"].clone();
        own["log_decisions"] = json!(true);
        asked.load(&loaded.rules, &own, &Events::new(sender));
        asked.begin(1_700_000_000);
        let port = asked.port;
        Self::with(proxy, asked, port, events)
    }

    /// The same, but nobody listens where the endpoint should be.
    fn without_endpoint(proxy: &dyn Proxy) -> Self {
        let (_, events) = mpsc::channel();
        Self::with(proxy, Asked::start(), free_port(), events)
    }

    fn with(proxy: &dyn Proxy, asked: Asked, endpoint: u16, events: Receiver<Event>) -> Self {
        let (listener, upstream) = listener();
        let (sender, arrived) = mpsc::channel();
        serve_upstream(listener, sender);
        let places = Places::new(endpoint, upstream, vec!["x-user".to_owned()]);
        let process = proxy.start(&places);
        // What was sent to see whether it is ready.
        while arrived.try_recv().is_ok() {}
        Self {
            asked,
            places,
            arrived,
            _events: events,
            _process: process,
        }
    }

    /// Sends a request for this path.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Message {
        let request = json!({"url": format!("http://app.test{path}"), "headers": headers});
        ask(self.places.http, &serde_json::from_value(request).unwrap()).unwrap()
    }

    /// Sends these bytes, and reads an answer.
    fn raw(&self, bytes: &[u8]) -> (TcpStream, Message) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.places.http)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        stream
            .write_all(b"PROXY TCP4 127.0.0.1 127.0.0.1 4711 80\r\n")
            .unwrap();
        stream.write_all(bytes).unwrap();
        let answer = wire::read(&mut stream, None).unwrap();
        (stream, answer)
    }

    /// The request that the upstream got.
    fn arrived(&self) -> Message {
        self.arrived.recv_timeout(Duration::from_secs(15)).unwrap()
    }

    fn nothing_arrived(&self) {
        let message = self.arrived.recv_timeout(Duration::from_millis(50));
        assert!(message.is_err(), "{message:?}");
    }
}

fn status(answer: &Message) -> u16 {
    answer.words()[1].parse().unwrap()
}

/// Tells of each request; agrees to speak WebSocket, and then sends back what comes.
fn serve_upstream(listener: TcpListener, arrived: Sender<Message>) {
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let arrived = arrived.clone();
            thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(15)));
                let Ok(message) = wire::read(&mut stream, None) else {
                    return;
                };
                let upgrades = message.header("upgrade").is_some();
                let _ = arrived.send(message);
                if !upgrades {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(answer);
                    return;
                }
                let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                let _ = stream.write_all(answer);
                let mut buffer = [0; 64];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = stream.write_all(&buffer[..count]);
                }
            });
        }
    });
}

const WEBSOCKET: &str = "Host: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What every one of them does.
fn behaves(proxy: &dyn Proxy, folder: &str, takes_websocket: bool, without_endpoint: u16) {
    let mut world = World::start(proxy, folder);
    tells_the_client(&world);
    lets_bodies_pass(&world);
    upgrades(&world, takes_websocket);
    upgrades_to_nothing_else(&world);
    hands_on_nothing_that_only_proxies_say(&world);
    refuses_what_has_no_host(&world);
    takes_no_certificate_from_clients(&mut world, folder);
    drop(world);

    let world = World::without_endpoint(proxy);
    let answer = world.get("/public", &[]);
    assert_eq!(status(&answer), without_endpoint, "{}", proxy.name());
    world.nothing_arrived();
}

fn tells_the_client(world: &World) {
    for (path, expected) in [
        ("/api/orders", 401),
        ("/admin", 403),
        ("/nowhere", 404),
        ("/account?tab=1", 302),
    ] {
        let answer = world.get(path, &[]);
        assert_eq!(status(&answer), expected, "{path}");
        if expected == 302 {
            assert_eq!(
                answer.header("location").unwrap(),
                "http://127.0.0.1:4444/login?return_to=http%3A%2F%2Fapp.test%2Faccount%3Ftab%3D1"
            );
        }
        world.nothing_arrived();
    }
    let answer = world.get("/public/a%20b?c=%2F", &[("X-User", "root")]);
    assert_eq!(status(&answer), 200);
    let arrived = world.arrived();
    assert_eq!(arrived.words()[1], "/public/a%20b?c=%2F");
    assert_eq!(arrived.header("host").unwrap(), "app.test");
    let users = arrived.headers.iter().filter(|(name, _)| name == "x-user");
    let users: Vec<_> = users.map(|(_, value)| value.as_slice()).collect();
    assert_eq!(users, [b"guest"]);
}

fn lets_bodies_pass(world: &World) {
    let body = vec![b'x'; 200_000];
    let head = "POST /public HTTP/1.1\r\nHost: app.test\r\n";
    let length = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    let chunk = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    for message in [
        [length.as_bytes(), &body].concat(),
        [chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat(),
    ] {
        assert_eq!(status(&world.raw(&message).1), 200);
        assert!(world.arrived().body == body, "another body arrived");
    }
}

fn upgrades(world: &World, takes_websocket: bool) {
    let (_, refused) = world.raw(format!("GET /admin HTTP/1.1\r\n{WEBSOCKET}").as_bytes());
    assert_eq!(status(&refused), 403);
    let (mut stream, answer) = world.raw(format!("GET /public HTTP/1.1\r\n{WEBSOCKET}").as_bytes());
    if !takes_websocket {
        assert_eq!(status(&answer), 403);
        world.nothing_arrived();
        return;
    }
    assert_eq!(status(&answer), 101);
    assert_eq!(world.arrived().header("x-user").unwrap(), "guest");
    stream.write_all(b"hello").unwrap();
    let mut echo = [0; 5];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, b"hello");
}

/// Whatever else a connection turned into would be a tunnel in which nobody is asked.
fn upgrades_to_nothing_else(world: &World) {
    const H2C: &str = "Upgrade: h2c\r\n";
    const WS: &str = "Upgrade: websocket\r\n";
    for lines in [
        H2C.to_owned(),
        format!("{H2C}{WS}"),
        format!("{WS}{H2C}"),
        "Upgrade: websocket, h2c\r\n".to_owned(),
    ] {
        let request = format!(
            "GET /public HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, HTTP2-Settings\r\n{lines}\
             HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        );
        let (_, answer) = world.raw(request.as_bytes());
        if matches!(status(&answer), 101 | 200) {
            let arrived = world.arrived();
            let asked = arrived.headers.iter().filter(|(name, _)| name == "upgrade");
            let asked: Vec<_> = asked.map(|(_, value)| value.as_slice()).collect();
            assert!(
                asked.is_empty() || asked == [b"websocket"],
                "{lines:?}: {arrived:?}"
            );
        }
    }
    world.nothing_arrived();
}

/// What a client says of another request, or in the endpoint's place.
fn hands_on_nothing_that_only_proxies_say(world: &World) {
    let claimed = [
        ("X-Forwarded-Method", "DELETE"),
        ("X-Forwarded-Uri", "/claimed"),
        ("X-Forwarded-Client-Cert", "Hash=00;Subject=claimed"),
        ("X-Forwarded-Host", "claimed.test"),
        ("Cookie", "a=b"),
    ];
    let in_its_place = [
        ("X-Gatepost-Remove", "cookie"),
        ("X-Gatepost-Cookie", "claimed=1"),
    ];
    let all = [&claimed[..], &in_its_place].concat();
    assert_eq!(status(&world.get("/public", &all)), 200);
    let arrived = world.arrived();
    for (name, _) in claimed {
        let name = name.to_ascii_lowercase();
        // Traefik hands on no cookies once a rule may set them.
        let expected = match name.as_str() {
            "cookie" => [None, Some("a=b")],
            "x-forwarded-host" => [None, Some("app.test")],
            _ => [None, None],
        };
        let value = arrived.header(&name);
        assert!(
            expected.contains(&value.as_deref()),
            "{name}: {value:?} arrived"
        );
    }
}

/// The endpoint would judge it as a request for its own host.
fn refuses_what_has_no_host(world: &World) {
    let (_, answer) = world.raw(b"GET /public HTTP/1.0\r\n\r\n");
    assert!((400..500).contains(&status(&answer)), "{answer:?}");
    world.nothing_arrived();
}

/// Also where the endpoint is told to believe its proxy.
fn takes_no_certificate_from_clients(world: &mut World, folder: &str) {
    let on = json!({"enabled": true});
    let config = json!({
        "authenticators": {"unauthorized": on}, "authorizers": {"allow": on}, "mutators": {"noop": on},
    });
    let name = "spiffe://mesh.test/admin";
    let rules = json!([{
        "id": "mesh", "match": {"url": "http://app.test/public", "methods": ["GET"]},
        "authenticators": [{"handler": "unauthorized"}], "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
        "gatepost": {"authenticators": [{
            "handler": "peer_certificate", "config": {"allowed": [name]},
            "gatepost": {"continue_on_failure": false},
        }]},
    }]);
    let files = vec![("rules.json".to_owned(), rules)];
    let rules = RuleSet::new(config, files, Default::default()).unwrap();
    let file = GIVEN.workspace.root.join(folder).join("oathkeeper.yaml");
    let mut own = load(&file).unwrap().config["serve"]["api"]["gatepost"].clone();
    own["client_certificates"] = json!(true);
    let (sender, _events) = mpsc::channel();
    world.asked.load(&rules, &own, &Events::new(sender));
    let claimed = format!("Hash={};URI={name}", "00".repeat(32));
    let answer = world.get("/public", &[("X-Forwarded-Client-Cert", &claimed)]);
    assert_eq!(status(&answer), 401);
    world.nothing_arrived();
}

#[test]
fn nginx_behaves() {
    behaves(
        &Nginx("auth-request"),
        "nginx-config/auth-request",
        true,
        502,
    );
}

#[test]
fn nginx_with_a_cache_behaves() {
    behaves(&Nginx("cached"), "nginx-config/cached", true, 502);
}

#[test]
fn caddy_behaves() {
    behaves(&Caddy, "caddy-config", true, 502);
}

#[test]
fn traefik_behaves() {
    behaves(&Traefik, "traefik-config", true, 500);
}

#[test]
fn ext_authz_over_http_behaves() {
    behaves(&Http, "envoy-config/ext-authz", false, 500);
}

#[test]
fn ext_authz_over_grpc_behaves() {
    behaves(&Grpc, "envoy-config/ext-authz", true, 503);
}

#[test]
fn nginx_remembers_only_whom_it_let_pass_and_only_for_the_same_request() {
    let world = World::start(&Nginx("cached"), "nginx-config/cached");
    let asked = |path: &str, headers: &[(&str, &str)], expected: u16| {
        let before = world.asked.lines().len();
        assert_eq!(status(&world.get(path, headers)), expected, "{path}");
        if expected == 200 {
            let user = world.arrived().header("x-user");
            assert_eq!(user.as_deref(), Some("guest"), "{path}");
        }
        world.asked.lines().len() > before
    };
    assert!(asked("/public", &[], 200));
    assert!(!asked("/public", &[], 200));
    assert!(!asked("/public", &[("X-User", "root")], 200));
    // What a decision depends on.
    for (path, headers) in [
        ("/public/", &[][..]),
        ("/public?a=b", &[]),
        ("/public", &[("Cookie", "a=b")]),
        ("/public", &[("X-Forwarded-For", "192.0.2.1")]),
    ] {
        assert!(asked(path, headers, 200), "{path} {headers:?}");
    }
    for _ in 0..2 {
        assert!(asked("/public", &[("DPoP", "x")], 200));
        // Nobody with credentials is anonymous.
        assert!(asked("/public", &[("Authorization", "Basic eA==")], 401));
        assert!(asked("/admin", &[], 403));
        assert!(asked("/api/orders", &[], 401));
        assert!(asked("/nowhere", &[], 404));
    }
}

#[test]
fn every_folder_has_the_same_rules() {
    let rules = |folder: &str| super::places::shipped(&format!("{folder}/rules.yaml"));
    let first = rules("envoy-config/ext-authz");
    for folder in [
        "nginx-config/auth-request",
        "nginx-config/cached",
        "caddy-config",
        "traefik-config",
    ] {
        assert_eq!(rules(folder), first, "{folder}");
    }
}
