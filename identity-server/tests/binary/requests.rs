//! `gatepost rules explain`, `test` and `replay`, as the page about them shows them.

use std::fs;

use serde_json::{Value, json};

use crate::{
    pages::{quickstart, repository, session},
    server::run,
};

/// Sessions of a shell are run, and have to say what stands there. A block that begins with
/// `# file: NAME` is such a file. With `UPDATE_DOCS` the page is written anew instead.
#[test]
fn the_page_about_requests_tells_the_truth() {
    let file = repository().join("docs/rules-requests.md");
    let page = fs::read_to_string(&file).unwrap();
    let folder = quickstart();
    let mut commands = 0;
    let mut real = String::new();
    for (number, block) in page.split("\n```").enumerate() {
        if number > 0 {
            real.push_str("\n```");
        }
        let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
        if number % 2 == 0 {
            real.push_str(block);
            continue;
        }
        real.push_str(kind);
        if let Some(name) = text.strip_prefix("# file: ") {
            let (name, content) = name.split_once('\n').unwrap();
            fs::write(folder.path().join(name), format!("{content}\n")).unwrap();
            real.push_str(&format!("\n{text}"));
        } else if kind == "console" {
            for line in text.lines().filter(|line| line.starts_with("$ ")) {
                let said = session(folder.path(), line.trim_start_matches("$ "));
                real.push_str(&format!("\n{line}\n{said}"));
                real.truncate(real.trim_end().len());
                commands += 1;
            }
        } else {
            real.push_str(&format!("\n{text}"));
        }
    }
    assert!(commands >= 7, "{commands}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &real).unwrap();
    } else {
        assert_eq!(real, page, "this is what is really said:\n{real}");
    }
}

#[test]
fn programs_get_json_without_credentials() {
    let folder = quickstart();
    let arguments = [
        "rules",
        "explain",
        "-c",
        "oathkeeper.yaml",
        "--format",
        "json",
        "--curl",
        "curl http://h/app -H 'Cookie: ory_kratos_session=hunter2' -H 'Authorization: Bearer hunter2'",
    ];
    let output = run(folder.path(), &arguments, &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["rules"][0], "app");
    assert_eq!(
        told["unanswered"]["url"],
        "http://127.0.0.1:4444/sessions/whoami"
    );
    assert_eq!(told["turns"][0]["events"][0]["event"], "asked");
}

/// A rule that copies every credential into headers of its own, with requests by curl and HAR.
#[test]
fn copied_credentials_are_masked_in_every_format() {
    let folder = quickstart();
    let config = json!({
        "authenticators": {"anonymous": {"enabled": true}, "noop": {"enabled": true}},
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {"header": {"enabled": true, "config": {"headers": {
            "X-Copy": "{{ .MatchContext.Header.Get \"X-API-Key\" }}/{{ .MatchContext.Header.Get \"Authorization\" }}",
            "X-Cookie": "{{ .MatchContext.Header.Get \"Cookie\" }}",
            "X-Plain": "{{ .MatchContext.Header.Get \"X-Plain\" }}",
            "X-Query": "{{ .MatchContext.URL.Query.Get \"access_token\" }}",
            "X-Basic": "{{ .MatchContext.Header.Get \"Proxy-Authorization\" | trimPrefix \"Basic \" | b64dec }}",
        }}}},
        "access_rules": {"repositories": ["file://./copying.json"]},
    });
    let rules = json!([{
        "id": "copying", "match": {"url": "http://h/a", "methods": ["GET"]},
        "authenticators": [{"handler": "noop"}], "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "header"}],
    }]);
    let headers = [
        ("Authorization", "Bearer opaque-hunter2"),
        ("Cookie", "a=1; sid=cookie-hunter2; consent=true"),
        ("Proxy-Authorization", "Basic YWRhOmJhc2ljLWh1bnRlcjI="),
        ("X-API-Key", "key\"hunter2"),
        ("X-Plain", "shown"),
    ];
    let fields = headers.map(|(name, value)| json!({"name": name, "value": value}));
    let entry = json!({"request": {"method": "GET", "url": "http://h/a?access_token=query%2Dhunter2", "headers": fields}});
    let write = |name: &str, value: &Value| {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    };
    write("copying-config.json", &config);
    write("copying.json", &rules);
    write("saved.har", &json!({"log": {"entries": [entry]}}));
    let of_curl: String = headers
        .iter()
        .map(|(name, value)| format!(" -H '{name}: {value}'"))
        .collect();
    let curl = format!("curl 'http://h/a?access_token=query%2Dhunter2'{of_curl}");
    for format in ["json", "text"] {
        for request in [["--curl", curl.as_str()], ["--har", "saved.har"]] {
            let arguments = [
                &[
                    "rules",
                    "explain",
                    "-c",
                    "copying-config.json",
                    "--format",
                    format,
                ],
                request.as_slice(),
            ];
            let output = run(folder.path(), &arguments.concat(), &[]);
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(!said.contains("hunter2"), "{format} {request:?}: {said}");
            assert!(format == "text" || serde_json::from_str::<Value>(&said).is_ok());
            assert!(said.contains("x-copy") || said.contains("X-Copy"), "{said}");
            assert!(
                said.contains("…(sha256:") && said.contains("shown"),
                "{said}"
            );
        }
    }
}

#[test]
fn the_corpus_passes_as_test_cases_and_coverage_is_counted() {
    let corpus = repository().join("plugins/policy/cases/matching/glob.yaml");
    let corpus = corpus.to_str().unwrap();
    let folder = quickstart();
    let output = run(
        folder.path(),
        &["rules", "test", corpus, "--coverage", "--format", "json"],
        &[],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let told: Value = serde_json::from_str(&said).unwrap();
    assert!(told["passed"].as_u64().unwrap() > 3, "{said}");
    assert!(told["coverage"]["percent"].as_u64().unwrap() > 50, "{said}");
    let short = run(
        folder.path(),
        &[
            "rules",
            "test",
            "-c",
            "oathkeeper.yaml",
            corpus,
            "--min-coverage",
            "100",
        ],
        &[],
    );
    assert_eq!(short.status.code(), Some(1));
}

#[test]
fn the_same_rules_change_nothing() {
    let folder = quickstart();
    let log = "{\"method\":\"GET\",\"path\":\"/app\"}\nnot a request\n";
    fs::write(folder.path().join("access.log"), log).unwrap();
    let arguments = [
        "rules",
        "replay",
        "-c",
        "oathkeeper.yaml",
        "--format",
        "json",
        "access.log",
    ];
    let output = run(folder.path(), &arguments, &[]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(
        (&told["requests"], &told["changed"], &told["unreadable"]),
        (&1.into(), &0.into(), &1.into())
    );
}
