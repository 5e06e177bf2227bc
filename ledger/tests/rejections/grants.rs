//! Refusals of grants, and of work outside of them.

use headwater_ledger::event::asset::{Activity, Purpose};
use headwater_ledger::event::rights::Terms;
use headwater_ledger::event::{OfferGrant, ProposeContract, RegisterAsset};
use headwater_ledger::hash::GrantId;
use headwater_ledger::limits::MAX_FLOORS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;

use crate::Row;
use crate::support::story::*;
use crate::support::*;

/// The chest hospital gives the lab a processing grant under these terms, and it accepts.
fn lab_with(w: &mut World, terms: Terms) -> GrantId {
    *w = World::sources();
    let offer = processing_grant(w.asset(CHEST_RAW), LAB, terms);
    w.give(CHEST, offer)
}

/// The lab derives from the chest hospital's examinations under a grant.
fn lab_uses(w: &World, grant: GrantId) -> RegisterAsset {
    processed("fna-cleaned", &[input(w.asset(CHEST_RAW), 1, grant)])
}

/// The lab works under a grant with these terms, a day after genesis, in its own way.
fn lab_works(w: &mut World, terms: Terms, change: fn(&mut Activity)) -> Vec<u8> {
    let grant = lab_with(w, terms);
    w.now_ms = GENESIS_MS + DAY_MS;
    let asset = doing(lab_uses(w, grant), change);
    w.by(LAB, asset)
}

/// Terms that end twelve hours after genesis, with a filing window.
fn short_terms(filing_window_ms: u64) -> Terms {
    Terms { not_after_ms: GENESIS_MS + DAY_MS / 2, filing_window_ms, ..terms() }
}

/// The chest hospital offers the lab a processing grant under these terms.
fn offered(w: &mut World, terms: Terms) -> Vec<u8> {
    *w = World::sources();
    w.by(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms))
}

/// The chest hospital offers the lab an operation grant under these terms.
fn offered_operation(w: &mut World, terms: Terms) -> Vec<u8> {
    *w = World::sources();
    w.by(CHEST, OfferGrant { terms, ..operation_grant(w.asset(CHEST_RAW), LAB, 0) })
}

/// The lab offers the company operation of the cleaned data, resting on both hospitals' grants.
fn sublicence(w: &mut World, change: fn(&mut Terms)) -> Vec<u8> {
    *w = World::cleaned();
    let mut offer = operation_grant(w.asset(CLEANED), INSIGHT, 1);
    offer.under = list(&[w.grant("chest operation"), w.grant("county operation")]);
    change(&mut offer.terms);
    w.by(LAB, offer)
}

/// The lab offers operation of the cleaned data, resting on these grants.
fn resting_on(w: &mut World, under: &[GrantId]) -> Vec<u8> {
    w.by(LAB, OfferGrant { under: list(under), ..operation_grant(w.asset(CLEANED), INSIGHT, 1) })
}

/// The company lists its report under these grants.
fn listing_under(w: &mut World, grants: &[GrantId]) -> Vec<u8> {
    w.by(INSIGHT, list_product(w.asset(REPORT), grants))
}

pub const ROWS: &[Row] = &[
    Row(Code::UnknownGrant, "acceptance of a grant that is not recorded", |w| {
        w.by(LAB, accept_grant(GrantId::from_digest(digest("grant"))))
    }),
    Row(Code::UnknownGrant, "refusal of a grant that is not recorded", |w| {
        w.by(LAB, decline_grant(GrantId::from_digest(digest("grant"))))
    }),
    Row(Code::UnknownGrant, "revocation of a grant that is not recorded", |w| {
        w.by(LAB, revoke_grant(GrantId::from_digest(digest("grant"))))
    }),
    Row(Code::UnknownGrant, "work under a grant that is not recorded", |w| {
        *w = World::sources();
        w.by(LAB, lab_uses(w, GrantId::from_digest(digest("grant"))))
    }),
    Row(Code::UnknownMember, "a grant to a stranger", |w| {
        *w = World::sources();
        w.by(CHEST, processing_grant(w.asset(CHEST_RAW), "unheard-of", terms()))
    }),
    Row(Code::TermsInvalid, "a grant for no purpose", |w| {
        offered(w, Terms { purposes: list(&[]), ..terms() })
    }),
    Row(Code::TermsInvalid, "a grant for one purpose twice", |w| {
        let twice = list(&[Purpose::Commercial, Purpose::Commercial]);
        offered(w, Terms { purposes: twice, ..terms() })
    }),
    Row(Code::TermsInvalid, "a grant for nowhere", |w| {
        offered(w, Terms { territories: list(&[]), ..terms() })
    }),
    Row(Code::TermsInvalid, "a grant for one territory twice", |w| {
        let cn: headwater_ledger::text::Code = "CN".parse().unwrap();
        offered(w, Terms { territories: list(&[cn.clone(), cn]), ..terms() })
    }),
    Row(Code::TermsInvalid, "a grant that ends before it begins", |w| {
        offered(w, Terms { not_after_ms: GENESIS_MS - 1, ..terms() })
    }),
    Row(Code::TermsInvalid, "a floor of more than everything", |w| {
        offered(w, Terms { floor_bp: 10_001, ..terms() })
    }),
    Row(Code::TermsInvalid, "a grant with a sub-licence depth of nine", |w| {
        offered(w, Terms { sublicence_depth: 9, ..terms() })
    }),
    Row(Code::TermsInvalid, "a processing grant that rests on others", |w| {
        *w = World::granted();
        let under = list(&[w.grant("chest operation")]);
        let offer = processing_grant(w.asset(CHEST_RAW), LAB, terms());
        w.by(CHEST, OfferGrant { under, ..offer })
    }),
    Row(Code::TermsInvalid, "an operation grant with a floor", |w| {
        offered_operation(w, Terms { floor_bp: 1, ..terms() })
    }),
    Row(Code::TermsInvalid, "an operation grant for so many derivations", |w| {
        offered_operation(w, Terms { max_derivations: Some(1), ..terms() })
    }),
    Row(Code::TermsInvalid, "an operation grant with a filing window", |w| {
        offered_operation(w, Terms { filing_window_ms: 1, ..terms() })
    }),
    Row(Code::NotGrantee, "acceptance by who was not offered it", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.by(INSIGHT, accept_grant(grant))
    }),
    Row(Code::NotGrantee, "the grantor accepts for the grantee", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.by(CHEST, accept_grant(grant))
    }),
    Row(Code::NotGrantee, "the grantor declines for the grantee", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.by(CHEST, decline_grant(grant))
    }),
    Row(Code::NotGrantor, "the grantee revokes", |w| {
        *w = World::granted();
        w.by(LAB, revoke_grant(w.grant("chest processing")))
    }),
    Row(Code::NotGrantor, "the former manager of the right revokes", |w| {
        *w = World::granted();
        let chest = w.asset(CHEST_RAW);
        let moved = w.record(CHEST, transfer(chest, Right::Processing, &[(FUND, 10_000)]));
        w.record(FUND, accept_transfer(moved.transfer()));
        w.by(CHEST, revoke_grant(w.grant("chest processing")))
    }),
    Row(Code::GrantClosed, "accepted twice", |w| {
        *w = World::granted();
        w.by(LAB, accept_grant(w.grant("chest processing")))
    }),
    Row(Code::GrantClosed, "declined after acceptance", |w| {
        *w = World::granted();
        w.by(LAB, decline_grant(w.grant("chest processing")))
    }),
    Row(Code::GrantClosed, "acceptance of a withdrawn offer", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.record(CHEST, revoke_grant(grant));
        w.by(LAB, accept_grant(grant))
    }),
    Row(Code::GrantClosed, "revoked twice", |w| {
        *w = World::granted();
        w.record(CHEST, revoke_grant(w.grant("chest processing")));
        w.by(CHEST, revoke_grant(w.grant("chest processing")))
    }),
    Row(Code::GrantClosed, "revocation of what was declined", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.record(LAB, decline_grant(grant));
        w.by(CHEST, revoke_grant(grant))
    }),
    Row(Code::GrantRequired, "work on another member's data without a grant", |w| {
        *w = World::sources();
        w.by(LAB, processed("fna-cleaned", &[input(w.asset(CHEST_RAW), 1, None)]))
    }),
    Row(Code::GrantRequired, "one input of two has no grant", |w| {
        *w = World::granted();
        let mut inputs = w.lab_inputs();
        inputs[1].grant = None;
        w.by(LAB, processed("fna-cleaned", &inputs))
    }),
    Row(Code::GrantRequired, "the author, after the processing right went to another", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let moved = w.record(CHEST, transfer(chest, Right::Processing, &[(FUND, 10_000)]));
        w.record(FUND, accept_transfer(moved.transfer()));
        w.by(CHEST, processed("cleaned", &[input(chest, 1, None)]))
    }),
    Row(Code::GrantWrongAsset, "the other hospital's grant", |w| {
        *w = World::granted();
        w.by(LAB, lab_uses(w, w.grant("county processing")))
    }),
    Row(Code::GrantWrongAsset, "a grant that does not cover later versions", |w| {
        let grant = lab_with(w, terms());
        let revises = Some(w.asset(CHEST_RAW));
        w.record(CHEST, RegisterAsset { revises, ..raw("fna-2027") });
        let next = w.asset("chest-hospital/fna-2027");
        w.by(LAB, processed("fna-cleaned", &[input(next, 1, grant)]))
    }),
    Row(Code::GrantWrongAsset, "a grant on a later version", |w| {
        *w = World::sources();
        let revises = Some(w.asset(CHEST_RAW));
        w.record(CHEST, RegisterAsset { revises, ..raw("fna-2027") });
        let future = Terms { future_versions: true, ..terms() };
        let next = w.asset("chest-hospital/fna-2027");
        let grant = w.give(CHEST, processing_grant(next, LAB, future));
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::TermsInvalid, "later versions granted by who is not their author", |w| {
        // The fund owns the right over this version alone; the next is the hospital's.
        *w = World::sources();
        let first = w.asset(CHEST_RAW);
        let moved = w.record(CHEST, transfer(first, Right::Processing, &[(FUND, 10_000)]));
        w.record(FUND, accept_transfer(moved.transfer()));
        let future = Terms { future_versions: true, ..terms() };
        w.by(FUND, processing_grant(first, LAB, future))
    }),
    Row(Code::TermsInvalid, "operation of later versions of what is derived", |w| {
        *w = World::cleaned();
        let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
        let mut offer = OfferGrant { under, ..operation_grant(w.asset(CLEANED), INSIGHT, 1) };
        offer.terms.future_versions = true;
        w.by(LAB, offer)
    }),
    Row(Code::GrantWrongRight, "work under an operation grant", |w| {
        *w = World::granted();
        w.by(LAB, lab_uses(w, w.grant("chest operation")))
    }),
    Row(Code::GrantWrongRight, "a listing under a processing grant", |w| {
        *w = World::reported();
        let grants = [w.grant("cleaned processing")];
        listing_under(w, &grants)
    }),
    Row(Code::GrantWrongGrantee, "another member's grant", |w| {
        *w = World::granted();
        let inputs = w.lab_inputs();
        w.by(INSIGHT, processed("fna-cleaned", &inputs))
    }),
    Row(Code::GrantWrongGrantee, "a listing under another member's grant", |w| {
        *w = World::reported();
        let grant = w.give(LAB, {
            let under = list(&[w.grant("chest operation"), w.grant("county operation")]);
            OfferGrant { under, ..operation_grant(w.asset(CLEANED), BUYER, 1) }
        });
        listing_under(w, &[grant])
    }),
    Row(Code::GrantNotAccepted, "work before the grant is accepted", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::GrantRevoked, "work after the revocation", |w| {
        let grant = lab_with(w, terms());
        w.record(CHEST, revoke_grant(grant));
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::GrantRevoked, "work under a grant that was declined", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms())).grant();
        w.record(LAB, decline_grant(grant));
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::GrantRevoked, "late filing after the revocation", |w| {
        let grant = lab_with(w, short_terms(DAY_MS));
        w.record(CHEST, revoke_grant(grant));
        w.now_ms = GENESIS_MS + DAY_MS;
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::GrantRevoked, "a listing after the revocation", |w| {
        *w = World::reported();
        w.record(LAB, revoke_grant(w.grant("cleaned operation")));
        let grants = [w.grant("cleaned operation")];
        listing_under(w, &grants)
    }),
    Row(Code::GrantRevoked, "a contract after the revocation", |w| {
        *w = World::accepted();
        w.record(LAB, revoke_grant(w.grant("cleaned operation")));
        w.by(INSIGHT, w.proposal(PRICE))
    }),
    Row(Code::GrantRevoked, "a signature after the revocation", |w| {
        *w = World::proposed();
        w.record(LAB, revoke_grant(w.grant("cleaned operation")));
        w.by(BUYER, sign_contract(w.contract(), w.schedule_hash()))
    }),
    Row(Code::GrantNotYetEffective, "work before the term", |w| {
        let later = Terms { not_before_ms: GENESIS_MS + DAY_MS + 1, ..terms() };
        lab_works(w, later, |a| a.claimed_to_ms = GENESIS_MS + 2 * DAY_MS)
    }),
    Row(Code::GrantNotYetEffective, "work that was begun before the term", |w| {
        let later = Terms { not_before_ms: GENESIS_MS + 1, ..terms() };
        lab_works(w, later, |_| {})
    }),
    Row(Code::GrantExpired, "work after the term", |w| lab_works(w, short_terms(0), |_| {})),
    Row(Code::GrantExpired, "late filing a millisecond after the window", |w| {
        lab_works(w, short_terms(DAY_MS / 2 - 1), |_| {})
    }),
    Row(Code::GrantExpired, "late filing of work that ended after the term", |w| {
        lab_works(w, short_terms(DAY_MS), |a| a.claimed_to_ms = GENESIS_MS + DAY_MS / 2 + 1)
    }),
    Row(Code::GrantExpired, "a listing after the term", |w| {
        *w = World::reported();
        w.now_ms = YEAR_END_MS + 1;
        let grants = [w.grant("cleaned operation")];
        listing_under(w, &grants)
    }),
    Row(Code::GrantExpired, "a contract after the term", |w| {
        *w = World::accepted();
        w.now_ms = YEAR_END_MS + 1;
        let proposal = w.proposal(PRICE);
        let sign_by_ms = w.now_ms;
        w.by(INSIGHT, ProposeContract { sign_by_ms, ..proposal })
    }),
    Row(Code::PurposeOutsideGrant, "work for a purpose not granted", |w| {
        lab_works(w, terms(), |a| {
            a.purposes = list(&[Purpose::HealthResearch, Purpose::ClinicalCare]);
        })
    }),
    Row(Code::TerritoryOutsideGrant, "work abroad", |w| {
        lab_works(w, terms(), |a| a.territory = "SG".parse().unwrap())
    }),
    Row(Code::GrantExhausted, "a second derivation under a grant for one", |w| {
        let grant = lab_with(w, Terms { max_derivations: Some(1), ..terms() });
        w.record(LAB, lab_uses(w, grant));
        w.by(LAB, processed("again", &[input(w.asset(CHEST_RAW), 1, grant)]))
    }),
    Row(Code::GrantExhausted, "a second derivation in the same envelope", |w| {
        let grant = lab_with(w, Terms { max_derivations: Some(1), ..terms() });
        let again = processed("again", &[input(w.asset(CHEST_RAW), 1, grant)]);
        let envelope = w.envelope(LAB, vec![lab_uses(w, grant).event(), again.event()]);
        signed(envelope, &[LAB])
    }),
    Row(Code::FloorNotMet, "a split that passes on too little", |w| {
        let grant = lab_with(w, Terms { floor_bp: 6_001, ..terms() });
        w.by(LAB, lab_uses(w, grant))
    }),
    Row(Code::FloorNotMet, "a weight that is too small", |w| {
        *w = World::granted();
        let mut inputs = w.lab_inputs();
        inputs[0].weight = 2_499;
        inputs[1].weight = 7_501;
        // Of 6 000 the chest hospital gets 1 499.4, its floor is 1 500.
        w.by(LAB, processed("fna-cleaned", &inputs))
    }),
    Row(Code::FloorNotMet, "a product two steps down that passes on too little", |w| {
        *w = World::cleaned();
        let thin = product("thin", &w.report_inputs());
        // 10 000 · 0.5289 · 0.6 · 0.5289: the county hospital's floor breaks below 5 289.
        w.by(INSIGHT, RegisterAsset { split: split([0, 0, 5_000, 5_000]), ..thin })
    }),
    Row(Code::FloorsFull, "one source with a floor more than can be tracked", |w| {
        let mut inputs = Vec::new();
        for i in 0..=MAX_FLOORS {
            let name = format!("part-{i}");
            w.record(CHEST, raw(&name));
            let part = w.asset(&format!("{CHEST}/{name}"));
            let floor = Terms { floor_bp: 1, ..terms() };
            let grant = w.give(CHEST, processing_grant(part, LAB, floor));
            inputs.push(input(part, 1, grant));
        }
        w.by(LAB, processed("merged", &inputs))
    }),
    Row(Code::OperationNotCovered, "a sub-licence that rests on nothing", |w| {
        *w = World::cleaned();
        resting_on(w, &[])
    }),
    Row(Code::OperationNotCovered, "a sub-licence that rests on one input of two", |w| {
        *w = World::cleaned();
        let under = [w.grant("chest operation")];
        resting_on(w, &under)
    }),
    Row(Code::OperationNotCovered, "a sub-licence under a grant that allows none", |w| {
        *w = World::cleaned();
        let alone = operation_grant(w.asset(CHEST_RAW), LAB, 0);
        let under = [w.give(CHEST, alone), w.grant("county operation")];
        resting_on(w, &under)
    }),
    Row(Code::OperationNotCovered, "a listing without an operation grant", |w| {
        *w = World::reported();
        listing_under(w, &[])
    }),
    Row(Code::OperationNotCovered, "a listing under the grants on the inputs' inputs", |w| {
        *w = World::reported();
        let chest = w.give(CHEST, operation_grant(w.asset(CHEST_RAW), INSIGHT, 2));
        let county = w.give(COUNTY, operation_grant(w.asset(COUNTY_RAW), INSIGHT, 2));
        listing_under(w, &[chest, county])
    }),
    Row(Code::SublicenceTooDeep, "a sub-licence as deep as the grants it rests on", |w| {
        sublicence(w, |terms| terms.sublicence_depth = 2)
    }),
    Row(Code::TermBeyondParent, "a sub-licence that outlives the grants it rests on", |w| {
        sublicence(w, |terms| terms.not_after_ms += 1)
    }),
    Row(Code::PurposeNotInherited, "a grant for a purpose that the asset has not", |w| {
        sublicence(w, |terms| terms.purposes = list(&[Purpose::ClinicalCare]))
    }),
    Row(Code::TerritoryNotInherited, "a grant where the asset may not be used", |w| {
        sublicence(w, |terms| {
            terms.territories = list(&["CN".parse().unwrap(), "SG".parse().unwrap()]);
        })
    }),
];
