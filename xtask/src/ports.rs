//! Fixed ports, checked before anything starts.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Demands that these loopback ports are free. Envoy would not notice: it shares a port with another
/// Envoy that listens there, and the two would take turns in answering.
///
/// # Errors
/// Names the port, what it is for and how to find out who has it.
pub fn demand(wanted: &[(u16, &str)], command: &str) -> Result<()> {
    for (port, purpose) in wanted {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err() {
            bail!(
                "port {port} is occupied, and the {command} needs it for {purpose}: stop what listens \
                 there (`ss -ltnp 'sport = :{port}'` tells what that is)"
            );
        }
    }
    Ok(())
}
