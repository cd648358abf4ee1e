//! Several issuers, each with keys of its own: no key of one verifies a token of another (T15).

use super::{TokenError, TokenRules, token::unverified_issuer};

/// Whom a handler trusts, and with which keys.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Any key of the sets verifies any token, whoever it says issued it: Oathkeeper's `jwks_urls`
    /// and `trusted_issuers`.
    Unbound(Box<TokenRules>),
    /// Each issuer has rules with its own keys.
    ByIssuer(Vec<IssuerRules>),
}

/// One issuer and the rules for its tokens.
#[derive(Clone, Debug)]
pub struct IssuerRules {
    issuer: Box<str>,
    rules: TokenRules,
}

impl IssuerRules {
    /// The tokens of `issuer` and nobody else's, under `rules`.
    #[must_use]
    pub fn new(issuer: &str, rules: TokenRules) -> Self {
        Self {
            issuer: issuer.into(),
            rules: TokenRules {
                trusted_issuers: vec![issuer.to_owned()],
                ..rules
            },
        }
    }

    pub(super) const fn rules(&self) -> &TokenRules {
        &self.rules
    }

    pub(super) fn is_of(&self, issuer: Option<&str>) -> bool {
        issuer == Some(&*self.issuer)
    }
}

/// The rules of the issuer that `token` names. The name is the client's word: it chooses among those
/// configured, and the rules then check that the signed token names the same.
pub(super) fn named_by<'r>(
    token: &str,
    issuers: &'r [IssuerRules],
) -> Result<&'r TokenRules, TokenError> {
    let named = unverified_issuer(token)?;
    issuers
        .iter()
        .find(|issuer| issuer.is_of(named.as_deref()))
        .map(IssuerRules::rules)
        .ok_or(TokenError::WrongIssuer)
}
