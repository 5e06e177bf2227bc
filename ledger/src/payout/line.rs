//! The line of an owner of a claim in an account: what he has of it, and what was paid.

use crate::account::{self, Account, Epoch, Net};
use crate::attribution;
use crate::cut::Claimed;
use crate::event::market::ProvedClaim;
use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::hold;
use crate::payment::Rows;
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{
    AccountRecord, ClosingLine, CutRecord, Hold, LineRecord, Records, Return,
};
use crate::state::{Key, State, View};
use crate::text::Handle;

/// Weight of one ownership epoch that is looked at.
pub(crate) const EPOCH_WEIGHT: u64 = 20;
/// Weight of one cut in a claim.
pub(crate) const CUT_WEIGHT: u64 = 24;

/// All ownership epochs of a right over a recorded asset, in order. Parts that a ruling on appeal
/// gave back count as the owner's.
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
    give_back(view, id, right, &mut epochs)?;
    Ok(epochs)
}

/// Counts the parts that rulings on appeal gave back as the owner's in the epochs between.
/// Implements [LED-DSP-5].
pub(crate) fn give_back<V: View>(
    view: &V,
    id: &AssetId,
    right: Right,
    epochs: &mut [Epoch<Handle>],
) -> Result<(), Fault> {
    let returns: Vec<Return> = view.get(&Key::Returns(*id, right))?.unwrap_or_default();
    for Return { from, to, run, .. } in returns {
        let of_run = |n: u32| (run.first..run.before).contains(&n);
        for (_, epoch) in (0u32..).zip(&mut *epochs).filter(|(n, _)| of_run(*n)) {
            let lost = epoch.owners.iter_mut().find(|(member, _)| *member == from);
            let left = lost.as_ref().and_then(|(_, parts)| parts.checked_sub(run.parts));
            let Some(((_, parts), left)) = lost.zip(left) else {
                return Err(Fault(format!("{from} had less of {id} than a ruling gave back")));
            };
            *parts = left;
            match epoch.owners.iter_mut().find(|(member, _)| *member == to) {
                Some((_, parts)) => *parts = parts.saturating_add(run.parts),
                None => epoch.owners.push((to.clone(), run.parts)),
            }
            epoch.owners.retain(|(_, parts)| *parts > 0);
            epoch.owners.sort();
        }
    }
    Ok(())
}

/// What a claim of so many units has earned of a net in each epoch.
pub(crate) fn earned(
    state: &State,
    (id, totals): (&AccountId, &Account),
    (units, epochs): (u64, &[Epoch<Handle>]),
    net: Net,
) -> Result<Vec<u64>, Fault> {
    let rows = Rows { state: state.clone(), account: *id };
    let nets = account::epoch_nets::<_, _, Fault>(totals, &rows, epochs, net)
        .map_err(|e| Fault(format!("a claim of account {id} cannot be computed: {e}")))?;
    let earned = |net| attribution::earned(units, net);
    let earned: Option<Vec<u64>> = nets.into_iter().map(earned).collect();
    earned.ok_or_else(|| Fault(format!("a claim of account {id} overflows")))
}

/// One owner's line of one claim.
pub(super) struct Line<'a> {
    id: &'a AccountId,
    account: &'a AccountRecord,
    claim: &'a ProvedClaim,
    owner: &'a Handle,
    epochs: Vec<Epoch<Handle>>,
    cuts: Vec<CutRecord>,
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
        let cuts = Key::Cuts(*id, claim.asset, claim.right);
        let cuts: Vec<CutRecord> = act.state.get(&cuts)?.unwrap_or_default();
        act.weigh(EPOCH_WEIGHT.saturating_mul(epochs.len() as u64))?;
        act.weigh(CUT_WEIGHT.saturating_mul(cuts.len() as u64))?;
        let record = LineRecord::default();
        let mut line = Line { id, account, claim, owner, epochs, cuts, record };
        line.record = act.state.get(&line.key())?.unwrap_or_default();
        Ok(line)
    }

    /// Where its record is.
    pub(super) fn key(&self) -> Key {
        Key::PaidLine(*self.id, self.claim.asset, self.claim.right, self.owner.clone())
    }

    /// Fails unless the owner has owned a part in some epoch, or a ruling gave him what one has
    /// earned.
    pub(super) fn require_owned(&self) -> Result<(), Reject> {
        let claimed = Claimed { epochs: &self.epochs, cuts: &self.cuts, earned: &[] };
        if self.record != LineRecord::default() || claimed.concerns(self.owner) {
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

    /// What can be paid out now: of the confirmed net, without what is held. Below 0 when more was
    /// paid than that.
    pub(super) fn payable(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        let (asset, right) = (&self.claim.asset, self.claim.right);
        let now_ms = act.context.time_ms;
        let left = self.left(act, &hold::in_force(act.state, asset, right, now_ms)?)?;
        Ok(left.saturating_sub(self.record.reversed_at(now_ms).into()))
    }

    /// What the owner has of the confirmed net, held or not, and was not paid. Below 0 when more was
    /// paid.
    pub(super) fn unpaid(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        self.left(act, &[])
    }

    /// What is left of the confirmed net and of what the closing gave, without what is held.
    fn left(&self, act: &Act<'_>, holds: &[Hold]) -> Result<i128, Refusal> {
        let earned = earned(
            act.state,
            (self.id, &self.account.totals),
            (self.claim.units, &self.epochs),
            Net::Confirmed,
        )?;
        let claimed = Claimed { epochs: &self.epochs, cuts: &self.cuts, earned: &earned };
        let free = claimed.free(self.owner, holds)?;
        Ok(self.record.left_of(free.saturating_add(self.closing(act)?)))
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
