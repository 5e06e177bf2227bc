//! Refusals of set-offs: what is payable on one line against what was overpaid on another.

use headwater_ledger::event::SetOffOverpayment;
use headwater_ledger::event::dispute::Subject;
use headwater_ledger::hash::AccountId;
use headwater_ledger::limits::MAX_AMOUNT;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::record::LineRecord;

use crate::Row;
use crate::support::payouts::*;
use crate::support::story::*;
use crate::support::*;

/// A set-off of 75 000.00, all that was overpaid, changed.
fn set_off(w: &mut World, change: fn(&World, &mut SetOffOverpayment)) -> Vec<u8> {
    *w = World::overpaid();
    let mut event = w.set_off(7_500_000);
    change(w, &mut event);
    w.by(GZ, event)
}

/// A dispute holds parts of what the company has of a right over its report.
fn hold(w: &mut World, right: Right, parts: u16) {
    let share = slice(w.asset(REPORT), right, INSIGHT, parts);
    w.record(COUNTY, dispute(Subject::Share(share)));
}

pub const ROWS: &[Row] = &[
    Row(Code::UnknownAccount, "a set-off in no account", |w| {
        set_off(w, |_, e| e.account = AccountId::from_digest(nothing()))
    }),
    Row(Code::NotClearingExchange, "the other exchange sets off", |w| {
        *w = World::overpaid();
        w.by(BJ, w.set_off(1))
    }),
    Row(Code::NotClearingExchange, "an owner sets off for himself", |w| {
        *w = World::overpaid();
        w.by(INSIGHT, w.set_off(1))
    }),
    Row(Code::AmountOutOfRange, "a set-off of nothing", |w| set_off(w, |_, e| e.amount = 0)),
    Row(Code::AmountOutOfRange, "a set-off above the limit", |w| {
        set_off(w, |_, e| e.amount = MAX_AMOUNT + 1)
    }),
    Row(Code::AmountOutOfRange, "set off more often than 64 bits count", |w| {
        *w = World::overpaid();
        let account = w.account(REPORT, GZ).0;
        let key = Key::PaidLine(account, w.asset(REPORT), Right::Operation, handle(INSIGHT));
        let (set_off_in, set_off_out) = (u64::MAX, u64::MAX);
        w.put(&key, &LineRecord { set_off_in, set_off_out, ..Default::default() });
        w.by(GZ, w.set_off(1))
    }),
    Row(Code::SameLine, "a line set off against itself", |w| {
        set_off(w, |_, e| e.from = e.to.clone())
    }),
    Row(Code::ClaimNotProved, "from more units than the schedule gives", |w| {
        set_off(w, |_, e| e.from.claim.units += 1)
    }),
    Row(Code::ClaimNotProved, "to a claim in another place", |w| {
        set_off(w, |_, e| e.to.claim.index ^= 1)
    }),
    Row(Code::NoSuchLine, "from the line of who never owned the right", |w| {
        set_off(w, |_, e| e.from.owner = handle(FUND))
    }),
    Row(Code::NoSuchLine, "to the line of a stranger", |w| {
        set_off(w, |_, e| e.to.owner = handle("unheard-of"))
    }),
    Row(Code::OwnersDiffer, "what the lab has against what the company was paid", |w| {
        set_off(w, |w, e| e.from = w.line(CLEANED, Right::Processing, LAB))
    }),
    Row(Code::OverWeight, "lines with 236 epochs together", |w| {
        *w = World::overpaid();
        for right in [Right::Operation, Right::Processing] {
            w.owned_often(w.asset(REPORT), right, &[(INSIGHT, 10_000)], 117);
        }
        w.by(GZ, w.set_off(1))
    }),
    Row(Code::SetOffAbovePayable, "a fen more than is payable on the one", |w| {
        *w = World::overpaid();
        let mut event = w.payout(INSIGHT, 33_962_264 - 7_499_999, "P-2");
        event.claim = w.line(REPORT, Right::Operation, INSIGHT).claim;
        w.record(GZ, event);
        w.by(GZ, w.set_off(7_500_000))
    }),
    Row(Code::SetOffAbovePayable, "set off from what a dispute holds", |w| {
        *w = World::overpaid();
        hold(w, Right::Operation, 10_000);
        w.by(GZ, w.set_off(1))
    }),
    Row(Code::SetOffAbovePayable, "set off from the overpaid line", |w| {
        set_off(w, |_, e| std::mem::swap(&mut e.from, &mut e.to))
    }),
    Row(Code::SetOffAboveOverpaid, "a fen more than was overpaid on the other", |w| {
        set_off(w, |_, e| e.amount += 1)
    }),
    Row(Code::SetOffAboveOverpaid, "the same overpayment set off twice", |w| {
        *w = World::overpaid();
        w.record(GZ, w.set_off(7_500_000));
        w.by(GZ, w.set_off(1))
    }),
    Row(Code::SetOffAboveOverpaid, "against money that only a dispute holds back", |w| {
        *w = World::confirmed();
        let mut event = w.payout(INSIGHT, 27_877_358, "P-1");
        event.claim = w.line(REPORT, Right::Processing, INSIGHT).claim;
        w.record(GZ, event);
        hold(w, Right::Processing, 5_000);
        w.by(GZ, w.set_off(1))
    }),
];
