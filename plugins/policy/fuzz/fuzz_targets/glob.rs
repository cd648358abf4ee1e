//! A glob and a URL against a matcher that tries everything. Both are written in a small alphabet,
//! so that they meet often.

#![no_main]

use gatepost_policy::matching::{Pattern, Strategy};
use libfuzzer_sys::fuzz_target;

const IN_GLOB: &[u8; 16] = b"ab/.*?[]{},!-\\ab";
const IN_URL: &[u8; 8] = b"ab/.ab-*";

fuzz_target!(|data: &[u8]| {
    let Some((split, data)) = data.split_first() else {
        return;
    };
    let (glob, url) = data.split_at(usize::from(*split).min(data.len()).min(24));
    let glob: String = glob.iter().map(|byte| char::from(IN_GLOB[usize::from(byte % 16)])).collect();
    let url: String =
        url.iter().take(16).map(|byte| char::from(IN_URL[usize::from(byte % 8)])).collect();
    let Ok(pattern) = Pattern::compile(Strategy::Glob, &format!("h/<{glob}>/x")) else {
        return;
    };
    let subject = format!("h/{url}/x");
    let matches = pattern.captures(&subject).expect("globs take no steps").is_some();
    let glob: Vec<char> = glob.chars().collect();
    let url: Vec<char> = url.chars().collect();
    let expected = ends(&glob, &url, 1) >> url.len() & 1 == 1;
    assert_eq!(matches, expected, "h/<{}>/x on {subject}", glob.iter().collect::<String>());
});

/// Places in the URL, one bit each.
type Places = u32;

/// Where a match of `glob` may end when it starts at one of the places `from`.
fn ends(glob: &[char], url: &[char], from: Places) -> Places {
    let mut places = from;
    let mut at = 0;
    while let Some(token) = glob.get(at) {
        let length;
        places = match token {
            '*' if glob.get(at + 1) == Some(&'*') => {
                length = 2;
                run(places, url, |_| true)
            }
            '*' => {
                length = 1;
                run(places, url, |c| !separates(c))
            }
            '?' => {
                length = 1;
                step(places, url, |c| !separates(c))
            }
            '[' => {
                let (class, taken) = class(&glob[at..]);
                length = taken;
                step(places, url, class)
            }
            '{' => {
                let (alternatives, taken) = alternatives(&glob[at..]);
                length = taken;
                let each = alternatives.iter().map(|glob| ends(glob, url, places));
                each.fold(0, |all, places| all | places)
            }
            '\\' => {
                length = 2;
                let escaped = glob.get(at + 1).copied();
                step(places, url, |c| Some(c) == escaped)
            }
            literal => {
                length = 1;
                step(places, url, |c| c == *literal)
            }
        };
        at += length;
    }
    places
}

fn separates(c: char) -> bool {
    c == '/' || c == '.'
}

/// One character further.
fn step(places: Places, url: &[char], takes: impl Fn(char) -> bool) -> Places {
    let here = |(at, c): (usize, &char)| Places::from(takes(*c)) << at;
    let taken = url.iter().enumerate().map(here).fold(0, |all, place| all | place);
    (places & taken) << 1
}

/// Any number of characters further.
fn run(places: Places, url: &[char], takes: impl Fn(char) -> bool) -> Places {
    url.iter().fold(places, |places, _| places | step(places, url, &takes))
}

/// A class, which is known to be well formed, and its length.
fn class(glob: &[char]) -> (impl Fn(char) -> bool, usize) {
    let negated = glob.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    let (range, listed, taken) = if glob.get(start + 1) == Some(&'-') {
        (Some((glob[start], glob[start + 2])), Vec::new(), start + 4)
    } else {
        let mut listed = Vec::new();
        let mut at = start;
        while glob[at] != ']' {
            at += usize::from(glob[at] == '\\');
            listed.push(glob[at]);
            at += 1;
        }
        (None, listed, at + 1)
    };
    let takes = move |c: char| {
        let inside = range.is_some_and(|(low, high)| (low..=high).contains(&c));
        (inside || listed.contains(&c)) != negated
    };
    (takes, taken)
}

/// The alternatives of a `{…}`, and its length.
fn alternatives(glob: &[char]) -> (Vec<Vec<char>>, usize) {
    let mut found = vec![Vec::new()];
    let mut depth = 0;
    let mut at = 0;
    while at < glob.len() {
        let mut length = 1;
        match glob[at] {
            '\\' => length = 2,
            '[' => length = class(&glob[at..]).1,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (found, at + 1);
        }
        if depth == 1 && glob[at] == ',' {
            found.push(Vec::new());
        } else if at > 0 {
            found.last_mut().expect("never empty").extend(&glob[at..at + length]);
        }
        at += length;
    }
    panic!("a brace was accepted without its end");
}
