use super::*;

/// Tries every rule.
fn scan(rules: &[(&str, Pattern)], method: &str, url: &Url) -> Lookup {
    let subject = url.subject();
    let mut found = Vec::new();
    for (number, (methods, pattern)) in rules.iter().enumerate() {
        if !methods
            .split_whitespace()
            .any(|it| it.eq_ignore_ascii_case(method))
        {
            continue;
        }
        if let Some(captures) = pattern.captures(&subject).unwrap() {
            found.push((number, captures));
        }
    }
    match found.len() {
        2.. => Lookup::Several(found.into_iter().map(|(number, _)| number).collect()),
        _ => found
            .pop()
            .map_or(Lookup::None, |(rule, captures)| Lookup::One {
                rule,
                captures,
            }),
    }
}

#[test]
fn the_index_finds_what_trying_every_rule_finds() {
    const REGEXPS: &[&str] = &[
        "http",
        "https",
        "<https?>",
        "<.*>",
        "://",
        "h",
        "i.test",
        "<[^/]+>",
        "/",
        "/a",
        "/b/",
        "/api/",
        "<[0-9]+>",
        "<(a|b)>",
        "<(?!a).*>",
        "1",
        "2",
        "ab",
        "<.+>",
    ];
    const GLOBS: &[&str] = &[
        "http",
        "<{http,https}>",
        "://",
        "h",
        "<*>",
        "<**>",
        "/",
        "/a",
        "/b/",
        "/api/",
        "<?>",
        "1",
        "<{a,b/**}>",
        "ab",
    ];
    const METHODS: &[&str] = &["GET", "get POST", "", "DELETE"];
    const PATHS: &[&str] = &["/", "/a", "/b/", "/api/", "1", "2", "ab", "a", "b"];
    let mut dice = Dice(0x00c0_ffee);
    let mut seen = [0_usize; 3];
    for _ in 0..250 {
        let mut rules = Vec::new();
        while rules.len() < 12 {
            let (strategy, pieces) = match dice.below(2) {
                0 => (Strategy::Regexp, REGEXPS),
                _ => (Strategy::Glob, GLOBS),
            };
            let head = *dice.pick(&["http://h", "<https?>://h", "https://<[^/]+>", "", "http://"]);
            let head = if strategy == Strategy::Glob {
                head.replace("<https?>", "<http*>")
            } else {
                head.to_owned()
            };
            let text = format!(
                "{}{}",
                head.replace("<[^/]+>", "<**>"),
                dice.text(pieces, 5)
            );
            let text = if strategy == Strategy::Regexp {
                text.replace("<**>", "<.*>")
            } else {
                text
            };
            rules.push((
                *dice.pick(METHODS),
                Pattern::compile(strategy, &text).unwrap(),
            ));
        }
        let index = index(&rules);
        for _ in 0..60 {
            let scheme = dice.pick(&["http", "https"]);
            let host = dice.pick(&["h", "i.test", "h/x"]);
            let url = url(&format!("{scheme}://{host}/{}", dice.text(PATHS, 4)));
            let method = dice.pick(&["GET", "POST", "delete"]);
            let expected = scan(&rules, method, &url);
            match &expected {
                Lookup::None => seen[0] += 1,
                Lookup::One { .. } => seen[1] += 1,
                Lookup::Several(_) | Lookup::TooManySteps(_) | Lookup::Unclear(_) => seen[2] += 1,
            }
            assert_eq!(index.lookup(method, &url), expected, "{}", url.subject());
        }
    }
    assert!(seen.iter().all(|count| *count > 80), "{seen:?}");
}

/// How many rules are tried for `subject`.
fn tried(index: &RuleIndex, subject: &str) -> usize {
    index.candidates("GET", subject).len()
}

#[test]
fn a_handful_of_ten_thousand_rules_is_tried() {
    let shapes: [fn(usize) -> String; 8] = [
        |n| format!("http://h/exact-{n:05}"),
        |n| format!("http://h/api/v1/thing-{n:05}/<[0-9]+>"),
        |n| format!("<https?>://<[^/]+>/svc-{n:05}/<.*>"),
        |n| format!("https://tenant-{n:05}.test/<.*>"),
        |n| format!("https://<[a-z]+>.zone-{n:05}.test/<.*>"),
        |n| format!("http://h/users/<[0-9]+>/action-{n:05}"),
        |n| format!("<.*>://<.*>/anywhere-{n:05}/<.*>"),
        |n| format!("http://h/look-{n:05}/<(?!admin).*>"),
    ];
    let mut compiler = PatternCompiler::default();
    let rules = (0..10_000_usize).map(|n| {
        let pattern = shapes[n.checked_rem(shapes.len()).unwrap()](n);
        let pattern = compiler.compile(Strategy::Regexp, &pattern).unwrap();
        (vec!["GET".to_owned()], pattern)
    });
    let index = RuleIndex::build(rules);
    for (subject, rule, captures) in [
        ("http://h/exact-00800", 800, &[][..]),
        ("http://h/api/v1/thing-04001/12", 4001, &["12"]),
        (
            "https://x.test/svc-09002/a/b",
            9002,
            &["https", "x.test", "a/b"],
        ),
        ("https://tenant-00003.test/x", 3, &["x"]),
        ("https://eu.zone-00012.test/x", 12, &["eu", "x"]),
        ("http://h/users/7/action-09997", 9997, &["7"]),
        ("http://h/a/anywhere-00006/x", 6, &["http", "h/a", "x"]),
        ("http://h/look-00007/user", 7, &["user"]),
    ] {
        assert_eq!(index.lookup("GET", &url(subject)), one(rule, captures));
        assert!(tried(&index, subject) <= 2, "{}", tried(&index, subject));
    }
    assert_eq!(tried(&index, "http://h/nothing/like/it"), 0);
    assert_eq!(tried(&index, "http://h/exact-00801"), 0);
}

#[test]
fn rules_without_literal_text_are_tried_always_and_others_are_not() {
    let index = index(&[
        ("GET", regexp("<.*>")),
        ("GET", regexp("<https?>://<.*>")),
        ("GET", regexp("http://h/a/<.*>")),
        ("POST", regexp("<.*>")),
    ]);
    assert_eq!(index.candidates("GET", "http://h/b"), [0, 1]);
    assert_eq!(index.candidates("GET", "http://h/a/b"), [0, 1, 2]);
    assert_eq!(index.candidates("GET", "http://h/a/http://h/a/"), [0, 1, 2]);
}

#[test]
fn giving_up_refuses_only_what_the_rule_might_have_matched() {
    let index = index(&[
        ("GET", regexp("http://h/<.*>")),
        ("GET", regexp("http://h/x/<((?=.*b)a)+>")),
        ("GET", regexp("http://h/x/<a.*>")),
    ]);
    let long = url(&format!("http://h/x/{}b", "a".repeat(4_000)));
    assert_eq!(index.lookup("GET", &long), Lookup::TooManySteps(1));
    assert_eq!(index.lookup("POST", &long), Lookup::None);
    let other = url(&format!("http://h/y/{}b", "a".repeat(4_000)));
    assert!(matches!(
        index.lookup("GET", &other),
        Lookup::One { rule: 0, .. }
    ));
}

#[test]
fn a_flood_of_candidates_ends() {
    let patterns = (0..500_usize).map(|n| regexp(&format!("http://h<.*>team-{n:04}<.*>x<.*>y")));
    let rules = patterns.map(|pattern| (vec!["GET".to_owned()], pattern));
    let index = RuleIndex::build(rules);
    let all: String = (0..500_usize).map(|n| format!("team-{n:04}")).collect();
    let hostile = format!("http://h/{all}{}", "x".repeat(20_000));
    assert_eq!(tried(&index, &hostile), 500);
    assert_eq!(index.lookup("GET", &url(&hostile)), Lookup::None);
    let hostile = url(&format!("{hostile}y"));
    assert!(matches!(
        index.lookup("GET", &hostile),
        Lookup::Several(_) | Lookup::TooManySteps(_)
    ));
}

#[test]
fn an_index_of_nothing_finds_nothing() {
    assert_eq!(index(&[]).lookup("GET", &url("http://h/")), Lookup::None);
}
