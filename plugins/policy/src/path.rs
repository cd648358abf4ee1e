//! The URL that is matched, made canonical once.

/// A canonical request URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`, in lower case.
    pub scheme: String,
    /// Host, with the port where one was sent; lower case, no trailing dot.
    pub host: String,
    /// The decoded, cleaned path that is matched: `/a/b`, never with a trailing slash except `/`.
    pub path: String,
    /// The raw query without `?`, where there is one.
    pub query: Option<String>,
}
