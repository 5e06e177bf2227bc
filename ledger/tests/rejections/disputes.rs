//! Refusals of disputes, freezes, evidence, rulings and appeals.

use headwater_ledger::account::Amounts;
use headwater_ledger::event::RuleDispute;
use headwater_ledger::event::dispute::{Adjustment, RefundOrder, Ruling, Subject};
use headwater_ledger::hash::{AccountId, ContractId, DisputeId, GrantId, PaymentId, PayoutId};
use headwater_ledger::limits::{MAX_CUTS, MAX_EPOCHS, MAX_FREEZES, MAX_REFUND_ORDERS};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::Key;
use headwater_ledger::state::record::{CutRecord, Hold, HoldKind, Records, RefundOrdered, Run};

use crate::Row;
use crate::support::market::terminate;
use crate::support::members;
use crate::support::story::*;
use crate::support::*;

/// Parts of the chest hospital's holding right.
fn share(w: &World, parts: u16) -> Subject {
    Subject::Share(slice(w.asset(CHEST_RAW), Right::Holding, CHEST, parts))
}

/// The county hospital disputes 3 000 parts of what the chest hospital has.
fn disputed(w: &mut World) -> DisputeId {
    *w = World::sources();
    let share = share(w, 3_000);
    w.record(COUNTY, dispute(share)).dispute()
}

/// The county hospital disputes the chest hospital's examinations.
fn disputed_asset(w: &mut World) -> DisputeId {
    *w = World::sources();
    let asset = Subject::Asset(w.asset(CHEST_RAW));
    w.record(COUNTY, dispute(asset)).dispute()
}

/// The buyer disputes its payment.
fn disputed_payment(w: &mut World) -> DisputeId {
    *w = World::paid();
    let payment = Subject::Payment(w.payment());
    w.record(BUYER, dispute(payment)).dispute()
}

/// The shares' dispute is ruled by the first regulator.
fn ruled(w: &mut World, ruling: Ruling) -> DisputeId {
    let id = disputed(w);
    w.record(REGULATOR, rule(id, ruling));
    id
}

/// The buyer's payment is to be given back in these parts.
fn order(w: &mut World, [net, fee, tax]: [u64; 3]) -> Vec<u8> {
    let id = disputed_payment(w);
    w.by(REGULATOR, rule(id, Ruling::Refund(RefundOrder { net, fee, tax })))
}

/// The county hospital disputes 3 000 parts of the chest hospital's holding right.
fn chest_disputed(w: &mut World) -> DisputeId {
    let share = share(w, 3_000);
    w.record(COUNTY, dispute(share)).dispute()
}

/// A redirect to the county hospital that takes the report's money with it.
fn adjust(w: &mut World, id: DisputeId) -> RuleDispute {
    rule(id, redirect(COUNTY, &[w.earlier_money()]))
}

fn nothing() -> DisputeId {
    DisputeId::from_digest(digest("nothing"))
}

pub const ROWS: &[Row] = &[
    Row(Code::UnknownDispute, "evidence in no dispute", |w| w.by(CHEST, evidence(nothing()))),
    Row(Code::UnknownDispute, "a ruling on no dispute", |w| {
        w.by(REGULATOR, rule(nothing(), Ruling::Dismiss))
    }),
    Row(Code::UnknownDispute, "an appeal in no dispute", |w| w.by(CHEST, appeal(nothing()))),
    Row(Code::UnknownDispute, "a freeze in no dispute", |w| {
        let until = w.now_ms + 1;
        w.by(REGULATOR, freeze(nothing(), until))
    }),
    Row(Code::UnknownAsset, "a dispute about an asset that is not recorded", |w| {
        let asset = w.asset(CHEST_RAW);
        w.by(COUNTY, dispute(Subject::Asset(asset)))
    }),
    Row(Code::UnknownGrant, "a dispute about a grant that is not recorded", |w| {
        w.by(COUNTY, dispute(Subject::Grant(GrantId::from_digest(digest("nothing")))))
    }),
    Row(Code::UnknownPayment, "a dispute about a payment that is not recorded", |w| {
        w.by(COUNTY, dispute(Subject::Payment(PaymentId::from_digest(digest("nothing")))))
    }),
    Row(Code::UnknownPayout, "a dispute about a payout that is not recorded", |w| {
        w.by(COUNTY, dispute(Subject::Payout(PayoutId::from_digest(digest("nothing")))))
    }),
    Row(Code::UnknownContract, "a dispute about a contract that is not recorded", |w| {
        w.by(COUNTY, dispute(Subject::Contract(ContractId::from_digest(digest("nothing")))))
    }),
    Row(Code::SubjectInvalid, "a share of no parts", |w| {
        *w = World::sources();
        let share = share(w, 0);
        w.by(COUNTY, dispute(share))
    }),
    Row(Code::SubjectInvalid, "a share of more than its owner has ever had", |w| {
        *w = World::sources();
        w.share_with_patients();
        let share = Subject::Share(slice(w.asset(CHEST_RAW), Right::Holding, FUND, 1_001));
        w.by(COUNTY, dispute(share))
    }),
    Row(Code::SubjectInvalid, "a share of somebody who owns nothing", |w| {
        *w = World::sources();
        let share = Subject::Share(slice(w.asset(CHEST_RAW), Right::Holding, FUND, 1));
        w.by(COUNTY, dispute(share))
    }),
    Row(Code::NothingToRedirect, "a redirect of parts that the owner has given away", |w| {
        let id = disputed(w);
        w.pass(30 * DAY_MS);
        let given = transfer(w.asset(CHEST_RAW), Right::Holding, &[(FUND, 10_000)]);
        let given = w.record(CHEST, given).transfer();
        w.record(FUND, accept_transfer(given));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[])))
    }),
    Row(Code::NothingToRedirect, "earlier money all of which was paid out", |w| {
        *w = World::confirmed();
        let payable = w.balance(CHEST).payable;
        w.record(GZ, w.payout(CHEST, payable, "P-1"));
        let chest = w.asset(CHEST_RAW);
        let share = Subject::Share(slice(chest, Right::Holding, CHEST, 10_000));
        let id = w.record(COUNTY, dispute(share)).dispute();
        let ruling = adjust(w, id);
        w.by(REGULATOR, ruling)
    }),
    Row(Code::PartsHeld, "a grant by parts that a ruling gave which is not final", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let share = Subject::Share(slice(chest, Right::Processing, CHEST, 10_000));
        let id = w.record(COUNTY, dispute(share)).dispute();
        w.record(REGULATOR, rule(id, redirect(COUNTY, &[])));
        w.by(COUNTY, processing_grant(chest, LAB, terms()))
    }),
    Row(Code::AuthorSuspended, "a dispute of a suspended member about what is another's", |w| {
        *w = World::sources();
        w.record(REGULATOR, suspend(COUNTY));
        let share = share(w, 3_000);
        w.by(COUNTY, dispute(share))
    }),
    Row(Code::NothingToRedirect, "earlier money of parts that nobody had then", |w| {
        *w = World::paid();
        let chest = w.asset(CHEST_RAW);
        let share = Subject::Share(slice(chest, Right::Holding, CHEST, 10_000));
        let first = w.record(COUNTY, dispute(share.clone())).dispute();
        let ruling = adjust(w, first);
        w.record(REGULATOR, ruling);
        let second = w.record(FUND, dispute(share)).dispute();
        let ruling = adjust(w, second);
        w.by(REGULATOR, ruling)
    }),
    Row(Code::PartsHeld, "a transfer of parts that a dispute holds", |w| {
        let _ = disputed(w);
        let away = transfer(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 2_999), (FUND, 7_001)]);
        let away = w.record(CHEST, away).transfer();
        w.by(FUND, accept_transfer(away))
    }),
    Row(Code::PartsHeld, "a transfer of what was awarded and can be taken away", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let share = Subject::Share(slice(chest, Right::Holding, CHEST, 10_000));
        let id = w.record(COUNTY, dispute(share)).dispute();
        w.record(REGULATOR, rule(id, redirect(COUNTY, &[])));
        w.record(CHEST, appeal(id));
        w.pass(400 * DAY_MS);
        w.by(COUNTY, transfer(chest, Right::Holding, &[(FUND, 10_000)]))
    }),
    Row(Code::PartsHeld, "a redirect of parts that another dispute holds", |w| {
        let id = disputed(w);
        let share = share(w, 7_001);
        w.record(FUND, dispute(share));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[])))
    }),
    Row(Code::PartsHeld, "a redirect of earlier parts that another dispute holds", |w| {
        *w = World::paid();
        let id = chest_disputed(w);
        w.pass(30 * DAY_MS);
        let away = transfer(w.asset(CHEST_RAW), Right::Holding, &[(FUND, 10_000)]);
        let away = w.record(CHEST, away).transfer();
        w.record(FUND, accept_transfer(away));
        let share = share(w, 7_001);
        w.record(FUND, dispute(share));
        let ruling = adjust(w, id);
        w.by(REGULATOR, ruling)
    }),
    Row(Code::CutsFull, "a claim cut once more than it can be", |w| {
        *w = World::paid();
        let id = chest_disputed(w);
        let run = Run { first: 0, before: 1, parts: 1 };
        let (owner, holder) = (handle(CHEST), handle(FUND));
        let cut = CutRecord { dispute: id, owner, runs: vec![run], kept: vec![], holder };
        let (account, _) = w.account(REPORT, GZ);
        let key = Key::Cuts(account, w.asset(CHEST_RAW), Right::Holding);
        w.put(&key, &vec![cut; MAX_CUTS]);
        let ruling = adjust(w, id);
        w.by(REGULATOR, ruling)
    }),
    Row(Code::EpochsFull, "a redirect that could not be undone", |w| {
        let id = disputed(w);
        let chest = w.asset(CHEST_RAW);
        w.owned_often(chest, Right::Holding, &[(CHEST, 10_000)], MAX_EPOCHS - 2);
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[])))
    }),
    Row(Code::OverWeight, "a redirect with the money of two accounts and 126 epochs", |w| {
        *w = World::paid();
        let id = chest_disputed(w);
        w.owned_often(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 10_000)], 125);
        let first = w.earlier_money();
        let (_, record) = w.account(REPORT, GZ);
        let account = AccountId::from_digest(digest("another account"));
        w.put(&Key::Account(account), &record);
        let second = Adjustment { account, ..first.clone() };
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[first, second])))
    }),
    Row(Code::HoldsFull, "more freezes than one right can have", |w| {
        let id = disputed(w);
        let chest = w.asset(CHEST_RAW);
        let of = |n: usize| Hold {
            dispute: DisputeId::from_digest(digest(&format!("dispute {n}"))),
            owner: handle(CHEST),
            parts: 1,
            kind: HoldKind::Frozen,
            until_ms: u64::MAX,
            appealed_until_ms: u64::MAX,
        };
        let holds: Vec<Hold> = (0..MAX_FREEZES).map(of).collect();
        w.put(&Key::Holds(chest, Right::Holding), &holds);
        let until = w.now_ms + DAY_MS;
        w.by(REGULATOR, freeze(id, until))
    }),
    Row(Code::RefundOrdersFull, "orders of more disputes than one payment can have", |w| {
        let id = disputed_payment(w);
        let payment = w.payment();
        let mut record = w.state.payment(&payment).unwrap().unwrap();
        let ordered = Amounts { net: 1, fee: 0, tax: 0 };
        let met = Amounts::default();
        let of = |n: usize| {
            let dispute = DisputeId::from_digest(digest(&format!("dispute {n}")));
            RefundOrdered { dispute, ordered, met }
        };
        record.orders = (0..MAX_REFUND_ORDERS).map(of).collect();
        w.put(&Key::Payment(payment), &record);
        w.by(REGULATOR, rule(id, Ruling::Refund(RefundOrder { net: 1, fee: 0, tax: 0 })))
    }),
    Row(Code::ArbiterIsParty, "an award affirmed by a friend of who got it", |w| {
        let id = ruled(w, redirect(FUND, &[]));
        w.record(CHEST, appeal(id));
        w.record(REGULATOR, members::relate(BUREAU, FUND, true));
        w.by(BUREAU, rule(id, redirect(FUND, &[])))
    }),
    Row(Code::NotDisputeParty, "a stranger disputes a payment", |w| {
        *w = World::paid();
        let payment = Subject::Payment(w.payment());
        w.by(CHEST, dispute(payment))
    }),
    Row(Code::NotDisputeParty, "a stranger disputes a contract", |w| {
        *w = World::contracted();
        let contract = Subject::Contract(w.contract());
        w.by(BJ, dispute(contract))
    }),
    Row(Code::NotDisputeParty, "evidence of a stranger", |w| {
        let id = disputed(w);
        w.by(LAB, evidence(id))
    }),
    Row(Code::NotDisputeParty, "an appeal of a stranger", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.by(LAB, appeal(id))
    }),
    Row(Code::RoleRequired, "a ruling of a hospital", |w| {
        let id = disputed(w);
        w.by(FUND, rule(id, Ruling::Dismiss))
    }),
    Row(Code::RoleRequired, "a freeze by a hospital", |w| {
        let id = disputed(w);
        let until = w.now_ms + 1;
        w.by(FUND, freeze(id, until))
    }),
    Row(Code::ArbiterIsParty, "a regulator rules on its own dispute", |w| {
        *w = World::sources();
        let share = share(w, 1);
        let id = w.record(REGULATOR, dispute(share)).dispute();
        w.by(REGULATOR, rule(id, Ruling::Dismiss))
    }),
    Row(Code::ArbiterIsParty, "a regulator freezes in its own dispute", |w| {
        *w = World::sources();
        let share = share(w, 1);
        let id = w.record(REGULATOR, dispute(share)).dispute();
        let until = w.now_ms + 1;
        w.by(REGULATOR, freeze(id, until))
    }),
    Row(Code::ArbiterIsParty, "a regulator rules on what it owns a part of", |w| {
        let id = disputed_asset(w);
        let parts = [(CHEST, 9_999), (REGULATOR, 1)];
        let parts = transfer(w.asset(CHEST_RAW), Right::Processing, &parts);
        let parts = w.record(CHEST, parts).transfer();
        w.record(REGULATOR, accept_transfer(parts));
        w.by(REGULATOR, rule(id, Ruling::VoidAsset))
    }),
    Row(Code::ArbiterIsParty, "a regulator redirects to itself", |w| {
        let id = disputed(w);
        w.by(REGULATOR, rule(id, redirect(REGULATOR, &[])))
    }),
    Row(Code::FreezeOutOfRange, "a freeze that ends now", |w| {
        let id = disputed(w);
        let until = w.now_ms;
        w.by(REGULATOR, freeze(id, until))
    }),
    Row(Code::FreezeOutOfRange, "a freeze longer than the rulebook allows", |w| {
        let id = disputed(w);
        let until = w.now_ms + 180 * DAY_MS + 1;
        w.by(REGULATOR, freeze(id, until))
    }),
    Row(Code::FreezeOutOfRange, "a freeze of an asset", |w| {
        let id = disputed_asset(w);
        let until = w.now_ms + DAY_MS;
        w.by(REGULATOR, freeze(id, until))
    }),
    Row(Code::DisputeClosed, "evidence after the ruling", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.by(CHEST, evidence(id))
    }),
    Row(Code::DisputeClosed, "a second ruling without an appeal", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.by(BUREAU, rule(id, Ruling::Dismiss))
    }),
    Row(Code::DisputeClosed, "a freeze after the ruling", |w| {
        let id = ruled(w, Ruling::Dismiss);
        let until = w.now_ms + DAY_MS;
        w.by(BUREAU, freeze(id, until))
    }),
    Row(Code::SameArbiter, "the same regulator rules on appeal", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.record(COUNTY, appeal(id));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[])))
    }),
    Row(Code::RulingDoesNotFit, "a share is voided", |w| {
        let id = disputed(w);
        w.by(REGULATOR, rule(id, Ruling::VoidAsset))
    }),
    Row(Code::RulingDoesNotFit, "an asset is redirected", |w| {
        let id = disputed_asset(w);
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[])))
    }),
    Row(Code::ContractClosed, "a contract that the parties have ended, ended by a ruling", |w| {
        *w = World::contracted();
        let case = w.record(BUYER, dispute(Subject::Contract(w.contract()))).dispute();
        w.record(BUYER, terminate(w.contract()));
        w.record(INSIGHT, terminate(w.contract()));
        w.by(REGULATOR, rule(case, Ruling::EndContract))
    }),
    Row(Code::RulingDoesNotFit, "a payment ends a contract", |w| {
        let id = disputed_payment(w);
        w.by(REGULATOR, rule(id, Ruling::EndContract))
    }),
    Row(Code::RulingDoesNotFit, "a share goes to who has it", |w| {
        let id = disputed(w);
        w.by(REGULATOR, rule(id, redirect(CHEST, &[])))
    }),
    Row(Code::UnknownMember, "a share goes to nobody", |w| {
        let id = disputed(w);
        w.by(REGULATOR, rule(id, redirect("unheard-of", &[])))
    }),
    Row(Code::VoidAsset, "a void asset is voided by a ruling", |w| {
        let id = disputed_asset(w);
        w.void(CHEST_RAW);
        w.by(REGULATOR, rule(id, Ruling::VoidAsset))
    }),
    Row(Code::GrantClosed, "a void grant is voided again", |w| {
        *w = World::cleaned();
        let grant = Subject::Grant(w.grant("chest processing"));
        let first = w.record(COUNTY, dispute(grant.clone())).dispute();
        let second = w.record(FUND, dispute(grant)).dispute();
        w.record(REGULATOR, rule(first, Ruling::VoidGrant));
        w.by(REGULATOR, rule(second, Ruling::VoidGrant))
    }),
    Row(Code::EmptyRefund, "an order that gives nothing back", |w| order(w, [0, 0, 0])),
    Row(Code::RefundAboveRemainder, "an order of more net than was paid", |w| {
        order(w, [PRICE, 0, 0])
    }),
    Row(Code::RefundAboveRemainder, "an order of more tax than was paid", |w| {
        order(w, [0, 0, TAX + 1])
    }),
    Row(Code::RefundAboveRemainder, "two orders of the same tax", |w| {
        let first = disputed_payment(w);
        let again = Subject::Payment(w.payment());
        let second = w.record(INSIGHT, dispute(again)).dispute();
        let tax = Ruling::Refund(RefundOrder { net: 0, fee: 0, tax: TAX });
        w.record(REGULATOR, rule(first, tax.clone()));
        w.by(REGULATOR, rule(second, tax))
    }),
    Row(Code::NotRuled, "an appeal before the ruling", |w| {
        let id = disputed(w);
        w.by(CHEST, appeal(id))
    }),
    Row(Code::AppealTooLate, "an appeal after its time", |w| {
        let id = ruled(w, Ruling::Dismiss);
        // The ruling was a second ago.
        w.pass(15 * DAY_MS);
        w.by(COUNTY, appeal(id))
    }),
    Row(Code::AlreadyAppealed, "an appeal while one is heard", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.record(COUNTY, appeal(id));
        w.by(CHEST, appeal(id))
    }),
    Row(Code::AlreadyAppealed, "an appeal of a final ruling", |w| {
        let id = ruled(w, Ruling::Dismiss);
        w.record(COUNTY, appeal(id));
        w.record(BUREAU, rule(id, Ruling::Dismiss));
        w.by(COUNTY, appeal(id))
    }),
    Row(Code::UnknownAccount, "an adjustment in no account", |w| {
        let id = disputed(w);
        let line = adjustment(w.asset(CHEST_RAW), Right::Holding, digest("nothing"));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[line])))
    }),
    Row(Code::RulingDoesNotFit, "an adjustment of another right", |w| {
        let id = disputed(w);
        let line = adjustment(w.asset(CHEST_RAW), Right::Operation, digest("account"));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[line])))
    }),
    Row(Code::RulingDoesNotFit, "two adjustments in one account", |w| {
        let id = disputed(w);
        let line = adjustment(w.asset(CHEST_RAW), Right::Holding, digest("account"));
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[line.clone(), line])))
    }),
    Row(Code::ClaimNotProved, "an adjustment of a claim that is none of the schedule", |w| {
        *w = World::paid();
        let id = chest_disputed(w);
        let (account, _) = w.account(REPORT, GZ);
        let line = adjustment(w.asset(CHEST_RAW), Right::Holding, *account.digest());
        w.by(REGULATOR, rule(id, redirect(COUNTY, &[line])))
    }),
];
