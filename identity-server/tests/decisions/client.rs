//! Speaks HTTP/1.1 byte by byte: no library may refuse, or mend, what a test sends.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, ensure};

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(present, _)| present == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// Sends a request with these fields, and reads the answer to its end.
pub fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> anyhow::Result<Answer> {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("connection: close\r\n\r\n");
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> anyhow::Result<Answer> {
    let (head, body) = split(bytes, b"\r\n\r\n").context("no answer")?;
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let status = status.split(' ').nth(1).context("no status")?.parse()?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = split(line, b":").context("no field")?;
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        headers.push((name, value.trim_ascii().to_vec()));
    }
    let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
    ensure!(!chunked, "an answer in chunks");
    Ok(Answer {
        status,
        headers,
        body: body.to_vec(),
    })
}

/// What stands before and after the first `end`.
pub fn split<'b>(bytes: &'b [u8], end: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    Some((&bytes[..at], &bytes[at + end.len()..]))
}
