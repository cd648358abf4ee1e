//! Maps.

use std::collections::BTreeMap;

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    value::{List, Map, Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("dict", 0, ANY, dict),
    Function::new("get", 2, 2, get),
    Function::new("hasKey", 2, 2, |args| {
        Ok(Value::Bool(args.map(0)?.get(&args.text(1)?).is_some()))
    }),
    Function::new("keys", 0, ANY, keys),
    Function::new("values", 1, 1, |args| {
        Value::list(
            args.map(0)?
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
        )
    }),
    Function::new("pluck", 1, ANY, pluck),
    Function::new("pick", 1, ANY, |args| filtered(args, true)),
    Function::new("omit", 1, ANY, |args| filtered(args, false)),
    Function::new("dig", 3, ANY, dig),
];

/// `dict "key" value ...`; a key without a value gets the empty text.
fn dict<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut map = BTreeMap::new();
    for pair in args.all().chunks(2) {
        if let [key, value @ ..] = pair {
            let value = value.first().cloned();
            map.insert(
                args.display(key)?,
                value.unwrap_or(Value::Text(Text::Borrowed(""))),
            );
        }
    }
    Value::map(map)
}

/// The value of a key, or the empty text.
fn get<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let value = args.map(0)?.get(&args.text(1)?);
    Ok(value.unwrap_or(Value::Text(Text::Borrowed(""))))
}

/// Sorted, where sprig's order is random.
fn keys<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut keys = Vec::new();
    for index in 0..args.all().len() {
        keys.extend(args.map(index)?.entries().into_iter().map(|(key, _)| key));
    }
    Ok(Value::List(List::from_texts(keys)))
}

fn pluck<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let key = args.text(0)?;
    let mut values = Vec::new();
    for index in 1..args.all().len() {
        values.extend(args.map(index)?.get(&key));
    }
    Value::list(values)
}

/// The map with only, or without, the keys that are named.
fn filtered<'v>(args: &mut Args<'_, 'v>, keep: bool) -> Result<Value<'v>, Fault> {
    let map = args.map(0)?;
    let named: Vec<_> = (1..args.all().len())
        .map(|index| args.text(index))
        .collect::<Result<_, _>>()?;
    args.budget.steps(map.len().saturating_mul(named.len()))?;
    Value::map(
        map.entries()
            .into_iter()
            .filter(|(key, _)| named.iter().any(|name| **name == **key) == keep)
            .map(|(key, value)| (key.to_string(), value))
            .collect(),
    )
}

/// `dig "a" "b" default map`: the value under `a`, then `b`, or the default.
fn dig<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let last = args.all().len().saturating_sub(1);
    let count = last.saturating_sub(1);
    let mut map: Map<'v> = args.map(last)?;
    for index in 0..count {
        match map.get(&args.text(index)?) {
            None => return Ok(args.value(count).clone()),
            Some(value) if index.saturating_add(1) == count => return Ok(value),
            Some(Value::Map(inner)) => map = inner,
            Some(_) => return Err(args.fault("a value on the way is not a map")),
        }
    }
    Ok(args.value(count).clone())
}
