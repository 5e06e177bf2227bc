//! The rule for setting off: what is payable on one line meets what was paid beyond another of the
//! same member. Implements [LED-MNY-7].

use super::claim;
use super::line::Line;
use crate::event::market::{ProvedLine, SetOffOverpayment};
use crate::execute::Act;
use crate::hash::SetOffId;
use crate::limits::MAX_AMOUNT;
use crate::payment::{named_account, require_clearing};
use crate::reject::{Code, Refusal, Reject};
use crate::state::record::{OwnerLine, SetOffRecord};
use crate::state::{Key, Relation};
use crate::words::money;

impl ProvedLine {
    fn named(&self) -> OwnerLine {
        let (asset, right) = (self.claim.asset, self.claim.right);
        OwnerLine { asset, right, owner: self.owner.clone() }
    }
}

/// `set_off_overpayment`.
pub(crate) fn set_off(act: &mut Act<'_>, e: &SetOffOverpayment) -> Result<(), Refusal> {
    let reject = |code, text: String| Err(Refusal::from(Reject::new(code, text)));
    let account = named_account(act, &e.account)?;
    require_clearing(act, &account.exchange)?;
    if !(1..=MAX_AMOUNT).contains(&e.amount) {
        let text = format!("a set-off of {}", money(e.amount, &account.currency));
        return reject(Code::AmountOutOfRange, text);
    }
    let (of_from, of_to) = (e.from.named(), e.to.named());
    if of_from == of_to {
        return reject(Code::SameLine, "a line cannot be set off against itself".into());
    }
    claim::check(&account, &e.from.claim)?;
    claim::check(&account, &e.to.claim)?;
    let from = Line::read(act, &e.account, &account, &e.from.claim, &e.from.owner)?;
    from.require_owned()?;
    let to = Line::read(act, &e.account, &account, &e.to.claim, &e.to.owner)?;
    to.require_owned()?;
    if !act.same(&e.from.owner, &e.to.owner)? {
        let text = format!("{} and {} are not one member", e.from.owner, e.to.owner);
        return reject(Code::OwnersDiffer, text);
    }
    let (amount, payable) = (i128::from(e.amount), from.payable(act)?);
    if amount > payable {
        let [asked, payable] = [amount, payable].map(|n| money(n, &account.currency));
        let text = format!("{asked} to be set off, {payable} are payable");
        return reject(Code::SetOffAbovePayable, text);
    }
    // Against all that is confirmed, held parts too: nothing that a dispute holds becomes payable.
    let overpaid = to.unpaid(act)?.saturating_neg();
    if amount > overpaid {
        let [asked, overpaid] = [amount, overpaid.max(0)].map(|n| money(n, &account.currency));
        let text = format!("{asked} to be set off, {overpaid} are overpaid");
        return reject(Code::SetOffAboveOverpaid, text);
    }
    let (from, to) = (from.with_set_off(e.amount, 0), to.with_set_off(0, e.amount));
    let Some((from, to)) = from.zip(to) else {
        let text = "what a line was set off with adds up to more than 64 bits hold";
        return reject(Code::AmountOutOfRange, text.into());
    };
    for (key, record) in [from, to] {
        act.state.put(&key, &record)?;
    }
    let record = SetOffRecord {
        account: e.account,
        from: of_from,
        to: of_to,
        amount: e.amount,
        seq: act.seq,
        height: act.context.height,
        time_ms: act.context.time_ms,
    };
    let id = SetOffId::from_digest(*act.event.digest());
    act.state.put(&Key::SetOff(id), &record)?;
    Ok(act.append(Relation::AccountSetOffs(e.account), id.digest())?)
}
