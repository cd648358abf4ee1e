//! An operator's path and a document from outside, divided by the first line feed: nothing panics,
//! and a path means what the simplest reading of it means.

#![no_main]

use gatepost_policy::json_path::JsonPath;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &str| {
    let (path, document) = data.split_once('\n').unwrap_or((data, "{\"a\":[{\"b\":1},{\"b\":[2]}]}"));
    let Ok(parsed) = JsonPath::parse(path) else {
        return;
    };
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return;
    };
    let found = parsed.get(&document).map(|value| value.into_owned());
    assert_eq!(found, expected(&parts(path), &document), "{path}");
});

/// The components between dots that no backslash precedes; whether each was written plainly.
fn parts(path: &str) -> Vec<(String, bool)> {
    let mut parts = vec![(String::new(), true)];
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        if c == '.' {
            parts.push((String::new(), true));
        } else if let Some((part, plain)) = parts.last_mut() {
            if c == '\\' {
                *plain = false;
                part.extend(characters.next());
            } else {
                part.push(c);
            }
        }
    }
    parts
}

fn expected(parts: &[(String, bool)], value: &Value) -> Option<Value> {
    let Some(((part, plain), rest)) = parts.split_first() else {
        return Some(value.clone());
    };
    match (part.as_str(), value) {
        ("@this", value) if *plain => expected(rest, value),
        ("#", Value::Array(array)) if *plain && rest.is_empty() => Some(array.len().into()),
        ("#", Value::Array(array)) if *plain => {
            Some(array.iter().filter_map(|element| expected(rest, element)).collect())
        }
        (key, Value::Object(object)) => expected(rest, object.get(key)?),
        (index, Value::Array(array)) if index.bytes().all(|byte| byte.is_ascii_digit()) => {
            expected(rest, array.get(index.parse::<usize>().ok()?)?)
        }
        _ => None,
    }
}
