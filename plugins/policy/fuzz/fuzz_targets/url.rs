//! A client's host and path, divided by the first line feed: what is accepted reads back as the
//! same URL from what goes upstream, however the operator wants paths to be read.

#![no_main]

use gatepost_policy::{
    Request,
    path::{Cleaning, EncodedSlashes, Reading, Url},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let host = parts.next().unwrap_or_default();
    let path = parts.next().unwrap_or_default();
    for cleaning in [Cleaning::V26, Cleaning::V040] {
        for encoded_slashes in [EncodedSlashes::Refuse, EncodedSlashes::Decode, EncodedSlashes::Keep] {
            let reading = Reading {
                cleaning,
                encoded_slashes,
            };
            check(host, path, reading);
        }
    }
});

fn check(host: &[u8], path: &[u8], reading: Reading) {
    let Ok(url) = Url::read(&request(host, path), reading) else {
        return;
    };
    assert!(url.path.starts_with('/'));
    for segment in url.path.split('/').skip(1) {
        assert!(![".", ".."].contains(&segment));
        assert!(url.path == "/" || reading.cleaning == Cleaning::V040 || !segment.is_empty());
    }
    let sent_on = url
        .upstream_path(path)
        .map_or_else(|| path.to_vec(), String::into_bytes);
    let again = Url::read(&request(url.host.as_bytes(), &sent_on), reading);
    assert_eq!(again.as_ref(), Ok(&url));
    assert_eq!(url.upstream_path(&sent_on), None);
}

fn request(host: &[u8], path: &[u8]) -> Request {
    Request {
        headers: [(":method", &b"GET"[..]), (":authority", host), (":path", path)]
            .into_iter()
            .collect(),
        ..Request::default()
    }
}
