//! Pages of a list by offset, in the reference's clothes: `page_size`, and a `page_token` that clients pass back.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What a request asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Paging {
    page_size: Option<String>,
    page_token: Option<String>,
}

const DEFAULT_SIZE: u32 = 250;
const MAX_SIZE: u32 = 1000;

#[derive(Deserialize)]
struct Token {
    #[serde(deserialize_with = "number_in_text")]
    offset: u32,
}

impl Paging {
    /// How many; nonsense counts as absent.
    pub(super) fn limit(&self) -> u32 {
        let asked = self
            .page_size
            .as_deref()
            .and_then(|size| size.parse::<u32>().ok());
        asked
            .filter(|size| *size > 0)
            .unwrap_or(DEFAULT_SIZE)
            .min(MAX_SIZE)
    }

    /// After how many.
    pub(super) fn offset(&self) -> u32 {
        let decoded = self
            .page_token
            .as_deref()
            .and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        decoded
            .and_then(|json| serde_json::from_slice::<Token>(&json).ok())
            .map_or(0, |token| token.offset)
    }

    /// The headers that lead to the other pages of a list with `total` entries.
    pub(super) fn headers(&self, path: &str, total: u64) -> HeaderMap {
        let size = self.limit();
        let link = |offset: u32, rel: &str| {
            let token = URL_SAFE_NO_PAD.encode(format!(r#"{{"offset":"{offset}","v":2}}"#));
            format!("<{path}?page_size={size}&page_token={token}>; rel=\"{rel}\"")
        };
        let mut links = link(0, "first");
        let next = self.offset().saturating_add(size);
        if u64::from(next) < total {
            links = format!("{links},{}", link(next, "next"));
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static("x-total-count"),
            HeaderValue::from(total),
        );
        if let Ok(links) = HeaderValue::from_str(&links) {
            headers.insert(header::LINK, links);
        }
        headers
    }
}

fn number_in_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_token_leads_to_the_next_offset() {
        let first = Paging {
            page_size: Some("2".into()),
            page_token: None,
        };
        let links = first.headers("/sessions", 3);
        let links = links[header::LINK].to_str().unwrap();
        let token = links
            .rsplit("page_token=")
            .next()
            .unwrap()
            .split('>')
            .next()
            .unwrap();
        let second = Paging {
            page_size: Some("2".into()),
            page_token: Some(token.into()),
        };
        assert_eq!((second.offset(), second.limit()), (2, 2));
        assert!(
            !second.headers("/sessions", 3)[header::LINK]
                .to_str()
                .unwrap()
                .contains("next")
        );
    }

    #[test]
    fn nonsense_means_the_first_page() {
        let paging = Paging {
            page_size: Some("-3".into()),
            page_token: Some("%%".into()),
        };
        assert_eq!((paging.offset(), paging.limit()), (0, DEFAULT_SIZE));
    }
}
