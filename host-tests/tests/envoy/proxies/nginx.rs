//! nginx, asking by `auth_request`: `nginx-config/auth-request`.

use std::{fs, process::Command};

use serde_json::{Value, json};
use xtask::{
    process::Process,
    setup::debian::{self, NGINX},
};

use super::places::{Places, Proxy, replaced, shipped};

/// Debian's, by the configuration of a scenario.
pub(super) struct Nginx(pub(super) &'static str);

/// The files that scenarios share.
const SHARED: [&str; 7] = [
    "http", "server", "ask", "headers", "question", "cache", "cached",
];

impl Proxy for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn endpoint(&self) -> Value {
        json!({"trusted_proxies": ["127.0.0.1"], "log_decisions": true})
    }

    fn start(&self, places: &Places) -> Process {
        debian::require(&NGINX).unwrap();
        let config = configuration(self.0, places);
        fs::create_dir(places.folder.path().join("plain")).unwrap();
        places.write("nginx.conf", &config);
        let mut command = Command::new("nginx");
        // What the package has set as its folders belongs to others.
        command.args([
            "-e",
            "stderr",
            "-p",
            ".",
            "-c",
            "nginx.conf",
            "-g",
            "daemon off;",
        ]);
        places.run("nginx", &mut command)
    }
}

/// The shipped file with our ports and headers, and its server a second time for `https`.
fn configuration(scenario: &str, places: &Places) -> String {
    let config = shipped(&format!("nginx-config/{scenario}/nginx.conf"));
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
    let config = replaced(
        &config,
        "access_log off;",
        &format!("access_log off;\n{TEMPORARY}"),
    );
    let (head, server) = config.split_once("    server {\n").unwrap();
    let server = server.trim_end().trim_end_matches('}');
    let listen = "listen 127.0.0.1:8080;";
    let front = |port: u16| {
        let ours = format!("listen 127.0.0.1:{port} proxy_protocol;\n{REAL_ADDRESS}");
        replaced(server, listen, &ours)
    };
    let plain = front(places.http).replace("../gatepost", "gatepost/http");
    let secure = front(places.https).replace("../gatepost", "gatepost/https");
    for scheme in ["http", "https"] {
        let folder = places.folder.path().join("gatepost").join(scheme);
        fs::create_dir_all(&folder).unwrap();
        for name in SHARED {
            let text = shipped(&format!("nginx-config/gatepost/{name}.conf"));
            // There is no TLS here.
            let text = text.replace("$scheme", scheme);
            let text = match name {
                "cache" => replaced(&text, "/dev/shm/gatepost-decisions", "decisions"),
                _ => text,
            };
            let text = if name == "headers" {
                headers(&text, places)
            } else {
                text
            };
            fs::write(folder.join(format!("{name}.conf")), text).unwrap();
        }
    }
    let head = head.replace("../gatepost", "gatepost/http");
    format!("{head}    server {{\n{plain}\n    server {{\n{secure}\n}}\n")
}

const TEMPORARY: &str = "    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp;";

const REAL_ADDRESS: &str = "        set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;";

/// The two lines for `X-User`, for every header that a case sets.
fn headers(shipped: &str, places: &Places) -> String {
    let (_, lines) = shipped.split_once("\n\n").unwrap();
    let own = ["authorization", "cookie"];
    let names = places
        .headers
        .iter()
        .filter(|it| !own.contains(&it.as_str()));
    let lines = names.map(|name| {
        let variable = name.replace('-', "_");
        replaced(lines, "X-User", name).replace("x_user", &variable)
    });
    lines.collect()
}
