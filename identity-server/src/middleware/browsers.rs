//! Keeps browsers away from the admin listener.
//!
//! It asks nobody who they are, so a page that an operator looks at could make their browser send requests to it: a
//! plain form from another site (CSRF), or the site's own scripts once its name has been pointed at 127.0.0.1 (DNS
//! rebinding). Browsers give themselves away by `Origin` and `Sec-Fetch-Site`, and in the second case by a `Host` that
//! is the site's name. Programs send neither of the first two, and on a loopback address they name it.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::ApiError;

/// Answers 403 to whatever comes from a page, and to names other than loopback ones where the listener is on loopback.
pub(super) async fn refuse(State(app): State<App>, request: Request, next: Next) -> Response {
    if comes_from_page(request.headers()) {
        return ApiError::forbidden("The admin API answers no web pages").into_response();
    }
    if app.settings().admin.is_loopback() && !names_loopback(&request) {
        return ApiError::forbidden(
            "The admin listener is on a loopback address, so the host must be localhost or such an address; to reach \
             it under another name, bind `serve.admin.host` to a private one",
        )
        .into_response();
    }
    next.run(request).await
}

/// Another site's page; a typed-in address (`none`) is an operator's own doing.
fn comes_from_page(headers: &HeaderMap) -> bool {
    let elsewhere = headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| site != "same-origin" && site != "none");
    elsewhere || headers.contains_key(header::ORIGIN)
}

/// Every name that the request gives the server must be a loopback one, and there must be one.
fn names_loopback(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter().peekable();
    let absolute = request.uri().authority();
    let named = hosts.peek().is_some() || absolute.is_some();
    let hosts_fit = hosts.all(|host| {
        host.to_str()
            .ok()
            .and_then(|host| host.parse::<Authority>().ok())
            .is_some_and(|host| is_loopback(host.host()))
    });
    named && hosts_fit && absolute.is_none_or(|host| is_loopback(host.host()))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_loopback_names_count() {
        let names = |host: &str| {
            let request = Request::get("/clients").header("host", host);
            names_loopback(&request.body(Body::empty()).unwrap())
        };
        for host in [
            "localhost",
            "LocalHost:4445",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:4445",
        ] {
            assert!(names(host), "{host}");
        }
        for host in [
            "evil.test:4445",
            "localhost.evil.test",
            "10.0.0.1",
            "0.0.0.0:4445",
            "[::2]",
            "",
        ] {
            assert!(!names(host), "{host}");
        }
        let absolute = Request::get("http://evil.test/clients").header("host", "localhost");
        assert!(!names_loopback(&absolute.body(Body::empty()).unwrap()));
        let nameless = Request::get("/clients").body(Body::empty()).unwrap();
        assert!(!names_loopback(&nameless));
    }
}
