//! `define`, `block` and `template`.

use super::{Definition, Parser, Stop, unended};
use crate::template::{
    ast::{Body, Call, Node},
    error::{Place, TemplateError},
    lexer::Kind,
};

impl Parser<'_> {
    pub(super) fn template(&mut self, place: Place) -> Result<Node, TemplateError> {
        let name = self.name("template")?;
        let argument = if self.peek().kind == Kind::Close {
            None
        } else {
            Some(self.declaring_pipeline("template")?)
        };
        self.close("template")?;
        let index = self.mention(name, place);
        Ok(Node::Template(Call {
            place,
            index,
            argument,
        }))
    }

    pub(super) fn block(&mut self, place: Place) -> Result<Node, TemplateError> {
        let name = self.name("block")?;
        let argument = Some(self.declaring_pipeline("block")?);
        self.close("block")?;
        let index = self.definition(name, place, "block")?;
        Ok(Node::Template(Call {
            place,
            index,
            argument,
        }))
    }

    pub(super) fn define(&mut self) -> Result<(), TemplateError> {
        let place = self.peek().place;
        let name = self.name("define")?;
        self.close("define")?;
        self.definition(name, place, "define").map(drop)
    }

    /// A template's body up to `{{end}}`. It sees none of the variables around it.
    pub(super) fn definition(
        &mut self,
        name: String,
        place: Place,
        word: &str,
    ) -> Result<usize, TemplateError> {
        let outer = std::mem::take(&mut self.scope);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, stop) = self.nodes(false)?;
        match stop {
            Stop::End(_) => {}
            Stop::Else(place) => {
                return Err(TemplateError::new(
                    place,
                    format!("unexpected `{{{{else}}}}` in `{word}`"),
                ));
            }
            Stop::Source => return Err(unended(place, word)),
        }
        let slots = std::mem::replace(&mut self.scope, outer).slots();
        self.loops = loops;
        let problem = format!("template `{name}` is defined twice");
        let index = self.mention(name, place);
        match self.templates.get_mut(index) {
            Some(Definition {
                body: body @ None, ..
            }) => *body = Some(Body { nodes, slots }),
            _ => return Err(TemplateError::new(place, problem)),
        }
        Ok(index)
    }

    pub(super) fn mention(&mut self, name: String, place: Place) -> usize {
        let next = self.templates.len();
        let index = *self.names.entry(name.clone()).or_insert(next);
        if index == next {
            self.templates.push(Definition {
                name,
                place,
                body: None,
            });
        }
        index
    }

    pub(super) fn name(&mut self, word: &str) -> Result<String, TemplateError> {
        let token = self.take();
        match token.kind {
            Kind::Text(name) => Ok(name),
            _ => Err(TemplateError::new(
                token.place,
                format!("`{word}` needs a template's name in quotes"),
            )),
        }
    }
}
