//! Keeps values inside the JSON strings that a template puts them in.

/// Whether the output so far ends within a JSON string (RFC 8259 section 7).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InString {
    in_string: bool,
    /// Whether the last character was a backslash that speaks for the next one.
    escaping: bool,
}

impl InString {
    /// Takes in more output.
    pub(super) fn advance(&mut self, text: &str) {
        for byte in text.bytes() {
            (self.in_string, self.escaping) = match (self.in_string, self.escaping, byte) {
                (true, true, _) => (true, false),
                (true, false, b'\\') => (true, true),
                (in_string, false, b'"') => (!in_string, false),
                (in_string, ..) => (in_string, false),
            };
        }
    }

    /// Whether what is printed next stands within a string.
    #[cfg(feature = "analysis")]
    pub(super) const fn is_inside(self) -> bool {
        self.in_string
    }

    /// What must be written in place of an action's `text`; `None` where it may stand as it is: outside of
    /// strings, and where nothing in it needs to be escaped, or its author has done so.
    ///
    /// Whether that is so must not be guessed from the text: a name of ten characters, `\u0061dmin`,
    /// would arrive as `admin`.
    pub(super) fn escaped(self, text: &str, by_author: impl Fn() -> bool) -> Option<String> {
        let stands = is_plain(text) || (by_author() && is_content(text));
        if !self.in_string || (!self.escaping && stands) {
            return None;
        }
        let quoted = serde_json::to_string(text).ok()?;
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        // A backslash of the template's would speak for the first one here.
        let backslash = if self.escaping { "\\" } else { "" };
        Some(format!("{backslash}{inner}"))
    }
}

/// Whether `text` can be the content of a JSON string.
fn is_content(text: &str) -> bool {
    serde_json::from_str::<String>(&format!("\"{text}\"")).is_ok()
}

/// Whether `text` says in a JSON string just what it says by itself.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c == '"' || c == '\\' || c.is_control())
}
