//! Tokens to a program: the actions. What stands inside them is in [`expression`].

mod expression;
mod scope;

use std::collections::BTreeMap;

use super::{
    ast::{Body, Branch, Call, Node, Pipeline, Program, Range},
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

    fn jump(&mut self, place: Place, word: &str) -> Result<Node, TemplateError> {
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

    fn branch(&mut self, opening: Place, word: &str) -> Result<Node, TemplateError> {
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

    fn range(&mut self, opening: Place) -> Result<Node, TemplateError> {
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
    fn last_else(&mut self, opening: Place, word: &str) -> Result<Vec<Node>, TemplateError> {
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

    fn template(&mut self, place: Place) -> Result<Node, TemplateError> {
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

    fn block(&mut self, place: Place) -> Result<Node, TemplateError> {
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

    fn define(&mut self) -> Result<(), TemplateError> {
        let place = self.peek().place;
        let name = self.name("define")?;
        self.close("define")?;
        self.definition(name, place, "define").map(drop)
    }

    /// A template's body up to `{{end}}`. It sees none of the variables around it.
    fn definition(
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

    fn mention(&mut self, name: String, place: Place) -> usize {
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

    fn name(&mut self, word: &str) -> Result<String, TemplateError> {
        let token = self.take();
        match token.kind {
            Kind::Text(name) => Ok(name),
            _ => Err(TemplateError::new(
                token.place,
                format!("`{word}` needs a template's name in quotes"),
            )),
        }
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

    fn close(&mut self, what: &str) -> Result<(), TemplateError> {
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

    fn next_is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, Kind::Identifier(next) if next == word)
    }

    fn peek(&self) -> &Token<'s> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Token<'s> {
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

    fn take(&mut self) -> Token<'s> {
        let token = self.peek().clone();
        self.next = self.next.saturating_add(1);
        token
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

fn describe(kind: &Kind<'_>) -> String {
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

/// A pipeline that is only read, without a variable to fill.
const fn without_target(commands: Vec<super::ast::Command>) -> Pipeline {
    Pipeline {
        target: None,
        commands,
    }
}
