//! `cidr`: decides by the client's address.

use std::net::IpAddr;

use crate::{
    Denial, Headers,
    config::Section,
    network::{Network, networks},
    pipeline::Facts,
};

/// Networks that may, and networks that may not.
#[derive(Debug)]
pub(crate) struct Cidr {
    /// Everybody who is not denied where it is empty.
    allow: Vec<Network>,
    /// Counts before `allow`.
    deny: Vec<Network>,
    /// The proxies whose word in `X-Forwarded-For` is believed.
    trusted_proxies: Vec<Network>,
}

impl Cidr {
    pub(super) fn compile(mut section: Section<'_>) -> Self {
        let mut list = |key| {
            let texts = section.strings(key);
            networks(texts, &section.place().key(key), section.errors())
        };
        let (allow, deny) = (list("allow"), list("deny"));
        let trusted_proxies = list("trusted_proxies");
        let says_something = ["allow", "deny"]
            .into_iter()
            .any(|key| section.value(key).is_some());
        if !says_something {
            section.wrong(
                "allow",
                "is required, or `deny`: networks such as `10.0.0.0/8`",
            );
        }
        if allow.is_empty() && section.value("allow").is_some() {
            section.wrong(
                "allow",
                "must name a network: an empty list would allow nobody, no list allows everybody",
            );
        }
        section.finish();
        Self {
            allow,
            deny,
            trusted_proxies,
        }
    }

    pub(super) fn authorize(&self, facts: &Facts<'_>) -> Result<(), Denial> {
        let Some(peer) = facts.request.client_address else {
            return Err(Denial::Internal(
                "the proxy does not tell the client's address".to_owned(),
            ));
        };
        let client = self.client(peer, &facts.request.headers)?;
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.contains(client));
        if is_in(&self.deny) || !(self.allow.is_empty() || is_in(&self.allow)) {
            return Err(Denial::Forbidden("the client's address may not".to_owned()));
        }
        Ok(())
    }

    /// Goes back through `X-Forwarded-For` as long as a trusted proxy speaks: each tells who spoke to it.
    fn client(&self, peer: IpAddr, headers: &Headers) -> Result<IpAddr, Denial> {
        let is_trusted = |address| {
            self.trusted_proxies
                .iter()
                .any(|network| network.contains(address))
        };
        let mut client = peer;
        let fields: Vec<&[u8]> = headers.all("x-forwarded-for").collect();
        let hops = fields
            .into_iter()
            .rev()
            .flat_map(|field| field.rsplit(|byte| *byte == b','));
        for hop in hops {
            if !is_trusted(client) {
                break;
            }
            client = address(hop).ok_or_else(|| {
                Denial::Forbidden("a proxy's `X-Forwarded-For` holds no address".to_owned())
            })?;
        }
        Ok(client)
    }
}

/// An address as proxies write it: bare, or with a port behind it.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let with_port = || Some(hop.parse::<std::net::SocketAddr>().ok()?.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(with_port).or_else(in_brackets)
}
