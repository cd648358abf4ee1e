//! A template's source, cut into tokens.

mod literal;

pub(super) use literal::integer;

use super::error::{Place, TemplateError};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind<'s>,
    pub(super) place: Place,
    /// White space precedes it: `a .b` are two operands, `a.b` is one.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    /// Text outside of actions.
    Outside(&'s str),
    Open,
    Close,
    Identifier(&'s str),
    /// `.name`, without its dot.
    Field(&'s str),
    Dot,
    /// `$name`, with its `$`.
    Variable(&'s str),
    Text(String),
    Int(i64),
    Float(f64),
    Declare,
    Assign,
    Comma,
    Pipe,
    LeftParen,
    RightParen,
    End,
}

/// Cuts `source` into tokens; the last is [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, TemplateError> {
    let mut lexer = Lexer {
        rest: source,
        place: Place::START,
        tokens: Vec::new(),
    };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    rest: &'s str,
    place: Place,
    tokens: Vec<Token<'s>>,
}

impl<'s> Lexer<'s> {
    fn run(&mut self) -> Result<(), TemplateError> {
        let mut trim_start = false;
        loop {
            let place = self.place;
            let text = self.take(self.rest.find("{{").unwrap_or(self.rest.len()));
            let last = self.rest.is_empty();
            let opening = self.place;
            self.take(2);
            let trim_end = starts_with_trim_marker(self.rest);
            self.outside(text, place, trim_start, trim_end);
            if last {
                self.push(Kind::End, self.place, true);
                return Ok(());
            }
            self.take(usize::from(trim_end));
            trim_start = if self.at_comment(trim_end) {
                self.comment(opening)?
            } else {
                self.push(Kind::Open, opening, true);
                self.action(opening)?
            };
        }
    }

    fn outside(&mut self, mut text: &'s str, place: Place, trim_start: bool, trim_end: bool) {
        if trim_start {
            text = text.trim_start_matches(SPACES);
        }
        if trim_end {
            text = text.trim_end_matches(SPACES);
        }
        if !text.is_empty() {
            self.push(Kind::Outside(text), place, true);
        }
    }

    /// A comment starts right after the delimiter, or after a trim marker and its one space.
    fn at_comment(&self, after_marker: bool) -> bool {
        let rest = if after_marker {
            self.rest.strip_prefix(SPACES).unwrap_or_default()
        } else {
            self.rest
        };
        rest.starts_with("/*")
    }

    /// Whether the text behind the comment is to be trimmed.
    fn comment(&mut self, opening: Place) -> Result<bool, TemplateError> {
        let Some(end) = self.rest.find("*/") else {
            return Err(TemplateError::new(
                opening,
                "the comment has no end; close it with `*/}}`",
            ));
        };
        self.take(end.saturating_add(2));
        let place = self.place;
        let spaced = self.spaces();
        self.closing(spaced)
            .filter(|trim| *trim || !spaced)
            .ok_or_else(|| {
                TemplateError::new(
                    place,
                    "a comment must fill its action; `*/` must be followed by `}}` or ` -}}`",
                )
            })
    }

    /// The tokens up to the closing delimiter; whether the text behind it is to be trimmed.
    fn action(&mut self, opening: Place) -> Result<bool, TemplateError> {
        loop {
            let spaced = self.spaces();
            let place = self.place;
            if let Some(trim) = self.closing(spaced) {
                self.push(Kind::Close, place, spaced);
                return Ok(trim);
            }
            if self.rest.is_empty() {
                return Err(TemplateError::new(
                    opening,
                    "the action has no end; close it with `}}`",
                ));
            }
            let kind = self.token()?;
            self.push(kind, place, spaced);
        }
    }

    /// Takes the closing delimiter where it is next; whether it carries a trim marker.
    fn closing(&mut self, spaced: bool) -> Option<bool> {
        if spaced && self.rest.starts_with("-}}") {
            self.take(3);
            return Some(true);
        }
        self.rest.starts_with("}}").then(|| {
            self.take(2);
            false
        })
    }

    fn token(&mut self) -> Result<Kind<'s>, TemplateError> {
        let mut characters = self.rest.chars();
        let first = characters.next().unwrap_or_default();
        let second = characters.next().unwrap_or_default();
        Ok(match first {
            ':' if second == '=' => self.symbol(2, Kind::Declare),
            '=' => self.symbol(1, Kind::Assign),
            ',' => self.symbol(1, Kind::Comma),
            '|' => self.symbol(1, Kind::Pipe),
            '(' => self.symbol(1, Kind::LeftParen),
            ')' => self.symbol(1, Kind::RightParen),
            '"' => Kind::Text(self.quoted()?),
            '`' => Kind::Text(self.raw()?),
            '\'' => Kind::Int(self.character()?),
            '$' => Kind::Variable(self.prefixed_word()?),
            '.' if !second.is_ascii_digit() => match self.prefixed_word()?.strip_prefix('.') {
                Some(name) if !name.is_empty() => Kind::Field(name),
                _ => Kind::Dot,
            },
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            c if in_word(c) => Kind::Identifier(self.word()?),
            c => {
                return Err(self.error(format!("unexpected `{}` in an action", c.escape_default())));
            }
        })
    }

    fn symbol(&mut self, bytes: usize, kind: Kind<'s>) -> Kind<'s> {
        self.take(bytes);
        kind
    }

    /// `$`, `$name`, `.` or `.name`.
    fn prefixed_word(&mut self) -> Result<&'s str, TemplateError> {
        let tail = self.rest.get(1..).unwrap_or_default();
        let length = tail.find(|c| !in_word(c)).unwrap_or(tail.len());
        let word = self.take(length.saturating_add(1));
        self.expect_end_of_word(word)?;
        Ok(word)
    }

    fn word(&mut self) -> Result<&'s str, TemplateError> {
        let length = self.rest.find(|c| !in_word(c)).unwrap_or(self.rest.len());
        let word = self.take(length);
        self.expect_end_of_word(word)?;
        Ok(word)
    }

    fn expect_end_of_word(&self, word: &str) -> Result<(), TemplateError> {
        match self.rest.chars().next() {
            Some(c)
                if !SPACES.contains(&c)
                    && !".,|:()".contains(c)
                    && !self.rest.starts_with("}}") =>
            {
                Err(self.error(format!(
                    "unexpected `{}` after `{word}`",
                    c.escape_default()
                )))
            }
            _ => Ok(()),
        }
    }

    fn spaces(&mut self) -> bool {
        let length = self
            .rest
            .find(|c| !SPACES.contains(&c))
            .unwrap_or(self.rest.len());
        self.take(length);
        length > 0
    }

    fn take(&mut self, bytes: usize) -> &'s str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.place.advance(taken);
        self.rest = rest;
        taken
    }

    fn push(&mut self, kind: Kind<'s>, place: Place, spaced: bool) {
        self.tokens.push(Token {
            kind,
            place,
            spaced,
        });
    }

    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(self.place, problem)
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn starts_with_trim_marker(rest: &str) -> bool {
    rest.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(SPACES))
}

fn in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
