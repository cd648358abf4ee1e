//! The table.

use super::{Checker, ROWS, Row};

/// The paces of each row, one per round.
pub(super) struct Table(Vec<(Row, Vec<f64>)>);

/// What the module has to reach: a share of another row's pace.
struct Target {
    row: Row,
    of: Row,
    share: f64,
}

const TARGETS: [Target; 2] = [
    Target {
        row: Row {
            checker: Checker::Module,
            distinct: false,
        },
        of: Row {
            checker: Checker::JwtAuthnCached,
            distinct: false,
        },
        share: 0.8,
    },
    Target {
        row: Row {
            checker: Checker::Module,
            distinct: true,
        },
        of: Row {
            checker: Checker::JwtAuthn,
            distinct: true,
        },
        share: 0.85,
    },
];

impl Table {
    pub(super) fn new() -> Self {
        Self(ROWS.iter().map(|row| (*row, Vec::new())).collect())
    }

    pub(super) fn add(&mut self, row: Row, pace: f64) {
        if let Some((_, paces)) = self.0.iter_mut().find(|(other, _)| *other == row) {
            paces.push(pace);
            paces.sort_by(f64::total_cmp);
        }
    }

    pub(super) fn print(&self, rounds: u32, seconds: u32) {
        println!(
            "\nrequests/s; median of {rounds} interleaved rounds of {seconds} s each, one Envoy worker on one core"
        );
        println!(
            "  {:<32} {:<21} {:>8}  {:<17} of no filter",
            "checker", "tokens", "median", "spread"
        );
        let bare = self.median(Row {
            checker: Checker::Nothing,
            distinct: false,
        });
        for (row, paces) in &self.0 {
            let spread = match (paces.first(), paces.last()) {
                (Some(least), Some(most)) => format!("{least:.0} - {most:.0}"),
                _ => String::new(),
            };
            let median = self.median(*row);
            println!(
                "  {:<32} {:<21} {median:>8.0}  {spread:<17} {:.2}",
                row.checker.name(),
                row.tokens(),
                median / bare
            );
        }
        println!();
        for target in TARGETS {
            let share = self.median(target.row) / self.median(target.of);
            println!(
                "  {} {}, {}: {share:.2} of {} (target: at least {})",
                if share >= target.share { "✓" } else { "✗" },
                target.row.checker.name(),
                target.row.tokens(),
                target.of.checker.name(),
                target.share
            );
        }
        println!(
            "  jwt_authn copies the subject into x-user, as the module's rule does: the same work for both"
        );
    }

    fn median(&self, row: Row) -> f64 {
        let paces = self
            .0
            .iter()
            .find(|(other, _)| *other == row)
            .map(|(_, paces)| paces.as_slice());
        paces
            .and_then(|paces| paces.get(paces.len() / 2))
            .copied()
            .unwrap_or(f64::NAN)
    }
}
