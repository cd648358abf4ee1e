//! An analysis, for eyes.

use gatepost_policy::analysis::{
    Analysis, Cost, Open, Overlap, Relation, RuleName, Shadowed, Uncovered, Unreachable,
};

/// The sections of an analysis, the worst first.
pub(super) fn of(analysis: &Analysis) -> String {
    let mut sections = vec![
        section("overlapping rules", &analysis.overlaps, overlap),
        section("shadowed rules", &analysis.shadowed, shadowed),
        section("unreachable rules", &analysis.unreachable, unreachable),
    ];
    if !analysis.undecided.is_empty() {
        sections.push(section("undecided", &analysis.undecided, |undecided| {
            let [a, b] = &undecided.rules;
            format!(
                "whether {a} and {b} overlap for {} could not be told; try it with `gatepost rules explain`",
                undecided.methods.join(", ")
            )
        }));
    }
    if analysis.not_compared > 0 {
        sections.push(format!(
            "not compared: {} pairs of patterns, there being too many\n",
            analysis.not_compared
        ));
    }
    if !analysis.left_out.is_empty() {
        sections.push(section("left out", &analysis.left_out, |rule| {
            format!("{rule}: its `match.url` is missing or broken; see `gatepost rules lint`")
        }));
    }
    sections.push(section("open without credentials", &analysis.open, open));
    sections.push(section(
        "methods without a rule",
        &analysis.uncovered,
        uncovered,
    ));
    sections.push(section("patterns by cost", &analysis.costs, cost));
    sections.push(format!("{} analysed", count(analysis.rules)));
    sections.join("\n")
}

fn section<T>(title: &str, items: &[T], line: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return format!("{title}: none\n");
    }
    let mut text = format!("{title}: {}\n", items.len());
    for item in items {
        for line in line(item).lines() {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn count(rules: usize) -> String {
    match rules {
        1 => "1 rule".to_owned(),
        many => format!("{many} rules"),
    }
}

fn overlap(overlap: &Overlap) -> String {
    let [a, b] = &overlap.rules;
    let outcome = match &overlap.decides {
        None => "answered with 500, several rules match".to_owned(),
        Some(rule) => format!("{rule} decides, by its priority"),
    };
    let relation = match overlap.relation {
        Relation::Same => "they match the same URLs".to_owned(),
        Relation::FirstWithinSecond => format!("{b} matches every URL that {a} does"),
        Relation::SecondWithinFirst => format!("{a} matches every URL that {b} does"),
        Relation::Partial => "each also matches URLs of its own".to_owned(),
        Relation::Unknown => "whether each matches URLs of its own could not be told".to_owned(),
    };
    let condition = if overlap.conditional {
        ", with the headers and parameters that they demand"
    } else {
        ""
    };
    format!(
        "{a} and {b}\n  {} {}{condition}  ({outcome})\n  {relation}; both are for {}",
        overlap.witness.method,
        overlap.witness.url,
        overlap.methods.join(", ")
    )
}

fn shadowed(shadowed: &Shadowed) -> String {
    let (rule, by) = (&shadowed.rule, &shadowed.by);
    if shadowed.refused {
        format!(
            "{rule}: every request that it matches is answered with 500, since {by} matches too"
        )
    } else {
        format!("{rule}: {by} decides every request that it matches, by its priority")
    }
}

fn unreachable(unreachable: &Unreachable) -> String {
    format!(
        "{}: {}\n  remedy: {}",
        unreachable.rule, unreachable.reason, unreachable.remedy
    )
}

fn open(open: &Open) -> String {
    let methods = open.methods.join(", ");
    let asked = match open.authorizers.as_slice() {
        [] => String::new(),
        authorizers => format!(", then {} decides", authorizers.join(", ")),
    };
    let example = open.witness.as_ref().map_or_else(String::new, |witness| {
        format!("\n  {} {}", witness.method, witness.url)
    });
    format!("{}: {methods}, by `{}`{asked}{example}", open.rule, open.by)
}

fn uncovered(uncovered: &Uncovered) -> String {
    format!(
        "{}: {}\n  {}",
        uncovered.pattern,
        uncovered.missing.join(", "),
        names(&uncovered.rules)
    )
}

fn cost(cost: &Cost) -> String {
    let mut remarks = Vec::new();
    if cost.looks_ahead {
        remarks.push("looks ahead");
    }
    if cost.always_tried {
        remarks.push("tried on every request");
    }
    let remarks = if remarks.is_empty() {
        String::new()
    } else {
        format!(", {}", remarks.join(", "))
    };
    format!(
        "{}\n  {} branches, {} instructions{remarks}: {}",
        cost.pattern,
        cost.branches,
        cost.instructions,
        names(&cost.rules)
    )
}

fn names(rules: &[RuleName]) -> String {
    const SHOWN: usize = 4;
    let mut text: Vec<String> = rules.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = rules.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}
