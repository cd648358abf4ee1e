//! Envoy's configuration: a listener for each chain and hop, all alike but for their filters.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::subjects::{Chain, Hop, Row};

/// Envoy's admin port.
pub(super) const ADMIN: u16 = 18_099;
/// Where nginx and the decision endpoint answer.
pub(super) const NGINX: u16 = 18_097;
pub(super) const GATEPOST: u16 = 18_098;
/// The first listener's port; the others follow.
const FIRST: u16 = 18_100;
/// Who the tokens say they are from.
pub(super) const ISSUER: &str = "http://issuer.test";
/// How the session cookie is called.
pub(super) const COOKIE: &str = "ory_kratos_session";

/// What the listeners need to know of the world.
pub(super) struct World {
    /// The modules' files.
    pub(super) access_rules: PathBuf,
    pub(super) jwt_auth: PathBuf,
    pub(super) empty: PathBuf,
    /// The key set that both kinds of tokens are signed by.
    pub(super) jwks: String,
}

/// The listeners of a run, in the order of their ports.
pub(super) struct Listeners(Vec<(Chain, Hop)>);

impl Listeners {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut listeners = Vec::new();
        for row in rows {
            if !listeners.contains(&(row.chain, row.hop)) {
                listeners.push((row.chain, row.hop));
            }
        }
        Self(listeners)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, Chain, Hop)> {
        (FIRST..)
            .zip(&self.0)
            .map(|(port, (chain, hop))| (port, *chain, *hop))
    }

    pub(super) fn port(&self, row: Row) -> Result<u16> {
        self.iter()
            .find(|(_, chain, hop)| (*chain, *hop) == (row.chain, row.hop))
            .map(|(port, ..)| port)
            .with_context(|| format!("no listener for {row}"))
    }

    /// Writes `envoy.yaml` (as JSON, which is YAML).
    pub(super) fn write(&self, folder: &Path, world: &World) -> Result<()> {
        let listeners: Vec<_> = self
            .iter()
            .map(|(port, chain, hop)| listener(port, hop, world.filters(chain)))
            .collect();
        let clusters = [("nginx", NGINX), ("gatepost", GATEPOST)];
        let config = json!({
            "admin": {"address": address(ADMIN)},
            "static_resources": {
                "listeners": listeners,
                "clusters": clusters.map(|(name, port)| cluster(name, port)),
            },
        });
        Ok(fs::write(folder.join("envoy.yaml"), config.to_string())?)
    }
}

impl World {
    fn filters(&self, chain: Chain) -> Vec<Value> {
        match chain {
            Chain::Nothing => Vec::new(),
            Chain::Empty => vec![wasm("empty", &self.empty, &json!({}))],
            Chain::JwtAuthn => vec![self.jwt_authn(false)],
            Chain::JwtAuthnCached => vec![self.jwt_authn(true)],
            Chain::Native => vec![self.jwt_authn(true), rbac(), set_header()],
            Chain::JwtAuth => vec![wasm("jwt-auth", &self.jwt_auth, &self.token_rules())],
            Chain::AccessRules => {
                vec![wasm(
                    "one-rule",
                    &self.access_rules,
                    &self.plugin(&[rule()]),
                )]
            }
            Chain::Rules(count) => {
                let rules: Vec<_> = (0..count).map(rule_of).collect();
                let id = format!("{count}-rules");
                vec![wasm(&id, &self.access_rules, &self.plugin(&rules))]
            }
            Chain::AskGatepost => vec![ask("gatepost", GATEPOST, "/decisions")],
            Chain::AskConstant => vec![ask("nginx", NGINX, "/yes")],
            Chain::IntrospectCached => vec![self.opaque("introspect-cached", &introspect(true))],
            Chain::IntrospectEach => vec![self.opaque("introspect-each", &introspect(false))],
            Chain::SessionEach => {
                vec![self.opaque("session-each", &json!({"handler": "cookie_session"}))]
            }
        }
    }

    fn jwt_authn(&self, cached: bool) -> Value {
        let mut provider = json!({
            "issuer": ISSUER, "forward": true, "local_jwks": {"inline_string": self.jwks},
            "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
            "payload_in_metadata": "claims",
        });
        if cached && let Some(fields) = provider.as_object_mut() {
            // Larger than its default of 100 makes no difference to one repeated token.
            let cache = json!({"jwt_cache_size": 1000});
            fields.insert("jwt_cache_config".to_owned(), cache);
        }
        filter(
            "jwt_authn",
            &json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"issuer": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
            }),
        )
    }

    /// What `jwt_authn` above does.
    fn token_rules(&self) -> Value {
        let jwks: Value = serde_json::from_str(&self.jwks).unwrap_or_default();
        json!({"issuers": [{
            "issuer": ISSUER, "forward": true, "jwks": jwks,
            "claims_to_headers": [{"header": "X-User", "claim": "sub"}],
        }]})
    }

    fn plugin(&self, rules: &[Value]) -> Value {
        let origin = format!("http://127.0.0.1:{NGINX}");
        let mut config = oathkeeper(&format!("{origin}/jwks.json"));
        if let Some(known) = config
            .get_mut("authenticators")
            .and_then(Value::as_object_mut)
        {
            known.insert(
                "oauth2_introspection".to_owned(),
                json!({"enabled": true, "config": {
                    "introspection_url": format!("{origin}/introspect"),
                }}),
            );
            known.insert(
                "cookie_session".to_owned(),
                json!({"enabled": true, "config": {
                    "check_session_url": format!("{origin}/session"), "preserve_path": true, "only": [COOKIE],
                    "subject_from": "identity.id",
                }}),
            );
        }
        json!({"config": config, "rules": {"bench": rules}, "clusters": {origin: "nginx"}})
    }

    fn opaque(&self, id: &str, authenticator: &Value) -> Value {
        let mut rule = rule();
        if let Some(fields) = rule.as_object_mut() {
            fields.insert("authenticators".to_owned(), json!([authenticator]));
        }
        wasm(id, &self.access_rules, &self.plugin(&[rule]))
    }
}

/// Oathkeeper's configuration, of the module and of the decision endpoint.
pub(super) fn oathkeeper(jwks_url: &str) -> Value {
    json!({
        "authenticators": {"jwt": {"enabled": true, "config": {
            "jwks_urls": [jwks_url], "trusted_issuers": [ISSUER], "allowed_algorithms": ["RS256", "ES256"],
        }}},
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {"header": {"enabled": true, "config": {"headers": {"X-User": "{{ print .Subject }}"}}}},
    })
}

/// The one rule.
pub(super) fn rule() -> Value {
    json!({
        "id": "bench", "match": {"url": "<https?>://<[^/]+>/<.*>", "methods": ["GET"]},
        "authenticators": [{"handler": "jwt"}], "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "header"}],
    })
}

/// One rule of many, with a path of its own.
fn rule_of(number: u32) -> Value {
    json!({
        "id": format!("team-{number:05}"),
        "match": {"url": format!("<https?>://<[^/]+>/team-{number:05}/<[0-9]+>/items<(/.*)?>"), "methods": ["GET"]},
        "authenticators": [{"handler": "jwt"}], "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "header"}],
    })
}

/// The path that the rule of this number is for.
pub(super) fn path_of(number: u32) -> String {
    format!("/team-{number:05}/{number}/items/parts")
}

fn introspect(cached: bool) -> Value {
    json!({"handler": "oauth2_introspection", "config": {"cache": {"enabled": cached, "ttl": "1h"}}})
}

fn listener(port: u16, hop: Hop, filters: Vec<Value>) -> Value {
    let router = filter(
        "router",
        &json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        }),
    );
    let filters: Vec<_> = filters.into_iter().chain([router]).collect();
    let route = match hop {
        Hop::Direct => json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}}),
        Hop::Upstream => json!({"match": {"prefix": "/"}, "route": {"cluster": "nginx"}}),
    };
    json!({
        "name": port.to_string(), "address": address(port),
        "filter_chains": [{"filters": [{
            "name": "http",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench", "normalize_path": true, "merge_slashes": true,
                "http_filters": filters,
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            },
        }]}],
    })
}

/// Whoever holds a token of the issuer, as `jwt_authn` put it into the metadata.
fn rbac() -> Value {
    let issuer = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "claims"}, {"key": "iss"}],
        "value": {"string_match": {"exact": ISSUER}},
    }});
    filter(
        "rbac",
        &json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": {"bench": {
                "permissions": [{"header": {"name": ":method", "string_match": {"exact": "GET"}}}],
                "principals": [issuer],
            }}},
        }),
    )
}

fn set_header() -> Value {
    let subject = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:sub)%";
    filter(
        "header_mutation",
        &json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"append": {
                "header": {"key": "x-subject", "value": subject},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }}]},
        }),
    )
}

/// `ext_authz` over HTTP.
fn ask(cluster: &str, port: u16, prefix: &str) -> Value {
    let pattern = |name: &str| json!({"exact": name, "ignore_case": true});
    filter(
        "ext_authz",
        &json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "allowed_headers": {"patterns": [pattern("authorization")]},
            "http_service": {
                "server_uri": {"uri": format!("http://127.0.0.1:{port}"), "cluster": cluster, "timeout": "5s"},
                "path_prefix": prefix,
                "authorization_response": {"allowed_upstream_headers": {"patterns": [pattern("x-user")]}},
            },
        }),
    )
}

/// A VM for each: what one keeps must not crowd another.
fn wasm(id: &str, module: &Path, plugin: &Value) -> Value {
    filter(
        "wasm",
        &json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": id, "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": id, "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin.to_string(),
                },
            },
        }),
    )
}

fn filter(name: &str, typed_config: &Value) -> Value {
    json!({"name": name, "typed_config": typed_config})
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{
            "lb_endpoints": [{"endpoint": {"address": address(port)}}],
        }]},
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
