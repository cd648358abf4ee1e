//! What no case can show.

use ::cel::parser::Parser;

use crate::{Request, UnixTime, headers::Headers, path::Url};

use super::{lower::parse, *};

/// The expressions of the corpus.
fn corpus() -> Vec<String> {
    let text = include_str!("../../../cases/authorize/cel.yaml");
    let case: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let rules = case["rules"].as_array().unwrap().iter();
    let expressions = rules.filter_map(|rule| {
        let config = &rule["gatepost"]["authorizers"][0]["config"];
        config["expression"].as_str().map(str::to_owned)
    });
    expressions.collect()
}

/// Bytes that look random, from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16)
            .unwrap()
            .checked_rem(sides)
            .unwrap_or(0)
    }
}

fn decide(source: &str) -> Option<bool> {
    let headers = vec![
        (":path".to_owned(), "/a?b=c".to_owned()),
        ("cookie".to_owned(), "a=1".to_owned()),
        ("cookie".to_owned(), "b=2".to_owned()),
    ];
    let request = Request {
        headers: headers.into_iter().collect::<Headers>(),
        ..Request::default()
    };
    let url = Url {
        scheme: "http".to_owned(),
        host: "h".to_owned(),
        path: "/a".to_owned(),
        query: Some("b=c".to_owned()),
        reading: crate::path::Reading::default(),
    };
    let facts = Facts {
        request: &request,
        method: "GET",
        url: &url,
        captures: &["one".to_owned()],
        now: UnixTime::from_secs(0),
    };
    let program = compile(source).ok()?;
    let session = Session {
        subject: "a".repeat(8192),
        ..Session::default()
    };
    evaluate::decide(&program, &session, &facts).ok()
}

/// The parser that is used stands beside the one that the crate documents.
#[test]
fn both_parsers_of_the_crate_read_an_expression_alike() {
    let mut compared = 0;
    for source in corpus() {
        if let Ok(ours) = parse(&source) {
            let theirs = Parser::new().parse(&source).unwrap();
            let shown = |expression| without_ids(&format!("{expression:?}"));
            assert_eq!(shown(&ours), shown(&theirs), "{source}");
            compared += 1;
        }
    }
    assert!(compared >= 35, "{compared}");
}

fn without_ids(shown: &str) -> String {
    let mut parts = shown.split("id: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + part.trim_start_matches(|it: char| it.is_ascii_digit())
    })
}

/// A rule file may come over the network: a broken expression must not trap the VM.
#[test]
fn no_text_makes_the_parser_panic() {
    let corpus = corpus();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let rounds = std::env::var("CEL_ROUNDS").map_or(20_000, |rounds| rounds.parse().unwrap());
    let odd: Vec<char> = "'\"\\?:()[]{}.,0xu-!&|@`é\u{10FFFF}\0\n r b e9"
        .chars()
        .collect();
    let mut loaded = 0;
    for _ in 0..rounds {
        let mut text: Vec<char> = corpus[dice.roll(corpus.len())].chars().collect();
        text.truncate(300);
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(text.len().max(1)).min(text.len());
            match dice.roll(4) {
                0 => text.truncate(at),
                1 => text.insert(at, odd[dice.roll(odd.len())]),
                2 if at < text.len() => {
                    text.remove(at);
                }
                _ => {
                    let other: Vec<char> = corpus[dice.roll(corpus.len())].chars().collect();
                    let from = dice.roll(other.len());
                    text.splice(at..at, other.into_iter().skip(from).take(20));
                }
            }
        }
        let text: String = text.into_iter().collect();
        loaded += usize::from(compile(&text).is_ok());
        // Whatever can be loaded can be run.
        let _ = decide(&text);
    }
    assert!(
        loaded > rounds / 100,
        "{loaded} of {rounds} could be loaded"
    );
}

#[test]
fn the_longest_chains_are_refused_or_run() {
    for (part, end) in [
        ("!", "true"),
        ("-", "1 < 2"),
        ("true && ", "true"),
        ("1 + ", "1 > 0"),
        ("(", "true"),
        ("[", "true"),
        ("{1:", "true"),
        ("size(", "true"),
        ("subject == 'a' ? true : ", "true"),
        ("[1].all(x, ", "true"),
    ] {
        for count in [10, 100, 1000] {
            let text = part.repeat(count) + end;
            let closed = text.clone() + &")".repeat(count);
            assert!(decide(&text).is_none_or(|_| true) && decide(&closed).is_none_or(|_| true));
        }
    }
    assert_eq!(decide(&("true && ".repeat(400) + "true")), Some(true));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures what may be spent")]
fn costs_are_bounded_whatever_is_done() {
    let texts = "[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, \
                 (subject + subject + subject).contains('b') == (a == 0)))) || true";
    for (source, result) in [
        ("subject.matches('(a|aa)+$')", Some(true)),
        ("subject.matches('^(a?){60}a{60}b') || true", Some(true)),
        (
            "[1,2,3,4,5,6,7,8].all(x, subject.matches('a*a*a*a*a*a*a*a*a*[bc]') || x > 0) || true",
            None,
        ),
        (texts, None),
        // Elements of a list that was made are copied when they are looked at.
        (
            "[[subject + 'b', subject + 'c']].all(l, \
             [1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, a in l || true)))) || true",
            None,
        ),
    ] {
        let begin = std::time::Instant::now();
        assert_eq!(decide(source), result, "{source}");
        let took = begin.elapsed();
        assert!(took.as_millis() < 1000, "{source}: {took:?}");
    }
}

#[test]
fn cookies_in_several_fields_are_one() {
    assert_eq!(decide("request.headers.cookie == 'a=1; b=2'"), Some(true));
}

#[test]
fn what_decides_nothing_is_constant() {
    assert!(compile("1 < 2").unwrap().is_constant);
    assert!(!compile("subject == 'a'").unwrap().is_constant);
    assert!(compile("remote_ip == '::1'").unwrap().reads_client_address);
    assert!(!compile("subject == 'a'").unwrap().reads_client_address);
}
