//! A run of cases, for eyes.

use std::fmt::Write as _;

use super::Run;
use crate::rules::{Coverage, RuleCoverage};

pub(super) fn of(run: &Run) -> String {
    let mut text = String::new();
    for file in &run.files {
        line(&mut text, &file.file);
        for case in &file.cases {
            let mark = if case.passed { '✓' } else { '✗' };
            line(&mut text, &format!("  {mark} {}", case.name));
            for reason in case.failure.iter().flat_map(|failure| failure.lines()) {
                line(&mut text, &format!("      {reason}"));
            }
        }
    }
    line(&mut text, "");
    let failed = match run.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    line(&mut text, &format!("{} passed{failed}", run.passed));
    if let Some(coverage) = &run.coverage {
        self::coverage(&mut text, coverage);
    }
    if run.is_short() {
        let least = run.min_coverage.unwrap_or_default();
        line(
            &mut text,
            &format!("✗ less than the {least} % that `--min-coverage` asks for"),
        );
    }
    text
}

fn coverage(text: &mut String, coverage: &Coverage) {
    let Coverage {
        total,
        reached,
        percent,
        rules,
    } = coverage;
    line(text, "");
    line(
        text,
        &format!("{reached} of {total} rules and handlers reached ({percent} %)"),
    );
    let width = rules
        .iter()
        .map(|rule| rule.rule.chars().count())
        .max()
        .unwrap_or_default();
    for rule in rules {
        let (mark, missing) = missing(rule);
        line(text, &format!("  {mark} {:width$}  {missing}", rule.rule));
    }
}

fn missing(rule: &RuleCoverage) -> (char, String) {
    if !rule.matched {
        return ('✗', "no request decided by it".to_owned());
    }
    if rule.unasked.is_empty() {
        return ('✓', String::new());
    }
    let names = rule.unasked.iter();
    let names: Vec<_> = names
        .map(|(stage, name)| format!("{name} ({})", stage.name()))
        .collect();
    ('·', format!("never asked: {}", names.join(", ")))
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", line.trim_end());
}
