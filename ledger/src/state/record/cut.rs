//! Records of what rulings did to shares: cuts of earlier money, and parts that went back.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::hash::DisputeId;
use crate::text::Handle;

/// So many parts of an owner in consecutive ownership epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Run {
    /// The first epoch.
    pub first: u32,
    /// The epoch after the last.
    pub before: u32,
    /// Parts of 10 000, at least 1.
    pub parts: u16,
}

/// What of a cut stays with who had been paid it when a ruling gave the cut away.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Kept {
    /// Who.
    pub member: Handle,
    /// At most so many minor units.
    pub amount: u64,
}

/// Parts of an owner in past epochs, cut out of a claim of one account by a ruling. What they earn
/// goes to those who keep some of it, in order, and the rest to the holder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct CutRecord {
    /// The dispute whose ruling gave it to the holder, or took it from him again.
    pub dispute: DisputeId,
    /// Whose parts they were.
    pub owner: Handle,
    /// The parts, in order of epoch.
    pub runs: Vec<Run>,
    /// What stays with others, in order.
    pub kept: Vec<Kept>,
    /// Who has the rest.
    pub holder: Handle,
}

/// Parts that a ruling on appeal gave back: in these epochs they count as the owner's, in every
/// account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Return {
    /// Who had them.
    pub from: Handle,
    /// The owner, who has them back.
    pub to: Handle,
    /// From when to when, and how many.
    pub run: Run,
}

/// Disputes that are not final: they can still change what they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Contest {
    /// How many wait for a ruling.
    pub waiting: u32,
    /// First rulings that were not appealed, in the order in which they were given.
    pub appealable: Vec<Appealable>,
    /// Last block time at which one can be that is not among them for want of room, milliseconds
    /// since 1970; 0 when there is none.
    pub others_until_ms: u64,
}

/// A first ruling that was not appealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Appealable {
    /// The dispute.
    pub dispute: DisputeId,
    /// Last block time at which it can be appealed, milliseconds since 1970.
    pub until_ms: u64,
}

impl Contest {
    /// Whether one of them is not final at a block time.
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.waiting > 0 || now_ms <= self.appeal_until_ms()
    }

    /// Last block time at which one can be appealed, milliseconds since 1970; 0 when none can.
    pub fn appeal_until_ms(&self) -> u64 {
        self.appealable.iter().fold(self.others_until_ms, |last, a| last.max(a.until_ms))
    }
}
