//! A text that an expression matches, without a search.

use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{look_ahead, search::READABLE};

/// Some texts that `expression` matches but for its look-aheads: a guess, to be put to the test.
pub(super) fn of(expression: &str) -> Vec<String> {
    let Ok(hir) = syntax::parse(&look_ahead::drop_all(expression)) else {
        return Vec::new();
    };
    let texts = [0, 1].into_iter().filter_map(|times| {
        let mut text = Vec::new();
        push(&hir, times, &mut text)?;
        String::from_utf8(text).ok()
    });
    texts.collect()
}

/// Appends a text of `hir`, with what is optional repeated `times`, where that may be.
fn push(hir: &Hir, times: u32, text: &mut Vec<u8>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => push_member(class, text)?,
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let times = repetition.min.max(times.min(most));
            for _ in 0..times.min(64) {
                push(&repetition.sub, times, text)?;
            }
        }
        HirKind::Capture(capture) => push(&capture.sub, times, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|it| push(it, times, text))?,
        HirKind::Alternation(parts) => push(parts.first()?, times, text)?,
    }
    Some(())
}

fn push_member(class: &Class, text: &mut Vec<u8>) -> Option<()> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let readable = READABLE.iter().copied().map(char::from).find(|member| {
        let mut ranges = class.iter();
        ranges.any(|range| range.start() <= *member && *member <= range.end())
    });
    let member = readable.or_else(|| class.iter().next().map(|range| range.start()))?;
    text.extend_from_slice(member.encode_utf8(&mut [0; 4]).as_bytes());
    Some(())
}
