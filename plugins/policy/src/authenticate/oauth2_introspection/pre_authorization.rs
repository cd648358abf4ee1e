//! `pre_authorization`: a token that lets us ask.

use std::time::Duration;

use crate::{
    Denial,
    ask::{Answer, Ask, Leg, Retry},
    compile::Compiler,
    config::Section,
    headers::holds_control,
};

use super::super::token_endpoint::{Granted, TokenEndpoint};

/// As whom we introspect.
#[derive(Debug)]
pub(super) struct PreAuthorization {
    endpoint: TokenEndpoint,
    client_id: String,
    client_secret: String,
    give_up_after: Option<Duration>,
}

/// A token is not used for the last of its life, so that it does not end on its way.
const MARGIN: Duration = Duration::from_secs(10);

impl PreAuthorization {
    /// Reads the key `pre_authorization`; `None` where it is absent or not enabled.
    pub(super) fn compile(
        section: &mut Section<'_>,
        retry: Retry,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        let mut section = section.section("pre_authorization");
        let enabled = section.bool("enabled", false);
        let audience = section.string("audience").filter(|it| !it.is_empty());
        let scopes = section.strings("scope").unwrap_or_default();
        let required = if enabled {
            let endpoint = compiler.endpoint(&mut section, "token_url");
            let client_id = section.required_string("client_id");
            let client_secret = section.required_string("client_secret");
            endpoint.zip(client_id.zip(client_secret))
        } else {
            for key in ["token_url", "client_id", "client_secret"] {
                section.string(key);
            }
            None
        };
        section.finish();
        let (endpoint, (client_id, client_secret)) = required?;
        Some(Self {
            endpoint: TokenEndpoint {
                endpoint,
                scopes,
                audience,
                timeout: retry.max_delay,
            },
            client_id,
            client_secret,
            give_up_after: retry.give_up_after,
        })
    }

    /// Asks for a token, which is remembered for as long as it is good.
    pub(super) fn ask(&self) -> Ask {
        Ask {
            leg: Leg::Preliminary,
            reuse: Some(Duration::MAX),
            give_up_after: self.give_up_after,
            ..Ask::once(self.endpoint.call(&self.client_id, &self.client_secret))
        }
    }
}

/// The token for the introspection endpoint. That we get none says nothing about the caller.
pub(super) fn granted(answer: &Answer) -> Result<Granted, Denial> {
    let response = answer.reply.as_ref().map_err(|failure| {
        Denial::Internal(format!("the token endpoint could not be asked: {failure}"))
    })?;
    let granted = Granted::read(response).ok_or_else(|| {
        let status = response.status;
        Denial::Internal(format!("the token endpoint answered {status} and no token"))
    })?;
    if holds_control(granted.access_token.as_bytes()) {
        let reason = "the token endpoint's token holds control characters";
        return Err(Denial::Internal(reason.to_owned()));
    }
    Ok(Granted {
        good_for: granted.good_for.saturating_sub(MARGIN),
        ..granted
    })
}
