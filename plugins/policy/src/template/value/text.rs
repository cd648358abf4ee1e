//! A string that is cheap to hand around.

use std::{borrow::Cow, ops::Deref, rc::Rc};

#[derive(Clone, Debug)]
pub(in crate::template) enum Text<'v> {
    Borrowed(&'v str),
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Made(text.into())
    }
}

impl<'v> From<Cow<'v, str>> for Text<'v> {
    fn from(text: Cow<'v, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Borrowed(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl<'v> Text<'v> {
    /// Bytes that a client sent; what is not UTF-8 becomes U+FFFD.
    pub(in crate::template) fn from_bytes(bytes: &'v [u8]) -> Self {
        String::from_utf8_lossy(bytes).into()
    }
}
