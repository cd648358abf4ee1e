//! Requests out of an HTTP archive (HAR 1.2), as browsers save it.

use anyhow::{Context as _, ensure};
use gatepost_cases::RequestSpec;
use serde::Deserialize;

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Sent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Field>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
}

/// The requests of an archive, in its order.
///
/// # Errors
/// If `text` is no archive, or holds no request.
pub fn from_har(text: &str) -> anyhow::Result<Vec<RequestSpec>> {
    // Browsers on Windows put a byte order mark in front.
    let text = text.trim_start_matches('\u{feff}');
    let archive: Archive = serde_json::from_str(text).context("is no HTTP archive (HAR)")?;
    ensure!(!archive.log.entries.is_empty(), "holds no requests");
    Ok(archive
        .log
        .entries
        .into_iter()
        .map(|entry| spec(entry.request))
        .collect())
}

fn spec(sent: Sent) -> RequestSpec {
    let fields = sent.headers.into_iter();
    RequestSpec {
        method: sent.method,
        url: sent.url.split('#').next().unwrap_or_default().to_owned(),
        // Pseudo-header fields repeat what the method and the URL say.
        headers: fields
            .filter(|field| !field.name.starts_with(':'))
            .map(|field| (field.name, field.value))
            .collect(),
        client_address: None,
        peer_certificate: None,
        body: sent.post_data.and_then(|data| data.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_archive_is_read() {
        let text = "\u{feff}{\"log\": {\"version\": \"1.2\", \"entries\": [{\"startedDateTime\": \"x\", \"request\": {
            \"method\": \"POST\", \"url\": \"https://h/a?b=1#c\", \"httpVersion\": \"h2\",
            \"headers\": [{\"name\": \":path\", \"value\": \"/a\"}, {\"name\": \"Cookie\", \"value\": \"s=1\"}],
            \"postData\": {\"mimeType\": \"text/plain\", \"text\": \"hello\"}}}]}}";
        let [request] = &from_har(text).unwrap()[..] else {
            panic!("one request");
        };
        assert_eq!(request.method, "POST");
        assert_eq!(request.url, "https://h/a?b=1");
        assert_eq!(request.headers, [("Cookie".to_owned(), "s=1".to_owned())]);
        assert_eq!(request.body.as_deref(), Some("hello"));
        assert!(from_har("{}").is_err());
        assert!(from_har("{\"log\": {\"entries\": []}}").is_err());
    }
}
