//! What a proxy is answered.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use gatepost_policy::{Changes, Response as Denied};

use super::trouble::Trouble;

/// Names the headers that Envoy's `ext_authz` is to take out of the request: those that only rules may
/// set, and that the client has sent. nginx and Caddy look for credentials in it.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The path that was judged, where it is not the one that was sent.
const PATH: HeaderName = HeaderName::from_static("x-gatepost-path");

/// What proxies hand on as the client sent it, unless they are told otherwise.
const CREDENTIALS: [&str; 2] = ["authorization", "cookie"];

/// What is said to the proxy and concerns nobody behind it.
pub(super) const OWN: [HeaderName; 2] = [TO_REMOVE, PATH];

/// The client may: 200, with what the upstream is to be told.
pub(super) fn allowed(changes: &Changes) -> Result<Response, Trouble> {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    for (name, value) in &changes.set {
        let bad = |_| Trouble::BadValue(name.to_string());
        let field = HeaderName::from_bytes(name.as_bytes());
        let field = field.map_err(|_| Trouble::BadValue(name.to_string()))?;
        headers.insert(field, HeaderValue::from_bytes(value).map_err(bad)?);
    }
    let removed = removed(changes).join(b",".as_slice());
    for (name, value) in [
        (TO_REMOVE, (!removed.is_empty()).then_some(removed)),
        (PATH, changes.path.clone().map(String::into_bytes)),
    ] {
        if let Some(value) = value {
            let value = HeaderValue::from_bytes(&value);
            let value = value.map_err(|_| Trouble::BadValue(name.to_string()))?;
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// What the upstream must not get of the client's: also credentials that a rule sets to nothing, for nginx
/// and Caddy cannot tell these from credentials that no rule sets.
fn removed(changes: &Changes) -> Vec<&[u8]> {
    let is_emptied = |credential: &&str| {
        let mut set = changes.set.iter();
        set.any(|(name, value)| value.is_empty() && name.eq_ignore_ascii_case(credential))
    };
    let emptied = CREDENTIALS.iter().filter(|it| is_emptied(it));
    let removed = changes.remove.iter().map(Vec::as_slice);
    removed.chain(emptied.map(|it| it.as_bytes())).collect()
}

/// The client may not, and gets this.
pub(super) fn denied(response: Denied) -> Result<Response, Trouble> {
    let mut answer = Response::new(Body::from(response.body));
    *answer.status_mut() = match StatusCode::from_u16(response.status) {
        Ok(status) if !status.is_informational() && !status.is_success() => status,
        // To the proxy, success would mean that the client may.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    for (name, value) in response.headers {
        let bad = |_| Trouble::BadValue(name.to_owned());
        answer.headers_mut().append(
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Trouble::BadValue(name.to_owned()))?,
            HeaderValue::from_bytes(&value).map_err(bad)?,
        );
    }
    Ok(answer)
}

/// There is no decision, so the client may not.
pub(super) fn refused(trouble: Trouble) -> Response {
    tracing::warn!("a request was refused: {trouble}");
    trouble.into_response()
}
