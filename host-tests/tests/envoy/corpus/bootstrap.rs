//! Envoy's configuration for all policies at once.

use serde_json::{Value, json};

use crate::harness::{GIVEN, address};

/// A policy, and the sockets around it.
pub(super) struct Policy {
    pub(super) number: usize,
    /// `https` where its requests are.
    pub(super) scheme: &'static str,
    /// The module's configuration, without what it needs of Envoy.
    pub(super) plugin: Value,
    pub(super) origins: Vec<String>,
    /// Whether a method is none that HTTP knows. Envoy warns of it whenever it is asked to let them pass.
    pub(super) has_custom_methods: bool,
}

impl Policy {
    pub(super) fn listener(&self) -> String {
        format!("l{}.sock", self.number)
    }

    pub(super) fn server(&self, number: usize) -> String {
        format!("s{}-{number}.sock", self.number)
    }

    fn cluster(&self, number: usize) -> String {
        format!("c{}-{number}", self.number)
    }

    fn configuration(&self) -> Value {
        let mut plugin = self.plugin.clone();
        let numbered = self.origins.iter().enumerate();
        let clusters =
            numbered.map(|(number, origin)| (origin.clone(), self.cluster(number).into()));
        plugin["clusters"] = Value::Object(clusters.collect());
        // No two policies may be the same: Envoy would have them share what they remember.
        plugin["digest"] = json!(format!("policy {}", self.number));
        plugin
    }
}

pub(super) fn bootstrap(policies: &[Policy], admin: u16) -> Value {
    let listeners: Vec<_> = policies.iter().map(listener).collect();
    let mut clusters = vec![cluster("upstream", "upstream.sock")];
    for policy in policies {
        let origins = 0..policy.origins.len();
        clusters.extend(origins.map(|it| cluster(&policy.cluster(it), &policy.server(it))));
    }
    json!({
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    })
}

/// As little as possible is done to a request before the module sees it: what Envoy can clean and refuse by
/// itself is the quickstart's matter.
fn listener(policy: &Policy) -> Value {
    let http_1 = match policy.has_custom_methods {
        true => json!({"allow_custom_methods": true}),
        false => json!({}),
    };
    json!({
        "name": policy.listener(), "address": {"pipe": {"path": policy.listener()}},
        // The client's address comes in front of each connection.
        "listener_filters": [{"name": "proxy_protocol", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
        }}],
        "filter_chains": [{"filters": [{"name": "http", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "corpus", "generate_request_id": false,
            "normalize_path": false, "merge_slashes": false,
            "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
            "http_protocol_options": http_1,
            "use_remote_address": true, "skip_xff_append": true,
            "scheme_header_transformation": {"scheme_to_overwrite": policy.scheme},
            "http_filters": [wasm(policy), {"name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                "suppress_envoy_headers": true,
            }}],
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
            ]}]},
        }}]}],
    })
}

fn wasm(policy: &Policy) -> Value {
    let plugin = policy.configuration().to_string();
    json!({"name": "access-rules", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {
            "name": "access-rules", "failure_policy": "FAIL_RELOAD", "allow_on_headers_stop_iteration": true,
            // One VM for all of them: the module is compiled once.
            "vm_config": {"vm_id": "corpus", "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": GIVEN.module}}},
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plugin},
        },
    }})
}

fn cluster(name: &str, socket: &str) -> Value {
    json!({"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": {
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": socket}}}}]}],
    }})
}
