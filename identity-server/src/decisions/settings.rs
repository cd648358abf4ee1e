//! What of Oathkeeper's configuration concerns the process: `serve.api`.

use std::net::IpAddr;

use anyhow::{Context as _, bail};
use gatepost_policy::decision_log::{LogDecisions, WrittenLog};
use serde::Deserialize;
use serde_json::Value;

use crate::config::AddressRange;

/// Where to listen, and whom to believe.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host or address to listen on.
    pub host: String,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// The proxies whose `X-Forwarded-*` are believed. Nobody's, unless named.
    pub trusted_proxies: Vec<AddressRange>,
    /// Whether those proxies tell of client certificates in `X-Forwarded-Client-Cert`.
    pub client_certificates: bool,
    /// Whether a request is refused that could pass only under another path, or without a header that some
    /// upstreams take for another one: for proxies that cannot change that.
    pub refuses_unclean: bool,
    /// For which decisions a line is written.
    pub log_decisions: LogDecisions,
    /// Keys that are set and have no effect here, for the log.
    pub ignored: Vec<&'static str>,
}

/// As written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Api {
    host: Option<String>,
    port: Option<u16>,
    tls: Value,
    cors: Value,
    timeout: Value,
    gatepost: Extension,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Extension {
    trusted_proxies: Vec<AddressRange>,
    client_certificates: bool,
    unclean_requests: Unclean,
    log_decisions: WrittenLog,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unclean {
    #[default]
    Tell,
    Refuse,
}

impl Settings {
    /// Reads `serve.api` of Oathkeeper's configuration. `variable` looks into the environment:
    /// `SERVE_API_HOST` and `SERVE_API_PORT` go before the file.
    ///
    /// # Errors
    /// The key that cannot be used, and why.
    pub fn read(config: &Value, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let written = config.pointer("/serve/api").filter(|api| !api.is_null());
        let api: Api = match written {
            Some(api) => serde_path_to_error::deserialize(api).map_err(|error| {
                anyhow::anyhow!("serve.api.{}: {}", error.path(), error.inner())
            })?,
            None => Api::default(),
        };
        if is_set(&api.tls) {
            bail!(
                "serve.api.tls: this listener speaks plain HTTP; let the proxy that asks it reach it on \
                 loopback or through a mesh that encrypts, and remove the key"
            );
        }
        let port = match variable("SERVE_API_PORT") {
            Some(text) => text
                .parse()
                .with_context(|| format!("SERVE_API_PORT: `{text}` is no port"))?,
            None => api.port.unwrap_or(4456),
        };
        let host = variable("SERVE_API_HOST").or(api.host);
        let ignored = [
            ("serve.api.cors", &api.cors),
            ("serve.api.timeout", &api.timeout),
        ];
        Ok(Self {
            host: host
                .filter(|host| !host.is_empty())
                .unwrap_or_else(|| "127.0.0.1".to_owned()),
            port,
            trusted_proxies: api.gatepost.trusted_proxies,
            client_certificates: api.gatepost.client_certificates,
            refuses_unclean: api.gatepost.unclean_requests == Unclean::Refuse,
            log_decisions: LogDecisions::try_from(api.gatepost.log_decisions)
                .map_err(|error| anyhow::anyhow!("serve.api.gatepost.{error}"))?,
            ignored: ignored
                .into_iter()
                .filter(|(_, value)| is_set(value))
                .map(|(key, _)| key)
                .collect(),
        })
    }

    /// Whether this peer's `X-Forwarded-*` are believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|range| range.contains(peer))
    }
}

/// Whether a section says anything: `cors: {enabled: false}` does not.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty() && map.get("enabled") != Some(&Value::Bool(false)),
        Value::Null => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(config: &Value) -> anyhow::Result<Settings> {
        Settings::read(config, |_| None)
    }

    #[test]
    fn nobody_is_trusted_and_only_loopback_listened_on_unless_configured() {
        for config in [
            json!({}),
            json!({"serve": null}),
            json!({"serve": {"api": {"host": ""}}}),
        ] {
            let settings = read(&config).unwrap();
            assert_eq!((settings.host.as_str(), settings.port), ("127.0.0.1", 4456));
            assert!(!settings.trusts("127.0.0.1".parse().unwrap()));
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let config = json!({"serve": {"api": {"host": "10.0.0.1", "port": 1}}});
        let settings = Settings::read(&config, |name| match name {
            "SERVE_API_PORT" => Some("2".to_owned()),
            _ => None,
        });
        let settings = settings.unwrap();
        assert_eq!((settings.host.as_str(), settings.port), ("10.0.0.1", 2));
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_key() {
        for (api, key) in [
            (json!({"port": "x"}), "serve.api.port"),
            (json!({"tls": {"key": {"path": "k"}}}), "serve.api.tls"),
            (
                json!({"gatepost": {"trusted_proxies": ["x"]}}),
                "serve.api.gatepost.trusted_proxies[0]",
            ),
            (json!({"gatepost": {"trusted_proxy": []}}), "trusted_proxy"),
            (
                json!({"gatepost": {"log_decisions": {"sample": 2}}}),
                "serve.api.gatepost.log_decisions",
            ),
        ] {
            let error = read(&json!({"serve": {"api": api}}))
                .unwrap_err()
                .to_string();
            assert!(error.contains(key), "{key}: {error}");
        }
    }
}
