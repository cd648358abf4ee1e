//! What a `jwt` entry demands beyond Oathkeeper, below its `gatepost`.

use std::time::Duration;

use crate::{
    config::Section,
    jose::{Algorithms, CertificateBound, DpopRules, NonceRules, PROOF_AGE_MAX, TokenRules},
};

use super::algorithms_at;

/// More would make a token's times a matter of taste.
const LEEWAY_MAX: Duration = Duration::from_secs(5 * 60);
/// What proofs are remembered for; see [`crate::jose::DpopProver`].
const PROOF_AGE: Duration = Duration::from_secs(60);
const NONCE_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A secret that could be guessed would let clients make their own nonces.
const SECRET_MIN: usize = 32;

/// Reads the demands into `rules`.
pub(super) fn read(extension: &mut Section<'_>, rules: &mut TokenRules) {
    rules.allow_missing_kid = extension.bool("allow_missing_kid", false);
    rules.allow_missing_use = extension.bool("allow_missing_use", false);
    rules.required_type = extension.string("require_typ");
    rules.require_expiry = extension.bool("require_exp", false);
    rules.max_lifetime = extension.duration("max_lifetime");
    rules.acr_values = extension.strings("acr_values").unwrap_or_default();
    rules.max_age = extension.duration("max_age");
    rules.leeway = at_most(extension, "leeway", LEEWAY_MAX).unwrap_or_default();
    if extension.value("dpop").is_some() {
        rules.dpop = Some(dpop(extension.section("dpop")));
    }
    if extension.value("certificate_bound").is_some() {
        let mut section = extension.section("certificate_bound");
        rules.certificate_bound = match section.bool("required", false) {
            true => CertificateBound::Required,
            false => CertificateBound::Accepted,
        };
        section.finish();
    }
}

fn dpop(mut section: Section<'_>) -> DpopRules {
    let algorithms = algorithms_at(&mut section, "algorithms");
    if algorithms.as_ref().is_some_and(|it| !it.are_asymmetric()) {
        section.wrong(
            "algorithms",
            "must be asymmetric: a shared secret proves nothing (RFC 9449 section 4.2)",
        );
    }
    let rules = DpopRules {
        required: section.bool("required", false),
        algorithms: algorithms
            .or_else(|| Algorithms::parse(&["ES256", "EdDSA"]).ok())
            .unwrap_or_default(),
        max_age: at_most(&mut section, "max_age", PROOF_AGE_MAX).unwrap_or(PROOF_AGE),
        nonce: section
            .value("nonce")
            .is_some()
            .then(|| nonce(section.section("nonce"))),
    };
    section.finish();
    rules
}

fn nonce(mut section: Section<'_>) -> NonceRules {
    let lifetime = section.duration("lifetime").unwrap_or(NONCE_LIFETIME);
    if lifetime < Duration::from_secs(1) {
        section.wrong("lifetime", "must be a second at least");
    }
    let secret = section.string("secret");
    if secret.as_ref().is_some_and(|it| it.len() < SECRET_MIN) {
        let message = format!("must have {SECRET_MIN} characters at least, drawn at random");
        section.wrong("secret", message);
    }
    section.finish();
    NonceRules::new(lifetime, secret.as_deref())
}

fn at_most(section: &mut Section<'_>, key: &'static str, limit: Duration) -> Option<Duration> {
    let duration = section.duration(key)?;
    if duration > limit {
        section.wrong(key, format!("must be {}s at most", limit.as_secs()));
    }
    Some(duration)
}
