//! What a template reads and prints, for those who judge it.

use super::{
    Template,
    ast::{Body, Command, Expression, Node, Pipeline},
    in_string::InString,
};

/// A value of the caller or the request that a template prints as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawOutput {
    /// The value, as the template names it.
    pub(crate) name: String,
    /// Whether it stands within a JSON string, going by the template's own text.
    pub(crate) in_string: bool,
}

/// What a template is made of, in the order of its text.
enum Piece<'t> {
    Text(&'t str),
    /// A pipeline, and whether its value is printed.
    Pipeline(&'t Pipeline, bool),
}

/// Functions whose result cannot end a JSON string, whatever they are given.
const HARMLESS: &[&str] = &[
    "toJson",
    "mustToJson",
    "toPrettyJson",
    "toRawJson",
    "quote",
    "js",
    "urlquery",
    "b64enc",
    "b32enc",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "adler32sum",
    "len",
    "int",
    "int64",
    "float64",
    "toDecimal",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "not",
    "has",
    "hasKey",
    "hasPrefix",
    "hasSuffix",
    "contains",
    "empty",
    "regexMatch",
    "add",
    "add1",
    "sub",
    "mul",
    "div",
    "mod",
    "max",
    "min",
    "ceil",
    "floor",
    "round",
    "kindOf",
    "typeOf",
];

impl Template {
    /// Whether it reads the field `path` of what it is given.
    pub(crate) fn reads(&self, path: &[&str]) -> bool {
        let mut found = false;
        self.for_each_piece(&mut |piece| {
            let Piece::Pipeline(pipeline, _) = piece else {
                return;
            };
            for_each_field(pipeline, &mut |names| {
                found |= names
                    .iter()
                    .map(|name| &**name)
                    .take(path.len())
                    .eq(path.iter().copied());
            });
        });
        found
    }

    /// The values of the caller or the request that it prints as they are.
    pub(crate) fn raw_outputs(&self) -> Vec<RawOutput> {
        let mut outputs = Vec::new();
        let mut json = InString::default();
        self.for_each_piece(&mut |piece| {
            let pipeline = match piece {
                Piece::Text(text) => return json.advance(text),
                Piece::Pipeline(pipeline, true) if pipeline.target.is_none() => pipeline,
                Piece::Pipeline(..) => return,
            };
            let last = pipeline.commands.last().map(|command| &command.head);
            if matches!(last, Some(Expression::Function(function)) if HARMLESS.contains(&function.name))
            {
                return;
            }
            for_each_field(pipeline, &mut |names| {
                let output = RawOutput {
                    name: names.iter().fold(String::new(), |name, it| name + "." + it),
                    in_string: json.is_inside(),
                };
                if !outputs.contains(&output) {
                    outputs.push(output);
                }
            });
        });
        outputs
    }

    fn for_each_piece(&self, each: &mut impl FnMut(Piece<'_>)) {
        let Body { nodes, .. } = &self.program.main;
        walk(nodes, each);
        for template in &self.program.templates {
            walk(&template.nodes, each);
        }
    }
}

fn walk(nodes: &[Node], each: &mut impl FnMut(Piece<'_>)) {
    for node in nodes {
        match node {
            Node::Text(text) => each(Piece::Text(text)),
            Node::Pipeline(pipeline) => each(Piece::Pipeline(pipeline, true)),
            Node::Branch(branch) => {
                for (condition, nodes) in &branch.arms {
                    each(Piece::Pipeline(condition, false));
                    walk(nodes, each);
                }
                walk(&branch.otherwise, each);
            }
            Node::Range(range) => {
                each(Piece::Pipeline(&range.over, false));
                walk(&range.body, each);
                walk(&range.otherwise, each);
            }
            Node::Template(call) => {
                if let Some(argument) = &call.argument {
                    each(Piece::Pipeline(argument, false));
                }
            }
            Node::Break | Node::Continue => {}
        }
    }
}

fn for_each_field(pipeline: &Pipeline, each: &mut impl FnMut(&[Box<str>])) {
    for Command {
        head, arguments, ..
    } in &pipeline.commands
    {
        std::iter::once(head)
            .chain(arguments)
            .for_each(|it| fields(it, each));
    }
}

fn fields(expression: &Expression, each: &mut impl FnMut(&[Box<str>])) {
    match expression {
        Expression::Fields(fields) => each(&fields.names),
        Expression::Pipeline(pipeline) => for_each_field(pipeline, each),
        _ => {}
    }
}
