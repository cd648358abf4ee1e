//! Fractions: sprig adds and multiplies them as decimal numbers, so that 0.1 and 0.2 make 0.3.

use super::{ANY, Args, Function, numbers::to_float};
use crate::template::{error::Fault, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("addf", 0, ANY, |args| {
        fold(args, Some(Decimal::ZERO), 0, Decimal::plus)
    }),
    Function::new("add1f", 1, 1, |args| {
        fold(args, Some(Decimal::ONE), 0, Decimal::plus)
    }),
    Function::new("subf", 1, ANY, |args| {
        let first = Decimal::of(args.value(0));
        fold(args, first, 1, |one, other| one.plus(other.negated()?))
    }),
    Function::new("mulf", 1, ANY, |args| {
        let first = Decimal::of(args.value(0));
        fold(args, first, 1, Decimal::times)
    }),
    Function::new("divf", 1, ANY, |args| {
        let first = Decimal::of(args.value(0));
        fold(args, first, 1, Decimal::over)
    }),
    Function::new("maxf", 1, ANY, |args| extreme(args, f64::max)),
    Function::new("minf", 1, ANY, |args| extreme(args, f64::min)),
    Function::new("round", 2, 3, round),
];

fn fold<'v>(
    args: &Args<'_, 'v>,
    first: Option<Decimal>,
    from: usize,
    combine: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Value<'v>, Fault> {
    let combined = args
        .from(from)
        .iter()
        .try_fold(first, |sum, value| Some(combine(sum?, Decimal::of(value)?)))
        .flatten()
        .ok_or_else(|| {
            args.fault("division by zero, or a number with more than 38 decimal digits")
        })?;
    Ok(Value::Float(combined.to_float()))
}

fn extreme<'v>(args: &Args<'_, 'v>, choose: fn(f64, f64) -> f64) -> Result<Value<'v>, Fault> {
    let chosen = args.all().iter().map(to_float).reduce(choose);
    Ok(Value::Float(chosen.unwrap_or_default()))
}

/// `round value places`, and from which fraction on upwards (0.5).
fn round<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let up_from = match args.from(2).first() {
        None => 0.5,
        Some(Value::Float(up_from)) => *up_from,
        Some(Value::Int(up_from)) => *up_from as f64,
        Some(_) => return Err(args.wrong_type(2, "a number")),
    };
    let power = 10_f64.powf(args.int(1)? as f64);
    let shifted = to_float(args.value(0)) * power;
    let rounded = if shifted.fract() >= up_from {
        shifted.ceil()
    } else {
        shifted.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// `digits / 10^scale`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    scale: u32,
}

/// Decimal places of a quotient.
const QUOTIENT_PLACES: u32 = 16;

impl Decimal {
    const ZERO: Self = Self {
        digits: 0,
        scale: 0,
    };
    const ONE: Self = Self {
        digits: 1,
        scale: 0,
    };

    /// The shortest decimal number that reads back as the value; `None` for one with too many
    /// digits.
    fn of(value: &Value<'_>) -> Option<Self> {
        let written = to_float(value).to_string();
        let (whole, places) = written.split_once('.').unwrap_or((&written, ""));
        Some(Self {
            digits: format!("{whole}{places}").parse().ok()?,
            scale: u32::try_from(places.len()).ok()?,
        })
    }

    fn to_float(self) -> f64 {
        format!("{}e-{}", self.digits, self.scale)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The same number with `scale` decimal places, which must not be fewer.
    fn scaled(self, scale: u32) -> Option<i128> {
        let power = 10_i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.digits.checked_mul(power)
    }

    fn negated(self) -> Option<Self> {
        let digits = self.digits.checked_neg()?;
        Some(Self { digits, ..self })
    }

    fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let digits = self.scaled(scale)?.checked_add(other.scaled(scale)?)?;
        Some(Self { digits, scale })
    }

    fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            digits: self.digits.checked_mul(other.digits)?,
            scale: self.scale.checked_add(other.scale)?,
        })
    }

    /// Rounded half away from zero.
    fn over(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale.checked_add(QUOTIENT_PLACES)?);
        let dividend = self.scaled(scale)?;
        let quotient = dividend.checked_div(other.digits)?;
        let rest = dividend.checked_rem(other.digits)?.unsigned_abs();
        let rounds = rest >= other.digits.unsigned_abs().div_ceil(2);
        let away = if (dividend < 0) == (other.digits < 0) {
            1
        } else {
            -1
        };
        Some(Self {
            digits: quotient.checked_add(if rounds { away } else { 0 })?,
            scale: scale.checked_sub(other.scale)?,
        })
    }
}
