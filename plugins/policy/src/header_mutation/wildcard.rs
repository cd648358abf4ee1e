//! Names and paths with `*` in them: enough for the headers of a prefix and the paths of an API, and
//! matched without a regular expression.

/// The longest pattern, in bytes. What matching costs is at most its length times that of the text.
const MAX_BYTES: usize = 256;

/// A text in which `*` stands for any run of bytes.
#[derive(Clone, Debug)]
pub(super) struct Wildcard(Box<[u8]>);

impl Wildcard {
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_BYTES {
            return Err(format!("is longer than {MAX_BYTES} bytes"));
        }
        Ok(Self(pattern.as_bytes().into()))
    }

    pub(super) fn matches(&self, text: &[u8]) -> bool {
        row_matches(&self.0, text, |it| *it == b'*', |it, byte| it == byte)
    }
}

/// A path in which `*` stands for a run within a segment, and a segment `**` for any segments, or none.
#[derive(Clone, Debug)]
pub(super) struct PathGlob(Box<[Segment]>);

#[derive(Clone, Debug)]
enum Segment {
    Any,
    Like(Wildcard),
}

impl PathGlob {
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let Some(segments) = pattern.strip_prefix('/') else {
            return Err("must begin with `/`".to_owned());
        };
        Wildcard::parse(pattern)?;
        let segments = segments.split('/').map(|segment| match segment {
            "**" => Ok(Segment::Any),
            segment if segment.contains("**") => Err(format!(
                "`**` stands for whole segments; in `{segment}` write `*`"
            )),
            segment => Wildcard::parse(segment).map(Segment::Like),
        });
        Ok(Self(segments.collect::<Result<_, _>>()?))
    }

    /// `path` begins with `/`.
    pub(super) fn matches(&self, path: &str) -> bool {
        let segments: Vec<_> = path.split('/').skip(1).map(str::as_bytes).collect();
        row_matches(
            &self.0,
            &segments,
            |it| matches!(it, Segment::Any),
            |it, segment| match it {
                Segment::Like(wildcard) => wildcard.matches(segment),
                Segment::Any => false,
            },
        )
    }
}

/// Whether `items` are what `pattern` describes, an element that `is_star` standing for any number of
/// items. The last star alone is ever widened: what the earlier ones took stays good.
fn row_matches<P, T>(
    pattern: &[P],
    items: &[T],
    is_star: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut pattern, mut items) = (pattern, items);
    // What follows the last star, and the items from which that is to be tried next.
    let mut widen: Option<(&[P], &[T])> = None;
    loop {
        match (pattern.split_first(), items.split_first()) {
            (Some((star, after)), _) if is_star(star) => {
                widen = Some((after, items));
                pattern = after;
            }
            (Some((one, after)), Some((item, rest))) if is_one(one, item) => {
                (pattern, items) = (after, rest);
            }
            (None, None) => return true,
            _ => {
                let Some((after, [_, rest @ ..])) = widen else {
                    return false;
                };
                widen = Some((after, rest));
                (pattern, items) = (after, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run() {
        for (pattern, text, expected) in [
            ("x-*", "x-", true),
            ("x-*", "x-a", true),
            ("x-*", "y-a", false),
            ("*-id", "request-id", true),
            ("*-id", "request-ids", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            let wildcard = Wildcard::parse(pattern).unwrap();
            assert_eq!(
                wildcard.matches(text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_segment_of_two_stars_is_any_segments() {
        for (pattern, path, expected) in [
            ("/api/**", "/api", true),
            ("/api/**", "/api/a/b", true),
            ("/api/**", "/apis", false),
            ("/api/*", "/api/a", true),
            ("/api/*", "/api/a/b", false),
            ("/**/x", "/x", true),
            ("/**/x", "/a/b/x", true),
            ("/**/x", "/a/b/x/c", false),
            ("/a/**/b/*.js", "/a/q/b/b/main.js", true),
            ("/", "/", true),
            ("/**", "/", true),
        ] {
            let glob = PathGlob::parse(pattern).unwrap();
            assert_eq!(glob.matches(path), expected, "{pattern} {path}");
        }
        assert!(PathGlob::parse("/a**").is_err());
        assert!(PathGlob::parse("api").is_err());
        assert!(PathGlob::parse(&format!("/{}", "a".repeat(256))).is_err());
    }

    #[test]
    fn many_stars_end_soon() {
        let wildcard = Wildcard::parse(&"*a".repeat(127)).unwrap();
        assert!(!wildcard.matches(&[b'a'; 100]));
        assert!(!wildcard.matches("b".repeat(60_000).as_bytes()));
    }
}
