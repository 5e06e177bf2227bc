//! The line of an owner of a claim in an account: what he has earned, what moved, what was paid.

use crate::account::{self, Epoch, Net};
use crate::event::market::ProvedClaim;
use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::hold::held_parts;
use crate::payment::Rows;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{AccountRecord, ClosingLine, LineRecord, Records};
use crate::state::{Key, View};
use crate::text::Handle;

/// Weight of one ownership epoch that is looked at.
pub(crate) const EPOCH_WEIGHT: u64 = 30;

/// All ownership epochs of a right over a recorded asset, in order.
pub(crate) fn epochs<V: View>(
    view: &V,
    id: &AssetId,
    right: Right,
) -> Result<Vec<Epoch<Handle>>, Fault> {
    let asset = view.asset(id)?;
    let asset = asset.ok_or_else(|| Fault(format!("asset {id} of a schedule is missing")))?;
    let last = view.right(id, &asset, right)?.epoch;
    let mut epochs = Vec::new();
    for n in 0..=last {
        let epoch = view.epoch(id, &asset, right, n)?;
        let owners = epoch.owners.into_iter().map(|o| (o.member, o.parts)).collect();
        epochs.push(Epoch { start_seq: epoch.start_seq, owners });
    }
    Ok(epochs)
}

/// One owner's line of one claim.
pub(super) struct Line<'a> {
    id: &'a AccountId,
    account: &'a AccountRecord,
    claim: &'a ProvedClaim,
    owner: &'a Handle,
    epochs: Vec<Epoch<Handle>>,
    record: LineRecord,
}

impl<'a> Line<'a> {
    /// Reads the line of a claim that is proved.
    pub(super) fn read(
        act: &mut Act<'_>,
        id: &'a AccountId,
        account: &'a AccountRecord,
        claim: &'a ProvedClaim,
        owner: &'a Handle,
    ) -> Result<Self, Refusal> {
        let epochs = epochs(act.state, &claim.asset, claim.right)?;
        let weight = EPOCH_WEIGHT.saturating_mul(epochs.len() as u64);
        act.weigh(weight)?;
        let mut line = Line { id, account, claim, owner, epochs, record: LineRecord::default() };
        line.record = act.state.get(&line.key())?.unwrap_or_default();
        Ok(line)
    }

    /// Where its record is.
    pub(super) fn key(&self) -> Key {
        Key::PaidLine(*self.id, self.claim.asset, self.claim.right, self.owner.clone())
    }

    /// Fails unless the owner has owned a part in some epoch, or a ruling moved money to or from
    /// him.
    pub(super) fn require_owned(&self) -> Result<(), Reject> {
        let owns = |epoch: &Epoch<Handle>| epoch.owners.iter().any(|o| o.0 == *self.owner);
        if self.record != LineRecord::default() || self.epochs.iter().any(owns) {
            return Ok(());
        }
        let text = format!("{} has never owned a part of the right", self.owner);
        Err(Reject::new(Code::NoSuchLine, text))
    }

    /// Its record with more set off away from it, and more with it; `None` when the sums are above
    /// what 64 bits hold.
    pub(super) fn with_set_off(&self, out: u64, inward: u64) -> Option<(Key, LineRecord)> {
        let mut record = self.record.clone();
        record.set_off_out = record.set_off_out.checked_add(out)?;
        record.set_off_in = record.set_off_in.checked_add(inward)?;
        Some((self.key(), record))
    }

    /// What can be paid out now: of the confirmed net, without the parts that are held. Below 0
    /// when more was paid than that.
    pub(super) fn payable(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        let (asset, right) = (&self.claim.asset, self.claim.right);
        let held = held_parts(act.state, asset, right, self.owner, act.context.time_ms)?;
        self.left(act, held)
    }

    /// What the owner has of the confirmed net, held or not, and was not paid. Below 0 when more was
    /// paid. A ruling moves no more than this, so that nothing unconfirmed becomes payable by it.
    pub(super) fn unpaid(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        self.left(act, 0)
    }

    /// What is left of the confirmed net and of what the closing gave, without the parts held.
    fn left(&self, act: &Act<'_>, held: u16) -> Result<i128, Refusal> {
        let earned = self.earned(act, Net::Confirmed, held)?;
        Ok(self.record.left_of(earned.saturating_add(self.closing(act)?)))
    }

    fn earned(&self, act: &Act<'_>, net: Net, held: u16) -> Result<u64, Fault> {
        let rows = Rows { state: act.state.clone(), account: *self.id };
        let claim = (self.claim.units, &*self.epochs);
        account::party_entitled::<_, _, Fault>(
            &self.account.totals,
            &rows,
            claim,
            self.owner,
            net,
            held,
        )
        .map_err(|e| Fault(format!("a line of account {} cannot be computed: {e}", self.id)))
    }

    /// The minor units of the residue that the line got when the account was closed.
    fn closing(&self, act: &Act<'_>) -> Result<u64, Fault> {
        if !self.account.closed {
            return Ok(0);
        }
        let lines: Vec<ClosingLine> = act.state.get(&Key::Closing(*self.id))?.unwrap_or_default();
        let (asset, right) = (self.claim.asset, self.claim.right);
        let own = |line: &&ClosingLine| {
            line.asset == asset && line.right == right && line.owner == *self.owner
        };
        Ok(lines.iter().filter(own).count() as u64)
    }
}
