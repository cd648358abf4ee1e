//! Envoy's configuration: a listener for each checker, all alike but for the filter.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

use super::Checker;

/// Envoy's admin port.
pub(super) const ADMIN: u16 = 18_089;
/// Who the tokens say they are from.
pub(super) const ISSUER: &str = "http://issuer.test";

/// Writes `envoy.yaml` (as JSON, which is YAML).
pub(super) fn write(folder: &Path, module: &Path, jwks: &str, keys_port: u16) -> Result<()> {
    let listeners = [
        listener(Checker::Nothing, None),
        listener(Checker::JwtAuthn, Some(jwt_authn(jwks, None))),
        // Larger than its default of 100 makes no difference to one repeated token.
        listener(
            Checker::JwtAuthnCached,
            Some(jwt_authn(jwks, Some(json!({"jwt_cache_size": 1000})))),
        ),
        listener(Checker::Module, Some(access_rules(module, keys_port))),
    ];
    let config = json!({
        "admin": {"address": address(ADMIN)},
        "static_resources": {"listeners": listeners, "clusters": [{
            "name": "keys", "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": "keys", "endpoints": [{
                "lb_endpoints": [{"endpoint": {"address": address(keys_port)}}],
            }]},
        }]},
    });
    Ok(fs::write(folder.join("envoy.yaml"), config.to_string())?)
}

fn listener(checker: Checker, filter: Option<Value>) -> Value {
    let router = json!({"name": "router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
    }});
    let filters: Vec<_> = filter.into_iter().chain([router]).collect();
    json!({
        "name": checker.name(), "address": address(checker.port()),
        "filter_chains": [{"filters": [{
            "name": "http",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench", "normalize_path": true, "merge_slashes": true,
                "http_filters": filters,
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/"}, "direct_response": {"status": 200}},
                ]}]},
            },
        }]}],
    })
}

fn jwt_authn(jwks: &str, cache: Option<Value>) -> Value {
    let mut provider = json!({
        "issuer": ISSUER, "forward": true, "local_jwks": {"inline_string": jwks},
        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
    });
    if let (Some(cache), Some(fields)) = (cache, provider.as_object_mut()) {
        fields.insert("jwt_cache_config".to_owned(), cache);
    }
    json!({"name": "jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"issuer": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }})
}

fn access_rules(module: &Path, keys_port: u16) -> Value {
    let origin = format!("http://127.0.0.1:{keys_port}");
    let plugin = json!({
        "config": {
            "authenticators": {"jwt": {"enabled": true, "config": {
                "jwks_urls": [format!("{origin}/jwks.json")], "trusted_issuers": [ISSUER],
            }}},
            "authorizers": {"allow": {"enabled": true}},
            "mutators": {"header": {"enabled": true, "config": {
                "headers": {"X-User": "{{ print .Subject }}"},
            }}},
        },
        "rules": {"bench": [{
            "id": "bench", "match": {"url": "<https?>://<[^/]+>/<.*>", "methods": ["GET"]},
            "authenticators": [{"handler": "jwt"}], "authorizer": {"handler": "allow"},
            "mutators": [{"handler": "header"}],
        }]},
        "clusters": {origin: "keys"},
    });
    json!({"name": "access-rules", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "access-rules", "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": "access-rules", "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": module}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin.to_string(),
            },
        },
    }})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
