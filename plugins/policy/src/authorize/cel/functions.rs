//! The functions that expressions have besides operators and macros.

use std::borrow::Cow;

use super::{
    fault::Fault,
    value::{Map, Value},
};

/// A function of one result. `matches` is not among them: its pattern is compiled at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Int,
    Uint,
    Double,
    Text,
}

/// How a function is written.
struct Form {
    name: &'static str,
    function: Function,
    /// With what it is called on, where that is written before it.
    arguments: usize,
    is_method: bool,
}

const fn method(name: &'static str, function: Function, arguments: usize) -> Form {
    Form {
        name,
        function,
        arguments,
        is_method: true,
    }
}

const fn global(name: &'static str, function: Function) -> Form {
    Form {
        name,
        function,
        arguments: 1,
        is_method: false,
    }
}

const FORMS: &[Form] = &[
    global("size", Function::Size),
    method("size", Function::Size, 1),
    method("contains", Function::Contains, 2),
    method("startsWith", Function::StartsWith, 2),
    method("endsWith", Function::EndsWith, 2),
    method("lowerAscii", Function::LowerAscii, 1),
    method("upperAscii", Function::UpperAscii, 1),
    global("int", Function::Int),
    global("uint", Function::Uint),
    global("double", Function::Double),
    global("string", Function::Text),
];

impl Function {
    /// The function that is written like this, `arguments` being all values that it gets.
    pub(super) fn find(name: &str, is_method: bool, arguments: usize) -> Result<Self, String> {
        let named = || FORMS.iter().filter(|form| form.name == name);
        let fits = |form: &&Form| form.is_method == is_method && form.arguments == arguments;
        if let Some(form) = named().find(fits) {
            return Ok(form.function);
        }
        if let Some(form) = named().next_back() {
            return Err(format!(
                "`{name}` is not called so; write `{}`",
                form.shown()
            ));
        }
        let known: Vec<_> = FORMS
            .iter()
            .map(|form| format!("`{}`", form.shown()))
            .collect();
        Err(format!(
            "`{name}` is no function here; known are {}, `s.matches(\"…\")` and the macros `has`, `all`, \
             `exists`, `exists_one`, `map` and `filter`",
            known.join(", ")
        ))
    }

    /// What its result is, unless a boolean.
    pub(super) const fn result(self) -> Option<&'static str> {
        match self {
            Self::Contains | Self::StartsWith | Self::EndsWith => None,
            Self::LowerAscii | Self::UpperAscii | Self::Text => Some("a string"),
            Self::Size | Self::Int | Self::Uint | Self::Double => Some("a number"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::LowerAscii => "lowerAscii",
            Self::UpperAscii => "upperAscii",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
        }
    }

    /// Its result for `arguments`, as many as it takes.
    pub(super) fn call<'v>(self, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
        match (self, arguments) {
            (Self::Size, [value]) => size(value),
            (Self::Contains, [Value::Text(text), Value::Text(part)]) => {
                Ok(Value::Bool(text.contains(part.as_ref())))
            }
            (Self::StartsWith, [Value::Text(text), Value::Text(part)]) => {
                Ok(Value::Bool(text.starts_with(part.as_ref())))
            }
            (Self::EndsWith, [Value::Text(text), Value::Text(part)]) => {
                Ok(Value::Bool(text.ends_with(part.as_ref())))
            }
            (Self::LowerAscii, [Value::Text(text)]) => {
                Ok(Value::Text(text.to_ascii_lowercase().into()))
            }
            (Self::UpperAscii, [Value::Text(text)]) => {
                Ok(Value::Text(text.to_ascii_uppercase().into()))
            }
            (Self::Int, [value]) => int(value),
            (Self::Uint, [value]) => uint(value),
            (Self::Double, [value]) => double(value),
            (Self::Text, [value]) => text(value),
            (function, [left, right]) => Err(Fault::not_for_both(function.name(), left, right)),
            (function, arguments) => {
                let value = arguments.first().unwrap_or(&Value::Null);
                Err(Fault::not_for(function.name(), value))
            }
        }
    }
}

impl Form {
    fn shown(&self) -> String {
        let name = self.name;
        match (self.is_method, self.arguments) {
            (true, 2) => format!("s.{name}(t)"),
            (true, _) => format!("s.{name}()"),
            (false, _) => format!("{name}(x)"),
        }
    }
}

/// Of a text in characters.
fn size<'v>(value: &Value<'v>) -> Result<Value<'v>, Fault> {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(list) => list.len(),
        Value::Map(Map::Json(map)) => map.len(),
        Value::Map(map) => map.keys().len(),
        other => return Err(Fault::not_for("size", other)),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

/// Doubles of this size and more are no 64-bit integers.
const INT_END: f64 = 9_223_372_036_854_775_808.0;
const UINT_END: f64 = 18_446_744_073_709_551_616.0;

fn int<'v>(value: &Value<'v>) -> Result<Value<'v>, Fault> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "towards zero, within its range"
        )]
        Value::Double(number) => {
            (-INT_END < *number && *number < INT_END).then_some(*number as i64)
        }
        Value::Text(text) => return parsed(text, "int", Value::Int),
        other => return Err(Fault::not_for("int", other)),
    }
    .map(Value::Int)
    .ok_or(Fault::Overflow("int"))
}

fn uint<'v>(value: &Value<'v>) -> Result<Value<'v>, Fault> {
    match value {
        Value::Uint(number) => Some(*number),
        Value::Int(number) => u64::try_from(*number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "towards zero, within its range"
        )]
        Value::Double(number) => (-1.0 < *number && *number < UINT_END).then_some(*number as u64),
        Value::Text(text) => return parsed(text, "uint", Value::Uint),
        other => return Err(Fault::not_for("uint", other)),
    }
    .map(Value::Uint)
    .ok_or(Fault::Overflow("uint"))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the nearest double, as CEL has it"
)]
fn double<'v>(value: &Value<'v>) -> Result<Value<'v>, Fault> {
    match value {
        Value::Double(number) => Ok(Value::Double(*number)),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::Text(text) => parsed(text, "double", Value::Double),
        other => Err(Fault::not_for("double", other)),
    }
}

fn parsed<'v, N: std::str::FromStr>(
    text: &str,
    function: &'static str,
    made: impl FnOnce(N) -> Value<'v>,
) -> Result<Value<'v>, Fault> {
    text.parse()
        .map(made)
        .map_err(|_| Fault::NoNumber(function))
}

fn text<'v>(value: &Value<'v>) -> Result<Value<'v>, Fault> {
    let text: Cow<'v, str> = match value {
        Value::Text(text) => text.clone(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::Int(number) => number.to_string().into(),
        Value::Uint(number) => number.to_string().into(),
        Value::Double(number) => number.to_string().into(),
        other => return Err(Fault::not_for("string", other)),
    };
    Ok(Value::Text(text))
}
