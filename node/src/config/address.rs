//! Network addresses in the configuration: IP only, and every peer pinned to its identity.

use std::str::FromStr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// A peer's address with its identity: `/ip4/192.0.2.7/tcp/26656/p2p/12D3Koo…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    id: PeerId,
    address: Multiaddr,
}

impl PeerAddress {
    /// The identity the other side must prove.
    pub fn id(&self) -> PeerId {
        self.id
    }
    /// The whole address, `/p2p/` included.
    pub fn address(&self) -> &Multiaddr {
        &self.address
    }
}

impl std::fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)
    }
}

/// Why an address is refused; reads on after the name of its option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// It is not a multiaddress at all.
    #[error("is `{0}`, not a multiaddress")]
    NotMultiaddr(String),
    /// It has a host name to be looked up.
    #[error("is `{0}`, which has a host name to look up")]
    HostName(String),
    /// It is not an IP address with a TCP port.
    #[error("is `{0}`, not an IP address with a TCP port")]
    NotIpTcp(String),
    /// A peer's identity is missing.
    #[error("is `{0}`, which does not pin the peer's identity")]
    NotPinned(String),
    /// A listening address names a peer.
    #[error("is `{0}`, which names a peer")]
    ListenNamesPeer(String),
}

impl AddressProblem {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            AddressProblem::NotMultiaddr(_) | AddressProblem::NotIpTcp(_) => {
                "write it like \"/ip4/192.0.2.7/tcp/26656\", or with /ip6/"
            }
            AddressProblem::HostName(_) => {
                "look the name up and write its address with /ip4/ or /ip6/; \
                 names are refused because whoever controls the name server would choose the peer"
            }
            AddressProblem::NotPinned(_) => {
                "append /p2p/ and the peer's identity, which its operator sees in `headwater-node init`"
            }
            AddressProblem::ListenNamesPeer(_) => {
                "leave /p2p/ out of a listening address; it is for peers"
            }
        }
    }
}

impl FromStr for PeerAddress {
    type Err = AddressProblem;

    fn from_str(text: &str) -> Result<Self, AddressProblem> {
        let (address, peer) = parse(text)?;
        match peer {
            Some(_) if tcp_port(&address) == Some(0) => {
                Err(AddressProblem::NotIpTcp(text.to_owned()))
            }
            Some(id) => Ok(PeerAddress { id, address }),
            None => Err(AddressProblem::NotPinned(text.to_owned())),
        }
    }
}

/// A listening address: an IP address and a TCP port, nothing else. Port 0 lets the system choose.
pub(super) fn parse_listen(text: &str) -> Result<Multiaddr, AddressProblem> {
    match parse(text)? {
        (address, None) => Ok(address),
        (_, Some(_)) => Err(AddressProblem::ListenNamesPeer(text.to_owned())),
    }
}

/// The TCP port of `address`.
pub(super) fn tcp_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    })
}

fn parse(text: &str) -> Result<(Multiaddr, Option<PeerId>), AddressProblem> {
    let owned = || text.to_owned();
    let address: Multiaddr = text.parse().map_err(|_| AddressProblem::NotMultiaddr(owned()))?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let peer = match parts.as_slice() {
        [Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_), ..] => {
            return Err(AddressProblem::HostName(owned()));
        }
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)] => None,
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_), Protocol::P2p(peer)] => Some(*peer),
        _ => return Err(AddressProblem::NotIpTcp(owned())),
    };
    Ok((address, peer))
}
