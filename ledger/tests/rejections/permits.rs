//! Refusals of acts of several owners, of requests and standing offers, of what excludes each
//! other, and of what becomes of grants.

use headwater_ledger::event::OfferGrant;
use headwater_ledger::event::OfferStanding;
use headwater_ledger::event::rights::{Exclusivity, FloorKind, GrantRight, Revocation, Terms};
use headwater_ledger::event::{
    ConsentFiling, RenewGrant, SurrenderGrant, TakeOffer, WithdrawOffer,
};
use headwater_ledger::hash::{Digest, GrantId, OfferId, RequestId};
use headwater_ledger::limits::{APPROVAL_MS, MAX_IN_FORCE, MAX_SUNSET_MS, MAX_WATCHES};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{InForce, Watch};
use headwater_ledger::state::{Key, View};

use crate::Row;
use crate::support::rights::*;
use crate::support::story::*;
use crate::support::*;

/// The chest hospital offers the lab its processing under these terms.
pub(super) fn lab_offer(w: &World, terms: Terms) -> OfferGrant {
    processing_grant(w.asset(CHEST_RAW), LAB, terms)
}

/// The lab holds a grant with these terms, and sub-licenses it to the company with those.
fn sublicensed(w: &mut World, above: Terms, below: Terms) -> Vec<u8> {
    let (world, grant) = World::lab_has(above);
    *w = world;
    let offer = processing_grant(w.asset(CHEST_RAW), INSIGHT, below);
    w.by(LAB, sub(grant, offer))
}

/// The lab has asked the chest hospital for a processing grant.
pub(super) fn requested(w: &mut World) -> RequestId {
    *w = World::sources();
    w.record(LAB, request_grant(w.asset(CHEST_RAW), GrantRight::Processing, terms())).request()
}

/// The chest hospital stands by an offer to everyone.
pub(super) fn standing(w: &mut World) -> OfferId {
    *w = World::sources();
    w.record(CHEST, offer_standing(w.asset(CHEST_RAW), terms())).offer()
}

/// The lab has an exclusive or other grant; the company is offered one as well.
fn offered_too(w: &mut World, first: Terms, second: Terms) -> Vec<u8> {
    *w = World::lab_has(first).0;
    w.by(CHEST, processing_grant(w.asset(CHEST_RAW), INSIGHT, second))
}

fn nothing() -> Digest {
    digest("nothing")
}

pub const ROWS: &[Row] = &[
    Row(Code::GrantClosed, "an offer whose term is over", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, lab_offer(w, terms())).grant();
        w.now_ms = terms().not_after_ms + 1;
        w.by(LAB, accept_grant(grant))
    }),
    Row(Code::RequestClosed, "a request whose term is over", |w| {
        let request = requested(w);
        w.now_ms = terms().not_after_ms + 1;
        w.by(CHEST, approve_requests(&[request]))
    }),
    Row(Code::RequestClosed, "a request that was taken back", |w| {
        let request = requested(w);
        w.record(LAB, decline_requests(&[request]));
        w.by(CHEST, approve_requests(&[request]))
    }),
    Row(Code::TermsInvalid, "a grant to oneself", |w| {
        *w = World::sources();
        w.by(CHEST, processing_grant(w.asset(CHEST_RAW), CHEST, terms()))
    }),
    Row(Code::TermsInvalid, "one's own standing offer, taken", |w| {
        let offer = standing(w);
        w.by(CHEST, TakeOffer { offer })
    }),
    Row(Code::TermsInvalid, "a grant that allows no derivation", |w| {
        *w = World::sources();
        w.by(CHEST, lab_offer(w, Terms { max_derivations: Some(0), ..terms() }))
    }),
    Row(Code::FloorConsentMissing, "a floor renewed without the other owner", |w| {
        let (world, asset) = World::processing_paid();
        *w = world;
        let floor = Terms { floor_bp: 100, ..terms() };
        let offer = processing_grant(asset, LAB, floor);
        w.record(FUND, approve_act(asset, offer.clone()));
        let grant = w.give(CHEST, offer);
        w.by(CHEST, RenewGrant { grant, not_after_ms: terms().not_after_ms + 1 })
    }),
    Row(Code::ReservedToGrantee, "work that was sub-licensed exclusively", |w| {
        let alone = Terms { sublicence_depth: 1, ..exclusive(Exclusivity::Exclusive) };
        let (world, grant) = World::lab_has(alone);
        *w = world;
        let terms = exclusive(Exclusivity::Exclusive);
        w.give(LAB, sub(grant, processing_grant(w.asset(CHEST_RAW), INSIGHT, terms)));
        w.by(LAB, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]))
    }),
    Row(Code::NotRightManager, "an act of who owns no part of a shared right", |w| {
        *w = World::processing_shared(5_000);
        w.by(COUNTY, lab_offer(w, terms()))
    }),
    Row(Code::OwnersNeeded, "a grant by owners of too few parts", |w| {
        *w = World::processing_shared(6_001);
        w.by(CHEST, lab_offer(w, terms()))
    }),
    Row(Code::OwnersNeeded, "a grant when another act was approved", |w| {
        *w = World::processing_shared(10_000);
        let chest = w.asset(CHEST_RAW);
        w.record(FUND, approve_act(chest, lab_offer(w, deep(1))));
        w.by(CHEST, lab_offer(w, terms()))
    }),
    Row(Code::OwnersNeeded, "an approval used a second time", |w| {
        *w = World::processing_shared(10_000);
        let chest = w.asset(CHEST_RAW);
        w.record(FUND, approve_act(chest, lab_offer(w, terms())));
        w.record(CHEST, lab_offer(w, terms()));
        w.by(CHEST, lab_offer(w, terms()))
    }),
    Row(Code::OwnersNeeded, "an approval that lapsed a millisecond ago", |w| {
        *w = World::processing_shared(10_000);
        let chest = w.asset(CHEST_RAW);
        let ends = w.now_ms + APPROVAL_MS;
        let offer = lab_offer(w, Terms { not_after_ms: ends + DAY_MS, ..terms() });
        w.record(FUND, approve_act(chest, offer.clone()));
        w.now_ms = ends + 1;
        w.by(CHEST, offer)
    }),
    Row(Code::OwnersNeeded, "an approval by who owns nothing any more", |w| {
        *w = World::processing_shared(5_000);
        let chest = w.asset(CHEST_RAW);
        w.record(FUND, approve_act(chest, lab_offer(w, terms())));
        let owners = [(CHEST, 5_000), (COUNTY, 5_000)];
        let moved = w.record(CHEST, shared(chest, Right::Processing, &owners, 10_000)).transfer();
        w.record(COUNTY, accept_transfer(moved));
        w.record(FUND, accept_transfer(moved));
        w.by(CHEST, lab_offer(w, terms()))
    }),
    Row(Code::OwnersNeeded, "work by too few of the owners", |w| {
        *w = World::processing_shared(10_000);
        w.by(CHEST, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]))
    }),
    Row(Code::OwnersNeeded, "a revocation by too few of the owners", |w| {
        *w = World::processing_shared(10_000);
        let chest = w.asset(CHEST_RAW);
        w.record(FUND, approve_act(chest, lab_offer(w, terms())));
        let grant = w.give(CHEST, lab_offer(w, terms()));
        w.by(FUND, revoke_grant(grant))
    }),
    Row(Code::OperationNotCovered, "a sale of what owners of too few parts made", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let owners = [(CHEST, 6_000), (FUND, 4_000)];
        let moved = w.record(CHEST, shared(chest, Right::Operation, &owners, 6_001)).transfer();
        w.record(FUND, accept_transfer(moved));
        w.record(CHEST, product("sold", &[input(chest, 1, None)]));
        w.by(CHEST, list_product(w.asset("chest-hospital/sold"), &[]))
    }),
    Row(Code::TransferUnchanged, "a right transferred to whom it belongs", |w| {
        *w = World::sources();
        w.by(CHEST, transfer(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 10_000)]))
    }),
    Row(Code::ThresholdInvalid, "a threshold of no parts", |w| {
        *w = World::sources();
        w.by(CHEST, shared(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 10_000)], 0))
    }),
    Row(Code::ThresholdInvalid, "a threshold above everything", |w| {
        *w = World::sources();
        w.by(CHEST, shared(w.asset(CHEST_RAW), Right::Holding, &[(CHEST, 10_000)], 10_001))
    }),
    Row(Code::NotOwner, "the approval of a stranger", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        w.by(LAB, approve_act(chest, lab_offer(w, terms())))
    }),
    Row(Code::ActApprovedAlready, "an act approved twice", |w| {
        *w = World::processing_shared(10_000);
        let approval = approve_act(w.asset(CHEST_RAW), lab_offer(w, terms()));
        w.record(FUND, approval.clone());
        w.by(FUND, approval)
    }),
    Row(Code::FloorConsentMissing, "a floor that pays an owner who was not asked", |w| {
        let (world, asset) = World::processing_paid();
        *w = world;
        w.by(CHEST, processing_grant(asset, LAB, Terms { floor_bp: 1, ..terms() }))
    }),
    Row(Code::FloorConsentMissing, "a sub-licence with a higher floor than its parent", |w| {
        let (world, asset) = World::processing_paid();
        *w = world;
        let above = w.give(CHEST, processing_grant(asset, LAB, deep(1)));
        let floor = Terms { floor_bp: 1, ..terms() };
        w.by(LAB, sub(above, processing_grant(asset, INSIGHT, floor)))
    }),
    Row(Code::FloorConsentMissing, "a standing offer with a floor that pays another", |w| {
        let (world, asset) = World::processing_paid();
        *w = world;
        w.by(CHEST, offer_standing(asset, Terms { floor_bp: 1, ..terms() }))
    }),
    Row(Code::TermsInvalid, "a sunset at once", |w| {
        *w = World::sources();
        w.by(CHEST, lab_offer(w, revocable(Revocation::Sunset(0))))
    }),
    Row(Code::TermsInvalid, "a sunset after more than ten years", |w| {
        *w = World::sources();
        w.by(CHEST, lab_offer(w, revocable(Revocation::Sunset(MAX_SUNSET_MS + 1))))
    }),
    Row(Code::TermsInvalid, "a sub-licence that rests on other grants too", |w| {
        *w = World::granted();
        let parent = w.grant("chest operation");
        let offer = operation_grant(w.asset(CHEST_RAW), INSIGHT, 1);
        w.by(LAB, sub(parent, OfferGrant { under: list(&[parent]), ..offer }))
    }),
    Row(Code::TermsInvalid, "a request for nothing", |w| {
        *w = World::sources();
        let none = Terms { purposes: list(&[]), ..terms() };
        w.by(LAB, request_grant(w.asset(CHEST_RAW), GrantRight::Processing, none))
    }),
    Row(Code::TermsInvalid, "a standing offer to one alone", |w| {
        *w = World::sources();
        w.by(CHEST, offer_standing(w.asset(CHEST_RAW), exclusive(Exclusivity::Sole)))
    }),
    Row(Code::ParentNotEffective, "a sub-licence of another member's grant", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        w.by(COUNTY, sub(grant, processing_grant(w.asset(CHEST_RAW), INSIGHT, terms())))
    }),
    Row(Code::ParentNotEffective, "a sub-licence on another asset than its parent", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        w.by(LAB, sub(grant, processing_grant(w.asset(COUNTY_RAW), INSIGHT, terms())))
    }),
    Row(Code::ParentNotEffective, "a sub-licence of a revoked grant", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        w.record(CHEST, revoke_grant(grant));
        w.by(LAB, sub(grant, processing_grant(w.asset(CHEST_RAW), INSIGHT, terms())))
    }),
    Row(Code::ParentNotEffective, "acceptance after the grant above was revoked", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        let offer = processing_grant(w.asset(CHEST_RAW), INSIGHT, terms());
        let below = w.record(LAB, sub(grant, offer)).grant();
        w.record(CHEST, revoke_grant(grant));
        w.by(INSIGHT, accept_grant(below))
    }),
    Row(Code::SublicenceTooDeep, "a sub-licence of what may not be sub-licensed", |w| {
        sublicensed(w, terms(), terms())
    }),
    Row(Code::TermBeyondParent, "a sub-licence that ends after its parent", |w| {
        let longer = Terms { not_after_ms: YEAR_END_MS + 1, ..terms() };
        sublicensed(w, deep(1), longer)
    }),
    Row(Code::TermBeyondParent, "a sub-licence that begins before its parent", |w| {
        let above = Terms { not_before_ms: GENESIS_MS + 1, ..deep(1) };
        sublicensed(w, above, terms())
    }),
    Row(Code::TermBeyondParent, "a sub-licence for a wider territory", |w| {
        let above = Terms { territories: list(&codes("CN-GD")), ..deep(1) };
        sublicensed(w, above, terms())
    }),
    Row(Code::TermBeyondParent, "a sub-licence with a lower floor", |w| {
        sublicensed(w, Terms { floor_bp: 2, ..deep(1) }, Terms { floor_bp: 1, ..terms() })
    }),
    Row(Code::TermBeyondParent, "a sub-licence with a floor of another kind", |w| {
        let relative = FloorKind::Relative;
        let below = Terms { floor_bp: 2, floor_kind: relative, ..terms() };
        sublicensed(w, Terms { floor_bp: 2, ..deep(1) }, below)
    }),
    Row(Code::TermBeyondParent, "a sub-licence of versions its parent does not cover", |w| {
        sublicensed(w, deep(1), Terms { future_versions: true, ..terms() })
    }),
    Row(Code::TermBeyondParent, "an exclusive sub-licence of what is not exclusive", |w| {
        sublicensed(w, deep(1), exclusive(Exclusivity::Sole))
    }),
    Row(Code::TermBeyondParent, "a renewal beyond the grant above", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        let offer = processing_grant(w.asset(CHEST_RAW), INSIGHT, terms());
        let below = w.give(LAB, sub(grant, offer));
        w.by(LAB, RenewGrant { grant: below, not_after_ms: YEAR_END_MS + 1 })
    }),
    Row(Code::TermBeyondParent, "a renewal beyond the grants it rests on", |w| {
        *w = World::cleaned();
        let grant = w.grant("cleaned operation");
        w.by(LAB, RenewGrant { grant, not_after_ms: YEAR_END_MS + 1 })
    }),
    Row(Code::GrantRevoked, "work under a sub-licence of a revoked grant", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        let chest = w.asset(CHEST_RAW);
        let below = w.give(LAB, sub(grant, processing_grant(chest, INSIGHT, terms())));
        w.record(CHEST, revoke_grant(grant));
        w.by(INSIGHT, processed("cleaned", &[input(chest, 1, below)]))
    }),
    Row(Code::GrantExhausted, "work under a sub-licence of a grant that is used up", |w| {
        let (world, grant) = World::lab_has(Terms { max_derivations: Some(1), ..deep(1) });
        *w = world;
        let chest = w.asset(CHEST_RAW);
        let below = w.give(LAB, sub(grant, processing_grant(chest, INSIGHT, terms())));
        w.record(LAB, processed("cleaned", &[input(chest, 1, grant)]));
        w.by(INSIGHT, processed("cleaned", &[input(chest, 1, below)]))
    }),
    Row(Code::ExclusiveConflict, "a grant beside an exclusive one", |w| {
        offered_too(w, exclusive(Exclusivity::Exclusive), terms())
    }),
    Row(Code::ExclusiveConflict, "a sole grant beside another", |w| {
        offered_too(w, terms(), exclusive(Exclusivity::Sole))
    }),
    Row(Code::ExclusiveConflict, "an exclusive grant for a province of what is granted", |w| {
        let province = Terms { territories: list(&codes("CN-GD")), ..terms() };
        offered_too(w, terms(), Terms { exclusivity: Exclusivity::Exclusive, ..province })
    }),
    Row(Code::ExclusiveConflict, "the second of two exclusive offers is accepted", |w| {
        *w = World::sources();
        let alone = exclusive(Exclusivity::Exclusive);
        let first = w.record(CHEST, lab_offer(w, alone.clone())).grant();
        let second = processing_grant(w.asset(CHEST_RAW), INSIGHT, alone);
        let second = w.record(CHEST, second).grant();
        w.record(LAB, accept_grant(first));
        w.by(INSIGHT, accept_grant(second))
    }),
    Row(Code::ExclusiveConflict, "a request beside an exclusive grant", |w| {
        let request = requested(w);
        w.give(CHEST, lab_offer(w, exclusive(Exclusivity::Exclusive)));
        w.by(CHEST, approve_requests(&[request]))
    }),
    Row(Code::ExclusiveConflict, "a standing offer taken beside an exclusive grant", |w| {
        let offer = standing(w);
        w.give(CHEST, lab_offer(w, exclusive(Exclusivity::Sole)));
        w.by(INSIGHT, TakeOffer { offer })
    }),
    Row(Code::ExclusiveConflict, "a renewal into the term of an exclusive grant", |w| {
        let first = World::lab_has(terms());
        *w = first.0;
        let later = Terms {
            not_before_ms: YEAR_END_MS + 1,
            not_after_ms: YEAR_END_MS + 9,
            ..exclusive(Exclusivity::Exclusive)
        };
        w.give(CHEST, processing_grant(w.asset(CHEST_RAW), INSIGHT, later));
        w.by(CHEST, RenewGrant { grant: first.1, not_after_ms: YEAR_END_MS + 1 })
    }),
    Row(Code::InForceFull, "more grants in force than a right can have", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let mut last = None;
        for _ in 0..=MAX_IN_FORCE / 64 {
            let ask = request_grant(chest, GrantRight::Processing, terms()).event();
            let asked = w.all(LAB, vec![ask; 64]);
            let ids: Vec<RequestId> = (0..64)
                .map(|i| *headwater_ledger::envelope::event_id(&asked.id, i).digest())
                .map(RequestId::from_digest)
                .collect();
            if let Some(before) = last.replace(ids) {
                for some in before.chunks(8) {
                    w.record(CHEST, approve_requests(some));
                }
            }
        }
        w.by(CHEST, approve_requests(&last.unwrap()[..1]))
    }),
    Row(Code::InForceFull, "more sub-licences than a grant can have", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let wide = w.give(CHEST, processing_grant(chest, LAB, deep(1)));
        let one = w.give(LAB, sub(wide, processing_grant(chest, INSIGHT, terms())));
        let key = Key::SubLicences(wide);
        let listed: Vec<InForce> = w.state.get(&key).unwrap().unwrap();
        assert_eq!(listed.iter().map(|entry| entry.id).collect::<Vec<_>>(), [*one.digest()]);
        w.put(&key, &vec![listed[0].clone(); MAX_IN_FORCE]);
        // The list of the owners has room.
        w.give(CHEST, processing_grant(chest, INSIGHT, terms()));
        let next = w.record(LAB, sub(wide, processing_grant(chest, INSIGHT, terms()))).grant();
        w.by(INSIGHT, accept_grant(next))
    }),
    Row(Code::OverWeight, "an event that looks at more conditions than one may", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let ask = request_grant(chest, GrantRight::Processing, terms()).event();
        let asked = w.all(LAB, vec![ask; 64]);
        let ids: Vec<RequestId> = (0..64)
            .map(|i| *headwater_ledger::envelope::event_id(&asked.id, i).digest())
            .map(RequestId::from_digest)
            .collect();
        w.put(&Key::Watches(chest), &vec![Watch::Consent(chest); MAX_WATCHES]);
        w.by(CHEST, approve_requests(&ids))
    }),
    Row(Code::ReservedToGrantee, "the owner works where he granted exclusively", |w| {
        *w = World::lab_has(exclusive(Exclusivity::Exclusive)).0;
        w.by(CHEST, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, None)]))
    }),
    Row(Code::ReservedToGrantee, "the owner sells where he granted exclusively", |w| {
        *w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let offer = operation_grant(chest, LAB, 0);
        let terms = exclusive(Exclusivity::Exclusive);
        w.give(CHEST, OfferGrant { terms, ..offer });
        w.record(CHEST, product("sold", &[input(chest, 1, None)]));
        w.by(CHEST, list_product(w.asset("chest-hospital/sold"), &[]))
    }),
    Row(Code::ReservedToGrantee, "a product whose operation is granted exclusively", |w| {
        *w = World::sources();
        w.record(CHEST, product("sold", &[input(w.asset(CHEST_RAW), 1, None)]));
        let sold = w.asset("chest-hospital/sold");
        let terms = exclusive(Exclusivity::Exclusive);
        w.give(CHEST, OfferGrant { terms, ..operation_grant(sold, LAB, 0) });
        w.by(CHEST, list_product(sold, &[]))
    }),
    Row(Code::OperationNotCovered, "a dataset of one's own put in between", |w| {
        *w = World::granted();
        let inputs = w.lab_inputs();
        w.record(LAB, processed("fna-cleaned", &inputs));
        w.record(LAB, product("sold", &[input(w.asset(CLEANED), 1, None)]));
        w.by(LAB, list_product(w.asset("clean-lab/sold"), &[]))
    }),
    Row(Code::UnknownRequest, "approval of a request that is not recorded", |w| {
        w.by(CHEST, approve_requests(&[RequestId::from_digest(nothing())]))
    }),
    Row(Code::RequestsEmpty, "approval of no request", |w| w.by(LAB, approve_requests(&[]))),
    Row(Code::RequestsEmpty, "refusal of no request", |w| w.by(LAB, decline_requests(&[]))),
    Row(Code::UnknownRequest, "refusal of a request that is not recorded", |w| {
        w.by(CHEST, decline_requests(&[RequestId::from_digest(nothing())]))
    }),
    Row(Code::RequestClosed, "a request approved twice in one act", |w| {
        let request = requested(w);
        w.by(CHEST, approve_requests(&[request, request]))
    }),
    Row(Code::RequestClosed, "approval of a declined request", |w| {
        let request = requested(w);
        w.record(CHEST, decline_requests(&[request]));
        w.by(CHEST, approve_requests(&[request]))
    }),
    Row(Code::NotRightManager, "approval by who asked", |w| {
        let request = requested(w);
        w.by(LAB, approve_requests(&[request]))
    }),
    Row(Code::NotRightManager, "refusal by a stranger", |w| {
        let request = requested(w);
        w.by(COUNTY, decline_requests(&[request]))
    }),
    Row(Code::OperationNotCovered, "a request for operation that rests on nothing", |w| {
        *w = World::cleaned();
        let ask = request_grant(w.asset(CLEANED), GrantRight::Operation, terms());
        let request = w.record(BUYER, ask).request();
        w.by(LAB, approve_requests(&[request]))
    }),
    Row(Code::UnknownOffer, "an offer taken that is not recorded", |w| {
        w.by(LAB, TakeOffer { offer: OfferId::from_digest(nothing()) })
    }),
    Row(Code::UnknownOffer, "an offer withdrawn that is not recorded", |w| {
        w.by(LAB, WithdrawOffer { offer: OfferId::from_digest(nothing()) })
    }),
    Row(Code::OfferClosed, "a withdrawn offer is taken", |w| {
        let offer = standing(w);
        w.record(CHEST, WithdrawOffer { offer });
        w.by(LAB, TakeOffer { offer })
    }),
    Row(Code::OfferClosed, "an offer withdrawn twice", |w| {
        let offer = standing(w);
        w.record(CHEST, WithdrawOffer { offer });
        w.by(CHEST, WithdrawOffer { offer })
    }),
    Row(Code::OfferClosed, "an offer taken too late", |w| {
        *w = World::sources();
        let offer = offer_standing(w.asset(CHEST_RAW), terms());
        let until = OfferStanding { take_by_ms: w.now_ms + 1_000, ..offer };
        let offer = w.record(CHEST, until).offer();
        w.now_ms += 1;
        w.by(LAB, TakeOffer { offer })
    }),
    Row(Code::OfferClosed, "an offer of who has given the right away", |w| {
        let offer = standing(w);
        let moved = transfer(w.asset(CHEST_RAW), Right::Processing, &[(FUND, 10_000)]);
        let moved = w.record(CHEST, moved).transfer();
        w.record(FUND, accept_transfer(moved));
        w.by(LAB, TakeOffer { offer })
    }),
    Row(Code::OfferClosed, "an offer taken twice", |w| {
        let offer = standing(w);
        w.record(LAB, TakeOffer { offer });
        w.by(LAB, TakeOffer { offer })
    }),
    Row(Code::NotRightManager, "an offer withdrawn by a stranger", |w| {
        let offer = standing(w);
        w.by(LAB, WithdrawOffer { offer })
    }),
    Row(Code::RenewalNotLater, "a renewal to the same end", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.by(CHEST, RenewGrant { grant, not_after_ms: YEAR_END_MS })
    }),
    Row(Code::NotGrantor, "the grantee renews", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.by(LAB, RenewGrant { grant, not_after_ms: YEAR_END_MS + 1 })
    }),
    Row(Code::NotGrantor, "the owner revokes a sub-licence", |w| {
        let (world, grant) = World::lab_has(deep(1));
        *w = world;
        let offer = processing_grant(w.asset(CHEST_RAW), INSIGHT, terms());
        let below = w.give(LAB, sub(grant, offer));
        w.by(CHEST, revoke_grant(below))
    }),
    Row(Code::GrantClosed, "renewal after the end", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.now_ms = YEAR_END_MS + 1;
        w.by(CHEST, RenewGrant { grant, not_after_ms: YEAR_END_MS + DAY_MS })
    }),
    Row(Code::GrantClosed, "renewal after the revocation", |w| {
        let (world, grant) = World::lab_has(revocable(Revocation::Sunset(DAY_MS)));
        *w = world;
        w.record(CHEST, revoke_grant(grant));
        w.by(CHEST, RenewGrant { grant, not_after_ms: YEAR_END_MS + 1 })
    }),
    Row(Code::GrantClosed, "revoked again before the sunset", |w| {
        let (world, grant) = World::lab_has(revocable(Revocation::Sunset(DAY_MS)));
        *w = world;
        w.record(CHEST, revoke_grant(grant));
        w.by(CHEST, revoke_grant(grant))
    }),
    Row(Code::GrantRevoked, "work after the sunset", |w| {
        let (world, grant) = World::lab_has(revocable(Revocation::Sunset(DAY_MS)));
        *w = world;
        let end = w.now_ms + DAY_MS;
        w.record(CHEST, revoke_grant(grant));
        w.now_ms = end + 1;
        w.by(LAB, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]))
    }),
    Row(Code::NotGrantee, "surrender by the grantor", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.by(CHEST, SurrenderGrant { grant })
    }),
    Row(Code::GrantClosed, "surrendered twice", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.record(LAB, SurrenderGrant { grant });
        w.by(LAB, SurrenderGrant { grant })
    }),
    Row(Code::GrantRevoked, "work after the surrender", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.record(LAB, SurrenderGrant { grant });
        w.by(LAB, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]))
    }),
    Row(Code::GrantNotRevoked, "consent to late filing before a revocation", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.by(CHEST, ConsentFiling { grant, file_by_ms: YEAR_END_MS })
    }),
    Row(Code::GrantNotRevoked, "consent to late filing under a withdrawn offer", |w| {
        *w = World::sources();
        let grant = w.record(CHEST, lab_offer(w, terms())).grant();
        w.record(CHEST, revoke_grant(grant));
        w.by(CHEST, ConsentFiling { grant, file_by_ms: YEAR_END_MS })
    }),
    Row(Code::NotGrantor, "the grantee consents to his own late filing", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.record(CHEST, revoke_grant(grant));
        w.by(LAB, ConsentFiling { grant, file_by_ms: YEAR_END_MS })
    }),
    Row(Code::GrantRevoked, "late filing after the time consented to", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        w.record(CHEST, revoke_grant(grant));
        w.record(CHEST, ConsentFiling { grant, file_by_ms: w.now_ms + DAY_MS });
        w.now_ms += DAY_MS + 1;
        w.by(LAB, processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]))
    }),
    Row(Code::GrantRevoked, "late filing, with consent, of work after the revocation", |w| {
        let (world, grant) = World::lab_has(terms());
        *w = world;
        let revoked = w.now_ms;
        w.record(CHEST, revoke_grant(grant));
        w.record(CHEST, ConsentFiling { grant, file_by_ms: YEAR_END_MS });
        let work = processed("cleaned", &[input(w.asset(CHEST_RAW), 1, grant)]);
        let done = |a: &mut headwater_ledger::event::asset::Activity, at| a.claimed_to_ms = at;
        w.by(LAB, doing(work, |a| done(a, revoked + 1)))
    }),
    Row(Code::UnknownGrant, "a sub-licence of a grant that is not recorded", |w| {
        *w = World::sources();
        let parent = GrantId::from_digest(nothing());
        w.by(LAB, sub(parent, processing_grant(w.asset(CHEST_RAW), INSIGHT, terms())))
    }),
    Row(Code::UnknownGrant, "surrender of a grant that is not recorded", |w| {
        w.by(LAB, SurrenderGrant { grant: GrantId::from_digest(nothing()) })
    }),
];
