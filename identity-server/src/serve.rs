//! The listeners: bound before anything is said, drained before the process ends.

pub mod connections;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::config::Listener;
use crate::router;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{host}:{port}` for the {side} side: {cause}; stop whatever uses it, or change `serve.{side}.port` (environment `{variable}`)", variable = format!("SERVE_{}_PORT", side.to_uppercase()))]
pub struct BindError {
    side: &'static str,
    host: String,
    port: u16,
    cause: std::io::Error,
}

/// Both listeners, bound.
#[derive(Debug)]
pub struct Bound {
    public: TcpListener,
    admin: TcpListener,
}

impl Bound {
    /// Binds both.
    ///
    /// # Errors
    /// [`BindError`] names the address and the key to change.
    pub async fn bind(public: &Listener, admin: &Listener) -> Result<Self, BindError> {
        Ok(Self {
            public: bind("public", public).await?,
            admin: bind("admin", admin).await?,
        })
    }

    /// The addresses in use, public and admin; they tell the ports where `0` was configured.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.admin.local_addr()?))
    }

    /// Answers requests until `stop` turns true, then finishes those under way.
    pub async fn serve(self, app: App, stop: watch::Receiver<bool>) {
        let public = connections::answer(self.public, router::public(app.clone()), stop.clone());
        let admin = connections::answer(self.admin, router::admin(app), stop);
        tokio::join!(public, admin);
    }
}

async fn bind(side: &'static str, listener: &Listener) -> Result<TcpListener, BindError> {
    let Listener { host, port, .. } = listener;
    TcpListener::bind((host.as_str(), *port))
        .await
        .map_err(|cause| BindError {
            side,
            host: host.clone(),
            port: *port,
            cause,
        })
}
