//! The line of an owner of a claim in an account: what he has earned, what moved, what was paid.

use crate::account::{self, Epoch, Net};
use crate::event::market::ProvedClaim;
use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::hold::held_parts;
use crate::payment::Rows;
use crate::reject::{Fault, Refusal};
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

    /// Whether the owner has owned a part in some epoch, or a ruling moved money to or from him.
    pub(super) fn is_owned(&self) -> bool {
        let owns = |epoch: &Epoch<Handle>| epoch.owners.iter().any(|o| o.0 == *self.owner);
        self.record != LineRecord::default() || self.epochs.iter().any(owns)
    }

    /// What can be paid out now: of the confirmed net, without the parts that are held. Below 0
    /// when more was paid than that.
    pub(super) fn payable(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        let (asset, right) = (&self.claim.asset, self.claim.right);
        let held = held_parts(act.state, asset, right, self.owner, act.context.time_ms)?;
        let earned = self.earned(act, Net::Confirmed, held)?;
        Ok(self.not_paid(earned.saturating_add(self.closing(act)?)))
    }

    /// What the owner has of the confirmed net, held or not, and was not paid. Below 0 when more was
    /// paid. A ruling moves no more than this, so that nothing unconfirmed becomes payable by it.
    pub(super) fn unpaid(&self, act: &Act<'_>) -> Result<i128, Refusal> {
        Ok(self.not_paid(self.earned(act, Net::Confirmed, 0)?))
    }

    fn not_paid(&self, earned: u64) -> i128 {
        let LineRecord { paid, adjusted_in, adjusted_out } = self.record;
        let plus = i128::from(earned).saturating_add(adjusted_in.into());
        plus.saturating_sub(adjusted_out.into()).saturating_sub(paid.into())
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
