//! A day on the market, from two hospitals' registrations to the last fen of a sale.
//!
//! The figures were worked out by hand from the attribution rules, not by this program.

mod support;

use std::collections::BTreeMap;

use headwater_ledger::attribution::UNITS;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use support::story::{CHEST_RAW, CLEANED, COUNTY_RAW, PRICE, REPORT, TAX};
use support::*;

/// Everything up to the signed contract over 2 000 000.00 CNY.
fn contracted() -> World {
    let mut w = World::sources();
    w.share_with_patients();
    w.grant_lab();
    w.clean();
    w.report();
    w.list_report();
    w.accept_listing();
    w.propose(PRICE);
    w.sign_by_all();
    w
}

fn fen(shares: [u64; 5]) -> BTreeMap<String, u64> {
    [CHEST, FUND, COUNTY, LAB, INSIGHT].map(String::from).into_iter().zip(shares).collect()
}

const AFTER_THE_FIRST_SALE: [u64; 5] = [31_747_852, 3_527_539, 31_630_268, 44_603_773, 74_339_622];
const AFTER_THE_SECOND_SALE: [u64; 5] = [31_763_726, 3_529_302, 31_646_083, 44_626_075, 74_376_792];

#[test]
fn the_schedule_divides_the_report_among_five_claims() {
    let w = contracted();
    let units: BTreeMap<_, _> =
        w.schedule(REPORT).iter().map(|c| ((c.asset, c.right), c.units)).collect();
    let expected = BTreeMap::from([
        ((w.asset(CHEST_RAW), Right::Holding), 189_806_678_383_128_295),
        ((w.asset(COUNTY_RAW), Right::Holding), 170_193_321_616_871_705),
        ((w.asset(CLEANED), Right::Processing), 240_000_000_000_000_000),
        ((w.asset(REPORT), Right::Processing), 150_000_000_000_000_000),
        ((w.asset(REPORT), Right::Operation), 250_000_000_000_000_000),
    ]);
    assert_eq!(units, expected);
    assert_eq!(units.values().sum::<u64>(), UNITS);
    assert_eq!(w.state.listing(&w.listing()).unwrap().unwrap().claims, 5);
}

#[test]
fn two_sales_and_a_refund_reach_everyone_to_the_fen() {
    let mut w = contracted();
    w.pay(PRICE, TAX, "GZ-2026-0001");
    let totals = w.account(REPORT, GZ).1.totals;
    assert_eq!((totals.payments, totals.fee, totals.net), (1, 2_830_188, 185_849_057));
    assert_eq!(totals.net + totals.fee + totals.tax, PRICE);
    assert_eq!(w.shares(REPORT, GZ), (fen(AFTER_THE_FIRST_SALE), 3));

    w.record(INSIGHT, deliver(w.contract()));
    w.record(BUYER, confirm(w.contract()));
    let contract = w.state.contract(&w.contract()).unwrap().unwrap();
    assert!(contract.confirmed && contract.delivered.is_some());
    assert_eq!(contract.paid, contract.price);

    // The second sale: 1 000.00 CNY, of which 56.60 tax.
    w.propose(100_000);
    w.sign_by_all();
    w.pay(100_000, 5_660, "GZ-2026-0002");
    assert_eq!(w.shares(REPORT, GZ), (fen(AFTER_THE_SECOND_SALE), 4));

    // Given back in two steps: the rest leaves no trace in what anyone is entitled to.
    let parts = w.state.payment(&w.payment()).unwrap().unwrap().amounts;
    assert_eq!((parts.net, parts.fee, parts.tax), (92_925, 1_415, 5_660));
    w.record(GZ, refund(w.payment(), [2_925, 0, 5_660], "GZ-2026-0003"));
    w.record(GZ, refund(w.payment(), [90_000, 1_415, 0], "GZ-2026-0004"));
    assert_eq!(w.shares(REPORT, GZ), (fen(AFTER_THE_FIRST_SALE), 3));
}

/// A sale before the patients' fund owned its tenth is all the hospital's.
#[test]
fn money_goes_to_whoever_owned_when_it_was_paid() {
    let mut w = World::contracted();
    w.pay(PRICE / 2, TAX / 2, "GZ-1");
    let (before, _) = w.shares(REPORT, GZ);
    assert_eq!(before.get(FUND), None);
    w.share_with_patients();
    let (unchanged, _) = w.shares(REPORT, GZ);
    assert_eq!((unchanged.get(CHEST), unchanged[FUND]), (before.get(CHEST), 0));
    let first = w.payment();
    w.pay(PRICE / 2, TAX / 2, "GZ-2");
    let (after, residue) = w.shares(REPORT, GZ);
    let (fund, chest) = (after[FUND], after[CHEST] - before[CHEST]);
    assert!(chest.abs_diff(fund * 9) <= 9, "{chest} is not nine times {fund}");
    let net = w.account(REPORT, GZ).1.totals.net;
    assert_eq!(after.values().sum::<u64>() + residue, net);

    // A refund of the first payment lands on the hospital alone.
    w.record(GZ, refund(first, [1_000_000, 0, 0], "GZ-3"));
    let (refunded, _) = w.shares(REPORT, GZ);
    assert_eq!(refunded[FUND], fund);
    assert!(refunded[CHEST] < after[CHEST]);
}

/// The same product at another exchange has an account of its own.
#[test]
fn each_exchange_clears_an_account_of_its_own() {
    let mut w = World::paid();
    let elsewhere = headwater_ledger::event::ListProduct {
        exchange: handle(BJ),
        fee_bp: 0,
        ..list_product(w.asset(REPORT), &[w.grant("cleaned operation")])
    };
    let listing = w.record(INSIGHT, elsewhere).listing();
    w.record(BJ, review(listing, headwater_ledger::event::market::Decision::Accept));
    let schedule = w.schedule_hash();
    let contract = w.record(INSIGHT, propose(listing, BUYER, schedule, 1_000)).contract();
    w.record(BUYER, sign_contract(contract, schedule));
    w.record(BJ, sign_contract(contract, schedule));
    // The reference is the Guangzhou exchange's; the Beijing exchange has its own.
    w.record(BJ, pay(contract, 1_000, 0, "B-1"));
    assert_eq!(w.account(REPORT, BJ).1.totals.net, 1_000);
    assert_eq!(w.account(REPORT, GZ).1.totals.net, 185_849_057);
}
