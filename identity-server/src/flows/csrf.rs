//! Protection against forged requests: a secret in a cookie, and the same secret, masked, in every form.
//!
//! Another site can make a browser send the cookie but can neither read it nor know the form's token. The token is
//! masked with fresh random bytes each time (a one-time pad), so that compression of the page gives nothing away
//! (BREACH). Flows remember a digest of the secret: a form that was opened in one browser works in no other.
//!
//! The cookie alone would not stop somebody who controls a sibling domain and plants a cookie of their own; therefore
//! browsers that say by `Sec-Fetch-Site` or `Origin` that the form is somebody else's, a sibling's too, are refused
//! besides.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::Settings;
use crate::entropy::{Entropy, EntropyError};
use crate::secret::same;
use crate::sessions::cookie::same_site;

const BYTES: usize = 32;

/// A year, as the reference has it; the secret changes whenever somebody signs in or out.
const COOKIE_LIFESPAN: time::Duration = time::Duration::days(365);

/// What a browser's cookie and our forms share.
#[derive(Clone)]
pub struct CsrfSecret(Zeroizing<[u8; BYTES]>);

impl CsrfSecret {
    /// A fresh secret.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The secret in the request's cookie, if there is a well-formed one.
    #[must_use]
    pub fn in_cookie(settings: &Settings, headers: &HeaderMap) -> Option<Self> {
        let jar = CookieJar::from_headers(headers);
        let bytes = Zeroizing::new(
            STANDARD
                .decode(jar.get(&cookie_name(settings))?.value())
                .ok()?,
        );
        <[u8; BYTES]>::try_from(bytes.as_slice())
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The cookie that carries the secret.
    #[must_use]
    pub fn cookie(&self, settings: &Settings) -> Cookie<'static> {
        let mut cookie = Cookie::build((cookie_name(settings), STANDARD.encode(self.0.as_slice())))
            .path("/")
            .http_only(true)
            .secure(settings.secure_cookies())
            .same_site(same_site(settings.session.cookie.same_site))
            .max_age(COOKIE_LIFESPAN);
        if let Some(domain) = &settings.session.cookie.domain {
            cookie = cookie.domain(domain.clone());
        }
        cookie.build()
    }

    /// What a flow remembers of the secret.
    #[must_use]
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_slice()))
    }

    /// Whether a flow remembers this secret.
    #[must_use]
    pub fn has_digest(&self, digest: &str) -> bool {
        same(self.digest().as_bytes(), digest.as_bytes())
    }

    /// A token for a form: pad, then secret under the pad; different every time.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn mask(&self, entropy: &dyn Entropy) -> Result<String, EntropyError> {
        let mut pad = [0; BYTES];
        entropy.fill(&mut pad)?;
        let covered = pad
            .iter()
            .zip(self.0.iter())
            .map(|(pad, secret)| pad ^ secret);
        let token: Vec<u8> = pad.iter().copied().chain(covered).collect();
        Ok(STANDARD.encode(token))
    }

    /// Whether `token` is a mask of this secret.
    #[must_use]
    pub fn accepts(&self, token: &str) -> bool {
        Self::in_token(token).is_some_and(|secret| same(secret.0.as_slice(), self.0.as_slice()))
    }

    /// The secret under a [mask](Self::mask).
    fn in_token(token: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(token).ok()?);
        let (pad, covered) = bytes.split_at_checked(BYTES)?;
        let mut secret = Zeroizing::new([0; BYTES]);
        if covered.len() != BYTES {
            return None;
        }
        for (byte, (pad, covered)) in secret.iter_mut().zip(pad.iter().zip(covered)) {
            *byte = pad ^ covered;
        }
        Some(Self(secret))
    }
}

/// Whether the request proves that it comes from a form of ours: cookie, token, and not from another site.
///
/// The token is taken from the body, else from the header `X-CSRF-Token`.
#[must_use]
pub fn is_ours(settings: &Settings, headers: &HeaderMap, body_token: Option<&str>) -> bool {
    let accepted = CsrfSecret::in_cookie(settings, headers)
        .zip(token(headers, body_token))
        .is_some_and(|(secret, t)| secret.accepts(t));
    accepted && comes_from_us(settings, headers)
}

/// Whether the request comes from a form of the flow that remembers this `digest`, whatever the cookie is by now: the
/// secret changes when somebody signs in in another tab. Good enough for what a link could do, not for more.
#[must_use]
pub fn is_form_of(
    digest: &str,
    settings: &Settings,
    headers: &HeaderMap,
    body_token: Option<&str>,
) -> bool {
    let secret = token(headers, body_token).and_then(CsrfSecret::in_token);
    secret.is_some_and(|secret| secret.has_digest(digest)) && comes_from_us(settings, headers)
}

fn token<'a>(headers: &'a HeaderMap, body_token: Option<&'a str>) -> Option<&'a str> {
    let header_token = headers
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    body_token
        .filter(|token| !token.is_empty())
        .or(header_token)
}

/// What the browser says about the page behind the request, if it says anything. `null` is the origin of a page that
/// hides where it is from.
fn comes_from_us(settings: &Settings, headers: &HeaderMap) -> bool {
    let ours = settings.public_url.origin().ascii_serialization();
    let fits = |name: &str, allowed: &[&str]| {
        headers
            .get_all(name)
            .iter()
            .all(|value| allowed.iter().any(|allowed| value == allowed))
    };
    fits("sec-fetch-site", &["same-origin", "none"]) && fits("origin", &[&ours])
}

/// The cookie's name depends on our address, so that two servers under one domain do not overwrite each other's.
#[must_use]
pub fn cookie_name(settings: &Settings) -> String {
    let digest = Sha256::digest(settings.public_url("").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("csrf_token_{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn every_mask_is_new_and_accepted_by_its_own_secret_only() {
        let entropy = SeededEntropy::new(9);
        let (ours, theirs) = (
            CsrfSecret::random(&entropy).unwrap(),
            CsrfSecret::random(&entropy).unwrap(),
        );
        let (one, two) = (ours.mask(&entropy).unwrap(), ours.mask(&entropy).unwrap());
        assert_ne!(one, two);
        assert_eq!(STANDARD.decode(&one).unwrap().len(), 64);
        assert!(ours.accepts(&one) && ours.accepts(&two));
        assert!(!theirs.accepts(&one));
    }

    #[test]
    fn malformed_tokens_are_refused() {
        let secret = CsrfSecret::random(&SeededEntropy::new(10)).unwrap();
        let (short, long) = (STANDARD.encode([0; 32]), STANDARD.encode([0; 65]));
        for token in ["", "%%%", "AAAA", short.as_str(), long.as_str()] {
            assert!(!secret.accepts(token), "{token}");
        }
    }
}
