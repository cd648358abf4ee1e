//! `gatepost rules …` on real files: the quickstart's, the corpus', and those that the page about it shows.

use std::fs;
use std::path::Path;
use std::process::Output;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    pages::{quickstart, repository, session},
    server::{gatepost, run},
};

fn yaml(file: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn validator(folder: &Path, kind: &str) -> Validator {
    let output = run(folder, &["rules", "schema", kind], &[]);
    let schema: Value = serde_json::from_str(&out(&output)).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn the_quickstart_and_the_corpus_are_valid_by_the_schemas() {
    let folder = quickstart();
    let (rules, config) = (
        validator(folder.path(), "rules"),
        validator(folder.path(), "config"),
    );
    for file in ["rules.json", "pages.yaml"] {
        assert_valid(&rules, &yaml(&folder.path().join(file)), file);
    }
    assert_valid(
        &config,
        &yaml(&folder.path().join("oathkeeper.yaml")),
        "oathkeeper.yaml",
    );
    let mut cases = 0;
    let corpus = repository().join("plugins/policy/cases");
    for stage in fs::read_dir(corpus).unwrap() {
        for file in fs::read_dir(stage.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let case = yaml(&file);
            // Cases about mistakes hold mistakes.
            if case.get("errors").is_none() {
                let name = file.display().to_string();
                assert_valid(&rules, &case["rules"], &name);
                assert_valid(&config, &case["config"], &name);
                cases += 1;
            }
        }
    }
    assert!(cases > 5, "{cases}");
}

#[test]
fn what_the_engine_refuses_is_invalid_by_the_schemas() {
    let folder = quickstart();
    let rules = validator(folder.path(), "rules");
    let good = yaml(&folder.path().join("rules.json"));
    for (pointer, broken) in [
        ("", json!({"id": "not a list"})),
        ("/0/authenticators", json!([])),
        ("/0/authenticators/0/handler", json!("jwtt")),
        ("/1/authenticators/0/config", json!({"trusted_issuer": []})),
        (
            "/1/authenticators/0/config",
            json!({"token_from": {"header": "a", "cookie": "b"}}),
        ),
        ("/0/match", json!({"methods": ["GET"]})),
        ("/0/match/methods", json!("GET")),
        ("/0/authorizer", json!([{"handler": "allow"}])),
        ("/0/mutators/0/config/headers", json!({"X-User": 1})),
        (
            "/0/errors/0",
            json!({"handler": "json", "config": {"when": [{"error": ["teapot"]}]}}),
        ),
    ] {
        let mut rule = good.clone();
        *rule
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = broken;
        assert!(!rules.is_valid(&rule), "{pointer}: {rule:#}");
    }
    let config = validator(folder.path(), "config");
    assert!(!config.is_valid(&json!({"authenticators": {"jwt": {"enable": true}}})));
    assert!(!config.is_valid(&json!({"access_rules": {"matching_strategy": "regex"}})));
}

#[test]
fn overlapping_rules_are_shown_with_a_request_and_a_status() {
    let folder = quickstart();
    let clean = run(
        folder.path(),
        &["rules", "analyze", "-c", "oathkeeper.yaml"],
        &[],
    );
    assert_eq!(clean.status.code(), Some(0), "{}", out(&clean));
    let rule = json!([{
        "id": "all", "match": {"url": "http://<[^/]+>/api/<.*>", "methods": ["GET"]},
        "authenticators": [{"handler": "noop"}], "authorizer": {"handler": "allow"}, "mutators": [{"handler": "noop"}],
    }]);
    fs::write(folder.path().join("all.json"), rule.to_string()).unwrap();
    let arguments = [
        "rules",
        "analyze",
        "rules.json",
        "all.json",
        "--format",
        "json",
    ];
    let output = run(folder.path(), &arguments, &[]);
    assert_eq!(output.status.code(), Some(1));
    let analysis: Value = serde_json::from_str(&out(&output)).unwrap();
    let rules: Vec<&Value> = analysis["overlaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|overlap| &overlap["rules"])
        .collect();
    assert_eq!(
        rules,
        [
            &json!(["all.json:all", "rules.json:api"]),
            &json!(["all.json:all", "rules.json:orders-read"])
        ]
    );
    assert_eq!(
        analysis["overlaps"][1]["witness"]["url"],
        "http://a/api/orders"
    );
    assert_eq!(analysis["open"][0]["rule"], "all.json:all");
    let missing = run(folder.path(), &["rules", "analyze", "absent.json"], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("`absent.json`"));
}

#[test]
fn lint_says_with_its_status_how_bad_it_is() {
    let folder = quickstart();
    let status = |arguments: &[&str]| {
        let arguments = [&["rules", "lint"], arguments].concat();
        run(folder.path(), &arguments, &[]).status.code()
    };
    assert_eq!(
        status(&["-c", "oathkeeper.yaml", "--deny-warnings"]),
        Some(0)
    );
    let mut rules = yaml(&folder.path().join("rules.json"));
    rules[0]["match"]["methods"] = json!([]);
    fs::write(folder.path().join("warned.json"), rules.to_string()).unwrap();
    assert_eq!(status(&["warned.json"]), Some(0));
    assert_eq!(status(&["warned.json", "--deny-warnings"]), Some(1));
    fs::write(folder.path().join("broken.json"), "[{").unwrap();
    let output = run(
        folder.path(),
        &["rules", "lint", "broken.json", "--format", "json"],
        &[],
    );
    assert_eq!(output.status.code(), Some(1));
    let findings: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(findings[0]["code"], "unreadable");
    assert_eq!(findings[0]["place"]["file"], "broken.json");
}

#[test]
fn a_bundle_has_a_digest_and_the_key_sets_that_files_hold() {
    let folder = quickstart();
    let config = fs::read_to_string(folder.path().join("oathkeeper.yaml")).unwrap();
    let config = config.replace(
        "http://127.0.0.1:4444/.well-known/jwks.json",
        "file://keys.json",
    );
    fs::write(folder.path().join("oathkeeper.yaml"), config).unwrap();
    let bundle = |keys: Value| {
        fs::write(folder.path().join("keys.json"), keys.to_string()).unwrap();
        let cluster = "http://127.0.0.1:4444=gatepost";
        let arguments = [
            "rules",
            "bundle",
            "-c",
            "oathkeeper.yaml",
            "--cluster",
            cluster,
        ];
        let output = run(folder.path(), &arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (serde_json::from_str::<Value>(&out(&output)).unwrap(), said)
    };
    let public = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    let (plugin, said) = bundle(public.clone());
    assert_eq!(
        (&plugin["jwks"]["file://keys.json"], said.as_str()),
        (&public, "")
    );
    assert_valid(&validator(folder.path(), "plugin"), &plugin, "the bundle");
    let digest = plugin["digest"].as_str().unwrap();
    assert!(
        digest.starts_with("sha256:") && digest.len() == 71,
        "{digest}"
    );
    assert_eq!(bundle(public.clone()).0["digest"], digest);
    let mut private = public;
    private["keys"][0]["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let (other, said) = bundle(private);
    assert_ne!(other["digest"], digest);
    assert!(
        said.contains("private keys") && said.contains("`file://keys.json`"),
        "{said}"
    );
    assert!(!said.contains("nWGxne"), "{said}");
}

/// Oathkeeper reads key sets from files; every command has to know them.
#[test]
fn key_sets_in_files_are_read_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let public = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    write("keys.json", &public.to_string());
    write(
        "oathkeeper.yaml",
        "access_rules: {repositories: [file://rules.yaml]}
authenticators: {jwt: {enabled: true, config: {jwks_urls: [file://keys.json], allowed_algorithms: [EdDSA]}}}
authorizers: {allow: {enabled: true}}
mutators: {noop: {enabled: true}}
",
    );
    write(
        "rules.yaml",
        "- id: api
  match: {url: 'http://h/<.*>', methods: [GET]}
  authenticators: [{handler: jwt}]
  authorizer: {handler: allow}
  mutators: [{handler: noop}]
",
    );
    write(
        "cases.yaml",
        "about: a key set in a file
key_sets: {'file://keys.json': [EdDSA-1]}
tokens: {good: {key: EdDSA-1, claims: {sub: ada, exp: 4000000000}}}
requests:
  - name: a token of the case's own key
    at: 1767225600
    request: {url: 'http://h/a', headers: [[authorization, 'Bearer ${good}']]}
    expect: {status: 200}
",
    );
    let ask = |arguments: &[&str]| run(folder.path(), &[&["rules"], arguments].concat(), &[]);
    let linted = ask(&["lint", "-c", "oathkeeper.yaml"]);
    assert!(linted.status.success(), "{}", out(&linted));
    let tested = ask(&["test", "-c", "oathkeeper.yaml", "cases.yaml"]);
    assert!(tested.status.success(), "{}", out(&tested));
    let curl =
        "curl http://h/a -H 'Authorization: Bearer eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AAAA'";
    let explain = [
        "explain",
        "-c",
        "oathkeeper.yaml",
        "--format",
        "json",
        "--curl",
        curl,
    ];
    let explained: Value = serde_json::from_str(&out(&ask(&explain))).unwrap();
    assert_eq!(explained["decision"]["status"], 401, "{explained}");
    assert_eq!(explained["faults"], Value::Null, "{explained}");
    fs::remove_file(folder.path().join("keys.json")).unwrap();
    let missed = ask(&explain);
    let said = String::from_utf8_lossy(&missed.stderr).into_owned();
    assert!(
        !missed.status.success() && said.contains("keys.json"),
        "{said}"
    );
}

/// The page about these commands shows them on the quickstart's rules, as sessions of a shell. Each is
/// run, and has to say what stands there. A block that begins with `# file: NAME` is such a file.
#[test]
fn the_page_about_the_commands_tells_the_truth() {
    let page = fs::read_to_string(repository().join("docs/rules-cli.md")).unwrap();
    let folder = quickstart();
    let mut commands = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        let text = format!("{text}\n");
        if let Some(name) = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# file: "))
        {
            fs::write(folder.path().join(name), &text).unwrap();
        } else if kind == "console" {
            let mut said = String::new();
            for line in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                said.push_str(&format!("$ {line}\n{}", session(folder.path(), line)));
                commands += 1;
            }
            assert_eq!(
                said, text,
                "docs/rules-cli.md: this is what is really said:\n{said}"
            );
        }
    }
    assert!(commands >= 5, "{commands}");
}

#[test]
fn every_code_of_lint_is_explained() {
    let page = fs::read_to_string(repository().join("docs/rules-cli.md")).unwrap();
    for code in gatepost_policy::analysis::CODES {
        let severity = format!("{:?}", code.severity).to_lowercase();
        let line = format!("| `{}` | {severity} | {} |", code.name, code.about);
        assert!(page.contains(&line), "docs/rules-cli.md lacks: {line}");
    }
    assert!(
        gatepost(Path::new("."), &["rules", "lint", "--help"])
            .status()
            .unwrap()
            .success()
    );
}

/// The first example of docs/header-mutation.md, which is also what the schema is for.
#[test]
fn the_schema_of_header_mutation_knows_its_documented_example() {
    let folder = quickstart();
    let page = fs::read_to_string(repository().join("docs/header-mutation.md")).unwrap();
    let (_, example) = page.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let mut example: Value = serde_json::from_str(example).unwrap();
    let validator = validator(folder.path(), "header-mutation");
    assert_valid(&validator, &example, "the example");
    example["request"][0]["valeu"] = json!("x");
    assert!(!validator.is_valid(&example));
}

/// What Envoy and Istio are given as examples, and the module's corpus.
#[test]
fn the_schema_of_jwt_auth_knows_what_the_module_takes() {
    let folder = quickstart();
    let validator = validator(folder.path(), "jwt-auth");
    let page = fs::read_to_string(repository().join("docs/jwt-auth.md")).unwrap();
    let (_, example) = page.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let istio: Value = serde_saphyr::from_str(example).unwrap();
    assert_valid(&validator, &istio["spec"]["pluginConfig"], "the page");
    let envoy = yaml(&repository().join("envoy-config/jwt-auth/envoy.yaml"));
    let chain = &envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0];
    let config = &chain["typed_config"]["http_filters"][0]["typed_config"]["config"];
    let text = config["configuration"]["value"].as_str().unwrap();
    let mut example: Value = serde_json::from_str(text).unwrap();
    assert_valid(&validator, &example, "envoy.yaml");
    let mut cases = 0;
    for stage in fs::read_dir(repository().join("plugins/jwt-auth/cases")).unwrap() {
        for file in fs::read_dir(stage.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let case = yaml(&file);
            if case.get("errors").is_none() {
                assert_valid(&validator, &case["config"], &file.display().to_string());
                cases += 1;
            }
        }
    }
    assert!(cases >= 5, "{cases}");
    for (pointer, broken) in [
        ("/issuers", json!([])),
        ("/issuers/0/discovery", json!(true)),
        ("/rules/0/match/prefix", json!("/b")),
        ("/rules/1/public", json!(true)),
        ("/rules/1/require/claims", json!([{"claim": "a"}])),
        ("/rules/1/require/client_ip", json!({"allowed": []})),
        ("/metric", json!(true)),
    ] {
        let before = example.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        example.pointer_mut(parent).unwrap()[key] = broken;
        assert!(!validator.is_valid(&example), "{pointer}");
        example = before;
    }
}
