//! Refusals of transfers of rights.

use headwater_ledger::event::TransferRight;
use headwater_ledger::hash::TransferId;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::story::*;
use crate::support::*;

/// The chest hospital's transfer of its holding right to these owners.
fn holding(w: &World, owners: &[(&str, u16)]) -> TransferRight {
    transfer(w.asset(CHEST_RAW), Right::Holding, owners)
}

/// Proposes a transfer to the patients' fund, who has not answered.
fn proposed(w: &mut World) -> TransferId {
    *w = World::sources();
    w.record(CHEST, holding(w, &[(CHEST, 9_000), (FUND, 1_000)])).transfer()
}

pub const ROWS: &[Row] = &[
    Row(Code::PartySuspended, "a transfer accepted after its proposer was suspended", |w| {
        let transfer = proposed(w);
        w.record(REGULATOR, suspend(CHEST));
        w.by(FUND, accept_transfer(transfer))
    }),
    Row(Code::NotRightManager, "a transfer of another member's right", |w| {
        *w = World::sources();
        w.by(COUNTY, holding(w, &[(COUNTY, 10_000)]))
    }),
    Row(Code::NotRightManager, "the author, after handing over the management", |w| {
        *w = World::sources();
        let handed = w.record(CHEST, holding(w, &[(FUND, 1), (CHEST, 9_999)])).transfer();
        w.record(FUND, accept_transfer(handed));
        w.by(CHEST, holding(w, &[(CHEST, 10_000)]))
    }),
    Row(Code::NotRightManager, "a new owner who does not manage", |w| {
        *w = World::sources();
        w.share_with_patients();
        w.by(FUND, holding(w, &[(FUND, 10_000)]))
    }),
    Row(Code::NotRightManager, "a processing grant by who manages another right", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let moved = w.record(CHEST, transfer(chest, Right::Processing, &[(FUND, 10_000)]));
        w.record(FUND, accept_transfer(moved.transfer()));
        w.by(CHEST, processing_grant(chest, LAB, terms()))
    }),
    Row(Code::NotRightManager, "an operation grant by a stranger", |w| {
        *w = World::sources();
        w.by(LAB, operation_grant(w.asset(CHEST_RAW), INSIGHT, 1))
    }),
    Row(Code::NotRightManager, "a listing without the operation right over the product", |w| {
        *w = World::reported();
        w.by(LAB, list_product(w.asset(REPORT), &[w.grant("cleaned operation")]))
    }),
    Row(
        Code::NotRightManager,
        "a contract by a seller whose operation right went to another",
        |w| {
            *w = World::accepted();
            let report = w.asset(REPORT);
            let moved = w.record(INSIGHT, transfer(report, Right::Operation, &[(FUND, 10_000)]));
            w.record(FUND, accept_transfer(moved.transfer()));
            w.by(INSIGHT, w.proposal(PRICE))
        },
    ),
    Row(Code::PartsSum, "parts of 9 999", |w| {
        *w = World::sources();
        w.by(CHEST, holding(w, &[(CHEST, 9_000), (FUND, 999)]))
    }),
    Row(Code::PartsSum, "parts of 10 001", |w| {
        *w = World::sources();
        w.by(CHEST, holding(w, &[(CHEST, 9_000), (FUND, 1_001)]))
    }),
    Row(Code::PartsSum, "an owner without a part", |w| {
        *w = World::sources();
        w.by(CHEST, holding(w, &[(CHEST, 10_000), (FUND, 0)]))
    }),
    Row(Code::PartsSum, "no owners", |w| {
        *w = World::sources();
        let transfer = holding(w, &[(CHEST, 10_000)]);
        w.by(CHEST, TransferRight { owners: list(&[]), ..transfer })
    }),
    Row(Code::RepeatedOwner, "an owner named twice", |w| {
        *w = World::sources();
        w.by(CHEST, holding(w, &[(CHEST, 5_000), (FUND, 2_500), (FUND, 2_500)]))
    }),
    Row(Code::ManagerNotOwner, "a manager who owns nothing", |w| {
        *w = World::sources();
        let transfer = holding(w, &[(FUND, 10_000)]);
        w.by(CHEST, TransferRight { manager: handle(CHEST), ..transfer })
    }),
    Row(Code::UnknownMember, "a transfer to a stranger", |w| {
        *w = World::sources();
        w.by(CHEST, holding(w, &[(CHEST, 9_000), ("unheard-of", 1_000)]))
    }),
    Row(Code::UnknownTransfer, "consent to a transfer that is not recorded", |w| {
        w.by(FUND, accept_transfer(TransferId::from_digest(digest("transfer"))))
    }),
    Row(Code::ConsentNotAsked, "consent of who is not among the owners", |w| {
        let transfer = proposed(w);
        w.by(COUNTY, accept_transfer(transfer))
    }),
    Row(Code::ConsentNotAsked, "consent of the proposer", |w| {
        let transfer = proposed(w);
        w.by(CHEST, accept_transfer(transfer))
    }),
    Row(Code::ConsentNotAsked, "consent given twice while another is outstanding", |w| {
        *w = World::sources();
        let owners = [(CHEST, 8_000), (FUND, 1_000), (COUNTY, 1_000)];
        let transfer = w.record(CHEST, holding(w, &owners)).transfer();
        w.record(FUND, accept_transfer(transfer));
        w.by(FUND, accept_transfer(transfer))
    }),
    Row(Code::TransferClosed, "consent after the transfer took effect", |w| {
        let transfer = proposed(w);
        w.record(FUND, accept_transfer(transfer));
        w.by(FUND, accept_transfer(transfer))
    }),
    Row(Code::TransferClosed, "consent after another transfer took effect", |w| {
        let first = proposed(w);
        let second = w.record(CHEST, holding(w, &[(COUNTY, 10_000)])).transfer();
        w.record(COUNTY, accept_transfer(second));
        w.by(FUND, accept_transfer(first))
    }),
];
