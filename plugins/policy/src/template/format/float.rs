//! Floating-point numbers as Go writes them.

/// `%e`, `%f` or `%g`; without a precision, the fewest digits that read back as the same number.
pub(super) fn format(float: f64, form: char, precision: Option<usize>) -> String {
    if !float.is_finite() {
        return infinite(float).to_owned();
    }
    match (form.to_ascii_lowercase(), precision) {
        ('f', None) => format!("{float}"),
        ('f', Some(precision)) => format!("{float:.precision$}"),
        ('e', None) => go_exponent(&format!("{float:e}")),
        ('e', Some(precision)) => go_exponent(&format!("{float:.precision$e}")),
        (_, precision) => general(float, precision, 6),
    }
}

const fn infinite(float: f64) -> &'static str {
    if float.is_nan() {
        "NaN"
    } else if float > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// `%g`: an exponent below -4, or of `limit` and more, shows.
fn general(float: f64, precision: Option<usize>, limit: i32) -> String {
    let scientific = match precision {
        None => format!("{float:e}"),
        Some(precision) => {
            let decimals = precision.max(1).saturating_sub(1);
            let written = format!("{float:.decimals$e}");
            let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
            format!("{}e{exponent}", without_trailing_zeros(digits))
        }
    };
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count =
        i32::try_from(digits.bytes().filter(u8::is_ascii_digit).count()).unwrap_or(i32::MAX);
    let limit = match precision {
        None => limit,
        // Go compares with the digits that there are, where the number is an integer.
        Some(precision) => {
            let precision = i32::try_from(precision.max(1)).unwrap_or(i32::MAX);
            if precision > count && count > exponent {
                count
            } else {
                precision
            }
        }
    };
    if exponent < -4 || exponent >= limit {
        return go_exponent(&scientific);
    }
    let decimals = count.saturating_sub(1).saturating_sub(exponent);
    let decimals = usize::try_from(decimals).unwrap_or_default();
    format!("{float:.decimals$}")
}

/// How Go's JSON encoder writes a number.
pub(in crate::template) fn json_float(float: f64) -> String {
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return go_exponent(&format!("{float:e}")).replace("e-0", "e-");
    }
    format!("{float}")
}

fn without_trailing_zeros(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// Rust's `1e6` is Go's `1e+06`.
fn go_exponent(scientific: &str) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}
