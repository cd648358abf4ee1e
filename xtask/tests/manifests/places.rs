//! That what a resource names is there: Services, their ports, routes and clusters.

use serde_json::Value;

use crate::{of_kind, resources};

/// Namespace, name and ports of every Service of ours.
fn services() -> Vec<(String, String, Vec<u64>)> {
    of_kind("Service")
        .into_iter()
        .map(|(_, service)| {
            let ports = service["spec"]["ports"].as_array().unwrap();
            (
                text(&service["metadata"]["namespace"]),
                text(&service["metadata"]["name"]),
                ports
                    .iter()
                    .map(|port| port["port"].as_u64().unwrap())
                    .collect(),
            )
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every value of the keys `name`, however deep.
fn find<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if key == name {
                    found.push(value);
                }
                find(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, name, found)),
        _ => {}
    }
}

/// Every origin that a module calls, and the cluster of it, with where this is said.
fn clusters() -> Vec<(String, String, String)> {
    let mut clusters = Vec::new();
    for (place, resource) in resources() {
        let mut found = Vec::new();
        find(&resource, "clusters", &mut found);
        for map in found {
            for (origin, cluster) in map.as_object().unwrap() {
                clusters.push((place.clone(), origin.clone(), text(cluster)));
            }
        }
    }
    clusters
}

/// Istio names clusters after ports and hosts: both have to be those of the origin, and of a Service or ServiceEntry.
#[test]
fn istio_s_clusters_are_the_hosts_of_the_origins() {
    let mut seen = 0;
    let entries = of_kind("ServiceEntry");
    for (place, origin, cluster) in clusters() {
        let Some(rest) = cluster.strip_prefix("outbound|") else {
            assert!(place.starts_with("gateway/"), "{place}: {cluster}");
            continue;
        };
        let (port, host) = rest.split_once("||").unwrap();
        let (scheme, authority) = origin.split_once("://").unwrap();
        let with_port = match (scheme, authority.contains(':')) {
            ("https", false) => format!("{authority}:443"),
            ("http", false) => format!("{authority}:80"),
            _ => authority.to_owned(),
        };
        assert_eq!(with_port, format!("{host}:{port}"), "{place}");
        let port: u64 = port.parse().unwrap();
        let ours = services().iter().any(|(namespace, name, ports)| {
            host == format!("{name}.{namespace}.svc.cluster.local") && ports.contains(&port)
        });
        let foreign = entries.iter().any(|(_, entry)| {
            entry["spec"]["hosts"][0] == host && entry["spec"]["ports"][0]["number"] == port
        });
        assert!(ours || foreign, "{place}: nothing is `{host}:{port}`");
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

/// Envoy Gateway names clusters after rules of routes: the route has to be there, and lead to the origin.
#[test]
fn envoy_gateway_s_clusters_are_rules_of_routes() {
    let routes = of_kind("HTTPRoute");
    let mut seen = 0;
    for (place, origin, cluster) in clusters() {
        let Some(rest) = cluster.strip_prefix("httproute/") else {
            assert!(place.starts_with("istio/"), "{place}: {cluster}");
            continue;
        };
        let [namespace, name, "rule", rule] = rest.split('/').collect::<Vec<_>>()[..] else {
            panic!("{place}: {cluster}");
        };
        let (_, route) = routes
            .iter()
            .find(|(_, route)| {
                route["metadata"]["namespace"] == namespace && route["metadata"]["name"] == name
            })
            .unwrap_or_else(|| panic!("{place}: no route `{namespace}/{name}`"));
        let rule: usize = rule.parse().unwrap();
        let backend = &route["spec"]["rules"][rule]["backendRefs"][0];
        let service = format!(
            "http://{}.{namespace}.svc.cluster.local:{}",
            text(&backend["name"]),
            backend["port"]
        );
        assert_eq!(origin, service, "{place}");
        seen += 1;
    }
    assert!(seen >= 2, "{seen}");
}

#[test]
fn the_decision_endpoint_is_where_it_is_asked() {
    let (place, policy) = of_kind("SecurityPolicy").swap_remove(0);
    let backend = &policy["spec"]["extAuth"]["http"]["backendRefs"][0];
    let asked = (
        text(&backend["namespace"]),
        text(&backend["name"]),
        vec![backend["port"].as_u64().unwrap()],
    );
    assert!(services().contains(&asked), "{place}: {asked:?}");
    let grant = &of_kind("ReferenceGrant")[0].1;
    assert_eq!(grant["metadata"]["namespace"], backend["namespace"]);
    assert_eq!(grant["spec"]["to"][0]["name"], backend["name"]);
    assert_eq!(
        grant["spec"]["from"][0]["namespace"],
        policy["metadata"]["namespace"]
    );
}

/// A NetworkPolicy that selects no pod, or names a port that nobody listens on, protects nothing.
#[test]
fn network_policies_and_services_are_for_pods_that_exist() {
    let deployments = of_kind("Deployment");
    let ports_of = |labels: &Value| -> Vec<Value> {
        let (_, deployment) = deployments
            .iter()
            .find(|(_, deployment)| deployment["spec"]["template"]["metadata"]["labels"] == *labels)
            .unwrap_or_else(|| panic!("no pod has the labels {labels}"));
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        container["ports"].as_array().unwrap().clone()
    };
    for (place, policy) in of_kind("NetworkPolicy") {
        let ports = ports_of(&policy["spec"]["podSelector"]["matchLabels"]);
        for rule in policy["spec"]["ingress"].as_array().unwrap() {
            let wanted = &rule["ports"][0]["port"];
            assert!(
                ports.iter().any(|port| port["containerPort"] == *wanted),
                "{place}: {wanted}"
            );
        }
    }
    for (place, service) in of_kind("Service") {
        let ports = ports_of(&service["spec"]["selector"]);
        let wanted = &service["spec"]["ports"][0]["targetPort"];
        assert!(
            ports.iter().any(|port| port["name"] == *wanted),
            "{place}: {wanted}"
        );
    }
}

/// Nobody is let in because something is broken.
#[test]
fn nothing_fails_open() {
    for (place, resource) in resources() {
        let mut found = Vec::new();
        for key in ["failOpen", "failStrategy"] {
            find(&resource, key, &mut found);
        }
        for value in &found {
            assert!(
                **value == Value::Bool(false) || **value == "FAIL_RELOAD",
                "{place}: {value}"
            );
        }
        let runs_wasm = ["WasmPlugin", "TrafficExtension", "EnvoyExtensionPolicy"]
            .iter()
            .any(|kind| resource["kind"] == *kind);
        assert!(
            !runs_wasm || !found.is_empty(),
            "{place}: says nothing of failures"
        );
    }
}
