//! `issuers`: whose tokens are taken, and what of them the upstream is told.

use gatepost_policy::config::{Place, Section};
use serde_json::{Map, Value, json};

use super::ALGORITHMS;

/// An issuer.
pub(super) struct Issuer {
    /// What rules call it.
    pub(super) name: String,
    /// Its `iss`.
    pub(super) issuer: String,
    /// Where it stands.
    pub(super) path: String,
    /// It, in the engine's terms.
    entry: Map<String, Value>,
    /// What headers tell of its tokens, in the engine's terms, each with its place.
    pub(super) headers: Vec<(String, Value)>,
    /// Whether the upstream gets its tokens.
    pub(super) forward: bool,
}

/// Keys of ours, and what the engine calls them.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("jwks_uri", "jwks_url"),
    ("jwks", "jwks"),
    ("discovery", "discovery"),
    ("jwks_origins", "jwks_origins"),
    ("audiences", "audiences"),
    ("algorithms", "algorithms"),
];

impl Issuer {
    /// Reads all of them. Mistakes are noted with the section.
    pub(super) fn read_all(section: &mut Section<'_>) -> Vec<Self> {
        let entries = section.list("issuers");
        if entries.is_empty() {
            section.wrong("issuers", "is required: whose tokens are taken");
        }
        let mut issuers: Vec<Self> = Vec::new();
        for (place, entry) in entries {
            let of = Section::new(Some(&entry), place, section.errors());
            if let Some(issuer) = Self::read(of, &issuers) {
                issuers.push(issuer);
            }
        }
        issuers
    }

    fn read(mut section: Section<'_>, others: &[Self]) -> Option<Self> {
        let issuer = section.required_string("issuer");
        let name = section.string("name").or_else(|| issuer.clone());
        if others
            .iter()
            .any(|other| Some(&other.name) == name.as_ref())
        {
            section.wrong("name", "is another issuer's name too");
        }
        let mut entry = super::taken(&mut section, KEYS);
        let sources = ["jwks_url", "jwks", "discovery"];
        if sources
            .iter()
            .filter(|key| entry.contains_key(**key))
            .count()
            != 1
        {
            let message = "needs exactly one of `jwks_uri`, `jwks` and `discovery` beside it";
            section.wrong("issuer", message);
        }
        entry
            .entry("algorithms")
            .or_insert_with(|| ALGORITHMS.into());
        let issuer = issuer?;
        entry.insert("issuer".to_owned(), issuer.as_str().into());
        let headers = headers(&mut section, &issuer);
        let forward = section.bool("forward", false);
        let path = section.place().path.clone();
        section.finish();
        Some(Self {
            name: name?,
            issuer,
            path,
            entry,
            headers,
            forward,
        })
    }

    /// It, in the engine's terms; a rule may name other audiences.
    pub(super) fn entry(&self, audiences: Option<&Value>) -> Value {
        let mut entry = self.entry.clone();
        if let Some(audiences) = audiences {
            entry.insert("audiences".to_owned(), audiences.clone());
        }
        entry.into()
    }
}

/// `claims_to_headers` and `payload_header`.
fn headers(section: &mut Section<'_>, issuer: &str) -> Vec<(String, Value)> {
    let mut headers = Vec::new();
    for (place, entry) in section.list("claims_to_headers") {
        let Place { path, .. } = place.clone();
        let mut of = Section::new(Some(&entry), place, section.errors());
        let header = of.required_string("header");
        let claim = of.required_string("claim");
        of.finish();
        if let (Some(header), Some(claim)) = (header, claim) {
            headers.push((
                path,
                json!({"header": header, "claim": claim, "issuer": issuer}),
            ));
        }
    }
    if let Some(header) = section.string("payload_header") {
        let path = section.place().key("payload_header").path;
        headers.push((
            path,
            json!({"header": header, "claim": "@this", "issuer": issuer}),
        ));
    }
    headers
}
