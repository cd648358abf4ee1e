//! What a template draws from, found out when it is loaded: only that is asked of the host, and a name
//! that there is not goes no further.

use crate::{
    header_mutation::attribute::Attribute,
    template::{
        ast::{Command, Expression, Fields, Node, Pipeline, Program},
        error::{Place, TemplateError},
    },
};

/// The data that a template names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// `.Claims`.
    pub(crate) claims: bool,
    /// `.Request`.
    pub(crate) request: bool,
    /// `.Request.URL`.
    pub(crate) url: bool,
    /// The names after `.Attribute`.
    pub(crate) attributes: Vec<&'static Attribute>,
}

impl Reads {
    /// # Errors
    /// A field that there is not, with its place.
    pub(super) fn of(program: &Program, for_response: bool) -> Result<Self, TemplateError> {
        let mut walk = Walk {
            for_response,
            in_main: true,
            reads: Self::default(),
        };
        walk.nodes(&program.main.nodes, true)?;
        walk.in_main = false;
        for template in &program.templates {
            // What the dot is there depends on who calls.
            walk.nodes(&template.nodes, false)?;
        }
        Ok(walk.reads)
    }

    /// Adds what another one draws from.
    pub(crate) fn add(&mut self, other: &Self) {
        self.claims |= other.claims;
        self.request |= other.request;
        self.url |= other.url;
        for attribute in &other.attributes {
            self.note(attribute);
        }
    }

    fn note(&mut self, attribute: &'static Attribute) {
        let is_known = self.attributes.iter().any(|it| it.name == attribute.name);
        if !is_known {
            self.attributes.push(attribute);
        }
    }
}

/// One way through a template. `at_root` says whether the dot is what it was at the start.
struct Walk {
    for_response: bool,
    /// Whether `$` is what the dot was at the start.
    in_main: bool,
    reads: Reads,
}

type Walked = Result<(), TemplateError>;

impl Walk {
    fn nodes(&mut self, nodes: &[Node], at_root: bool) -> Walked {
        nodes.iter().try_for_each(|node| self.node(node, at_root))
    }

    fn node(&mut self, node: &Node, at_root: bool) -> Walked {
        match node {
            Node::Pipeline(pipeline) => self.pipeline(pipeline, at_root),
            Node::Branch(branch) => {
                for (condition, nodes) in &branch.arms {
                    self.pipeline(condition, at_root)?;
                    self.nodes(nodes, at_root && !branch.rebinds)?;
                }
                self.nodes(&branch.otherwise, at_root)
            }
            Node::Range(range) => {
                self.pipeline(&range.over, at_root)?;
                self.nodes(&range.body, false)?;
                self.nodes(&range.otherwise, at_root)
            }
            Node::Template(call) => match &call.argument {
                Some(argument) => self.pipeline(argument, at_root),
                None => Ok(()),
            },
            Node::Text(_) | Node::Break | Node::Continue => Ok(()),
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, at_root: bool) -> Walked {
        pipeline.commands.iter().try_for_each(|command| {
            let Command {
                place,
                head,
                arguments,
            } = command;
            self.operand(head, arguments, *place, at_root)?;
            arguments
                .iter()
                .try_for_each(|argument| self.operand(argument, &[], *place, at_root))
        })
    }

    fn operand(
        &mut self,
        operand: &Expression,
        arguments: &[Expression],
        place: Place,
        at_root: bool,
    ) -> Walked {
        match operand {
            Expression::Pipeline(pipeline) => self.pipeline(pipeline, at_root),
            Expression::Fields(fields) => {
                self.operand(&fields.base, &[], place, at_root)?;
                self.fields(fields, arguments, place, at_root)
            }
            _ => Ok(()),
        }
    }

    fn fields(
        &mut self,
        fields: &Fields,
        arguments: &[Expression],
        place: Place,
        at_root: bool,
    ) -> Walked {
        let is_root = match fields.base {
            Expression::Dot => at_root,
            Expression::Variable(0) => self.in_main,
            _ => false,
        };
        let names: Vec<&str> = fields.names.iter().map(|name| &**name).collect();
        if is_root && let Err(problem) = self.check(&names) {
            return Err(TemplateError::new(place, problem));
        }
        match names.first() {
            Some(&"Claims") => self.reads.claims = true,
            Some(&"Request") => self.reads.request = true,
            _ => {}
        }
        self.reads.url |= names.contains(&"URL");
        if names.last() == Some(&"Attribute") {
            let attribute = named(arguments).map_err(|it| TemplateError::new(place, it))?;
            self.may_be_known(attribute)
                .map_err(|it| TemplateError::new(place, it))?;
            self.reads.note(attribute);
        }
        Ok(())
    }

    /// Whether there is such a field behind the dot at the start.
    fn check(&self, names: &[&str]) -> Result<(), String> {
        match names {
            ["Claims", ..] | ["Attribute"] | ["Request"] => Ok(()),
            ["Request", "Method" | "Header" | "URL", ..] => Ok(()),
            ["Request", other, ..] => Err(format!(
                "there is no `.Request.{other}`; there are `Method`, `Header` and `URL`"
            )),
            ["Response", ..] if !self.for_response => Err(
                "a template for a request cannot read `.Response`: there is none yet".to_owned(),
            ),
            ["Response"] | ["Response", "Status" | "Header", ..] => Ok(()),
            ["Response", other, ..] => Err(format!(
                "there is no `.Response.{other}`; there are `Status` and `Header`"
            )),
            [other, ..] => Err(format!(
                "there is no `.{other}`; there are `.Claims`, `.Attribute`, `.Request` and, in \
                 templates for responses, `.Response`"
            )),
            [] => Ok(()),
        }
    }

    fn may_be_known(&self, attribute: &Attribute) -> Result<(), String> {
        if attribute.is_of_response && !self.for_response {
            return Err(format!(
                "`{}` is known only once there is a response; use it in `response`",
                attribute.name
            ));
        }
        Ok(())
    }
}

/// The attribute that is asked for.
fn named(arguments: &[Expression]) -> Result<&'static Attribute, String> {
    match arguments {
        [Expression::Text(name)] => Attribute::find(name),
        _ => Err(
            "`.Attribute` needs one name, as a literal string; as an argument write it in \
             parentheses: `(.Attribute \"source.address\")`"
                .to_owned(),
        ),
    }
}
