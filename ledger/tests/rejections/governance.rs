//! Refusals of what validators decide.

use headwater_ledger::event::governance::{Change, Rulebook};
use headwater_ledger::event::member::{Role, Scope};
use headwater_ledger::event::{Event, ListProduct, TwoKeyAct};
use headwater_ledger::genesis::PROTOCOL_VERSION;
use headwater_ledger::hash::ChangeId;
use headwater_ledger::keys::PublicKey;
use headwater_ledger::limits::{
    MAX_ACTIVATION_AHEAD, MAX_ANCESTRY_EDGES, MAX_INPUTS, MAX_RULEBOOK_MS, MAX_SCHEDULED,
    MAX_TOTAL_POWER,
};
use headwater_ledger::reject::Code;

use crate::Row;
use crate::support::members::*;
use crate::support::story::*;
use crate::support::*;

/// A proposal of the Guangzhou exchange for ten heights later.
fn proposal(w: &mut World, what: Change) -> Vec<u8> {
    let height = w.height + 11;
    w.by(GZ, change(what, height))
}

/// A rulebook that is not one.
fn no_rulebook(w: &mut World, vary: impl FnOnce(&mut Rulebook)) -> Vec<u8> {
    proposal(w, rulebook(vary))
}

fn consensus(member: &str) -> String {
    format!("{member}/consensus")
}

/// A harmless change.
fn lower_fees() -> Change {
    rulebook(|r| r.fee_cap_bp = 1_000)
}

/// A harmless change proposed for so many heights after its block.
fn proposed(w: &mut World, ahead: u64) -> ChangeId {
    let height = w.height + 1 + ahead;
    w.record(GZ, change(lower_fees(), height)).change()
}

pub const ROWS: &[Row] = &[
    Row(Code::NotValidator, "a hospital proposes a rulebook", |w| {
        w.by(CHEST, change(lower_fees(), 10))
    }),
    Row(Code::NotValidator, "a regulator approves a change", |w| {
        let id = proposed(w, 10);
        w.by(REGULATOR, approve(id))
    }),
    Row(Code::NotValidator, "an exchange whose validator was removed proposes", |w| {
        w.decide(set_validator(BJ, &consensus(BJ), 0));
        w.by(BJ, change(lower_fees(), 10))
    }),
    Row(Code::ActivationOutOfRange, "a change in the very block that proposes it", |w| {
        let height = w.height + 1;
        w.by(GZ, change(lower_fees(), height))
    }),
    Row(Code::ActivationOutOfRange, "a change further ahead than there is to plan", |w| {
        let height = w.height + 2 + MAX_ACTIVATION_AHEAD;
        w.by(GZ, change(lower_fees(), height))
    }),
    Row(Code::UnknownChange, "the approval of what nobody proposed", |w| {
        w.by(BJ, approve(ChangeId::from_digest(digest("nothing"))))
    }),
    Row(Code::AlreadyApproved, "the proposer approves once more", |w| {
        let id = proposed(w, 10);
        w.by(GZ, approve(id))
    }),
    Row(Code::AlreadyApproved, "a successor approves twice", |w| {
        w.decide(confer(FUND, &[Role::Holder, Role::Exchange]));
        w.succeed(BJ, FUND);
        let id = w.record(FUND, change(lower_fees(), 90)).change();
        w.by(FUND, approve(id))
    }),
    Row(Code::ChangeClosed, "approved in the block that was to make it", |w| {
        let id = proposed(w, 1);
        w.by(BJ, approve(id))
    }),
    Row(Code::ChangeClosed, "approved when it is scheduled already", |w| {
        w.decide(set_validator(GZ, &consensus(GZ), 90));
        w.record(CHEST, raw("fna-2026"));
        let id = proposed(w, 10);
        w.by(BJ, approve(id))
    }),
    Row(Code::ChangeClosed, "approved when it is made already", |w| {
        let id = w.decide(lower_fees());
        w.record(CHEST, raw("fna-2026"));
        w.by(BJ, approve(id))
    }),
    Row(Code::ScheduleFull, "one change more than can be scheduled", |w| {
        w.decide(set_validator(GZ, &consensus(GZ), 90));
        w.record(CHEST, raw("fna-2026"));
        let ahead = w.height + 1_000;
        let proposals = (0..MAX_SCHEDULED).map(|_| change(lower_fees(), ahead).event());
        w.all(GZ, proposals.collect::<Vec<Event>>());
        w.by(GZ, change(lower_fees(), ahead))
    }),
    Row(Code::ChangeInvalid, "the last validator is removed", |w| {
        w.decide(set_validator(BJ, &consensus(BJ), 0));
        w.record(CHEST, raw("fna-2026"));
        proposal(w, set_validator(GZ, &consensus(GZ), 0))
    }),
    Row(Code::ChangeInvalid, "a validator is removed that is none", |w| {
        proposal(w, set_validator(GZ, "another key", 0))
    }),
    Row(Code::ChangeInvalid, "a validator is removed under the name of another member", |w| {
        proposal(w, set_validator(GZ, &consensus(BJ), 0))
    }),
    Row(Code::ChangeInvalid, "a validator changes hands", |w| {
        proposal(w, set_validator(GZ, &consensus(BJ), 10))
    }),
    Row(Code::ChangeInvalid, "a hospital gets a validator", |w| {
        proposal(w, set_validator(CHEST, &consensus(CHEST), 10))
    }),
    Row(Code::ChangeInvalid, "a stranger gets a validator", |w| {
        proposal(w, set_validator("unheard-of", "new", 10))
    }),
    Row(Code::ChangeInvalid, "a succeeded exchange gets a validator", |w| {
        w.succeed(BJ, GZ);
        proposal(w, set_validator(BJ, "new", 10))
    }),
    Row(Code::ChangeInvalid, "more power than there may be together", |w| {
        proposal(w, set_validator(GZ, "new", MAX_TOTAL_POWER - 19))
    }),
    Row(Code::ChangeInvalid, "a validator stays as it is", |w| {
        proposal(w, set_validator(BJ, &consensus(BJ), 10))
    }),
    Row(Code::ChangeInvalid, "a consensus key of small order", |w| {
        let Change::SetValidator(mut weak) = set_validator(GZ, "new", 1) else { unreachable!() };
        weak.key = PublicKey::Ed25519([0; 32]);
        proposal(w, Change::SetValidator(weak))
    }),
    Row(Code::ChangeInvalid, "a fee cap of more than everything", |w| {
        no_rulebook(w, |r| r.fee_cap_bp = 10_001)
    }),
    Row(Code::ChangeInvalid, "a rulebook that allows no inputs", |w| {
        no_rulebook(w, |r| r.max_inputs = 0)
    }),
    Row(Code::ChangeInvalid, "a rulebook with more inputs than the software has", |w| {
        no_rulebook(w, |r| r.max_inputs = MAX_INPUTS as u32 + 1)
    }),
    Row(Code::ChangeInvalid, "a rulebook that allows no lineage", |w| {
        no_rulebook(w, |r| r.max_ancestry_edges = 0)
    }),
    Row(Code::ChangeInvalid, "a rulebook with larger ancestries than the software walks", |w| {
        no_rulebook(w, |r| r.max_ancestry_edges = MAX_ANCESTRY_EDGES as u32 + 1)
    }),
    Row(Code::ChangeInvalid, "a rulebook that lets disputes wait for more than ten years", |w| {
        no_rulebook(w, |r| r.cooling_ms = MAX_RULEBOOK_MS + 1)
    }),
    Row(Code::ChangeInvalid, "a rulebook that lets payouts be contested for ever", |w| {
        no_rulebook(w, |r| r.contest_ms = u64::MAX)
    }),
    Row(Code::ChangeInvalid, "a rulebook that names an act twice", |w| {
        no_rulebook(w, |r| r.two_keys = list(&[TwoKeyAct::Money, TwoKeyAct::Money]))
    }),
    Row(Code::ChangeInvalid, "a protocol version that nobody has", |w| {
        proposal(w, Change::SetProtocol(PROTOCOL_VERSION + 1))
    }),
    Row(Code::ChangeInvalid, "the protocol version that is in force", |w| {
        proposal(w, Change::SetProtocol(PROTOCOL_VERSION))
    }),
    Row(Code::ChangeInvalid, "a stranger becomes a regulator", |w| {
        proposal(w, confer("unheard-of", &[Role::Regulator]))
    }),
    Row(Code::ChangeInvalid, "governance leaves a member without a role", |w| {
        proposal(w, confer(CHEST, &[]))
    }),
    Row(Code::ChangeInvalid, "governance names a role twice", |w| {
        proposal(w, confer(CHEST, &[Role::Holder, Role::Holder]))
    }),
    Row(Code::ChangeInvalid, "who runs a validator is an exchange no more", |w| {
        proposal(w, confer(BJ, &[Role::Operator]))
    }),
    Row(Code::ChangeInvalid, "who runs a predecessor's validator is an exchange no more", |w| {
        w.decide(confer(FUND, &[Role::Holder, Role::Exchange]));
        w.succeed(BJ, FUND);
        proposal(w, confer(FUND, &[Role::Holder]))
    }),
    Row(Code::ChangeInvalid, "roles for a member that was succeeded", |w| {
        w.succeed(COUNTY, CHEST);
        proposal(w, confer(COUNTY, &[Role::Regulator]))
    }),
    Row(Code::ChangeInvalid, "a key for a regulator that has its own", |w| {
        proposal(w, restore(REGULATOR, member_key("new", &Scope::ALL)))
    }),
    Row(Code::ChangeInvalid, "a third key for who needs two and has them", |w| {
        w.record(CHEST, add_key("second", &[Scope::Admin]));
        w.decide(rulebook(|r| r.two_keys = list(&[TwoKeyAct::Rulings])));
        proposal(w, restore(CHEST, member_key("new", &Scope::ALL)))
    }),
    Row(Code::ChangeInvalid, "a key in use is restored", |w| {
        w.record(CHEST, revoke_key(CHEST, CHEST));
        proposal(w, restore(CHEST, member_key(PIPELINE_KEY, &[Scope::Admin])))
    }),
    Row(Code::ChangeInvalid, "a key without a scope is restored", |w| {
        w.record(CHEST, revoke_key(CHEST, CHEST));
        proposal(w, restore(CHEST, member_key("new", &[])))
    }),
    Row(Code::ChangeInvalid, "a stranger's key is restored", |w| {
        proposal(w, restore("unheard-of", member_key("new", &[Scope::Admin])))
    }),
    Row(Code::ChangeInvalid, "approved when it is not possible any more", |w| {
        let height = w.height + 20;
        w.record(CHEST, revoke_key(CHEST, CHEST));
        let what = restore(CHEST, member_key("new", &[Scope::Admin]));
        let id = w.record(GZ, change(what, height)).change();
        w.record(COUNTY, add_key("new", &[Scope::Register]));
        w.by(BJ, approve(id))
    }),
    Row(Code::FeeTooHigh, "a basis point more than the rulebook's cap", |w| {
        *w = World::reported();
        w.decide(rulebook(|r| r.fee_cap_bp = 149));
        let asset = w.asset(REPORT);
        let exchange = handle(BJ);
        w.by(INSIGHT, ListProduct { exchange, ..list_product(asset, &[]) })
    }),
    Row(Code::OverLimit, "an input more than the rulebook allows", |w| {
        *w = World::sources();
        w.record(CHEST, raw("fna-2027"));
        w.decide(rulebook(|r| r.max_inputs = 1));
        let own = |w: &World, name: &str| input(w.asset(&format!("{CHEST}/{name}")), 1, None);
        let inputs = [own(w, "fna-2026"), own(w, "fna-2027")];
        w.by(CHEST, processed("merged", &inputs))
    }),
];
