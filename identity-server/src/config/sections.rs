//! Every key, as written. Each section is a struct whose `Default` is the documented default.

use serde::{Deserialize, Serialize};

use super::address_range::AddressRange;
use crate::duration::GoDuration;
use crate::keys::{Algorithm, KeySet};
use crate::secret::SecretText;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// `memory`, or `sqlite://<file>`.
    pub dsn: String,
    /// Where to listen.
    pub serve: Serve,
    /// Addresses as the outside sees them.
    pub urls: Urls,
    /// What everything secret is derived from.
    pub secrets: SecretLists,
    /// Lifespans.
    pub ttl: Ttl,
    /// Which of several ways.
    pub strategies: Strategies,
    /// OAuth 2.
    pub oauth2: OAuth2,
    /// OpenID Connect.
    pub oidc: Oidc,
    /// Signing keys.
    pub keys: Keys,
    /// Sessions of people.
    pub session: Session,
    /// Registration, login and their like.
    pub selfservice: SelfService,
    /// Password hashing.
    pub hashers: Hashers,
    /// The playground.
    pub playground: Playground,
    /// Logs.
    pub log: Log,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            dsn: "sqlite://gatepost.sqlite".into(),
            serve: Serve::default(),
            urls: Urls::default(),
            secrets: SecretLists::default(),
            ttl: Ttl::default(),
            strategies: Strategies::default(),
            oauth2: OAuth2::default(),
            oidc: Oidc::default(),
            keys: Keys::default(),
            session: Session::default(),
            selfservice: SelfService::default(),
            hashers: Hashers::default(),
            playground: Playground::default(),
            log: Log::default(),
        }
    }
}

/// `serve`: the two listeners.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// For everybody.
    #[serde(deserialize_with = "public_listener")]
    pub public: Listener,
    /// For operators: it asks nobody who they are, so it belongs on loopback or a private network.
    #[serde(deserialize_with = "admin_listener")]
    pub admin: Listener,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            public: Listener::on(4444),
            admin: Listener::on(4445),
        }
    }
}

/// `serve.public`, `serve.admin`: one listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listener {
    /// Host name or IP address; `127.0.0.1` by default, `0.0.0.0` in a container.
    pub host: String,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
    /// `serve.public` only: the proxies whose `X-Forwarded-For` is believed; by default nobody's.
    pub trusted_proxies: Vec<AddressRange>,
}

impl Listener {
    fn on(port: u16) -> Self {
        Self {
            host: "127.0.0.1".into(),
            port,
            trusted_proxies: Vec::new(),
        }
    }

    /// Whether only this machine can reach it, as far as the host's spelling tells.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host.eq_ignore_ascii_case("localhost")
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// Its address, in plain http.
    pub(super) fn url(&self) -> String {
        // An IPv6 address needs its brackets.
        let ipv6 = self.host.contains(':') && !self.host.starts_with('[');
        let host = if ipv6 {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("http://{host}:{}", self.port)
    }
}

/// A listener with parts left out; what is missing depends on which listener it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartialListener {
    host: Option<String>,
    port: Option<u16>,
    trusted_proxies: Option<Vec<AddressRange>>,
}

impl PartialListener {
    fn or(self, default: Listener) -> Listener {
        Listener {
            host: self.host.unwrap_or(default.host),
            port: self.port.unwrap_or(default.port),
            trusted_proxies: self.trusted_proxies.unwrap_or(default.trusted_proxies),
        }
    }
}

fn public_listener<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Listener, D::Error> {
    Ok(PartialListener::deserialize(deserializer)?.or(Serve::default().public))
}

fn admin_listener<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Listener, D::Error> {
    let written = PartialListener::deserialize(deserializer)?;
    if written.trusted_proxies.is_some() {
        return Err(serde::de::Error::custom(
            "`trusted_proxies` belongs under `serve.public`; the admin listener looks at no address",
        ));
    }
    Ok(written.or(Serve::default().admin))
}

/// `urls`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Urls {
    /// Ourselves.
    #[serde(rename = "self")]
    pub own: SelfUrls,
    /// A sign-in page to use instead of ours. It takes part through Hydra's login challenge.
    pub login: Option<String>,
    /// A consent page to use instead of ours.
    pub consent: Option<String>,
    /// A sign-out page to use instead of ours.
    pub logout: Option<String>,
    /// An error page to use instead of ours.
    pub error: Option<String>,
    /// Where a browser lands after signing out, if the client named no place.
    pub post_logout_redirect: Option<String>,
}

/// `urls.self`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelfUrls {
    /// The issuer, an https URL; it goes into tokens byte for byte.
    pub issuer: Option<String>,
    /// Where clients reach the public listener; the issuer by default.
    pub public: Option<String>,
}

/// `secrets`: lists, the newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretLists {
    /// What stored keys are encrypted under and codes are signed with.
    pub system: Vec<SecretText>,
    /// The same for cookies; `secrets.system` by default.
    pub cookie: Vec<SecretText>,
}

/// `ttl`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ttl {
    /// Access tokens.
    pub access_token: GoDuration,
    /// ID tokens.
    pub id_token: GoDuration,
    /// Refresh tokens; negative means without end.
    pub refresh_token: GoDuration,
    /// Authorization codes; RFC 6749 asks for ten minutes at most.
    pub auth_code: GoDuration,
    /// How long a person may take to sign in and consent.
    pub login_consent_request: GoDuration,
    /// How long a remembered sign-in lasts.
    pub authentication_session: GoDuration,
}

impl Default for Ttl {
    fn default() -> Self {
        Self {
            access_token: GoDuration::hours(1),
            id_token: GoDuration::hours(1),
            refresh_token: GoDuration::hours(720),
            auth_code: GoDuration::seconds(60),
            login_consent_request: GoDuration::minutes(30),
            authentication_session: GoDuration::hours(720),
        }
    }
}

/// `strategies`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategies {
    /// What an access token is.
    pub access_token: AccessTokens,
    /// How granted scopes are compared with requested ones.
    pub scope: Scopes,
    /// JWT access tokens.
    pub jwt: JwtStrategy,
}

/// `strategies.jwt`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtStrategy {
    /// How a JWT access token carries its scopes.
    pub scope_claim: ScopeClaim,
}

/// `strategies.access_token`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokens {
    /// A signed token that a proxy checks by itself. (Hydra's default is `opaque`.)
    #[default]
    Jwt,
    /// A random string; whoever gets it must ask.
    Opaque,
}

/// `strategies.scope`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scopes {
    /// `users.*` covers `users.read`.
    #[default]
    Wildcard,
    /// Only the same text.
    Exact,
}

/// `strategies.jwt.scope_claim`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeClaim {
    /// `"scp": ["a", "b"]`
    #[default]
    List,
    /// `"scope": "a b"` (RFC 9068)
    String,
    /// Both.
    Both,
}

/// `oauth2`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth2 {
    /// Whether an error tells the client what went wrong inside.
    pub expose_internal_errors: bool,
    /// Proof key for code exchange (RFC 7636).
    pub pkce: Pkce,
    /// Per grant.
    pub grant: Grants,
}

/// `oauth2.pkce`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pkce {
    /// Every client must use it. On by default, against Hydra's: RFC 9700 recommends it even for clients with a secret.
    pub enforced: bool,
    /// If not every client, then at least every one without a secret. On by default: RFC 9700 requires it.
    pub enforced_for_public_clients: bool,
}

impl Default for Pkce {
    fn default() -> Self {
        Self {
            enforced: true,
            enforced_for_public_clients: true,
        }
    }
}

/// `oauth2.grant`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// `refresh_token`
    pub refresh_token: RefreshTokens,
}

/// `oauth2.grant.refresh_token`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshTokens {
    /// For how long a used refresh token still answers, with the same successor, for clients whose first answer got
    /// lost. Ends at once when the successor is used. (Hydra's default is 0, and its answer is a new token.)
    pub rotation_grace_period: GoDuration,
    /// After how long a person has to sign in again, however often the token was refreshed; 0 means never.
    pub absolute_lifetime: GoDuration,
}

impl Default for RefreshTokens {
    fn default() -> Self {
        Self {
            rotation_grace_period: GoDuration::seconds(5),
            absolute_lifetime: GoDuration::hours(8760),
        }
    }
}

/// `oidc`; its keys come with later issues.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {}

/// `keys`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// What new signing keys are.
    pub algorithm: Algorithm,
    /// The same for access tokens only.
    pub access_token: KeyAlgorithm,
    /// The same for ID tokens only.
    pub id_token: KeyAlgorithm,
    /// For how long others may cache the key set.
    pub jwks_max_age: GoDuration,
    /// For how long a new key is published before it signs. Must exceed `jwks_max_age`, or a verifier meets a
    /// token whose key it has not seen.
    pub publish_ahead: GoDuration,
    /// The longest lifespan that any client's tokens may have. A retired key stays published for so long.
    pub longest_token: GoDuration,
    /// Files with key sets (RFC 7517) that others sign with, such as the mutator `id_token`: their public keys are
    /// published beside ours. Read again when they change.
    pub also_publish: Vec<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            access_token: KeyAlgorithm::default(),
            id_token: KeyAlgorithm::default(),
            jwks_max_age: GoDuration::minutes(5),
            publish_ahead: GoDuration::minutes(10),
            longest_token: GoDuration::hours(24),
            also_publish: Vec::new(),
        }
    }
}

impl Keys {
    /// What new keys of `set` are.
    #[must_use]
    pub fn algorithm_of(&self, set: KeySet) -> Algorithm {
        let own = match set {
            KeySet::AccessToken => &self.access_token,
            KeySet::IdToken => &self.id_token,
        };
        own.algorithm.unwrap_or(self.algorithm)
    }
}

/// `keys.access_token`, `keys.id_token`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyAlgorithm {
    /// `keys.algorithm` by default.
    pub algorithm: Option<Algorithm>,
}

/// `session`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// How long a session lasts.
    pub lifespan: GoDuration,
    /// Its cookie.
    pub cookie: Cookie,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            lifespan: GoDuration::hours(24),
            cookie: Cookie::default(),
        }
    }
}

/// `session.cookie`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cookie {
    /// Its name; Kratos' by default, so that Oathkeeper rules need no change.
    pub name: String,
    /// Whether it outlives the browser.
    pub persistent: bool,
    /// The `SameSite` attribute.
    pub same_site: SameSite,
    /// The `Domain` attribute; none by default, which is the narrowest.
    pub domain: Option<String>,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: "ory_kratos_session".into(),
            persistent: true,
            same_site: SameSite::Lax,
            domain: None,
        }
    }
}

/// `session.cookie.same_site`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SameSite {
    /// Sent on same-site requests and when somebody follows a link.
    Lax,
    /// Sent on same-site requests only.
    Strict,
    /// Always sent; browsers demand https for it.
    None,
}

/// `selfservice`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelfService {
    /// Where a browser goes when a flow ends and it named no place itself.
    pub default_browser_return_url: Option<String>,
    /// Where `return_to` may point besides that.
    pub allowed_return_urls: Vec<String>,
}

/// `hashers`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hashers {
    /// What a new password hash costs. Older hashes are replaced when their owner signs in.
    pub argon2: Argon2,
}

/// `hashers.argon2`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2 {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for Argon2 {
    /// The first choice of OWASP's password storage cheat sheet.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
        }
    }
}

/// `playground`: the decision engine in a browser, on the admin listener.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Playground {
    /// The file that `cargo xtask build` makes; by default `playground.html` beside the binary.
    pub page: Option<String>,
}

/// `log`
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How much to say.
    pub level: LogLevel,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            format: LogFormat::Text,
        }
    }
}

/// `log.level`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs repair. (Hydra's `panic` and `fatal` mean this too.)
    #[serde(alias = "panic", alias = "fatal")]
    Error,
    /// What needs attention.
    #[serde(alias = "warning")]
    Warn,
    /// One line per request.
    Info,
    /// How decisions were made.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// `log.format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// For machines: one JSON object a line.
    Json,
}
