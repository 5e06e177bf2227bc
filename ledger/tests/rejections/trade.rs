//! Refusals of trade beside its money: the end of listings and contracts, licences, certificates,
//! reviews, and secure environments.

use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::dispute::{RefundOrder, Ruling, Subject};
use headwater_ledger::event::market::{Decision, Instalment};
use headwater_ledger::event::rights::{Exclusivity, Terms};
use headwater_ledger::event::{
    OfferGrant, ProposeContract, RecordValuation, RequestAccess, ReviewCompliance,
};
use headwater_ledger::hash::{AccessId, CertificateId, ContractId};
use headwater_ledger::limits::{MAX_AMOUNT, MAX_LICENCES};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{InForce, Records};
use headwater_ledger::state::{Key, View};

use crate::Row;
use crate::support::market::*;
use crate::support::payouts::close;
use crate::support::story::*;
use crate::support::*;

/// A proposal in instalments that differ from the usual ones.
fn in_parts(w: &mut World, parts: &[(u64, u64)]) -> Vec<u8> {
    *w = World::accepted();
    let parts: Vec<_> = parts
        .iter()
        .map(|(amount, due_ms)| Instalment { amount: *amount, due_ms: *due_ms })
        .collect();
    w.by(INSIGHT, ProposeContract { instalments: list(&parts), ..w.proposal(PRICE) })
}

/// A report with an exclusive licence sold, and its listing at the other exchange.
fn sold_exclusively(w: &mut World) -> ProposeContract {
    *w = World::accepted();
    let exclusive = w.licensed(|l| l.exclusive = true);
    let contract = w.record(INSIGHT, exclusive).contract();
    for party in [BUYER, GZ] {
        w.record(party, sign_contract(contract, w.schedule_hash()));
    }
    let other = w.listed_at(BJ);
    propose(other, BUYER, w.schedule_hash(), PRICE)
}

fn asking(w: &mut World, change: fn(&mut RequestAccess)) -> Vec<u8> {
    w.record(CHEST, raw("fna-2026"));
    let mut asking = ask_access(w.asset(CHEST_RAW));
    change(&mut asking);
    w.by(BUYER, asking)
}

/// A world in which listings wait for a compliance review.
fn reviewed(w: &mut World) {
    *w = World::ruled(|r| r.require_compliance = true);
    w.record(CHEST, raw("fna-2026"));
    w.record(COUNTY, raw("fna-2026"));
    w.grant_lab();
    w.clean();
    w.report();
    w.list_report();
}

/// The account of the report is closed, as after the time in which what was confirmed can be disputed.
fn close_at_once(w: &mut World) {
    let (id, mut account) = w.account(REPORT, GZ);
    account.open_until_ms = 0;
    w.put(&Key::Account(id), &account);
    w.record(GZ, close(id));
}

pub const ROWS: &[Row] = &[
    Row(Code::FeeTooHigh, "a fee above the rulebook's cap", |w| {
        *w = World::ruled(|r| r.fee_cap_bp = 149);
        w.record(CHEST, raw("figures"));
        w.record(CHEST, product("report", &[input(w.asset("chest-hospital/figures"), 1, None)]));
        w.by(CHEST, list_product(w.asset("chest-hospital/report"), &[]))
    }),
    Row(Code::NotConcerned, "a buyer ends a listing", |w| {
        *w = World::accepted();
        w.by(BUYER, delist(w.listing()))
    }),
    Row(Code::NotConcerned, "another exchange ends a listing", |w| {
        *w = World::accepted();
        w.by(BJ, delist(w.listing()))
    }),
    Row(Code::ListingEnded, "a listing ended twice", |w| {
        *w = World::accepted();
        w.record(INSIGHT, delist(w.listing()));
        w.by(GZ, delist(w.listing()))
    }),
    Row(Code::ListingEnded, "a contract from a listing that has ended", |w| {
        *w = World::accepted();
        w.record(GZ, delist(w.listing()));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::ListingEnded, "signed after the listing has ended", |w| {
        *w = World::proposed();
        w.record(REGULATOR, delist(w.listing()));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ListingClosed, "reviewed after the seller ended it", |w| {
        *w = World::listed();
        w.record(INSIGHT, delist(w.listing()));
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::ComplianceRequired, "accepted without the review that the rulebook wants", |w| {
        reviewed(w);
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::ComplianceRequired, "accepted against a review", |w| {
        *w = World::listed();
        w.record(GZ, comply(w.asset(REPORT), Decision::Reject));
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::ComplianceRequired, "sold against a review", |w| {
        *w = World::accepted();
        w.record(REGULATOR, comply(w.asset(REPORT), Decision::Reject));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::ComplianceRequired, "signed against a review", |w| {
        *w = World::proposed();
        w.record(GZ, comply(w.asset(REPORT), Decision::Reject));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ComplianceRequired, "sold after the only acceptance was taken back", |w| {
        reviewed(w);
        w.record(APPRAISER, comply(w.asset(REPORT), Decision::Accept));
        w.record(GZ, review(w.listing(), Decision::Accept));
        w.record(APPRAISER, comply(w.asset(REPORT), Decision::Reject));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::RoleRequired, "a hospital reviews compliance", |w| {
        *w = World::reported();
        w.by(CHEST, comply(w.asset(REPORT), Decision::Accept))
    }),
    Row(Code::RoleRequired, "an exchange overrules a regulator", |w| {
        *w = World::reported();
        w.record(REGULATOR, comply(w.asset(REPORT), Decision::Reject));
        w.by(GZ, comply(w.asset(REPORT), Decision::Accept))
    }),
    Row(Code::NotIndependent, "an exchange reviews its own data", |w| {
        w.record(GZ, raw("figures"));
        w.by(GZ, comply(w.asset("gz-exchange/figures"), Decision::Accept))
    }),
    Row(Code::NotIndependent, "an exchange accepts the listing of what it is paid for", |w| {
        *w = World::listed();
        let parts = transfer(w.asset(REPORT), Right::Operation, &[(INSIGHT, 9_999), (GZ, 1)]);
        let parts = w.record(INSIGHT, parts).transfer();
        w.record(GZ, accept_transfer(parts));
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::NotIndependent, "an appraiser reviews what pays it behind another's name", |w| {
        *w = World::reported();
        let parts =
            transfer(w.asset(REPORT), Right::Operation, &[(INSIGHT, 1), (APPRAISER, 9_999)]);
        let parts = w.record(INSIGHT, parts).transfer();
        w.record(APPRAISER, accept_transfer(parts));
        w.by(APPRAISER, comply(w.asset(REPORT), Decision::Accept))
    }),
    Row(Code::OutOfRange, "a property-rights level of 0", |w| {
        *w = World::reported();
        let review = comply(w.asset(REPORT), Decision::Accept);
        w.by(GZ, ReviewCompliance { rights_level: 0, ..review })
    }),
    Row(Code::OutOfRange, "a property-rights level of 6", |w| {
        *w = World::reported();
        let review = comply(w.asset(REPORT), Decision::Accept);
        w.by(GZ, ReviewCompliance { rights_level: 6, ..review })
    }),
    Row(Code::RoleRequired, "an exchange values", |w| {
        *w = World::reported();
        w.by(GZ, value(w.asset(REPORT), 1))
    }),
    Row(Code::NotIndependent, "an appraiser values its own data", |w| {
        w.record(APPRAISER, raw("figures"));
        w.by(APPRAISER, value(w.asset("fair-value/figures"), 1))
    }),
    Row(Code::NotIndependent, "an appraiser values what it has come to sell", |w| {
        *w = World::reported();
        let handover = transfer(w.asset(REPORT), Right::Operation, &[(APPRAISER, 10_000)]);
        let handover = w.record(INSIGHT, handover).transfer();
        w.record(APPRAISER, accept_transfer(handover));
        w.by(APPRAISER, value(w.asset(REPORT), 1))
    }),
    Row(Code::AmountOutOfRange, "a value of nothing", |w| {
        *w = World::reported();
        w.by(APPRAISER, value(w.asset(REPORT), 0))
    }),
    Row(Code::AmountOutOfRange, "a value above the limit", |w| {
        *w = World::reported();
        w.by(APPRAISER, value(w.asset(REPORT), MAX_AMOUNT + 1))
    }),
    Row(Code::OutOfRange, "a valuation with a score of 101", |w| {
        *w = World::reported();
        w.by(APPRAISER, RecordValuation { quality: quality(101), ..value(w.asset(REPORT), 1) })
    }),
    Row(Code::InstalmentsInvalid, "instalments of a fen too little", |w| {
        in_parts(w, &[(PRICE - 1, GENESIS_MS)])
    }),
    Row(Code::InstalmentsInvalid, "an instalment of nothing", |w| {
        in_parts(w, &[(PRICE, GENESIS_MS), (0, GENESIS_MS + 1)])
    }),
    Row(Code::InstalmentsInvalid, "two instalments due at once", |w| {
        in_parts(w, &[(PRICE / 2, GENESIS_MS), (PRICE / 2, GENESIS_MS)])
    }),
    Row(Code::InstalmentsInvalid, "instalments whose sum overflows to the price", |w| {
        in_parts(w, &[(u64::MAX, GENESIS_MS), (PRICE + 1, GENESIS_MS + 1)])
    }),
    Row(Code::InstalmentsInvalid, "an instalment of a free product", |w| {
        *w = World::accepted();
        w.by(INSIGHT, ProposeContract { price: 0, ..w.instalments() })
    }),
    Row(Code::LicenceOutsideTerms, "a licence that names a purpose twice", |w| {
        *w = World::accepted();
        let twice = [Purpose::Commercial, Purpose::Commercial];
        let proposal = w.licensed(|l| l.purposes = list(&twice));
        w.by(INSIGHT, proposal)
    }),
    Row(Code::LicenceOutsideTerms, "signed when the licence has ended", |w| {
        *w = World::accepted();
        let end = w.now_ms + DAY_MS / 2;
        let contract = w.record(INSIGHT, w.licensed(|l| l.not_after_ms = end)).contract();
        w.now_ms = end + 1;
        w.by(BUYER, sign_contract(contract, w.schedule_hash()))
    }),
    Row(Code::LicenceConflict, "an exclusive licence sold again at another exchange", |w| {
        let again = sold_exclusively(w);
        w.by(INSIGHT, again)
    }),
    Row(Code::LicenceConflict, "two exclusive proposals, both signed", |w| {
        *w = World::accepted();
        let both =
            [(); 2].map(|()| w.record(INSIGHT, w.licensed(|l| l.exclusive = true)).contract());
        for contract in both {
            w.record(BUYER, sign_contract(contract, w.schedule_hash()));
        }
        w.record(GZ, sign_contract(both[0], w.schedule_hash()));
        w.by(GZ, sign_contract(both[1], w.schedule_hash()))
    }),
    Row(Code::LicenceConflict, "an exclusive licence for a part of what was sold", |w| {
        *w = World::contracted();
        let part = w.licensed(|l| {
            l.exclusive = true;
            l.territories = list(&["CN-GD".parse().unwrap()]);
        });
        w.by(INSIGHT, part)
    }),
    Row(Code::ExclusiveConflict, "what an exclusive licence gives, granted exclusively", |w| {
        w.record(CHEST, raw("figures"));
        w.record(CHEST, product("report", &[input(w.asset("chest-hospital/figures"), 1, None)]));
        let report = w.asset("chest-hospital/report");
        let listing = w.record(CHEST, list_product(report, &[])).listing();
        w.record(GZ, review(listing, Decision::Accept));
        let schedule = w.state.listing(&listing).unwrap().unwrap().schedule;
        let mut sale = propose(listing, BUYER, schedule, PRICE);
        sale.licence.exclusive = true;
        let sale = w.record(CHEST, sale).contract();
        for party in [BUYER, GZ] {
            w.record(party, sign_contract(sale, schedule));
        }
        let terms = Terms { exclusivity: Exclusivity::Exclusive, ..terms() };
        w.by(CHEST, OfferGrant { terms, ..operation_grant(report, INSIGHT, 0) })
    }),
    Row(Code::PartySuspended, "signed for a seller who is suspended", |w| {
        *w = World::proposed();
        w.record(REGULATOR, suspend(INSIGHT));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::AccountClosed, "sold into a closed account", |w| {
        *w = World::completed();
        close_at_once(w);
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::AccountClosed, "signed after the account was closed", |w| {
        *w = World::completed();
        let contract = w.record(INSIGHT, w.proposal(PRICE)).contract();
        close_at_once(w);
        w.by(BUYER, sign_contract(contract, w.schedule_hash()))
    }),
    Row(Code::InForceFull, "one licence too many in force", |w| {
        *w = World::accepted();
        let schedule = w.schedule_hash();
        let contracts = [(); 2].map(|()| w.record(INSIGHT, w.proposal(0)).contract());
        for contract in contracts {
            w.record(BUYER, sign_contract(contract, schedule));
        }
        w.record(GZ, sign_contract(contracts[0], schedule));
        let key = Key::LicencesInForce(w.asset(REPORT));
        let one: Vec<InForce> = w.state.get(&key).unwrap().unwrap();
        w.put(&key, &vec![one[0].clone(); MAX_LICENCES]);
        w.by(GZ, sign_contract(contracts[1], schedule))
    }),
    Row(Code::UnknownContract, "nothing is declined", |w| {
        w.by(BUYER, decline(ContractId::from_digest(digest("contract"))))
    }),
    Row(Code::NotContractParty, "the seller declines", |w| {
        *w = World::proposed();
        w.by(INSIGHT, decline(w.contract()))
    }),
    Row(Code::ContractSigned, "declined after all have signed", |w| {
        *w = World::contracted();
        w.by(BUYER, decline(w.contract()))
    }),
    Row(Code::ContractClosed, "declined twice", |w| {
        *w = World::proposed();
        w.record(GZ, decline(w.contract()));
        w.by(BUYER, decline(w.contract()))
    }),
    Row(Code::ContractClosed, "signed after it was declined", |w| {
        *w = World::proposed();
        w.record(BUYER, decline(w.contract()));
        w.by(GZ, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ContractClosed, "signed after it was withdrawn", |w| {
        *w = World::proposed();
        w.record(INSIGHT, withdraw(w.contract()));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::NotSeller, "the buyer withdraws", |w| {
        *w = World::proposed();
        w.by(BUYER, withdraw(w.contract()))
    }),
    Row(Code::ContractSigned, "withdrawn after all have signed", |w| {
        *w = World::contracted();
        w.by(INSIGHT, withdraw(w.contract()))
    }),
    Row(Code::NotContractParty, "a stranger terminates", |w| {
        *w = World::contracted();
        w.by(CHEST, terminate(w.contract()))
    }),
    Row(Code::ContractNotSigned, "terminated before all have signed", |w| {
        *w = World::proposed();
        w.by(BUYER, terminate(w.contract()))
    }),
    Row(Code::TerminationNotAllowed, "the buyer says so twice", |w| {
        *w = World::contracted();
        w.record(BUYER, terminate(w.contract()));
        w.by(BUYER, terminate(w.contract()))
    }),
    Row(Code::TerminationNotAllowed, "the exchange terminates what has no due date", |w| {
        *w = World::contracted();
        w.pass(300 * DAY_MS);
        w.by(GZ, terminate(w.contract()))
    }),
    Row(
        Code::TerminationNotAllowed,
        "the exchange terminates in the millisecond of the due date",
        |w| {
            *w = World::accepted();
            let contract = w.record(INSIGHT, w.instalments()).contract();
            for party in [BUYER, GZ] {
                w.record(party, sign_contract(contract, w.schedule_hash()));
            }
            w.now_ms = GENESIS_MS + 10 * DAY_MS;
            w.by(GZ, terminate(contract))
        },
    ),
    Row(Code::ContractClosed, "terminated twice", |w| {
        *w = World::contracted();
        w.record(BUYER, terminate(w.contract()));
        w.record(INSIGHT, terminate(w.contract()));
        w.by(INSIGHT, terminate(w.contract()))
    }),
    Row(Code::ContractClosed, "delivered after it was terminated", |w| {
        *w = World::contracted();
        w.record(BUYER, terminate(w.contract()));
        w.record(INSIGHT, terminate(w.contract()));
        w.by(INSIGHT, deliver(w.contract()))
    }),
    Row(Code::NotBuyer, "a stranger confirms a delivery", |w| {
        *w = World::contracted();
        w.record(INSIGHT, deliver(w.contract()));
        w.by(CHEST, confirm(w.contract()))
    }),
    Row(Code::VoidAsset, "a product delivered after it was declared void", |w| {
        *w = World::contracted();
        w.void(REPORT);
        w.by(INSIGHT, deliver(w.contract()))
    }),
    Row(Code::ContractNotSigned, "confirmed before all have signed", |w| {
        *w = World::proposed();
        w.by(BUYER, confirm(w.contract()))
    }),
    Row(Code::DeliveryNotDeemed, "the exchange confirms what the buyer disputes", |w| {
        *w = World::contracted();
        w.record(INSIGHT, deliver(w.contract()));
        w.record(BUYER, dispute(Subject::Contract(w.contract())));
        w.pass(16 * DAY_MS);
        w.by(GZ, confirm(w.contract()))
    }),
    Row(Code::DeliveryNotDeemed, "the exchange confirms a millisecond too early", |w| {
        *w = World::contracted();
        let delivered = w.now_ms;
        w.record(INSIGHT, deliver(w.contract()));
        w.now_ms = delivered + 15 * DAY_MS - 1;
        w.by(GZ, confirm(w.contract()))
    }),
    Row(Code::NotClearingExchange, "the seller certifies its own trade", |w| {
        *w = World::completed();
        w.by(INSIGHT, certify(w.contract()))
    }),
    Row(Code::CertificateNotDue, "certified before all have signed", |w| {
        *w = World::proposed();
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::CertificateNotDue, "certified before all is paid", |w| {
        *w = World::contracted();
        w.pay(PRICE - 1, TAX, "B-1");
        w.record(INSIGHT, deliver(w.contract()));
        w.record(BUYER, confirm(w.contract()));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::CertificateNotDue, "certified after a fen was given back", |w| {
        *w = World::completed();
        w.record(GZ, refund(w.payment(), [1, 0, 0], "R-1"));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::AlreadyCertified, "given back what is certified as paid", |w| {
        *w = World::completed();
        w.record(GZ, certify(w.contract()));
        w.by(GZ, refund(w.payment(), [1, 0, 0], "R-1"))
    }),
    Row(Code::CertificateNotDue, "certified while a refund is ordered", |w| {
        *w = World::completed();
        let id = w.record(BUYER, dispute(Subject::Payment(w.payment()))).dispute();
        w.record(REGULATOR, rule(id, Ruling::Refund(RefundOrder { net: 1, fee: 0, tax: 0 })));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::SellerIsBuyer, "certified after the buyer became the seller", |w| {
        *w = World::completed();
        w.succeed(BUYER, INSIGHT);
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::SellerIsBuyer, "signed after the buyer became the exchange", |w| {
        *w = World::proposed();
        w.succeed(BUYER, GZ);
        w.by(GZ, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::ContractClosed, "deemed delivered after a ruling has ended the contract", |w| {
        *w = World::paid();
        w.record(INSIGHT, deliver(w.contract()));
        let id = w.record(BUYER, dispute(Subject::Contract(w.contract()))).dispute();
        w.record(REGULATOR, rule(id, Ruling::EndContract));
        w.pass(100 * DAY_MS);
        w.by(INSIGHT, confirm(w.contract()))
    }),
    Row(Code::CertificateNotDue, "certified before the delivery is confirmed", |w| {
        *w = World::paid();
        w.record(INSIGHT, deliver(w.contract()));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::ContractClosed, "certified after it was terminated", |w| {
        *w = World::completed();
        w.record(BUYER, terminate(w.contract()));
        w.record(INSIGHT, terminate(w.contract()));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::AlreadyCertified, "certified twice", |w| {
        *w = World::completed();
        w.record(GZ, certify(w.contract()));
        w.by(GZ, certify(w.contract()))
    }),
    Row(Code::UnknownCertificate, "no certificate is voided", |w| {
        w.by(GZ, void_certificate(CertificateId::from_digest(digest("certificate"))))
    }),
    Row(Code::NotClearingExchange, "the other exchange voids a certificate", |w| {
        *w = World::completed();
        let certificate = w.record(GZ, certify(w.contract())).certificate();
        w.by(BJ, void_certificate(certificate))
    }),
    Row(Code::CertificateVoid, "a certificate voided twice", |w| {
        *w = World::completed();
        let certificate = w.record(GZ, certify(w.contract())).certificate();
        w.record(REGULATOR, void_certificate(certificate));
        w.by(GZ, void_certificate(certificate))
    }),
    Row(Code::PurposesEmpty, "access for nothing", |w| asking(w, |a| a.purposes = list(&[]))),
    Row(Code::PurposeNotInherited, "access for what the product is not for", |w| {
        *w = World::reported();
        let report = ask_access(w.asset(REPORT));
        w.by(BUYER, RequestAccess { purposes: list(&[Purpose::ClinicalCare]), ..report })
    }),
    Row(Code::UnknownMember, "access inside a stranger's environment", |w| {
        asking(w, |a| a.environment = handle("unheard-of"))
    }),
    Row(Code::NotIndependent, "access inside an environment of one's own", |w| {
        asking(w, |a| a.environment = handle(BUYER))
    }),
    Row(Code::TermOutOfRange, "access that would have ended", |w| {
        asking(w, |a| a.not_after_ms = GENESIS_MS)
    }),
    Row(Code::TermOutOfRange, "access without an end to speak of", |w| {
        asking(w, |a| a.not_after_ms = u64::MAX)
    }),
    Row(Code::UnknownAccess, "a decision on nothing", |w| {
        w.by(CHEST, decide_access(AccessId::from_digest(digest("access")), Decision::Accept))
    }),
    Row(Code::NotRightManager, "the environment decides", |w| {
        let access = w.asked();
        w.by(COUNTY, decide_access(access, Decision::Accept))
    }),
    Row(Code::AccessClosed, "granted after it was ended", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.record(CHEST, decide_access(access, Decision::Reject));
        w.by(CHEST, decide_access(access, Decision::Accept))
    }),
    Row(Code::VoidAsset, "access to a void asset is granted", |w| {
        let access = w.asked();
        w.void(CHEST_RAW);
        w.by(CHEST, decide_access(access, Decision::Accept))
    }),
    Row(Code::NotEnvironment, "whoever works logs its own use", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.by(BUYER, usage(access, "job", None))
    }),
    Row(Code::AccessNotInForce, "a job before the decision", |w| {
        let access = w.asked();
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::AccessNotInForce, "a job after a refusal", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Reject));
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::AccessNotInForce, "a job after who granted the access has ended it", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.record(CHEST, decide_access(access, Decision::Reject));
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::AccessNotInForce, "a job for who is suspended", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.record(REGULATOR, suspend(BUYER));
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::VoidAsset, "a job with a void asset", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.void(CHEST_RAW);
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::AccessNotInForce, "a job a millisecond after the end", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.now_ms = GENESIS_MS + YEAR_MS + 1;
        w.by(COUNTY, usage(access, "job", None))
    }),
    Row(Code::JobRepeated, "a job logged twice", |w| {
        let access = w.asked();
        w.record(CHEST, decide_access(access, Decision::Accept));
        w.record(COUNTY, usage(access, "job", None));
        w.by(COUNTY, usage(access, "job", Some("other output")))
    }),
];

/// The free product: nothing to pay, and the trade is certified all the same.
#[test]
fn a_free_product_needs_no_payment() {
    let mut w = World::accepted();
    w.propose(0);
    w.sign_by_all();
    assert_eq!(w.refused(GZ, pay(w.contract(), 1, 0, "B-1")), Code::PaymentAbovePrice);
    w.record(INSIGHT, deliver(w.contract()));
    w.record(BUYER, confirm(w.contract()));
    w.record(GZ, certify(w.contract()));
    assert!(w.state.contract(&w.contract()).unwrap().unwrap().confirmed);
}
