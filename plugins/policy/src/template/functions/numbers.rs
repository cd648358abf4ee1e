//! Numbers: sprig converts every argument to a 64-bit integer first, and wraps around.

use super::{ANY, Args, Function};
use crate::template::{error::Fault, lexer::integer, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("int", 1, 1, |args| Ok(Value::Int(to_int(args.value(0))))),
    Function::new("int64", 1, 1, |args| Ok(Value::Int(to_int(args.value(0))))),
    Function::new("float64", 1, 1, |args| {
        Ok(Value::Float(to_float(args.value(0))))
    }),
    Function::new("atoi", 1, 1, |args| {
        Ok(Value::Int(args.text(0)?.parse().unwrap_or(0)))
    }),
    Function::new("add", 0, ANY, |args| {
        Ok(Value::Int(
            args.all().iter().map(to_int).fold(0, i64::wrapping_add),
        ))
    }),
    Function::new("add1", 1, 1, |args| {
        Ok(Value::Int(to_int(args.value(0)).wrapping_add(1)))
    }),
    Function::new("sub", 2, 2, |args| {
        Ok(Value::Int(
            to_int(args.value(0)).wrapping_sub(to_int(args.value(1))),
        ))
    }),
    Function::new("mul", 1, ANY, |args| {
        Ok(Value::Int(
            args.all().iter().map(to_int).fold(1, i64::wrapping_mul),
        ))
    }),
    Function::new("div", 2, 2, |args| divided(args, i64::wrapping_div)),
    Function::new("mod", 2, 2, |args| divided(args, i64::wrapping_rem)),
    Function::new("max", 1, ANY, |args| {
        Ok(Value::Int(args.all().iter().map(to_int).max().unwrap_or(0)))
    }),
    Function::new("min", 1, ANY, |args| {
        Ok(Value::Int(args.all().iter().map(to_int).min().unwrap_or(0)))
    }),
    Function::new("toDecimal", 1, 1, |args| {
        let octal = args.display(args.value(0))?;
        Ok(Value::Int(i64::from_str_radix(&octal, 8).unwrap_or(0)))
    }),
    Function::new("floor", 1, 1, |args| {
        Ok(Value::Float(to_float(args.value(0)).floor()))
    }),
    Function::new("ceil", 1, 1, |args| {
        Ok(Value::Float(to_float(args.value(0)).ceil()))
    }),
];

fn divided<'v>(args: &Args<'_, 'v>, divide: fn(i64, i64) -> i64) -> Result<Value<'v>, Fault> {
    let divisor = to_int(args.value(1));
    if divisor == 0 {
        return Err(args.fault("division by zero"));
    }
    Ok(Value::Int(divide(to_int(args.value(0)), divisor)))
}

/// What is no number counts as 0, as in sprig.
pub(super) fn to_int(value: &Value<'_>) -> i64 {
    match value {
        Value::Int(int) => *int,
        // Saturates; Go leaves open what happens to what does not fit.
        Value::Float(float) => *float as i64,
        Value::Text(text) => integer(text).unwrap_or(0),
        Value::Bool(bool) => i64::from(*bool),
        _ => 0,
    }
}

pub(super) fn to_float(value: &Value<'_>) -> f64 {
    match value {
        Value::Int(int) => *int as f64,
        Value::Float(float) => *float,
        Value::Text(text) => text.parse().unwrap_or(0.0),
        Value::Bool(bool) => f64::from(u8::from(*bool)),
        _ => 0.0,
    }
}
