//! What waits for a member's decision, what can be decided, and until when.

mod desk;
mod gather;

use crate::reject::Fault;
use crate::state::View;
use crate::state::record::PayoutRecord;
use crate::words::percent;
use crate::{asset, grant};
use serde::{Deserialize, Serialize};

use super::{Lists, QueryError};
use crate::event::dispute::Subject;
use crate::event::member::Role;
use crate::hash::Digest;
use crate::state::{Key, Records};
use crate::text::Handle;

use desk::Desk;

/// What waits for a member's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbox {
    /// The member.
    pub member: Handle,
    /// What waits, in the order in which it came.
    pub items: Vec<InboxItem>,
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxItem {
    /// Its id: that of the event that made it.
    pub id: Digest,
    /// What it is.
    pub kind: InboxKind,
    /// The asset it is about, as `handle/name`; absent where it is about none.
    pub asset: Option<String>,
    /// Who asks or offers.
    pub from: Handle,
    /// What it is, in a few words.
    pub summary: String,
    /// What the member can do now; the first says yes.
    pub actions: Vec<InboxAction>,
    /// Last block time for it, milliseconds since 1970; absent where it has none.
    pub until_ms: Option<u64>,
    /// Height at which it came.
    pub height: u64,
}

/// Kinds of what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxKind {
    /// A grant offered.
    Grant,
    /// A transfer that needs consent.
    Transfer,
    /// A request for a grant.
    Request,
    /// A request for access in a secure environment.
    Access,
    /// A registration to decide.
    Registration,
    /// A listing to review.
    Listing,
    /// A contract to sign.
    Contract,
    /// A delivery to confirm.
    Delivery,
    /// A dispute: to answer, to rule or to appeal.
    Dispute,
    /// A succession to accept.
    Succession,
    /// A change by governance to approve.
    Change,
    /// A payout that arrived, or did not.
    Payout,
    /// A contract that the other party wants to end.
    Termination,
    /// A product sold, to deliver.
    Sold,
    /// A part of a price, to pay until it is due; overdue afterwards.
    Instalment,
    /// A refund that a ruling orders, to give back.
    Refund,
}

/// What can be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxAction {
    /// Say yes.
    Accept,
    /// Say no.
    Decline,
    /// Sign.
    Sign,
    /// Confirm the delivery.
    Confirm,
    /// Add evidence.
    FileEvidence,
    /// Rule.
    Rule,
    /// Hold the disputed share until a deadline.
    Freeze,
    /// Appeal.
    Appeal,
    /// Say that it did not arrive.
    Contest,
    /// End it: as the other party wants, or because an instalment is overdue.
    Terminate,
    /// Deliver, and record it.
    Deliver,
    /// Give back what is ordered, and record it.
    Refund,
}

/// What waits for a member's decision after the block of a height and time. Bounded by the length
/// of its lists, those of the members it acts for, and for a regulator by the number of disputes
/// that wait. Implements [LED-INB-1].
pub fn inbox<V: Lists>(view: &V, member: &Handle, now: BlockTime) -> Result<Inbox, QueryError> {
    view.prefetch(&[Key::Member(member.clone()), Key::ActsFor(member.clone()), Key::Waiting])?;
    let record = view.member(member)?;
    let record = record.ok_or_else(|| QueryError::Unknown(format!("member {member}")))?;
    let mut items = Vec::new();
    if record.successor.is_none() {
        let desk = Desk { view, member, arbiter: record.has_role(Role::Regulator), now };
        for (entry, found) in gather::gather(view, member, &record)? {
            if let Some(waiting) = desk.waiting(&found)? {
                items.push(waiting.into_item(view, entry.id, entry.height)?);
            }
        }
    }
    Ok(Inbox { member: member.clone(), items })
}

/// The block after which something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockTime {
    /// Its height.
    pub height: u64,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
}

/// What a dispute is about, in a few words.
pub(super) fn subject_in_words<V: View>(view: &V, subject: &Subject) -> Result<String, Fault> {
    Ok(match subject {
        Subject::Asset(id) => asset::called(view, id)?,
        Subject::Grant(id) => grant::called(view, id)?,
        Subject::Share(s) => {
            let (part, asset) = (percent(s.parts), asset::called(view, &s.asset)?);
            format!("{part} of the {} right over {asset}, of the part of {}", s.right, s.owner)
        }
        Subject::Payment(id) => match view.payment(id)? {
            Some(p) => format!("the payment with the reference {}", p.bank_reference),
            None => format!("payment {id}"),
        },
        Subject::Payout(id) => match view.get::<PayoutRecord>(&Key::Payout(*id))? {
            Some(p) => format!("the payout to {} with the reference {}", p.payee, p.bank_reference),
            None => format!("payout {id}"),
        },
        Subject::Contract(id) => match view.contract(id)? {
            Some(c) => {
                let product = asset::called(view, &c.asset)?;
                format!("the contract of {} with {} on {product}", c.seller, c.buyer)
            }
            None => format!("contract {id}"),
        },
    })
}
