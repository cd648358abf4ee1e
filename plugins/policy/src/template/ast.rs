//! A parsed template: names of functions, variables and templates are already resolved.

use super::{
    error::Place,
    functions::{Function, Pattern},
};

/// Where a variable lives in its template's frame; `$` is 0.
pub(super) type Slot = usize;

#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What is rendered.
    pub(super) main: Body,
    /// What `define` and `block` made, in the order of [`Node::Template`]'s index.
    pub(super) templates: Vec<Body>,
}

/// One template's nodes, and how many variables it needs room for.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) nodes: Vec<Node>,
    pub(super) slots: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Pipeline(Pipeline),
    Branch(Branch),
    Range(Box<Range>),
    Template(Call),
    Break,
    Continue,
}

/// `if` and `with`, their `else if` or `else with` arms, and the last `else`.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// `with`: the condition's value becomes the dot.
    pub(super) rebinds: bool,
    pub(super) arms: Vec<(Pipeline, Vec<Node>)>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) over: Pipeline,
    pub(super) index: Option<Slot>,
    pub(super) element: Option<Slot>,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// `{{template "name" pipeline}}`.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) place: Place,
    pub(super) index: usize,
    pub(super) argument: Option<Pipeline>,
}

#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// The variable that takes the value; such a pipeline prints nothing.
    pub(super) target: Option<Slot>,
    pub(super) commands: Vec<Command>,
}

/// Functions that escape what they are given for a JSON string.
const ESCAPING: &[&str] = &[
    "js",
    "quote",
    "toJson",
    "mustToJson",
    "toPrettyJson",
    "mustToPrettyJson",
    "toRawJson",
    "mustToRawJson",
];

impl Pipeline {
    /// Whether what it makes is escaped for a JSON string, or nothing but the author's own words.
    pub(super) fn is_escaped(&self) -> bool {
        let mut reads = false;
        let mut escapes = false;
        self.for_each_expression(&mut |expression| match expression {
            Expression::Dot | Expression::Variable(_) | Expression::Fields(_) => reads = true,
            Expression::Function(function) => escapes |= ESCAPING.contains(&function.name),
            _ => {}
        });
        escapes || !reads
    }

    fn for_each_expression(&self, each: &mut impl FnMut(&Expression)) {
        for command in &self.commands {
            for expression in std::iter::once(&command.head).chain(&command.arguments) {
                each(expression);
                match expression {
                    Expression::Pipeline(pipeline) => pipeline.for_each_expression(each),
                    Expression::Fields(fields) => {
                        if let Expression::Pipeline(pipeline) = &fields.base {
                            pipeline.for_each_expression(each);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) place: Place,
    pub(super) head: Expression,
    pub(super) arguments: Vec<Expression>,
}

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Variable(Slot),
    /// With the command's arguments at its head, without any elsewhere.
    Function(&'static Function),
    /// `regexMatch` and its like with the pattern, compiled at load.
    Pattern(Box<Pattern>),
    Pipeline(Box<Pipeline>),
    Fields(Box<Fields>),
}

/// `.A.B`, `$x.A.B`, `(pipeline).A.B`.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) base: Expression,
    pub(super) names: Vec<Box<str>>,
}
