//! `basic`: a user name and a password (RFC 7617), the password kept here as a slow hash. An
//! extension: Oathkeeper has none.

mod memory;
mod password;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    Denial, Session,
    compile::{Compiler, Entry},
    config::{Errors, Place, Section},
    digest::{self, Hash},
    pipeline::{Facts, Memory},
};

use self::password::PasswordHash;
use super::Authentication;

pub(crate) use memory::CheckedPasswords;

/// How long a password that was checked is remembered, unless the rule says otherwise.
const CACHE_TTL: Duration = Duration::from_secs(5 * 60);
const CACHE_TTL_MAX: Duration = Duration::from_secs(60 * 60);

/// Responsible for requests with `Authorization: Basic …`.
#[derive(Debug)]
pub(crate) struct Basic {
    users: BTreeMap<String, User>,
    /// A user whose hash is computed for names that nobody has, so that the time does not tell them
    /// apart from those that somebody has: the one whose hash takes the longest.
    decoy: User,
    cache_ttl: Duration,
}

#[derive(Clone, Debug)]
struct User {
    subject: String,
    extra: Arc<Map<String, Value>>,
    password: PasswordHash,
    /// The hash of the password's hash: with another one nothing that is remembered counts.
    fingerprint: Hash,
}

impl Basic {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let cache_ttl = section.duration("cache_ttl").unwrap_or(CACHE_TTL);
        if cache_ttl > CACHE_TTL_MAX {
            section.wrong("cache_ttl", "must be an hour at most");
        }
        let entries = section.list("users");
        if entries.is_empty() {
            section.wrong(
                "users",
                "is required: a list of users, each with `username` and `password_hash`",
            );
        }
        section.finish();
        let mut users = BTreeMap::new();
        let mut decoy: Option<User> = None;
        for (place, entry) in entries {
            let Some((name, user)) = User::compile(&entry, place.clone(), compiler.errors()) else {
                continue;
            };
            let is_costlier = |known: &User| known.password.cost() < user.password.cost();
            if decoy.as_ref().is_none_or(is_costlier) {
                decoy = Some(user.clone());
            }
            if users.insert(name, user).is_some() {
                compiler
                    .errors()
                    .add(place.key("username"), "is another user's name too");
            }
        }
        Some(Self {
            users,
            decoy: decoy?,
            cache_ttl,
        })
    }

    pub(super) fn authenticate_with(
        &self,
        facts: &Facts<'_>,
        memory: &mut Memory,
    ) -> Authentication {
        let refused = |why: &str| Authentication::Refused(Denial::Unauthorized(why.to_owned()));
        let mut fields = facts.request.headers.all("authorization");
        let Some(encoded) = fields.next().and_then(basic) else {
            return Authentication::NotResponsible;
        };
        if fields.next().is_some() {
            return refused("the request carries more than one `Authorization` header");
        }
        let Some((name, password)) = credentials(encoded) else {
            return refused("the Basic credentials are malformed");
        };
        let user = self.users.get(&name);
        let hash = user.unwrap_or(&self.decoy);
        let check = memory::Check {
            name: &name,
            password: &password,
            hash: &hash.password,
            fingerprint: &hash.fingerprint,
        };
        match (
            memory.passwords.is_right(&check, self.cache_ttl, facts.now),
            user,
        ) {
            (Ok(true), Some(user)) => Authentication::Known(Session {
                subject: user.subject.clone(),
                extra: Some(Arc::clone(&user.extra)),
                ..Session::default()
            }),
            (Ok(_), _) => refused("the user name or the password is wrong"),
            (Err(memory::TooMany { retry_after }), _) => {
                let seconds = retry_after.as_secs().max(1).to_string();
                let headers = vec![("retry-after", seconds.into_bytes())];
                Authentication::Refused(Denial::TooManyRequests { headers })
            }
        }
    }
}

impl User {
    fn compile(entry: &Value, place: Place, errors: &Errors) -> Option<(String, Self)> {
        let mut section = Section::new(Some(entry), place, errors);
        let name = section.required_string("username");
        let written = section.required_string("password_hash");
        let subject = section.string("subject");
        let extra = section.object("extra").unwrap_or_default();
        let user = name.and_then(|name| {
            if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
                let message =
                    "must be a name without `:` and control characters (RFC 7617 section 2)";
                section.wrong("username", message);
                return None;
            }
            let written = written?;
            let password = PasswordHash::read(&written)
                .map_err(|error| section.wrong("password_hash", error.to_string()))
                .ok()?;
            let user = Self {
                subject: subject.unwrap_or_else(|| name.clone()),
                extra: Arc::new(extra),
                password,
                fingerprint: digest::sha256(written.as_bytes()),
            };
            Some((name, user))
        });
        section.finish();
        user
    }
}

/// What follows the scheme `Basic`.
fn basic(value: &[u8]) -> Option<&str> {
    let (scheme, rest) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest)
}

/// User name and password (RFC 7617 section 2). Neither may hold control characters.
fn credentials(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    (!text.contains(char::is_control)).then(|| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        let read = |text: &[u8]| credentials(&STANDARD.encode(text));
        assert_eq!(
            read("Aladdin:open:sesame ü".as_bytes()),
            Some(("Aladdin".to_owned(), "open:sesame ü".to_owned()))
        );
        assert_eq!(read(b":"), Some((String::new(), String::new())));
        for bad in [&b"alice"[..], b"a:b\0", b"a\n:b", b"a:\xff", b""] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        for bad in ["", "!", "YTpi=", "YTp i"] {
            assert_eq!(credentials(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_the_scheme_basic_counts() {
        assert_eq!(basic(b"Basic YTpi"), Some("YTpi"));
        assert_eq!(basic(b"bAsIc YTpi"), Some("YTpi"));
        for other in [&b"Bearer YTpi"[..], b"Basic", b"BasicYTpi", b"\xff x"] {
            assert_eq!(basic(other), None);
        }
    }
}
