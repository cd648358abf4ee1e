//! Tokens to a program. Here: texts and actions in a row; control structures, definitions and what
//! stands inside an action have files of their own.

mod control;
mod definitions;
mod expression;
mod scope;
mod tokens;

use std::collections::BTreeMap;

use super::{
    ast::{Body, Node, Pipeline, Program},
    error::{Place, TemplateError},
    lexer::{Kind, Token, tokens},
};
use scope::Scope;

/// Longer than any header or payload template; it bounds what loading costs.
const MAX_SOURCE: usize = 64 * 1024;
/// Control structures and parentheses inside each other.
const MAX_DEPTH: u32 = 25;

pub(super) fn parse(source: &str) -> Result<Program, TemplateError> {
    if source.len() > MAX_SOURCE {
        return Err(TemplateError::new(
            Place::START,
            "the template is longer than 64 KiB",
        ));
    }
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        scope: Scope::default(),
        depth: 0,
        loops: 0,
        names: BTreeMap::new(),
        templates: Vec::new(),
    };
    let (nodes, end) = parser.nodes(true)?;
    if let Stop::Else(place) | Stop::End(place) = end {
        return Err(TemplateError::new(
            place,
            format!("unexpected `{}`: nothing is open here", end.word()),
        ));
    }
    let main = Body {
        nodes,
        slots: parser.scope.slots(),
    };
    parser.finish(main)
}

struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    next: usize,
    scope: Scope,
    depth: u32,
    loops: u32,
    names: BTreeMap<String, usize>,
    templates: Vec<Definition>,
}

/// A template that was mentioned, and its body where it was defined.
struct Definition {
    name: String,
    place: Place,
    body: Option<Body>,
}

/// What ended a list of nodes.
#[derive(Clone, Copy)]
enum Stop {
    /// `{{else`, its closing delimiter not yet taken.
    Else(Place),
    /// `{{end}}`.
    End(Place),
    /// The source's end.
    Source,
}

impl Stop {
    const fn word(self) -> &'static str {
        match self {
            Self::Else(_) => "{{else}}",
            Self::End(_) => "{{end}}",
            Self::Source => "end of the template",
        }
    }
}

impl<'s> Parser<'s> {
    fn finish(self, main: Body) -> Result<Program, TemplateError> {
        let templates = self
            .templates
            .into_iter()
            .map(|Definition { name, place, body }| {
                body.ok_or_else(|| {
                    TemplateError::new(
                        place,
                        format!("template `{name}` is not defined; add {{{{define}}}}"),
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Program { main, templates })
    }

    /// Nodes up to `{{else`, `{{end}}` or the source's end.
    fn nodes(&mut self, top_level: bool) -> Result<(Vec<Node>, Stop), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let token = self.take();
            match token.kind {
                Kind::Outside(text) => nodes.push(Node::Text(text.into())),
                Kind::Open => match self.action(top_level)? {
                    Action::Node(node) => nodes.push(node),
                    Action::Nothing => {}
                    Action::Stop(stop) => return Ok((nodes, stop)),
                },
                _ => return Ok((nodes, Stop::Source)),
            }
        }
    }

    fn action(&mut self, top_level: bool) -> Result<Action, TemplateError> {
        let place = self.peek().place;
        let Kind::Identifier(word) = self.peek().kind else {
            return self.plain().map(Action::Node);
        };
        if !KEYWORDS.contains(&word) {
            return self.plain().map(Action::Node);
        }
        self.take();
        match word {
            "if" => self.nested(place, |parser| parser.branch(place, "if")),
            "with" => self.nested(place, |parser| parser.branch(place, "with")),
            "range" => self.nested(place, |parser| parser.range(place)),
            "block" => self.nested(place, |parser| parser.block(place)),
            "template" => self.template(place).map(Action::Node),
            "define" if top_level => self.define().map(|()| Action::Nothing),
            "define" => Err(TemplateError::new(
                place,
                "`define` must stand outside of every other action",
            )),
            "else" => Ok(Action::Stop(Stop::Else(place))),
            "end" => self.close("end").map(|()| Action::Stop(Stop::End(place))),
            jump => self.jump(place, jump).map(Action::Node),
        }
    }

    /// `{{pipeline}}` or `{{$variable := pipeline}}`.
    fn plain(&mut self) -> Result<Node, TemplateError> {
        let pipeline = self.declaring_pipeline("an action")?;
        self.close("the action")?;
        Ok(Node::Pipeline(pipeline))
    }

    fn nested(
        &mut self,
        place: Place,
        parse: impl FnOnce(&mut Self) -> Result<Node, TemplateError>,
    ) -> Result<Action, TemplateError> {
        self.deeper(place, parse).map(Action::Node)
    }

    fn deeper<T>(
        &mut self,
        place: Place,
        parse: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(TemplateError::new(
                place,
                "actions and parentheses nest deeper than 25 levels",
            ));
        }
        let parsed = parse(self);
        self.depth = self.depth.saturating_sub(1);
        parsed
    }
}

enum Action {
    Node(Node),
    Nothing,
    Stop(Stop),
}

const KEYWORDS: [&str; 10] = [
    "if", "with", "range", "block", "template", "define", "else", "end", "break", "continue",
];

fn unended(opening: Place, word: &str) -> TemplateError {
    TemplateError::new(opening, format!("`{word}` has no `{{{{end}}}}`"))
}

/// A pipeline that is only read, without a variable to fill.
const fn without_target(commands: Vec<super::ast::Command>) -> Pipeline {
    Pipeline {
        target: None,
        commands,
    }
}
