//! [`Written`] to [`Settings`]: every rule that a configuration must obey.

use url::Url;

use super::read::{ConfigError, Problem};
use super::{Dsn, Settings, Written};
use crate::secret::{SecretText, Secrets};

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `--dev`: plain http and a derived issuer are fine.
    Dev,
    /// The real thing.
    Production,
}

/// Shorter secrets are refused.
const SECRET_CHARACTERS: usize = 32;

/// A secret with fewer different characters than this was typed, not drawn.
const DISTINCT_CHARACTERS: usize = 10;

/// What one verifier may lag behind, besides the cache time that we allow: our own refresh, clocks, queues.
const PUBLISH_MARGIN: time::Duration = time::Duration::minutes(1);

pub(super) fn resolve(written: Written, mode: Mode, source: &str) -> Result<Settings, ConfigError> {
    let mut problems = Vec::new();
    check_secrets(
        "secrets.system",
        &written.secrets.system,
        true,
        &mut problems,
    );
    check_secrets(
        "secrets.cookie",
        &written.secrets.cookie,
        false,
        &mut problems,
    );
    check_lifespans(&written, &mut problems);
    check_listeners(&written, mode, &mut problems);
    check_pages(&written, &mut problems);
    let dsn = Dsn::parse(&written.dsn)
        .map_err(|message| problems.push(Problem::new("dsn", message)))
        .ok();
    let issuer = issuer(&written, mode, &mut problems);
    let public_url = written.urls.own.public.clone().or_else(|| issuer.clone());
    let public_url = public_url.and_then(|text| {
        own_url("urls.self.public", &text, mode)
            .map_err(|problem| problems.push(problem))
            .ok()
    });
    match (dsn, issuer, public_url) {
        (Some(dsn), Some(issuer), Some(public_url)) if problems.is_empty() => Ok(Settings {
            dev: mode == Mode::Dev,
            dsn,
            public: written.serve.public,
            admin: written.serve.admin,
            issuer,
            public_url,
            urls: written.urls,
            ttl: written.ttl,
            strategies: written.strategies,
            oauth2: written.oauth2,
            oidc: written.oidc,
            keys: written.keys,
            session: written.session,
            selfservice: written.selfservice,
            hashers: written.hashers,
            playground: written.playground,
            log: written.log,
            secrets: Secrets::new(written.secrets.system, written.secrets.cookie),
        }),
        _ => {
            problems.dedup();
            Err(ConfigError {
                source_name: source.to_owned(),
                problems,
            })
        }
    }
}

fn check_secrets(key: &str, secrets: &[SecretText], required: bool, problems: &mut Vec<Problem>) {
    const REMEDY: &str =
        "make one with `openssl rand -base64 48` and pass it in the file or as `SECRETS_SYSTEM`";
    if required && secrets.is_empty() {
        problems.push(Problem::new(
            key,
            format!("missing; it protects the signing keys: {REMEDY}"),
        ));
    }
    for (position, secret) in secrets.iter().enumerate() {
        let text = secret.expose();
        let mut characters: Vec<char> = text.chars().collect();
        let length = characters.len();
        characters.sort_unstable();
        characters.dedup();
        let complaint = if length < SECRET_CHARACTERS {
            format!("has {length} characters where {SECRET_CHARACTERS} are the least")
        } else if characters.len() < DISTINCT_CHARACTERS {
            "repeats a handful of characters".to_owned()
        } else {
            continue;
        };
        problems.push(Problem::new(
            format!("{key}[{position}]"),
            format!("too weak, it {complaint}; {REMEDY}"),
        ));
    }
}

fn check_lifespans(written: &Written, problems: &mut Vec<Problem>) {
    let ttl = &written.ttl;
    let positive = [
        ("ttl.access_token", ttl.access_token),
        ("ttl.id_token", ttl.id_token),
        ("ttl.auth_code", ttl.auth_code),
        ("ttl.login_consent_request", ttl.login_consent_request),
        ("ttl.authentication_session", ttl.authentication_session),
        ("session.lifespan", written.session.lifespan),
        ("keys.longest_token", written.keys.longest_token),
    ];
    for (key, value) in positive {
        if !value.0.is_positive() {
            problems.push(Problem::new(
                key,
                format!("`{value}` must be more than zero"),
            ));
        }
    }
    let keys = &written.keys;
    if keys.jwks_max_age.0.is_negative()
        || keys.publish_ahead.0 < keys.jwks_max_age.0 + PUBLISH_MARGIN
    {
        problems.push(Problem::new(
            "keys.publish_ahead",
            format!(
                "`{}` must exceed `keys.jwks_max_age` (`{}`) by at least a minute, or verifiers that cache the key \
                 set refuse good tokens after a rotation",
                keys.publish_ahead, keys.jwks_max_age
            ),
        ));
    }
}

fn check_listeners(written: &Written, mode: Mode, problems: &mut Vec<Problem>) {
    let (public, admin) = (&written.serve.public, &written.serve.admin);
    if public.port == admin.port && public.port != 0 && public.host == admin.host {
        problems.push(Problem::new(
            "serve.admin.port",
            "the admin listener needs an address of its own",
        ));
    }
    let sides = [("serve.public.host", public), ("serve.admin.host", admin)];
    for (key, listener) in sides {
        if mode == Mode::Dev && !listener.is_loopback() {
            problems.push(Problem::new(
                key,
                format!(
                    "other machines could reach `{}`, and `--dev` is plain http with secrets in a file; use \
                     `127.0.0.1`, or leave `--dev` out and set `secrets.system` and `urls.self.issuer`",
                    listener.host
                ),
            ));
        }
    }
}

fn check_pages(written: &Written, problems: &mut Vec<Problem>) {
    let urls = &written.urls;
    let pages = [
        ("urls.login", &urls.login),
        ("urls.consent", &urls.consent),
        ("urls.logout", &urls.logout),
        ("urls.error", &urls.error),
        ("urls.post_logout_redirect", &urls.post_logout_redirect),
        (
            "selfservice.default_browser_return_url",
            &written.selfservice.default_browser_return_url,
        ),
    ];
    for (key, url) in pages {
        if let Some(url) = url {
            problems.extend(http_url(key, url).err());
        }
    }
    for (position, url) in written.selfservice.allowed_return_urls.iter().enumerate() {
        problems
            .extend(http_url(&format!("selfservice.allowed_return_urls[{position}]"), url).err());
    }
}

/// The configured issuer, checked; in `--dev` the public listener's address stands in.
fn issuer(written: &Written, mode: Mode, problems: &mut Vec<Problem>) -> Option<String> {
    let Some(text) = written.urls.own.issuer.clone() else {
        if mode == Mode::Dev {
            return Some(written.serve.public.url());
        }
        problems.push(Problem::new(
            "urls.self.issuer",
            "missing; set it to the https address under which clients reach the public listener",
        ));
        return None;
    };
    own_url("urls.self.issuer", &text, mode)
        .map_err(|problem| problems.push(problem))
        .ok()
        .map(|_| text)
}

/// An address of ours: no query, no fragment, and https outside `--dev`.
fn own_url(key: &str, text: &str, mode: Mode) -> Result<Url, Problem> {
    let url = http_url(key, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Problem::new(
            key,
            format!("`{text}` must have neither query nor fragment"),
        ));
    }
    if mode == Mode::Production && url.scheme() != "https" {
        return Err(Problem::new(
            key,
            format!(
                "`{text}` is not https; tokens and passwords would travel readable (`serve --dev` allows it)"
            ),
        ));
    }
    Ok(url)
}

fn http_url(key: &str, text: &str) -> Result<Url, Problem> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Problem::new(
            key,
            format!("`{text}` is not an http or https URL"),
        )),
    }
}
