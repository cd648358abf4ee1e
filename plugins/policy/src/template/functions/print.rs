//! Printing: Oathkeeper's `print` and `printIndex`, Go's `printf` and `println`.

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    format,
    value::{Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("print", 1, 1, print),
    Function::new("printIndex", 2, 2, print_index),
    Function::new("printf", 1, ANY, printf),
    Function::new("println", 0, ANY, println),
];

/// No value is the empty text, unlike in Go.
fn print<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    match args.value(0) {
        Value::Nil | Value::Null => Ok(Value::Text(Text::Borrowed(""))),
        Value::Text(text) => Ok(Value::Text(text.clone())),
        other => args.display(other).map(Value::text),
    }
}

/// An element, or the empty text where there is none.
fn print_index<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let index = args.int(1)?;
    let Value::List(list) = args.value(0) else {
        return Ok(Value::Text(Text::Borrowed("")));
    };
    let index = usize::try_from(index).map_err(|_| args.fault("the index is negative"))?;
    match list.get(index) {
        Some(Value::Text(text)) => Ok(Value::Text(text)),
        Some(other) => args.display(&other).map(Value::text),
        None => Ok(Value::Text(Text::Borrowed(""))),
    }
}

fn printf<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let layout = args.text(0)?;
    format::printf(args.budget, &layout, args.from(1)).map(Value::text)
}

fn println<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut line = format::sprint(args.budget, args.all(), true)?;
    line.push('\n');
    Ok(Value::text(line))
}
