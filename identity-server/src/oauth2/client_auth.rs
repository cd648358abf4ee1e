//! Who is calling: client authentication (RFC 6749 §2.3), for every endpoint that needs it.
//!
//! A client must use the one method that it is registered for, and only that one: a client that may choose can be
//! made to choose badly.

use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::client::secret::Comparison;
use super::client::{AuthMethod, Client, StoredSecret};
use super::error::OAuthError;
use super::params::Params;
use crate::app::App;
use crate::id::ClientId;
use crate::secret::SecretText;

/// What a request presents. Nothing in it has been checked.
struct Presented {
    unverified_id: String,
    secret: Option<SecretText>,
    method: AuthMethod,
}

/// Authenticates the client of a request.
///
/// # Errors
/// `invalid_request` if the request names no client, or tries two methods; `invalid_client` if the client is unknown,
/// uses another method than its own, or has the wrong secret; `temporarily_unavailable` if its secret was chosen by
/// somebody and cannot be checked now, because too many are being checked or too many were wrong.
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Client, OAuthError> {
    let presented = present(headers, params)?;
    let basic = presented.method == AuthMethod::ClientSecretBasic;
    let refuse = |hint: &str| OAuthError::InvalidClient {
        hint: hint.to_owned(),
        basic,
    };
    let id = ClientId::new(presented.unverified_id.as_str());
    // The transaction ends here: a chosen secret is hashed below, which is slow.
    let client = app.storage().read().await?.client(&id).await?;
    let client =
        client.ok_or_else(|| refuse("the client is unknown, or its credentials are wrong"))?;
    let registered = client.profile.token_endpoint_auth_method;
    if registered != presented.method {
        return Err(refuse(&format!(
            "the client is registered for '{}' but used '{}'",
            registered.name(),
            presented.method.name()
        )));
    }
    match (&client.secret, &presented.secret) {
        (None, None) if registered == AuthMethod::None => Ok(client),
        (Some(stored), Some(secret)) if is_right(app, &id, stored, secret).await? => Ok(client),
        _ => Err(refuse(
            "the client is unknown, or its credentials are wrong",
        )),
    }
}

/// Whether `secret` is that of the client. Chosen secrets can be guessed, and checking them is work: they take turns
/// with the passwords, and failures are counted.
///
/// The count is per client, from anywhere: behind a mesh all callers share an address. So whoever knows the id of a
/// client can use up its failures; clients whose secret was made here have nothing to fear from that.
async fn is_right(
    app: &App,
    id: &ClientId,
    stored: &StoredSecret,
    secret: &SecretText,
) -> Result<bool, OAuthError> {
    let hash = match stored.compare(secret) {
        Comparison::Settled(right) => return Ok(right),
        Comparison::NeedsArgon2(hash) => hash,
    };
    let (rooms, now) = (app.flows(), app.clock().now());
    // No identifier of a person looks like this.
    let counted = format!("oauth2 client\0{id}");
    let check = || {
        rooms.throttle.check(&counted, now).map_err(|throttled| {
            tracing::warn!(client = %id, "attempts to authenticate as a client are throttled");
            OAuthError::TemporarilyUnavailable(format!(
                "too many wrong secrets for this client; try again in {} seconds",
                throttled.wait.whole_seconds().max(1)
            ))
        })
    };
    check()?;
    let turn = rooms.passwords.turn().await?;
    // Once more: who waited in line with many others must not slip through with them.
    check()?;
    let right = turn.verify(secret, hash).await?;
    if !right {
        rooms.throttle.failed(&counted, now);
    }
    Ok(right)
}

fn present(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    if params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some() {
        let hint = "client assertions are not supported yet".to_owned();
        return Err(OAuthError::InvalidClient { hint, basic: false });
    }
    let in_form = params.get("client_id");
    let secret_in_form = params.get("client_secret");
    let Some((id, secret)) = basic(headers)? else {
        let id = in_form.ok_or_else(|| {
            invalid("the request names no client: use HTTP Basic or send client_id")
        })?;
        let method = if secret_in_form.is_some() {
            AuthMethod::ClientSecretPost
        } else {
            AuthMethod::None
        };
        return Ok(Presented {
            unverified_id: id.to_owned(),
            secret: secret_in_form.map(SecretText::new),
            method,
        });
    };
    if secret_in_form.is_some() {
        return Err(invalid(
            "the client authenticates twice, by HTTP Basic and by client_secret",
        ));
    }
    if in_form.is_some_and(|in_form| in_form != id) {
        return Err(invalid("client_id is not the client that authenticates"));
    }
    Ok(Presented {
        unverified_id: id,
        secret: Some(secret),
        method: AuthMethod::ClientSecretBasic,
    })
}

/// Id and secret from `Authorization: Basic`, form-decoded as RFC 6749 §2.3.1 asks. `None` without the header.
fn basic(headers: &HeaderMap) -> Result<Option<(String, SecretText)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("the Authorization header appears more than once"));
    }
    let malformed = || OAuthError::InvalidClient {
        hint: "the Authorization header is not valid HTTP Basic".into(),
        basic: true,
    };
    let (scheme, encoded) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let decoded = zeroize::Zeroizing::new(String::from_utf8(decoded).map_err(|_| malformed())?);
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    Ok(Some((
        form_decoded(id).ok_or_else(malformed)?,
        SecretText::new(form_decoded(secret).ok_or_else(malformed)?),
    )))
}

fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

fn invalid(hint: &str) -> OAuthError {
    OAuthError::InvalidRequest(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(authorization: Option<&str>, body: &str) -> Result<Presented, OAuthError> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        present(&headers, &Params::parse(body.as_bytes()).unwrap())
    }

    fn basic_of(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn id_and_secret_are_form_decoded() {
        let presented = read(Some(&basic_of("a%3Ab+c:p%25q%2B")), "").unwrap();
        assert_eq!(presented.unverified_id, "a:b c");
        assert_eq!(presented.secret.unwrap().expose(), "p%q+");
    }

    #[test]
    fn two_methods_at_once_are_refused() {
        for body in [
            "client_secret=x",
            "client_id=other",
            "client_id=app&client_secret=x",
        ] {
            assert!(read(Some(&basic_of("app:secret")), body).is_err(), "{body}");
        }
        assert!(read(Some(&basic_of("app:secret")), "client_id=app").is_ok());
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        for header in [
            "Bearer abc",
            "Basic",
            "Basic !!!",
            &basic_of("nocolon"),
            "Basic /////w==",
        ] {
            assert!(
                matches!(
                    read(Some(header), "client_id=app"),
                    Err(OAuthError::InvalidClient { .. })
                ),
                "{header}"
            );
        }
    }

    #[test]
    fn a_request_that_names_nobody_is_malformed_rather_than_unauthorized() {
        assert!(matches!(
            read(None, "client_secret=x"),
            Err(OAuthError::InvalidRequest(_))
        ));
    }
}
