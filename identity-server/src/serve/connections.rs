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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// More connections than this wait in the system's queue.
const CONNECTIONS: usize = 4096;

/// A request's head must be there within this time; an idle connection is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// The head's size, and what is read ahead of a body.
const BUFFER: usize = 64 * 1024;

/// How long to wait when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop` turns true, then waits for the connections to finish what they are at.
pub async fn answer(listener: TcpListener, routes: Router, mut stop: watch::Receiver<bool>) {
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
                        serve(stream, peer, routes.clone(), told.clone(), HEAD_WITHIN);
                    connections.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(cause) => {
                    tracing::warn!(%cause, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
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
    // HTTP/1 only: to tell HTTP/2 by its preface, the builder would wait for the first bytes without any limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_buf_size(BUFFER);
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Sends `said`, then waits for the server to hang up.
    async fn hangs_up_on(said: &[u8]) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let (_tell, stop) = watch::channel(false);
        let routes = Router::new();
        let serving = serve(stream, peer, routes, stop, Duration::from_millis(50));
        let silence = async {
            client.write_all(said).await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await
        };
        let both = async { tokio::join!(serving, silence) };
        let _ = tokio::time::timeout(Duration::from_secs(20), both)
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
