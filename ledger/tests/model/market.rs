//! Listings and contracts in the naive model.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::event::asset::{Purpose, Stage};
use headwater_ledger::event::dispute::{Ruling, Subject};
use headwater_ledger::event::market::{
    Decision, Licence, ListProduct, ProposeContract, ReviewCompliance, ReviewListing,
};
use headwater_ledger::event::member::Role;
use headwater_ledger::event::rights::{Exclusivity, GrantRight};
use headwater_ledger::hash::{AssetId, ContractId, ListingId};
use headwater_ledger::limits::{APPROVAL_MS, MAX_AMOUNT};
use headwater_ledger::money::Currency;
use headwater_ledger::payment::account_id;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::{Code as Text, Handle};

use crate::grant::{Cover, distinct, meet, narrow, purposes_common};
use crate::naive::{
    Account, Act, Contract, ContractStanding, Dispute, DisputeStanding, Listing, ListingStanding,
    Naive, Review, Standing, Verdict, all_allowed, covers, need, purposes_meet, refuse,
};

impl Naive {
    pub fn list(&mut self, act: &Act<'_>, id: ListingId, e: &ListProduct) -> Verdict {
        let asset = self.in_force(&e.asset)?.clone();
        self.usable(&e.asset)?;
        self.disposes(act, &e.asset, Right::Operation)?;
        need(asset.stage == Stage::Product, Code::NotAProduct)?;
        self.known(&e.exchange)?;
        self.takes_business(&e.exchange)?;
        need(!self.is(act.author, &e.exchange), Code::ReviewerIsSeller)?;
        need(e.fee_bp <= self.rulebook.fee_cap_bp, Code::FeeTooHigh)?;
        let before = self.listings.iter().find(|(_, l)| {
            l.asset == e.asset
                && l.exchange == e.exchange
                && matches!(l.standing, ListingStanding::Pending | ListingStanding::Accepted)
        });
        if let Some((before, listing)) = before.map(|(id, l)| (*id, l.clone())) {
            need(self.sellable(&listing).is_err(), Code::AlreadyListed)?;
            self.listings.get_mut(&before).unwrap().standing = ListingStanding::Delisted;
        }
        self.not_reserved(act.author, &e.asset, GrantRight::Operation, None)?;
        let cover = self.cover(act.author, &e.asset, &e.operation_grants)?;
        self.within_ancestry(&e.asset)?;
        let purposes = match (asset.purposes, cover.purposes) {
            (Some(a), Some(b)) => Some(purposes_common(&a, &b)),
            (a, b) => a.or(b),
        };
        let territories = match (asset.territories, cover.territories) {
            (Some(a), Some(b)) => Some(narrow(&a, &b)),
            (a, b) => a.or(b),
        };
        let listing = Listing {
            asset: e.asset,
            seller: act.author.clone(),
            exchange: e.exchange.clone(),
            fee_bp: e.fee_bp,
            grants: e.operation_grants.to_vec(),
            purposes,
            territories,
            standing: ListingStanding::Pending,
        };
        self.listings.insert(id, listing);
        Ok(())
    }

    /// Fails when the ancestry of a product has too many edges.
    fn within_ancestry(&self, product: &AssetId) -> Verdict {
        let above: BTreeSet<AssetId> = self.ancestry(product);
        let edges: usize = above.iter().map(|id| self.assets[id].inputs.len()).sum();
        need(edges <= self.rulebook.max_ancestry_edges as usize, Code::AncestryTooLarge)
    }

    /// What the rights that a listing was made under allow now; fails when its seller may not sell.
    fn sellable(&self, listing: &Listing) -> Result<Cover, Code> {
        self.in_force(&listing.asset)?;
        self.usable(&listing.asset)?;
        let epoch = self.epoch(&listing.asset, Right::Operation);
        let seller = self.acting(&listing.seller);
        let acts = match epoch.threshold {
            None => self.acting(&epoch.manager) == seller,
            Some(_) => epoch.owners.keys().any(|owner| self.acting(owner) == seller),
        };
        need(acts, Code::NotRightManager)?;
        let lasts = epoch.owners.iter().any(|(owner, parts)| {
            let acts = epoch.threshold.is_some() || *owner == epoch.manager;
            let awarded = self.awarded_to(&listing.asset, Right::Operation, owner);
            acts && self.acting(owner) == seller && u32::from(*parts) > awarded
        });
        need(lasts, Code::PartsHeld)?;
        self.title(epoch)?;
        self.not_reserved(&listing.seller, &listing.asset, GrantRight::Operation, None)?;
        self.cover(&listing.seller, &listing.asset, &listing.grants)
    }

    pub fn review_listing(&mut self, act: &Act<'_>, e: &ReviewListing) -> Verdict {
        let listing = self.listings.get(&e.listing).ok_or(Code::UnknownListing)?.clone();
        need(self.is(act.author, &listing.exchange), Code::NotListingExchange)?;
        need(!self.related(act.author, &listing.seller), Code::NotIndependent)?;
        self.apart_from_owners(act.author, &listing.asset)?;
        need(listing.standing == ListingStanding::Pending, Code::ListingClosed)?;
        let standing = match e.decision {
            Decision::Accept => {
                self.in_force(&listing.asset)?;
                self.takes_business(&listing.exchange)?;
                self.not_suspended(&listing.seller)?;
                need(listing.fee_bp <= self.rulebook.fee_cap_bp, Code::FeeTooHigh)?;
                self.passed(&listing)?;
                ListingStanding::Accepted
            }
            Decision::Reject => ListingStanding::Rejected,
        };
        self.listings.get_mut(&e.listing).unwrap().standing = standing;
        Ok(())
    }

    pub fn delist(&mut self, act: &Act<'_>, id: &ListingId) -> Verdict {
        let listing = self.listings.get(id).ok_or(Code::UnknownListing)?.clone();
        let may = self.is(act.author, &listing.seller)
            || self.is(act.author, &listing.exchange)
            || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotConcerned)?;
        let open = matches!(listing.standing, ListingStanding::Pending | ListingStanding::Accepted);
        need(open, Code::ListingEnded)?;
        self.listings.get_mut(id).unwrap().standing = ListingStanding::Delisted;
        Ok(())
    }

    fn listed(&self, id: &ListingId) -> Result<Listing, Code> {
        let listing = self.listings.get(id).ok_or(Code::UnknownListing)?.clone();
        match listing.standing {
            ListingStanding::Accepted => Ok(listing),
            ListingStanding::Pending | ListingStanding::Rejected => {
                refuse(Code::ListingNotAccepted)
            }
            ListingStanding::Delisted => refuse(Code::ListingEnded),
        }
    }

    /// What is allowed now of a listing that is still sold from.
    fn still_sold(&self, listing: &Listing) -> Result<Cover, Code> {
        let cover = self.sellable(listing)?;
        self.passed(listing)?;
        Ok(cover)
    }

    /// Neither a regulator nor the listing's exchange says no, and where the rulebook wants it
    /// somebody says yes.
    fn passed(&self, listing: &Listing) -> Verdict {
        let reviews = &self.assets[&listing.asset].reviews;
        let mut standing = reviews.iter().filter(|r| r.stands);
        let own = |r: &Review| self.acting(&r.by) == self.acting(&listing.exchange);
        let rejected = standing.clone().any(|r| !r.accepts && own(r));
        need(!rejected && !self.binding_no(reviews), Code::ComplianceRequired)?;
        let passed = standing.any(|r| r.accepts) || !self.rulebook.require_compliance;
        need(passed, Code::ComplianceRequired)
    }

    /// Whether the newest review that counts is the no of a regulator.
    fn binding_no(&self, reviews: &[Review]) -> bool {
        let newest = reviews.iter().rfind(|r| r.counts);
        newest.is_some_and(|r| !r.accepts && self.has_role(&r.by, Role::Regulator))
    }

    pub fn apart_from_owners(&self, member: &Handle, asset: &AssetId) -> Verdict {
        let mut owners = Right::ALL.iter().flat_map(|r| self.epoch(asset, *r).owners.keys());
        need(!owners.any(|o| self.related(member, o)), Code::NotIndependent)
    }

    pub fn review_compliance(&mut self, act: &Act<'_>, e: &ReviewCompliance) -> Verdict {
        let asset = self.in_force(&e.asset)?;
        let roles = [Role::Exchange, Role::Appraiser, Role::Regulator];
        need(roles.iter().any(|r| self.has_role(act.author, *r)), Code::RoleRequired)?;
        need(!self.related(act.author, &asset.author), Code::NotIndependent)?;
        self.apart_from_owners(act.author, &e.asset)?;
        let regulator = self.has_role(act.author, Role::Regulator);
        need(!self.binding_no(&asset.reviews) || regulator, Code::RoleRequired)?;
        need((1..=5).contains(&e.rights_level), Code::OutOfRange)?;
        let accepts = e.decision == Decision::Accept;
        let here = |l: &Listing| l.asset == e.asset && l.exchange == *act.author;
        let stands = |l: &Listing| {
            matches!(l.standing, ListingStanding::Pending | ListingStanding::Accepted)
        };
        let listed = self.listings.values().any(|l| here(l) && stands(l));
        let mut reviews = asset.reviews.clone();
        let mut takes_back = false;
        for review in reviews.iter_mut().filter(|r| r.stands && self.is(act.author, &r.by)) {
            takes_back |= review.accepts;
            review.stands = false;
        }
        let counts = accepts || listed || regulator || takes_back;
        reviews.push(Review { by: act.author.clone(), accepts, stands: true, counts });
        self.assets.get_mut(&e.asset).unwrap().reviews = reviews;
        Ok(())
    }

    pub fn propose(&mut self, act: &Act<'_>, id: ContractId, e: &ProposeContract) -> Verdict {
        let listing = self.listings.get(&e.listing).ok_or(Code::UnknownListing)?.clone();
        need(self.is(act.author, &listing.seller), Code::NotSeller)?;
        let listing = self.listed(&e.listing).map(|_| listing)?;
        let cover = self.sellable(&listing)?;
        self.disposes(act, &listing.asset, Right::Operation)?;
        need(listing.fee_bp <= self.rulebook.fee_cap_bp, Code::FeeTooHigh)?;
        self.passed(&listing)?;
        self.known(&e.buyer)?;
        self.three([&listing.seller, &e.buyer, &listing.exchange])?;
        self.parties_fit([&listing.seller, &e.buyer, &listing.exchange])?;
        need(e.schedule == self.schedule_hash(&listing.asset), Code::ScheduleMismatch)?;
        need(e.price <= MAX_AMOUNT, Code::AmountOutOfRange)?;
        let sum: u128 = e.instalments.iter().map(|i| u128::from(i.amount)).sum();
        let ordered = e.instalments.windows(2).all(|w| w[0].due_ms < w[1].due_ms);
        let whole = e.instalments.is_empty() || sum == u128::from(e.price);
        let each = e.instalments.iter().all(|i| i.amount > 0);
        need(ordered && whole && each, Code::InstalmentsInvalid)?;
        self.licence_within(&listing, &cover, &e.licence)?;
        need(e.sign_by_ms >= self.now, Code::ContractExpired)?;
        if e.price > 0 {
            self.takes_money(&listing.asset, &listing.exchange, &e.currency)?;
        }
        let conflict = self.licence_conflict(&listing.asset, &e.licence, &e.buyer);
        need(!conflict, Code::LicenceConflict)?;
        let contract = Contract {
            listing: e.listing,
            asset: listing.asset,
            seller: listing.seller,
            buyer: e.buyer.clone(),
            exchange: listing.exchange,
            price: e.price,
            currency: e.currency,
            fee_bp: listing.fee_bp,
            licence: e.licence.clone(),
            sign_by: e.sign_by_ms,
            signed: BTreeSet::new(),
            keys: vec![(act.signer, self.now)],
            standing: ContractStanding::Open,
            wants_end: BTreeMap::new(),
            in_arrears: false,
            instalments: e.instalments.iter().map(|i| (i.due_ms, i.amount)).collect(),
            delivered: None,
            confirmed: false,
        };
        self.contracts.insert(id, contract);
        Ok(())
    }

    fn parties_fit(&self, [seller, buyer, exchange]: [&Handle; 3]) -> Verdict {
        self.not_suspended(seller)?;
        self.not_suspended(buyer)?;
        self.takes_business(exchange)
    }

    /// Three members, as they act now.
    pub fn three(&self, parties: [&Handle; 3]) -> Verdict {
        let acting: BTreeSet<Handle> = parties.iter().map(|p| self.acting(p)).collect();
        need(acting.len() == 3, Code::SellerIsBuyer)
    }

    fn licence_within(&self, listing: &Listing, cover: &Cover, l: &Licence) -> Verdict {
        let inside = !l.purposes.is_empty()
            && distinct(&l.purposes)
            && !l.territories.is_empty()
            && distinct(&l.territories)
            && l.not_after_ms >= self.now
            && cover.end.is_none_or(|end| l.not_after_ms <= end)
            && [&listing.purposes, &cover.purposes]
                .into_iter()
                .all(|some| some.as_ref().is_none_or(|a| all_allowed(&l.purposes, a)))
            && [&listing.territories, &cover.territories].into_iter().all(|some| {
                let lies = |t: &Text, a: &Vec<Text>| a.iter().any(|o| covers(o, t));
                some.as_ref().is_none_or(|a| l.territories.iter().all(|t| lies(t, a)))
            });
        need(inside, Code::LicenceOutsideTerms)
    }

    /// The account of a product, an exchange and a currency is not closed.
    fn takes_money(&self, asset: &AssetId, exchange: &Handle, currency: &Currency) -> Verdict {
        let account = self.accounts.get(&account_id(asset, exchange, currency).unwrap());
        need(account.is_none_or(|a| a.closed.is_none()), Code::AccountClosed)
    }

    /// Until when a contract gives a licence, or one that it gave may come back on appeal.
    pub fn licensed_until(&self, id: &ContractId, contract: &Contract) -> Option<u64> {
        let own = contract.licence.not_after_ms;
        let of_ruling = |d: &Dispute| {
            let ended = d.rulings.first().filter(|r| r.ruling == Ruling::EndContract)?;
            match d.standing {
                DisputeStanding::Ruled => (self.now <= ended.appeal_until).then_some(own),
                DisputeStanding::Appealed => Some(own),
                DisputeStanding::Open | DisputeStanding::Final => None,
            }
        };
        let disputed = |d: &&Dispute| d.subject == Subject::Contract(*id);
        let end = if contract.standing == ContractStanding::Open {
            Some(own)
        } else {
            self.disputes.values().filter(disputed).filter_map(of_ruling).max()
        };
        end.filter(|end| contract.signed.len() == 2 && self.now <= *end)
    }

    /// Whether a licence meets another of the product where one of the two is exclusive, or one that
    /// is exclusive an exclusive grant that may come back.
    fn licence_conflict(&self, asset: &AssetId, licence: &Licence, buyer: &Handle) -> bool {
        let may_come_back = licence.exclusive
            && self.grants.iter().any(|(id, g)| {
                g.right == GrantRight::Operation
                    && g.parent.is_none()
                    && g.standing == Standing::Voided
                    && g.terms.exclusivity == Exclusivity::Exclusive
                    && self.grant_may_come_back(id)
                    && self.now <= g.end
                    && self.covers_asset(g, asset)
                    && g.terms.not_before_ms <= licence.not_after_ms
                    && purposes_meet(&g.terms.purposes, &licence.purposes)
                    && g.terms
                        .territories
                        .iter()
                        .any(|a| licence.territories.iter().any(|b| meet(a, b)))
                    && self.acting(&g.grantee) != self.acting(buyer)
            });
        let own = self.contracts.iter().any(|(id, c)| {
            c.asset == *asset
                && self.licensed_until(id, c).is_some()
                && (c.licence.exclusive || licence.exclusive)
                && purposes_meet(&c.licence.purposes, &licence.purposes)
                && c.licence
                    .territories
                    .iter()
                    .any(|a| licence.territories.iter().any(|b| meet(a, b)))
        });
        own || may_come_back
    }

    pub fn contract(&self, id: &ContractId) -> Result<Contract, Code> {
        self.contracts.get(id).cloned().ok_or(Code::UnknownContract)
    }

    pub fn sign(
        &mut self,
        act: &Act<'_>,
        id: &ContractId,
        schedule: headwater_ledger::hash::Digest,
    ) -> Verdict {
        let contract = self.contract(id)?;
        let parties = [("buyer", &contract.buyer), ("exchange", &contract.exchange)];
        let acts = parties.iter().filter(|(_, member)| self.is(act.author, member));
        let acts: BTreeSet<&str> = acts.map(|(party, _)| *party).collect();
        need(!acts.is_empty(), Code::NotContractParty)?;
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        need(acts.iter().any(|party| !contract.signed.contains(party)), Code::AlreadySigned)?;
        need(schedule == self.schedule_hash(&contract.asset), Code::ScheduleMismatch)?;
        need(self.now <= contract.sign_by, Code::ContractExpired)?;
        let listing = self.listed(&contract.listing)?;
        let cover = self.still_sold(&listing)?;
        self.licence_within(&listing, &cover, &contract.licence)?;
        let parties = [&contract.seller, &contract.buyer, &contract.exchange];
        self.three(parties)?;
        self.parties_fit(parties)?;
        need(!contract.keys.iter().any(|by| self.compromised(*by)), Code::Contested)?;
        let Contract { asset, exchange, currency, .. } = &contract;
        if contract.price > 0 {
            self.takes_money(asset, exchange, currency)?;
        }
        let signed: BTreeSet<&str> = contract.signed.union(&acts).copied().collect();
        if signed.len() == 2 {
            let (asset, buyer) = (&contract.asset, &contract.buyer);
            let conflict = self.licence_conflict(asset, &contract.licence, buyer);
            need(!conflict, Code::LicenceConflict)?;
        }
        if signed.len() == 2 && contract.price > 0 {
            let id = account_id(asset, exchange, currency).unwrap();
            let (product, exchange) = (*asset, exchange.clone());
            self.accounts.entry(id).or_insert(Account {
                product,
                exchange,
                open_until: 0,
                closed: None,
            });
        }
        let now = self.now;
        let held = self.contracts.get_mut(id).unwrap();
        held.signed = signed;
        held.keys.push((act.signer, now));
        Ok(())
    }

    pub fn end_unsigned(&mut self, act: &Act<'_>, id: &ContractId, by_seller: bool) -> Verdict {
        let contract = self.contract(id)?;
        let standing = if by_seller {
            need(self.is(act.author, &contract.seller), Code::NotSeller)?;
            ContractStanding::Withdrawn
        } else {
            let party =
                self.is(act.author, &contract.buyer) || self.is(act.author, &contract.exchange);
            need(party, Code::NotContractParty)?;
            ContractStanding::Declined
        };
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        need(contract.signed.len() < 2, Code::ContractSigned)?;
        self.contracts.get_mut(id).unwrap().standing = standing;
        Ok(())
    }

    pub fn paid(&self, id: &ContractId) -> u64 {
        self.payments.iter().filter(|p| p.contract == *id && !p.void).map(|p| p.gross).sum()
    }

    pub fn terminate(&mut self, act: &Act<'_>, id: &ContractId) -> Verdict {
        let contract = self.contract(id)?;
        let seller = self.is(act.author, &contract.seller);
        let buyer = self.is(act.author, &contract.buyer);
        let exchange = self.is(act.author, &contract.exchange);
        need(seller || buyer || exchange, Code::NotContractParty)?;
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        need(contract.signed.len() == 2, Code::ContractNotSigned)?;
        let due = contract.instalments.iter().filter(|(due, _)| *due < self.now);
        let overdue = exchange && due.map(|(_, amount)| amount).sum::<u64>() > self.paid(id);
        let now = self.now;
        let held = self.contracts.get_mut(id).unwrap();
        held.wants_end.retain(|_, at| now <= *at + APPROVAL_MS);
        let before = held.wants_end.len();
        for (says, who) in [(seller, "seller"), (buyer, "buyer")] {
            if says {
                held.wants_end.entry(who).or_insert(now);
            }
        }
        need(overdue || held.wants_end.len() > before, Code::TerminationNotAllowed)?;
        let agreed = held.wants_end.len() == 2;
        if overdue || agreed {
            held.standing = ContractStanding::Terminated;
            held.in_arrears = !agreed;
        }
        Ok(())
    }

    pub fn deliver(&mut self, act: &Act<'_>, id: &ContractId) -> Verdict {
        let contract = self.contract(id)?;
        need(self.is(act.author, &contract.seller), Code::NotSeller)?;
        need(contract.standing == ContractStanding::Open, Code::ContractClosed)?;
        need(contract.signed.len() == 2, Code::ContractNotSigned)?;
        self.in_force(&contract.asset)?;
        need(contract.delivered.is_none(), Code::AlreadyDelivered)?;
        let deemed_from = self.now.saturating_add(self.rulebook.deemed_delivery_ms);
        self.contracts.get_mut(id).unwrap().delivered = Some(deemed_from);
        Ok(())
    }

    pub fn confirm(&mut self, act: &Act<'_>, id: &ContractId) -> Verdict {
        let contract = self.contract(id)?;
        let buyer = self.is(act.author, &contract.buyer);
        let other =
            self.is(act.author, &contract.seller) || self.is(act.author, &contract.exchange);
        need(buyer || other, Code::NotBuyer)?;
        need(contract.signed.len() == 2, Code::ContractNotSigned)?;
        let open = contract.standing == ContractStanding::Open || contract.in_arrears;
        need(buyer || open, Code::ContractClosed)?;
        need(!contract.confirmed, Code::AlreadyConfirmed)?;
        if !buyer {
            let deemed = self.now >= contract.delivered.ok_or(Code::NotDelivered)?;
            let disputed = self
                .disputes
                .values()
                .any(|d| !self.is_final(d) && self.contract_of(&d.subject) == Some(*id));
            need(deemed && !disputed, Code::DeliveryNotDeemed)?;
        }
        self.contracts.get_mut(id).unwrap().confirmed = true;
        if let Some(paid) = self.payments.iter().find(|p| p.contract == *id && !p.void) {
            let account = paid.account;
            self.keep_open(&account);
        }
        Ok(())
    }

    /// The purposes that a listing allows, for making licences.
    pub fn sold_for(&self, listing: &ListingId) -> Vec<Purpose> {
        let listing = &self.listings[listing];
        listing.purposes.clone().unwrap_or_else(|| vec![Purpose::Commercial])
    }
}
