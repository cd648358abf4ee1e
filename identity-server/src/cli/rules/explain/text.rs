//! An explanation, for eyes.

use gatepost_policy::{
    Stage,
    explain::{Decided, Explanation, Miss, NearMiss, Outcome},
    trace::{Event, ShownCall, Turn},
};

use super::Report;

/// Where the second column begins, and the third.
const LABEL: usize = 14;
const NAME: usize = 18;

/// The whole of it.
pub(super) fn of(request: &str, report: &Report) -> String {
    let Explanation {
        trace,
        near,
        decision,
    } = &report.explanation;
    let mut page = Page::default();
    page.line(request);
    match &trace.url {
        Some(url) if !request.ends_with(url.as_str()) => page.row("read as", "", url, ""),
        Some(_) => {}
        None => page.row("read as", "✗", "nothing", "the request is malformed"),
    }
    page.line("");
    for rule in &trace.rules {
        let captures = match trace.captures.as_slice() {
            [] => String::new(),
            captures => format!("captured {}", quoted(captures)),
        };
        page.row("match", "✓", rule, &captures);
    }
    if trace.rules.is_empty() && trace.url.is_some() {
        page.row("match", "✗", "no rule", "");
    }
    for near in near {
        page.row("  near", "✗", &near.rule, &why(near));
    }
    for turn in &trace.turns {
        self::turn(&mut page, turn);
    }
    page.line("");
    match (decision, &report.unanswered) {
        (Some(decided), _) => verdict(&mut page, decided),
        (None, Some(call)) => unanswered(&mut page, call),
        (None, None) => {}
    }
    for fault in &report.faults {
        page.row("not in force", "!", fault, "");
    }
    page.0
}

/// Whether the request goes upstream.
pub(super) const fn is_allowed(explanation: &Explanation) -> bool {
    matches!(
        &explanation.decision,
        Some(Decided {
            outcome: Outcome::Allow { .. },
            ..
        })
    )
}

fn turn(page: &mut Page, turn: &Turn) {
    let label = match turn.stage {
        Stage::Request | Stage::Match | Stage::Done => "",
        stage => stage.name(),
    };
    for event in &turn.events {
        let (mark, said) = told(event);
        page.row(label, mark, turn.handler, &said);
        if let Event::Asked { call, .. } = event {
            for (name, value) in &call.headers {
                page.row("", "", "", &format!("  {name}: {value}"));
            }
        }
    }
}

fn told(event: &Event) -> (&'static str, String) {
    match event {
        Event::NotResponsible => ("·", "nothing in the request is for it".to_owned()),
        Event::Known { subject, extra } => {
            let who = if subject.is_empty() {
                "nobody in particular"
            } else {
                subject
            };
            let knows = match extra.as_slice() {
                [] => String::new(),
                extra => format!(", with {}", extra.join(", ")),
            };
            ("✓", format!("the caller is {who}{knows}"))
        }
        Event::Passed => ("✓", String::new()),
        Event::Refused {
            detail, continued, ..
        } => {
            let on = if *continued {
                "; the next one is asked"
            } else {
                ""
            };
            ("✗", format!("{detail}{on}"))
        }
        Event::Asked { call, remembered } => {
            let how = if *remembered {
                ", whose answer is remembered"
            } else {
                ""
            };
            ("?", format!("asks {} {}{how}", call.method, call.url))
        }
        Event::Answered { status, failure } => match (status, failure) {
            (Some(status), _) => ("←", format!("answered {status}")),
            (None, failure) => ("←", failure.clone().unwrap_or_default()),
        },
        Event::AwaitedKeys { key_set } => ("?", format!("needs the {key_set}")),
        Event::NeededBody => ("?", "needs the body".to_owned()),
    }
}

fn why(near: &NearMiss) -> String {
    let reasons: Vec<_> = near
        .misses
        .iter()
        .map(|miss| match miss {
            Miss::Method => format!("is for {}", near.methods.join(", ")),
            Miss::Scheme => "has another scheme".to_owned(),
            Miss::Host => "has another host".to_owned(),
            Miss::Path => "has another path".to_owned(),
            Miss::Url => "has another URL".to_owned(),
            Miss::Conditions => "demands other headers or parameters".to_owned(),
            Miss::Precedence => "matches, but another rule goes before it".to_owned(),
        })
        .collect();
    let is_of_url = near
        .misses
        .iter()
        .any(|miss| matches!(miss, Miss::Scheme | Miss::Host | Miss::Path | Miss::Url));
    let url = if is_of_url {
        format!(": {}", near.url)
    } else {
        String::new()
    };
    format!("{}{url}", reasons.join(", "))
}

fn verdict(page: &mut Page, decided: &Decided) {
    outcome(page, &decided.outcome, "allowed", "refused");
    if let Some(shadow) = &decided.shadow {
        page.line("");
        page.row(
            "only tried",
            "",
            "the rule is not enforced; if it were:",
            "",
        );
        outcome(page, shadow, "allowed", "refused");
    }
}

fn outcome(page: &mut Page, outcome: &Outcome, allowed: &str, refused: &str) {
    match outcome {
        Outcome::Allow { path, remove, set } => {
            page.line(&format!("✓ {allowed}"));
            if let Some(path) = path {
                page.row("  path", "", path, "");
            }
            for name in remove {
                page.row("  remove", "", name, "");
            }
            for (name, value) in set {
                page.row("  set", "", &format!("{name}: {value}"), "");
            }
        }
        Outcome::Deny {
            reason,
            detail,
            status,
            headers,
            body,
        } => {
            page.line(&format!("✗ {refused} with {status} ({reason}): {detail}"));
            for (name, value) in headers {
                page.row("  header", "", &format!("{name}: {value}"), "");
            }
            if !body.is_empty() {
                page.row("  body", "", body.trim_end(), "");
            }
        }
    }
}

fn unanswered(page: &mut Page, call: &ShownCall) {
    page.line(&format!(
        "? not decided: nobody answers {} {}",
        call.method, call.url
    ));
    page.line("  Make the call with `--call`, or write its answer into a file for `--replies`.");
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
    quoted.join(", ")
}

/// Lines in columns. A label is printed once, before the first of its rows.
#[derive(Default)]
struct Page(String, String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
        self.1.clear();
    }

    fn row(&mut self, label: &str, mark: &str, name: &str, rest: &str) {
        let shown = if label == self.1 { "" } else { label };
        let gap = if mark.is_empty() { "" } else { " " };
        let line = if rest.is_empty() {
            format!("{shown:LABEL$}{mark}{gap}{name}")
        } else {
            let name = if mark.is_empty() {
                format!("  {name}")
            } else {
                format!("{mark} {name}")
            };
            format!("{shown:LABEL$}{name:width$}  {rest}", width = NAME + 2)
        };
        self.0.push_str(line.trim_end());
        self.0.push('\n');
        if !label.is_empty() {
            label.clone_into(&mut self.1);
        }
    }
}
