//! Challenges: what a refused client would have to present (RFC 9110 section 11.6.1).
//!
//! A stage says what is missing ([`Challenge`]); the rule says whether clients are told, and adds what
//! it knows itself ([`Challenges`]). Oathkeeper tells them nothing, so a rule has to ask for it.

use std::{fmt::Write as _, time::Duration};

use crate::{Denial, config::Section};

/// What is wrong with the credentials, in the terms of the scheme under which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme of the credentials.
    pub scheme: Scheme,
    /// What is wrong with them.
    pub error: ChallengeError,
}

/// The scheme of credentials in `Authorization` (RFC 9110 section 11.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    Dpop,
}

/// The error of a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// `invalid_token`: another token is needed (RFC 6750 section 3.1).
    InvalidToken,
    /// `insufficient_scope`: a token with these scopes is needed (RFC 6750 section 3.1).
    InsufficientScope(Vec<String>),
    /// `insufficient_user_authentication`: a sign-in like this is needed (RFC 9470 section 3).
    InsufficientUserAuthentication {
        /// Any of these is enough.
        acr_values: Vec<String>,
        /// How long ago the sign-in may be.
        max_age: Option<Duration>,
    },
    /// `invalid_dpop_proof`: another proof is needed (RFC 9449 section 7.1).
    InvalidDpopProof,
    /// `use_dpop_nonce`: a proof with this nonce is needed (RFC 9449 section 9).
    UseDpopNonce(String),
}

impl ChallengeError {
    const fn code(&self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::InsufficientUserAuthentication { .. } => "insufficient_user_authentication",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce(_) => "use_dpop_nonce",
        }
    }
}

/// A way to authenticate that a rule offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Bearer,
    /// With the signature algorithms that proofs may have, separated by spaces.
    Dpop(String),
    Basic,
}

/// What the clients of a rule are told when they are refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Challenges {
    told: bool,
    realm: Option<String>,
    resource_metadata: Option<String>,
    offers: Vec<Offer>,
}

impl Challenges {
    /// Reads `challenge` of a rule's `gatepost` section. The rule's authenticators make the `offers`.
    pub(crate) fn compile(extension: &mut Section<'_>, offers: Vec<Offer>) -> Self {
        let told = extension.value("challenge").is_some();
        let mut section = extension.section("challenge");
        let realm = printable(&mut section, "realm");
        let resource_metadata = printable(&mut section, "resource_metadata");
        if let Some(url) = &resource_metadata
            && crate::call::Endpoint::parse(url).is_err()
        {
            section.wrong(
                "resource_metadata",
                "must be the absolute URL of the resource's metadata (RFC 9728 section 3)",
            );
        }
        section.finish();
        let mut different: Vec<Offer> = Vec::new();
        for offer in offers {
            if !different.contains(&offer) {
                different.push(offer);
            }
        }
        Self {
            told,
            realm,
            resource_metadata,
            offers: different,
        }
    }

    /// A refusal as the RFCs number it: where clients are told what is missing, a missing scope is 403
    /// (RFC 6750 section 3.1); Oathkeeper answers 401.
    pub(crate) fn renumber(&self, denial: Denial) -> Denial {
        match denial {
            Denial::Challenged {
                reason, challenge, ..
            } if self.told => Denial::Challenged {
                is_forbidden: matches!(challenge.error, ChallengeError::InsufficientScope(_)),
                reason,
                challenge,
            },
            other => other,
        }
    }

    /// The headers that tell the client what would be accepted, for a response with this status.
    pub(crate) fn headers(&self, denial: &Denial, status: u16) -> Vec<(&'static str, Vec<u8>)> {
        let challenge = match denial {
            Denial::Challenged { challenge, .. } => Some(challenge),
            _ => None,
        };
        let mut headers = Vec::new();
        if let Some(ChallengeError::UseDpopNonce(nonce)) = challenge.map(|it| &it.error) {
            headers.push(("dpop-nonce", nonce.clone().into_bytes()));
        } else if !self.told {
            // A nonce, though, has to be told: the rule asks for it.
            return headers;
        }
        // What the client is not let know as such it gets no challenge for: a hidden 404, a redirect.
        if status != 401 && !(status == 403 && challenge.is_some()) {
            return headers;
        }
        for offer in &self.offers {
            let error = challenge.filter(|it| offer.is_for(it.scheme));
            // With 403 credentials would not help, except those that the error names.
            if status == 401 || error.is_some() {
                let value = self.challenge(offer, error.map(|it| &it.error));
                headers.push(("www-authenticate", value.into_bytes()));
            }
        }
        headers
    }

    fn challenge(&self, offer: &Offer, error: Option<&ChallengeError>) -> String {
        let mut value = Parameters::of(match offer {
            Offer::Bearer => "Bearer",
            Offer::Dpop(_) => "DPoP",
            Offer::Basic => "Basic",
        });
        if let Offer::Basic = offer {
            value.add("realm", self.realm.as_deref().unwrap_or_default());
            value.add("charset", "UTF-8");
            return value.0;
        }
        if let Some(realm) = &self.realm {
            value.add("realm", realm);
        }
        if let Some(error) = error {
            value.add_error(error);
        }
        if let Some(url) = &self.resource_metadata {
            value.add("resource_metadata", url);
        }
        if let Offer::Dpop(algorithms) = offer {
            value.add("algs", algorithms);
        }
        value.0
    }
}

impl Offer {
    const fn is_for(&self, scheme: Scheme) -> bool {
        matches!(
            (self, scheme),
            (Self::Bearer, Scheme::Bearer) | (Self::Dpop(_), Scheme::Dpop)
        )
    }
}

/// A challenge as it is written: the scheme, then parameters in quotes.
struct Parameters(String);

impl Parameters {
    fn of(scheme: &str) -> Self {
        Self(scheme.to_owned())
    }

    /// Adds a parameter. A value that no quoted string can hold as plain ASCII is left out rather than
    /// let end the line, or the string (RFC 9110 section 5.6.4).
    fn add(&mut self, name: &str, value: &str) {
        if !is_printable(value) {
            return;
        }
        let separator = if self.0.contains(' ') { ", " } else { " " };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{separator}{name}=\"{value}\"");
    }

    fn add_error(&mut self, error: &ChallengeError) {
        self.add("error", error.code());
        match error {
            ChallengeError::InsufficientScope(scopes) => self.add("scope", &scopes.join(" ")),
            ChallengeError::InsufficientUserAuthentication {
                acr_values,
                max_age,
            } => {
                if !acr_values.is_empty() {
                    self.add("acr_values", &acr_values.join(" "));
                }
                if let Some(max_age) = max_age {
                    self.add("max_age", &max_age.as_secs().to_string());
                }
            }
            ChallengeError::InvalidToken
            | ChallengeError::InvalidDpopProof
            | ChallengeError::UseDpopNonce(_) => {}
        }
    }
}

fn is_printable(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn printable(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let value = section.string(key)?;
    if !is_printable(&value) {
        section.wrong(key, "must hold printable ASCII characters only");
        return None;
    }
    Some(value)
}

#[cfg(test)]
mod tests;
