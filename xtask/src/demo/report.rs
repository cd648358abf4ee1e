//! What the demo prints.

use super::{
    seed::{EMAIL, PASSWORD, People},
    stage::{Stage, admin, front, public},
    tour::{Actual, Line},
};

/// Begins a part of the tour.
pub(super) fn title(title: &str) {
    println!("\n{title}");
    println!(
        "   {:>2}  {:<26} {:<20} {:>8} {:>6}  {:<13} upstream received",
        "#", "request", "credential", "expected", "actual", "rule"
    );
}

/// One line of the table.
pub(super) fn line(number: usize, line: &Line, actual: &Actual, surprise: Option<&str>) {
    let seen: Vec<_> = actual
        .seen
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let seen = match (actual.status, seen.as_slice()) {
        (200, []) => "nothing that a rule sets".to_owned(),
        (_, []) => "-  (answered by Envoy)".to_owned(),
        (_, seen) => seen.join(", "),
    };
    println!(
        " {} {number:>2}  {:<26} {:<20} {:>8} {:>6}  {:<13} {seen}",
        if surprise.is_none() { "✓" } else { "✗" },
        line.what,
        line.credential,
        line.expected.status,
        actual.status,
        actual.rule.as_deref().unwrap_or("no rule"),
    );
    if let Some(surprise) = surprise {
        println!("       NOT AS EXPECTED: {surprise}");
    }
}

/// Ends the tour; whether every line was as expected.
pub(super) fn summary(walked: usize, surprises: usize) -> bool {
    println!();
    match surprises {
        0 => println!("✓ all {walked} lines were as expected"),
        _ => println!("✗ {surprises} of {walked} lines were NOT as expected"),
    }
    surprises == 0
}

/// What to try by hand.
pub(super) fn addresses(stage: &Stage, people: &People) {
    let token = format!(
        "curl -s {} -d grant_type=client_credentials -d scope=orders.read -d client_id={} -d client_secret={}",
        public("/oauth2/token"),
        people.reader.id,
        people.reader.secret
    );
    println!("\nEverything stays up; Ctrl-C stops it. To try by hand:");
    println!(
        "  a page for people   {}   (sign in as {EMAIL}, password: {PASSWORD})",
        front("/app")
    );
    println!("  a public page       {}", front("/public"));
    println!(
        "  an API              curl -i -H \"Authorization: Bearer $TOKEN\" {}",
        front("/api/hello")
    );
    println!("  a token for it      {token}");
    println!(
        "  gatepost            {}  its admin API {}",
        public("/login"),
        admin("/admin/clients")
    );
    println!("  rules in a browser  {}", admin("/playground"));
    println!(
        "  Envoy's admin page  http://127.0.0.1:{}/",
        crate::quickstart::PORTS.admin
    );
    println!("  rules and log       {}", stage.envoy_folder().display());
    println!(
        "  database            {}",
        stage.gatepost_folder().display()
    );
}
