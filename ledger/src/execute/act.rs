//! One event being applied: what it sees, what it changes, and the weight it may have.

use std::collections::BTreeSet;

use super::{Appended, BlockContext, Effects};
use crate::codec::{self, CodecError};
use crate::event::Event;
use crate::event::governance::Rulebook;
use crate::event::member::Role;
use crate::hash::{AssetId, Context, Digest, EventId};
use crate::keys::PublicKey;
use crate::limits::{MAX_ENVELOPE_WEIGHT, MAX_EVENT_WEIGHT, MAX_RULING_WEIGHT};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{MemberRecord, Signed};
use crate::state::{Key, Records, Relation, State, View};
use crate::text::Handle;
use crate::words::word;

/// What an edge and the asset at its end add to the weight of a walk of the ancestry.
const EDGE_WEIGHT: u64 = 3;

/// One event being applied: the state it changes and what it may know.
pub(crate) struct Act<'a> {
    pub state: &'a mut State,
    pub context: &'a BlockContext,
    pub author: &'a Handle,
    pub member: &'a MemberRecord,
    /// The key of the envelope's first signature.
    pub signer: PublicKey,
    /// The rulebook in force.
    pub rulebook: &'a Rulebook,
    /// The protocol version in force.
    pub protocol: u32,
    /// What is applied.
    pub source: &'a Event,
    pub event: EventId,
    pub seq: u64,
    /// The assets whose owners' approvals of this act were looked at.
    pub spent: BTreeSet<AssetId>,
    /// The weight that the envelope must not exceed during this event.
    pub most_weight: u64,
    pub effects: &'a mut Effects,
}

impl Act<'_> {
    /// Appends an identifier to a list.
    pub fn append(&mut self, relation: Relation, id: &Digest) -> Result<(), Fault> {
        let entry = list_entry(self.context.height, id);
        let key = Key::Range(relation);
        let Key::Range(relation) = &key else { return Err(Fault("not a range key".into())) };
        let mut range = self.state.range(relation)?;
        let index = range.count();
        range.push(&entry);
        self.state.put(&key, &range)?;
        self.effects.appended.push(Appended { relation: relation.clone(), index, entry });
        Ok(())
    }

    /// Adds the weight of a walk; fails as soon as the event or the envelope is too heavy.
    /// Implements [LED-LIM-2].
    pub fn weigh(&mut self, weight: u64) -> Result<(), Reject> {
        self.effects.weight = self.effects.weight.saturating_add(weight);
        if self.effects.weight > self.most_weight {
            let text = "the event looks at more than one event may";
            return Err(Reject::new(Code::OverWeight, text));
        }
        check_envelope_weight(self.effects.weight)
    }

    /// Lets the event weigh as much as a ruling.
    pub fn lift_weight(&mut self) {
        let more = MAX_RULING_WEIGHT.saturating_sub(MAX_EVENT_WEIGHT);
        self.most_weight = self.most_weight.saturating_add(more);
    }

    /// Fails unless the author has the role.
    pub fn require_role(&self, role: Role) -> Result<(), Reject> {
        if self.member.has_role(role) {
            return Ok(());
        }
        Err(Reject::new(
            Code::RoleRequired,
            format!("{} does not have the role {}", self.author, word(&role)),
        ))
    }

    /// Which key signed the act, and when.
    pub fn signed(&self) -> Signed {
        Signed { key: self.signer, time_ms: self.context.time_ms }
    }

    /// Whether one of these keys is said to have been in other hands when it signed; weighed.
    /// Implements [LED-MEM-7].
    pub fn in_other_hands(&mut self, signed: &[Signed]) -> Result<bool, Refusal> {
        self.weigh(signed.len() as u64)?;
        for one in signed {
            if crate::member::compromised(self.state, &one.key, one.time_ms)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Who acts for a member: itself, or the last of its successors. Implements [LED-MEM-10].
    pub fn acting(&self, handle: &Handle) -> Result<Handle, Fault> {
        acting(self.state, handle)
    }

    /// Whether the author acts for this member.
    pub fn is(&self, handle: &Handle) -> Result<bool, Fault> {
        Ok(self.author == handle || self.acting(handle)? == *self.author)
    }

    /// Whether the same member acts for both.
    pub fn same(&self, a: &Handle, b: &Handle) -> Result<bool, Fault> {
        Ok(a == b || self.acting(a)? == self.acting(b)?)
    }

    /// Whether two members are the same or belong together. Implements [LED-MEM-9].
    pub fn related(&self, a: &Handle, b: &Handle) -> Result<bool, Fault> {
        crate::member::related(self.state, a, b)
    }

    /// The hash under which owners approve this act ahead. Implements [LED-RGT-4].
    pub fn hash(&self) -> Result<Digest, Fault> {
        Ok(act_hash(self.source)?)
    }

    /// Records that the event waits for a member's decision.
    pub fn wait_for(&mut self, handle: &Handle) -> Result<(), Fault> {
        let id = *self.event.digest();
        self.wait_for_about(handle, &id)
    }

    /// Records that something made before waits for a member's decision.
    pub fn wait_for_about(&mut self, handle: &Handle, id: &Digest) -> Result<(), Fault> {
        let decides = self.acting(handle)?;
        self.append(Relation::MemberInbox(decides), id)
    }

    /// A member that the event names.
    pub fn named_member(&self, handle: &Handle) -> Result<MemberRecord, Refusal> {
        Ok(self.state.member(handle)?.ok_or_else(|| {
            Reject::missing(
                Code::UnknownMember,
                Missing::Member(handle.clone()),
                format!("member {handle} is not recorded"),
            )
        })?)
    }

    /// Fails while a member, or who acts for it, is suspended: until that is lifted nobody completes
    /// what it began. Implements [LED-MEM-4].
    pub fn require_not_suspended(&self, handle: &Handle) -> Result<(), Refusal> {
        let acting = self.acting(handle)?;
        if self.named_member(&acting)?.suspended {
            let text = format!("{acting} is suspended");
            return Err(Reject::new(Code::PartySuspended, text).into());
        }
        Ok(())
    }

    /// Fails unless whoever acts for a member takes new business as an exchange: it has that role,
    /// and is not suspended. Implements [LED-MKT-14].
    pub fn require_exchange(&self, handle: &Handle) -> Result<(), Refusal> {
        let acting = self.acting(handle)?;
        if !self.named_member(&acting)?.has_role(Role::Exchange) {
            let text = format!("{acting} is not an exchange");
            return Err(Reject::new(Code::NotAnExchange, text).into());
        }
        self.require_not_suspended(handle)
    }
}

/// Who acts for a member: itself, or the last of its successors.
pub fn acting<V: View>(view: &V, handle: &Handle) -> Result<Handle, Fault> {
    Ok(view.get(&Key::ActedForBy(handle.clone()))?.unwrap_or_else(|| handle.clone()))
}

/// A member and all for whom it acts: whom it has succeeded, whom they had, and so on.
/// Implements [LED-MEM-10].
pub(crate) fn acts_for<V: View>(view: &V, handle: &Handle) -> Result<Vec<Handle>, Fault> {
    let mut all = vec![handle.clone()];
    all.extend(view.get::<Vec<Handle>>(&Key::ActsFor(handle.clone()))?.unwrap_or_default());
    Ok(all)
}

/// The hash of an event's canonical bytes, under which owners approve it.
pub fn act_hash(event: &Event) -> Result<Digest, CodecError> {
    Ok(Context::ACT.hash(&[&codec::encode(event)?]))
}

/// The bytes of a list entry.
pub fn list_entry(height: u64, id: &Digest) -> [u8; 41] {
    let mut entry = [0; 41];
    let (h, d) = entry.split_at_mut(8);
    h.copy_from_slice(&height.to_le_bytes());
    d.copy_from_slice(&id.to_bytes());
    entry
}

/// Most weight of one event: more where the rulebook allows larger ancestries than the standard
/// one, by what it costs to walk them. Implements [LED-LIM-2].
pub(super) fn event_weight(rulebook: &Rulebook) -> u64 {
    let standard = Rulebook::standard().max_ancestry_edges;
    let more = u64::from(rulebook.max_ancestry_edges.saturating_sub(standard));
    MAX_EVENT_WEIGHT.saturating_add(more.saturating_mul(EDGE_WEIGHT))
}

/// Fails when an envelope is heavier than any may be. Implements [LED-LIM-2].
fn check_envelope_weight(weight: u64) -> Result<(), Reject> {
    if weight <= MAX_ENVELOPE_WEIGHT {
        return Ok(());
    }
    let text = format!("the envelope weighs at least {weight}, at most {MAX_ENVELOPE_WEIGHT}");
    Err(Reject::new(Code::OverWeight, text))
}
