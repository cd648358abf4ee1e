//! What a registration must satisfy, checked once when it is written.

use time::Duration;
use url::Url;

use super::profile::{AuthMethod, Lifespans, Profile};
use crate::duration::GoDuration;
use crate::oauth2::error::OAuthError;
use crate::oauth2::redirect_uri;

/// The scope of a client that was registered without one, as in Hydra.
const DEFAULT_SCOPE: &str = "offline_access offline openid";

/// The longest `client_id` that may be chosen.
const LONGEST_ID: usize = 255;

/// Signature algorithms that a client may name for its own keys.
const CLIENT_ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
];

/// Fills in the defaults and checks the whole. No token may outlive `longest_token`, for which keys stay published.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata`, naming the field.
pub fn complete(mut profile: Profile, longest_token: Duration) -> Result<Profile, OAuthError> {
    if profile.scope.trim().is_empty() {
        DEFAULT_SCOPE.clone_into(&mut profile.scope);
    }
    if profile.subject_type.is_empty() {
        "public".clone_into(&mut profile.subject_type);
    }
    if profile.metadata.is_null() {
        profile.metadata = serde_json::Value::Object(serde_json::Map::new());
    }
    profile.client_secret_expires_at = 0;
    drop_empty_texts(&mut profile);
    check(&profile)?;
    check_lifespans(&profile.lifespans, longest_token)?;
    Ok(profile)
}

/// Checks a `client_id` that an administrator chose.
///
/// # Errors
/// `invalid_client_metadata` unless it is 1 to 255 visible ASCII characters without `:` (which HTTP Basic cannot carry
/// unambiguously) and `/`.
pub fn check_id(id: &str) -> Result<(), OAuthError> {
    let good = (1..=LONGEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'/' && b != b':');
    if good {
        Ok(())
    } else {
        Err(invalid(
            "client_id",
            "must be 1 to 255 visible ASCII characters without '/' and ':'",
        ))
    }
}

/// Checks lifespans: longer than nothing, and for what our keys sign at most `longest_token`. A negative one for refresh
/// tokens means without end.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn check_lifespans(lifespans: &Lifespans, longest_token: Duration) -> Result<(), OAuthError> {
    let signed = [
        lifespans.authorization_code_grant_access_token_lifespan,
        lifespans.authorization_code_grant_id_token_lifespan,
        lifespans.client_credentials_grant_access_token_lifespan,
        lifespans.device_authorization_grant_access_token_lifespan,
        lifespans.device_authorization_grant_id_token_lifespan,
        lifespans.implicit_grant_access_token_lifespan,
        lifespans.implicit_grant_id_token_lifespan,
        lifespans.jwt_bearer_grant_access_token_lifespan,
        lifespans.refresh_token_grant_access_token_lifespan,
        lifespans.refresh_token_grant_id_token_lifespan,
    ];
    for GoDuration(lifespan) in signed.into_iter().flatten() {
        if lifespan < Duration::SECOND || lifespan > longest_token {
            return Err(invalid(
                "a lifespan of access or ID tokens",
                &format!(
                    "must lie between 1s and `keys.longest_token`, {}",
                    GoDuration(longest_token)
                ),
            ));
        }
    }
    let refresh = [
        lifespans.authorization_code_grant_refresh_token_lifespan,
        lifespans.device_authorization_grant_refresh_token_lifespan,
        lifespans.refresh_token_grant_refresh_token_lifespan,
    ];
    if refresh
        .into_iter()
        .flatten()
        .any(|GoDuration(lifespan)| lifespan.is_zero())
    {
        return Err(invalid("a lifespan of refresh tokens", "must not be 0"));
    }
    Ok(())
}

/// SDKs send `""` for what is unset.
fn drop_empty_texts(profile: &mut Profile) {
    for text in [
        &mut profile.token_endpoint_auth_signing_alg,
        &mut profile.sector_identifier_uri,
        &mut profile.jwks_uri,
        &mut profile.request_object_signing_alg,
        &mut profile.userinfo_signed_response_alg,
        &mut profile.frontchannel_logout_uri,
        &mut profile.backchannel_logout_uri,
    ] {
        text.take_if(|text| text.is_empty());
    }
}

fn check(profile: &Profile) -> Result<(), OAuthError> {
    profile
        .redirect_uris
        .iter()
        .try_for_each(|uri| redirect_uri::check_registrable(uri))?;
    check_web_addresses(profile)?;
    profile
        .allowed_cors_origins
        .iter()
        .try_for_each(|origin| check_origin(origin))?;
    check_keys(profile)?;
    check_logout(profile)?;
    if profile.subject_type != "public" {
        return Err(invalid(
            "subject_type",
            "must be 'public'; no other type is supported",
        ));
    }
    if profile.sector_identifier_uri.is_some() {
        return Err(invalid(
            "sector_identifier_uri",
            "needs pairwise subjects, which are not supported",
        ));
    }
    if !matches!(
        profile.userinfo_signed_response_alg.as_deref(),
        None | Some("none")
    ) {
        return Err(invalid(
            "userinfo_signed_response_alg",
            "must be 'none'; signed userinfo is not supported",
        ));
    }
    if profile
        .grant_types
        .iter()
        .chain(&profile.response_types)
        .any(String::is_empty)
    {
        return Err(invalid(
            "grant_types and response_types",
            "must not hold empty values",
        ));
    }
    Ok(())
}

fn check_web_addresses(profile: &Profile) -> Result<(), OAuthError> {
    for (name, value) in [
        ("client_uri", &profile.client_uri),
        ("policy_uri", &profile.policy_uri),
        ("tos_uri", &profile.tos_uri),
        ("logo_uri", &profile.logo_uri),
    ] {
        let good = value.is_empty() || is_web_address(value);
        if !good {
            return Err(invalid(name, "must be an http or https address"));
        }
    }
    for (name, value) in [
        ("jwks_uri", &profile.jwks_uri),
        ("frontchannel_logout_uri", &profile.frontchannel_logout_uri),
        ("backchannel_logout_uri", &profile.backchannel_logout_uri),
    ] {
        if value.as_deref().is_some_and(|value| !is_web_address(value)) {
            return Err(invalid(name, "must be an http or https address"));
        }
    }
    Ok(())
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

fn check_origin(origin: &str) -> Result<(), OAuthError> {
    let plain = Url::parse(origin).is_ok_and(|url| {
        url.host_str().is_some_and(|host| !host.is_empty())
            && matches!(url.path(), "" | "/")
            && !origin.ends_with('/')
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if plain {
        Ok(())
    } else {
        Err(invalid(
            "allowed_cors_origins",
            "must hold origins such as 'https://app.example:8443'",
        ))
    }
}

fn check_keys(profile: &Profile) -> Result<(), OAuthError> {
    let inline = !profile.jwks.is_empty();
    if inline && profile.jwks_uri.is_some() {
        return Err(invalid("jwks", "and jwks_uri exclude each other"));
    }
    if inline
        && !profile
            .jwks
            .get("keys")
            .is_some_and(serde_json::Value::is_array)
    {
        return Err(invalid("jwks", "must be an object with an array 'keys'"));
    }
    if profile.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt {
        // Accepting it would register a client that can never authenticate.
        return Err(invalid(
            "token_endpoint_auth_method",
            "'private_key_jwt' is not supported yet",
        ));
    }
    let known = |alg: &Option<String>| {
        alg.as_deref()
            .is_none_or(|alg| CLIENT_ALGORITHMS.contains(&alg))
    };
    if !known(&profile.token_endpoint_auth_signing_alg) {
        return Err(invalid(
            "token_endpoint_auth_signing_alg",
            "must be one of RS, PS or ES 256, 384, 512",
        ));
    }
    Ok(())
}

/// A page that a browser is sent to after logout must belong to the client: same scheme, host and port as one of its
/// redirect URIs.
fn check_logout(profile: &Profile) -> Result<(), OAuthError> {
    let place = |uri: &str| {
        let url = Url::parse(uri).ok()?;
        Some((
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        ))
    };
    let homes: Vec<_> = profile
        .redirect_uris
        .iter()
        .filter_map(|uri| place(uri))
        .collect();
    for uri in &profile.post_logout_redirect_uris {
        redirect_uri::check_registrable(uri).map_err(|_| {
            invalid(
                "post_logout_redirect_uris",
                "must hold absolute addresses without fragment",
            )
        })?;
        if !place(uri).is_some_and(|home| homes.contains(&home)) {
            return Err(invalid(
                "post_logout_redirect_uris",
                "must share scheme, host and port with a redirect URI",
            ));
        }
    }
    Ok(())
}

/// A refusal of one field.
pub(super) fn invalid(field: &str, rule: &str) -> OAuthError {
    OAuthError::InvalidClientMetadata(format!("{field} {rule}"))
}
