//! A request's header fields, as the host handed them over: bytes, in order, repeats kept.

#[cfg(feature = "templates")]
mod templates;

#[cfg(feature = "templates")]
pub(crate) use templates::HeaderTemplate;

/// The header fields of one request, including HTTP/2 pseudo-header fields such as `:path`.
///
/// Names are compared without regard to case (RFC 9110 section 5.1); values are bytes, since a
/// client may send anything in them.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Headers {
    /// Takes over the fields as a proxy-wasm host returns them (`get_http_request_headers_bytes`).
    #[must_use]
    pub const fn new(fields: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        Self { fields }
    }

    /// The first value of `name`, like Go's `Header.Get`.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The first value of `name`, where it is UTF-8.
    #[must_use]
    pub fn first_str(&self, name: &str) -> Option<&str> {
        self.first(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, in the order they arrived.
    pub fn all<'s, 'n>(&'s self, name: &'n str) -> impl Iterator<Item = &'s [u8]> + use<'s, 'n> {
        self.iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// How many bytes the fields hold, for those who bound what they keep.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.iter()
            .map(|(name, value)| name.len().saturating_add(value.len()))
            .fold(0, usize::saturating_add)
    }

    /// Keeps only the fields whose names `is_kept`.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&[u8]) -> bool) {
        self.fields.retain(|(name, _)| is_kept(name));
    }

    /// Adds a field behind all others.
    pub(crate) fn push(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.fields.push((name, value));
    }

    /// Every field in the order it arrived.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }
}

impl<N: Into<Vec<u8>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self::new(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Fields that frame the message or belong to one hop (RFC 9110 section 7.6.1): a rule that set
/// them could make proxy and upstream disagree about where a request ends.
const UNTOUCHABLE: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a rule may set a header of this name, on the request or on a call of its own: it must be a
/// token (RFC 9110 section 5.1) and none that rules must not touch.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_settable(name: &str) -> Result<(), String> {
    if !is_token(name.as_bytes()) {
        return Err(format!("`{name}` is not a header name"));
    }
    if UNTOUCHABLE
        .iter()
        .any(|header| header.eq_ignore_ascii_case(name))
    {
        return Err(format!(
            "`{name}` belongs to the connection and cannot be set by a rule"
        ));
    }
    Ok(())
}

/// Whether some upstream takes two field names for one: they differ at most in letter case and in `_`
/// for `-`, which CGI-like upstreams fold (peers T9).
#[must_use]
pub fn are_aliases(one: &[u8], other: &[u8]) -> bool {
    let folded = |byte: &u8| match byte {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    };
    one.len() == other.len() && one.iter().map(folded).eq(other.iter().map(folded))
}

/// Whether this is a token (RFC 9110 section 5.6.2), as the names of fields and methods are.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether a value could end its line and begin another (RFC 9110 section 5.5).
#[must_use]
pub fn holds_control(value: &[u8]) -> bool {
    value
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
}
