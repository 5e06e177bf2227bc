//! Trade beside its money: instalments, deemed deliveries, certificates, reviews, registrations
//! that follow their asset, and what is flagged for people to look at.

use headwater_ledger::event::ListProduct;
use headwater_ledger::event::asset::ChangeKind;
use headwater_ledger::event::market::Decision;
use headwater_ledger::hash::{CertificateId, RegistrationId};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{
    ContractStatus, Records, RegistrationRecord, RegistrationStatus, TradeCertificateRecord,
};
use headwater_ledger::state::{Key, Relation, View};

use crate::support::market::*;
use crate::support::story::*;
use crate::support::*;

fn inbox(w: &World, member: &str) -> u64 {
    w.state.range(&Relation::MemberInbox(handle(member))).unwrap().count()
}

/// Holds [LED-MKT-12]: the exchange ends a contract while what is due exceeds what is paid.
#[test]
fn an_overdue_instalment_lets_the_exchange_terminate() {
    let mut w = World::accepted();
    let contract = w.record(INSIGHT, w.instalments()).contract();
    for party in [BUYER, GZ] {
        w.record(party, sign_contract(contract, w.schedule_hash()));
    }
    w.named.insert("contract", *contract.digest());
    for (day, paid, allowed) in [
        (9, 0, false),
        (11, 0, true),
        (11, PRICE / 2 - 1, true),
        (11, PRICE / 2, false),
        (21, PRICE / 2, true),
        (21, PRICE, false),
    ] {
        let mut w = w.clone();
        if paid > 0 {
            w.pay(paid, 0, "B-1");
        }
        w.now_ms = GENESIS_MS + day * DAY_MS;
        let code = w.tried(GZ, terminate(contract));
        assert_eq!(code, (!allowed).then_some(Code::TerminationNotAllowed), "day {day}, {paid}");
        let status = w.state.contract(&contract).unwrap().unwrap().status;
        let ended = if allowed { ContractStatus::Terminated } else { ContractStatus::Open };
        assert_eq!(status, ended);
    }
}

/// Holds [LED-MKT-6]: time confirms for the seller or the exchange; the buyer needs none.
#[test]
fn a_delivery_is_deemed_confirmed_once_time_is_over() {
    let mut delivered = World::contracted();
    let at = delivered.now_ms;
    delivered.record(INSIGHT, deliver(delivered.contract()));
    for party in [INSIGHT, GZ, BUYER] {
        for (after, over) in [(DAY_MS, false), (15 * DAY_MS, true)] {
            let mut w = delivered.clone();
            w.now_ms = at + after;
            let passes = over || party == BUYER;
            let code = w.tried(party, confirm(w.contract()));
            assert_eq!(code, (!passes).then_some(Code::DeliveryNotDeemed), "{party}");
            let contract = w.state.contract(&w.contract()).unwrap().unwrap();
            assert_eq!(contract.confirmed, passes);
            assert_eq!(contract.deemed, passes && party != BUYER);
            assert_eq!(contract.delivered_ms, at);
        }
    }
}

/// Holds [LED-CRT-1] and [LED-CRT-2]: numbers go up by one and are never used again.
#[test]
fn certificates_are_numbered_without_gaps() {
    let mut w = World::completed();
    let contract = w.contract();
    let certificate = |w: &World, id: CertificateId| -> TradeCertificateRecord {
        w.state.get(&Key::Certificate(id)).unwrap().unwrap()
    };
    for number in 1..4 {
        let id = w.record(GZ, certify(contract)).certificate();
        assert_eq!((certificate(&w, id).number, certificate(&w, id).void), (number, false));
        assert_eq!(w.state.get(&Key::CertifiedBy(contract)).unwrap(), Some(id));
        let by = if number == 2 { REGULATOR } else { GZ };
        w.record(by, void_certificate(id));
        assert!(certificate(&w, id).void);
        assert_eq!(w.state.get::<CertificateId>(&Key::CertifiedBy(contract)).unwrap(), None);
    }
    let list = Relation::ExchangeCertificates(handle(GZ));
    assert_eq!(w.state.range(&list).unwrap().count(), 3);
}

/// Holds [LED-MKT-8]: the newest review of the listing's exchange decides, and the newest of the
/// regulators, whose rejection stands until one of them lifts it. A rival's stops nothing.
#[test]
fn the_newest_review_of_each_who_decides_counts() {
    let mut w = World::accepted();
    let report = w.asset(REPORT);
    for (by, decision, sells) in [
        (BJ, Decision::Reject, true),
        (APPRAISER, Decision::Reject, true),
        (GZ, Decision::Reject, false),
        (BJ, Decision::Accept, false),
        (REGULATOR, Decision::Reject, false),
        (REGULATOR, Decision::Accept, false),
        (GZ, Decision::Accept, true),
        (GZ, Decision::Reject, false),
    ] {
        w.record(by, comply(report, decision));
        let code = w.clone().tried(INSIGHT, w.proposal(PRICE));
        assert_eq!(code, (!sells).then_some(Code::ComplianceRequired), "{by} {decision:?}");
    }
    assert_eq!(w.state.range(&Relation::AssetFindings(report)).unwrap().count(), 8);
}

/// Holds [LED-MKT-8]: where the rulebook wants a review, one that accepts is enough.
#[test]
fn a_review_opens_the_market_where_it_is_required() {
    let mut w = World::ruled(|r| r.require_compliance = true);
    w.record(CHEST, raw("figures"));
    w.record(CHEST, product("report", &[input(w.asset("chest-hospital/figures"), 1, None)]));
    let report = w.asset("chest-hospital/report");
    let listing = w.record(CHEST, list_product(report, &[])).listing();
    assert_eq!(w.refused(GZ, review(listing, Decision::Accept)), Code::ComplianceRequired);
    w.clone().record(GZ, review(listing, Decision::Reject));
    w.record(GZ, comply(report, Decision::Accept));
    w.record(GZ, review(listing, Decision::Accept));
}

/// Holds [LED-MKT-10]: signed contracts stand; a rejected listing leaves the place of another.
#[test]
fn the_end_of_a_listing_leaves_signed_contracts() {
    let mut w = World::contracted();
    w.record(INSIGHT, delist(w.listing()));
    w.pay(PRICE, TAX, "B-1");
    w.record(INSIGHT, deliver(w.contract()));
    w.record(BUYER, confirm(w.contract()));
    w.list_report();
    let place = Key::ListedAt(w.asset(REPORT), handle(GZ));
    assert_eq!(w.state.get(&place).unwrap(), Some(w.listing()));
}

/// Holds [LED-MKT-1]: a product is listed at as many exchanges as its seller likes, once at each.
#[test]
fn a_product_is_listed_once_at_each_exchange() {
    let mut w = World::accepted();
    let other = w.listed_at(BJ);
    let event = ListProduct {
        exchange: handle(BJ),
        ..list_product(w.asset(REPORT), &[w.grant("cleaned operation")])
    };
    assert_eq!(w.refused(INSIGHT, event), Code::AlreadyListed);
    w.record(INSIGHT, delist(other));
    w.record(INSIGHT, w.clone().proposal(PRICE));
}

fn register_of(w: &World, id: RegistrationId) -> RegistrationRecord {
    w.state.get(&Key::Registration(id)).unwrap().unwrap()
}

/// Holds [LED-REG-3]: the registration follows the holding right; objections stay on record.
#[test]
fn a_registration_follows_the_holding_right() {
    let mut w = World::default();
    let id = w.filed();
    w.record(LAB, object(id));
    w.pass(10 * DAY_MS);
    w.record(GZ, decide(id, Decision::Accept));
    let asset = w.asset(CHEST_RAW);
    let moved = w.record(CHEST, transfer(asset, Right::Holding, &[(FUND, 10_000)])).transfer();
    w.record(FUND, accept_transfer(moved));
    let mut metadata = w.asset_record(CHEST_RAW).metadata;
    metadata.sensitivity = 2;
    let amend = change(id, ChangeKind::Amendment, metadata.clone());
    assert_eq!(w.refused(CHEST, amend.clone()), Code::NotRightManager);
    w.record(FUND, amend);
    let record = register_of(&w, id);
    assert_eq!((record.metadata, record.changes), (metadata, 1));
    assert_ne!(w.asset_record(CHEST_RAW).metadata.sensitivity, 2, "the asset never changes");
    assert_eq!(record.objections, [handle(LAB)]);
    let end = record.not_after_ms;
    w.record(GZ, renew(id, YEAR_MS));
    assert_eq!(register_of(&w, id).not_after_ms, end + YEAR_MS);
    w.record(FUND, cancel(id));
    assert_eq!(register_of(&w, id).status, RegistrationStatus::Cancelled);
    assert_eq!(w.state.get::<RegistrationId>(&Key::RegisteredAs(asset)).unwrap(), None);
    // Filed, objected, decided, amended, renewed, cancelled.
    assert_eq!(w.state.range(&Relation::AssetRegistrations(asset)).unwrap().count(), 6);
}

/// What waits for a member is in its list.
#[test]
fn what_waits_for_a_member_is_in_its_inbox() {
    let mut w = World::listed();
    assert_eq!(inbox(&w, GZ), 1, "the listing");
    w.accept_listing();
    w.propose(PRICE);
    assert_eq!((inbox(&w, GZ), inbox(&w, BUYER)), (2, 1), "the contract");
    w.sign_by_all();
    w.record(INSIGHT, deliver(w.contract()));
    assert_eq!(inbox(&w, BUYER), 2, "the delivery");
    let seller = inbox(&w, INSIGHT);
    w.record(BUYER, terminate(w.contract()));
    assert_eq!(inbox(&w, INSIGHT), seller + 1, "the wish to terminate");
    let mut w = World::default();
    let registration = w.filed();
    assert_eq!(inbox(&w, GZ), 1, "the registration");
    w.record(LAB, object(registration));
    assert_eq!((inbox(&w, GZ), inbox(&w, CHEST)), (2, 1), "the objection");
    let mut w = World::default();
    w.asked();
    assert_eq!(inbox(&w, CHEST), 1, "the access");
}

/// Holds [LED-ACC-3]: the log counts jobs and rows, and knows what came out first.
#[test]
fn the_log_of_an_environment_adds_up() {
    use headwater_ledger::state::record::AccessRecord;
    let mut w = World::default();
    let access = w.asked();
    w.record(CHEST, decide_access(access, Decision::Accept));
    for (job, output) in [("one", None), ("two", Some("result")), ("three", Some("result"))] {
        w.record(COUNTY, usage(access, job, output));
    }
    let record: AccessRecord = w.state.get(&Key::Access(access)).unwrap().unwrap();
    assert_eq!((record.jobs, record.rows), (3, 30));
    assert_eq!(w.state.get(&Key::UsageOutput(digest("result"))).unwrap(), Some(access));
    let log = Relation::AssetUsage(w.asset(CHEST_RAW));
    assert_eq!(w.state.range(&log).unwrap().count(), 5);
}

/// Holds [LED-MKT-1], [LED-MKT-8] and [LED-MEM-9]: whoever belongs to a party judges none of its
/// data, and its trade is marked.
#[test]
fn related_members_do_not_judge_each_other() {
    use headwater_ledger::event::Event;
    use headwater_ledger::event::member::RelateMembers;
    let mut w = World::listed();
    let relate = |w: &mut World, a: &str, b: &str| {
        let related = RelateMembers { a: handle(a), b: handle(b), related: true };
        w.all(REGULATOR, vec![Event::RelateMembers(related)]);
    };
    let mut other = w.clone();
    relate(&mut w, GZ, INSIGHT);
    let verdict = review(w.listing(), Decision::Accept);
    assert_eq!(w.refused(GZ, verdict), Code::NotIndependent);
    let compliant = comply(w.asset(REPORT), Decision::Accept);
    assert_eq!(w.refused(GZ, compliant), Code::NotIndependent);
    relate(&mut other, BUYER, INSIGHT);
    other.accept_listing();
    other.propose(PRICE);
    assert!(other.state.contract(&other.contract()).unwrap().unwrap().related_parties);
}
