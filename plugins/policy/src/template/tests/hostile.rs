//! Random templates, the same in every run: whatever is written, parsing and rendering return.

use serde_json::json;

use super::{Data, MatchContext, Template, extra, session};
use crate::{headers::Headers, path::Url, session::Session};

/// Marsaglia's xorshift: enough to shuffle, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0).unwrap().checked_rem(bound).unwrap()
    }

    fn pick<'p>(&mut self, pieces: &[&'p str]) -> &'p str {
        pieces[self.below(pieces.len())]
    }
}

const PIECES: &[&str] = &[
    "{{",
    "{{",
    "{{-",
    "}}",
    "}}",
    "-}}",
    " ",
    " ",
    " ",
    "|",
    "(",
    ")",
    ",",
    ":=",
    "=",
    ".",
    "$",
    "$x",
    "$y",
    "\"",
    "`",
    "'",
    "\\",
    "/*",
    "*/",
    "\n",
    "é",
    "\u{301}",
    "😀",
    "if",
    "else",
    "end",
    "with",
    "range",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "true",
    ".Subject",
    ".Extra",
    ".Extra.m",
    ".Extra.list",
    ".Extra.nope",
    ".MatchContext.Header",
    ".MatchContext.URL",
    ".MatchContext.URL.Query",
    ".Header",
    ".Get",
    "\"%v %d %-5.2f %q %x\"",
    "\"%*.*[\"",
    "\"x\"",
    "\"\\xff\"",
    "0",
    "-1",
    "1.5",
    "1e308",
    "0x",
    "9223372036854775807",
    "-9223372036854775808",
    "print",
    "printf",
    "println",
    "index",
    "printIndex",
    "len",
    "and",
    "or",
    "not",
    "eq",
    "lt",
    "html",
    "js",
    "urlquery",
    "join",
    "splitList",
    "replace",
    "repeat",
    "substr",
    "trunc",
    "title",
    "quote",
    "squote",
    "cat",
    "list",
    "dict",
    "get",
    "keys",
    "dig",
    "pick",
    "omit",
    "first",
    "last",
    "rest",
    "slice",
    "has",
    "uniq",
    "without",
    "append",
    "concat",
    "reverse",
    "int",
    "float64",
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "max",
    "toJson",
    "fromJson",
    "b64enc",
    "b64dec",
    "toString",
    "ternary",
    "coalesce",
    "default",
    "regexMatch \"a+\"",
    "kindOf",
    "sortAlpha",
    "values",
];

/// Calls with the right look, so that more than the parser is reached.
fn action(dice: &mut Dice, depth: usize) -> String {
    let mut text = dice.pick(PIECES).to_owned();
    for _ in 0..dice.below(4) {
        text.push(' ');
        if depth < 3 && dice.below(3) == 0 {
            text.push_str(&format!("({})", action(dice, depth.wrapping_add(1))));
        } else {
            text.push_str(dice.pick(PIECES));
        }
    }
    text
}

fn source(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => (0..dice.below(30)).map(|_| dice.pick(PIECES)).collect(),
        1 => format!(
            "{{{{ range $x, $y := {} }}}}{{{{ {} }}}}{{{{ end }}}}",
            action(dice, 0),
            action(dice, 0)
        ),
        2 => format!("{{{{ {} | {} }}}}", action(dice, 0), action(dice, 0)),
        _ => format!("{{{{ {} }}}}", action(dice, 0)),
    }
}

#[test]
fn no_template_panics_or_outgrows_its_limits() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let sessions = [
        session(extra()),
        session(json!({"m": [[[]]], "list": {"": 1e300}})),
        Session::default(),
    ];
    let url = Url::default();
    let captures = [String::new()];
    let headers: Headers = [("a", &b"\xff"[..]), ("", b"x"), (":", b"")]
        .into_iter()
        .collect();
    let context = MatchContext {
        captures: &captures,
        url: &url,
        method: "",
        headers: &headers,
    };
    let mut rendered = 0;
    for _ in 0..30_000 {
        let Ok(template) = Template::parse(&source(&mut dice)) else {
            continue;
        };
        for session in &sessions {
            if let Ok(text) = template.render(&Data { session, context }) {
                assert!(text.len() <= 512 * 1024);
                rendered += 1;
            }
        }
    }
    assert!(
        rendered > 1_000,
        "only {rendered} templates got as far as an output"
    );
}
