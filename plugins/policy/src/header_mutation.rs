//! Changes of headers alone: what the module `header-mutation` does.
//!
//! Decides nothing about access. It shares the engine's templates, its reading of URLs, its rules for
//! names and values, and its care that no client sends what only the proxy may say; what it adds is an
//! ordered list of operations, on requests and on responses.
//!
//! ```text
//!   JSON -> compile -> HeaderMutation                                          once, at load
//!   request headers  -> begin -> Exchange; needs -> facts -> on_request  -> edits    per request
//!   response headers ->                    needs -> facts -> on_response -> edits    per response
//! ```
//!
//! Like the rest of the engine it calls no host: [`Needs`] says what has to be asked, [`Told`] brings the
//! answers.

pub(crate) mod attribute;
mod claims;
mod compile;
mod condition;
mod fields;
mod operation;
mod wildcard;

use serde_json::{Map, Value};

use crate::{
    Headers,
    headers::are_aliases,
    path::{BadUrl, Url},
    request::Request,
    template::{AttributeValue, Reads},
};

pub use attribute::Attribute;
pub use fields::Edit;

use self::{
    claims::ClaimsFrom,
    condition::Condition,
    fields::Fields,
    operation::{Operation, Side},
};

/// The operations, ready to use.
#[derive(Debug)]
pub struct HeaderMutation {
    /// What is for all, and then the rules in order.
    rules: Vec<Rule>,
    claims_from: Option<ClaimsFrom>,
    /// Names in lower case that no client may send.
    reserved: Vec<String>,
}

/// Operations for certain messages.
#[derive(Debug)]
struct Rule {
    condition: Condition,
    request: Operations,
    response: Operations,
}

#[derive(Debug, Default)]
struct Operations {
    list: Vec<Operation>,
    /// What their templates draw from.
    reads: Reads,
}

/// One request, from its arrival until its response.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The rules that it meets, by number.
    rules: Vec<usize>,
    url: Option<Url>,
    claims: Option<Map<String, Value>>,
    /// Its header section as it went on, where a response's template asks for it.
    request: Option<Headers>,
}

/// What a host has to be asked before headers can be changed: only what their templates name.
#[derive(Debug, Default)]
pub struct Needs {
    /// The dynamic metadata: Envoy's attribute `metadata`.
    pub metadata: bool,
    /// Attributes.
    pub attributes: Vec<&'static Attribute>,
}

/// What the host has answered.
#[derive(Debug, Default)]
pub struct Told {
    /// The metadata; `None` where there is none.
    pub metadata: Option<Vec<u8>>,
    /// The attributes that there are, as the host wrote them.
    pub attributes: Vec<(&'static Attribute, Vec<u8>)>,
}

/// What is to be done to the headers.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The changes, to be made in this order.
    pub edits: Vec<Edit>,
    /// Operations that were left out, for the log.
    pub skipped: Vec<Failure>,
}

/// An operation whose value could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{place}`: {reason}")]
pub struct Failure {
    /// Where it stands in the configuration.
    pub place: String,
    /// What is wrong, without the value.
    pub reason: String,
    denies: bool,
}

/// Why a request is not passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Which rules it meets cannot be said, since upstreams may read its URL in other ways.
    #[error("the request is malformed: {0}")]
    Url(#[from] BadUrl),
    /// The metadata with the claims cannot be read.
    #[error("{0}")]
    Metadata(&'static str),
    /// The header with the claims cannot be read.
    #[error("{0}")]
    ClaimsHeader(&'static str),
    /// A value could not be made.
    #[error(transparent)]
    Operation(#[from] Failure),
}

impl Refusal {
    /// The status for the client (RFC 9110 section 15).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Url(_) | Self::ClaimsHeader(_) => 400,
            Self::Metadata(_) | Self::Operation(_) => 500,
        }
    }
}

/// What templates draw from.
struct Facts<'a> {
    claims: Option<&'a Map<String, Value>>,
    attributes: &'a [(&'static str, AttributeValue)],
    /// For a response: the request as it went on.
    request: Option<&'a Headers>,
    url: Option<&'a Url>,
    /// Of the response.
    status: u16,
}

impl HeaderMutation {
    /// Whether a request's headers have to be looked at.
    #[must_use]
    pub fn looks_at_requests(&self) -> bool {
        !self.reserved.is_empty()
            || self.rules.iter().any(|rule| {
                let reads = &rule.response.reads;
                !rule.request.list.is_empty()
                    || (!rule.response.list.is_empty()
                        && (!rule.condition.admits_every_request()
                            || reads.request
                            || reads.claims))
            })
    }

    /// Whether there is anything to do to responses.
    #[must_use]
    pub fn looks_at_responses(&self) -> bool {
        self.rules.iter().any(|rule| !rule.response.list.is_empty())
    }

    /// Whether no client may send a field of this name, in the header section or in trailers.
    #[must_use]
    pub fn reserves(&self, name: &[u8]) -> bool {
        self.reserved
            .iter()
            .any(|it| are_aliases(it.as_bytes(), name))
    }

    /// Whether any name is reserved.
    #[must_use]
    pub const fn reserves_any(&self) -> bool {
        !self.reserved.is_empty()
    }

    /// Finds the rules that a request with these headers meets.
    ///
    /// # Errors
    /// Its URL is needed for that, and malformed.
    pub fn begin(&self, headers: &Headers) -> Result<Exchange, Refusal> {
        let needs_url = |rule: &Rule| {
            rule.condition.needs_url() || rule.request.reads.url || rule.response.reads.url
        };
        let url = match self.rules.iter().any(needs_url) {
            true => Some(read_url(headers)?),
            false => None,
        };
        let rules = self.rules.iter().enumerate();
        let met = rules.filter(|(_, rule)| rule.condition.admits(headers, url.as_ref()));
        Ok(Exchange {
            rules: met.map(|(number, _)| number).collect(),
            url,
            ..Exchange::default()
        })
    }

    /// An exchange whose request never came here: another filter has answered it. Met are the rules that
    /// every request meets.
    #[must_use]
    pub fn begin_at_response(&self) -> Exchange {
        let rules = self.rules.iter().enumerate();
        let met = rules.filter(|(_, rule)| rule.condition.admits_every_request());
        Exchange {
            rules: met.map(|(number, _)| number).collect(),
            ..Exchange::default()
        }
    }

    /// What has to be asked before [`HeaderMutation::on_request`].
    #[must_use]
    pub fn request_needs(&self, exchange: &Exchange) -> Needs {
        let mut reads = Reads::default();
        for rule in self.met(exchange) {
            reads.add(&rule.request.reads);
            // Read now, while an earlier filter's word is fresh.
            reads.claims |= rule.response.reads.claims;
        }
        let is_metadata = matches!(self.claims_from, Some(ClaimsFrom::Metadata { .. }));
        Needs {
            metadata: reads.claims && is_metadata,
            attributes: reads.attributes,
        }
    }

    /// Changes the headers of a request.
    ///
    /// # Errors
    /// The request must not go on.
    pub fn on_request(
        &self,
        exchange: &mut Exchange,
        headers: &Headers,
        told: &Told,
    ) -> Result<Outcome, Refusal> {
        let (mut wants_claims, mut keeps_request) = (false, false);
        for rule in self.met(exchange) {
            wants_claims |= rule.request.reads.claims || rule.response.reads.claims;
            keeps_request |= rule.response.reads.request;
        }
        if let Some(from) = self.claims_from.as_ref().filter(|_| wants_claims) {
            exchange.claims = from.read(headers, told.metadata.as_deref())?;
        }
        let mut fields = Fields::of(headers);
        if self.reserves_any() {
            fields.remove(|name| self.reserves(name));
        }
        let attributes = attributes(told);
        let facts = Facts {
            claims: exchange.claims.as_ref(),
            attributes: &attributes,
            request: None,
            url: exchange.url.as_ref(),
            status: 0,
        };
        let mut skipped = Vec::new();
        for operation in self.met(exchange).flat_map(|rule| &rule.request.list) {
            match operation.run(&mut fields, Side::Request, &facts) {
                Ok(()) => {}
                Err(failure) if failure.denies => return Err(failure.into()),
                Err(failure) => skipped.push(failure),
            }
        }
        let edits = fields.edits();
        exchange.request = keeps_request.then_some(fields.now);
        Ok(Outcome { edits, skipped })
    }

    /// Whether there is anything to do to the response, but for its status.
    #[must_use]
    pub fn awaits_response(&self, exchange: &Exchange) -> bool {
        self.met(exchange)
            .any(|rule| !rule.response.list.is_empty())
    }

    /// What has to be asked before [`HeaderMutation::on_response`].
    #[must_use]
    pub fn response_needs(&self, exchange: &Exchange) -> Needs {
        let mut reads = Reads::default();
        for rule in self.met(exchange) {
            reads.add(&rule.response.reads);
        }
        Needs {
            metadata: false,
            attributes: reads.attributes,
        }
    }

    /// Changes the headers of a response.
    #[must_use]
    pub fn on_response(&self, exchange: &Exchange, headers: &Headers, told: &Told) -> Outcome {
        let status = headers.first_str(":status").and_then(|it| it.parse().ok());
        let status = status.unwrap_or_default();
        let attributes = attributes(told);
        let facts = Facts {
            claims: exchange.claims.as_ref(),
            attributes: &attributes,
            request: exchange.request.as_ref(),
            url: exchange.url.as_ref(),
            status,
        };
        let mut fields = Fields::of(headers);
        let met = self
            .met(exchange)
            .filter(|rule| rule.condition.admits_status(status));
        let mut skipped = Vec::new();
        for operation in met.flat_map(|rule| &rule.response.list) {
            skipped.extend(operation.run(&mut fields, Side::Response, &facts).err());
        }
        Outcome {
            edits: fields.edits(),
            skipped,
        }
    }

    fn met<'s>(&'s self, exchange: &'s Exchange) -> impl Iterator<Item = &'s Rule> {
        exchange
            .rules
            .iter()
            .filter_map(|number| self.rules.get(*number))
    }
}

impl Exchange {
    /// How many bytes it keeps until the response comes, for those who bound that.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.request.as_ref().map_or(0, Headers::bytes)
    }

    /// Keeps nothing for the response: what its templates want of the request is then missing.
    pub fn forget(&mut self) {
        self.request = None;
        self.claims = None;
    }
}

fn read_url(headers: &Headers) -> Result<Url, BadUrl> {
    Url::from_request(&Request {
        headers: headers.clone(),
        ..Request::default()
    })
}

fn attributes(told: &Told) -> Vec<(&'static str, AttributeValue)> {
    let told = told.attributes.iter();
    told.filter_map(|(attribute, bytes)| Some((attribute.name, attribute.read(bytes)?)))
        .collect()
}
