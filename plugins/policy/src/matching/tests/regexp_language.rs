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
fn what_has_no_meaning_here_is_refused_by_name() {
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

/// What others make of `a<body>b`: all groups, unnamed ones first.
struct Oracle {
    order: Vec<usize>,
    groups: Box<Groups>,
}

type Groups = dyn Fn(&str) -> Option<Vec<String>>;

impl Oracle {
    fn linear(body: &str) -> Option<Self> {
        use regex_automata::nfa::thompson::pikevm::PikeVM;
        let vm = PikeVM::new(&format!(r"\Aa({body})b\z")).ok()?;
        let names = vm.get_nfa().group_info().all_names();
        let names: Vec<_> = names.map(|(_, _, name)| name.is_some()).collect();
        Some(Self::new(&names, move |subject| {
            let mut captures = vm.create_captures();
            vm.captures(&mut vm.create_cache(), subject, &mut captures);
            let text = |at| {
                captures
                    .get_group(at)
                    .map_or("", |it| subject.get(it.range()).unwrap())
            };
            let count = captures.group_len();
            captures
                .is_match()
                .then(|| (0..count).map(|at| text(at).to_owned()).collect())
        }))
    }

    fn looking_ahead(body: &str) -> Option<Self> {
        let regex = fancy_regex::Regex::new(&format!(r"\Aa({body})b\z")).ok()?;
        let names: Vec<_> = regex.capture_names().map(|it| it.is_some()).collect();
        Some(Self::new(&names, move |subject| {
            let captures = regex.captures(subject).ok()??;
            let text = |at| captures.get(at).map_or("", |it| it.as_str());
            Some((0..captures.len()).map(|at| text(at).to_owned()).collect())
        }))
    }

    fn new(named: &[bool], groups: impl Fn(&str) -> Option<Vec<String>> + 'static) -> Self {
        let (named, unnamed): (Vec<_>, Vec<_>) = (1..named.len()).partition(|at| named[*at]);
        Self {
            order: [unnamed, named].concat(),
            groups: Box::new(groups),
        }
    }

    fn captures(&self, subject: &str) -> Option<Vec<String>> {
        let groups = (self.groups)(subject)?;
        Some(self.order.iter().map(|at| groups[*at].clone()).collect())
    }
}

const REPEATS: &[&str] = &[
    "?", "??", "{2}", "{0,2}", "{1,3}?", "*", "+", "*?", "+?", "{2,}",
];

/// A random expression: alternatives of rows of items, each perhaps repeated. `repeats` is for
/// groups: what one captures in a turn that is empty, engines see differently.
fn expression(
    dice: &mut Dice,
    (atoms, groups, repeats): (&[&str], &[&str], &[&str]),
    depth: usize,
) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(3) {
        let (item, repeats) = match dice.below(3) {
            0 if depth > 0 => {
                let open = *dice.pick(groups);
                let inner = expression(dice, (atoms, groups, repeats), depth.saturating_sub(1));
                let repeats = if open.ends_with(['=', '!']) {
                    &[]
                } else {
                    repeats
                };
                (format!("{open}{inner})"), repeats)
            }
            _ => ((*dice.pick(atoms)).to_owned(), REPEATS),
        };
        text.push_str(&item);
        let place = matches!(&*item, "^" | "$" | r"\b" | r"\B");
        if !repeats.is_empty() && !place && dice.below(3) == 0 {
            text.push_str(dice.pick::<&str>(repeats));
        }
        if dice.below(5) == 0 {
            text.push('|');
        }
    }
    text
}

/// Compares our runner with another on random expressions.
fn compare(
    pieces: (&[&str], &[&str], &[&str]),
    subjects: &[&str],
    oracle: impl Fn(&str) -> Option<Oracle>,
) {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let (mut compared, mut matched) = (0_usize, 0_usize);
    for _ in 0..2_500 {
        let body = expression(&mut dice, pieces, 3);
        let (Ok(ours), Some(theirs)) = (
            Pattern::compile(Strategy::Regexp, &format!("a<{body}>b")),
            oracle(&body),
        ) else {
            continue;
        };
        for _ in 0..5 {
            let subject = format!("a{}b", dice.text(subjects, 5));
            let expected = theirs.captures(&subject);
            compared = compared.saturating_add(1);
            matched = matched.saturating_add(expected.is_some().into());
            assert_eq!(ours.captures(&subject), Ok(expected), "{body} on {subject}");
        }
    }
    assert!(compared > 4_000 && matched > 500, "{matched} of {compared}");
}

#[test]
fn matches_and_groups_are_those_of_another_engine() {
    const ATOMS: &[&str] = &[
        "a", "b", "ab", "/", ".", "[ab]", "[^a]", "é", r"\w", r"\D", r"\s", r"\b", r"\B", "^", "$",
        "B",
    ];
    const GROUPS: &[&str] = &["(", "(", "(?:", "(?i:", "(?s:", "(?P<n>"];
    const SUBJECTS: &[&str] = &["a", "b", "/", "A", "ab", "-", "é", "\n", "aab"];
    compare((ATOMS, GROUPS, REPEATS), SUBJECTS, Oracle::linear);
}

#[test]
fn with_look_ahead_they_are_those_of_an_engine_that_backtracks() {
    const ATOMS: &[&str] = &["a", "b", "ab", "/", ".", "[ab]", ".*", "$", r"\b"];
    const GROUPS: &[&str] = &["(?=", "(?!", "(", "(?:"];
    const SUBJECTS: &[&str] = &["a", "b", "/", "ab", "ba", "aab"];
    let oracle = |body: &str| {
        let looks = body.contains("(?=") || body.contains("(?!");
        looks.then(|| Oracle::looking_ahead(body))?
    };
    compare((ATOMS, GROUPS, &REPEATS[..5]), SUBJECTS, oracle);
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
