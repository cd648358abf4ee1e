//! The Deployments in `kubernetes/`: the binary starts with the arguments, variables and files that they say, answers
//! their probes, and writes nowhere but into their volumes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines},
    process::Child,
};

use super::server::gatepost;

/// A pod of a Deployment, with folders for its volumes.
struct Pod {
    deployment: Value,
    config_map: Value,
    folder: tempfile::TempDir,
}

impl Pod {
    fn of(file: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("kubernetes")
            .join(file);
        let text = fs::read_to_string(path).unwrap();
        let resources: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let of_kind = |kind: &str| {
            let found = resources.iter().find(|resource| resource["kind"] == kind);
            found.unwrap().clone()
        };
        let pod = Self {
            deployment: of_kind("Deployment"),
            config_map: of_kind("ConfigMap"),
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(pod.path("/work")).unwrap();
        for mount in pod.container()["volumeMounts"].as_array().unwrap() {
            let path = pod.path(mount["mountPath"].as_str().unwrap());
            fs::create_dir_all(path).unwrap();
        }
        for (name, text) in pod.config_map["data"].as_object().unwrap() {
            // What the files of the pod are called on this machine; and loopback is enough for a test.
            let text = pod
                .placed(text.as_str().unwrap())
                .replace("0.0.0.0", "127.0.0.1");
            fs::write(pod.path("/etc/gatepost").join(name), text).unwrap();
        }
        pod
    }

    /// Where the pod's `path` is on this machine.
    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// A text with the pod's paths, as they are on this machine.
    fn placed(&self, text: &str) -> String {
        let root = self.folder.path().to_str().unwrap();
        text.replace("/etc/gatepost", &format!("{root}/etc/gatepost"))
            .replace("/var/lib", &format!("{root}/var/lib"))
    }

    fn container(&self) -> &Value {
        &self.deployment["spec"]["template"]["spec"]["containers"][0]
    }

    /// The configuration as it is in the manifest.
    fn configuration(&self, file: &str) -> Value {
        serde_saphyr::from_str(self.config_map["data"][file].as_str().unwrap()).unwrap()
    }

    fn port(&self, name: &str) -> &Value {
        let ports = self.container()["ports"].as_array().unwrap();
        let port = ports.iter().find(|port| port["name"] == name).unwrap();
        &port["containerPort"]
    }

    /// Started as Kubernetes would, but for the ports, which the system chooses.
    fn start(&self, ports: &[&str]) -> Child {
        let container = self.container();
        let arguments: Vec<_> = container["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|argument| self.placed(argument.as_str().unwrap()))
            .collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = gatepost(&self.path("/work"), &arguments);
        for variable in container["env"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap();
            command.env(name, format!("{name}-that-is-long-enough-for-anybody"));
        }
        for port in ports {
            command.env(port, "0");
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Every probe of the container is answered well at this address.
    async fn probe(&self, address: &str) {
        let mut probes = 0;
        for kind in ["startupProbe", "livenessProbe", "readinessProbe"] {
            if let Some(path) = self.container()[kind]["httpGet"]["path"].as_str() {
                let answer = reqwest::get(format!("http://{address}{path}"))
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 200, "{kind} {path}");
                probes += 1;
            }
        }
        assert!(probes >= 2);
    }

    /// Files outside of the volumes that may be written to, by their size.
    fn written(&self) -> BTreeMap<PathBuf, u64> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path("/work"), self.path("/etc")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.insert(entry.path(), entry.metadata().unwrap().len());
                }
            }
        }
        found
    }
}

/// The address behind `key` in the line that says it is ready.
async fn ready<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>, key: &str) -> String {
    let found = async {
        let mut said = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, rest)) = line.split_once(key) {
                return rest.split([' ', '"']).next().unwrap().to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        }
        panic!("it ended: {said}");
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .expect("it says that it is ready")
}

#[tokio::test]
async fn the_identity_server_runs_as_its_deployment_says() {
    let pod = Pod::of("gatepost.yaml");
    let serve = &pod.configuration("gatepost.yaml")["serve"];
    assert_eq!(&serve["public"]["port"], pod.port("http"));
    assert_eq!(&serve["admin"]["port"], pod.port("http-admin"));
    let before = pod.written();
    let mut child = pod.start(&["SERVE_PUBLIC_PORT", "SERVE_ADMIN_PORT"]);
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    pod.probe(&ready(&mut log, "\"public\":\"").await).await;
    assert!(pod.path("/var/lib/gatepost/gatepost.sqlite").is_file());
    assert_eq!(pod.written(), before);
}

#[tokio::test]
async fn the_decision_endpoint_runs_as_its_deployment_says() {
    let pod = Pod::of("decisions.yaml");
    let serve = &pod.configuration("oathkeeper.yaml")["serve"];
    assert_eq!(&serve["api"]["port"], pod.port("http"));
    let before = pod.written();
    let mut child = pod.start(&["SERVE_API_PORT"]);
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = ready(&mut log, "address=").await;
    pod.probe(&address).await;
    let answer = reqwest::Client::new()
        .get(format!("http://{address}/decisions/public/page"))
        .header("host", "shop.example.com")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(pod.written(), before);
}
