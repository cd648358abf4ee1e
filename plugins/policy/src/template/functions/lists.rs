//! Lists.

use super::{ANY, Args, Function, numbers::to_int};
use crate::template::{
    error::Fault,
    value::{List, Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("list", 0, ANY, |args| Value::list(args.all().to_vec())),
    Function::new("first", 1, 1, |args| {
        Ok(args.list(0)?.get(0).unwrap_or(Value::Null))
    }),
    Function::new("last", 1, 1, |args| {
        Ok(args.list(0)?.iter().next_back().unwrap_or(Value::Null))
    }),
    Function::new("rest", 1, 1, |args| part(args, 1, 0)),
    Function::new("initial", 1, 1, |args| part(args, 0, 1)),
    Function::new("slice", 1, 3, slice),
    Function::new("append", 2, 2, append),
    Function::new("prepend", 2, 2, prepend),
    Function::new("concat", 0, ANY, concat),
    Function::new("reverse", 1, 1, |args| {
        Value::list(args.list(0)?.iter().rev().collect())
    }),
    Function::new("compact", 1, 1, |args| {
        Value::list(args.list(0)?.iter().filter(Value::truth).collect())
    }),
    Function::new("uniq", 1, 1, uniq),
    Function::new("without", 1, ANY, without),
    Function::new("has", 2, 2, has),
    Function::new("sortAlpha", 1, 1, sort_alpha),
];

/// The list without its first and last so many elements.
fn part<'v>(args: &Args<'_, 'v>, start: usize, end: usize) -> Result<Value<'v>, Fault> {
    let list = args.list(0)?;
    let count = list.len().saturating_sub(start).saturating_sub(end);
    Value::list(list.iter().skip(start).take(count).collect())
}

/// sprig's: `slice list start end`.
fn slice<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let list = args.list(0)?;
    if list.len() == 0 {
        return Ok(Value::Null);
    }
    let bound = |index: usize, otherwise: usize| match args.from(index).first() {
        Some(value) => usize::try_from(to_int(value)).ok(),
        None => Some(otherwise),
    };
    match (bound(1, 0), bound(2, list.len())) {
        (Some(start), Some(end)) if start <= end && end <= list.len() => Value::list(
            list.iter()
                .skip(start)
                .take(end.saturating_sub(start))
                .collect(),
        ),
        _ => Err(args.fault("start and end lie outside of the list")),
    }
}

fn append<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Value::list(
        args.list(0)?
            .iter()
            .chain([args.value(1).clone()])
            .collect(),
    )
}

fn prepend<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Value::list(
        [args.value(1).clone()]
            .into_iter()
            .chain(args.list(0)?.iter())
            .collect(),
    )
}

fn concat<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut all = Vec::new();
    for index in 0..args.all().len() {
        all.extend(args.list(index)?.iter());
    }
    Value::list(all)
}

fn uniq<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut kept: Vec<Value<'v>> = Vec::new();
    for element in args.list(0)?.iter() {
        if !contains(args, kept.iter().cloned(), &element)? {
            kept.push(element);
        }
    }
    Value::list(kept)
}

fn without<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut kept = Vec::new();
    for element in args.list(0)?.iter() {
        if !contains(args, args.from(1).iter().cloned(), &element)? {
            kept.push(element);
        }
    }
    Value::list(kept)
}

/// `has needle list`; nothing is in a list that is missing.
fn has<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    if args.value(1).is_nil() {
        return Ok(Value::Bool(false));
    }
    contains(args, args.list(1)?.iter(), args.value(0)).map(Value::Bool)
}

fn contains<'v>(
    args: &mut Args<'_, 'v>,
    list: impl Iterator<Item = Value<'v>>,
    needle: &Value<'v>,
) -> Result<bool, Fault> {
    for element in list {
        if same(args, &element, needle)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Go's deep equality: an integer is never the same as a fraction. Recurses as deep as the values.
pub(super) fn same<'v>(
    args: &mut Args<'_, 'v>,
    one: &Value<'v>,
    other: &Value<'v>,
) -> Result<bool, Fault> {
    args.budget.steps(1)?;
    Ok(match (one, other) {
        (Value::Nil | Value::Null, Value::Nil | Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one), Value::Int(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => **one == **other,
        (Value::List(one), Value::List(other)) if one.len() == other.len() => {
            for (one, other) in one.iter().zip(other.iter()) {
                if !same(args, &one, &other)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(one), Value::Map(other)) if one.len() == other.len() => {
            for ((key, one), (other_key, other)) in one.entries().iter().zip(other.entries().iter())
            {
                if **key != **other_key || !same(args, one, other)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

fn sort_alpha<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let Value::List(list) = args.value(0) else {
        let only = args.display(args.value(0))?;
        return Ok(Value::List(List::from_texts(vec![only.into()])));
    };
    let mut texts = Vec::new();
    for element in list.iter().filter(|element| !element.is_nil()) {
        texts.push(args.display(&element)?);
    }
    texts.sort();
    Ok(Value::List(List::from_texts(
        texts.into_iter().map(Text::from).collect(),
    )))
}
