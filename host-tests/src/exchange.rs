//! What a client sends, and what becomes of it.

/// Header fields in order; names in lower case, as a proxy keeps them.
pub type Fields = Vec<(String, Vec<u8>)>;

/// A client's request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Pseudo-header fields first.
    pub headers: Fields,
    /// Delivered after the header fields, whatever the module said to those, in parts of
    /// [`Request::part`] bytes.
    pub body: Vec<u8>,
    /// How much of the body comes at once; all of it where it is 0.
    pub part: usize,
    /// Whether the client stops before the end of the body.
    pub is_cut: bool,
    /// Delivered last.
    pub trailers: Fields,
    /// The peer as the property `source.address` tells it, with its port.
    pub peer: Option<String>,
    /// What other properties say, by their path, such as `connection.subject_peer_certificate`.
    pub properties: Vec<(&'static str, String)>,
    /// The same for those whose values are no text.
    pub attributes: Vec<(String, Vec<u8>)>,
    /// What the upstream answers.
    pub response: Response,
    /// Whether another filter answers with [`Request::response`] before the module has seen the request.
    pub is_answered_early: bool,
}

impl Request {
    /// A request to `http://app.test`.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self::default()
            .header(":method", method)
            .header(":scheme", "http")
            .header(":authority", "app.test")
            .header(":path", path)
    }

    /// A `GET` to `http://app.test`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// With one more field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_lowercase(), value.into()));
        self
    }

    /// With a bearer token (RFC 6750 section 2.1).
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// With an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// Answered by the upstream with this status and, after others, this field.
    #[must_use]
    pub fn answered(mut self, status: u16, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.response.status = status;
        self.response
            .headers
            .push((name.to_lowercase(), value.into()));
        self
    }

    /// Without the field `name`.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(field, _)| field != name);
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With a body that comes in parts of so many bytes.
    #[must_use]
    pub const fn in_parts_of(mut self, bytes: usize) -> Self {
        self.part = bytes;
        self
    }

    /// With a body whose end never comes.
    #[must_use]
    pub const fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// With one more trailer field.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_lowercase(), value.into()));
        self
    }
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: Fields,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Its header section; an upstream of which nothing is said answers 200.
    pub(crate) fn fields(&self) -> Fields {
        let status = if self.status == 0 { 200 } else { self.status };
        let status = (":status".to_owned(), status.to_string().into_bytes());
        [status].into_iter().chain(self.headers.clone()).collect()
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not decided yet.
    Pending,
    /// The upstream got it, with these header fields and, behind them, trailers.
    Upstream(Fields),
    /// The module answered the client; the upstream saw nothing.
    Answered(Response),
    /// The client went away first.
    Gone,
    /// The module broke, now or earlier; it serves nothing any more.
    Trapped(String),
}

impl Outcome {
    /// The status that the client sees: the upstream answers 200, a broken module is a 503 (Envoy with
    /// `FAIL_CLOSED`).
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Upstream(_) => Some(200),
            Self::Answered(response) => Some(response.status),
            Self::Trapped(_) => Some(503),
            Self::Pending | Self::Gone => None,
        }
    }

    /// The first field `name` of the response, or of the request as the upstream got it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let fields = match self {
            Self::Upstream(fields) => fields,
            Self::Answered(response) => &response.headers,
            Self::Pending | Self::Gone | Self::Trapped(_) => return None,
        };
        first(fields, name)
    }

    /// The body of the module's answer.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Answered(response) => String::from_utf8_lossy(&response.body).into_owned(),
            _ => String::new(),
        }
    }
}

pub(crate) fn first(fields: &Fields, name: &str) -> Option<String> {
    fields
        .iter()
        .find(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}
