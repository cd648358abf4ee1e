//! What was measured, as a table and a chart.

mod chart;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;

use super::{
    load::Measured,
    subjects::{BARE, Goal, Load, Measure, Row},
};

/// What was measured of each row, one value a round.
pub(super) struct Report {
    rows: Vec<(Row, Vec<Measured>)>,
    about: String,
}

/// How a goal was met.
pub(super) struct Outcome {
    what: String,
    against: String,
    /// The median of the rounds' own ratios: what disturbs a round disturbs both sides of it.
    ratio: f64,
    spread: (f64, f64),
    is_met: bool,
    measure: Measure,
}

impl Report {
    pub(super) fn new(rows: &[Row], rounds: u32, seconds: u32) -> Self {
        let about = format!(
            "Median of {rounds} interleaved rounds of {seconds} s each, and the spread; one Envoy worker on one core, \
             the load and what Envoy asks on another. `goal` compares round by round."
        );
        Self {
            rows: rows.iter().map(|row| (*row, Vec::new())).collect(),
            about,
        }
    }

    pub(super) fn add(&mut self, row: Row, measured: Measured) {
        if let Some((_, all)) = self.rows.iter_mut().find(|(other, _)| *other == row) {
            all.push(measured);
        }
    }

    /// Prints the tables, and writes them and the chart into `folder`.
    pub(super) fn publish(&self, goals: &[&Goal], folder: &Path) -> Result<()> {
        let outcomes: Vec<_> = goals.iter().map(|goal| self.outcome(goal)).collect();
        let markdown = format!("{}\n\n{}\n{}", self.about, table(&outcomes), self.paces());
        println!("\n{markdown}");
        fs::write(folder.join("report.md"), markdown)?;
        fs::write(folder.join("report.svg"), chart::draw(&outcomes))?;
        println!(
            "Written to {0}/report.md and {0}/report.svg",
            folder.display()
        );
        Ok(())
    }

    fn outcome(&self, goal: &Goal) -> Outcome {
        let (ours, theirs) = (self.of(goal.ours), self.of(goal.against));
        let bare = self.of(Row {
            chain: BARE.chain,
            ..goal.ours
        });
        let mut ratios: Vec<f64> = match goal.measure {
            Measure::Pace(_) => ours
                .iter()
                .zip(theirs)
                .map(|(ours, theirs)| ours.pace / theirs.pace)
                .collect(),
            Measure::AddedLatency(_) => ours
                .iter()
                .zip(theirs)
                .zip(bare)
                .map(|((ours, theirs), bare)| {
                    (ours.p99 - bare.p99).max(0.0) / (theirs.p99 - bare.p99)
                })
                .collect(),
        };
        ratios.sort_by(f64::total_cmp);
        let ratio = median(&ratios);
        let is_met = match goal.measure {
            Measure::Pace(least) => ratio >= least,
            Measure::AddedLatency(most) => ratio <= most,
        };
        Outcome {
            what: goal.ours.to_string(),
            against: goal.against.chain.to_string(),
            ratio,
            spread: ends(&ratios),
            is_met,
            measure: goal.measure,
        }
    }

    fn of(&self, row: Row) -> &[Measured] {
        self.rows
            .iter()
            .find(|(other, _)| *other == row)
            .map(|(_, all)| all.as_slice())
            .unwrap_or_default()
    }

    /// Every row's own figures.
    fn paces(&self) -> String {
        let mut text =
            "| chain | requests/s | spread | of no filter | p99 | Envoy's CPU time a request |\n|---|---:|---:|---:|---:|---:|\n"
                .to_owned();
        for (row, all) in &self.rows {
            let bare = self.of(Row {
                chain: BARE.chain,
                hop: row.hop,
                load: if row.load == Load::Steady {
                    row.load
                } else {
                    BARE.load
                },
            });
            let paces = sorted(all, |one| one.pace);
            let (least, most) = ends(&paces);
            let share = median(&paces) / median(&sorted(bare, |one| one.pace));
            let _ = writeln!(
                text,
                "| {row} | {:.0} | {least:.0} - {most:.0} | {share:.2} | {:.2} ms | {:.1} µs |",
                median(&paces),
                median(&sorted(all, |one| one.p99)),
                median(&sorted(all, |one| one.cpu)),
            );
        }
        text
    }
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text =
        "| ours | against | ratio | spread | goal | |\n|---|---|---:|---:|---:|---|\n".to_owned();
    for outcome in outcomes {
        let (least, most) = outcome.spread;
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {least:.2} - {most:.2} | {} | {} |",
            outcome.what,
            outcome.against_what(),
            outcome.ratio,
            outcome.aim(),
            if outcome.is_met { "✓" } else { "✗" },
        );
    }
    text
}

impl Outcome {
    fn against_what(&self) -> String {
        match self.measure {
            Measure::Pace(_) => self.against.clone(),
            Measure::AddedLatency(_) => format!("{}: added p99", self.against),
        }
    }

    fn aim(&self) -> String {
        match self.measure {
            Measure::Pace(least) => format!("≥ {least:.2}"),
            Measure::AddedLatency(most) => format!("≤ {most:.2}"),
        }
    }
}

fn sorted(all: &[Measured], of: impl Fn(&Measured) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ends(sorted: &[f64]) -> (f64, f64) {
    let least = sorted.first().copied().unwrap_or(f64::NAN);
    (least, sorted.last().copied().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::subjects::{GOALS, Hop, rows};

    /// Each row at the pace that `of` says, in three rounds of a machine that slows down.
    fn report(goals: &[&Goal], of: impl Fn(&Row) -> Measured) -> Report {
        let rows = rows(goals);
        let mut report = Report::new(&rows, 3, 1);
        for slower in [1.0, 2.0, 3.0] {
            for row in &rows {
                let Measured { pace, p99, cpu } = of(row);
                report.add(
                    *row,
                    Measured {
                        pace: pace / slower,
                        cpu,
                        p99: p99 * slower,
                    },
                );
            }
        }
        report
    }

    #[test]
    fn a_machine_that_drifts_drifts_for_both_sides() {
        let goals: Vec<_> = GOALS.iter().collect();
        let report = report(&goals, |row| match row.hop {
            Hop::Direct => Measured {
                cpu: 30.0,
                pace: 20_000.0,
                p99: 2.0,
            },
            Hop::Upstream => Measured {
                cpu: 60.0,
                pace: 10_000.0,
                p99: 3.0,
            },
        });
        let outcome = report.outcome(&GOALS[0]);
        assert!((outcome.ratio - 1.0).abs() < 1e-9 && !outcome.is_met);
        assert!((outcome.spread.1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn latency_counts_beyond_no_filter() {
        let goal = GOALS
            .iter()
            .find(|goal| matches!(goal.measure, Measure::AddedLatency(_)))
            .unwrap();
        let report = report(&[goal], |row| Measured {
            cpu: 30.0,
            pace: 1000.0,
            p99: if *row == goal.ours {
                1.2
            } else if *row == goal.against {
                2.0
            } else {
                1.0
            },
        });
        let outcome = report.outcome(goal);
        assert!((outcome.ratio - 0.2).abs() < 1e-9 && outcome.is_met);
        assert!(table(&[outcome]).contains("added p99 | 0.20"));
    }
}
