//! Truth and comparison.

use std::cmp::Ordering;

use super::{ANY, Args, Function, Kind};
use crate::template::{
    error::Fault,
    value::{Map, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "and",
        least: 1,
        most: ANY,
        kind: Kind::And,
    },
    Function {
        name: "or",
        least: 1,
        most: ANY,
        kind: Kind::Or,
    },
    Function::new("not", 1, 1, not),
    Function::new("eq", 2, ANY, eq),
    Function::new("ne", 2, 2, ne),
    Function::new("lt", 2, 2, |args| ordered(args, Ordering::is_lt)),
    Function::new("le", 2, 2, |args| ordered(args, Ordering::is_le)),
    Function::new("gt", 2, 2, |args| ordered(args, Ordering::is_gt)),
    Function::new("ge", 2, 2, |args| ordered(args, Ordering::is_ge)),
];

fn not<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Ok(Value::Bool(!args.value(0).truth()))
}

/// Whether the first argument equals any other.
fn eq<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let first = args.value(0);
    for other in args.from(1) {
        if equal(args, first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ne<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    equal(args, args.value(0), args.value(1)).map(|equal| Value::Bool(!equal))
}

fn equal(args: &Args<'_, '_>, one: &Value<'_>, other: &Value<'_>) -> Result<bool, Fault> {
    Ok(match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one), Value::Int(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => **one == **other,
        (Value::Nil | Value::Null, other) | (other, Value::Nil | Value::Null) => {
            other.is_nil() || matches!(other, Value::Map(Map::Nil))
        }
        (one, other) => return Err(incomparable(args, one, other)),
    })
}

fn ordered<'v>(args: &Args<'_, 'v>, test: fn(Ordering) -> bool) -> Result<Value<'v>, Fault> {
    let (one, other) = (args.value(0), args.value(1));
    let order = match (one, other) {
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::Float(one), Value::Float(other)) => one.partial_cmp(other),
        (Value::Text(one), Value::Text(other)) => Some((**one).cmp(other)),
        _ => return Err(incomparable(args, one, other)),
    };
    Ok(Value::Bool(order.is_some_and(test)))
}

fn incomparable(args: &Args<'_, '_>, one: &Value<'_>, other: &Value<'_>) -> Fault {
    let (one, other) = (one.type_name(), other.type_name());
    args.fault(format_args!(
        "{one} and {other} cannot be compared (JSON numbers are float64: write `10.0`, or use `int`)"
    ))
}
