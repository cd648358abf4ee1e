//! What a value is.

use super::{Args, Function, lists::same};
use crate::template::{
    error::Fault,
    value::{Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("kindOf", 1, 1, |args| {
        Ok(Value::Text(Text::Borrowed(kind(args.value(0)))))
    }),
    Function::new("kindIs", 2, 2, |args| {
        Ok(Value::Bool(*args.text(0)? == *kind(args.value(1))))
    }),
    Function::new("typeOf", 1, 1, |args| {
        Ok(Value::Text(Text::Borrowed(args.value(0).type_name())))
    }),
    Function::new("typeIs", 2, 2, |args| {
        Ok(Value::Bool(*args.text(0)? == *args.value(1).type_name()))
    }),
    Function::new("typeIsLike", 2, 2, |args| {
        let (wanted, name) = (args.text(0)?, args.value(1).type_name());
        let pointed = name.strip_prefix('*').unwrap_or(name);
        Ok(Value::Bool(*wanted == *name || *wanted == *pointed))
    }),
    Function::new("deepEqual", 2, 2, |args| {
        let (one, other) = (args.value(0), args.value(1));
        same(args, one, other).map(Value::Bool)
    }),
    Function::new("deepCopy", 1, 1, deep_copy),
];

/// Nothing here changes a value in place, so a value is its own copy.
fn deep_copy<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Ok(args.value(0).clone())
}

const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Nil | Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Text(_) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Object(_) => "ptr",
    }
}
