//! Second steps of what could be begun and should not go on any more: the asset was voided, or
//! contested, or suspended since.

use headwater_ledger::event::Event;
use headwater_ledger::event::access::DecideAccess;
use headwater_ledger::event::asset::DecideRegistration;
use headwater_ledger::event::market::{Decision, ReviewListing, SignContract};
use headwater_ledger::event::rights::{
    AcceptTransfer, ApproveRequests, GrantRight, RenewGrant, TakeOffer,
};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::{Made, Maker};
use crate::access::AccessStanding;
use crate::naive::{ContractStanding, Grant, ListingStanding, Standing};
use crate::world::list;

impl Maker {
    /// Whether nothing new may be done with an asset.
    fn ended(&self, asset: &AssetId) -> bool {
        self.naive.assets[asset].void || self.naive.usable(asset).is_err()
    }

    pub(super) fn stale(&mut self) -> Made {
        let naive = &self.naive;
        let decision = Decision::Accept;
        let mut all: Vec<(Handle, Event)> = Vec::new();
        let manager = |asset: &AssetId, right| naive.epoch(asset, right).manager.clone();
        for (access, a) in &naive.accesses {
            if a.standing == AccessStanding::Requested && self.ended(&a.asset) {
                let e = DecideAccess { access: *access, decision };
                all.push((manager(&a.asset, Right::Processing), Event::DecideAccess(e)));
            }
        }
        for (registration, r) in &naive.registrations {
            let asset = &naive.assets[&r.asset];
            let related = naive.related(&r.registry, &asset.author);
            if r.in_notice() && naive.now > r.notice_until && (asset.void || related) {
                let e = DecideRegistration { registration: *registration, decision };
                all.push((r.registry.clone(), Event::DecideRegistration(e)));
            }
        }
        for (listing, l) in &naive.listings {
            if l.standing == ListingStanding::Pending && self.ended(&l.asset) {
                let e = ReviewListing { listing: *listing, decision };
                all.push((l.exchange.clone(), Event::ReviewListing(e)));
            }
        }
        for (contract, c) in &naive.contracts {
            let waits = c.standing == ContractStanding::Open && c.signed.len() < 2;
            if waits && c.sign_by >= naive.now && self.ended(&c.asset) {
                let schedule = naive.schedule_hash(&c.asset);
                let by = if c.signed.contains("buyer") { &c.exchange } else { &c.buyer };
                let e = SignContract { contract: *contract, schedule };
                all.push((by.clone(), Event::SignContract(e)));
            }
        }
        for (request, r) in naive.requests.iter().filter(|(_, r)| r.open && self.ended(&r.asset)) {
            let e = ApproveRequests { requests: list(&[*request]), under: list(&[]) };
            all.push((manager(&r.asset, r.right.into()), Event::ApproveRequests(e)));
        }
        for (offer, o) in naive.offers.iter().filter(|(_, o)| !o.withdrawn) {
            if o.take_by >= naive.now && self.ended(&o.asset) {
                let e = TakeOffer { offer: *offer };
                all.push((manager(&o.asset, Right::Holding), Event::TakeOffer(e)));
            }
        }
        for (grant, g) in naive.grants.iter().filter(|(_, g)| g.standing == Standing::Accepted) {
            if g.parent.is_none() && g.end >= naive.now && self.ended(&g.asset) {
                let e = RenewGrant { grant: *grant, not_after_ms: g.end + 1 };
                all.push((manager(&g.asset, g.right.into()), Event::RenewGrant(e)));
            }
        }
        for (transfer, t) in naive.transfers.iter().filter(|(_, t)| !t.done) {
            let closed = naive.epoch(&t.asset, t.right).changes != t.changes;
            if closed || naive.assets[&t.asset].void {
                let e = AcceptTransfer { transfer: *transfer };
                all.push((t.outstanding[0].clone(), Event::AcceptTransfer(e)));
            }
        }
        let other_hands = |grant: &&Grant| {
            let of_other = naive.compromised(grant.signed);
            of_other && grant.standing == Standing::Accepted && grant.end >= naive.now
        };
        let signed = naive.grants.iter().filter(|(_, g)| other_hands(g));
        let signed = signed.filter(|(_, g)| g.right == GrantRight::Processing).map(|(id, _)| *id);
        let signed: Vec<GrantId> = signed.collect();
        if let Some(grant) = self.random.pick(&signed)
            && self.random.in_ten(5)
        {
            return self.derived_under(grant);
        }
        let (by, event) = self.random.pick(&all)?;
        Some((self.or_any(by), event))
    }
}
