//! An expression, ready to be evaluated.

use crate::expression::Regex;

use super::{functions::Function, variable::Variable};

/// An expression in which every name is resolved.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) root: Node,
    /// Whether it names no variable.
    #[cfg(any(test, feature = "analysis"))]
    pub(super) is_constant: bool,
    /// Whether it names `remote_ip`.
    pub(super) reads_client_address: bool,
}

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    Variable(Variable),
    /// The element that a loop is at: the innermost one is 0.
    Element(usize),
    /// `of.field`
    Field {
        of: Box<Node>,
        field: Box<str>,
    },
    /// `has(of.field)`
    Has {
        of: Box<Node>,
        field: Box<str>,
    },
    /// `a[b]`
    Index(Box<[Node; 2]>),
    /// `!a`
    Not(Box<Node>),
    /// `-a`
    Negative(Box<Node>),
    /// `a && b`
    And(Box<[Node; 2]>),
    /// `a || b`
    Or(Box<[Node; 2]>),
    /// `a ? b : c`
    Choice(Box<[Node; 3]>),
    /// `a < b` and its like.
    Comparison(Comparison, Box<[Node; 2]>),
    /// `a + b` and its like.
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    /// `a in b`
    In(Box<[Node; 2]>),
    /// A function, or a method with what it is called on before its arguments.
    Call(Function, Vec<Node>),
    /// `a.matches("…")`
    Matches(Box<Node>, Regex),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop(Box<Loop>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// How two values become a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// A macro over the elements of a list, or the keys of a map.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) over: Node,
    pub(super) kind: LoopKind,
}

/// What becomes of the elements.
#[derive(Debug)]
pub(super) enum LoopKind {
    /// `exists`: whether the test holds for one of them.
    Exists(Node),
    /// `all`: whether it holds for each.
    All(Node),
    /// `exists_one`: whether it holds for exactly one.
    One(Node),
    /// `map` and `filter`: what becomes of each for which the test holds, where there is one.
    Collect { test: Option<Node>, item: Node },
}

impl Node {
    /// What its result surely is, where that is no boolean.
    pub(super) const fn other_than_bool(&self) -> Option<&'static str> {
        match self {
            Self::Null => Some("null"),
            Self::Int(_) | Self::Uint(_) | Self::Double(_) | Self::Negative(_) => Some("a number"),
            Self::Text(_) => Some("a string"),
            Self::Variable(variable) => Some(variable.kind()),
            Self::Arithmetic(..) => Some("a sum, not a condition"),
            Self::List(_) => Some("a list"),
            Self::Map(_) => Some("a map"),
            Self::Call(function, _) => function.result(),
            Self::Loop(each) => match each.kind {
                LoopKind::Collect { .. } => Some("a list"),
                LoopKind::Exists(_) | LoopKind::All(_) | LoopKind::One(_) => None,
            },
            Self::Bool(_)
            | Self::Element(_)
            | Self::Field { .. }
            | Self::Has { .. }
            | Self::Index(_)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Choice(_)
            | Self::Comparison(..)
            | Self::In(_)
            | Self::Matches(..) => None,
        }
    }
}
