//! Short constructors for the events about rights: thresholds, requests, offers, what becomes of
//! grants.

use headwater_ledger::event::rights::{Exclusivity, GrantRight, Revocation, Terms};
use headwater_ledger::event::{
    ApproveAct, ApproveRequests, ConsentFiling, DeclineRequests, Event, OfferGrant, OfferStanding,
    RegisterAsset, RenewGrant, RequestGrant, SurrenderGrant, TakeOffer, TransferRight,
    WithdrawOffer,
};
use headwater_ledger::execute::act_hash;
use headwater_ledger::hash::{AssetId, GrantId, OfferId, RequestId};
use headwater_ledger::split::Right;
use headwater_ledger::text::Code;

use super::events::{Act, accept_transfer, processing_grant, raw, split, terms, transfer};
use super::story::*;
use super::{CHEST, FUND, LAB, Recorded, World, list};

macro_rules! acts {
    ($($name:ident)*) => {
        $(impl Act for $name {
            fn event(self) -> Event {
                Event::$name(self)
            }
        })*
    };
}

acts! {
    ApproveAct ApproveRequests ConsentFiling DeclineRequests OfferStanding RenewGrant RequestGrant
    SurrenderGrant TakeOffer WithdrawOffer
}

impl Recorded {
    pub fn request(&self) -> RequestId {
        RequestId::from_digest(self.first())
    }
    pub fn offer(&self) -> OfferId {
        OfferId::from_digest(self.first())
    }
}

/// The approval of an act about an asset.
pub fn approve_act(asset: AssetId, act: impl Act) -> ApproveAct {
    ApproveAct { asset, act: act_hash(&act.event()).unwrap() }
}

/// A transfer after which owners of so many parts act together.
pub fn shared(
    asset: AssetId,
    right: Right,
    owners: &[(&str, u16)],
    threshold: u16,
) -> TransferRight {
    TransferRight { threshold_parts: Some(threshold), ..transfer(asset, right, owners) }
}

pub fn codes(text: &str) -> Vec<Code> {
    text.split_whitespace().map(|code| code.parse().unwrap()).collect()
}

/// Terms of this exclusivity.
pub fn exclusive(exclusivity: Exclusivity) -> Terms {
    Terms { exclusivity, ..terms() }
}

/// Terms with what a revocation does.
pub fn revocable(revocation: Revocation) -> Terms {
    Terms { revocation, ..terms() }
}

/// Terms that may be sub-licensed so deep.
pub fn deep(sublicence_depth: u8) -> Terms {
    Terms { sublicence_depth, ..terms() }
}

/// A sub-licence under a grant.
pub fn sub(parent: GrantId, offer: OfferGrant) -> OfferGrant {
    OfferGrant { parent: Some(parent), ..offer }
}

pub fn request_grant(asset: AssetId, right: GrantRight, terms: Terms) -> RequestGrant {
    RequestGrant { asset, right, terms }
}

pub fn approve_requests(requests: &[RequestId]) -> ApproveRequests {
    ApproveRequests { requests: list(requests), under: list(&[]) }
}

pub fn decline_requests(requests: &[RequestId]) -> DeclineRequests {
    DeclineRequests { requests: list(requests) }
}

/// A standing offer of processing that can be taken for as long as the terms last.
pub fn offer_standing(asset: AssetId, terms: Terms) -> OfferStanding {
    let take_by_ms = terms.not_after_ms;
    let right = GrantRight::Processing;
    OfferStanding { asset, right, terms, take_by_ms, under: list(&[]) }
}

impl World {
    /// Three fifths of the chest hospital's processing right stay with it, the fund has the rest,
    /// and so many parts act.
    pub fn processing_shared(threshold: u16) -> World {
        let mut w = World::sources();
        let owners = [(CHEST, 6_000), (FUND, 4_000)];
        let moved = shared(w.asset(CHEST_RAW), Right::Processing, &owners, threshold);
        let moved = w.record(CHEST, moved).transfer();
        w.record(FUND, accept_transfer(moved));
        w
    }

    /// Examinations of the chest hospital whose split pays processing, a right that the patients'
    /// fund owns a part of.
    pub fn processing_paid() -> (World, AssetId) {
        let mut w = World::sources();
        let paid = RegisterAsset { split: split([9_000, 1_000, 0, 0]), ..raw("annotated") };
        w.record(CHEST, paid);
        let asset = w.asset("chest-hospital/annotated");
        let owners = [(CHEST, 6_000), (FUND, 4_000)];
        let moved = w.record(CHEST, transfer(asset, Right::Processing, &owners)).transfer();
        w.record(FUND, accept_transfer(moved));
        (w, asset)
    }

    /// A processing grant of the chest hospital to the lab under these terms, accepted.
    pub fn lab_has(terms: Terms) -> (World, GrantId) {
        let mut w = World::sources();
        let grant = w.give(CHEST, processing_grant(w.asset(CHEST_RAW), LAB, terms));
        (w, grant)
    }
}
