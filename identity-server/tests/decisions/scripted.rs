//! A server that stands in for every server that rules call, and asks the test what to answer.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{Sender, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use gatepost::{decisions::Outward, rules::Caller};
use gatepost_cases::SpecReply;
use gatepost_policy::{Call, Reply};

use crate::client::split;

/// Tells which server a call was meant for.
const MEANT_FOR: &str = "x-scripted-origin";

/// A call as it came over the wire, and where its answer goes; `None` breaks the connection.
pub struct Called {
    /// Which endpoint made it, by number.
    pub by: u32,
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub answer: SyncSender<Option<SpecReply>>,
}

/// Listens on a port of its own for as long as the process lives.
pub fn listen<E: From<Called> + Send + 'static>(events: Sender<E>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let events = events.clone();
            thread::spawn(move || serve(stream, &events));
        }
    });
    port
}

/// One call on one connection.
fn serve<E: From<Called>>(mut stream: TcpStream, events: &Sender<E>) -> Option<()> {
    let timeout = Duration::from_secs(10);
    stream.set_read_timeout(Some(timeout)).ok()?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, length) = loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if let Some((head, body)) = split(&bytes, b"\r\n\r\n") {
            let length = length(head);
            if body.len() >= length {
                break (String::from_utf8_lossy(head).into_owned(), length);
            }
        }
    };
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes().to_vec()))
        .collect();
    let meant = headers.iter().find(|(name, _)| name == MEANT_FOR)?;
    let meant = String::from_utf8(meant.1.clone()).ok()?;
    let (by, origin) = meant.split_once(' ')?;
    headers.retain(|(name, _)| ![MEANT_FOR, "host", "content-length"].contains(&name.as_str()));
    let (answer, answered) = sync_channel(1);
    let called = Called {
        by: by.parse().ok()?,
        method,
        url: format!("{origin}{target}"),
        headers,
        body: bytes[bytes.len() - length..].to_vec(),
        answer,
    };
    events.send(called.into()).ok()?;
    let reply = answered.recv_timeout(timeout).ok()??;
    let body = reply.body();
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\nconnection: close\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(&[head.into_bytes(), body].concat()).ok()
}

fn length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut lines = head.lines();
    lines
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap())
}

/// Makes calls over the network as the endpoint does, but all of them to the scripted server.
pub struct ToScript {
    pub caller: Caller,
    pub port: u16,
    /// The number of the endpoint that makes them.
    pub by: u32,
}

#[async_trait]
impl Outward for ToScript {
    async fn send(&self, call: &Call, limit: usize) -> Reply {
        let mut call = call.clone();
        let meant = format!("{} {}", self.by, call.origin);
        call.headers
            .push((MEANT_FOR.to_owned(), meant.into_bytes()));
        // A script does not let anybody wait, but a busy machine does.
        call.timeout = Duration::from_secs(60);
        call.origin = format!("http://127.0.0.1:{}", self.port).into();
        self.caller.send(&call, limit).await
    }
}
