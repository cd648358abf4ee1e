//! Making tokens: claims, lifespans, records. Nothing here reads or writes the store.

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::Request;
use crate::config::{AccessTokens, ScopeClaim};
use crate::duration::GoDuration;
use crate::keys::{Envelope, KeySet};
use crate::oauth2::error::OAuthError;
use crate::oauth2::token::TokenResponse;
use crate::oauth2::tokens::{AccessToken, Grant, RefreshToken};
use crate::oidc::id_token;
use crate::secret::digest;

/// Which of a client's lifespans apply.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spans {
    pub(super) access: Option<GoDuration>,
    pub(super) id: Option<GoDuration>,
    pub(super) refresh: Option<GoDuration>,
}

/// What an access token is to say.
pub(super) struct Access<'a> {
    pub(super) grant_id: Option<&'a str>,
    pub(super) subject: &'a str,
    pub(super) scope: Vec<String>,
    pub(super) audience: Vec<String>,
    pub(super) extra: Map<String, Value>,
}

/// An access token and its record.
pub(super) struct IssuedAccess {
    pub(super) token: String,
    pub(super) record: AccessToken,
}

impl Request<'_> {
    /// Signs or draws an access token.
    pub(super) fn access_token(
        self,
        access: Access<'_>,
        spans: Spans,
    ) -> Result<IssuedAccess, OAuthError> {
        let settings = self.app.settings();
        let issued_at = whole_seconds(self.now);
        let lifespan = spans
            .access
            .unwrap_or(settings.ttl.access_token)
            .0
            .min(settings.longest_token());
        let expires_at = issued_at.saturating_add(lifespan);
        let strategy = self
            .client
            .profile
            .access_token_strategy
            .unwrap_or(settings.strategies.access_token);
        let token = match strategy {
            AccessTokens::Opaque => format!("ory_at_{}", self.app.entropy().token(32)?),
            AccessTokens::Jwt => {
                let claims = self.claims(&access, issued_at, expires_at)?;
                let envelope = Envelope {
                    set: KeySet::AccessToken,
                    typ: "JWT",
                    issued_at: self.now,
                    expires_at,
                };
                self.app.keys().sign(envelope, &claims)?
            }
        };
        let record = AccessToken {
            digest: digest(&token),
            grant_id: access.grant_id.map(str::to_owned),
            client_id: self.client.id.clone(),
            subject: access.subject.to_owned(),
            scope: access.scope,
            audience: access.audience,
            extra: access.extra,
            issued_at,
            expires_at,
        };
        Ok(IssuedAccess { token, record })
    }

    fn claims(
        self,
        access: &Access<'_>,
        from: OffsetDateTime,
        to: OffsetDateTime,
    ) -> Result<Value, OAuthError> {
        let settings = self.app.settings();
        let mut claims = json!({
            "iss": settings.issuer,
            "sub": access.subject,
            "aud": access.audience,
            "client_id": self.client.id,
            "iat": from.unix_timestamp(),
            "nbf": from.unix_timestamp(),
            "exp": to.unix_timestamp(),
            "jti": self.app.entropy().uuid()?.to_string(),
            "ext": access.extra,
        });
        if let Some(claims) = claims.as_object_mut() {
            let form = settings.strategies.jwt.scope_claim;
            if matches!(form, ScopeClaim::List | ScopeClaim::Both) {
                claims.insert("scp".into(), json!(access.scope));
            }
            if matches!(form, ScopeClaim::String | ScopeClaim::Both) {
                claims.insert("scope".into(), access.scope.join(" ").into());
            }
        }
        Ok(claims)
    }

    /// The access token of a grant, with `scope` (all of the grant's, or fewer).
    pub(super) fn access_of(
        self,
        grant: &Grant,
        scope: &[String],
        spans: Spans,
    ) -> Result<IssuedAccess, OAuthError> {
        let access = Access {
            grant_id: Some(&grant.id),
            subject: &grant.subject,
            scope: scope.to_vec(),
            audience: grant.details.audience.clone(),
            extra: grant.details.claims.access_token.clone(),
        };
        self.access_token(access, spans)
    }

    /// The ID token of a grant, if `scope` asks for one.
    pub(super) fn id_token_of(
        self,
        grant: &Grant,
        scope: &[String],
        access_token: &str,
        spans: Spans,
    ) -> Result<Option<String>, OAuthError> {
        if !scope.iter().any(|scope| scope == "openid") {
            return Ok(None);
        }
        let settings = self.app.settings();
        let lifespan = spans
            .id
            .unwrap_or(settings.ttl.id_token)
            .0
            .min(settings.longest_token());
        id_token::issue(self.app, grant, access_token, self.now, lifespan).map(Some)
    }

    /// A fresh refresh token for a grant.
    pub(super) fn refresh_token_of(
        self,
        grant: &Grant,
        spans: Spans,
    ) -> Result<(String, RefreshToken), OAuthError> {
        let token = format!("ory_rt_{}", self.app.entropy().token(32)?);
        let record = RefreshToken {
            digest: digest(&token),
            grant_id: grant.id.clone(),
            issued_at: self.now,
            expires_at: self.refresh_expiry(grant, spans),
            rotation: None,
        };
        Ok((token, record))
    }

    /// The earlier of two ends: unused for `ttl.refresh_token`, or
    /// `oauth2.grant.refresh_token.absolute_lifetime` after the consent.
    fn refresh_expiry(self, grant: &Grant, spans: Spans) -> Option<OffsetDateTime> {
        let settings = self.app.settings();
        let idle = spans.refresh.unwrap_or(settings.ttl.refresh_token).0;
        let idle = (!idle.is_negative()).then(|| self.now.saturating_add(idle));
        let absolute = settings.oauth2.grant.refresh_token.absolute_lifetime.0;
        let absolute = absolute
            .is_positive()
            .then(|| grant.created_at.saturating_add(absolute));
        match (idle, absolute) {
            (Some(idle), Some(absolute)) => Some(idle.min(absolute)),
            (end, None) | (None, end) => end,
        }
    }
}

/// The answer.
pub(super) fn response(
    access: &IssuedAccess,
    id_token: Option<String>,
    refresh_token: Option<String>,
) -> TokenResponse {
    TokenResponse {
        access_token: access.token.clone(),
        expires_in: (access.record.expires_at - access.record.issued_at).whole_seconds(),
        id_token,
        refresh_token,
        scope: access.record.scope.join(" "),
        token_type: "bearer",
    }
}

/// When a grant under which these were issued can be forgotten.
pub(super) fn ends_at(access: &AccessToken, refresh: Option<&RefreshToken>) -> OffsetDateTime {
    let refresh_end = refresh.map(|refresh| {
        refresh
            .expires_at
            .unwrap_or_else(|| refresh.issued_at.saturating_add(Duration::weeks(5200)))
    });
    refresh_end.map_or(access.expires_at, |end| end.max(access.expires_at))
}

/// Token times are whole seconds.
fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}
