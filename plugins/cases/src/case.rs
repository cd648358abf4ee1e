//! What a case file says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{jwks, keys::private_jwks};

/// One file of the corpus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file, below the corpus.
    #[serde(skip)]
    pub file: String,
    /// What the file is about, for its readers.
    #[serde(default)]
    pub about: String,
    /// Oathkeeper's configuration tree.
    #[serde(default)]
    pub config: Value,
    /// The rules.
    #[serde(default)]
    pub rules: Value,
    /// The configuration of the module `header-mutation`, for a case of that.
    #[serde(default)]
    pub header_mutation: Option<Value>,
    /// The key sets that are served: URL to the names of its keys. See [`crate::jwks`].
    #[serde(default)]
    pub key_sets: BTreeMap<String, Vec<String>>,
    /// Key sets that come with the policy, by the URL under which handlers name them.
    #[serde(default)]
    pub documents: BTreeMap<String, Value>,
    /// Key sets that the policy signs with, by URL: served where that can be called, else put beside
    /// [`Case::documents`].
    #[serde(default)]
    pub private_key_sets: BTreeMap<String, Vec<SetMember>>,
    /// Whether the case needs RSA signatures: the module has them only from its host.
    #[serde(default)]
    pub signs_rsa: bool,
    /// Whether the case is for builds with the authorizer `cel` only, or for those without it.
    #[serde(default)]
    pub cel: Option<bool>,
    /// Tokens by name, put into header values and URLs as `${name}`.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// What every configuration error must say, in order. With requests beside it: the faults for
    /// which rules are put aside, while the others go on.
    #[serde(default)]
    pub errors: Vec<String>,
    /// The requests, each played on a fresh engine; see [`Exchange::then`] for rows of them.
    #[serde(default)]
    pub requests: Vec<Exchange>,
}

/// A key of a set that the policy signs with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetMember {
    /// The key's name.
    pub key: String,
    /// Members besides those that the key has; `null` removes one.
    #[serde(default)]
    pub with: Map<String, Value>,
    /// Whether only the public half is there.
    #[serde(default)]
    pub public: bool,
}

/// A token that the upstream must get as `Authorization: Bearer`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minted {
    /// The name of the key that has signed it.
    pub key: String,
    /// Members that the header must have.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// Claims that it must have; `null` for one that must be absent.
    pub claims: Value,
}

/// A token to be signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The key's name: its algorithm and a number, such as `RS256-1`. It is also the `kid`.
    pub key: String,
    /// Header parameters besides `alg`, `kid` and `typ`; `null` removes one.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// The key's name that the token is bound to: its thumbprint becomes the claim `cnf.jkt` (RFC 9449
    /// section 6).
    #[serde(default)]
    pub bound_to: Option<String>,
    /// The name of the token that this one is a DPoP proof for: the header gets `typ` and `jwk`, the
    /// claims `ath` (RFC 9449 section 4.2).
    #[serde(default)]
    pub proof_for: Option<String>,
    /// The claims.
    pub claims: Value,
}

/// A request and what must become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What the request shows.
    pub name: String,
    /// Seconds since the epoch at which it arrives.
    #[serde(default = "default_time")]
    pub at: u64,
    /// The request.
    pub request: RequestSpec,
    /// The calls that the engine makes meanwhile, in order, besides those for key sets.
    #[serde(default)]
    pub calls: Vec<CallSpec>,
    /// What the proxy tells of the request under the names of attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// What earlier filters have left in the dynamic metadata, by namespace.
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
    /// What the upstream answers; or whoever answers in its place.
    #[serde(default)]
    pub response: Option<ResponseSpec>,
    /// What must become of it.
    pub expect: Expectation,
    /// Requests that follow it on the same engine, which may remember.
    #[serde(default)]
    pub then: Vec<Exchange>,
}

/// 2026-01-01T00:00:00Z.
const fn default_time() -> u64 {
    1_767_225_600
}

/// A response on its way to the client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseSpec {
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Header fields in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Whether another filter has answered before the request came to the module.
    #[serde(default)]
    pub early: bool,
}

const fn ok() -> u16 {
    200
}

/// The values that a field must have: `null` for none, one, or several in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// There must be no such field.
    None(()),
    /// One field.
    One(String),
    /// Several fields.
    Several(Vec<String>),
}

impl Values {
    /// The same as a list.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Self::None(()) => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// A request as the client sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The method; absent means `GET`.
    #[serde(default = "get")]
    pub method: String,
    /// Scheme, host, and the path just as it stands on the wire.
    pub url: String,
    /// Header fields in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The peer's address.
    #[serde(default)]
    pub client_address: Option<String>,
    /// The peer's certificate.
    #[serde(default)]
    pub peer_certificate: Option<CertificateSpec>,
    /// The body.
    #[serde(default)]
    pub body: Option<String>,
}

/// What a proxy tells of a client certificate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSpec {
    /// The SHA-256 of its DER form, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Its subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// The first URI among its alternative names.
    #[serde(default)]
    pub uri: Option<String>,
    /// The first DNS name among its alternative names.
    #[serde(default)]
    pub dns: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}

impl RequestSpec {
    /// The header fields with the pseudo-header fields that a proxy adds.
    ///
    /// # Errors
    /// When the URL of the case is none.
    pub fn fields(&self) -> anyhow::Result<Vec<(String, String)>> {
        let (scheme, rest) = self
            .url
            .split_once("://")
            .context("the URL has no scheme")?;
        let split = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(split);
        let pseudo = [
            (":method", self.method.as_str()),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path),
        ];
        Ok(pseudo
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(self.headers.iter().cloned())
            .collect())
    }
}

/// A call that the engine must make, and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    /// Its method.
    #[serde(default = "get")]
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Headers it must carry; `null` for one that must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The body it must have, as text.
    #[serde(default)]
    pub body: Option<String>,
    /// The body it must have, as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// What comes back.
    pub reply: SpecReply,
}

/// The answer to a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecReply {
    /// Instead of an answer: the connection fails or nothing comes in time.
    #[serde(default)]
    pub fails: bool,
    /// The status.
    #[serde(default)]
    pub status: u16,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// The body, as text.
    #[serde(default)]
    pub text: Option<String>,
}

impl SpecReply {
    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match (&self.json, &self.text) {
            (Some(json), _) => json.to_string().into_bytes(),
            (None, Some(text)) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }
}

/// What must become of a request: it is allowed, or refused with a status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The status that the client gets; `200` when the request reaches the upstream.
    pub status: u16,
    /// The rule that decided; checked where the driver can tell.
    #[serde(default)]
    pub rule: Option<String>,
    /// The stage that decided; checked where the driver can tell.
    #[serde(default)]
    pub stage: Option<String>,
    /// The reason code of a refusal; checked where the driver can tell.
    #[serde(default)]
    pub reason: Option<String>,
    /// Allowed: the path that the upstream gets.
    #[serde(default)]
    pub path: Option<String>,
    /// Allowed: headers as the upstream gets them. Refused: headers of the response. `null` for
    /// one that must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// Allowed: fields as the upstream gets them, with all their values.
    #[serde(default)]
    pub upstream: BTreeMap<String, Values>,
    /// Fields of the response as the client gets them, with all their values.
    #[serde(default)]
    pub response: BTreeMap<String, Values>,
    /// Allowed: a token that the upstream gets.
    #[serde(default)]
    pub minted: Option<Minted>,
    /// Refused: members that the JSON body must have.
    #[serde(default)]
    pub json: Option<Value>,
}

/// What a driver saw become of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `200` when the request reached the upstream, else the response's status.
    pub status: u16,
    /// The rule that decided, where the driver can tell.
    pub rule: Option<String>,
    /// The stage that decided, where the driver can tell.
    pub stage: Option<String>,
    /// The reason code of a refusal, where the driver can tell.
    pub reason: Option<String>,
    /// The upstream request's fields (with `:path`), or the response's.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The response's body.
    pub body: Vec<u8>,
}

impl Case {
    /// The origin of every URL in the policy: those that it may call are among them.
    #[must_use]
    pub fn origins(&self) -> BTreeSet<String> {
        let mut origins = BTreeSet::new();
        collect_origins(&self.config, &mut origins);
        collect_origins(&self.rules, &mut origins);
        origins
    }

    /// The module that it is about.
    #[must_use]
    pub const fn module(&self) -> &'static str {
        match self.header_mutation {
            Some(_) => "header-mutation",
            None => "access-rules",
        }
    }

    /// Reads every case below `folder`, in the order of their names.
    ///
    /// # Errors
    /// A file that cannot be read, with its name.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut cases = Vec::new();
        let mut stages: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        stages.sort_by_key(fs::DirEntry::path);
        for stage in stages {
            let mut files: Vec<_> = fs::read_dir(stage.path())?.collect::<Result<_, _>>()?;
            files.sort_by_key(fs::DirEntry::path);
            for file in files {
                cases.push(Self::read(&file.path())?);
            }
        }
        Ok(cases)
    }

    /// Reads one case.
    ///
    /// # Errors
    /// If the file cannot be read, with its name.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).with_context(|| name.clone())?;
        let mut case: Self = serde_saphyr::from_str(&text).with_context(|| name.clone())?;
        case.file = name;
        // Nobody fetches what lies in a file.
        for (url, names) in &case.key_sets {
            if !url.starts_with("http") {
                case.documents.insert(url.clone(), jwks(names)?);
            }
        }
        for (url, members) in &case.private_key_sets {
            if !url.starts_with("http") {
                case.documents.insert(url.clone(), private_jwks(members)?);
            }
        }
        Ok(case)
    }
}

fn collect_origins(value: &Value, origins: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                let plain = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
                if !authority.is_empty() && authority.chars().all(plain) {
                    origins.insert(format!("{scheme}://{authority}"));
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_origins(item, origins)),
        Value::Object(fields) => {
            for field in fields.values() {
                collect_origins(field, origins);
            }
        }
        _ => {}
    }
}
