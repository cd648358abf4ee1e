//! From the parser's tree to a [`Program`]: names are resolved, and what an evaluation could stumble over
//! is refused.

use ::cel::{
    common::ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr,
        operators as op,
    },
    parser::PrattParser,
};

use crate::expression::Regex;

use super::{
    functions::Function,
    program::{Arithmetic, Comparison, Loop, LoopKind, Node, Program},
    variable::Variable,
};

/// How deep parentheses and their like may nest in the text.
const MAX_NESTING: u16 = 24;
/// How many `? :` there may be: the parser recurses into each without counting it.
const MAX_CHOICES: usize = 32;
/// How deep nodes may nest. Evaluation goes as deep, on the stack of a wasm VM.
const MAX_DEPTH: usize = 64;
/// How many nodes the parser makes of an expression at most.
const MAX_NODES: usize = 2000;

/// Reads an expression.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn parse(source: &str) -> Result<IdedExpr, String> {
    if source.matches('?').count() > MAX_CHOICES {
        return Err(format!(
            "has more than {MAX_CHOICES} `?`; split it into several `cel` authorizers"
        ));
    }
    let parser = PrattParser::new()
        .max_recursion_depth(MAX_NESTING)
        .max_expression_node_count(MAX_NODES);
    parser.parse(source).map_err(|errors| {
        let Some(first) = errors.errors.first() else {
            return "is no expression".to_owned();
        };
        let message = first
            .msg
            .strip_prefix("Syntax error: ")
            .unwrap_or(&first.msg);
        match first.pos {
            (line @ 1.., column @ 1..) => {
                format!("is no CEL expression: line {line}, column {column}: {message}")
            }
            _ => format!("is no CEL expression: {message}"),
        }
    })
}

/// Resolves every name in an expression.
///
/// # Errors
/// What is wrong with it.
pub(super) fn program(expression: &IdedExpr) -> Result<Program, String> {
    let mut lowering = Lowering::default();
    let root = lowering.node(expression)?;
    if let Some(kind) = root.other_than_bool() {
        return Err(format!(
            "is {kind}; an expression that decides must be true or false"
        ));
    }
    Ok(Program {
        root,
        #[cfg(any(test, feature = "analysis"))]
        is_constant: !lowering.reads_variables,
        reads_client_address: lowering.reads_client_address,
    })
}

#[derive(Debug, Default)]
struct Lowering {
    /// The names of the elements that the loops around are at, the innermost last.
    elements: Vec<String>,
    depth: usize,
    reads_variables: bool,
    reads_client_address: bool,
}

impl Lowering {
    fn node(&mut self, expression: &IdedExpr) -> Result<Node, String> {
        if self.depth >= MAX_DEPTH {
            return Err("is nested too deeply; split it into several `cel` authorizers".to_owned());
        }
        self.depth = self.depth.saturating_add(1);
        let node = self.node_of(&expression.expr);
        self.depth = self.depth.saturating_sub(1);
        node
    }

    fn nodes(&mut self, expressions: &[IdedExpr]) -> Result<Vec<Node>, String> {
        expressions.iter().map(|it| self.node(it)).collect()
    }

    fn node_of(&mut self, expression: &Expr) -> Result<Node, String> {
        match expression {
            Expr::Literal(literal) => self::literal(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(each) => self.each(each),
            Expr::List(list) => self.nodes(&list.elements).map(Node::List),
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => {
                        Ok((self.node(&entry.key)?, self.node(&entry.value)?))
                    }
                    EntryExpr::StructField(_) => Err(no_messages()),
                });
                entries.collect::<Result<_, _>>().map(Node::Map)
            }
            Expr::Struct(_) => Err(no_messages()),
            Expr::Unspecified => Err("is no expression".to_owned()),
        }
    }

    fn name(&mut self, name: &str) -> Result<Node, String> {
        let outward = self.elements.iter().rev().position(|known| known == name);
        match outward {
            Some(outward) => Ok(Node::Element(outward)),
            None => self.variable(name),
        }
    }

    fn variable(&mut self, name: &str) -> Result<Node, String> {
        let Some(variable) = Variable::named(name) else {
            let known = Variable::ALL.iter().map(|(known, _)| format!("`{known}`"));
            return Err(format!(
                "`{name}` is no variable here; known are {}",
                known.collect::<Vec<_>>().join(", ")
            ));
        };
        self.reads_variables = true;
        self.reads_client_address |= variable == Variable::RemoteIp;
        Ok(Node::Variable(variable))
    }

    fn select(&mut self, select: &SelectExpr) -> Result<Node, String> {
        let SelectExpr {
            operand,
            field,
            test,
        } = select;
        if let Expr::Ident(half) = &operand.expr
            && Variable::is_half(half)
            && !self.elements.contains(half)
        {
            let name = format!("{half}.{field}");
            let variable = self.variable(&name)?;
            return if *test {
                Err(format!("`{name}` is always there; leave out `has()`"))
            } else {
                Ok(variable)
            };
        }
        let (of, field) = (Box::new(self.node(operand)?), field.as_str().into());
        Ok(if *test {
            Node::Has { of, field }
        } else {
            Node::Field { of, field }
        })
    }

    fn call(&mut self, call: &CallExpr) -> Result<Node, String> {
        let name = call.func_name.as_str();
        match (&call.target, call.args.as_slice()) {
            (Some(text), [pattern]) if name == "matches" => self.matches(text, pattern),
            (None, [text, pattern]) if name == "matches" => self.matches(text, pattern),
            (Some(target), arguments) => {
                let count = arguments.len().saturating_add(1);
                let function = Function::find(name, true, count)?;
                let mut nodes = vec![self.node(target)?];
                nodes.extend(self.nodes(arguments)?);
                Ok(Node::Call(function, nodes))
            }
            (None, [a]) if name == op::LOGICAL_NOT => Ok(Node::Not(Box::new(self.node(a)?))),
            (None, [a]) if name == op::NEGATE => Ok(Node::Negative(Box::new(self.node(a)?))),
            (None, [a, b]) if is_operator(name) => {
                let both = Box::new([self.node(a)?, self.node(b)?]);
                binary(name, both)
            }
            (None, [a, b, c]) if name == op::CONDITIONAL => {
                let all = [self.node(a)?, self.node(b)?, self.node(c)?];
                Ok(Node::Choice(Box::new(all)))
            }
            (None, arguments) => {
                let function = Function::find(name, false, arguments.len())?;
                Ok(Node::Call(function, self.nodes(arguments)?))
            }
        }
    }

    /// The pattern is the rule's own: one that came with a request could not be compiled at load.
    fn matches(&mut self, text: &IdedExpr, pattern: &IdedExpr) -> Result<Node, String> {
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return Err("`matches` takes its pattern as a literal string only".to_owned());
        };
        let regex = Regex::compile(pattern.inner()).map_err(|error| {
            format!("the pattern of `matches` is no regular expression: {error}")
        })?;
        Ok(Node::Matches(Box::new(self.node(text)?), regex))
    }

    /// The parser has expanded macros to loops with an accumulator; they are known by their shape.
    fn each(&mut self, each: &ComprehensionExpr) -> Result<Node, String> {
        let over = self.node(&each.iter_range)?;
        self.elements.push(each.iter_var.clone());
        let kind = self.loop_kind(each);
        self.elements.pop();
        Ok(Node::Loop(Box::new(Loop { over, kind: kind? })))
    }

    fn loop_kind(&mut self, each: &ComprehensionExpr) -> Result<LoopKind, String> {
        let unknown = || "has a macro that is not known here".to_owned();
        let Expr::Call(step) = &each.loop_step.expr else {
            return Err(unknown());
        };
        match (&each.accu_init.expr, step.args.as_slice()) {
            (Expr::Literal(LiteralValue::Boolean(truth)), [_, test]) => {
                let test = self.node(test)?;
                Ok(if *truth.inner() {
                    LoopKind::All(test)
                } else {
                    LoopKind::Exists(test)
                })
            }
            (Expr::Literal(LiteralValue::Int(_)), [test, _, _]) => {
                Ok(LoopKind::One(self.node(test)?))
            }
            (Expr::List(_), [test, taken, _]) => Ok(LoopKind::Collect {
                test: Some(self.node(test)?),
                item: self.node(appended(&taken.expr).ok_or_else(unknown)?)?,
            }),
            (Expr::List(_), [_, _]) => Ok(LoopKind::Collect {
                test: None,
                item: self.node(appended(&each.loop_step.expr).ok_or_else(unknown)?)?,
            }),
            _ => Err(unknown()),
        }
    }
}

/// What a step appends to the accumulator.
fn appended(step: &Expr) -> Option<&IdedExpr> {
    let Expr::Call(CallExpr { args, .. }) = step else {
        return None;
    };
    match args.as_slice() {
        [_, list] => match &list.expr {
            Expr::List(list) => list.elements.first(),
            _ => None,
        },
        _ => None,
    }
}

fn literal(literal: &LiteralValue) -> Result<Node, String> {
    Ok(match literal {
        LiteralValue::Null => Node::Null,
        LiteralValue::Boolean(truth) => Node::Bool(*truth.inner()),
        LiteralValue::Int(number) => Node::Int(*number.inner()),
        LiteralValue::UInt(number) => Node::Uint(*number.inner()),
        LiteralValue::Double(number) => Node::Double(*number.inner()),
        LiteralValue::String(text) => Node::Text(text.inner().into()),
        LiteralValue::Bytes(_) => {
            return Err("has bytes, which nothing here is; write a string".to_owned());
        }
    })
}

fn no_messages() -> String {
    "makes a message; write a map, such as `{'a': 1}`".to_owned()
}

const COMPARISONS: &[(&str, Comparison)] = &[
    (op::EQUALS, Comparison::Equal),
    (op::NOT_EQUALS, Comparison::NotEqual),
    (op::LESS, Comparison::Less),
    (op::LESS_EQUALS, Comparison::LessOrEqual),
    (op::GREATER, Comparison::Greater),
    (op::GREATER_EQUALS, Comparison::GreaterOrEqual),
];

const ARITHMETIC: &[(&str, Arithmetic)] = &[
    (op::ADD, Arithmetic::Add),
    (op::SUBSTRACT, Arithmetic::Subtract),
    (op::MULTIPLY, Arithmetic::Multiply),
    (op::DIVIDE, Arithmetic::Divide),
    (op::MODULO, Arithmetic::Remainder),
];

/// Operators have names that nobody can write as a function's.
fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '@'])
}

fn binary(name: &str, both: Box<[Node; 2]>) -> Result<Node, String> {
    let comparison = COMPARISONS.iter().find(|(known, _)| *known == name);
    let arithmetic = ARITHMETIC.iter().find(|(known, _)| *known == name);
    match (name, comparison, arithmetic) {
        (_, Some((_, comparison)), _) => Ok(Node::Comparison(*comparison, both)),
        (_, _, Some((_, arithmetic))) => Ok(Node::Arithmetic(*arithmetic, both)),
        (op::LOGICAL_AND, ..) => Ok(Node::And(both)),
        (op::LOGICAL_OR, ..) => Ok(Node::Or(both)),
        (op::INDEX, ..) => Ok(Node::Index(both)),
        (op::IN, ..) => Ok(Node::In(both)),
        _ => Err(format!("`{name}` is no operator here")),
    }
}
