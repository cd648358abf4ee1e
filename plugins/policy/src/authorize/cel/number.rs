//! Numbers of three kinds, which compare with each other as what they stand for.

use std::cmp::Ordering;

use super::{fault::Fault, program::Arithmetic, value::Value};

/// Beyond this every double lies outside the numbers of 64 bits, within it `as` is exact.
const BEYOND: f64 = 1.0e20;

/// How two numbers compare; `None` where one is not a number, in either sense.
pub(super) fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Double(left), right) => with_double(whole(right)?, *left).map(Ordering::reverse),
        (left, Value::Double(right)) => with_double(whole(left)?, *right),
        (left, right) => Some(whole(left)?.cmp(&whole(right)?)),
    }
}

fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    }
}

fn with_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double.abs() >= BEYOND {
        return Some(if double > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is looked at apart"
    )]
    let integral = double.trunc() as i128;
    Some(whole.cmp(&integral).then_with(|| {
        // Of one sign with `double`, and nothing where that is whole.
        0.0_f64
            .partial_cmp(&double.fract())
            .unwrap_or(Ordering::Equal)
    }))
}

/// The result of an operation on two numbers of one kind.
pub(super) fn calculate(
    operation: Arithmetic,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Result<Value<'static>, Fault> {
    let sign = operation.sign();
    let divides = matches!(operation, Arithmetic::Divide | Arithmetic::Remainder);
    match (left, right) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) if divides => {
            Err(Fault::DivisionByZero)
        }
        (Value::Int(left), Value::Int(right)) => match operation {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide => left.checked_div(*right),
            Arithmetic::Remainder => left.checked_rem(*right),
        }
        .map(Value::Int)
        .ok_or(Fault::Overflow(sign)),
        (Value::Uint(left), Value::Uint(right)) => match operation {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide => left.checked_div(*right),
            Arithmetic::Remainder => left.checked_rem(*right),
        }
        .map(Value::Uint)
        .ok_or(Fault::Overflow(sign)),
        (Value::Double(left), Value::Double(right)) => match operation {
            Arithmetic::Add => Ok(left + right),
            Arithmetic::Subtract => Ok(left - right),
            Arithmetic::Multiply => Ok(left * right),
            Arithmetic::Divide => Ok(left / right),
            Arithmetic::Remainder => Err(Fault::NotForBoth(sign, "a double", "a double")),
        }
        .map(Value::Double),
        _ => Err(Fault::not_for_both(sign, left, right)),
    }
}

/// `-value`
pub(super) fn negative(value: &Value<'_>) -> Result<Value<'static>, Fault> {
    match value {
        Value::Int(number) => number
            .checked_neg()
            .map(Value::Int)
            .ok_or(Fault::Overflow("-")),
        Value::Double(number) => Ok(Value::Double(-number)),
        other => Err(Fault::not_for("-", other)),
    }
}
