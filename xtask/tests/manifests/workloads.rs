//! What workloads may do, and that Kubernetes can tell how they are.

use std::fs;

use serde_json::Value;

use crate::{files, of_kind, root};

#[test]
fn workloads_may_do_no_more_than_they_need() {
    for (place, deployment) in of_kind("Deployment") {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false, "{place}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{place}");
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
            "{place}"
        );
        for container in pod["containers"].as_array().unwrap() {
            let allowed = &container["securityContext"];
            assert_eq!(allowed["readOnlyRootFilesystem"], true, "{place}");
            assert_eq!(allowed["allowPrivilegeEscalation"], false, "{place}");
            assert_eq!(allowed["capabilities"]["drop"][0], "ALL", "{place}");
            assert!(
                container["resources"]["limits"]["memory"].is_string(),
                "{place}"
            );
            for probe in ["livenessProbe", "readinessProbe"] {
                assert!(
                    container[probe]["httpGet"]["path"].is_string(),
                    "{place}: {probe}"
                );
            }
        }
    }
}

/// The user of the image is the one that the Deployments run it as, and no root.
#[test]
fn the_image_is_nobody_s() {
    let image = fs::read_to_string(root().join("identity-server/Dockerfile")).unwrap();
    let user = image
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    for (place, deployment) in of_kind("Deployment") {
        let context = &deployment["spec"]["template"]["spec"]["securityContext"];
        let expected = format!("{}:{}", context["runAsUser"], context["runAsGroup"]);
        assert_eq!(user, expected, "{place}");
    }
}

/// The compiler in the image is the one of the repository.
#[test]
fn the_image_is_built_by_the_compiler_of_the_repository() {
    let image = fs::read_to_string(root().join("identity-server/Dockerfile")).unwrap();
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = \""))
        .unwrap()
        .trim_end_matches('"');
    assert!(
        image.contains(&format!("RUSTUP_TOOLCHAIN={channel}\n")),
        "{channel}"
    );
}

#[test]
fn kustomize_is_told_of_every_file() {
    let mut files = files();
    let folder = "identity-server/kubernetes/";
    let list = files
        .remove(&format!("{folder}kustomization.yaml"))
        .unwrap();
    let mut named: Vec<_> = list[0]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    named.sort();
    let there: Vec<_> = files
        .keys()
        .filter_map(|file| file.strip_prefix(folder))
        .collect();
    assert_eq!(named, there);
}

/// Envoy that asks over HTTP hands on the path and the headers that it was sent, so the endpoint has to refuse where
/// others were judged; and a body that it does not send is an empty one to rules.
#[test]
fn who_asks_over_http_gets_no_answer_that_it_cannot_follow() {
    let mut asked = 0;
    for (place, policy) in of_kind("SecurityPolicy") {
        let auth = &policy["spec"]["extAuth"];
        if auth["http"].is_null() {
            continue;
        }
        assert!(auth["bodyToExtAuth"]["maxRequestBytes"].is_u64(), "{place}");
        let service = &auth["http"]["backendRefs"][0]["name"];
        for (place, map) in of_kind("ConfigMap") {
            if map["metadata"]["name"] == *service {
                let text = map["data"]["oathkeeper.yaml"].as_str().unwrap();
                let config: Value = serde_saphyr::from_str(text).unwrap();
                let own = &config["serve"]["api"]["gatepost"];
                assert_eq!(own["unclean_requests"], "refuse", "{place}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 1, "no endpoint that is asked over HTTP");
}
