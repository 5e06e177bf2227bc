//! Acts about rights: grants, requests, standing offers, transfers.

use headwater_ledger::event::Event;
use headwater_ledger::event::rights::{
    AcceptGrant, AcceptTransfer, ApproveAct, ApproveRequests, ConsentFiling, DeclineGrant,
    DeclineRequests, Exclusivity, FloorKind, GrantRight, OfferGrant, OfferStanding, Owner,
    RenewGrant, RequestGrant, Revocation, RevokeGrant, SurrenderGrant, TakeOffer, Terms,
    TransferRight,
};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::{About, DAY_MS, Made, Maker, PURPOSES, TERRITORIES};
use crate::grant::{narrow, purposes_common};
use crate::naive::Standing;
use crate::world::list;

impl Maker {
    fn terms(&mut self, right: GrantRight) -> Terms {
        let mut terms = self.any_terms(right);
        let plain = matches!(self.about, About::Floors | About::Money);
        if plain && self.random.in_ten(9) {
            // Nothing else is to stand between a derivation and its floors, or a sale and its money.
            terms.purposes = list(&PURPOSES);
            terms.territories = list(&["CN".parse().unwrap()]);
            terms.not_before_ms = self.naive.now;
            terms.not_after_ms = self.naive.now + 900 * DAY_MS;
            terms.max_derivations = None;
            terms.exclusivity = Exclusivity::None;
        }
        if self.about == About::Floors && right == GrantRight::Processing {
            let some = [0, 100, 400, 401, 1_000, 2_500];
            terms.floor_bp = some[self.random.below(6) as usize];
        }
        terms
    }

    /// Terms of a grant on an asset, mostly within what it has inherited.
    pub(super) fn terms_on(&mut self, asset: &AssetId, right: GrantRight) -> Terms {
        let mut terms = self.terms(right);
        self.fit(asset, &mut terms);
        terms
    }

    fn fit(&mut self, asset: &AssetId, terms: &mut Terms) {
        if self.random.in_ten(1) {
            return;
        }
        let asset = &self.naive.assets[asset];
        if let Some(allowed) = &asset.purposes {
            let common = purposes_common(&terms.purposes, allowed);
            terms.purposes = list(if common.is_empty() { allowed } else { &common });
        }
        if let Some(allowed) = &asset.territories {
            let common = narrow(&terms.territories, allowed);
            terms.territories = list(if common.is_empty() { allowed } else { &common });
        }
    }

    fn any_terms(&mut self, right: GrantRight) -> Terms {
        let processing = right == GrantRight::Processing;
        let ends: Vec<u64> =
            self.naive.grants.values().map(|g| g.end).filter(|end| *end > self.naive.now).collect();
        let not_before_ms = match self.random.pick(&ends) {
            Some(end) if self.random.in_ten(2) => end + self.random.below(2),
            _ => self.naive.now + self.random.below(4) / 3 * 10 * DAY_MS,
        };
        let territories: Vec<_> = match self.random.below(3) {
            0 => vec!["CN"],
            1 => vec!["CN-GD", "CN-BJ"],
            _ => vec![TERRITORIES[self.random.below(3) as usize]],
        };
        let territories: Vec<_> = territories.iter().map(|t| t.parse().unwrap()).collect();
        let purposes = self.purposes();
        Terms {
            purposes: list(&purposes),
            territories: list(&territories),
            not_before_ms,
            not_after_ms: not_before_ms + self.random.below(500) * DAY_MS,
            sublicence_depth: self.random.below(4) as u8,
            max_derivations: (processing && self.random.in_ten(3))
                .then(|| self.random.below(3) as u32),
            future_versions: self.random.in_ten(if processing { 3 } else { 1 }),
            floor_bp: match processing && self.random.in_ten(4) {
                true => self.random.below(3_000) as u16,
                false => 0,
            },
            filing_window_ms: if processing { self.random.below(30) * DAY_MS } else { 0 },
            floor_kind: if self.random.in_ten(5) {
                FloorKind::Relative
            } else {
                FloorKind::Absolute
            },
            exclusivity: match self.random.below(10) {
                0 => Exclusivity::Sole,
                1 => Exclusivity::Exclusive,
                _ => Exclusivity::None,
            },
            revocation: match self.random.below(4) {
                0 => Revocation::Sunset(1 + self.random.below(30 * DAY_MS)),
                1 => Revocation::SuspendDownstream,
                _ => Revocation::Prospective,
            },
        }
    }

    /// Terms that go a little beyond those they were copied from.
    fn beyond(&mut self, terms: &mut Terms) {
        match self.random.below(8) {
            0 => terms.not_after_ms += 1,
            1 => terms.not_before_ms -= 1,
            2 => terms.sublicence_depth += 1,
            3 => terms.floor_bp = terms.floor_bp.saturating_sub(1),
            4 => terms.exclusivity = Exclusivity::Exclusive,
            5 => terms.future_versions = true,
            6 => terms.purposes = list(&PURPOSES),
            _ => {
                terms.floor_kind = match terms.floor_kind {
                    FloorKind::Absolute => FloorKind::Relative,
                    FloorKind::Relative => FloorKind::Absolute,
                }
            }
        }
    }

    pub(super) fn right(&mut self) -> GrantRight {
        if self.random.in_ten(6) { GrantRight::Processing } else { GrantRight::Operation }
    }

    /// The operation grants that a member holds.
    pub(super) fn operation_grants(&self, holder: &Handle) -> Vec<GrantId> {
        let held = self.naive.grants.iter().filter(|(_, g)| {
            g.right == GrantRight::Operation
                && self.naive.is(holder, &g.grantee)
                && g.standing == Standing::Accepted
        });
        held.map(|(id, _)| *id).take(16).collect()
    }

    pub(super) fn under(&self, asset: &AssetId, right: GrantRight, by: &Handle) -> Vec<GrantId> {
        if right == GrantRight::Processing || self.naive.assets[asset].inputs.is_empty() {
            return Vec::new();
        }
        self.operation_grants(by)
    }

    pub(super) fn offer(&mut self) -> Made {
        let asset = self.asset()?;
        let right = self.right();
        let mut terms = self.terms_on(&asset, right);
        let grantee = self.member();
        let held: Vec<GrantId> = self
            .naive
            .grants
            .iter()
            .filter(|(_, g)| g.standing == Standing::Accepted && g.terms.sublicence_depth > 0)
            .map(|(id, _)| *id)
            .collect();
        if self.random.in_ten(2)
            && let Some(parent) = self.random.pick(&held)
        {
            let above = self.naive.grants[&parent].clone();
            if self.random.in_ten(8) {
                terms = Terms { sublicence_depth: above.terms.sublicence_depth - 1, ..above.terms };
                terms.not_after_ms = above.end;
                if self.random.in_ten(5) {
                    terms.exclusivity = Exclusivity::None;
                }
                if self.random.in_ten(5) {
                    self.beyond(&mut terms);
                }
            }
            let by = self.or_any(above.grantee);
            let offer = OfferGrant {
                asset: above.asset,
                right: above.right,
                grantee,
                terms,
                under: list(&[]),
                parent: Some(parent),
            };
            return Some((by, Event::OfferGrant(offer)));
        }
        let manager = self.naive.epoch(&asset, right.into()).manager.clone();
        let by = self.or_any(manager);
        let under = list(&self.under(&asset, right, &by));
        if self.random.in_ten(2) {
            terms.exclusivity = Exclusivity::None;
            let take_by_ms = self.far();
            let e = OfferStanding { asset, right, terms, take_by_ms, under };
            return self.maybe_approved(&asset, by, Event::OfferStanding(e));
        }
        let offer = OfferGrant { asset, right, grantee, terms, under, parent: None };
        self.maybe_approved(&asset, by, Event::OfferGrant(offer))
    }

    /// An operation grant on an input of a product that its seller has no right to operate.
    pub(super) fn operation_for(&mut self, product: &AssetId, seller: &Handle) -> Made {
        let inputs = self.naive.assets[product].inputs.iter().map(|i| i.asset);
        let missing: Vec<AssetId> =
            inputs.filter(|i| !self.naive.alone(seller, i, Right::Operation)).collect();
        let asset = self.random.pick(&missing)?;
        let right = GrantRight::Operation;
        let mut terms = self.terms(right);
        terms.purposes = list(&PURPOSES);
        terms.territories = list(&["CN".parse().unwrap()]);
        self.fit(&asset, &mut terms);
        (terms.sublicence_depth, terms.not_before_ms) = (3, self.naive.now);
        terms.not_after_ms = self.naive.now + 900 * DAY_MS;
        let manager = self.naive.acting(&self.naive.epoch(&asset, right.into()).manager);
        let by = self.or_any(manager);
        let under = list(&self.under(&asset, right, &by));
        let e = OfferGrant { asset, right, grantee: seller.clone(), terms, under, parent: None };
        Some((by, Event::OfferGrant(e)))
    }

    /// The act itself, or first the approval of a co-owner for it; the act then follows some time.
    pub(super) fn maybe_approved(&mut self, asset: &AssetId, by: Handle, event: Event) -> Made {
        let needs = Right::ALL.iter().any(|right| {
            let epoch = self.naive.epoch(asset, *right);
            epoch.owners.len() > 1 || epoch.threshold.is_some()
        });
        if self.random.below(if needs { 2 } else { 12 }) > 0 {
            return Some((by, event));
        }
        self.intended.push((*asset, by.clone(), event.clone()));
        self.approve(*asset, by, event)
    }

    /// The approval of an act by one of the owners.
    fn approve(&mut self, asset: AssetId, by: Handle, event: Event) -> Made {
        let owners: Vec<Handle> = Right::ALL
            .iter()
            .flat_map(|right| self.naive.epoch(&asset, *right).owners.keys().cloned())
            .collect();
        let owner = self.random.pick(&owners)?;
        let owner = self.or_any(self.naive.acting(&owner));
        let act = headwater_ledger::execute::act_hash(&event).unwrap();
        self.approves = Some((by, event));
        Some((owner, Event::ApproveAct(ApproveAct { asset, act })))
    }

    /// An act that was approved before, or one more approval for it.
    pub(super) fn intended(&mut self) -> Made {
        let at = self.random.below(self.intended.len() as u64) as usize;
        let (asset, by, event) = self.intended.get(at)?.clone();
        if self.random.in_ten(6) {
            return self.approve(asset, by, event);
        }
        if self.random.in_ten(8) {
            self.intended.remove(at);
        }
        Some((by, event))
    }

    pub(super) fn answer(&mut self) -> Made {
        if self.random.in_ten(2) {
            let open: Vec<_> = self.naive.offers.keys().copied().collect();
            let offer = self.random.pick(&open)?;
            let by = self.member();
            return Some((by, Event::TakeOffer(TakeOffer { offer })));
        }
        let offered: Vec<_> = self
            .naive
            .grants
            .iter()
            .filter(|(_, g)| g.standing == Standing::Offered)
            .map(|(id, g)| (*id, g.grantee.clone()))
            .collect();
        let (grant, grantee) = self.random.pick(&offered)?;
        let by = self.or_any(grantee);
        Some((
            by,
            match self.random.below(12) {
                0 => Event::DeclineGrant(DeclineGrant { grant }),
                _ => Event::AcceptGrant(AcceptGrant { grant }),
            },
        ))
    }

    pub(super) fn grant_life(&mut self) -> Made {
        let all: Vec<GrantId> = self.naive.grants.keys().copied().collect();
        let grant = self.random.pick(&all)?;
        let held = self.naive.grants[&grant].clone();
        let decides = match held.parent {
            Some(parent) => self.naive.grants[&parent].grantee.clone(),
            None => self.naive.epoch(&held.asset, held.right.into()).manager.clone(),
        };
        let by = self.or_any(decides);
        Some(match self.random.below(5) {
            0 => {
                let by = self.or_any(held.grantee);
                (by, Event::SurrenderGrant(SurrenderGrant { grant }))
            }
            1 => {
                let not_after_ms = held.end + self.random.below(100) * DAY_MS;
                (by, Event::RenewGrant(RenewGrant { grant, not_after_ms }))
            }
            2 => {
                let file_by_ms = self.far();
                (by, Event::ConsentFiling(ConsentFiling { grant, file_by_ms }))
            }
            _ => (by, Event::RevokeGrant(RevokeGrant { grant })),
        })
    }

    pub(super) fn request(&mut self) -> Made {
        let open: Vec<_> =
            self.naive.requests.iter().filter(|(_, r)| r.open).map(|(id, _)| *id).collect();
        if let Some(request) = self.random.pick(&open)
            && self.random.in_ten(6)
        {
            let held = self.naive.requests[&request].clone();
            let manager = self.naive.epoch(&held.asset, held.right.into()).manager.clone();
            let by = self.or_any(manager);
            let requests = list(&[request]);
            return Some((
                by.clone(),
                match self.random.below(5) {
                    0 => Event::DeclineRequests(DeclineRequests { requests }),
                    _ => {
                        let under = list(&self.under(&held.asset, held.right, &by));
                        Event::ApproveRequests(ApproveRequests { requests, under })
                    }
                },
            ));
        }
        let (asset, right) = (self.asset()?, self.right());
        let terms = self.terms_on(&asset, right);
        let by = self.member();
        Some((by, Event::RequestGrant(RequestGrant { asset, right, terms })))
    }

    pub(super) fn transfer(&mut self) -> Made {
        let asset = self.asset()?;
        let right = Right::ALL[self.random.below(3) as usize];
        let manager = self.naive.epoch(&asset, right).manager.clone();
        let (first, second) = (self.member(), self.member());
        let parts = 1 + self.random.below(9_999) as u16;
        let owners = if first == second || self.random.in_ten(3) {
            vec![Owner { member: first.clone(), parts: 10_000 }]
        } else {
            vec![
                Owner { member: first.clone(), parts },
                Owner { member: second, parts: 10_000 - parts },
            ]
        };
        let often = if self.about == About::Members { 5 } else { 2 };
        let threshold_parts = self.random.in_ten(often).then(|| self.random.below(10_001) as u16);
        let e =
            TransferRight { asset, right, owners: list(&owners), manager: first, threshold_parts };
        let by = self.or_any(manager);
        self.maybe_approved(&asset, by, Event::TransferRight(e))
    }

    pub(super) fn accept_transfer(&mut self) -> Made {
        let open: Vec<_> = self
            .naive
            .transfers
            .iter()
            .filter(|(_, t)| !t.done)
            .flat_map(|(id, t)| t.outstanding.iter().map(|o| (*id, o.clone())))
            .collect();
        let (transfer, owner) = self.random.pick(&open)?;
        Some((self.or_any(owner), Event::AcceptTransfer(AcceptTransfer { transfer })))
    }
}
