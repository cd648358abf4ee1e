//! Whether who sends a token is who it was issued to: by a DPoP proof (RFC 9449) or by the
//! connection's client certificate (RFC 8705).

use super::{
    CertificateBound, Claims, DpopProver, DpopRules, TokenError, TokenRules, dpop::ProofRequest,
};
use crate::{UnixTime, digest};

/// How a token was sent, and what could prove that its sender may use it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presentation<'a> {
    /// The request's DPoP proof, where the token came under the scheme `DPoP` (RFC 9449 section 7.1);
    /// `None` for a bearer token.
    pub proof: Option<ProofRequest<'a>>,
    /// The SHA-256 of the DER of the client certificate of the connection, where the proxy has
    /// verified one.
    pub certificate: Option<&'a [u8; 32]>,
}

impl TokenRules {
    /// Checks that the token of these claims, all checked before, was sent by whom it is bound to. A
    /// token that is bound is never taken as a bearer token (T21).
    pub(super) fn check_holder(
        &self,
        claims: &Claims,
        token: &str,
        presentation: &Presentation<'_>,
        prover: &mut DpopProver,
        now: UnixTime,
    ) -> Result<(), TokenError> {
        let binding = claims.binding.as_ref();
        if binding.is_some_and(super::Binding::is_unknown) {
            return Err(TokenError::UnknownBinding);
        }
        let certificate = binding.and_then(|binding| binding.certificate.as_deref());
        self.check_certificate(certificate, presentation.certificate)?;
        let key = binding.and_then(|binding| binding.key.as_deref());
        match (key, &presentation.proof, &self.dpop) {
            (Some(key), Some(request), Some(rules)) => {
                Ok(prover.check(request, token, key, rules, now)?)
            }
            (Some(_), _, _) => Err(TokenError::BoundToKey),
            // The scheme `DPoP` is for bound tokens only (RFC 9449 section 7.1).
            (None, Some(_), _) => Err(TokenError::NotBound),
            (None, None, Some(DpopRules { required: true, .. })) => Err(TokenError::NotBound),
            (None, None, _) => Ok(()),
        }
    }

    fn check_certificate(
        &self,
        bound_to: Option<&str>,
        presented: Option<&[u8; 32]>,
    ) -> Result<(), TokenError> {
        match (bound_to, self.certificate_bound) {
            (None, CertificateBound::Required) => Err(TokenError::NotBound),
            (None, _) => Ok(()),
            (Some(_), CertificateBound::Refused) => Err(TokenError::BoundToCertificate),
            (Some(bound_to), _) => {
                let is_same = presented.is_some_and(|hash| digest::base64url(hash) == bound_to);
                is_same.then_some(()).ok_or(TokenError::BoundToCertificate)
            }
        }
    }
}
