//! The client's certificate, as a proxy tells it in `X-Forwarded-Client-Cert`.
//!
//! Envoy's form, which Istio and others share: hops are separated by `,`, the pairs of a hop by `;`, and a
//! value may stand in quotes with `\"` in it. The last hop is the one that the proxy itself saw.

use gatepost_policy::PeerCertificate;

/// The certificate of the last hop; `None` if it names no hash, without which it binds nothing.
#[must_use]
pub fn from_xfcc(value: &str) -> Option<PeerCertificate> {
    let hop = split(value, ',').pop()?;
    let mut certificate = PeerCertificate::default();
    for pair in split(&hop, ';') {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        let value = unquoted(value.trim());
        match key.trim().to_ascii_lowercase().as_str() {
            "hash" => certificate.sha256 = PeerCertificate::digest_from_hex(&value),
            "subject" => certificate.subject = Some(value),
            "uri" => certificate.uri = certificate.uri.or(Some(value)),
            "dns" => certificate.dns = certificate.dns.or(Some(value)),
            _ => {}
        }
    }
    certificate.sha256.is_some().then_some(certificate)
}

/// Splits at `separator`, but not within quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in text.chars() {
        if character == separator && !is_quoted {
            parts.push(String::new());
            continue;
        }
        if character == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = character == '\\' && !is_escaped;
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        None => value.to_owned(),
        Some(inner) => {
            let mut plain = String::new();
            let mut is_escaped = false;
            for character in inner.chars() {
                is_escaped = character == '\\' && !is_escaped;
                if !is_escaped {
                    plain.push(character);
                }
            }
            plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";

    #[test]
    fn the_last_hop_is_the_one_that_counts() {
        let value = format!(
            "By=spiffe://a/one;Hash={};URI=spiffe://a/forged,By=spiffe://a/two;Hash={HASH};\
             Subject=\"CN=a\\\"b,O=\\\\x;y\";URI=spiffe://a/client;URI=spiffe://a/second;DNS=a.test",
            "00".repeat(32)
        );
        let certificate = from_xfcc(&value).unwrap();
        assert_eq!(certificate.sha256, PeerCertificate::digest_from_hex(HASH));
        assert_eq!(certificate.subject.as_deref(), Some("CN=a\"b,O=\\x;y"));
        assert_eq!(certificate.uri.as_deref(), Some("spiffe://a/client"));
        assert_eq!(certificate.dns.as_deref(), Some("a.test"));
    }

    #[test]
    fn without_a_hash_there_is_no_certificate() {
        for value in ["", "URI=spiffe://a/b", "Hash=12", "Hash", ",;=\"", "\""] {
            assert_eq!(from_xfcc(value), None, "{value}");
        }
    }
}
