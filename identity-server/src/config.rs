//! Settings, twice: as written ([`Written`]: a YAML file, overlaid by the environment) and as ready to use
//! ([`Settings`]: checked, defaults resolved). Everything between the two happens once, at start.
//!
//! Keys carry the names that Hydra and Kratos gave them wherever these have one. To add a key, add a field to the
//! struct of its section below `config/`; the YAML path, the environment variable and the refusal of misspelt
//! neighbours follow from it. A default is whatever the section's `Default` says, so every key has one.
//!
//! All problems are reported together, each with its key and what to do.

mod address_range;
mod check;
mod dsn;
mod environment;
mod read;
mod sections;

use std::net::SocketAddr;

use url::Url;

pub use address_range::AddressRange;
pub use check::Mode;
pub use dsn::Dsn;
pub use read::{ConfigError, Problem};
pub use sections::{
    AccessTokens, Argon2, Cookie, Grants, Hashers, JwtStrategy, KeyAlgorithm, Keys, Listener, Log,
    LogFormat, LogLevel, OAuth2, Oidc, Pkce, Playground, RefreshTokens, SameSite, ScopeClaim,
    Scopes, SecretLists, SelfService, SelfUrls, Serve, Session, Strategies, Ttl, Urls, Written,
};

use crate::duration::GoDuration;
use crate::secret::Secrets;

/// Everything that can be configured, checked and ready to use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether the relaxations of `--dev` hold: plain http, cookies without `Secure`.
    pub dev: bool,
    /// Where everything is kept.
    pub dsn: Dsn,
    /// Where the public listener binds.
    pub public: Listener,
    /// Where the admin listener binds.
    pub admin: Listener,
    /// `urls.self.issuer`, byte for byte as configured: the `iss` of every token.
    pub issuer: String,
    /// `urls.self.public` (by default the issuer): what endpoint URLs are built from.
    pub public_url: Url,
    /// The pages of somebody else that take the place of ours, where configured.
    pub urls: Urls,
    /// `ttl.*`
    pub ttl: Ttl,
    /// `strategies.*`
    pub strategies: Strategies,
    /// `oauth2.*`
    pub oauth2: OAuth2,
    /// `oidc.*`
    pub oidc: Oidc,
    /// `keys.*`
    pub keys: Keys,
    /// `session.*`
    pub session: Session,
    /// `selfservice.*`
    pub selfservice: SelfService,
    /// `hashers.*`
    pub hashers: Hashers,
    /// `playground.*`
    pub playground: Playground,
    /// `log.*`
    pub log: Log,
    /// `secrets.*`
    pub secrets: Secrets,
}

impl Settings {
    /// Checks what was written and resolves defaults.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem found; `source` names the origin in its message.
    pub fn resolve(written: Written, mode: Mode, source: &str) -> Result<Self, ConfigError> {
        check::resolve(written, mode, source)
    }

    /// Fills in the port that the system chose for the public listener, where `serve.public.port` was 0 and the
    /// issuer of `--dev` was made from it.
    pub fn listens_on(&mut self, public: SocketAddr) {
        if self.dev && self.public.port == 0 && self.issuer == self.public.url() {
            self.public.port = public.port();
            let issuer = self.public.url();
            if self.public_url.as_str().trim_end_matches('/') == self.issuer {
                self.public_url = Url::parse(&issuer).unwrap_or_else(|_| self.public_url.clone());
            }
            self.issuer = issuer;
        }
    }

    /// The absolute URL of `path` (which starts with `/`) on the public listener, as clients see it.
    #[must_use]
    pub fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether cookies must carry `Secure`: always, except where the public side is plain http.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The longest lifespan that any token signed by our keys may have; see [`Keys::longest_token`].
    #[must_use]
    pub fn longest_token(&self) -> time::Duration {
        let GoDuration(longest) = self.keys.longest_token;
        longest
            .max(self.ttl.access_token.0)
            .max(self.ttl.id_token.0)
    }
}

impl Written {
    /// Reads YAML text (empty text is an empty configuration) and lays environment variables over it.
    /// `variable` looks one up by name; `source` names the text in messages.
    ///
    /// # Errors
    /// [`ConfigError`]: not YAML, an unknown key, a value of the wrong kind.
    pub fn read(
        yaml: &str,
        source: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        read::read(yaml, source, variable)
    }
}

#[cfg(test)]
mod tests;
