//! Tokens of our own: the keys that sign them, and those that were signed a moment ago.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{
    KeySetSettings,
    fetches::{self, Fetches},
    jwks::{self, FetchFault},
    signing_key::{NoSigningKey, SigningFault, SigningKey},
};
use crate::{
    Call, Reply, UnixTime,
    call::Endpoint,
    digest::{Hash, keyed},
    entropy::Entropy,
};

/// Where a signing key comes from.
#[derive(Clone, Debug)]
pub(crate) enum SigningSource {
    /// The configuration.
    Given(Arc<SigningKey>),
    /// A private JWK Set at this URL.
    Url(Endpoint),
}

impl SigningSource {
    /// Why the key cannot sign here; `None` if it can, or is not known yet.
    pub(crate) fn fault(&self) -> Option<SigningFault> {
        match self {
            Self::Given(key) => key.sign(&Map::new()).err(),
            Self::Url(_) => None,
        }
    }
}

impl fmt::Display for SigningSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("signing key in the configuration"),
            Self::Url(endpoint) => {
                write!(f, "signing key `{}{}`", endpoint.origin, endpoint.path)
            }
        }
    }
}

/// What a handler wants signed.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// The number of the signing key's source.
    pub(crate) source: usize,
    /// Tells the handler's configuration from all others.
    pub(crate) handler: &'a Hash,
    /// The claims as they were rendered, the subject, and the issuer.
    pub(crate) claims: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) ttl: Duration,
}

/// Why there is no token, for now or at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoToken {
    /// The signing key is being fetched.
    #[error("the signing key is being fetched")]
    Fetching,
    #[error("the signing key could not be fetched")]
    NoKey,
    #[error("the claims are not a JSON object")]
    Claims,
    #[error(transparent)]
    Signing(#[from] SigningFault),
}

/// The signing keys of a policy.
#[derive(Debug)]
pub(crate) struct Minter {
    sets: Vec<SigningSet>,
    settings: KeySetSettings,
    minted: Minted,
}

/// One source and what it brought.
#[derive(Debug)]
struct SigningSet {
    source: SigningSource,
    key: Option<Arc<SigningKey>>,
    loaded_at: Option<UnixTime>,
    fetches: Fetches,
    /// The latest time that was told.
    seen: UnixTime,
}

impl Minter {
    pub(crate) fn new(sources: &[SigningSource], settings: KeySetSettings) -> Self {
        let sets = sources.iter().map(|source| SigningSet {
            source: source.clone(),
            key: match source {
                SigningSource::Given(key) => Some(Arc::clone(key)),
                SigningSource::Url(_) => None,
            },
            loaded_at: None,
            fetches: Fetches::default(),
            seen: UnixTime::default(),
        });
        Self {
            sets: sets.collect(),
            settings,
            minted: Minted::default(),
        }
    }

    /// How many sources there are.
    pub(crate) const fn len(&self) -> usize {
        self.sets.len()
    }

    /// Takes over the keys that `former` has fetched from the same places.
    pub(crate) fn inherit(&mut self, mut former: Self) {
        for set in &mut self.sets {
            let known = former.sets.iter().position(|known| known.is_of(set));
            if let Some(position) = known {
                let former = former.sets.swap_remove(position);
                set.key = former.key;
                set.loaded_at = former.loaded_at;
                set.seen = former.seen;
                set.fetches = former.fetches.inherited();
            }
        }
    }

    /// A token for `order`: one that was made for the same a moment ago, or a new one.
    pub(crate) fn mint(
        &mut self,
        order: &Order<'_>,
        entropy: &mut Entropy,
        now: UnixTime,
    ) -> Result<String, NoToken> {
        let set = self.sets.get_mut(order.source).ok_or(NoToken::NoKey)?;
        let key = set.key(now, &self.settings)?;
        let parts = [
            key.fingerprint.as_slice(),
            order.claims.as_bytes(),
            order.subject.as_bytes(),
        ];
        let name = keyed(order.handler, &parts);
        if let Some(token) = self.minted.get(&name, now) {
            return Ok(token.to_owned());
        }
        let token = key.sign(&order.claims(&entropy.uuid(), now)?)?;
        self.minted.keep(name, &token, order.ttl, now);
        Ok(token)
    }

    /// The fetches to make now, by the number of the source.
    pub(crate) fn due(&mut self, now: UnixTime) -> Vec<(usize, Call)> {
        let settings = &self.settings;
        let sets = self.sets.iter_mut().enumerate();
        sets.filter_map(|(number, set)| Some((number, set.due(now, settings)?)))
            .collect()
    }

    /// Takes in the answer to a fetch. What is no key set to sign with leaves the last good one.
    pub(crate) fn fetched(&mut self, source: usize, reply: Reply, now: UnixTime) {
        if let Some(set) = self.sets.get_mut(source) {
            set.fetched(reply, now, &self.settings);
        }
    }

    /// Why the latest fetch failed.
    pub(crate) fn fault(&self, source: usize) -> Option<FetchFault> {
        self.sets.get(source)?.fetches.fault
    }
}

impl SigningSet {
    fn is_of(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (SigningSource::Url(a), SigningSource::Url(b)) => a == b,
            _ => false,
        }
    }

    fn key(
        &mut self,
        now: UnixTime,
        settings: &KeySetSettings,
    ) -> Result<&Arc<SigningKey>, NoToken> {
        self.follow_the_clock(now);
        let is_good = matches!(self.source, SigningSource::Given(_))
            || self
                .loaded_at
                .is_some_and(|at| now.since(at) <= settings.max_stale);
        match &self.key {
            Some(key) if is_good => Ok(key),
            _ if self.fetches.under_way_since.is_some() || self.fetches.next <= now => {
                Err(NoToken::Fetching)
            }
            _ => Err(NoToken::NoKey),
        }
    }

    fn due(&mut self, now: UnixTime, settings: &KeySetSettings) -> Option<Call> {
        let SigningSource::Url(endpoint) = &self.source else {
            return None;
        };
        let endpoint = endpoint.clone();
        self.follow_the_clock(now);
        self.fetches.give_up_if_lost(now, settings);
        self.fetches
            .begin(now)
            .then(|| fetches::call(endpoint, settings))
    }

    fn fetched(&mut self, reply: Reply, now: UnixTime, settings: &KeySetSettings) {
        if self.fetches.under_way_since.is_none() {
            return;
        }
        match read(reply) {
            Ok(key) => {
                self.fetches.end_well(now, settings);
                self.key = Some(Arc::new(key));
                self.loaded_at = Some(now);
            }
            Err(fault) => self.fetches.end_badly(fault, now, settings),
        }
    }

    fn follow_the_clock(&mut self, now: UnixTime) {
        if now < self.seen {
            self.fetches.set_back(now);
            self.loaded_at = self.loaded_at.map(|at| at.min(now));
        }
        self.seen = now;
    }
}

fn read(reply: Reply) -> Result<SigningKey, FetchFault> {
    let set = serde_json::from_slice(&jwks::body_of(reply)?);
    let set: Value = set.map_err(|_| FetchFault::NotAKeySet)?;
    SigningKey::choose(&set).map_err(|fault| match fault {
        NoSigningKey::NotAKeySet => FetchFault::NotAKeySet,
        NoSigningKey::NoPrivateKey => FetchFault::NoSigningKey,
    })
}

impl Order<'_> {
    /// The claims to sign. Those that make a token ours are set last: no template can change them.
    fn claims(&self, id: &str, now: UnixTime) -> Result<Map<String, Value>, NoToken> {
        let mut claims: Map<String, Value> =
            serde_json::from_str(self.claims).map_err(|_| NoToken::Claims)?;
        let forced = [
            ("exp", Value::from(now.after(self.ttl).as_secs())),
            ("jti", id.into()),
            ("iat", now.as_secs().into()),
            ("iss", self.issuer.into()),
            ("nbf", now.as_secs().into()),
            ("sub", self.subject.into()),
        ];
        claims.extend(forced.map(|(name, value)| (name.to_owned(), value)));
        Ok(claims)
    }
}

/// Tokens that may be used again, in two generations, each of half the size: when the young one is
/// full it becomes the old one.
#[derive(Debug, Default)]
struct Minted {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    tokens: HashMap<Hash, Token>,
    bytes: usize,
}

struct Token {
    text: Box<str>,
    made_at: UnixTime,
    use_until: UnixTime,
}

/// How many tokens are kept, and how many bytes of them. Either limit counts.
const MAX_TOKENS: usize = 4096;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What an entry costs besides its text, estimated.
const OVERHEAD: usize = 128;

impl Minted {
    /// The token under this name, while more than a tenth of its time is left.
    fn get(&mut self, name: &Hash, now: UnixTime) -> Option<&str> {
        if !self.young.tokens.contains_key(name)
            && let Some(token) = self.old.tokens.remove(name)
        {
            self.insert(*name, token);
        }
        self.young
            .tokens
            .get(name)
            // A clock that was set back makes a token one from the future, which no upstream takes.
            .filter(|token| token.made_at <= now && now < token.use_until)
            .map(|token| &*token.text)
    }

    fn keep(&mut self, name: Hash, token: &str, ttl: Duration, now: UnixTime) {
        let tenth = ttl.checked_div(10).unwrap_or_default();
        let token = Token {
            text: token.into(),
            made_at: now,
            use_until: now.after(ttl.saturating_sub(tenth)),
        };
        self.insert(name, token);
    }

    fn insert(&mut self, name: Hash, token: Token) {
        let bytes = token.text.len().saturating_add(OVERHEAD);
        let is_full = self.young.tokens.len() >= MAX_TOKENS / 2
            || self.young.bytes.saturating_add(bytes) > MAX_BYTES / 2;
        if is_full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes = self.young.bytes.saturating_add(bytes);
        if let Some(former) = self.young.tokens.insert(name, token) {
            let bytes = former.text.len().saturating_add(OVERHEAD);
            self.young.bytes = self.young.bytes.saturating_sub(bytes);
        }
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.tokens.len())
    }
}
