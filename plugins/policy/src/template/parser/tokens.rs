//! The parser's place among the tokens.

use super::Parser;
use crate::template::{
    error::{Place, TemplateError},
    lexer::{Kind, Token},
};

impl<'s> Parser<'s> {
    pub(super) fn close(&mut self, what: &str) -> Result<(), TemplateError> {
        let token = self.take();
        if token.kind == Kind::Close {
            return Ok(());
        }
        Err(TemplateError::new(
            token.place,
            format!(
                "unexpected {} in `{what}`; expected `}}}}`",
                describe(&token.kind)
            ),
        ))
    }

    pub(super) fn next_is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, Kind::Identifier(next) if next == word)
    }

    pub(super) fn peek(&self) -> &Token<'s> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> &Token<'s> {
        const END: &Token<'static> = &Token {
            kind: Kind::End,
            place: Place::START,
            spaced: true,
        };
        self.tokens
            .get(self.next.saturating_add(ahead))
            .or(self.tokens.last())
            .unwrap_or(END)
    }

    pub(super) fn take(&mut self) -> Token<'s> {
        let token = self.peek().clone();
        self.next = self.next.saturating_add(1);
        token
    }
}

pub(super) fn describe(kind: &Kind<'_>) -> String {
    match kind {
        Kind::Outside(_) => "text".into(),
        Kind::Open => "`{{`".into(),
        Kind::Close => "`}}`".into(),
        Kind::Identifier(word) | Kind::Variable(word) => format!("`{word}`"),
        Kind::Field(name) => format!("`.{name}`"),
        Kind::Dot => "`.`".into(),
        Kind::Text(_) => "a string".into(),
        Kind::Int(_) | Kind::Float(_) => "a number".into(),
        Kind::Declare => "`:=`".into(),
        Kind::Assign => "`=`".into(),
        Kind::Comma => "`,`".into(),
        Kind::Pipe => "`|`".into(),
        Kind::LeftParen => "`(`".into(),
        Kind::RightParen => "`)`".into(),
        Kind::End => "end of the template".into(),
    }
}
