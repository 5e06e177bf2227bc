//! Records of disputes.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::dispute::{Ground, Ruling, Subject};
use crate::hash::{Digest, DisputeId};
use crate::state::record::GrantStatus;
use crate::text::Handle;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// Waits for a ruling.
    Open,
    /// Ruled; can be appealed until its time is over.
    Ruled,
    /// Appealed; waits for the ruling of another arbiter. What was ruled stands until then.
    Appealed,
    /// Ruled on appeal.
    Final,
}

/// A ruling with who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RulingRecord {
    /// The arbiter.
    pub by: Handle,
    /// What he ruled.
    pub ruling: Ruling,
    /// Salted hash of the reasons.
    pub reasons: Digest,
    /// Block time of the ruling, milliseconds since 1970.
    pub time_ms: u64,
    /// Last block time at which it can be appealed, milliseconds since 1970.
    pub appeal_until_ms: u64,
    /// Where the grant stood that it voided.
    pub grant_was: Option<GrantStatus>,
    /// What present parts it gave away.
    pub awarded: Option<Awarded>,
}

/// The present parts of a right that a redirect gave away.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Awarded {
    /// How many of 10 000.
    pub parts: u16,
    /// The ownership epoch from which on.
    pub since: u32,
    /// The manager of the right before, when the redirect made it another's.
    pub manager_was: Option<Handle>,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DisputeRecord {
    /// What it is about.
    pub subject: Subject,
    /// Why.
    pub ground: Ground,
    /// Who opened it.
    pub opener: Handle,
    /// Whom it is about, besides the opener, and to whom rulings gave the share.
    pub respondents: Vec<Handle>,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether its opening, or a freeze, has held the slice; without that one about a share is a mark.
    pub held: bool,
    /// The ruling, and the one on appeal.
    pub rulings: Vec<RulingRecord>,
    /// Who appealed.
    pub appellant: Option<Handle>,
    /// Height at which it was opened.
    pub height: u64,
    /// Block time at which it was opened, milliseconds since 1970.
    pub time_ms: u64,
}

impl DisputeRecord {
    /// Where it stands at a block time: a ruling that can be appealed no more is final.
    /// Implements [LED-DSP-9].
    pub fn standing(&self, now_ms: u64) -> DisputeStatus {
        let lapsed = |first: &RulingRecord| first.appeal_until_ms < now_ms;
        match self.status {
            DisputeStatus::Ruled if self.rulings.first().is_some_and(lapsed) => {
                DisputeStatus::Final
            }
            status => status,
        }
    }

    /// Whether it is about a share and nothing is, or was, held for it.
    pub fn is_mark(&self) -> bool {
        matches!(self.subject, Subject::Share(_)) && !self.held
    }
}

/// A dispute that waits for a ruling.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct WaitingDispute {
    /// The dispute.
    pub dispute: DisputeId,
    /// Height since which it waits: at which it was opened or appealed.
    pub height: u64,
}

/// What was put into the file of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filed {
    /// Evidence; its salted hash.
    Evidence(Digest),
    /// A freeze; its last block time, milliseconds since 1970.
    Freeze(u64),
    /// A ruling; its place among the rulings, from 0.
    Ruling(u64),
    /// An appeal; the salted hash of its grounds.
    Appeal(Digest),
}

/// An event in the file of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct FiledRecord {
    /// The dispute.
    pub dispute: DisputeId,
    /// What it is.
    pub filed: Filed,
    /// Whose act it was.
    pub by: Handle,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
}
