//! Refusals because of contests, withdrawn consent and conditions upstream.

use headwater_ledger::event::RegisterAsset;
use headwater_ledger::event::asset::{Content, Deidentification};
use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::rights::{Revocation, Terms};
use headwater_ledger::limits::MAX_WATCHES;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::story::*;
use crate::support::*;

/// The county hospital registers the content of the chest hospital's examinations.
fn copied(w: &mut World) {
    w.record(CHEST, raw("fna-2026"));
    let content = w.asset_record(CHEST_RAW).content;
    w.record(COUNTY, RegisterAsset { content, ..raw("fna-2026") });
}

/// The chest hospital's consent-based resource, which the lab has cleaned and given on.
fn cleaned(w: &mut World) {
    w.record(CHEST, consented("fna-2026"));
    w.record(COUNTY, raw("fna-2026"));
    w.grant_lab();
    w.clean();
}

pub const ROWS: &[Row] = &[
    Row(Code::StageMismatch, "a processed dataset that rests on consent itself", |w| {
        *w = World::granted();
        let inputs = w.lab_inputs();
        w.by(LAB, RegisterAsset { consent_based: true, ..processed("cleaned", &inputs) })
    }),
    Row(Code::Contested, "work with a copy of another member's content", |w| {
        copied(w);
        let inputs = [input(w.asset(COUNTY_RAW), 1, None)];
        w.by(COUNTY, processed("cleaned", &inputs))
    }),
    Row(Code::ContentRegistered, "a member's own content under another name", |w| {
        w.record(CHEST, raw("fna-2026"));
        let content = w.asset_record(CHEST_RAW).content;
        w.by(CHEST, RegisterAsset { content, ..raw("again") })
    }),
    Row(Code::Contested, "work with a copy whose contest is only disputed", |w| {
        copied(w);
        let asset = Subject::Asset(w.asset(COUNTY_RAW));
        w.record(COUNTY, dispute(asset));
        let inputs = [input(w.asset(COUNTY_RAW), 1, None)];
        w.by(COUNTY, processed("cleaned", &inputs))
    }),
    Row(Code::Contested, "a copy of a copy that a ruling cleared", |w| {
        copied(w);
        let id = w.record(COUNTY, dispute(Subject::Asset(w.asset(COUNTY_RAW)))).dispute();
        w.record(REGULATOR, rule(id, Ruling::Dismiss));
        let content: Content = w.asset_record(COUNTY_RAW).content;
        w.record(FUND, RegisterAsset { content, ..raw("fna-2026") });
        let inputs = [input(w.asset("patients-fund/fna-2026"), 1, None)];
        w.by(FUND, processed("cleaned", &inputs))
    }),
    Row(Code::NotConsentBased, "consent withdrawn from what needs none", |w| {
        *w = World::sources();
        w.by(CHEST, withdraw_consent(w.asset(CHEST_RAW)))
    }),
    Row(Code::NotConcerned, "consent withdrawn by another hospital", |w| {
        w.record(CHEST, consented("fna-2026"));
        w.by(COUNTY, withdraw_consent(w.asset(CHEST_RAW)))
    }),
    Row(Code::OutOfRange, "the consent of no patient withdrawn", |w| {
        w.record(CHEST, consented("fna-2026"));
        let asset = w.asset(CHEST_RAW);
        w.by(
            CHEST,
            headwater_ledger::event::WithdrawConsent { patients: 0, ..withdraw_consent(asset) },
        )
    }),
    Row(Code::AlreadyWithdrawn, "consent withdrawn twice from one version", |w| {
        w.record(CHEST, consented("fna-2026"));
        w.record(CHEST, withdraw_consent(w.asset(CHEST_RAW)));
        w.by(CHEST, withdraw_consent(w.asset(CHEST_RAW)))
    }),
    Row(Code::UnknownAsset, "consent withdrawn from nothing", |w| {
        w.by(CHEST, withdraw_consent(w.asset(CHEST_RAW)))
    }),
    Row(Code::ConsentWithdrawn, "work with a version right after consent is withdrawn", |w| {
        w.record(CHEST, consented("fna-2026"));
        w.record(CHEST, withdraw_consent(w.asset(CHEST_RAW)));
        let inputs = [input(w.asset(CHEST_RAW), 1, None)];
        w.by(CHEST, processed("cleaned", &inputs))
    }),
    Row(Code::ConsentWithdrawn, "work two steps down when nothing replaces the version", |w| {
        cleaned(w);
        w.record(CHEST, withdraw_consent(w.asset(CHEST_RAW)));
        w.pass(30 * DAY_MS);
        let inputs = w.report_inputs();
        w.by(INSIGHT, product("breast-cancer-report", &inputs))
    }),
    Row(Code::SuspendedUpstream, "work two steps below a revocation that suspends", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let terms = Terms { revocation: Revocation::SuspendDownstream, ..terms() };
        let grant = w.give(CHEST, processing_grant(chest, LAB, terms));
        w.record(LAB, processed("cleaned", &[input(chest, 1, grant)]));
        w.record(LAB, processed("again", &[input(w.asset("clean-lab/cleaned"), 1, None)]));
        w.record(CHEST, revoke_grant(grant));
        w.by(LAB, processed("once-more", &[input(w.asset("clean-lab/again"), 1, None)]))
    }),
    Row(Code::WatchesFull, "one condition more than an asset can watch", |w| {
        let parts: Vec<_> = (0..=MAX_WATCHES).map(|i| consented(&format!("part-{i}"))).collect();
        let names: Vec<String> = parts.iter().map(|p| format!("{CHEST}/{}", p.name)).collect();
        w.all(CHEST, parts.into_iter().map(Act::event).collect());
        let inputs: Vec<_> = names.iter().map(|n| input(w.asset(n), 1, None)).collect();
        w.by(CHEST, processed("merged", &inputs))
    }),
    Row(Code::RoleRequired, "an attestation by a laboratory", |w| {
        *w = World::sources();
        w.by(LAB, attest(w.asset(CHEST_RAW)))
    }),
    Row(Code::UnknownAsset, "an attestation of nothing", |w| {
        w.by(APPRAISER, attest(w.asset(CHEST_RAW)))
    }),
    Row(Code::VoidAsset, "an attestation of a void asset", |w| {
        *w = World::sources();
        w.void(CHEST_RAW);
        w.by(APPRAISER, attest(w.asset(CHEST_RAW)))
    }),
    Row(Code::NotAnonymised, "an attestation of what its author calls pseudonymised", |w| {
        *w = World::sources();
        w.by(APPRAISER, attest(w.asset(CHEST_RAW)))
    }),
    Row(Code::NotIndependent, "an appraiser attests its own work", |w| {
        w.record(APPRAISER, raw("models"));
        w.by(APPRAISER, attest(w.asset("fair-value/models")))
    }),
    Row(Code::NotIndependent, "an appraiser attests what it owns a part of", |w| {
        w.record(CHEST, raw("fna-2026"));
        let parts = [(CHEST, 9_999), (APPRAISER, 1)];
        let parts = transfer(w.asset(CHEST_RAW), Right::Processing, &parts);
        let parts = w.record(CHEST, parts).transfer();
        w.record(APPRAISER, accept_transfer(parts));
        w.by(APPRAISER, attest(w.asset(CHEST_RAW)))
    }),
    Row(Code::ConsentWithdrawn, "a version older than the withdrawal replaces nothing", |w| {
        cleaned(w);
        let next = RegisterAsset { revises: Some(w.asset(CHEST_RAW)), ..consented("fna-2027") };
        w.record(CHEST, next);
        w.record(CHEST, withdraw_consent(w.asset(CHEST_RAW)));
        w.pass(30 * DAY_MS);
        let inputs = w.report_inputs();
        w.by(INSIGHT, product("breast-cancer-report", &inputs))
    }),
    Row(Code::AlreadyAttested, "a second attestation", |w| {
        let mut counts = raw("counts");
        counts.metadata.deidentification = Deidentification::Aggregated;
        w.record(CHEST, counts);
        w.record(APPRAISER, attest(w.asset("chest-hospital/counts")));
        w.by(REGULATOR, attest(w.asset("chest-hospital/counts")))
    }),
];
