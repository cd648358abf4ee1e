//! Durations as Hydra and Kratos write them: `1h`, `90s`, `1h30m`, `1.5h`, `250ms`, `720h0m0s`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::Duration;

/// A duration that reads and prints in that notation (Go's), for configuration and for JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GoDuration(pub Duration);

impl GoDuration {
    /// Whole hours.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self(Duration::hours(hours))
    }

    /// Whole minutes.
    #[must_use]
    pub const fn minutes(minutes: i64) -> Self {
        Self(Duration::minutes(minutes))
    }

    /// Whole seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(Duration::seconds(seconds))
    }
}

/// Text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write it like `30s`, `10m`, `1h30m` or `720h`")]
pub struct DurationError(String);

/// Nanoseconds per unit; longer names first, so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("h", 3.6e12),
    ("m", 6e10),
    ("s", 1e9),
];

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let fail = || DurationError(text.to_owned());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if unsigned == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let mut rest = unsigned;
        let mut total = Duration::ZERO;
        while !rest.is_empty() || total.is_zero() && rest == unsigned {
            let (part, after) = leading_part(rest).ok_or_else(fail)?;
            total = total.checked_add(part).ok_or_else(fail)?;
            rest = after;
        }
        Ok(Self(if negative { -total } else { total }))
    }
}

/// Reads `<number><unit>` off the front.
fn leading_part(text: &str) -> Option<(Duration, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at_checked(digits)?;
    let (unit, nanoseconds) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
    let whole: f64 = number.parse().ok()?;
    let seconds = whole * nanoseconds / 1e9;
    // Three centuries, which is also what Go can hold.
    (seconds < 9.2e9)
        .then(|| Duration::seconds_f64(seconds))
        .zip(rest.strip_prefix(unit))
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.is_negative() { "-" } else { "" };
        let duration = self.0.abs();
        let (hours, minutes) = (duration.whole_hours(), duration.whole_minutes() % 60);
        let seconds = duration.whole_seconds() % 60;
        if duration.is_zero() {
            return f.write_str("0s");
        }
        if duration < Duration::SECOND {
            return write!(f, "{sign}{}ms", duration.whole_milliseconds());
        }
        match (hours, minutes) {
            (0, 0) => write!(f, "{sign}{seconds}s"),
            (0, _) => write!(f, "{sign}{minutes}m{seconds}s"),
            _ => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
        }
    }
}

impl TryFrom<String> for GoDuration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, DurationError> {
        text.parse()
    }
}

impl From<GoDuration> for String {
    fn from(duration: GoDuration) -> Self {
        duration.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, seconds) in [
            ("1h", 3600.0),
            ("1h30m", 5400.0),
            ("1.5h", 5400.0),
            ("250ms", 0.25),
            ("0", 0.0),
        ] {
            let read: GoDuration = text.parse().unwrap();
            assert_eq!(read.0.as_seconds_f64(), seconds, "{text}");
        }
        assert_eq!(
            "-1s".parse::<GoDuration>().unwrap().0,
            Duration::seconds(-1)
        );
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in [
            "",
            "-",
            "10",
            "h",
            "1h ",
            "1d",
            "1..5s",
            "99999999999h",
            "1h30",
        ] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
    }

    #[test]
    fn prints_as_go_prints() {
        for (text, printed) in [
            ("720h", "720h0m0s"),
            ("90s", "1m30s"),
            ("30s", "30s"),
            ("250ms", "250ms"),
            ("0s", "0s"),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap().to_string(), printed);
        }
    }
}
