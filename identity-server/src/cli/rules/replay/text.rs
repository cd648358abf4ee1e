//! A comparison, for eyes.

use std::fmt::Write as _;

use super::compare::{Ending, Report};

pub(super) fn of(report: &Report<'_>) -> String {
    let mut text = format!(
        "{} requests, {} end differently\n",
        report.requests, report.changed
    );
    if report.waiting > 0 {
        line(
            &mut text,
            &format!(
                "{} cannot be decided without a call; answer it with `--replies`",
                report.waiting
            ),
        );
    }
    if report.unreadable > 0 {
        let lines = report.unreadable_lines.join(", ");
        line(
            &mut text,
            &format!("{} lines are no requests: {lines}", report.unreadable),
        );
    }
    for difference in &report.differences {
        line(&mut text, "");
        line(&mut text, &format!("{} ×", difference.count));
        line(&mut text, &format!("  old  {}", ending(difference.old)));
        line(&mut text, &format!("  new  {}", ending(difference.new)));
        for example in difference.examples {
            line(
                &mut text,
                &format!(
                    "    {}  ({}:{})",
                    example.request, example.log, example.line
                ),
            );
        }
    }
    text
}

fn ending(ending: &Ending) -> String {
    let by = |rule: &Option<String>| match rule {
        Some(rule) => format!(" by {rule}"),
        None => String::new(),
    };
    match ending {
        Ending::Allowed { rule, changes } => {
            let with = match changes.as_slice() {
                [] => String::new(),
                changes => format!(", with {}", changes.join(", ")),
            };
            format!("✓ allowed{}{with}", by(rule))
        }
        Ending::Refused {
            rule,
            status,
            reason,
        } => format!("✗ refused{} with {status} ({reason})", by(rule)),
        Ending::NeedsCall { rule, call } => format!("? depends{} on {call}", by(rule)),
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", line.trim_end());
}
