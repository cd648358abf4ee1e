//! Reads the body of a `<…>` as Oathkeeper's regular expressions (.NET's syntax in the RE2
//! mode of its engine) and writes it for ours.

mod class;
mod escape;

use std::{iter::Peekable, str::Chars};

use crate::expression::Group;

/// How deep groups may nest.
const MAX_DEPTH: usize = 64;

/// A body as [`crate::expression`] compiles it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Translated {
    /// The expression.
    pub(super) text: String,
    /// Its groups, in the order of their opening brackets.
    pub(super) groups: Vec<Group>,
}

/// Translates one body; the error says what is wrong with it.
pub(super) fn translate(body: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: body.chars().peekable(),
        text: String::with_capacity(body.len()),
        open: vec![Open::new(false)],
        repeatable: false,
        groups: Vec::new(),
    };
    while let Some(next) = translator.rest.next() {
        translator.step(next)?;
    }
    translator.close_flags();
    if translator.open.len() != 1 {
        return Err("`(` without its `)`".to_owned());
    }
    Ok(Translated {
        text: translator.text,
        groups: translator.groups,
    })
}

/// Appends `literal` so that it stands for itself, inside a character class or outside.
pub(super) fn push_literal(text: &mut String, literal: char) {
    // Not every punctuation mark: `\<` and `\>` mean something else.
    if r"\.+*?()|[]{}^$#&-~".contains(literal) {
        text.push('\\');
    }
    text.push(literal);
}

struct Translator<'b> {
    rest: Peekable<Chars<'b>>,
    text: String,
    /// The open groups, the body itself first.
    open: Vec<Open>,
    /// Whether a quantifier may follow here.
    repeatable: bool,
    groups: Vec<Group>,
}

/// A group that is not closed yet.
struct Open {
    /// Whether it may be repeated once it is closed.
    repeatable: bool,
    /// What opened the groups that stand for flags, in the present alternative.
    flags: Vec<String>,
}

impl Open {
    const fn new(repeatable: bool) -> Self {
        Self {
            repeatable,
            flags: Vec::new(),
        }
    }
}

impl Translator<'_> {
    fn step(&mut self, next: char) -> Result<(), String> {
        match next {
            '\\' => self.escape()?,
            '[' => {
                class::translate(&mut self.rest, &mut self.text)?;
                self.repeatable = true;
            }
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => self.alternative(),
            '*' | '+' | '?' => self.quantifier(&next.to_string())?,
            '{' => match self.counts() {
                Some(counts) => self.quantifier(&counts)?,
                None => self.literal('{'),
            },
            '^' | '$' => self.push(&next.to_string(), false),
            '.' => self.push(".", true),
            literal => self.literal(literal),
        }
        Ok(())
    }

    fn push(&mut self, text: &str, repeatable: bool) {
        self.text.push_str(text);
        self.repeatable = repeatable;
    }

    fn literal(&mut self, literal: char) {
        push_literal(&mut self.text, literal);
        self.repeatable = true;
    }

    fn escape(&mut self) -> Result<(), String> {
        use escape::Escape;
        match escape::read(&mut self.rest)? {
            Escape::Char(literal) => self.literal(literal),
            Escape::Class(class) => self.push(class, true),
            Escape::Assertion(assertion) => self.push(assertion, false),
        }
        Ok(())
    }

    /// A quantifier and the `?` that makes it lazy. A second one is refused: `a++` is possessive to
    /// one engine and `(a+)+` to the other.
    fn quantifier(&mut self, quantifier: &str) -> Result<(), String> {
        if !self.repeatable {
            return Err(format!("nothing that `{quantifier}` could repeat"));
        }
        self.push(quantifier, false);
        if self.rest.next_if_eq(&'?').is_some() {
            self.text.push('?');
        }
        Ok(())
    }

    /// Reads `n}`, `n,}` or `n,m}`; where something else follows, the `{` stands for itself.
    fn counts(&mut self) -> Option<String> {
        let mut ahead = self.rest.clone();
        let mut counts = String::from("{");
        for next in ahead.by_ref() {
            counts.push(next);
            match next {
                '0'..='9' => {}
                ',' if counts.matches(',').count() == 1 && counts.len() > 2 => {}
                '}' if counts.len() > 2 => {
                    self.rest = ahead;
                    return Some(counts);
                }
                _ => return None,
            }
        }
        None
    }

    fn open_group(&mut self) -> Result<(), String> {
        if self.open.len() > MAX_DEPTH {
            return Err(format!("groups nest more than {MAX_DEPTH} deep"));
        }
        if self.rest.next_if_eq(&'?').is_none() {
            self.groups.push(Group::Unnamed);
            self.open_as("(", true);
            return Ok(());
        }
        match self.rest.next() {
            Some(':') => self.open_as("(?:", true),
            Some(kind @ ('=' | '!')) => {
                let negative = kind == '!';
                self.groups.push(Group::Ahead { negative });
                self.open_as("(", false);
            }
            Some('<') => self.named_group()?,
            Some('P') => match self.rest.next() {
                Some('<') => self.named_group()?,
                Some('=') => return Err(escape::NO_BACKREFERENCES.to_owned()),
                _ => return Err("unknown group `(?P`".to_owned()),
            },
            Some('>') => return Err("atomic groups `(?>` are not supported".to_owned()),
            Some('#') => return Err("comments `(?#` are not supported".to_owned()),
            Some('(') => return Err("conditionals `(?(` are not supported".to_owned()),
            other => self.flags(other)?,
        }
        Ok(())
    }

    fn open_as(&mut self, text: &str, repeatable_when_closed: bool) {
        self.push(text, false);
        self.open.push(Open::new(repeatable_when_closed));
    }

    fn close_group(&mut self) -> Result<(), String> {
        self.close_flags();
        let group = self.open.pop().filter(|_| !self.open.is_empty());
        let group = group.ok_or("`)` without a `(` before it")?;
        self.push(")", group.repeatable);
        Ok(())
    }

    fn close_flags(&mut self) {
        let count = self.open.last().map_or(0, |group| group.flags.len());
        self.text.extend(std::iter::repeat_n(')', count));
    }

    fn alternative(&mut self) {
        self.close_flags();
        self.push("|", false);
        if let Some(group) = self.open.last() {
            self.text.extend(group.flags.iter().map(String::as_str));
        }
    }

    fn named_group(&mut self) -> Result<(), String> {
        if matches!(self.rest.peek(), Some('=' | '!')) {
            return Err("look-behind is not supported".to_owned());
        }
        let mut name = String::new();
        while let Some(next) = self.rest.next_if(|next| *next != '>') {
            name.push(next);
        }
        let letters = name
            .chars()
            .all(|next| next.is_ascii_alphanumeric() || next == '_');
        if self.rest.next().is_none()
            || !letters
            || !name.starts_with(|c: char| !c.is_ascii_digit())
        {
            return Err(format!(
                "the group name `{name}` is not a word of ASCII letters, digits and `_`"
            ));
        }
        self.open_as(&format!("(?P<{name}>"), true);
        self.groups.push(Group::Named(name.into()));
        Ok(())
    }

    /// `(?i:…)`, or `(?i)` for the rest of the group around it. That too is written as groups, one
    /// in each alternative.
    fn flags(&mut self, first: Option<char>) -> Result<(), String> {
        let mut flags = String::new();
        let mut next = first;
        while let Some(flag @ ('i' | 'm' | 's' | '-')) = next {
            flags.push(flag);
            next = self.rest.next();
        }
        let well_formed = flags.matches('-').count() <= 1 && !flags.ends_with('-');
        match next {
            Some(')') if well_formed && !flags.is_empty() => {
                let opening = format!("(?{flags}:");
                self.push(&opening, false);
                if let Some(group) = self.open.last_mut() {
                    group.flags.push(opening);
                }
            }
            Some(':') if well_formed => self.open_as(&format!("(?{flags}:"), true),
            _ => {
                let next = next.map(String::from).unwrap_or_default();
                return Err(format!(
                    "unknown group or flag `(?{flags}{next}`; the flags are `i`, `m` and `s`"
                ));
            }
        }
        Ok(())
    }
}
