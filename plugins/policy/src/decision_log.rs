//! The decision log: for which decisions there is a line, and what it says. Writing it is the driver's.

mod line;

use serde::Deserialize;

use crate::{Decision, Policy, Request, UnixTime, Verdict};

use self::line::Line;

/// Says which decisions are logged, and how.
#[derive(Debug)]
pub struct DecisionLog {
    which: LogDecisions,
    digest: Option<String>,
    /// How much of the next line is due, in millionths.
    due: u32,
}

/// A decision, and what it was made of.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// What was decided.
    pub request: &'a Request,
    /// Under which policy.
    pub policy: &'a Policy,
    /// When the request came.
    pub began: UnixTime,
    /// When its last step began: later only where it had to wait.
    pub decided: UnixTime,
}

/// For which decisions to log a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogDecisions {
    /// The share of all decisions, in millionths.
    pub sample: u32,
    /// Whether to log every denial besides.
    pub denials: bool,
}

/// The same as configurations have it: for all, for none, or for a sample.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum WrittenLog {
    /// For all or for none.
    Switch(bool),
    /// For a sample.
    Sample(Sample),
}

/// A sample of decisions.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The share of all decisions, from 0 to 1.
    sample: f64,
    /// Whether to log every denial besides.
    #[serde(default = "yes")]
    denials: bool,
}

const fn yes() -> bool {
    true
}

impl DecisionLog {
    /// A log of these decisions. `digest` is what the configuration is known by.
    #[must_use]
    pub const fn new(which: LogDecisions, digest: Option<String>) -> Self {
        Self {
            which,
            digest,
            due: 0,
        }
    }

    /// The line for a decision, if there is to be one. `ended` tells the time.
    pub fn line(
        &mut self,
        observed: &Observed<'_>,
        ended: impl FnOnce() -> UnixTime,
    ) -> Option<String> {
        self.is_due(observed.decision)
            .then(|| Line::of(observed, ended(), self.digest.as_deref()).text())
    }

    /// The sample is spread evenly: one in a hundred means every hundredth.
    fn is_due(&mut self, decision: &Decision) -> bool {
        if self.which.denials && denies(decision) {
            return true;
        }
        let due = self.due.saturating_add(self.which.sample);
        let is_due = due >= LogDecisions::ALL;
        self.due = if is_due {
            due.saturating_sub(LogDecisions::ALL)
        } else {
            due
        };
        is_due
    }
}

impl LogDecisions {
    /// The whole.
    const ALL: u32 = 1_000_000;
}

impl TryFrom<WrittenLog> for LogDecisions {
    type Error = String;

    fn try_from(written: WrittenLog) -> Result<Self, String> {
        let (sample, denials) = match written {
            WrittenLog::Switch(is_on) => (f64::from(u8::from(is_on)), is_on),
            WrittenLog::Sample(Sample { sample, denials }) => (sample, denials),
        };
        if !(0.0..=1.0).contains(&sample) {
            return Err(format!(
                "log_decisions.sample: `{sample}` is no share; write a number from 0 to 1, such as 0.01"
            ));
        }
        Ok(Self {
            // A float is cut to what fits.
            sample: (sample * f64::from(Self::ALL)).round() as u32,
            denials,
        })
    }
}

impl Default for WrittenLog {
    fn default() -> Self {
        Self::Switch(false)
    }
}

/// Whether the request is refused, or would be if its rule were enforced.
fn denies(decision: &Decision) -> bool {
    let verdict = decision.shadow.as_deref().unwrap_or(&decision.verdict);
    matches!(verdict, Verdict::Deny { .. })
}
