//! `id_token`: hands the upstream a token of our own that says who is calling.

use std::{sync::Arc, time::Duration};

use crate::{
    Denial, Session,
    ask::Progress,
    compile::{Compiler, Entry},
    config::Place,
    digest::{Hash, keyed},
    jose::{NoToken, Order},
    pipeline::{Facts, Memory},
    template::{Data, Template},
};

/// The claims of a rule that names none.
const NO_CLAIMS: &str = "{}";

/// How long a token is good where the configuration does not say.
const TTL: Duration = Duration::from_secs(15 * 60);

/// How long at most: longer ones would outlive their key's publication.
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Signs a token (RFC 7519) for each caller and uses it until a tenth of its time is left.
#[derive(Debug)]
pub(crate) struct IdToken {
    issuer: Box<str>,
    /// The number of the signing key's source.
    source: usize,
    ttl: Duration,
    claims: Option<Template>,
    /// Where the key is named.
    place: Place,
    /// Tells this configuration from all others.
    handler: Hash,
    /// The field that is set.
    field: Arc<str>,
}

impl IdToken {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let issuer = section.required_string("issuer_url");
        if issuer.as_deref() == Some("") {
            section.wrong("issuer_url", "must not be empty: upstreams check `iss`");
        }
        let url = section.required_string("jwks_url");
        let ttl = section.duration("ttl").unwrap_or(TTL);
        if ttl < Duration::from_secs(1) || ttl > MAX_TTL {
            section.wrong("ttl", "must be from `1s` to `24h`");
        }
        let claims = section.string("claims").filter(|claims| !claims.is_empty());
        let claims = claims.and_then(|source| match Template::parse(&source) {
            Ok(template) => Some(template),
            Err(error) => {
                section.wrong("claims", error.to_string());
                None
            }
        });
        let place = section.place().key("jwks_url");
        section.finish();
        let (issuer, url) = (issuer?, url?);
        let source = compiler.signing_key(&url, place.clone())?;
        let seconds = ttl.as_nanos().to_be_bytes();
        let handler = keyed(&[0; 32], &[issuer.as_bytes(), &seconds, url.as_bytes()]);
        Some(Self {
            issuer: issuer.into(),
            source,
            ttl,
            claims,
            place,
            handler,
            field: "Authorization".into(),
        })
    }

    /// The number of the key that it signs with, and where that is named.
    pub(super) const fn signs_with(&self) -> (usize, &Place) {
        (self.source, &self.place)
    }

    pub(super) fn mutate_with(
        &self,
        session: &mut Session,
        facts: &Facts<'_>,
        memory: &mut Memory,
    ) -> Progress {
        let claims = match self.claims(session, facts) {
            Ok(claims) => claims,
            Err(denial) => return Progress::Refused(denial),
        };
        let order = Order {
            source: self.source,
            handler: &self.handler,
            claims: &claims,
            subject: &session.subject,
            issuer: &self.issuer,
            ttl: self.ttl,
        };
        match memory.minter.mint(&order, &mut memory.entropy, facts.now) {
            Ok(token) => {
                session.set_header(&self.field, format!("Bearer {token}"));
                Progress::Done
            }
            Err(NoToken::Fetching) => Progress::Await(memory.signing_fetch(self.source)),
            Err(error) => Progress::Refused(Denial::Internal(format!(
                "no token could be made for the upstream: {error}"
            ))),
        }
    }

    /// The claims of the rule's template, as text.
    fn claims(&self, session: &Session, facts: &Facts<'_>) -> Result<String, Denial> {
        let Some(template) = &self.claims else {
            return Ok(NO_CLAIMS.to_owned());
        };
        let data = Data {
            session,
            context: facts.match_context(),
        };
        template.render_json(&data).map_err(|error| {
            Denial::Internal(format!(
                "the template of the token's claims failed: {error}"
            ))
        })
    }
}
