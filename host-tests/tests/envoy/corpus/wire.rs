//! HTTP/1.1 over sockets, byte by byte: what a case holds has to arrive as it is.

use std::io::{Read, Write};

use anyhow::{Context as _, Result, bail};

/// A message as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) start: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(present, _)| present == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// The words of the first line.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.start.split(' ').collect()
    }
}

/// Reads one message. `is_reply_to` is the method of what it answers: a reply to `HEAD` has no body.
pub(crate) fn read(stream: &mut impl Read, is_reply_to: Option<&str>) -> Result<Message> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        more(stream, &mut bytes)?;
    };
    let head = bytes[..end].to_vec();
    let mut body = bytes.split_off(end + 4);
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let headers = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        })
        .collect();
    let mut message = Message {
        start,
        headers,
        body: Vec::new(),
    };
    if is_reply_to == Some("HEAD") {
        return Ok(message);
    }
    if message.header("transfer-encoding").is_some() {
        while !body.ends_with(b"0\r\n\r\n") {
            more(stream, &mut body)?;
        }
        body = unchunked(&body).context("broken chunks")?;
    } else {
        let length = message.header("content-length").unwrap_or_default();
        let length = length.parse().unwrap_or(0);
        while body.len() < length {
            more(stream, &mut body)?;
        }
    }
    message.body = body;
    Ok(message)
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 8192];
    match stream.read(&mut buffer)? {
        0 => bail!(
            "the connection ends after `{}`",
            String::from_utf8_lossy(bytes)
        ),
        count => bytes.extend_from_slice(&buffer[..count]),
    }
    Ok(())
}

fn unchunked(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunks.iter().position(|byte| *byte == b'\n')?;
        let size = std::str::from_utf8(&chunks[..line]).ok()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        chunks = chunks.get(line + 1..)?;
        body.extend_from_slice(chunks.get(..size)?);
        chunks = chunks.get(size + 2..)?;
    }
}

/// Writes a message.
pub(crate) fn write(
    stream: &mut impl Write,
    start: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<()> {
    let mut head = format!("{start}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())?;
    Ok(())
}
