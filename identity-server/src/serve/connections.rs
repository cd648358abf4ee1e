//! One listener's connections: how many there may be, and how long each may take to say what it wants.
//!
//! `axum::serve` would do, but it sets no limit of either kind: clients that send one byte a minute could take up
//! every file descriptor.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

/// More connections than this wait in the system's queue.
const CONNECTIONS: usize = 4096;

/// A request's head must be there within this time; an idle connection is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// The head's size, and what is read ahead of a body.
const BUFFER: usize = 64 * 1024;

/// How a connection begins that speaks HTTP/2 without TLS (RFC 9113 section 3.4): the part of it that no request of
/// HTTP/1 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// How often to look for more of the preface.
const PEEK_PAUSE: Duration = Duration::from_millis(10);

/// How many requests may be under way on one connection of HTTP/2.
const STREAMS: u32 = 256;

/// How long to wait when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener's connections may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1 only.
    Http1,
    /// HTTP/1, or HTTP/2 without TLS and without asking first, as gRPC does.
    Either,
}

/// Answers until `stop` turns true, then waits for the connections to finish what they are at.
pub async fn answer(listener: TcpListener, routes: Router, stop: watch::Receiver<bool>) {
    answer_to(Speaks::Http1, listener, routes, stop).await;
}

/// The same for connections that may speak something else too.
pub async fn answer_to(
    speaks: Speaks,
    listener: TcpListener,
    routes: Router,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let told = stop.clone();
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, listener.accept().await))
        };
        tokio::select! {
            () = told_to_stop(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            Some((slot, accepted)) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let connection =
                        serve(speaks, stream, peer, routes.clone(), told.clone(), HEAD_WITHIN);
                    connections.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(cause) => {
                    tracing::warn!(%cause, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until `stop` turns true, or nobody is left who could say so.
pub(crate) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Serves one connection; a broken one concerns nobody else.
async fn serve(
    speaks: Speaks,
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    mut stop: watch::Receiver<bool>,
    head_within: Duration,
) {
    // Answers are small; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = routes.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    // To tell HTTP/2 by its preface, the builder would wait for the first bytes without any limit.
    let is_http2 = match speaks {
        Speaks::Http1 => Ok(false),
        Speaks::Either => match timeout(head_within, begins_with_preface(&stream)).await {
            Ok(is_http2) => is_http2,
            Err(_) => return,
        },
    };
    let Ok(is_http2) = is_http2 else { return };
    let builder = builder(is_http2, head_within);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = told_to_stop(&mut stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection broke");
    }
}

fn builder(is_http2: bool, head_within: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_buf_size(BUFFER);
    // Such a connection may be idle for as long as the other side is there.
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(head_within)
        .keep_alive_timeout(head_within)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX));
    match is_http2 {
        true => builder.http2_only(),
        false => builder.http1_only(),
    }
}

/// Whether a connection begins with HTTP/2's preface; leaves it there.
async fn begins_with_preface(stream: &TcpStream) -> io::Result<bool> {
    let mut begin = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut begin).await?;
        let so_far = begin.get(..count).unwrap_or_default();
        if count == 0 || !PREFACE.starts_with(so_far) {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        // What is there is there at once: only time tells whether more comes.
        sleep(PEEK_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Sends `said`, then waits for the server to hang up.
    async fn hangs_up_on(said: &[u8]) {
        for speaks in [Speaks::Http1, Speaks::Either] {
            hangs_up(speaks, said).await;
        }
    }

    async fn hangs_up(speaks: Speaks, said: &[u8]) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let (_tell, stop) = watch::channel(false);
        let routes = Router::new();
        let serving = serve(
            speaks,
            stream,
            peer,
            routes,
            stop,
            Duration::from_millis(50),
        );
        let silence = async {
            client.write_all(said).await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await
        };
        let both = async { tokio::join!(serving, silence) };
        let _ = timeout(Duration::from_secs(20), both)
            .await
            .expect("the server waits for ever");
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_is_hung_up_on() {
        hangs_up_on(b"").await;
    }

    #[tokio::test]
    async fn a_client_that_stops_in_its_first_line_is_hung_up_on() {
        hangs_up_on(b"PRI * HT").await;
    }
}
