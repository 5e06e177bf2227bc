//! The connection to a node, which is not trusted: everything it says is proved before it is used.
//!
//! - [`http`]: requests and answers
//! - [`chain`]: the chain this home folder is pinned to, and the last height that was proved
//! - [`follow`]: from a trusted height to a later one, by commit certificates
//! - [`past`]: which height a question is about
//! - [`resolve`]: from names to ids
//! - [`view`]: reads of one fixed height, each with its proof
//!
//! A node caught in a lie is reported with exit code 3 and the evidence is kept in
//! `HOME/evidence`.

pub mod chain;
mod evidence;
pub mod follow;
pub mod http;
pub mod past;
pub mod resolve;
pub mod view;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::ChainId;
use headwater_ledger::light::LightBlock;

use self::chain::Pinned;
use self::follow::{Trusted, Unproved};
use self::http::{Exchange, Node};
use self::view::VerifiedView;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::session::Session;

/// Which chain a connection is for.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The chain named by the user.
    pub chain_id: Option<ChainId>,
    /// A genesis document of the user's own.
    pub genesis: Option<PathBuf>,
    /// Whether an earlier pin is to be replaced.
    pub replace: bool,
}

/// How the home folder came to be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// By an earlier command.
    Before,
    /// Now, to the chain that the user named.
    AsNamed,
    /// Now, to whatever chain the node stated.
    FirstUse,
}

/// A node, and what is known for certain of its chain.
pub struct Connection {
    node: Node,
    home: PathBuf,
    pinned: RefCell<Pinned>,
    pinning: Pinning,
    output: Output,
}

impl Connection {
    /// Connects to the session's node for the chain that the home folder is pinned to. The first
    /// time, the chain that the node states is pinned, with a warning that says so.
    pub fn open(session: &Session) -> Result<Self, Failure> {
        let connection = Self::open_for(session, &Expected::default())?;
        if connection.pinning == Pinning::FirstUse {
            let pinned = connection.pinned.borrow();
            session.output.warn(format_args!(
                "first use: this folder is now pinned to chain {} ({}), as {} states it; compare \
                 this id with the one an exchange gave you: `headwater status --chain-id ID` \
                 fails if they differ",
                pinned.chain_id, pinned.name, session.node
            ));
        }
        Ok(connection)
    }

    /// As [`Connection::open`], for a chain that the user may name; never warns.
    pub fn open_for(session: &Session, expected: &Expected) -> Result<Self, Failure> {
        let node = Node::new(&session.node);
        let (home, output) = (session.home.clone(), session.output);
        let genesis = expected.genesis.as_deref().map(read_genesis).transpose()?;
        let named = named_chain(expected, genesis.as_ref())?;
        if !expected.replace
            && let Some(pinned) = Pinned::load(&home)?
        {
            check_named(&pinned, named.as_ref(), &home)?;
            let pinned = RefCell::new(pinned);
            return Ok(Connection { node, home, pinned, pinning: Pinning::Before, output });
        }
        let (genesis, source) = match genesis {
            Some(genesis) => (genesis, None),
            None => {
                let exchange = node.get("/v1/genesis")?.ok()?;
                (exchange.parse()?, Some(exchange))
            }
        };
        let pinned = Pinned::of_genesis(&genesis)?;
        if let (Some(named), Some(exchange)) = (named, source)
            && named != pinned.chain_id
        {
            let reason = format!(
                "the node's genesis document is that of chain {}, not of {named}",
                pinned.chain_id
            );
            return Err(evidence::accuse(&home, &node, None, &exchange, &reason));
        }
        pinned.save(&home)?;
        let pinning = if named.is_some() { Pinning::AsNamed } else { Pinning::FirstUse };
        Ok(Connection { node, home, pinned: RefCell::new(pinned), pinning, output })
    }

    /// The chain this connection is for.
    pub fn chain_id(&self) -> ChainId {
        self.pinned.borrow().chain_id
    }

    /// The chain's name, from its genesis document.
    pub fn chain_name(&self) -> String {
        self.pinned.borrow().name.to_string()
    }

    /// The highest block proved so far.
    pub fn trusted(&self) -> Trusted {
        self.pinned.borrow().trusted.clone()
    }

    /// How the home folder came to be pinned.
    pub fn pinning(&self) -> Pinning {
        self.pinning
    }

    /// The node, whose answers prove nothing by themselves.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The folder of keys and pinned state.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The state at a height, or at the node's latest, proved by its commit certificate.
    pub fn view(&self, at: Option<u64>) -> Result<VerifiedView<'_>, Failure> {
        VerifiedView::open(self, at)
    }

    /// The block of a height, proved by its commit certificate.
    pub fn proved_block(&self, height: u64) -> Result<LightBlock, Failure> {
        let (block, exchange) = self.light_block(height)?;
        self.prove(&block, &exchange)?;
        Ok(block)
    }

    /// Keeps the evidence of a lie and tells of it.
    fn accuse(&self, exchange: &Exchange, reason: &str) -> Failure {
        evidence::accuse(&self.home, &self.node, Some(&self.pinned.borrow()), exchange, reason)
    }

    /// Proves a light block that an exchange brought, following changes of the validators from
    /// the last trusted height. A height below it is proved from genesis on.
    fn prove(&self, block: &LightBlock, exchange: &Exchange) -> Result<(), Failure> {
        let (chain_id, from) = {
            let pinned = self.pinned.borrow();
            (pinned.chain_id, pinned.start(block.header.height))
        };
        let mut trusted = from;
        let mut pivots: Vec<(LightBlock, Option<Exchange>)> = vec![(block.clone(), None)];
        while let Some((pivot, source)) = pivots.last() {
            match trusted.check(&chain_id, pivot) {
                Ok(next) => {
                    trusted = next;
                    pivots.pop();
                }
                Err(Unproved::OtherSet { .. }) if pivot.header.height > trusted.height + 1 => {
                    let middle = trusted.height.midpoint(pivot.header.height);
                    let (block, exchange) = self.light_block(middle)?;
                    pivots.push((block, Some(exchange)));
                }
                Err(error) => {
                    let exchange = source.as_ref().unwrap_or(exchange);
                    return Err(self.accuse(exchange, &error.to_string()));
                }
            }
        }
        self.pinned.borrow_mut().advance(trusted, &self.home)
    }

    /// The light block of a height, not proved.
    fn light_block(&self, height: u64) -> Result<(LightBlock, Exchange), Failure> {
        let exchange = self.node.get(&format!("/v1/blocks/{height}"))?.ok()?;
        let block: LightBlock = exchange.parse()?;
        if block.header.height != height {
            let reason = format!(
                "block {height} was asked for, the answer is block {}",
                block.header.height
            );
            return Err(self.accuse(&exchange, &reason));
        }
        Ok((block, exchange))
    }
}

/// The node is behind what was proved before, so what it calls its latest is not.
fn behind(height: u64, trusted: u64) -> Failure {
    let message =
        format_args!("the node is at height {height}, but height {trusted} was proved before");
    Failure::new(Kind::Node, message).hint(
        "wait until the node has caught up, or ask another with --node; \
         --at HEIGHT asks for an earlier state on purpose",
    )
}

fn read_genesis(path: &Path) -> Result<Genesis, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::io("read the genesis document", path, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let message = format_args!("{} is not a genesis document: {error}", path.display());
        Failure::new(Kind::BadInput, message)
            .hint("give the network's genesis.json, as an exchange hands it out")
    })
}

/// The chain that the user named, by its id or by its genesis document.
fn named_chain(expected: &Expected, genesis: Option<&Genesis>) -> Result<Option<ChainId>, Failure> {
    let Some(genesis) = genesis else { return Ok(expected.chain_id) };
    let id = genesis.chain_id().map_err(|error| Failure::new(Kind::BadInput, error))?;
    match expected.chain_id {
        Some(named) if named != id => {
            let message =
                format_args!("the genesis document is that of chain {id}, not of {named}");
            Err(Failure::new(Kind::BadInput, message).hint("correct --chain-id or --genesis"))
        }
        Some(_) | None => Ok(Some(id)),
    }
}

fn check_named(pinned: &Pinned, named: Option<&ChainId>, home: &Path) -> Result<(), Failure> {
    match named {
        Some(named) if *named != pinned.chain_id => {
            let message = format_args!(
                "{} is pinned to chain {} ({}), not to {named}",
                home.display(),
                pinned.chain_id,
                pinned.name
            );
            Err(Failure::new(Kind::VerificationFailed, message).hint(
                "use another --home for another chain; `headwater status --pin` replaces the pin",
            ))
        }
        Some(_) | None => Ok(()),
    }
}
