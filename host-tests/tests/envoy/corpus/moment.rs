//! Moves a case to the present.

use std::{fs, path::Path};

use gatepost_cases::Case;

use crate::harness::now;

/// When requests of the corpus arrive, unless they say otherwise.
pub(super) const THEN: u64 = 1_767_225_600;

/// The case in `file` with every time near [`THEN`] moved by as much as has passed since.
pub(super) fn moved(file: &Path) -> Case {
    let text = fs::read_to_string(file).unwrap();
    let passed = now() - THEN;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("case.yaml");
    fs::write(&copy, shifted(&text, passed)).unwrap();
    let case = Case::read(&copy).unwrap();
    Case {
        file: file.display().to_string(),
        ..case
    }
}

/// Every number of ten digits that begins with 17672 is a time.
fn shifted(text: &str, passed: u64) -> String {
    let mut moved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("17672") {
        let (before, from) = rest.split_at(at);
        let digits = from.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = from.split_at(digits);
        moved.push_str(before);
        match (before.ends_with(|c: char| c.is_ascii_digit()), digits) {
            (false, 10) => moved.push_str(&(number.parse::<u64>().unwrap() + passed).to_string()),
            _ => moved.push_str(number),
        }
        rest = after;
    }
    moved + rest
}

#[test]
fn times_are_moved_and_nothing_else() {
    let text = "a: 1767225600, b: 1767225601.5, c: 17672256001, d: x17672, e: 1700000000";
    let moved = "a: 1767225610, b: 1767225611.5, c: 17672256001, d: x17672, e: 1700000000";
    assert_eq!(shifted(text, 10), moved);
}
