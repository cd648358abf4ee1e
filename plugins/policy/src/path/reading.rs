//! How paths are read where the operator wants it otherwise.

use super::BadUrl;

/// How the path of a request is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What becomes of repeated and trailing slashes, and of dots.
    pub cleaning: Cleaning,
    /// What becomes of `%2F`.
    pub encoded_slashes: EncodedSlashes,
}

/// Which Oathkeeper's way of cleaning paths is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleaning {
    /// Dot segments are resolved, repeated slashes merged, a trailing slash is dropped.
    #[default]
    V26,
    /// Slashes stay as they were sent, and are matched like that. Unlike in Oathkeeper 0.40, dot
    /// segments are refused (GHSA-p224-6x5r-fjpm).
    V040,
}

/// What `%2F` in a path stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncodedSlashes {
    /// It is refused.
    #[default]
    Refuse,
    /// A separator: `/a%2Fb` is matched and sent on as `/a/b`.
    Decode,
    /// A character of the segment: `/a%2Fb` is matched and sent on as it stands.
    Keep,
}

impl Cleaning {
    /// The setting of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "v26" => Some(Self::V26),
            "v0.40" => Some(Self::V040),
            _ => None,
        }
    }

    /// Whether a segment stays; `None` for `..`, which takes the one before with it.
    pub(super) fn keeps(self, segment: &str) -> Result<Option<bool>, BadUrl> {
        match (self, segment) {
            (Self::V040, "." | "..") => Err(BadUrl::DotSegment),
            (Self::V26, "" | ".") => Ok(Some(false)),
            (Self::V26, "..") => Ok(None),
            _ => Ok(Some(true)),
        }
    }
}

impl EncodedSlashes {
    /// The setting of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "decode" => Some(Self::Decode),
            "keep" => Some(Self::Keep),
            _ => None,
        }
    }
}

impl Reading {
    /// A path without its trailing slash, where that does not count.
    pub(super) fn trimmed(self, plain: &[u8]) -> &[u8] {
        match (self.cleaning, plain.strip_suffix(b"/")) {
            (Cleaning::V26, Some(shorter @ [_, ..])) => shorter,
            _ => plain,
        }
    }
}
