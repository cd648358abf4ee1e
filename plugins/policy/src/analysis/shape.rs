//! What can be told of a pattern at a glance: enough to see that most pairs never meet.

use std::collections::HashMap;

use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::matching::{Piece, Strategy, split, translate};

use super::look_ahead;

/// Conditions that every URL of a pattern meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The scheme, where it is literal.
    pub(super) scheme: Option<String>,
    /// Host and port, where they are literal.
    pub(super) host: Option<String>,
    /// The path's first segments, those that are literal with their text.
    segments: Vec<Option<String>>,
    /// What the segment after these begins with, where the path may go on in any way after it.
    partial: String,
    /// Whether the path has no other segments.
    complete: bool,
    /// What the URL ends with; empty where that is not known.
    suffix: String,
    /// A body before the path that may match a `/`, so that no host is told from the path.
    pub(super) crossing: Option<String>,
    /// Whether no text of the pattern holds a `://`.
    pub(super) without_scheme: bool,
}

impl Shape {
    /// Whether some URL might meet the conditions of both.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        let differ =
            |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        let longer = |a: &Self, b: &Self| a.complete && b.segments.len() > a.segments.len();
        let begins = |a: &Self, b: &Self| match b.segments.get(a.segments.len()) {
            Some(Some(segment)) => segment.starts_with(&a.partial),
            Some(None) => true,
            None if a.segments.len() > b.segments.len() => true,
            None => a.partial.starts_with(&b.partial) || b.partial.starts_with(&a.partial),
        };
        !differ(&self.scheme, &other.scheme)
            && begins(self, other)
            && begins(other, self)
            && !differ(&self.host, &other.host)
            && !longer(self, other)
            && !longer(other, self)
            && (self.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&self.suffix))
            && !self
                .segments
                .iter()
                .zip(&other.segments)
                .any(|(a, b)| differ(a, b))
    }

    /// What the path begins with, as far as it is literal, a segment each.
    pub(super) fn beginning(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| segment.as_deref())
    }
}

/// Makes [`Shape`]s, and remembers what it learnt of bodies that many patterns share.
pub(super) struct Shaper {
    strategy: Strategy,
    crossing: HashMap<String, bool>,
}

impl Shaper {
    pub(super) fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            crossing: HashMap::new(),
        }
    }

    pub(super) const fn strategy(&self) -> Strategy {
        self.strategy
    }

    pub(super) fn shape(&mut self, pattern: &str) -> Shape {
        let pieces = split(pattern).unwrap_or_default();
        let mut shape = Shape {
            suffix: match pieces.as_slice() {
                [.., Piece::Literal(last)] => (*last).to_owned(),
                _ => String::new(),
            },
            ..Shape::default()
        };
        let Some((scheme, rest)) = after_scheme(&pieces) else {
            shape.without_scheme = !may_hold(self.strategy, pattern, "://");
            return shape;
        };
        shape.scheme = scheme;
        self.read(&mut shape, &rest);
        shape
    }

    /// Whether what `body` matches may hold a `/`. In doubt it may.
    pub(super) fn may_cross(&mut self, body: &str) -> bool {
        if let Some(known) = self.crossing.get(body) {
            return *known;
        }
        let crosses = may_hold(self.strategy, &format!("<{body}>"), "/");
        self.crossing.insert(body.to_owned(), crosses);
        crosses
    }

    /// Reads host and path; the host is as if it were the segment before the first.
    fn read(&mut self, shape: &mut Shape, rest: &[Piece<'_>]) {
        let mut open = Some(String::new());
        let mut host_read = false;
        let mut close = |shape: &mut Shape, segment: Option<String>| {
            if host_read {
                shape.segments.push(segment);
            } else {
                shape.host = segment;
                host_read = true;
            }
        };
        for piece in rest {
            match piece {
                Piece::Literal(text) => {
                    let mut parts = text.split('/');
                    if let (Some(open), Some(part)) = (&mut open, parts.next()) {
                        open.push_str(part);
                    }
                    for part in parts {
                        close(shape, open.replace(part.to_owned()));
                    }
                }
                Piece::Body(body) if self.may_cross(body) => {
                    if host_read {
                        shape.partial = open.unwrap_or_default();
                    } else {
                        shape.crossing = Some(format!("<{body}>"));
                    }
                    return;
                }
                Piece::Body(_) => open = None,
            }
        }
        close(shape, open);
        shape.complete = true;
    }
}

/// The literal scheme, if it is one, and the pieces after `://`.
fn after_scheme<'p>(pieces: &[Piece<'p>]) -> Option<(Option<String>, Vec<Piece<'p>>)> {
    let (scheme, literal, rest) = match pieces {
        [Piece::Literal(first), rest @ ..] => {
            let (scheme, literal) = first.split_once("://")?;
            (Some(scheme.to_owned()), literal, rest)
        }
        [Piece::Body(_), Piece::Literal(second), rest @ ..] => {
            (None, second.strip_prefix("://")?, rest)
        }
        _ => return None,
    };
    let mut after = Vec::new();
    if !literal.is_empty() {
        after.push(Piece::Literal(literal));
    }
    after.extend_from_slice(rest);
    Some((scheme, after))
}

/// The whole of `pattern` as one regular expression, with look-aheads.
pub(super) fn expression(strategy: Strategy, pattern: &str) -> Option<String> {
    let mut whole = String::new();
    let mut pieces = split(pattern).ok()?.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Literal(text) => whole.push_str(&regex_syntax::escape(text)),
            Piece::Body(body) => {
                let (text, groups) = translate(strategy, body, pieces.peek().is_none()).ok()?;
                whole.push_str("(?:");
                whole.push_str(&look_ahead::write(&text, &groups));
                whole.push(')');
            }
        }
    }
    Some(whole)
}

/// Whether some text of `pattern` may hold all characters of `wanted`. In doubt it may.
fn may_hold(strategy: Strategy, pattern: &str, wanted: &str) -> bool {
    let Some(whole) = expression(strategy, pattern) else {
        return true;
    };
    match syntax::parse(&look_ahead::drop_all(&whole)) {
        Ok(hir) => wanted.chars().all(|wanted| holds(&hir, wanted)),
        Err(_) => true,
    }
}

fn holds(hir: &Hir, wanted: char) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => {
            let mut bytes = [0; 4];
            let wanted = wanted.encode_utf8(&mut bytes).as_bytes();
            literal.0.windows(wanted.len()).any(|part| part == wanted)
        }
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .any(|range| range.start() <= wanted && wanted <= range.end()),
        HirKind::Class(Class::Bytes(_)) => true,
        HirKind::Repetition(repetition) => holds(&repetition.sub, wanted),
        HirKind::Capture(capture) => holds(&capture.sub, wanted),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(|part| holds(part, wanted))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(pattern: &str) -> Shape {
        Shaper::new(Strategy::Regexp).shape(pattern)
    }

    #[test]
    fn host_and_segments_are_told_apart_where_no_body_crosses_them() {
        let api = shape("<https?>://<[^/]+>/api/v<[0-9]+>/orders<(/.*)?>");
        assert_eq!((&api.scheme, &api.host), (&None, &None));
        assert_eq!(api.segments, [Some("api".to_owned()), None]);
        assert!(!api.complete);
        let exact = shape("http://<[a-z]+>.test:80/a/<[a-z]+>/b");
        assert_eq!(
            exact.segments,
            [Some("a".to_owned()), None, Some("b".to_owned())]
        );
        assert!(exact.complete && exact.beginning().eq(["a"]));
        assert_eq!(shape("http://h:80/a<.*>").host.as_deref(), Some("h:80"));
        let crossing = shape("http://<.*>/a");
        assert_eq!(crossing.crossing.as_deref(), Some("<.*>"));
        assert_eq!(crossing.segments, []);
        assert!(shape("h/a").without_scheme && shape("//h/a").without_scheme);
        assert!(!shape("<.*>").without_scheme);
    }

    #[test]
    fn a_glance_keeps_apart_only_what_never_meets() {
        let meet = |a: &str, b: &str| {
            let (a, b) = (shape(a), shape(b));
            assert_eq!(a.may_meet(&b), b.may_meet(&a));
            a.may_meet(&b)
        };
        assert!(meet("http://h/a<.*>", "http://h/ab/c"));
        assert!(meet("http://h/a", "http://<[a-z]>/a"));
        assert!(meet("http://h/<a?>/b", "http://h/a/b"));
        assert!(meet("http://<.*>/a", "http://h/b/a"));
        assert!(meet("http://h/<.*>", "http://h/b"));
        assert!(!meet("http://h/a", "http://h/ab/c"));
        assert!(!meet("http://h/a/<x>", "http://h/b/<x>"));
        assert!(!meet("http://h/<x>/a", "http://h/<x>/b"));
        assert!(!meet("http://h/<x>/a/<y>", "http://h/<x>/b/<y>"));
        assert!(!meet("http://h/<x>/a", "http://h/<x>/a/<y>"));
        assert!(!meet("http://h/ab<.*>", "http://h/ac<.*>"));
        assert!(!meet("http://h/ab<.*>", "http://h/ac/d"));
        assert!(meet("http://h/ab<.*>", "http://h/a<.*>"));
        assert!(meet("http://h/ab<.*>", "http://h/abc/d"));
        assert!(!meet("http://h/<x>", "https://h/<x>"));
        assert!(!meet("http://h/<x>", "http://g/<x>"));
    }
}
