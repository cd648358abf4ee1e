//! Requests out of access logs: Envoy's (JSON or its default text), nginx's `combined`, our own
//! decision log, and HTTP archives.

use gatepost_cases::RequestSpec;
use serde_json::Value;

use super::from_har;

/// A line of a log.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The request; `None` where the line is none that we can read.
    pub request: Option<RequestSpec>,
}

/// Where logs leave out the host, these are its names.
const HOSTS: &[&str] = &[
    ":authority",
    "authority",
    "host",
    "http_host",
    "server_name",
];
const METHODS: &[&str] = &[":method", "method", "request_method"];
const PATHS: &[&str] = &[
    "x-envoy-original-path",
    ":path",
    "path",
    "request_uri",
    "uri",
    "request_path",
];
const SCHEMES: &[&str] = &[":scheme", "scheme"];
const ADDRESSES: &[&str] = &["client_address", "remote_addr", "downstream_remote_address"];

/// Reads a log. `base` is scheme and host, such as `https://app.example`, of lines that do not say.
/// Empty lines are passed over.
#[must_use]
pub fn read_log(text: &str, base: &str) -> Vec<Line> {
    if let Ok(requests) = from_har(text) {
        return (1..)
            .zip(requests)
            .map(|(number, request)| Line {
                number,
                request: Some(request),
            })
            .collect();
    }
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| Line {
            number,
            request: read(line.trim(), base),
        })
        .collect()
}

fn read(line: &str, base: &str) -> Option<RequestSpec> {
    // A wasm module's line stands behind what the proxy writes before it.
    let json = line.find('{').and_then(|at| line.get(at..));
    if let Some(Ok(fields)) = json.map(serde_json::from_str::<Value>) {
        return of_json(&fields, base);
    }
    let quoted: Vec<&str> = quoted(line);
    let (method, path) = request_line(quoted.first()?)?;
    if line.starts_with('[') {
        // Envoy: request line, X-Forwarded-For, User-Agent, X-Request-Id, authority, upstream.
        let authority = quoted.get(4).copied().filter(|host| is_known(host));
        return Some(spec(method, path, authority, None, base));
    }
    // nginx: the client's address comes first.
    let address = line
        .split(' ')
        .next()
        .filter(|address| address.parse::<std::net::IpAddr>().is_ok());
    Some(spec(method, path, None, None, base)).map(|request| RequestSpec {
        client_address: address.map(str::to_owned),
        peer_certificate: None,
        ..request
    })
}

fn of_json(fields: &Value, base: &str) -> Option<RequestSpec> {
    let text = |names: &[&str]| {
        let values = names.iter().filter_map(|name| fields.get(name)?.as_str());
        values
            .into_iter()
            .find(|value| is_known(value))
            .map(str::to_owned)
    };
    let line = text(&["request"]);
    let (method, path) = match (text(METHODS), text(PATHS), &line) {
        (Some(method), Some(path), _) => (method, path),
        (_, _, Some(line)) => {
            let (method, path) = request_line(line)?;
            (method.to_owned(), path.to_owned())
        }
        _ => return None,
    };
    let (host, scheme) = (text(HOSTS), text(SCHEMES));
    let address = text(ADDRESSES).and_then(|address| {
        let host = address.rsplit_once(':').map_or(&*address, |(host, _)| host);
        let bare = host.trim_matches(['[', ']']);
        [address.as_str(), bare]
            .into_iter()
            .find(|it| it.parse::<std::net::IpAddr>().is_ok())
            .map(str::to_owned)
    });
    Some(RequestSpec {
        client_address: address,
        ..spec(&method, &path, host.as_deref(), scheme.as_deref(), base)
    })
}

fn spec(
    method: &str,
    path: &str,
    host: Option<&str>,
    scheme: Option<&str>,
    base: &str,
) -> RequestSpec {
    let (base_scheme, base_host) = base.split_once("://").unwrap_or(("http", base));
    let scheme = scheme.unwrap_or(base_scheme);
    let host = host.unwrap_or(base_host);
    RequestSpec {
        method: method.to_owned(),
        url: format!("{scheme}://{host}{path}"),
        headers: Vec::new(),
        client_address: None,
        peer_certificate: None,
        body: None,
    }
}

/// `GET /a HTTP/1.1`
fn request_line(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_method = !method.is_empty()
        && method
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    (is_method && path.starts_with('/')).then_some((method, path))
}

/// What stands between double quotes.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

/// Logs write `-` for what is not there.
fn is_known(value: &str) -> bool {
    !matches!(value, "" | "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Option<String> {
        let lines = read_log(line, "https://app.example");
        let request = lines.into_iter().next()?.request?;
        let from = request
            .client_address
            .map(|address| format!(" from {address}"));
        Some(format!(
            "{} {}{}",
            request.method,
            request.url,
            from.unwrap_or_default()
        ))
    }

    #[test]
    fn the_usual_formats_are_read() {
        for (line, expected) in [
            (
                r#"{"time":"x","method":"GET","path":"/api/a","status":200,"rule":"api"}"#,
                "GET https://app.example/api/a",
            ),
            (
                r#"{":authority":"h:8080","method":"POST",":path":"/a?b=c","scheme":"http","remote_addr":"10.0.0.1:55"}"#,
                "POST http://h:8080/a?b=c from 10.0.0.1",
            ),
            (
                r#"{"request":"DELETE /x HTTP/1.1","http_host":"h","remote_addr":"::1"}"#,
                "DELETE https://h/x from ::1",
            ),
            (
                r#"[2026-11-22 00:00:00][1][info][wasm] wasm log access-rules: {"log":"gatepost.decision","method":"GET","path":"/a/b"}"#,
                "GET https://app.example/a/b",
            ),
            (
                r#"[2026-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0" "locations" "tcp://10.0.2.1:80""#,
                "POST https://locations/api/v1/locations",
            ),
            (
                r#"[2026-04-15T20:17:00.310Z] "GET /a HTTP/1.1" 0 DC 0 0 1 - "-" "-" "-" "-" "-""#,
                "GET https://app.example/a",
            ),
            (
                r#"127.0.0.1 - ada [22/Nov/2026:11:00:00 +0000] "GET /a//b HTTP/1.1" 200 12 "-" "curl/8""#,
                "GET https://app.example/a//b from 127.0.0.1",
            ),
        ] {
            assert_eq!(one(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not_guessed_at() {
        for line in [
            "hello",
            "{}",
            "{\"method\": \"GET\"}",
            "\"\\x16\\x03\" 400 0",
            "[x] \"GET http://h/ HTTP/1.1\"",
            "{\"method\":\"GET\",\"path\":\"-\"}",
        ] {
            assert_eq!(one(line), None, "{line}");
        }
        assert!(read_log("\n\n", "http://h").is_empty());
        assert_eq!(read_log("\n\nx", "http://h")[0].number, 3);
    }
}
