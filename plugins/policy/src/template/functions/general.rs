//! What works on values of every type: lengths, elements, defaults.

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    value::{List, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("len", 1, 1, len),
    Function::new("index", 1, ANY, index),
    Function::new("default", 1, ANY, default),
    Function::new("empty", 1, 1, |args| {
        Ok(Value::Bool(!args.value(0).truth()))
    }),
    Function::new("coalesce", 0, ANY, coalesce),
    Function::new("all", 0, ANY, |args| {
        Ok(Value::Bool(args.all().iter().all(Value::truth)))
    }),
    Function::new("any", 0, ANY, |args| {
        Ok(Value::Bool(args.all().iter().any(Value::truth)))
    }),
    Function::new("ternary", 3, 3, ternary),
    Function::new("fail", 1, 1, |args| Err(args.fault(&*args.text(0)?))),
];

fn len<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let len = match args.value(0) {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => return Err(args.wrong_type(0, "a string, list or map")),
    };
    Ok(Value::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

/// `index x 1 "a"`: the element 1 of `x`, and of that the value under `a`.
fn index<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut value = args.value(0).clone();
    if value.is_nil() {
        return Err(args.fault("there is nothing to index: the value is missing or null"));
    }
    for (at, key) in args.from(1).iter().enumerate() {
        let position = at.saturating_add(1);
        value = match (&value, key) {
            (Value::Map(map), Value::Text(key)) => map.get_or_zero(key),
            (Value::List(list), Value::Int(int)) => element(list, *int)
                .ok_or_else(|| args.fault(format_args!("index {int} is out of range")))?,
            (Value::Text(text), Value::Int(int)) => usize::try_from(*int)
                .ok()
                .and_then(|int| text.as_bytes().get(int))
                .map(|byte| Value::Int(i64::from(*byte)))
                .ok_or_else(|| args.fault(format_args!("index {int} is out of range")))?,
            (Value::Map(_), _) => return Err(args.wrong_type(position, "a string")),
            (Value::List(_) | Value::Text(_), _) => {
                return Err(args.wrong_type(position, "an integer (use `int`)"));
            }
            (other, _) => {
                return Err(args.fault(format_args!(
                    "a value of type {} has no elements",
                    other.type_name()
                )));
            }
        };
    }
    Ok(value)
}

fn element<'v>(list: &List<'v>, index: i64) -> Option<Value<'v>> {
    list.get(usize::try_from(index).ok()?)
}

fn default<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let given = args.value(1);
    Ok(if given.truth() {
        given.clone()
    } else {
        args.value(0).clone()
    })
}

fn coalesce<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let first = args.all().iter().find(|value| value.truth());
    Ok(first.cloned().unwrap_or(Value::Null))
}

/// `ternary "yes" "no" condition`.
fn ternary<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Ok(args.value(usize::from(!args.bool(2)?)).clone())
}
