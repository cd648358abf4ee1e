use jsonwebtoken::Algorithm;

/// The signature algorithms (RFC 7518 section 3.1, RFC 8037) that a handler accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithms(Vec<Algorithm>);

impl Algorithms {
    /// Reads names as they stand in a handler's `allowed_algorithms`. An empty list means the
    /// default, `RS256`, as it does in Oathkeeper.
    ///
    /// # Errors
    /// The first name that is not a supported algorithm. `none` never is.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, UnknownAlgorithm> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        names
            .iter()
            .map(|name| {
                named(name.as_ref()).ok_or_else(|| UnknownAlgorithm(name.as_ref().to_owned()))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether all of them are made with a private key that the verifier does not have.
    pub(crate) fn are_asymmetric(&self) -> bool {
        use Algorithm::{HS256, HS384, HS512};
        !self.0.iter().any(|it| matches!(it, HS256 | HS384 | HS512))
    }

    /// Their names, separated by spaces.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|it| format!("{it:?}")).collect();
        names.join(" ")
    }

    pub(crate) fn contains(&self, algorithm: Algorithm) -> bool {
        self.0.contains(&algorithm)
    }
}

impl Default for Algorithms {
    /// `RS256` alone.
    fn default() -> Self {
        Self(vec![Algorithm::RS256])
    }
}

/// An algorithm name in the configuration that is not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown signature algorithm `{0}`; supported are RS256, RS384, RS512, PS256, PS384, PS512, \
     ES256, ES384, HS256, HS384, HS512 and EdDSA"
)]
pub struct UnknownAlgorithm(pub String);

/// The algorithm of that name. Names are compared exactly: `nOnE` is as unknown as `none`.
pub(super) fn named(name: &str) -> Option<Algorithm> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_rs256_alone() {
        let default = Algorithms::parse::<&str>(&[]).unwrap();
        assert!(default.contains(Algorithm::RS256));
        assert!(!default.contains(Algorithm::RS384));
        assert_eq!(default, Algorithms::default());
    }

    #[test]
    fn every_supported_name_is_read() {
        for name in [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "HS256",
            "HS384", "HS512", "EdDSA",
        ] {
            assert!(Algorithms::parse(&[name]).is_ok(), "{name}");
        }
    }

    #[test]
    fn none_and_unknown_names_are_refused_at_load() {
        for name in ["none", "nOnE", "NONE", "rs256", "ES512", "ES256K", ""] {
            assert_eq!(
                Algorithms::parse(&["RS256", name]),
                Err(UnknownAlgorithm(name.to_owned()))
            );
        }
    }
}
