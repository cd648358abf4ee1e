//! `oauth2_client_credentials`: a client that names itself with HTTP Basic, checked by asking for a token
//! in its name. The token itself is not used.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

use crate::{
    Denial, Session,
    ask::{Answer, Ask, Retry, Told, reuse},
    call,
    compile::{Compiler, Entry},
    pipeline::Facts,
};

use super::{
    Authentication,
    token_endpoint::{Granted, TokenEndpoint},
    token_from::{Several, only},
};

/// Responsible for requests with Basic credentials (RFC 7617).
#[derive(Debug)]
pub(crate) struct OAuth2ClientCredentials {
    endpoint: TokenEndpoint,
    give_up_after: Option<Duration>,
    reuse: Option<Duration>,
}

/// Who calls, as the header says.
struct Client {
    id: String,
    secret: String,
}

/// Why there is no [`Client`].
enum NoClient {
    /// Other credentials than Basic ones, or none.
    NoBasic,
    Refused(&'static str),
}

impl OAuth2ClientCredentials {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let endpoint = compiler.endpoint(&mut section, "token_url");
        let scopes = section.strings("required_scope").unwrap_or_default();
        let retry = Retry::compile(&mut section, Retry::ONCE);
        let reuse = reuse::compile(&mut section, "max_tokens");
        section.finish();
        Some(Self {
            endpoint: TokenEndpoint {
                endpoint: endpoint?,
                scopes,
                audience: None,
                timeout: retry.max_delay,
            },
            give_up_after: retry.give_up_after,
            reuse,
        })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        match Client::of(facts) {
            Ok(client) => Authentication::Ask(Box::new(Ask {
                reuse: self.reuse,
                give_up_after: self.give_up_after,
                ..Ask::once(self.endpoint.call(&client.id, &client.secret))
            })),
            Err(NoClient::NoBasic) => Authentication::NotResponsible,
            Err(NoClient::Refused(reason)) => {
                Authentication::Refused(Denial::Unauthorized(reason.to_owned()))
            }
        }
    }

    /// Whoever gets a token is who it says. The answer is good for as long as that token; what scopes it
    /// has does not matter, as in Oathkeeper.
    pub(super) fn resume(&self, facts: &Facts<'_>, answer: &Answer) -> Told<Authentication> {
        let granted = granted(answer).and_then(|granted| match Client::of(facts) {
            Ok(client) => Ok((client, granted)),
            Err(_) => Err(Denial::Internal("the request has changed".to_owned())),
        });
        match granted {
            Ok((client, granted)) => Told {
                outcome: Authentication::Known(Session {
                    subject: client.id,
                    ..Session::default()
                }),
                good_for: granted.good_for,
            },
            Err(denial) => Told::once(Authentication::Refused(denial)),
        }
    }
}

fn granted(answer: &Answer) -> Result<Granted, Denial> {
    let response = answer.reply.as_ref().map_err(|failure| {
        Denial::Unavailable(format!("the token endpoint could not be asked: {failure}"))
    })?;
    match response.status {
        200..300 => Granted::read(response).ok_or_else(|| {
            Denial::Unavailable("the token endpoint's answer holds no token".to_owned())
        }),
        _ => Err(refusal(response)),
    }
}

/// Oathkeeper's statuses: the endpoint's own for what is not the client's fault, else 401.
fn refusal(response: &call::Response) -> Denial {
    let status = response.status;
    let reason = format!("the token endpoint answered {status}");
    match status {
        404 => Denial::NotFound(reason),
        429 => Denial::rate_limited(&response.headers),
        500 => Denial::Internal(reason),
        503 => Denial::Unavailable(reason),
        504 => Denial::Timeout(reason),
        _ => Denial::Unauthorized(reason),
    }
}

impl Client {
    /// The client of a request: Basic credentials, each part encoded as in a form (RFC 6749 section
    /// 2.3.1).
    fn of(facts: &Facts<'_>) -> Result<Self, NoClient> {
        let header = only(facts.request.headers.all("authorization")).map_err(|Several| {
            NoClient::Refused("the request carries more than one `Authorization`")
        })?;
        let (id, secret) = header.and_then(basic).ok_or(NoClient::NoBasic)?;
        match (form_decoded(&id), form_decoded(&secret)) {
            (Some(id), _) if id.is_empty() => Err(NoClient::Refused("the client has no name")),
            (Some(id), Some(secret)) => Ok(Self { id, secret }),
            _ => Err(NoClient::Refused(
                "the client's name or secret is not form-encoded",
            )),
        }
    }
}

/// User and password of a Basic header.
fn basic(header: &[u8]) -> Option<(String, String)> {
    let (scheme, credentials) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (user, password) = credentials.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// A value out of a form; `None` where an escape is none, or bytes are no text.
fn form_decoded(text: &str) -> Option<String> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
