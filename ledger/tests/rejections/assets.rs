//! Refusals of registrations and derivations, and of building on what is void.

use headwater_ledger::event::RegisterAsset;
use headwater_ledger::event::asset::{Derivation, Metadata, Purpose, Quality, Stage};
use headwater_ledger::event::dispute::Subject;
use headwater_ledger::event::market::Decision;
use headwater_ledger::limits::{CLAIM_TOLERANCE_MS, MAX_WEIGHT_SUM};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::story::*;
use crate::support::*;

/// A registration that differs from a good one in its metadata.
fn described(change: impl FnOnce(&mut Metadata)) -> RegisterAsset {
    let mut asset = raw("fna-2027");
    change(&mut asset.metadata);
    asset
}

fn scored(change: impl FnOnce(&mut Quality)) -> RegisterAsset {
    described(|m| change(&mut m.quality))
}

/// The chest hospital merges its own `fna-2026` with weights, under nobody's grant.
fn own_merge(w: &mut World, weights: &[u64]) -> RegisterAsset {
    let inputs: Vec<_> = weights
        .iter()
        .enumerate()
        .map(|(i, weight)| {
            let name = format!("part-{i}");
            w.record(CHEST, raw(&name));
            input(w.asset(&format!("{CHEST}/{name}")), *weight, None)
        })
        .collect();
    processed("merged", &inputs)
}

/// The chest hospital's next version of an asset.
fn revision(w: &World, name: &str, of: &str) -> RegisterAsset {
    RegisterAsset { revises: Some(w.asset(of)), ..raw(name) }
}

/// The lab derives with its grants, for these purposes.
fn lab_for(w: &World, purposes: &[Purpose]) -> RegisterAsset {
    doing(processed("fna-cleaned", &w.lab_inputs()), |a| a.purposes = list(purposes))
}

pub const ROWS: &[Row] = &[
    Row(Code::NameTaken, "the same name twice", |w| {
        w.record(CHEST, raw("fna-2026"));
        w.by(CHEST, raw("fna-2026"))
    }),
    Row(Code::NameTaken, "the same name twice in one envelope", |w| {
        let events = vec![raw("fna-2026").event(), raw("fna-2026").event()];
        let envelope = w.envelope(CHEST, events);
        signed(envelope, &[CHEST])
    }),
    Row(Code::SplitSum, "shares of 9 900", |w| {
        w.by(CHEST, RegisterAsset { split: split([4_000, 3_000, 2_900, 0]), ..raw("fna-2026") })
    }),
    Row(Code::SplitSum, "shares of 10 001", |w| {
        w.by(CHEST, RegisterAsset { split: split([4_000, 3_000, 3_001, 0]), ..raw("fna-2026") })
    }),
    Row(Code::UpstreamWithoutInputs, "a raw resource that passes on", |w| {
        w.by(CHEST, RegisterAsset { split: split([9_000, 0, 0, 1_000]), ..raw("fna-2026") })
    }),
    Row(Code::UpstreamWithoutInputs, "a processed dataset that passes on to nobody", |w| {
        w.by(CHEST, processed("merged", &[]))
    }),
    Row(Code::InputsWithoutUpstream, "a derivation that keeps everything", |w| {
        let merged = own_merge(w, &[1]);
        w.by(CHEST, RegisterAsset { split: split([0, 10_000, 0, 0]), ..merged })
    }),
    Row(Code::StageMismatch, "a raw resource with inputs", |w| {
        let merged = own_merge(w, &[1]);
        w.by(CHEST, RegisterAsset { stage: Stage::Raw, ..merged })
    }),
    Row(Code::StageMismatch, "a raw resource with an activity and no inputs", |w| {
        let derivation = Some(Derivation { inputs: list(&[]), activity: activity() });
        w.by(CHEST, RegisterAsset { derivation, ..raw("fna-2026") })
    }),
    Row(Code::StageMismatch, "a processed dataset from nowhere", |w| {
        w.by(CHEST, RegisterAsset { stage: Stage::Processed, ..raw("fna-2026") })
    }),
    Row(Code::StageMismatch, "a product from nowhere", |w| {
        w.by(CHEST, RegisterAsset { stage: Stage::Product, ..raw("fna-2026") })
    }),
    Row(Code::OutOfRange, "sensitivity 0", |w| w.by(CHEST, described(|m| m.sensitivity = 0))),
    Row(Code::OutOfRange, "sensitivity 6", |w| w.by(CHEST, described(|m| m.sensitivity = 6))),
    Row(Code::OutOfRange, "accuracy 101", |w| w.by(CHEST, scored(|q| q.accuracy = 101))),
    Row(Code::OutOfRange, "completeness 101", |w| w.by(CHEST, scored(|q| q.completeness = 101))),
    Row(Code::OutOfRange, "consistency 101", |w| w.by(CHEST, scored(|q| q.consistency = 101))),
    Row(Code::OutOfRange, "timeliness 101", |w| w.by(CHEST, scored(|q| q.timeliness = 101))),
    Row(Code::OutOfRange, "conformity 101", |w| w.by(CHEST, scored(|q| q.conformity = 101))),
    Row(Code::OutOfRange, "accessibility 101", |w| w.by(CHEST, scored(|q| q.accessibility = 101))),
    Row(Code::OutOfRange, "a period that ends before it begins", |w| {
        w.by(CHEST, described(|m| m.period_to_ms = m.period_from_ms - 1))
    }),
    Row(Code::OutOfRange, "work that ended before it began", |w| {
        let merged = own_merge(w, &[1]);
        w.by(CHEST, doing(merged, |a| a.claimed_to_ms = a.claimed_from_ms - 1))
    }),
    Row(Code::OutOfRange, "work that ends more than a day from now", |w| {
        let merged = own_merge(w, &[1]);
        let latest = w.now_ms + CLAIM_TOLERANCE_MS;
        w.by(CHEST, doing(merged, |a| (a.claimed_from_ms, a.claimed_to_ms) = (latest, latest + 1)))
    }),
    Row(Code::UnknownAsset, "an input that is not recorded", |w| {
        let inputs = [input(w.asset(CHEST_RAW), 1, None)];
        w.by(CHEST, processed("cleaned", &inputs))
    }),
    Row(Code::UnknownAsset, "a new version of nothing", |w| {
        let next = revision(w, "fna-2027", CHEST_RAW);
        w.by(CHEST, next)
    }),
    Row(Code::UnknownAsset, "a grant on nothing", |w| {
        w.by(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms()))
    }),
    Row(Code::UnknownAsset, "a transfer of nothing", |w| {
        w.by(CHEST, transfer(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 10_000)]))
    }),
    Row(Code::UnknownAsset, "the voiding of nothing", |w| w.by(CHEST, void(w.asset(CHEST_RAW)))),
    Row(Code::UnknownAsset, "a listing of nothing", |w| {
        w.by(INSIGHT, list_product(w.asset(REPORT), &[]))
    }),
    Row(Code::NotAuthor, "a new version of another member's asset", |w| {
        *w = World::sources();
        w.by(COUNTY, RegisterAsset { revises: Some(w.asset(CHEST_RAW)), ..raw("fna-2027") })
    }),
    Row(Code::OwnOutputInput, "an asset made of itself", |w| {
        let inputs = [input(w.asset("chest-hospital/merged"), 1, None)];
        w.by(CHEST, processed("merged", &inputs))
    }),
    Row(Code::RepeatedInput, "an input named twice", |w| {
        w.record(CHEST, raw("fna-2026"));
        let once = input(w.asset(CHEST_RAW), 1, None);
        w.by(CHEST, processed("merged", &[once.clone(), once]))
    }),
    Row(Code::WeightZero, "an input that weighs nothing", |w| {
        let merged = own_merge(w, &[1, 0]);
        w.by(CHEST, merged)
    }),
    Row(Code::WeightsOverLimit, "weights of 10^16 + 1", |w| {
        let merged = own_merge(w, &[MAX_WEIGHT_SUM, 1]);
        w.by(CHEST, merged)
    }),
    Row(Code::WeightsOverLimit, "weights whose sum wraps around", |w| {
        let merged = own_merge(w, &[u64::MAX, 2]);
        w.by(CHEST, merged)
    }),
    Row(Code::VoidInput, "an input that was declared void", |w| {
        *w = World::granted();
        w.void(CHEST_RAW);
        w.by(LAB, processed("fna-cleaned", &w.lab_inputs()))
    }),
    Row(Code::VoidInput, "one's own void input", |w| {
        *w = World::sources();
        w.void(CHEST_RAW);
        w.by(CHEST, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]))
    }),
    Row(Code::PurposesEmpty, "work for no purpose", |w| {
        *w = World::granted();
        w.by(LAB, lab_for(w, &[]))
    }),
    Row(Code::PurposesEmpty, "a purpose named twice", |w| {
        *w = World::granted();
        w.by(LAB, lab_for(w, &[Purpose::Commercial, Purpose::Commercial]))
    }),
    Row(Code::PurposeNotInherited, "clinical care from data cleaned for research", |w| {
        *w = World::cleaned();
        // The lab owns the processing right over its own dataset; its inputs' purposes bind still.
        let inputs = [input(w.asset(CLEANED), 1, None)];
        let further = processed("for-care", &inputs);
        w.by(LAB, doing(further, |a| a.purposes = list(&[Purpose::ClinicalCare])))
    }),
    Row(Code::NotAuthor, "a regulator voids without a ruling", |w| {
        *w = World::sources();
        w.by(REGULATOR, void(w.asset(CHEST_RAW)))
    }),
    Row(Code::AssetInUse, "an asset is taken back under which a grant was offered", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        w.record(CHEST, processing_grant(chest, LAB, terms()));
        w.by(CHEST, void(chest))
    }),
    Row(Code::AssetInUse, "an asset is taken back of which the author has derived", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        w.record(CHEST, processed("fna-cleaned", &[input(chest, 1, None)]));
        w.by(CHEST, void(chest))
    }),
    Row(Code::AssetInUse, "an asset is taken back of which another owns a right", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let offered = w.record(CHEST, transfer(chest, Right::Holding, &[(FUND, 10_000)]));
        w.record(FUND, accept_transfer(offered.transfer()));
        w.by(CHEST, void(chest))
    }),
    Row(Code::AssetInUse, "a disputed asset is taken back", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        w.record(COUNTY, dispute(Subject::Asset(chest)));
        w.by(CHEST, void(chest))
    }),
    Row(Code::NotConsentBased, "a new version that leaves consent behind", |w| {
        w.record(CHEST, RegisterAsset { consent_based: true, ..raw("fna-2026") });
        let next = revision(w, "fna-2027", CHEST_RAW);
        w.by(CHEST, next)
    }),
    Row(Code::AlreadyRevised, "a version in the place of a void one that was taken", |w| {
        w.record(CHEST, raw("fna-2026"));
        let bad = revision(w, "fna-2027", CHEST_RAW);
        w.record(CHEST, bad);
        w.record(CHEST, void(w.asset("chest-hospital/fna-2027")));
        let next = revision(w, "fna-2028", CHEST_RAW);
        w.record(CHEST, next);
        let other = revision(w, "fna-2029", CHEST_RAW);
        w.by(CHEST, other)
    }),
    Row(Code::AlreadyRevised, "two second versions", |w| {
        w.record(CHEST, raw("fna-2026"));
        let second = revision(w, "fna-2027", CHEST_RAW);
        w.record(CHEST, second);
        let other = revision(w, "fna-2028", CHEST_RAW);
        w.by(CHEST, other)
    }),
    Row(Code::VoidAsset, "voided twice", |w| {
        *w = World::sources();
        w.record(CHEST, void(w.asset(CHEST_RAW)));
        w.by(CHEST, void(w.asset(CHEST_RAW)))
    }),
    Row(Code::VoidAsset, "a new version of a void asset", |w| {
        *w = World::sources();
        w.void(CHEST_RAW);
        let next = revision(w, "fna-2027", CHEST_RAW);
        w.by(CHEST, next)
    }),
    Row(Code::VoidAsset, "a transfer of a void asset's right", |w| {
        *w = World::sources();
        w.void(CHEST_RAW);
        w.by(CHEST, transfer(w.asset(CHEST_RAW), Right::Holding, &[(FUND, 10_000)]))
    }),
    Row(Code::VoidAsset, "consent to a transfer after the voiding", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let offered = w.record(CHEST, transfer(chest, Right::Holding, &[(FUND, 10_000)]));
        w.void(CHEST_RAW);
        w.by(FUND, accept_transfer(offered.transfer()))
    }),
    Row(Code::VoidAsset, "a grant on a void asset", |w| {
        *w = World::sources();
        w.void(CHEST_RAW);
        w.by(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms()))
    }),
    Row(Code::VoidAsset, "an operation grant over a void input", |w| {
        *w = World::cleaned();
        w.void(CHEST_RAW);
        let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
        let offer = operation_grant(w.asset(CLEANED), INSIGHT, 1);
        w.by(LAB, headwater_ledger::event::OfferGrant { under, ..offer })
    }),
    Row(Code::VoidAsset, "a listing of a void product", |w| {
        *w = World::reported();
        w.void(REPORT);
        w.by(INSIGHT, list_product(w.asset(REPORT), &[w.grant("cleaned operation")]))
    }),
    Row(Code::VoidAsset, "a listing over a void input", |w| {
        *w = World::reported();
        w.void(CLEANED);
        w.by(INSIGHT, list_product(w.asset(REPORT), &[w.grant("cleaned operation")]))
    }),
    Row(Code::VoidAsset, "a review after the voiding", |w| {
        *w = World::listed();
        w.void(REPORT);
        w.by(GZ, review(w.listing(), Decision::Accept))
    }),
    Row(Code::VoidAsset, "a contract over a void product", |w| {
        *w = World::accepted();
        w.void(REPORT);
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::VoidAsset, "a signature after the voiding", |w| {
        *w = World::proposed();
        w.void(REPORT);
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
];
