//! What a template reads and prints, for those who judge it.

use super::{
    Template,
    ast::{Body, Command, Expression, Node, Pipeline},
};

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
        self.for_each_pipeline(&mut |pipeline, _| {
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

    /// The values that it prints as they are, as it names them: those of the caller or the request.
    pub(crate) fn raw_outputs(&self) -> Vec<String> {
        let mut outputs = Vec::new();
        self.for_each_pipeline(&mut |pipeline, prints| {
            let last = pipeline.commands.last().map(|command| &command.head);
            let harmless = matches!(last, Some(Expression::Function(function))
                if HARMLESS.contains(&function.name));
            if prints && pipeline.target.is_none() && !harmless {
                for_each_field(pipeline, &mut |names| {
                    let name = names.iter().fold(String::new(), |name, it| name + "." + it);
                    if !outputs.contains(&name) {
                        outputs.push(name);
                    }
                });
            }
        });
        outputs
    }

    fn for_each_pipeline(&self, each: &mut impl FnMut(&Pipeline, bool)) {
        let Body { nodes, .. } = &self.program.main;
        walk(nodes, each);
        for template in &self.program.templates {
            walk(&template.nodes, each);
        }
    }
}

/// Calls `each` for every pipeline, and whether its value is printed.
fn walk(nodes: &[Node], each: &mut impl FnMut(&Pipeline, bool)) {
    for node in nodes {
        match node {
            Node::Pipeline(pipeline) => each(pipeline, true),
            Node::Branch(branch) => {
                for (condition, nodes) in &branch.arms {
                    each(condition, false);
                    walk(nodes, each);
                }
                walk(&branch.otherwise, each);
            }
            Node::Range(range) => {
                each(&range.over, false);
                walk(&range.body, each);
                walk(&range.otherwise, each);
            }
            Node::Template(call) => {
                if let Some(argument) = &call.argument {
                    each(argument, false);
                }
            }
            Node::Text(_) | Node::Break | Node::Continue => {}
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
