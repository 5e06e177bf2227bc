//! Nodes on simulated disks, and the little that stands for consensus: certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use headwater_ledger::block::Header;
use headwater_ledger::certificate::{
    CommitCertificate, CommitSignature, VoteType, vote_sign_bytes,
};
use headwater_ledger::envelope::{ENVELOPE_VERSION, Envelope, EnvelopeHeader, VerifiedEnvelope};
use headwater_ledger::event::member::{MemberKey, Role, Scope};
use headwater_ledger::event::{AdmitMember, Event};
use headwater_ledger::genesis::Genesis;
use headwater_ledger::hash::{BlockId, ChainId, ValidatorAddress};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::validator::{Validator, address_of};
use headwater_node::app::{App, Origin, Status};
use headwater_node::application::{Application, Freshness, Verdict};
use headwater_node::chain::{self, Apply};
use headwater_node::clock::ManualClock;
use headwater_node::mempool::Limits;
use headwater_node::opening::Opening;
use headwater_node::store::disk::{Crash, Disk, SimDisk};
use headwater_node::store::index::{IndexError, IndexStore, MemoryIndex, Row};

use crate::support::{Act, GENESIS_MS, admit, handle, key, list};

/// Members, each with every role; the first two run the validators.
pub const MEMBERS: [&str; 5] = ["north", "south", "east", "west", "idle"];
pub const VALIDATORS: usize = 4;

pub const LOG: &str = "/node/log";
pub const SNAPSHOTS: &str = "/node/snapshots";

pub fn validator_key(i: usize) -> SigningKey {
    key(&format!("validator {i}"))
}

pub fn address(i: usize) -> ValidatorAddress {
    address_of(&validator_key(i).public_key())
}

pub fn genesis() -> Genesis {
    let roles = [
        Role::Exchange,
        Role::Holder,
        Role::Processor,
        Role::Operator,
        Role::Buyer,
        Role::Regulator,
    ];
    let members: Vec<AdmitMember> = MEMBERS
        .iter()
        .map(|name| {
            let mut keys = admit(name, Role::Holder).keys.into_inner();
            let scopes = list(&[Scope::Register]);
            keys.push(MemberKey { key: key(&pipeline(name)).public_key(), scopes });
            AdmitMember { roles: list(&roles), keys: list(&keys), ..admit(name, Role::Holder) }
        })
        .collect();
    let validators: Vec<Validator> = (0..VALIDATORS)
        .map(|i| Validator {
            member: handle(MEMBERS[i % 2]),
            key: validator_key(i).public_key(),
            power: 10,
        })
        .collect();
    Genesis { members: list(&members), validators: list(&validators), ..crate::support::genesis() }
}

/// The name of a member's second key, which may only register.
pub fn pipeline(member: &str) -> String {
    format!("{member}/pipeline")
}

pub fn chain_id() -> ChainId {
    genesis().chain_id().unwrap()
}

/// Signs envelopes, each with a salt of its own.
#[derive(Default)]
pub struct Clerk(u64);

impl Clerk {
    pub fn sign_until(
        &mut self,
        author: &str,
        events: &[Event],
        not_after_ms: u64,
    ) -> VerifiedEnvelope {
        let envelope = self.envelope(author, events, not_after_ms);
        envelope.sign(&[&key(author)]).unwrap().verify().unwrap()
    }

    pub fn envelope(&mut self, author: &str, events: &[Event], not_after_ms: u64) -> Envelope {
        self.0 += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.0.to_le_bytes());
        let header = EnvelopeHeader {
            version: ENVELOPE_VERSION,
            chain_id: chain_id(),
            author: handle(author),
            not_after_ms,
            salt,
        };
        Envelope { header, events: list(events) }
    }

    /// One act, good for an hour from genesis.
    pub fn sign(&mut self, author: &str, act: impl Act) -> VerifiedEnvelope {
        self.sign_until(author, &[act.event()], GENESIS_MS + crate::support::HOUR_MS)
    }
}

#[derive(Clone, Copy)]
pub struct Settings {
    pub keep_heights: usize,
    pub snapshot_every: u64,
    pub archive_every: u64,
    pub apply: Apply,
    pub limits: Limits,
    /// The index takes nothing.
    pub breaks_index: bool,
}

/// An index whose disk is full.
struct BrokenIndex;

impl IndexStore for BrokenIndex {
    fn height(&self) -> u64 {
        0
    }
    fn apply(&self, _: u64, _: Vec<Row>) -> Result<(), IndexError> {
        Err(IndexError::Failed("no space is left".into()))
    }
    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(None)
    }
    fn scan(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Row>, IndexError> {
        Ok(Vec::new())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            archive_every: 0,
            keep_heights: 10,
            snapshot_every: 5,
            apply: chain::apply,
            breaks_index: false,
            limits: Limits {
                max_bytes: 64 << 20,
                max_envelopes: 10_000,
                max_per_member: 5_000,
                max_waiting: 1_000,
            },
        }
    }
}

pub struct Node {
    pub app: App,
    pub disk: SimDisk,
    pub index: MemoryIndex,
    pub clock: Arc<ManualClock>,
    pub settings: Settings,
}

impl Node {
    pub fn new() -> Node {
        Node::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Node {
        let clock = Arc::new(ManualClock::at(GENESIS_MS + 1_000));
        Node::open(SimDisk::new(), MemoryIndex::new(), clock, settings).unwrap()
    }

    /// Opens a node on what is on the disk.
    pub fn open(
        disk: SimDisk,
        index: MemoryIndex,
        clock: Arc<ManualClock>,
        settings: Settings,
    ) -> anyhow::Result<Node> {
        let opening = Opening {
            genesis: genesis(),
            disk: Arc::new(disk.clone()),
            log_folder: LOG.into(),
            snapshots_folder: SNAPSHOTS.into(),
            clock: clock.clone(),
            limits: settings.limits,
            keep_heights: settings.keep_heights,
            snapshot_every: settings.snapshot_every,
            archive_every: settings.archive_every,
            apply: settings.apply,
        };
        let store: Arc<dyn IndexStore> = match settings.breaks_index {
            true => Arc::new(BrokenIndex),
            false => Arc::new(index.clone()),
        };
        let app = opening.open(|tip| {
            assert!(store.height() <= tip, "the index is ahead of the log");
            Ok(store)
        })?;
        Ok(Node { app, disk, index, clock, settings })
    }

    /// The machine goes down and the node is started again.
    pub fn crash(self, crash: Crash) -> Node {
        let (disk, index) = (self.disk.after_crash(crash), self.index.after_crash());
        drop(self.app);
        Node::open(disk, index, self.clock, self.settings).unwrap()
    }

    pub fn submit(&mut self, envelope: &VerifiedEnvelope) -> Status {
        self.app.submit(envelope.clone(), Origin::Client).0
    }

    /// The first place at which a snapshot is, newest first.
    pub fn snapshots(&self) -> Vec<PathBuf> {
        let names = self.disk.list(Path::new(SNAPSHOTS)).unwrap();
        names.iter().rev().map(|name| Path::new(SNAPSHOTS).join(name)).collect()
    }

    pub fn tip(&self) -> u64 {
        self.app.tip_height()
    }

    pub fn root(&self) -> headwater_ledger::hash::Digest {
        self.app.chain().tip().state.root()
    }

    /// Builds the next block as this validator.
    pub fn build(&mut self, proposer: usize) -> Bytes {
        let height = self.tip() + 1;
        self.app.build_block(height, 0, address(proposer)).unwrap().1
    }

    /// Builds, certifies and commits the next block.
    pub fn advance(&mut self) -> Header {
        let block = self.build(0);
        self.commit(&block);
        Header::of_block(&block).unwrap()
    }

    pub fn commit(&mut self, block: &Bytes) {
        assert_eq!(self.app.check_block(block, Freshness::Replayed), Verdict::Valid);
        self.app.commit(block.clone(), certificate(block, &[0, 1, 2])).unwrap();
    }

    /// Takes over what another node has decided.
    pub fn sync_from(&mut self, other: &Node) {
        while self.tip() < other.tip() {
            let (block, certificate) = other.app.decided(self.tip() + 1).unwrap().unwrap();
            let verdict = self.app.check_block(&block, Freshness::Replayed);
            assert_eq!(verdict, Verdict::Valid, "height {}", self.tip() + 1);
            self.app.commit(block, certificate).unwrap();
        }
    }
}

/// The certificate of a block by these validators.
pub fn certificate(block: &[u8], signers: &[usize]) -> CommitCertificate {
    let header = Header::of_block(block).unwrap();
    certificate_of(header.height, header.id().unwrap(), signers)
}

pub fn certificate_of(height: u64, block_id: BlockId, signers: &[usize]) -> CommitCertificate {
    let vote = VoteType::Precommit;
    let message = vote_sign_bytes(&chain_id(), vote, height, 0, Some(&block_id));
    let signatures = signers
        .iter()
        .map(|i| CommitSignature {
            validator: address(*i),
            signature: validator_key(*i).sign(&message),
        })
        .collect();
    CommitCertificate { height, round: 0, block_id, signatures }
}
