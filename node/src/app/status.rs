//! What a node says of an envelope, and of a block it has committed.

use headwater_ledger::block::Header;
use headwater_ledger::hash::BlockId;
use headwater_ledger::reject::{Code, Reject};
use serde::Serialize;

use crate::mempool::Full;

/// What has become of an envelope, as far as this node knows.
#[derive(Debug, Clone)]
pub enum Status {
    /// It can go into the next block.
    Pending,
    /// It waits for something.
    Waiting(Turned),
    /// It is recorded.
    Recorded {
        /// In the block of this height.
        height: u64,
        /// At this place.
        index: u32,
    },
    /// It was turned away.
    Refused(Turned),
    /// This node has not seen it, or has forgotten it.
    Unknown,
}

/// Why an envelope was turned away, by a rule or by this node.
#[derive(Debug, Clone)]
pub enum Turned {
    /// A rule refused it.
    Rule(Reject),
    /// The node has no room for it.
    Full(Full),
    /// Executing it failed on this node.
    Quarantined,
}

impl Turned {
    /// By a rule.
    pub fn rejected(reject: Reject) -> Self {
        Turned::Rule(reject)
    }
    /// For want of room.
    pub fn full(full: Full) -> Self {
        Turned::Full(full)
    }
    /// Because executing it failed.
    pub fn quarantined() -> Self {
        Turned::Quarantined
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Turned::Rule(reject) => reject.code.name(),
            Turned::Full(Full::Pool | Full::Waiting) => "MEMPOOL_FULL",
            Turned::Full(Full::Member) => "MEMBER_QUOTA",
            Turned::Quarantined => "QUARANTINED",
        }
    }
    /// The rule's number, where a rule refused it.
    pub fn number(&self) -> Option<u16> {
        self.rule().map(|r| r.code.number())
    }
    /// The rule's tag in the spec.
    pub fn tag(&self) -> Option<&'static str> {
        self.rule().map(|r| r.code.tag())
    }
    /// A sentence.
    pub fn message(&self) -> String {
        match self {
            Turned::Rule(reject) => reject.message.clone(),
            Turned::Full(full) => full.to_string(),
            Turned::Quarantined => "this node failed to execute the envelope".into(),
        }
    }
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Turned::Rule(reject) => reject.code.help(),
            Turned::Full(_) => "wait for the network to record what is pending, then submit again",
            Turned::Quarantined => "report the envelope's id to the operators of the network",
        }
    }
    /// Whether the same envelope can never pass, as far as the rules go.
    pub fn is_final(&self) -> bool {
        match self {
            Turned::Rule(reject) => !reject.code.is_transient(),
            Turned::Full(_) | Turned::Quarantined => false,
        }
    }

    /// Whether the verdict holds for every envelope of this id: it is final and not about who
    /// signed, for the id says nothing of the signatures and others may come with it.
    pub fn is_lasting(&self) -> bool {
        self.is_final() && self.rule().is_some_and(|r| r.code != Code::KeyOutOfScope)
    }

    fn rule(&self) -> Option<&Reject> {
        match self {
            Turned::Rule(reject) => Some(reject),
            Turned::Full(_) | Turned::Quarantined => None,
        }
    }
}

/// A committed block, for those who watch.
#[derive(Debug, Clone, Serialize)]
pub struct BlockNotice {
    /// Its height.
    pub height: u64,
    /// Its id.
    pub block_id: BlockId,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
    /// Its number of envelopes.
    pub envelopes: u32,
    /// Its number of events.
    pub events: u32,
}

impl BlockNotice {
    /// The notice of a block.
    pub fn of(header: &Header, block_id: BlockId) -> Self {
        BlockNotice {
            height: header.height,
            block_id,
            time_ms: header.time_ms,
            envelopes: header.envelopes,
            events: header.events,
        }
    }
}
