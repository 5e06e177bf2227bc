//! Refusals about money that leaves the ledger: voids, payouts, closings and aggregates.

use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::market::ProvedClaim;
use headwater_ledger::event::{PaySource, RecordPayout, SealSources};
use headwater_ledger::hash::{AccountId, AggregateId, AssetId, PaymentId, PayoutId};
use headwater_ledger::limits::{
    MAX_AMOUNT, MAX_CONTRACT_PAYMENTS, MAX_EPOCHS, MAX_SIGNED, RULING_EPOCHS,
};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::record::{
    AccountRecord, ContractRecord, ContractStatus, Records, Signed,
};

use crate::Row;
use crate::support::market::certify;
use crate::support::payouts::*;
use crate::support::rights::shared;
use crate::support::story::*;
use crate::support::*;

/// A payout of 1 000.00 to the chest hospital, changed.
fn payout(w: &mut World, change: fn(&World, &mut RecordPayout)) -> Vec<u8> {
    *w = World::confirmed();
    let mut event = w.payout(CHEST, 100_000, "P-1");
    change(w, &mut event);
    w.by(GZ, event)
}

/// The account with one thing changed, as a rule tested elsewhere would.
fn with_account(w: &mut World, change: fn(&mut AccountRecord)) -> AccountId {
    let (id, mut record) = w.account(REPORT, GZ);
    change(&mut record);
    w.put(&Key::Account(id), &record);
    id
}

fn closed(w: &mut World) -> AccountId {
    *w = World::confirmed();
    let account = settled(w);
    w.record(GZ, close(account));
    account
}

/// The account, with the time over in which what was confirmed can be disputed.
fn settled(w: &mut World) -> AccountId {
    with_account(w, |account| account.open_until_ms = 0)
}

/// The chest hospital has sealed three sources and was paid 1 000.00.
fn sealed(w: &mut World) -> (AggregateId, AccountId) {
    *w = World::paid_out().0;
    let event = seal(w.asset(CHEST_RAW), Right::Holding);
    let aggregate = AggregateId::from_digest(w.record(CHEST, event).first());
    (aggregate, w.account(REPORT, GZ).0)
}

fn source(w: &mut World, change: fn(&mut PaySource)) -> Vec<u8> {
    let of = sealed(w);
    let mut event = pay_source(of, 1, 28_571, "S-1");
    change(&mut event);
    w.by(CHEST, event)
}

fn sealing(w: &mut World, change: fn(&mut SealSources)) -> Vec<u8> {
    *w = World::sources();
    let mut event = seal(w.asset(CHEST_RAW), Right::Holding);
    change(&mut event);
    w.by(CHEST, event)
}

pub const ROWS: &[Row] = &[
    Row(Code::ContractClosed, "a payment of a contract that was ended", |w| {
        *w = World::contracted();
        let id = w.contract();
        let mut contract: ContractRecord = w.state.contract(&id).unwrap().unwrap();
        contract.status = ContractStatus::Terminated;
        w.put(&Key::Contract(id), &contract);
        w.by(GZ, pay(id, PRICE, TAX, "B-1"))
    }),
    Row(Code::TooManyPayments, "one payment more than a contract can have", |w| {
        *w = World::paid();
        w.propose(PRICE);
        w.sign_by_all();
        let other = vec![w.payment(); MAX_CONTRACT_PAYMENTS];
        w.put(&Key::ContractPayments(w.contract()), &other);
        w.by(GZ, pay(w.contract(), 1, 0, "B-2"))
    }),
    Row(Code::UnknownPayment, "a void of nothing", |w| {
        w.by(GZ, void_payment(PaymentId::from_digest(nothing())))
    }),
    Row(Code::NotClearingExchange, "the other exchange voids a payment", |w| {
        *w = World::paid();
        w.by(BJ, void_payment(w.payment()))
    }),
    Row(Code::PaymentClosed, "a payment voided twice", |w| {
        *w = World::paid();
        w.record(GZ, void_payment(w.payment()));
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::PaymentClosed, "voided after a refund of one fen", |w| {
        *w = World::paid();
        w.record(GZ, refund(w.payment(), [0, 0, 1], "B-2"));
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::PaymentClosed, "voided while a refund is ordered", |w| {
        *w = World::paid();
        let mut payment = w.state.payment(&w.payment()).unwrap().unwrap();
        payment.ordered.fee = 1;
        w.put(&Key::Payment(w.payment()), &payment);
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::PaymentClosed, "a refund of a void payment", |w| {
        *w = World::paid();
        w.record(GZ, void_payment(w.payment()));
        w.by(GZ, refund(w.payment(), [1, 0, 0], "B-2"))
    }),
    Row(Code::VoidTooLate, "voided a millisecond too late", |w| {
        *w = World::paid();
        let paid_ms = w.state.payment(&w.payment()).unwrap().unwrap().time_ms;
        w.now_ms = paid_ms + 30 * DAY_MS + 1;
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::AlreadyCertified, "voided while the trade is certified", |w| {
        *w = World::completed();
        w.record(GZ, certify(w.contract()));
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::AccountClosed, "a payment into a closed account", |w| {
        *w = World::contracted();
        with_account(w, |account| account.closed = true);
        w.by(GZ, pay(w.contract(), 1, 0, "B-2"))
    }),
    Row(Code::AccountClosed, "a refund out of a closed account", |w| {
        closed(w);
        w.by(GZ, refund(w.payment(), [1, 0, 0], "B-2"))
    }),
    Row(Code::AccountClosed, "a void in a closed account", |w| {
        closed(w);
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::AccountClosed, "an account closed twice", |w| {
        let account = closed(w);
        w.by(GZ, close(account))
    }),
    Row(Code::UnknownAccount, "a payout of nothing", |w| {
        payout(w, |_, e| e.account = AccountId::from_digest(nothing()))
    }),
    Row(Code::UnknownAccount, "nothing closed", |w| {
        w.by(GZ, close(AccountId::from_digest(nothing())))
    }),
    Row(Code::UnknownAccount, "a source paid out of nothing", |w| {
        source(w, |e| e.account = AccountId::from_digest(nothing()))
    }),
    Row(Code::NotClearingExchange, "the other exchange pays out", |w| {
        *w = World::confirmed();
        w.by(BJ, w.payout(CHEST, 1, "P-1"))
    }),
    Row(Code::NotClearingExchange, "an owner pays himself out", |w| {
        *w = World::confirmed();
        w.by(CHEST, w.payout(CHEST, 1, "P-1"))
    }),
    Row(Code::NotClearingExchange, "the other exchange closes an account", |w| {
        *w = World::confirmed();
        let (account, _) = w.account(REPORT, GZ);
        w.by(BJ, close(account))
    }),
    Row(Code::AmountOutOfRange, "a payout of nothing at all", |w| payout(w, |_, e| e.amount = 0)),
    Row(Code::AmountOutOfRange, "a payout above the limit", |w| {
        payout(w, |_, e| e.amount = MAX_AMOUNT + 1)
    }),
    Row(Code::AmountOutOfRange, "a source paid nothing", |w| source(w, |e| e.amount = 0)),
    Row(Code::ClaimNotProved, "a payout for more units than the schedule gives", |w| {
        payout(w, |_, e| e.claim.units += 1)
    }),
    Row(Code::ClaimNotProved, "a payout for another right", |w| {
        payout(w, |_, e| e.claim.right = Right::Processing)
    }),
    Row(Code::ClaimNotProved, "a payout for a claim in another place", |w| {
        payout(w, |_, e| e.claim.index ^= 1)
    }),
    Row(Code::ClaimNotProved, "a payout for a claim without a proof", |w| {
        payout(w, |_, e| e.claim = ProvedClaim { proof: list(&[]), ..e.claim.clone() })
    }),
    Row(Code::NoSuchLine, "a payout to who never owned the right", |w| {
        payout(w, |_, e| e.owner = handle(COUNTY))
    }),
    Row(Code::NoSuchLine, "a payout to a stranger", |w| {
        payout(w, |_, e| e.owner = handle("unheard-of"))
    }),
    Row(Code::PayeeSuspended, "a payout to a suspended hospital", |w| {
        *w = World::confirmed();
        w.record(REGULATOR, suspend(CHEST));
        w.by(GZ, w.payout(CHEST, 1, "P-1"))
    }),
    Row(Code::PayoutAbovePayable, "a fen more than is payable", |w| {
        payout(w, |w, e| e.amount = w.balance(CHEST).payable + 1)
    }),
    Row(Code::PayoutAbovePayable, "a payout before the delivery is confirmed", |w| {
        *w = World::paid();
        w.by(GZ, w.payout(CHEST, 1, "P-1"))
    }),
    Row(Code::PayoutAbovePayable, "the same money paid out twice", |w| {
        *w = World::confirmed();
        let all = w.balance(CHEST).payable;
        let event = w.payout(CHEST, all, "P-1");
        w.record(GZ, event);
        w.by(GZ, w.payout(CHEST, 1, "P-2"))
    }),
    Row(Code::PayoutAbovePayable, "a payout of what was refunded", |w| {
        *w = World::confirmed();
        let all = w.balance(CHEST).payable;
        w.record(GZ, refund(w.payment(), [100, 0, 0], "B-2"));
        w.by(GZ, w.payout(CHEST, all, "P-1"))
    }),
    Row(Code::PayoutAbovePayable, "a payout of what a ruling moved away", |w| {
        *w = World::confirmed();
        let all = w.balance(CHEST).payable;
        let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, 1_000);
        let id = w.record(COUNTY, dispute(Subject::Share(share))).dispute();
        let ruling = redirect(FUND, &[w.earlier_money()]);
        w.record(REGULATOR, rule(id, ruling));
        w.by(GZ, w.payout(CHEST, all, "P-1"))
    }),
    Row(Code::BankReferenceUsed, "the same bank reference for payment and payout", |w| {
        payout(w, |_, e| e.bank_reference = "B-1".parse().unwrap())
    }),
    Row(Code::BankReferenceUsed, "the same reference for two sources", |w| {
        let of = sealed(w);
        w.record(CHEST, pay_source(of, 0, 1, "S-1"));
        w.by(CHEST, pay_source(of, 1, 1, "S-1"))
    }),
    Row(Code::UnknownPayout, "nothing contested", |w| {
        w.by(CHEST, contest(PayoutId::from_digest(nothing())))
    }),
    Row(Code::NotPayee, "another's payout contested", |w| {
        let (world, payout) = World::paid_out();
        *w = world;
        w.by(COUNTY, contest(payout))
    }),
    Row(Code::PayoutContested, "contested twice", |w| {
        let (world, payout) = World::paid_out();
        *w = world;
        w.record(CHEST, contest(payout));
        w.by(CHEST, contest(payout))
    }),
    Row(Code::ContestTooLate, "contested a millisecond too late", |w| {
        let (world, payout) = World::paid_out();
        *w = world;
        w.now_ms = w.now_ms - 1_000 + 30 * DAY_MS + 1;
        w.by(CHEST, contest(payout))
    }),
    Row(Code::AccountNotSettled, "closed before the delivery is confirmed", |w| {
        *w = World::paid();
        let (account, _) = w.account(REPORT, GZ);
        w.by(GZ, close(account))
    }),
    Row(Code::AccountNotSettled, "closed before all is paid", |w| {
        *w = World::contracted();
        w.pay(PRICE - 1, TAX, "B-1");
        w.deliver_and_confirm();
        let account = settled(w);
        w.by(GZ, close(account))
    }),
    Row(
        Code::AccountNotSettled,
        "closed while a signed contract is neither paid nor delivered",
        |w| {
            *w = World::confirmed();
            w.propose(PRICE);
            w.sign_by_all();
            let account = settled(w);
            w.by(GZ, close(account))
        },
    ),
    Row(Code::AccountNotSettled, "closed while a dispute is open", |w| {
        let (world, payout) = World::paid_out();
        *w = world;
        w.record(CHEST, contest(payout));
        let account = settled(w);
        w.by(GZ, close(account))
    }),
    Row(Code::AccountNotSettled, "closed while a dismissal can be appealed", |w| {
        *w = World::confirmed();
        let payment = Subject::Payment(w.payment());
        let id = w.record(BUYER, dispute(payment)).dispute();
        w.record(REGULATOR, rule(id, Ruling::Dismiss));
        let account = settled(w);
        w.by(GZ, close(account))
    }),
    Row(Code::AccountNotSettled, "closed while a share of it is disputed", |w| {
        *w = World::confirmed();
        let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, 1);
        w.record(COUNTY, dispute(Subject::Share(share)));
        let account = settled(w);
        w.by(GZ, close(account))
    }),
    Row(Code::AccountNotSettled, "closed while what was confirmed can be disputed", |w| {
        *w = World::confirmed();
        let (account, record) = w.account(REPORT, GZ);
        w.now_ms = record.open_until_ms - 1_000;
        w.by(GZ, close(account))
    }),
    Row(Code::PaymentDisputed, "a payment voided in which a share is disputed", |w| {
        *w = World::paid();
        let share = slice(w.asset(CHEST_RAW), Right::Holding, CHEST, 1);
        w.record(COUNTY, dispute(Subject::Share(share)));
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::VoidTooLate, "a payment voided in which a share has changed hands", |w| {
        *w = World::paid();
        w.share_with_patients();
        w.by(GZ, void_payment(w.payment()))
    }),
    Row(Code::PayoutAbovePayable, "paid again before the reversal of a payout is final", |w| {
        let (world, payout) = World::paid_out();
        *w = world;
        let id = w.record(CHEST, contest(payout)).dispute();
        w.record(REGULATOR, rule(id, Ruling::ReversePayout));
        let payable = w.balance(CHEST).payable;
        w.by(GZ, w.payout(CHEST, payable + 1, "P-2"))
    }),
    Row(Code::PaymentDisputed, "a disputed payment voided", |w| {
        *w = World::paid();
        let payment = w.payment();
        w.record(BUYER, dispute(Subject::Payment(payment)));
        w.by(GZ, void_payment(payment))
    }),
    Row(Code::AccountNotSettled, "closed while a refund is ordered", |w| {
        *w = World::confirmed();
        let account = with_account(w, |account| (account.orders, account.open_until_ms) = (1, 0));
        w.by(GZ, close(account))
    }),
    Row(Code::ClosingTooLarge, "closed with more lines than can be", |w| {
        *w = World::confirmed();
        let names: Vec<_> = (0..64).map(|i| format!("owner-{i:02}")).collect();
        let parts = |i| if i == 0 { 10_000 - 63 } else { 1 };
        let owners: Vec<_> =
            names.iter().enumerate().map(|(i, n)| (n.as_str(), parts(i))).collect();
        w.owned_often(w.asset(CHEST_RAW), Right::Holding, &owners, 65);
        let account = settled(w);
        w.by(GZ, close(account))
    }),
    Row(Code::EpochsFull, "a transfer by one key more than is remembered of those before", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let mut head = w.state.right(&chest, &w.asset_record(CHEST_RAW), Right::Holding).unwrap();
        let of =
            |n: usize| Signed { key: key(&format!("key {n}")).public_key(), time_ms: w.now_ms };
        head.signed = (0..MAX_SIGNED).map(of).collect();
        w.put(&Key::Right(chest, Right::Holding), &head);
        w.by(CHEST, shared(chest, Right::Holding, &[(CHEST, 10_000)], 10_000))
    }),
    Row(Code::EpochsFull, "one transfer more than a right can have", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let owners = [(CHEST, 9_000), (FUND, 1_000)];
        w.owned_often(chest, Right::Holding, &owners, MAX_EPOCHS - RULING_EPOCHS - 1);
        w.by(CHEST, transfer(chest, Right::Holding, &[(CHEST, 8_999), (FUND, 1_001)]))
    }),
    Row(Code::UnknownAsset, "sources of an asset that is not there", |w| {
        sealing(w, |e| e.asset = AssetId::from_digest(nothing()))
    }),
    Row(Code::AggregateInvalid, "no sources sealed", |w| sealing(w, |e| e.sources = 0)),
    Row(Code::AggregateInvalid, "one source too many", |w| {
        sealing(w, |e| (e.sources, e.total_weight) = (20_001, 20_001))
    }),
    Row(Code::AggregateInvalid, "less weight than sources", |w| sealing(w, |e| e.total_weight = 2)),
    Row(Code::AggregateInvalid, "more weight than can be", |w| {
        sealing(w, |e| e.total_weight = 10_000_000_000_000_001)
    }),
    Row(Code::NotOwner, "sources sealed by who owns no part", |w| {
        *w = World::sources();
        w.by(COUNTY, seal(w.asset(CHEST_RAW), Right::Holding))
    }),
    Row(Code::AlreadySealed, "sources sealed anew after one was paid", |w| {
        let of = sealed(w);
        w.record(CHEST, pay_source(of, 1, 1, "S-1"));
        w.by(CHEST, seal(w.asset(CHEST_RAW), Right::Holding))
    }),
    Row(Code::AlreadySealed, "a source paid by a list that was replaced", |w| {
        let of = sealed(w);
        w.record(CHEST, seal(w.asset(CHEST_RAW), Right::Holding));
        w.by(CHEST, pay_source(of, 1, 1, "S-1"))
    }),
    Row(Code::UnknownAggregate, "a source of nothing paid", |w| {
        source(w, |e| e.aggregate = AggregateId::from_digest(nothing()))
    }),
    Row(Code::NotAggregateOwner, "another pays the sources", |w| {
        let of = sealed(w);
        w.by(COUNTY, pay_source(of, 0, 1, "S-1"))
    }),
    Row(Code::SourceNotProved, "a source with more weight than sealed", |w| {
        source(w, |e| e.weight += 1)
    }),
    Row(Code::SourceNotProved, "a source that was not sealed", |w| {
        source(w, |e| e.source = nothing())
    }),
    Row(Code::SourceNotProved, "a source in another place", |w| source(w, |e| e.index = 0)),
    Row(Code::SourceAboveDue, "a fen more than the source's part", |w| {
        // 100 000 · 2 / 7, rounded down, is 28 571.
        source(w, |e| e.amount = 28_572)
    }),
    Row(Code::SourceAboveDue, "a source paid twice", |w| {
        let of = sealed(w);
        w.record(CHEST, pay_source(of, 1, 28_571, "S-1"));
        w.by(CHEST, pay_source(of, 1, 1, "S-2"))
    }),
];
