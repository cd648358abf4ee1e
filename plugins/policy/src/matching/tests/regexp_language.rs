use super::*;

#[test]
fn bodies_mean_what_they_mean_to_oathkeeper() {
    for (body, yes, no) in [
        (r"\d+", "12", "a"),
        (r"\d", "٣", "x"),
        (r"[[:digit:]]+", "12", "a"),
        (r"[^[:digit:]_]", "a", "_"),
        (r"a\<b\>", "a<b>", "ab"),
        (r"[<>]", "<", "["),
        (r"[a&&b]", "&", "c"),
        (r"[a-c&&b]+", "a&c", "d"),
        (r"[x~~y]", "~", "z"),
        (r"[[]", "[", "]"),
        (r"[]a]", "]", "b"),
        (r"[^]a]", "b", "]"),
        (r"[a\]b]", "]", "\\"),
        (r"[\w-.]+", "a-b.c", "a/b"),
        (r"[a-c-e]+", "a-e", "d"),
        (r"[a-]+", "a-", "b"),
        (r"[-a]+", "a-", "b"),
        (r"[+--]+", "+,-", "."),
        (r"[\x41-\u0043]", "B", "D"),
        (r"\x{e9}", "é", "e"),
        (r"a{2}", "aa", "a"),
        (r"a{2,}", "aaa", "a"),
        (r"a{1,2}", "aa", "aaa"),
        (r"a{x}", "a{x}", "a"),
        (r"a{,2}", "a{,2}", "aa"),
        (r"a{", "a{", "a"),
        (r"\b{start}", "", "a"),
        (r"(?i)ab", "AB", "ac"),
        (r"(?i:a)b", "Ab", "AB"),
        (r"(?i)a(?-i)b", "Ab", "AB"),
        (r"(?:a|b)+", "abba", "c"),
        (r"a.c", "abc", "a\nc"),
        (r"(?s)a.c", "a\nc", "ac"),
        (r"a$", "a", "a\n"),
        (r"\.\/\-\_\@\ ", "./-_@ ", "a"),
        (r"é+", "éé", "e"),
        (r"#a b", "#a b", "#ab"),
        (r"(?=a)[a-z]+", "ab", "ba"),
        (r"(?!.*/)x.*", "xy", "x/y"),
        (r"(a|(?!b)c)+", "acca", "b"),
        (r"(?=.*\d)[\w-.]+", "a-b.1", "a-b"),
        (r"(?=.)[a&&b[]+", "&[", "c"),
    ] {
        // A leading `\b{start}` needs something before it.
        let (body, yes) = match body {
            r"\b{start}" => (r"a\b{start}", "a{start}"),
            _ => (body, yes),
        };
        let pattern = regexp(&format!("<{body}>"));
        assert!(matches(&pattern, yes), "{body} does not match {yes:?}");
        assert!(!matches(&pattern, no), "{body} matches {no:?}");
    }
}

#[test]
fn a_flag_ends_with_its_body() {
    let pattern = regexp("<(?i)a>/<b>");
    assert!(matches(&pattern, "A/b"));
    assert!(!matches(&pattern, "A/B"));
    let pattern = regexp("<x(?i)a|b>/<b>");
    assert!(matches(&pattern, "xA/b"));
    assert!(matches(&pattern, "B/b"));
    assert!(!matches(&pattern, "XA/b"));
    let pattern = regexp("<(?=.)(?i)a>/<b>");
    assert!(matches(&pattern, "A/b"));
    assert!(!matches(&pattern, "A/B"));
}

#[test]
fn alternatives_stay_within_their_body() {
    for pattern in ["http://h/<a|b>/x", "http://h/<(?=.)a|b>/x"] {
        let pattern = regexp(pattern);
        assert!(matches(&pattern, "http://h/b/x"));
        assert!(!matches(&pattern, "http://h/a"));
        assert!(!matches(&pattern, "b/x"));
    }
}

#[test]
fn anchors_and_boundaries_see_the_text_before_the_body() {
    assert!(!matches(&regexp("a<^b>"), "ab"));
    assert!(!matches(&regexp(r"a<\Ab>"), "ab"));
    assert!(!matches(&regexp(r"a<\bb>"), "ab"));
    assert!(matches(&regexp(r"a<\Bb>"), "ab"));
    assert!(matches(&regexp(r"a/<\bb>"), "a/b"));
    assert!(!matches(&regexp("<a$>b"), "ab"));
    assert!(matches(&regexp("<^a>b"), "ab"));
}

#[test]
fn the_whole_subject_has_to_match() {
    for pattern in ["http://h/<a>", "http://h/<(?=a)a>"] {
        let pattern = regexp(pattern);
        assert!(matches(&pattern, "http://h/a"));
        for other in [
            "xhttp://h/a",
            "http://h/ab",
            "http://h/a\n",
            "http://h/",
            "http://h",
            "",
        ] {
            assert!(!matches(&pattern, other), "{other:?}");
        }
    }
}

#[test]
fn what_the_engines_read_differently_is_refused_by_name() {
    for (body, reason) in [
        (r"a++", "repeat"),
        (r"a*{2}", "repeat"),
        (r"*a", "repeat"),
        (r"(|+)", "repeat"),
        (r"(?=a)*", "repeat"),
        (r"(a", "`(` without"),
        (r"a)", "`)` without"),
        (r"a)(b", "`)` without"),
        (r"[a", "`[` without"),
        (r"(a)\1", "backreference"),
        (r"(?P<n>a)(?P=n)", "backreference"),
        (r"(?<n>a)\k<n>", "backreference"),
        (r"(?<=x)y>", "look-behind"),
        (r"(?<!x)y>", "look-behind"),
        (r"(?#note)", "comments"),
        (r"(?(a)b|c)", "conditionals"),
        (r"(?x) a", "flags"),
        (r"(?n)a", "flags"),
        (r"(?i", "flags"),
        (r"(?-)a", "flags"),
        (r"(?1a)", "flags"),
        (r"(?<1>a)", "group name"),
        (r"(?<a-b>a)", "group name"),
        (r"(?<n>a)(?<n>b)", "duplicate"),
        (r"\pL", "properties"),
        (r"\Qa\E", "escape"),
        (r"\G", "escape"),
        (r"\Z", "escape"),
        (r"\K", "escape"),
        (r"\0", "escape"),
        (r"\xg", "hexadecimal"),
        (r"\x{110000}", "hexadecimal"),
        (r"\ud800", "hexadecimal"),
        (r"[a-z-[b]]", "subtraction"),
        (r"[\b]", "inside"),
        (r"[z-a]", "range"),
        (r"[a--b]", "range"),
        (r"[a-\d]", "range"),
        (r"[[:nope:]]", "unknown class"),
        (r"a{3,2}", "range"),
        ("\\", "nothing after"),
    ] {
        let error = refused(Strategy::Regexp, &format!("http://h/<{body}>"));
        assert!(error.reason.contains(reason), "{body}: {error}");
    }
}

#[test]
fn both_engines_agree_on_every_expression_that_both_can_run() {
    const PIECES: &[&str] = &[
        "a", "b", "/", ".", "[ab]", "[^a]", "(", "(", ")", ")", "(?:", "(?i)", "(?<n>", "|", "*",
        "+", "?", "*?", "{2}", "{0,2}", r"\b", "^", "$", r"\w", "[&&a]", r"\-", "B",
    ];
    const SUBJECTS: &[&str] = &["a", "b", "/", "A", "ab", "-", "."];
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let (mut compared, mut matched) = (0, 0);
    for _ in 0..5_000 {
        let body = dice.text(PIECES, 7);
        let Ok(linear) = Pattern::compile(Strategy::Regexp, &format!("a<{body}>b")) else {
            continue;
        };
        let looking = format!("a<(?:(?=)(?:{body}))>b");
        let Ok(looking) = Pattern::compile(Strategy::Regexp, &looking) else {
            // It does not repeat what is empty. Such rules are refused when they are loaded.
            assert!(body.contains("(?:)") || body.contains("()"), "{body}");
            continue;
        };
        for _ in 0..8 {
            let subject = format!("a{}b", dice.text(SUBJECTS, 4));
            let expected = linear.captures(&subject).unwrap();
            compared += 1;
            matched += usize::from(expected.is_some());
            assert_eq!(
                looking.captures(&subject),
                Ok(expected),
                "{body} on {subject}"
            );
        }
    }
    assert!(compared > 8_000 && matched > 400, "{matched} of {compared}");
}

#[test]
fn no_pattern_makes_compiling_or_matching_panic() {
    const PIECES: &[&str] = &[
        "<", ">", "(", ")", "[", "]", "{", "}", "?", "*", "+", "\\", "^", "$", "|", "-", ",", ":",
        "!", "=", "P", "i", "x", "0", "9", "a", "é", "\n", "&", "#", "~", ".", "/", "<(?", "[[:",
        "<(?=",
    ];
    let mut dice = Dice(99);
    for _ in 0..15_000 {
        let text = dice.text(PIECES, 12);
        for strategy in [Strategy::Regexp, Strategy::Glob] {
            if let Ok(pattern) = Pattern::compile(strategy, &text) {
                let _ = pattern.captures(&dice.text(PIECES, 6));
            }
        }
    }
}
