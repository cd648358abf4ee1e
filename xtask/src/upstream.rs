//! A small HTTP/1.1 server that tells what it was sent: the upstream of the demo, and the scripted
//! servers (key sets, session checks) of the end-to-end tests.
//!
//! Written on `httparse` and a thread per connection, because a test server must show what arrived
//! byte for byte, duplicates and bytes outside ASCII included, which polite server libraries refuse.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Where a request's head ends at the latest.
const MAX_HEAD: u64 = 4 << 20;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path with query, undecoded.
    pub target: String,
    /// Header fields in their order; names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The first field of this name (lower case), as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let field = self.headers.iter().find(|(key, _)| key == name);
        field.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// An answer to send.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, sent as JSON.
    pub body: String,
}

type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

/// A server on a loopback port. Dropping it closes the port and every connection.
pub struct Upstream {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Answers every request with what it got: method, path, headers and body, as JSON.
    ///
    /// # Errors
    /// If the port is occupied (0 picks a free one).
    pub fn echo(port: u16) -> Result<Self> {
        Self::answering(port, |request| Answer {
            status: 200,
            body: describe(request).to_string(),
        })
    }

    /// Answers by `handler`, which may also block to be slow.
    ///
    /// # Errors
    /// If the port is occupied (0 picks a free one).
    pub fn answering(
        port: u16,
        handler: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let connections = Arc::default();
        let shared = (Arc::clone(&stopping), Arc::clone(&connections));
        let handler: Arc<Handler> = Arc::new(handler);
        let accepting = thread::spawn(move || accept(&listener, &shared.0, &shared.1, &handler));
        Ok(Self {
            address,
            stopping,
            connections,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for connection in lock(&self.connections).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn accept(
    listener: &TcpListener,
    stopping: &AtomicBool,
    connections: &Mutex<Vec<TcpStream>>,
    handler: &Arc<Handler>,
) {
    for stream in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if let Ok(copy) = stream.try_clone() {
            lock(connections).push(copy);
        }
        let handler = Arc::clone(handler);
        // A connection that breaks is the client's business.
        thread::spawn(move || drop(serve(stream, &*handler)));
    }
}

fn serve(stream: TcpStream, handler: &Handler) -> Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let answer = handler(&request);
        let head = format!(
            "HTTP/1.1 {} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.status,
            answer.body.len()
        );
        let body = if request.method == "HEAD" {
            ""
        } else {
            &answer.body
        };
        writer.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Result<Option<Received>> {
    let Some(head) = read_head(reader)? else {
        return Ok(None);
    };
    let mut fields = [httparse::EMPTY_HEADER; 200];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(&head)?;
    let mut request = Received {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    if request.header("transfer-encoding").is_some() {
        request.body = read_chunks(reader)?;
    } else if let Some(length) = request.header("content-length") {
        reader
            .take(length.parse()?)
            .read_to_end(&mut request.body)?;
    }
    Ok(Some(request))
}

fn read_head(reader: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let start = head.len();
        match reader.by_ref().take(MAX_HEAD).read_until(b'\n', &mut head) {
            Ok(0) if head.is_empty() => return Ok(None),
            Ok(0) => bail!("the head ends early"),
            Ok(_) if matches!(head.get(start..), Some(b"\r\n" | b"\n")) => return Ok(Some(head)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

fn read_chunks(reader: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let length = u64::from_str_radix(size.trim(), 16)?;
        reader.by_ref().take(length).read_to_end(&mut body)?;
        reader.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn describe(request: &Received) -> Value {
    let fields = request.headers.iter();
    json!({
        "method": request.method,
        "path": request.target,
        "headers": fields
            .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
            .collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(&request.body),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
