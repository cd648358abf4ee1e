//! Plays the corpus, and compares what becomes of it with what is listed.

use std::{collections::BTreeSet, path::Path};

use gatepost_cases::{Case, install_crypto, play_case};
use serde_json::Value;

use super::{
    differences,
    door::{Hole, Proxied},
    places::Proxy,
};

/// Plays every case through `proxy`.
pub(super) fn play(proxy: &dyn Proxy) {
    install_crypto();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/policy/cases");
    let mut cases = Case::read_all(&folder).unwrap();
    // Other modules are about other things than who may call what; and what cannot be loaded needs no proxy.
    let is_ours = |case: &Case| case.module() == "access-rules" && case.cel != Some(false);
    cases.retain(|case| is_ours(case) && !case.requests.is_empty());
    let written: usize = cases.iter().map(|case| case.requests.len()).sum();
    let listed = differences::of(proxy.name());
    let mut door = Proxied::start(proxy, names(&cases), listed.drops_empty);
    let mut played = 0;
    let (mut used, mut differed) = (BTreeSet::new(), 0);
    let mut failures = Vec::new();
    for case in &cases {
        let id = |name: &str| format!("{}: {name}", differences::short(&case.file));
        let mut case = case.clone();
        let written = case.requests.len();
        case.requests.retain(|it| listed.is_played(&id(&it.name)));
        played += written - case.requests.len();
        if case.requests.is_empty() {
            continue;
        }
        let results = play_case(&case, &mut door);
        for hole in door.take_holes() {
            match hole {
                Hole::Refused { name, path } if listed.passes_as(&id(&name), &path) => {}
                Hole::Refused { name, path } => {
                    failures.push(format!("{}: PASSES as `{path}`", id(&name)));
                }
                Hole::Always(hole) => failures.push(format!("{}: {hole}", case.file)),
            }
        }
        let ends = door.take_ends();
        for (name, result) in results {
            played += 1;
            let (id, end) = (id(&name), ends.get(&name).copied().unwrap_or_default());
            match (result, listed.explained(&id, end.status, end.has_arrived)) {
                (Ok(()), _) if listed.has(&id) => {
                    failures.push(format!("{id}: ends as written, though listed as different"));
                }
                (Ok(()), _) => {}
                (Err(_), Some(entry)) => {
                    differed += 1;
                    used.insert(entry.to_owned());
                }
                (Err(error), None) => failures.push(format!("{id}: {error:#} ({end:?})")),
            }
        }
    }
    door.check_alive();
    println!(
        "{}: {played} played, {differed} of them differ",
        proxy.name()
    );
    assert!(
        failures.is_empty(),
        "{}: {} of {played}:\n{}\n{}",
        proxy.name(),
        failures.len(),
        failures.join("\n"),
        last_lines(&door.log())
    );
    let unknown = listed.without(&used);
    assert!(unknown.is_empty(), "listed, but no such case: {unknown:?}");
    assert_eq!(
        door.has_dropped_empty, listed.drops_empty,
        "headers without a value do arrive, though listed"
    );
    assert_eq!(played, written, "some case was not played");
}

/// The names of headers that rules of these cases set.
fn names(cases: &[Case]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for case in cases.iter().filter(|case| case.errors.is_empty()) {
        collect(&case.config, false, &mut names);
        collect(&case.rules, false, &mut names);
        // Hydrators choose names themselves.
        let replies = case.requests.iter().flat_map(|it| &it.calls);
        for json in replies.filter_map(|call| call.reply.json.as_ref()) {
            let headers = json.get("header").and_then(Value::as_object);
            names.extend(
                headers
                    .into_iter()
                    .flat_map(|it| it.keys())
                    .filter_map(|name| plain(name)),
            );
        }
    }
    names.into_iter().collect()
}

/// `is_mutator`: below the configuration of a mutator. Others have headers for the calls that they make.
fn collect(value: &Value, is_mutator: bool, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, is_mutator, names)),
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("headers", Value::Object(headers)) if is_mutator => {
                        names.extend(headers.keys().filter_map(|name| plain(name)));
                    }
                    ("forward_response_headers_to_upstream", Value::Array(list)) => {
                        let list = list.iter().filter_map(Value::as_str);
                        names.extend(list.map(str::to_ascii_lowercase));
                    }
                    _ => collect(member, is_mutator || key == "mutators", names),
                }
            }
        }
        _ => {}
    }
}

/// The name in lower case; `None` if it is none.
fn plain(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.bytes()
        .all(is_plain)
        .then(|| name.to_ascii_lowercase())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
