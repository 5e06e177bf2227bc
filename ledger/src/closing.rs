//! The rules for closing an account. Implements [LED-MNY-4].

use std::collections::BTreeMap;

use crate::account::{self, Epoch};
use crate::asset;
use crate::attribution::Claim;
use crate::cut;
use crate::event::market::CloseAccount;
use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::limits::{MAX_ANCESTRY_EDGES, MAX_CLOSING_LINES};
use crate::listing::frozen_schedule;
use crate::payment::{Rows, named_account, require_clearing, require_open};
use crate::payout::{CUT_WEIGHT, EPOCH_WEIGHT, epochs};
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{AccountRecord, ClosingLine, Contest, CutRecord};
use crate::state::{Key, View};
use crate::text::Handle;
use crate::words::moment;

/// Weight of one claim with its first epoch.
const CLAIM_WEIGHT: u64 = 5;

type Epochs = BTreeMap<(AssetId, Right), Vec<Epoch<Handle>>>;

/// `close_account`.
pub(crate) fn close(act: &mut Act<'_>, e: &CloseAccount) -> Result<(), Refusal> {
    let mut account = named_account(act, &e.account)?;
    require_clearing(act, &account.exchange)?;
    require_open(&account)?;
    require_settled(act, &e.account, &account)?;
    let (claims, edges) = frozen_schedule(act, &account.product, MAX_ANCESTRY_EDGES)?;
    act.weigh(edges)?;
    if claims.len() > MAX_CLOSING_LINES {
        return Err(too_large().into());
    }
    no_share_contested(act, &claims, Code::AccountNotSettled)?;
    let epochs = all_epochs(act, &e.account, &claims)?;
    let lines = closing_lines(act, &e.account, &account, &claims, &epochs)?;
    act.state.put(&Key::Closing(e.account), &lines)?;
    account.closed = true;
    Ok(act.state.put(&Key::Account(e.account), &account)?)
}

/// Fails while money may yet come into the account, or go back; says what is open.
fn require_settled(act: &Act<'_>, id: &AccountId, account: &AccountRecord) -> Result<(), Refusal> {
    let contested = is_contested(act, &Key::AccountContest(*id))?;
    let open: Vec<String> = [
        (account.unpaid, "signed contracts not wholly paid"),
        (account.unconfirmed, "contracts paid whose delivery is not confirmed"),
        (account.orders, "payments with refunds ordered and not given back"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, of)| format!("{of}: {count}"))
    .chain(contested.then(|| "disputes that are not final".to_string()))
    .chain((act.context.time_ms <= account.open_until_ms).then(|| {
        format!(
            "money confirmed or given back can be disputed until {}",
            moment(account.open_until_ms)
        )
    }))
    .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Reject::new(Code::AccountNotSettled, open.join("; ")).into())
}

fn is_contested(act: &Act<'_>, key: &Key) -> Result<bool, Fault> {
    let contest: Contest = act.state.get(key)?.unwrap_or_default();
    Ok(contest.is_open(act.context.time_ms))
}

/// Fails while a dispute about a share of a claim is not final: a ruling could not move its money
/// any more. Implements [LED-DSP-9].
pub(crate) fn no_share_contested(
    act: &Act<'_>,
    claims: &[Claim<AssetId>],
    code: Code,
) -> Result<(), Refusal> {
    for claim in claims {
        if is_contested(act, &Key::ShareContest(claim.asset, claim.right))? {
            let over = asset::called(act.state, &claim.asset)?;
            let text = format!(
                "a dispute about a share of the {} right over {over} is not final",
                claim.right
            );
            return Err(Reject::new(code, text).into());
        }
    }
    Ok(())
}

fn too_large() -> Reject {
    let text = format!("the account has more than {MAX_CLOSING_LINES} lines");
    Reject::new(Code::ClosingTooLarge, text)
}

/// The epochs of all claims, with what rulings cut out of them as lines of its own, as long as they
/// do not have too many lines.
fn all_epochs(
    act: &mut Act<'_>,
    account: &AccountId,
    claims: &[Claim<AssetId>],
) -> Result<Epochs, Refusal> {
    let mut all = Epochs::new();
    let mut lines = 0usize;
    for claim in claims {
        act.weigh(CLAIM_WEIGHT)?;
        let epochs = epochs(act.state, &claim.asset, claim.right)?;
        let further = epochs.len().saturating_sub(1) as u64;
        act.weigh(further.saturating_mul(EPOCH_WEIGHT))?;
        let cuts = Key::Cuts(*account, claim.asset, claim.right);
        let cuts: Vec<CutRecord> = act.state.get(&cuts)?.unwrap_or_default();
        act.weigh(CUT_WEIGHT.saturating_mul(cuts.len() as u64))?;
        let epochs = cut::divided(epochs, &cuts)?;
        lines = epochs.iter().fold(lines, |sum, epoch| sum.saturating_add(epoch.owners.len()));
        if lines > MAX_CLOSING_LINES {
            return Err(too_large().into());
        }
        all.insert((claim.asset, claim.right), epochs);
    }
    // Two lines weigh one unit.
    act.weigh((lines as u64).checked_div(2).unwrap_or(0))?;
    Ok(all)
}

/// The lines that get a minor unit of the residue, in order.
fn closing_lines(
    act: &mut Act<'_>,
    id: &AccountId,
    account: &AccountRecord,
    claims: &[Claim<AssetId>],
    epochs: &Epochs,
) -> Result<Vec<ClosingLine>, Refusal> {
    let fault = |e: &dyn std::fmt::Display| Fault(format!("account {id} cannot be closed: {e}"));
    let of = |asset: &AssetId, right: Right| {
        let epochs = epochs.get(&(*asset, right)).cloned();
        epochs.ok_or_else(|| Fault(format!("the epochs of {asset} were not read")))
    };
    let rows = Rows { state: &mut *act.state, account: *id };
    let lines = account::closing_lines(&account.totals, &rows, claims, of);
    let mut closing = Vec::new();
    for line in lines.map_err(|e| fault(&e))? {
        let epoch = u32::try_from(line.epoch_index).map_err(|e| fault(&e))?;
        let (asset, right, owner) = (line.asset, line.right, line.party);
        closing.push(ClosingLine { asset, right, epoch, owner });
    }
    Ok(closing)
}
