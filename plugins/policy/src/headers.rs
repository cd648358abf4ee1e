//! A request's header fields, as the host handed them over: bytes, in order, repeats kept.

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
