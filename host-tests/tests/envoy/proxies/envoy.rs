//! Envoy, asking by `ext_authz`: `envoy-config/ext-authz`.

use std::process::Command;

use serde_json::{Value, json};
use xtask::process::Process;

use super::places::{Places, Proxy, replaced, shipped};
use crate::harness::{GIVEN, free_port};

/// Over gRPC.
pub(super) struct Grpc;

/// Over HTTP.
pub(super) struct Http;

impl Proxy for Grpc {
    fn name(&self) -> &'static str {
        "Envoy gRPC"
    }

    fn endpoint(&self) -> Value {
        json!({"trusted_proxies": ["127.0.0.1"], "client_certificates": true, "log_decisions": true})
    }

    fn start(&self, places: &Places) -> Process {
        run(places, &configuration("grpc", places))
    }
}

impl Proxy for Http {
    fn name(&self) -> &'static str {
        "Envoy HTTP"
    }

    fn endpoint(&self) -> Value {
        json!({"trusted_proxies": ["127.0.0.1"], "unclean_requests": "refuse", "log_decisions": true})
    }

    fn start(&self, places: &Places) -> Process {
        let shipped = configuration("http", places);
        let line = "- { exact: x-user, ignore_case: true }";
        let others = ["authorization", "cookie"];
        let headers = places
            .headers
            .iter()
            .filter(|it| !others.contains(&it.as_str()));
        let headers: Vec<_> = headers.map(|name| replaced(line, "x-user", name)).collect();
        let indent = format!("\n{}", " ".repeat(30));
        run(places, &replaced(&shipped, line, &headers.join(&indent)))
    }
}

/// The shipped file with our ports, and its listener a second time for `https`.
fn configuration(name: &str, places: &Places) -> String {
    let mut config = shipped(&format!("envoy-config/ext-authz/{name}.yaml"));
    for (port, ours) in [
        // This one first: a port of ours may begin with these digits.
        (4456, places.endpoint),
        (8081, places.upstream),
        (9901, free_port()),
    ] {
        let port = format!("port_value: {port}");
        config = replaced(&config, &port, &format!("port_value: {ours}"));
    }
    let config = replaced(&config, "      filter_chains:\n", PROXY_PROTOCOL);
    let (head, rest) = config.split_once("  listeners:\n").unwrap();
    let (listener, clusters) = rest.split_once("  clusters:\n").unwrap();
    let front = |port: u16| replaced(listener, "port_value: 8080", &format!("port_value: {port}"));
    let plain = front(places.http);
    let secure = replaced(&front(places.https), "name: front", "name: secure");
    let secure = replaced(
        &secure,
        "scheme_to_overwrite: http",
        "scheme_to_overwrite: https",
    );
    let secure = secure.replace(
        "x-forwarded-proto, value: http",
        "x-forwarded-proto, value: https",
    );
    format!("{head}  listeners:\n{plain}{secure}  clusters:\n{clusters}")
}

const PROXY_PROTOCOL: &str = "      listener_filters:
        - name: proxy_protocol
          typed_config:
            \"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol
      filter_chains:
";

fn run(places: &Places, config: &str) -> Process {
    let file = places.write("envoy.yaml", config);
    let mut command = Command::new(&GIVEN.envoy);
    command.arg("--config-path").arg(file);
    command.args([
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--log-level",
        "warning",
    ]);
    places.run("envoy", &mut command)
}
