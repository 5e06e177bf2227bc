//! Refusals to complete what a suspended member has begun.

use headwater_ledger::event::TakeOffer;
use headwater_ledger::reject::Code;

use crate::Row;
use crate::permits::{lab_offer, requested, standing};
use crate::support::rights::*;
use crate::support::story::*;
use crate::support::*;

pub const ROWS: &[Row] = &[
    Row(Code::PartySuspended, "a grant accepted after its grantor was suspended", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, lab_offer(w, terms())).grant();
        w.record(REGULATOR, suspend(CHEST));
        w.by(LAB, accept_grant(grant))
    }),
    Row(Code::PartySuspended, "a sub-licence of who is suspended", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        let offer = sub(grant, processing_grant(w.asset(CHEST_RAW), INSIGHT, terms()));
        let below = w.record(LAB, offer).grant();
        w.record(REGULATOR, suspend(LAB));
        w.by(INSIGHT, accept_grant(below))
    }),
    Row(Code::PartySuspended, "a standing offer of who is suspended", |w| {
        let offer = standing(w);
        w.record(REGULATOR, suspend(CHEST));
        w.by(LAB, TakeOffer { offer })
    }),
    Row(Code::PartySuspended, "a request of who is suspended", |w| {
        let request = requested(w);
        w.record(REGULATOR, suspend(LAB));
        w.by(CHEST, approve_requests(&[request]))
    }),
];
