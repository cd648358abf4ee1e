//! What a proxy is answered.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use gatepost_policy::{Changes, Response as Denied};

use super::trouble::Trouble;

/// Names the headers that Envoy's `ext_authz` is to take out of the request: those that only rules may
/// set, and that the client has sent.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The path that was judged, where it is not the one that was sent.
const PATH: HeaderName = HeaderName::from_static("x-gatepost-path");

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
    let removed = changes.remove.join(b",".as_slice());
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
