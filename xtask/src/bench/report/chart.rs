//! The chart: a bar for each goal, and a mark where the goal is.

use std::fmt::Write as _;

use super::{Measure, Outcome};

const WIDTH: f64 = 960.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 470.0;
const LONGEST: f64 = 400.0;
const STEP: f64 = 34.0;
const TOP: f64 = 56.0;

/// Ratios are drawn by their logarithm, so that twice as fast and half as fast look alike, from an
/// eighth to 32 times.
const LOWEST: f64 = -3.0;
const HIGHEST: f64 = 5.0;

/// An SVG picture of the outcomes, readable on light and dark pages.
pub(super) fn draw(outcomes: &[Outcome]) -> String {
    let height = TOP + STEP * outcomes.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Gatepost beside what else there is\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"17\" font-weight=\"600\" fill=\"#16202c\">Requests per second, \
         as a multiple of the other side's</text>\n"
    );
    for (power, label) in [
        (0.0, "as fast"),
        (1.0, "2×"),
        (2.0, "4×"),
        (3.0, "8×"),
        (4.0, "16×"),
    ] {
        let x = position(power);
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\" stroke=\"#d5dbe3\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#5b6776\">{label}</text>",
            TOP - 8.0,
            height - 24.0,
            height - 8.0
        );
    }
    for (number, outcome) in outcomes.iter().enumerate() {
        bar(&mut svg, TOP + STEP * number as f64, outcome);
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, top: f64, outcome: &Outcome) {
    let (one, end, goal) = (
        position(0.0),
        position(outcome.better().log2()),
        position(outcome.goal_as_better().log2()),
    );
    let (from, width) = (one.min(end), (end - one).abs().max(1.0));
    let colour = if outcome.is_met { "#1f7a4d" } else { "#b3541e" };
    let _ = writeln!(
        svg,
        "<text x=\"16\" y=\"{}\" fill=\"#16202c\">{}</text>\
         <text x=\"16\" y=\"{}\" font-size=\"11\" fill=\"#5b6776\">against {}</text>\
         <rect x=\"{from:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"16\" rx=\"2\" fill=\"{colour}\"/>\
         <line x1=\"{goal:.1}\" y1=\"{}\" x2=\"{goal:.1}\" y2=\"{}\" stroke=\"#16202c\" stroke-width=\"2\"/>\
         <text x=\"{:.1}\" y=\"{}\" fill=\"#16202c\">{:.2}</text>",
        top + 8.0,
        outcome.what,
        top + 21.0,
        outcome.against_what(),
        top + 2.0,
        top - 1.0,
        top + 21.0,
        end.max(goal).max(one) + 8.0,
        top + 15.0,
        outcome.ratio,
    );
}

impl Outcome {
    /// The ratio, turned so that more is better.
    fn better(&self) -> f64 {
        match self.measure {
            Measure::Pace(_) => self.ratio,
            Measure::AddedLatency(_) => 1.0 / self.ratio.max(0.01),
        }
    }

    fn goal_as_better(&self) -> f64 {
        match self.measure {
            Measure::Pace(least) => least,
            Measure::AddedLatency(most) => 1.0 / most,
        }
    }
}

/// Where a power of two stands.
fn position(power: f64) -> f64 {
    let power = if power.is_finite() { power } else { 0.0 };
    LEFT + (power.clamp(LOWEST, HIGHEST) - LOWEST) / (HIGHEST - LOWEST) * LONGEST
}
