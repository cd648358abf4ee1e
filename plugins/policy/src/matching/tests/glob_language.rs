use super::*;

#[test]
fn globs_mean_what_they_mean_to_oathkeeper() {
    for (body, yes, no) in [
        ("*", "", "a/b"),
        ("*", "ab", "a.b"),
        ("**", "a/b.c", ""),
        ("?", "a", "/"),
        ("?", "é", "."),
        ("a**b", "a/x.b", "a/x.c"),
        ("[abc]", "b", "d"),
        ("[a-c]", "b", "d"),
        ("[!a-c]", "d", "b"),
        ("[!abc]", "/", "a"),
        ("[ab-d]", "-", "c"),
        (r"[\]]", "]", "\\"),
        (r"[a^&]", "^", "b"),
        ("[^a]", "^", "b"),
        ("{a,b}", "b", "c"),
        ("{a,}x", "x", "bx"),
        ("{a,{b,c*}}d", "cxd", "c/d"),
        ("{}", "", "a"),
        ("{,a}", "a", "b"),
        ("a,b}", "a,b}", "a"),
        (r"\*\{\\", r"*{\", "a"),
        (r"{a\,b,c}", "a,b", "a"),
        ("{a,b", "b", "c"),
        ("(a|b)+", "(a|b)+", "a"),
        ("**.{css,js}", "a/b.js", "a/b.jsx"),
    ] {
        let pattern = glob(&format!("<{body}>"));
        assert!(matches(&pattern, yes), "{body} does not match {yes:?}");
        assert!(
            no.is_empty() || !matches(&pattern, no),
            "{body} matches {no:?}"
        );
    }
}

#[test]
fn broken_globs_are_refused_by_name() {
    for (pattern, reason) in [
        ("h/<[a>", "`[` without"),
        ("h/<[>", "`[` without"),
        ("h/<[a->", "`[` without"),
        ("h/<[a-z0]>", "either one range or a list"),
        ("h/<[z-a]>", "is empty"),
        ("h/<[]>", "no characters"),
        ("h/<[!]>", "no characters"),
        ("h/<{a,b>/c", "`{` without"),
        ("h/<a\\>", "nothing after"),
        ("h/<a", "`<` without"),
    ] {
        let error = refused(Strategy::Glob, pattern);
        assert!(error.reason.contains(reason), "{pattern}: {error}");
    }
}

/// Oathkeeper's engine lets the two ends of `h/<**>/x` overlap in `h/x`. A rule that covers what is
/// below `/admin/` must not cover `/admin` by that.
#[test]
fn the_ends_of_a_pattern_do_not_overlap() {
    assert!(!matches(&glob("http://h/<**>/x"), "http://h/x"));
    assert!(matches(&glob("http://h/<**>/x"), "http://h//x"));
    assert!(matches(&glob("http://h/<**>/x"), "http://h/a/b/x"));
}

#[test]
fn the_quickstart_pattern_of_the_documentation_works() {
    let pattern = glob(
        "http://127.0.0.1:4455/<{registration,welcome,recovery,health/{alive,ready},**.css,**.js}>",
    );
    for yes in ["welcome", "health/ready", "assets/a/b.css", ".js"] {
        assert!(
            matches(&pattern, &format!("http://127.0.0.1:4455/{yes}")),
            "{yes}"
        );
    }
    for no in ["", "health", "welcome/x", "a.css/b"] {
        assert!(
            !matches(&pattern, &format!("http://127.0.0.1:4455/{no}")),
            "{no}"
        );
    }
}

/// A glob as a tree, matched by plain backtracking: slow, and plainly right.
#[derive(Clone)]
enum Node {
    Text(&'static str),
    Run,
    AnyRun,
    Single,
    Class(&'static str, bool, &'static [char]),
    Either(Vec<Vec<Node>>),
}

impl Node {
    fn write(&self) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Run => "*".to_owned(),
            Self::AnyRun => "**".to_owned(),
            Self::Single => "?".to_owned(),
            Self::Class(text, ..) => (*text).to_owned(),
            Self::Either(all) => {
                let all: Vec<String> = all.iter().map(|it| write(it)).collect();
                format!("{{{}}}", all.join(","))
            }
        }
    }
}

fn write(nodes: &[Node]) -> String {
    let mut text = String::new();
    for node in nodes {
        let next = node.write();
        // Two stars beside each other would be read as one `**`.
        if text.ends_with('*') && next.starts_with('*') {
            text.push_str("{}");
        }
        text.push_str(&next);
    }
    text
}

fn plainly_matches(nodes: &[Node], subject: &[char]) -> bool {
    let separator = |c: &char| *c == '.' || *c == '/';
    let Some((node, after)) = nodes.split_first() else {
        return subject.is_empty();
    };
    match node {
        Node::Text(text) => {
            let text: Vec<char> = text.chars().collect();
            subject.starts_with(&text) && plainly_matches(after, &subject[text.len()..])
        }
        Node::Run => (0..=subject.len())
            .take_while(|end| !subject[..*end].iter().any(separator))
            .any(|end| plainly_matches(after, &subject[end..])),
        Node::AnyRun => (0..=subject.len()).any(|end| plainly_matches(after, &subject[end..])),
        Node::Single => {
            subject.first().is_some_and(|c| !separator(c)) && plainly_matches(after, &subject[1..])
        }
        Node::Class(_, not, listed) => {
            subject.first().is_some_and(|c| listed.contains(c) != *not)
                && plainly_matches(after, &subject[1..])
        }
        Node::Either(all) => all.iter().any(|one| {
            let whole: Vec<Node> = one.iter().chain(after).cloned().collect();
            plainly_matches(&whole, subject)
        }),
    }
}

fn random_nodes(dice: &mut Dice, depth: usize) -> Vec<Node> {
    (0..dice.below(5))
        .map(|_| match dice.below(if depth > 0 { 9 } else { 7 }) {
            0 => Node::Run,
            1 => Node::AnyRun,
            2 => Node::Single,
            3 => Node::Class("[ab]", false, &['a', 'b']),
            4 => Node::Class("[!a-b]", true, &['a', 'b']),
            5 | 6 => Node::Text(dice.pick::<&str>(&["a", "b", "/", ".", "ab"])),
            _ => Node::Either(
                (0..=dice.below(3))
                    .map(|_| random_nodes(dice, depth.saturating_sub(1)))
                    .collect(),
            ),
        })
        .collect()
}

#[test]
fn random_globs_match_what_a_plain_matcher_says() {
    let mut dice = Dice(0xfeed_beef);
    let mut matched = 0;
    for _ in 0..2_000 {
        let nodes = random_nodes(&mut dice, 2);
        let text = write(&nodes);
        let pattern = glob(&format!("<{text}>"));
        for _ in 0..10 {
            let subject = dice.text(&["a", "b", "c", "/", "."], 6);
            let chars: Vec<char> = subject.chars().collect();
            let expected = plainly_matches(&nodes, &chars);
            matched += usize::from(expected);
            assert_eq!(matches(&pattern, &subject), expected, "{text} on {subject}");
        }
    }
    assert!(matched > 1_000, "only {matched} matched");
}
