//! The servers that rules call, and the upstream behind Envoy.

use std::{
    collections::BTreeMap,
    io::Read as _,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use gatepost_cases::{Case, SpecReply, jwks, private_jwks};

use super::wire::{self, Message};

/// What the test learns.
pub(super) enum Event {
    Called(Called),
    /// A request has reached the upstream.
    Passed(Message),
    Answered(anyhow::Result<Message>),
}

/// A call, and where its answer goes; `None` breaks the connection.
pub(super) struct Called {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) answer: SyncSender<Option<SpecReply>>,
}

/// Which policy is being asked. Key sets are fetched as soon as Envoy has read its configuration; a call
/// that nobody has a script for yet waits until its policy's turn.
pub(super) type Turn = Arc<AtomicUsize>;

/// The server at `origin` for the policy of this number.
pub(super) struct Server {
    pub(super) policy: usize,
    pub(super) origin: String,
    /// Answers that need no script, by URL.
    known: Arc<BTreeMap<String, SpecReply>>,
    turn: Turn,
    events: Sender<Event>,
}

impl Server {
    pub(super) fn new(
        policy: usize,
        origin: String,
        known: &Arc<BTreeMap<String, SpecReply>>,
        turn: &Turn,
        events: &Sender<Event>,
    ) -> Self {
        Self {
            policy,
            origin,
            known: Arc::clone(known),
            turn: Arc::clone(turn),
            events: events.clone(),
        }
    }

    pub(super) fn listen(self, socket: &Path) {
        let server = Arc::new(self);
        each_connection(socket, move |stream| {
            let _ = server.serve(stream);
        });
    }

    fn serve(&self, mut stream: UnixStream) -> anyhow::Result<()> {
        let message = wire::read(&mut stream, None)?;
        let words = message.words();
        let url = format!("{}{}", self.origin, words[1]);
        let reply = match self.known.get(&url) {
            Some(reply) => Some(reply.clone()),
            None => self.ask(&mut stream, &message, words[0], url),
        };
        let Some(reply) = reply.filter(|reply| !reply.fails) else {
            return Ok(());
        };
        let body = reply.body();
        let mut headers: Vec<_> = reply.headers.into_iter().collect();
        headers.push(("content-length".to_owned(), body.len().to_string()));
        headers.push(("connection".to_owned(), "close".to_owned()));
        // A server of its own tells the time, unlike Envoy when it answers in one's place.
        headers.push((
            "date".to_owned(),
            "Thu, 01 Jan 2026 00:00:00 GMT".to_owned(),
        ));
        wire::write(
            &mut stream,
            &format!("HTTP/1.1 {} Scripted", reply.status),
            &headers,
            &body,
        )
    }

    fn ask(
        &self,
        stream: &mut UnixStream,
        message: &Message,
        method: &str,
        url: String,
    ) -> Option<SpecReply> {
        stream
            .set_read_timeout(Some(Duration::from_millis(10)))
            .ok()?;
        while self.turn.load(Ordering::SeqCst) != self.policy {
            // Whoever closes the connection waits no more.
            if matches!(stream.read(&mut [0]), Ok(0)) {
                return None;
            }
        }
        let (answer, answered) = sync_channel(1);
        let own = [
            "host",
            "content-length",
            "x-request-id",
            "x-forwarded-proto",
            "x-envoy-internal",
        ];
        let headers = message.headers.iter();
        let called = Called {
            method: method.to_owned(),
            url,
            headers: headers
                .filter(|(name, _)| !own.contains(&name.as_str()))
                .cloned()
                .collect(),
            body: message.body.clone(),
            answer,
        };
        self.events.send(Event::Called(called)).ok()?;
        answered.recv_timeout(Duration::from_secs(10)).ok()?
    }
}

/// The key sets of a case.
pub(super) fn key_sets(case: &Case) -> BTreeMap<String, SpecReply> {
    let reply = |json| SpecReply {
        status: 200,
        json: Some(json),
        ..SpecReply::default()
    };
    let public = case.key_sets.iter();
    let public = public.map(|(url, names)| (url.clone(), reply(jwks(names).unwrap())));
    let private = case.private_key_sets.iter();
    let private = private.map(|(url, keys)| (url.clone(), reply(private_jwks(keys).unwrap())));
    public.chain(private).collect()
}

/// The upstream: tells the test of what it gets.
pub(super) fn upstream(socket: &Path, events: Sender<Event>) {
    each_connection(socket, move |mut stream| {
        if let Ok(message) = wire::read(&mut stream, None) {
            let _ = events.send(Event::Passed(message));
            let close = [
                ("content-length".to_owned(), "0".to_owned()),
                ("connection".to_owned(), "close".to_owned()),
            ];
            let _ = wire::write(&mut stream, "HTTP/1.1 200 OK", &close, b"");
        }
    });
}

fn each_connection(socket: &Path, serve: impl Fn(UnixStream) + Send + Sync + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    let serve = Arc::new(serve);
    thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        })
        .unwrap();
}
