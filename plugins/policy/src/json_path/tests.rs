use serde_json::{Value, json};

use super::JsonPath;

fn get(path: &str, document: &Value) -> Option<Value> {
    JsonPath::parse(path)
        .unwrap()
        .get(document)
        .map(|value| value.into_owned())
}

#[test]
fn a_path_finds_what_gjson_finds() {
    let document = json!({
        "sub": "alice",
        "identity": {"traits": {"email": "a@b.test", "": 1}, "#": "hash"},
        "https://a.test/role": "admin",
        "list": [{"name": "x"}, {"other": 1}, {"name": "y", "in": [{"k": 1}, {"k": 2}]}],
        "7": "seven",
        "nothing": null,
        "*": "star",
    });
    let cases = [
        ("sub", json!("alice")),
        ("identity.traits.email", json!("a@b.test")),
        (r"https://a\.test/role", json!("admin")),
        ("list.0.name", json!("x")),
        ("list.2.in.01.k", json!(2)),
        ("list.#", json!(3)),
        ("list.#.name", json!(["x", "y"])),
        ("list.#.in.#.k", json!([[1, 2]])),
        ("list.#.absent", json!([])),
        ("list.#.in.#", json!([2])),
        ("identity.#", json!("hash")),
        ("7", json!("seven")),
        ("nothing", Value::Null),
        (r"\*", json!("star")),
        ("@this.sub", json!("alice")),
        ("identity.@this.traits.email", json!("a@b.test")),
        ("@this", document.clone()),
    ];
    for (path, expected) in cases {
        assert_eq!(get(path, &document), Some(expected), "{path}");
    }
}

#[test]
fn a_path_that_leads_nowhere_finds_nothing() {
    let document = json!({"a": {"b": 1}, "list": [1]});
    for path in [
        "c",
        "a.c",
        "a.b.c",
        "list.1",
        "list.x",
        "list.-1",
        "a.#",
        "a.0",
        "list.99999999999999999999999999",
        "a.b.#",
    ] {
        assert_eq!(get(path, &document), None, "{path}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (path, offset, says) in [
        ("", 0, "empty"),
        ("a..b", 2, "empty"),
        ("a.", 2, "empty"),
        (".a", 0, "empty"),
        ("a.*", 2, "wildcard"),
        ("a.b?c", 3, "wildcard"),
        ("a|b", 1, "pipe"),
        ("a.@reverse", 2, "`@reverse`"),
        ("a.#.@this", 4, "`@this`"),
        ("a.#(x==1).b", 2, "query"),
        ("a.#x", 2, "stand alone"),
        ("!true", 0, "literal"),
        ("{a,b}", 0, "multipath"),
        ("[a,b]", 0, "multipath"),
        ("a\\", 1, "backslash"),
    ] {
        let error = JsonPath::parse(path).unwrap_err();
        assert_eq!(error.offset, offset, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let deep = ["a"; 33].join(".");
    assert!(
        JsonPath::parse(&deep)
            .unwrap_err()
            .to_string()
            .contains("32")
    );
    assert!(JsonPath::parse(&["#"; 32].join(".")).is_ok());
}

#[test]
fn a_result_borrows_unless_it_is_new() {
    let document = json!({"a": [1]});
    let path = JsonPath::parse("a").unwrap();
    assert!(matches!(
        path.get(&document),
        Some(std::borrow::Cow::Borrowed(_))
    ));
}

/// The first line of the file is the document, each other one a path and what gjson 1.14.4 found.
#[test]
fn paths_find_what_gjson_found() {
    let mut lines = include_str!("tests/gjson.jsonl").lines();
    let document: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut compared = 0;
    for line in lines {
        let case: Value = serde_json::from_str(line).unwrap();
        let path = case["path"].as_str().unwrap();
        let found = get(path, &document).map(|found| found.to_string());
        let expected = case.get("some").map(|_| &case["found"]);
        // gjson writes whole numbers that Go's decoder has read as fractions.
        let plain = |value: &Value| value.to_string().replace(".0", "");
        let found = found.map(|found| found.replace(".0", ""));
        assert_eq!(found, expected.map(plain), "{path}");
        compared += 1;
    }
    assert!(compared > 60, "{compared}");
}
