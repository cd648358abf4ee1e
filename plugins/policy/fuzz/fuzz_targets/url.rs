//! A client's host and path, divided by the first line feed: what is accepted reads back as the
//! same URL from what goes upstream.

#![no_main]

use gatepost_policy::{Request, path::Url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let host = parts.next().unwrap_or_default();
    let path = parts.next().unwrap_or_default();
    let Ok(url) = Url::from_request(&request(host, path)) else {
        return;
    };
    assert!(url.path.starts_with('/'));
    for segment in url.path.split('/').skip(1) {
        assert!(url.path == "/" || !["", ".", ".."].contains(&segment));
    }
    let sent_on = url
        .upstream_path(path)
        .map_or_else(|| path.to_vec(), String::into_bytes);
    let again = Url::from_request(&request(url.host.as_bytes(), &sent_on));
    assert_eq!(again.as_ref(), Ok(&url));
    assert_eq!(url.upstream_path(&sent_on), None);
});

fn request(host: &[u8], path: &[u8]) -> Request {
    Request {
        headers: [(":method", &b"GET"[..]), (":authority", host), (":path", path)]
            .into_iter()
            .collect(),
        ..Request::default()
    }
}
