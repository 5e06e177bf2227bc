//! Refusals about the register of rights.

use headwater_ledger::event::asset::ChangeKind;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::member::Role;
use headwater_ledger::event::{FileRegistration, RegisterAsset};
use headwater_ledger::hash::RegistrationId;
use headwater_ledger::limits::MAX_OBJECTIONS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::market::*;
use crate::support::story::*;
use crate::support::*;

/// The hospital files for its own dataset, otherwise than usual.
fn filing(w: &mut World, change: fn(&mut FileRegistration)) -> Vec<u8> {
    w.record(CHEST, raw("fna-2026"));
    let mut filing = file(w.asset(CHEST_RAW));
    change(&mut filing);
    w.by(CHEST, filing)
}

pub const ROWS: &[Row] = &[
    Row(Code::NotRightManager, "somebody else files for registration", |w| {
        w.record(CHEST, raw("fna-2026"));
        w.by(LAB, file(w.asset(CHEST_RAW)))
    }),
    Row(Code::NotAnExchange, "a register kept by a bureau", |w| {
        filing(w, |f| f.registry = handle(REGULATOR))
    }),
    Row(Code::PartySuspended, "a register kept by an exchange that is suspended", |w| {
        w.record(REGULATOR, suspend(GZ));
        filing(w, |_| ())
    }),
    Row(Code::PartySuspended, "a registration of who is suspended", |w| {
        let registration = w.filed();
        w.record(REGULATOR, suspend(CHEST));
        w.pass(10 * DAY_MS);
        w.by(GZ, decide(registration, Decision::Accept))
    }),
    Row(Code::NotIndependent, "an exchange registers its own data", |w| {
        w.record(GZ, raw("figures"));
        w.by(GZ, file(w.asset("gz-exchange/figures")))
    }),
    Row(Code::NotIndependent, "an exchange registers what it owns a part of", |w| {
        *w = World::sources();
        let parts = transfer(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 9_999), (GZ, 1)]);
        let parts = w.record(CHEST, parts).transfer();
        w.record(GZ, accept_transfer(parts));
        w.by(CHEST, file(w.asset(CHEST_RAW)))
    }),
    Row(Code::NotIndependent, "a registry that has come to own the asset decides", |w| {
        let registration = w.filed();
        let sold = transfer(w.asset(CHEST_RAW), Right::Holding, &[(GZ, 10_000)]);
        let sold = w.record(CHEST, sold).transfer();
        w.record(GZ, accept_transfer(sold));
        w.pass(10 * DAY_MS);
        w.by(GZ, decide(registration, Decision::Accept))
    }),
    Row(Code::NotIndependent, "a registry that has come to own the asset renews", |w| {
        let registration = w.registered();
        let sold = transfer(w.asset(CHEST_RAW), Right::Holding, &[(GZ, 10_000)]);
        let sold = w.record(CHEST, sold).transfer();
        w.record(GZ, accept_transfer(sold));
        w.by(GZ, renew(registration, YEAR_MS))
    }),
    Row(Code::Contested, "a copy is registered", |w| {
        *w = World::sources();
        let content = w.asset_record(CHEST_RAW).content;
        w.record(COUNTY, RegisterAsset { content, ..raw("copy") });
        let entry = file(w.asset("county-hospital/copy"));
        let entry = RegistrationId::from_digest(w.record(COUNTY, entry).first());
        w.pass(10 * DAY_MS);
        w.by(GZ, decide(entry, Decision::Accept))
    }),
    Row(Code::VoidAsset, "the registration of a void asset is renewed", |w| {
        let registration = w.registered();
        w.void(CHEST_RAW);
        w.by(GZ, renew(registration, YEAR_MS))
    }),
    Row(Code::TermOutOfRange, "a registration for no time", |w| filing(w, |f| f.term_ms = 0)),
    Row(Code::TermOutOfRange, "a registration a millisecond too long", |w| {
        filing(w, |f| f.term_ms = 1_096 * DAY_MS + 1)
    }),
    Row(Code::AlreadyRegistered, "filed twice", |w| {
        w.filed();
        w.by(CHEST, file(w.asset(CHEST_RAW)))
    }),
    Row(Code::AlreadyRegistered, "filed while registered", |w| {
        w.registered();
        w.by(CHEST, file(w.asset(CHEST_RAW)))
    }),
    Row(Code::UnknownRegistration, "an objection to nothing", |w| {
        w.by(COUNTY, object(RegistrationId::from_digest(digest("registration"))))
    }),
    Row(Code::NotConcerned, "the applicant objects", |w| {
        let registration = w.filed();
        w.by(CHEST, object(registration))
    }),
    Row(Code::AlreadyObjected, "objected twice", |w| {
        let registration = w.filed();
        w.record(COUNTY, object(registration));
        w.by(COUNTY, object(registration))
    }),
    Row(Code::NoticeOver, "objected a second too late", |w| {
        let registration = w.filed();
        w.pass(10 * DAY_MS);
        w.by(COUNTY, object(registration))
    }),
    Row(Code::NoticeOver, "objected after the registration", |w| {
        let registration = w.registered();
        w.by(COUNTY, object(registration))
    }),
    Row(Code::RegistrationClosed, "objected after the cancellation", |w| {
        let registration = w.filed();
        w.record(CHEST, cancel(registration));
        w.by(COUNTY, object(registration))
    }),
    Row(Code::OverLimit, "one objection too many", |w| {
        let registration = w.filed();
        for i in 0..MAX_OBJECTIONS {
            let name = format!("member-{i}");
            w.record(GZ, admit(&name, Role::Holder));
            w.record(&name, object(registration));
        }
        w.by(COUNTY, object(registration))
    }),
    Row(Code::NotRegistry, "the other exchange decides", |w| {
        let registration = w.filed();
        w.pass(10 * DAY_MS);
        w.by(BJ, decide(registration, Decision::Accept))
    }),
    Row(Code::NoticeNotOver, "decided within the notice", |w| {
        let registration = w.filed();
        w.by(GZ, decide(registration, Decision::Reject))
    }),
    Row(Code::RegistrationClosed, "decided twice", |w| {
        let registration = w.registered();
        w.by(GZ, decide(registration, Decision::Reject))
    }),
    Row(Code::RegistrationNotInForce, "amended before the decision", |w| {
        let registration = w.filed();
        let metadata = w.asset_record(CHEST_RAW).metadata;
        w.by(CHEST, change(registration, ChangeKind::Amendment, metadata))
    }),
    Row(Code::RegistrationClosed, "amended after the end", |w| {
        let registration = w.registered();
        let metadata = w.asset_record(CHEST_RAW).metadata;
        w.pass(YEAR_MS);
        w.by(CHEST, change(registration, ChangeKind::Amendment, metadata))
    }),
    Row(Code::NotRightManager, "the registry amends", |w| {
        let registration = w.registered();
        let metadata = w.asset_record(CHEST_RAW).metadata;
        w.by(GZ, change(registration, ChangeKind::Amendment, metadata))
    }),
    Row(Code::NotRegistry, "the holder corrects", |w| {
        let registration = w.registered();
        let metadata = w.asset_record(CHEST_RAW).metadata;
        w.by(CHEST, change(registration, ChangeKind::Correction, metadata))
    }),
    Row(Code::OutOfRange, "amended to a sensitivity of 6", |w| {
        let registration = w.registered();
        let mut metadata = w.asset_record(CHEST_RAW).metadata;
        metadata.sensitivity = 6;
        w.by(CHEST, change(registration, ChangeKind::Amendment, metadata))
    }),
    Row(Code::NotRegistry, "the holder renews", |w| {
        let registration = w.registered();
        w.by(CHEST, renew(registration, YEAR_MS))
    }),
    Row(Code::TermOutOfRange, "renewed beyond two terms from now", |w| {
        let registration = w.registered();
        w.record(GZ, renew(registration, 1_096 * DAY_MS));
        w.by(GZ, renew(registration, 1_096 * DAY_MS))
    }),
    Row(Code::RegistrationClosed, "renewed after the end", |w| {
        let registration = w.registered();
        w.pass(YEAR_MS);
        w.by(GZ, renew(registration, YEAR_MS))
    }),
    Row(Code::NotRightManager, "somebody else cancels", |w| {
        let registration = w.registered();
        w.by(BJ, cancel(registration))
    }),
    Row(Code::RegistrationClosed, "cancelled twice", |w| {
        let registration = w.registered();
        w.record(GZ, cancel(registration));
        w.by(CHEST, cancel(registration))
    }),
];
