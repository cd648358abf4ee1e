//! `if`, `with` and `range`, and the jumps out of it.

use super::{Parser, Stop, unended};
use crate::template::{
    ast::{Branch, Node, Range},
    error::{Place, TemplateError},
};

impl Parser<'_> {
    pub(super) fn jump(&mut self, place: Place, word: &str) -> Result<Node, TemplateError> {
        if self.loops == 0 {
            return Err(TemplateError::new(
                place,
                format!("`{word}` outside of `range`"),
            ));
        }
        self.close(word)?;
        Ok(if word == "break" {
            Node::Break
        } else {
            Node::Continue
        })
    }

    pub(super) fn branch(&mut self, opening: Place, word: &str) -> Result<Node, TemplateError> {
        let mark = self.scope.mark();
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.declaring_pipeline(word)?;
            self.close(word)?;
            let (nodes, stop) = self.nodes(false)?;
            arms.push((condition, nodes));
            match stop {
                Stop::Else(_) if self.next_is_word(word) => {
                    self.take();
                }
                Stop::Else(_) => {
                    otherwise = self.last_else(opening, word)?;
                    break;
                }
                Stop::End(_) => break,
                Stop::Source => return Err(unended(opening, word)),
            }
        }
        self.scope.release(mark);
        Ok(Node::Branch(Branch {
            rebinds: word == "with",
            arms,
            otherwise,
        }))
    }

    pub(super) fn range(&mut self, opening: Place) -> Result<Node, TemplateError> {
        let mark = self.scope.mark();
        let (index, element, over) = self.range_pipeline()?;
        self.close("range")?;
        self.loops = self.loops.saturating_add(1);
        let body = self.nodes(false);
        self.loops = self.loops.saturating_sub(1);
        let (body, stop) = body?;
        let otherwise = match stop {
            Stop::Else(_) => self.last_else(opening, "range")?,
            Stop::End(_) => Vec::new(),
            Stop::Source => return Err(unended(opening, "range")),
        };
        self.scope.release(mark);
        Ok(Node::Range(Box::new(Range {
            over,
            index,
            element,
            body,
            otherwise,
        })))
    }

    /// What follows `{{else`: its nodes up to `{{end}}`.
    pub(super) fn last_else(
        &mut self,
        opening: Place,
        word: &str,
    ) -> Result<Vec<Node>, TemplateError> {
        self.close("else")?;
        match self.nodes(false)? {
            (nodes, Stop::End(_)) => Ok(nodes),
            (_, Stop::Else(place)) => Err(TemplateError::new(
                place,
                "a second `{{else}}`; expected `{{end}}`",
            )),
            (_, Stop::Source) => Err(unended(opening, word)),
        }
    }
}
