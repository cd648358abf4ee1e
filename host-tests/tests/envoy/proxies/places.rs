//! Where everything listens, and how a proxy is told to.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use xtask::process::Process;

use crate::harness::{GIVEN, free_port};

/// A proxy in front of the upstream, which asks the endpoint first.
pub(super) trait Proxy {
    /// What `docs/proxies.md` calls it.
    fn name(&self) -> &'static str;

    /// What the endpoint is to know of it: `serve.api.gatepost`.
    fn endpoint(&self) -> Value;

    /// Starts it.
    fn start(&self, places: &Places) -> Process;
}

/// Ports and a folder.
pub(super) struct Places {
    pub(super) folder: TempDir,
    /// Where the endpoint is asked.
    pub(super) endpoint: u16,
    /// Where requests go that pass.
    pub(super) upstream: u16,
    /// Where the proxy listens for requests of the scheme `http`. Each connection begins with the client's
    /// address, by the PROXY protocol.
    pub(super) http: u16,
    /// The same for `https`, without TLS.
    pub(super) https: u16,
    /// The headers that rules set, in lower case.
    pub(super) headers: Vec<String>,
}

impl Places {
    pub(super) fn new(endpoint: u16, upstream: u16, headers: Vec<String>) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            endpoint,
            upstream,
            http: free_port(),
            https: free_port(),
            headers,
        }
    }

    /// Writes a file of the proxy.
    pub(super) fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).unwrap();
        file
    }

    /// Starts a program in the folder, and waits until it listens.
    pub(super) fn run(&self, name: &str, command: &mut Command) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let command = command.current_dir(self.folder.path());
        let mut process = Process::start(name, command, &log).unwrap();
        let is_open = |port: u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let ready = || is_open(self.http) && is_open(self.https);
        process.wait_until(Duration::from_secs(60), ready).unwrap();
        process
    }
}

/// A file that is shipped.
pub(super) fn shipped(path: &str) -> String {
    fs::read_to_string(GIVEN.workspace.root.join(path)).unwrap()
}

/// `text` with `old` replaced, which has to be there.
pub(super) fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "`{old}` is not shipped any more");
    text.replace(old, new)
}

/// A listener on a port of its own.
pub(super) fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
