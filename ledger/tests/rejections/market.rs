//! Refusals on the market: listings, contracts, payments, deliveries and refunds.

use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::{Decision, Licence};
use headwater_ledger::event::{ListProduct, ProposeContract, RecordPayment};
use headwater_ledger::hash::{ContractId, ListingId, PaymentId};
use headwater_ledger::limits::{MAX_AMOUNT, MAX_INPUTS};
use headwater_ledger::reject::Code;

use crate::Row;
use crate::support::story::*;
use crate::support::*;

/// The company's listing of its report.
fn listing(w: &World) -> ListProduct {
    list_product(w.asset(REPORT), &[w.grant("cleaned operation")])
}

/// The company's proposal with another licence.
fn licensed(w: &mut World, change: fn(&mut Licence)) -> Vec<u8> {
    *w = World::accepted();
    let mut proposal = w.proposal(PRICE);
    change(&mut proposal.licence);
    w.by(INSIGHT, proposal)
}

/// A product with more edges in its ancestry than the rulebook allows, behind fewer assets than a
/// sale can rest on: layers of own merges.
fn sprawl(w: &mut World) {
    let raws = MAX_INPUTS - 12;
    let merged = Rulebook::standard().max_ancestry_edges as usize / raws + 1;
    let record = |w: &mut World, assets: Vec<headwater_ledger::event::RegisterAsset>| {
        let events = assets.into_iter().map(Act::event).collect();
        let envelope = w.envelope(INSIGHT, events);
        w.submit(&signed(envelope, &[INSIGHT])).unwrap();
    };
    record(w, (0..raws).map(|i| raw(&format!("raw-{i}"))).collect());
    let inputs = |w: &World, kind: &str, count: usize| -> Vec<_> {
        (0..count).map(|i| input(w.asset(&format!("{INSIGHT}/{kind}-{i}")), 1, None)).collect()
    };
    let sources = inputs(w, "raw", raws);
    for i in 0..merged {
        record(w, vec![processed(&format!("merged-{i}"), &sources)]);
    }
    let parts = inputs(w, "merged", merged);
    record(w, vec![product("sprawling", &parts)]);
}

pub const ROWS: &[Row] = &[
    Row(Code::NotAnExchange, "a listing at a hospital", |w| {
        *w = World::reported();
        w.by(INSIGHT, ListProduct { exchange: handle(CHEST), ..listing(w) })
    }),
    Row(Code::PartySuspended, "a listing at an exchange that is suspended", |w| {
        *w = World::reported();
        w.record(REGULATOR, suspend(GZ));
        w.by(INSIGHT, listing(w))
    }),
    Row(Code::PartySuspended, "a listing of who is suspended", |w| {
        *w = World::listed();
        w.record(REGULATOR, suspend(INSIGHT));
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::PartySuspended, "a contract at an exchange that is suspended", |w| {
        *w = World::accepted();
        w.record(REGULATOR, suspend(GZ));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::UnknownMember, "a listing at a stranger", |w| {
        *w = World::reported();
        w.by(INSIGHT, ListProduct { exchange: handle("unheard-of"), ..listing(w) })
    }),
    Row(Code::NotAProduct, "a listing of a processed dataset", |w| {
        *w = World::cleaned();
        let grants = [w.grant("chest operation"), w.grant("county operation")];
        w.by(LAB, list_product(w.asset(CLEANED), &grants))
    }),
    Row(Code::FeeTooHigh, "a fee of more than everything", |w| {
        *w = World::reported();
        w.by(INSIGHT, ListProduct { fee_bp: 10_001, ..listing(w) })
    }),
    Row(Code::AlreadyListed, "listed twice at the same exchange", |w| {
        *w = World::listed();
        w.by(INSIGHT, listing(w))
    }),
    Row(Code::AncestryTooLarge, "a product with too many ancestors", |w| {
        sprawl(w);
        w.by(INSIGHT, list_product(w.asset("insight-co/sprawling"), &[]))
    }),
    Row(Code::UnknownListing, "a review of nothing", |w| {
        w.by(GZ, review(ListingId::from_digest(digest("listing")), Decision::Accept))
    }),
    Row(Code::UnknownListing, "a contract from nothing", |w| {
        let nothing = ListingId::from_digest(digest("listing"));
        w.by(INSIGHT, propose(nothing, BUYER, digest("schedule"), PRICE))
    }),
    Row(Code::ReviewerIsSeller, "an exchange lists its own product at itself", |w| {
        w.record(GZ, raw("figures"));
        w.record(GZ, product("report", &[input(w.asset("gz-exchange/figures"), 1, None)]));
        w.by(GZ, list_product(w.asset("gz-exchange/report"), &[]))
    }),
    Row(Code::NotListingExchange, "the other exchange reviews", |w| {
        *w = World::listed();
        w.by(BJ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::NotListingExchange, "the seller reviews", |w| {
        *w = World::listed();
        w.by(INSIGHT, review(w.listing(), Decision::Accept))
    }),
    Row(Code::ListingClosed, "rejected after acceptance", |w| {
        *w = World::accepted();
        w.by(GZ, review(w.listing(), Decision::Reject))
    }),
    Row(Code::ListingClosed, "accepted after rejection", |w| {
        *w = World::listed();
        w.record(GZ, review(w.listing(), Decision::Reject));
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::ListingNotAccepted, "a contract before the review", |w| {
        *w = World::listed();
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::ListingNotAccepted, "a contract after the rejection", |w| {
        *w = World::listed();
        w.record(GZ, review(w.listing(), Decision::Reject));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::NotSeller, "a contract proposed by another", |w| {
        *w = World::accepted();
        w.by(LAB, w.proposal(PRICE))
    }),
    Row(Code::NotSeller, "a delivery by the buyer", |w| {
        *w = World::contracted();
        w.by(BUYER, deliver(w.contract()))
    }),
    Row(Code::DeliveryNotDeemed, "the seller confirms its own delivery", |w| {
        *w = World::contracted();
        w.record(INSIGHT, deliver(w.contract()));
        w.by(INSIGHT, confirm(w.contract()))
    }),
    Row(Code::UnknownMember, "a contract with a stranger", |w| {
        *w = World::accepted();
        w.by(INSIGHT, ProposeContract { buyer: handle("unheard-of"), ..w.proposal(PRICE) })
    }),
    Row(Code::SellerIsBuyer, "the seller sells to itself", |w| {
        *w = World::accepted();
        w.by(INSIGHT, ProposeContract { buyer: handle(INSIGHT), ..w.proposal(PRICE) })
    }),
    Row(Code::SellerIsBuyer, "the exchange buys what it clears", |w| {
        *w = World::accepted();
        w.by(INSIGHT, ProposeContract { buyer: handle(GZ), ..w.proposal(PRICE) })
    }),
    Row(Code::LicenceOutsideTerms, "a licence for a purpose the product lacks", |w| {
        licensed(w, |licence| licence.purposes = list(&[Purpose::ClinicalCare]))
    }),
    Row(Code::LicenceOutsideTerms, "a licence abroad", |w| {
        licensed(w, |licence| licence.territories = list(&["SG".parse().unwrap()]))
    }),
    Row(Code::LicenceOutsideTerms, "a licence that outlives the operation grants", |w| {
        licensed(w, |licence| licence.not_after_ms += 1)
    }),
    Row(Code::LicenceOutsideTerms, "a licence for nothing", |w| {
        licensed(w, |licence| licence.purposes = list(&[]))
    }),
    Row(Code::LicenceOutsideTerms, "a licence for nowhere", |w| {
        licensed(w, |licence| licence.territories = list(&[]))
    }),
    Row(Code::LicenceOutsideTerms, "a licence that has ended", |w| {
        licensed(w, |licence| licence.not_after_ms = GENESIS_MS)
    }),
    Row(Code::AmountOutOfRange, "a price above the limit", |w| {
        *w = World::accepted();
        w.by(INSIGHT, w.proposal(MAX_AMOUNT + 1))
    }),
    Row(Code::AmountOutOfRange, "a payment of nothing", |w| {
        *w = World::contracted();
        w.by(GZ, pay(w.contract(), 0, 0, "B-1"))
    }),
    Row(Code::AmountOutOfRange, "a payment above the limit", |w| {
        *w = World::contracted();
        w.by(GZ, pay(w.contract(), u64::MAX, 0, "B-1"))
    }),
    Row(Code::AmountOutOfRange, "more money than an account can count", |w| {
        *w = World::accepted();
        // All tax, no net and no fee: the sum of the taxes is what overflows.
        for i in 0..18 {
            w.propose(MAX_AMOUNT);
            w.sign_by_all();
            w.pay(MAX_AMOUNT, MAX_AMOUNT, &format!("B-{i}"));
        }
        w.propose(MAX_AMOUNT);
        w.sign_by_all();
        w.by(GZ, pay(w.contract(), MAX_AMOUNT, MAX_AMOUNT, "B-18"))
    }),
    Row(Code::UnknownContract, "a signature under nothing", |w| {
        w.by(BUYER, sign_contract(ContractId::from_digest(digest("contract")), digest("hash")))
    }),
    Row(Code::UnknownContract, "a payment for nothing", |w| {
        w.by(GZ, pay(ContractId::from_digest(digest("contract")), 1, 0, "B-1"))
    }),
    Row(Code::UnknownContract, "a delivery of nothing", |w| {
        w.by(INSIGHT, deliver(ContractId::from_digest(digest("contract"))))
    }),
    Row(Code::UnknownContract, "a confirmation of nothing", |w| {
        w.by(BUYER, confirm(ContractId::from_digest(digest("contract"))))
    }),
    Row(Code::NotContractParty, "signed by somebody else", |w| {
        *w = World::proposed();
        w.by(CHEST, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::NotContractParty, "signed by the other exchange", |w| {
        *w = World::proposed();
        w.by(BJ, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::NotContractParty, "the seller signs once more", |w| {
        *w = World::proposed();
        w.by(INSIGHT, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::AlreadySigned, "the buyer signs twice", |w| {
        *w = World::proposed();
        w.record(BUYER, sign_contract(w.contract(), w.schedule_hash()));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::AlreadySigned, "the exchange signs twice", |w| {
        *w = World::contracted();
        w.by(GZ, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ScheduleMismatch, "proposed with another schedule", |w| {
        *w = World::accepted();
        w.by(INSIGHT, ProposeContract { schedule: digest("other"), ..w.proposal(PRICE) })
    }),
    Row(Code::ScheduleMismatch, "signed for another schedule", |w| {
        *w = World::proposed();
        w.by(BUYER, sign_contract(w.contract(), digest("other")))
    }),
    Row(Code::ContractExpired, "proposed too late to be signed", |w| {
        *w = World::accepted();
        let sign_by_ms = w.now_ms - 1;
        w.by(INSIGHT, ProposeContract { sign_by_ms, ..w.proposal(PRICE) })
    }),
    Row(Code::ContractExpired, "signed a millisecond too late", |w| {
        *w = World::proposed();
        w.now_ms = GENESIS_MS + DAY_MS + 1;
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ContractNotSigned, "paid before the exchange signed", |w| {
        *w = World::proposed();
        w.record(BUYER, sign_contract(w.contract(), w.schedule_hash()));
        w.by(GZ, pay(w.contract(), PRICE, TAX, "B-1"))
    }),
    Row(Code::ContractNotSigned, "paid before the buyer signed", |w| {
        *w = World::proposed();
        w.record(GZ, sign_contract(w.contract(), w.schedule_hash()));
        w.by(GZ, pay(w.contract(), PRICE, TAX, "B-1"))
    }),
    Row(Code::ContractNotSigned, "delivered before everyone signed", |w| {
        *w = World::proposed();
        w.by(INSIGHT, deliver(w.contract()))
    }),
    Row(Code::NotClearingExchange, "the other exchange records a payment", |w| {
        *w = World::contracted();
        w.by(BJ, pay(w.contract(), PRICE, TAX, "B-1"))
    }),
    Row(Code::NotClearingExchange, "the buyer records a payment", |w| {
        *w = World::contracted();
        w.by(BUYER, pay(w.contract(), PRICE, TAX, "B-1"))
    }),
    Row(Code::NotClearingExchange, "the other exchange records a refund", |w| {
        *w = World::paid();
        w.by(BJ, refund(w.payment(), [1, 0, 0], "B-2"))
    }),
    Row(Code::WrongCurrency, "paid in dollars", |w| {
        *w = World::contracted();
        let currency = "USD".parse().unwrap();
        w.by(GZ, RecordPayment { currency, ..pay(w.contract(), PRICE, TAX, "B-1") })
    }),
    Row(Code::TaxAboveGross, "more tax than money", |w| {
        *w = World::contracted();
        w.by(GZ, pay(w.contract(), 100, 101, "B-1"))
    }),
    Row(Code::PaymentAbovePrice, "a fen too much", |w| {
        *w = World::contracted();
        w.by(GZ, pay(w.contract(), PRICE + 1, TAX, "B-1"))
    }),
    Row(Code::PaymentAbovePrice, "instalments of a fen too much", |w| {
        *w = World::contracted();
        w.pay(PRICE - 100, TAX, "B-1");
        w.by(GZ, pay(w.contract(), 101, 0, "B-2"))
    }),
    Row(Code::BankReferenceUsed, "the same bank reference for two payments", |w| {
        *w = World::contracted();
        w.pay(PRICE / 2, TAX / 2, "B-1");
        w.by(GZ, pay(w.contract(), PRICE / 2, TAX / 2, "B-1"))
    }),
    Row(Code::BankReferenceUsed, "the same bank reference for payment and refund", |w| {
        *w = World::paid();
        w.by(GZ, refund(w.payment(), [1, 0, 0], "B-1"))
    }),
    Row(Code::BankReferenceUsed, "the same bank reference for two refunds", |w| {
        *w = World::paid();
        w.record(GZ, refund(w.payment(), [1, 0, 0], "B-2"));
        w.by(GZ, refund(w.payment(), [1, 0, 0], "B-2"))
    }),
    Row(Code::AlreadyDelivered, "delivered twice", |w| {
        *w = World::contracted();
        w.record(INSIGHT, deliver(w.contract()));
        w.by(INSIGHT, deliver(w.contract()))
    }),
    Row(Code::NotDelivered, "confirmed before the delivery", |w| {
        *w = World::contracted();
        w.by(GZ, confirm(w.contract()))
    }),
    Row(Code::AlreadyConfirmed, "confirmed twice", |w| {
        *w = World::contracted();
        w.record(INSIGHT, deliver(w.contract()));
        w.record(BUYER, confirm(w.contract()));
        w.by(BUYER, confirm(w.contract()))
    }),
    Row(Code::UnknownPayment, "a refund of nothing", |w| {
        w.by(GZ, refund(PaymentId::from_digest(digest("payment")), [1, 0, 0], "B-1"))
    }),
    Row(Code::EmptyRefund, "a refund of no money", |w| {
        *w = World::paid();
        w.by(GZ, refund(w.payment(), [0, 0, 0], "B-2"))
    }),
    Row(Code::RefundAboveRemainder, "a fen more than the net", |w| {
        *w = World::paid();
        w.by(GZ, refund(w.payment(), [185_849_058, 0, 0], "B-2"))
    }),
    Row(Code::RefundAboveRemainder, "a fen more than the fee", |w| {
        *w = World::paid();
        w.by(GZ, refund(w.payment(), [0, 2_830_189, 0], "B-2"))
    }),
    Row(Code::RefundAboveRemainder, "a fen more than the tax", |w| {
        *w = World::paid();
        w.by(GZ, refund(w.payment(), [0, 0, TAX + 1], "B-2"))
    }),
    Row(Code::RefundAboveRemainder, "a fen more than the first refund left", |w| {
        *w = World::paid();
        w.record(GZ, refund(w.payment(), [100, 0, 0], "B-2"));
        w.by(GZ, refund(w.payment(), [185_848_958, 0, 0], "B-3"))
    }),
    Row(Code::RefundAboveRemainder, "one payment's refund out of another payment's tax", |w| {
        *w = World::contracted();
        w.pay(1_000, 0, "B-1");
        let untaxed = w.payment();
        w.pay(1_000, 1_000, "B-2");
        w.by(GZ, refund(untaxed, [0, 0, 1], "B-3"))
    }),
];
