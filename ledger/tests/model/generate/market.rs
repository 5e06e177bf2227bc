//! Acts of the market: listings, contracts, money.

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::market::{
    ConfirmDelivery, Decision, DeclineContract, Instalment, Licence, ListProduct, ProposeContract,
    RecordDelivery, ReviewListing, SignContract, TerminateContract, WithdrawContract,
};
use headwater_ledger::hash::{AssetId, ContractId, ListingId};
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::{DAY_MS, Made, Maker};
use crate::naive::{ContractStanding, ListingStanding};
use crate::world::{handle, list};

impl Maker {
    pub(super) fn exchange(&mut self) -> Handle {
        handle(if self.random.in_ten(7) { "gz-exchange" } else { "bj-exchange" })
    }

    pub(super) fn list(&mut self) -> Made {
        let products: Vec<AssetId> = self
            .naive
            .assets
            .iter()
            .filter(|(_, a)| a.stage == Stage::Product)
            .map(|(id, _)| *id)
            .collect();
        let asset = self.random.pick(&products)?;
        let seller = self.naive.acting(&self.naive.epoch(&asset, Right::Operation).manager);
        let seller = self.or_any(seller);
        let operation_grants = self.operation_grants(&seller);
        let listed = self.naive.listings.values().any(|l| {
            l.asset == asset
                && matches!(l.standing, ListingStanding::Pending | ListingStanding::Accepted)
        });
        let fits = !listed && self.naive.cover(&seller, &asset, &operation_grants).is_ok();
        if !fits && self.random.in_ten(8) {
            return self.operation_for(&asset, &seller);
        }
        let operation_grants = list(&operation_grants);
        let (exchange, fee_bp) = (self.exchange(), self.fee());
        let e = ListProduct { asset, exchange, fee_bp, operation_grants };
        Some((seller, Event::ListProduct(e)))
    }

    /// A listing by a member of a product that it operates.
    pub(super) fn sold_by(&mut self, seller: &Handle) -> Made {
        let operates =
            |id: &AssetId| self.naive.is(seller, &self.naive.epoch(id, Right::Operation).manager);
        let products = self.naive.assets.iter().filter(|(_, a)| a.stage == Stage::Product);
        let own = products.filter(|(id, _)| operates(id)).map(|(id, _)| *id);
        let own: Vec<AssetId> = own.collect();
        let asset = self.random.pick(&own)?;
        let seller = self.naive.acting(seller);
        let operation_grants = list(&self.operation_grants(&seller));
        let (exchange, fee_bp) = (self.exchange(), self.fee());
        let e = ListProduct { asset, exchange, fee_bp, operation_grants };
        Some((seller, Event::ListProduct(e)))
    }

    /// A fee: exactly the highest, more, or less.
    fn fee(&mut self) -> u16 {
        let cap = self.naive.rulebook.fee_cap_bp;
        match self.random.below(12) {
            0 => cap + 1,
            1 | 2 => cap,
            _ => self.random.below(u64::from(cap) + 1) as u16,
        }
    }

    pub(super) fn review(&mut self) -> Made {
        let pending: Vec<_> = self
            .naive
            .listings
            .iter()
            .filter(|(_, l)| l.standing == ListingStanding::Pending)
            .map(|(id, l)| (*id, l.exchange.clone()))
            .collect();
        let (listing, exchange) = self.random.pick(&pending)?;
        let decision = if self.random.in_ten(9) { Decision::Accept } else { Decision::Reject };
        Some((self.or_any(exchange), Event::ReviewListing(ReviewListing { listing, decision })))
    }

    pub(super) fn propose(&mut self) -> Made {
        let now = self.naive.now;
        let mut open = self.naive.contracts.values().filter(|c| {
            c.standing == ContractStanding::Open && c.signed.len() < 2 && c.sign_by >= now
        });
        if open.next().is_some() && self.random.in_ten(6) {
            return self.contract_life();
        }
        let signed = self.naive.contracts.iter().filter(|(_, c)| c.signed.len() == 2);
        let signed: Vec<ContractId> = signed.map(|(id, _)| *id).collect();
        if let Some(like) = self.random.pick(&signed)
            && self.random.in_ten(2)
        {
            return self.propose_like(like);
        }
        let all: Vec<_> = self
            .naive
            .listings
            .iter()
            .filter(|(_, l)| l.standing == ListingStanding::Accepted)
            .map(|(id, _)| *id)
            .collect();
        let id = self.random.pick(&all)?;
        self.propose_from(id)
    }

    /// A contract on terms like one before, exclusive or not.
    pub(super) fn propose_like(&mut self, like: ContractId) -> Made {
        let held = self.naive.contracts[&like].clone();
        let (by, event) = self.propose_from(held.listing)?;
        let Event::ProposeContract(mut e) = event else { return Some((by, event)) };
        e.licence.purposes = held.licence.purposes;
        e.licence.territories = held.licence.territories;
        e.licence.exclusive = !held.licence.exclusive || self.random.in_ten(5);
        Some((by, Event::ProposeContract(e)))
    }

    fn propose_from(&mut self, id: ListingId) -> Made {
        let listing = self.naive.listings[&id].clone();
        let price = if self.random.in_ten(1) { 0 } else { 1 + self.random.below(100_000_000) };
        let mut instalments = Vec::new();
        if price > 2 && self.random.in_ten(5) {
            let first = 1 + self.random.below(price - 1);
            let due_ms = self.naive.now + self.random.below(20) * DAY_MS;
            instalments.push(Instalment { amount: first, due_ms });
            instalments.push(Instalment { amount: price - first, due_ms: due_ms + 30 * DAY_MS });
        }
        let territories = match &listing.territories {
            Some(allowed) if !allowed.is_empty() => allowed.clone(),
            _ => vec!["CN-GD".parse().unwrap()],
        };
        let purposes = self.naive.sold_for(&id);
        let end = self.naive.now + self.random.below(300) * DAY_MS;
        let e = ProposeContract {
            listing: id,
            buyer: if self.random.in_ten(7) { handle("cover-insurance") } else { self.member() },
            schedule: self.naive.schedule_hash(&listing.asset),
            price,
            currency: if self.random.in_ten(9) { "CNY" } else { "USD" }.parse().unwrap(),
            licence: Licence {
                purposes: list(&purposes),
                territories: list(&territories),
                not_after_ms: end,
                exclusive: self.random.in_ten(2),
            },
            sign_by_ms: self.naive.now + self.random.below(20) * DAY_MS,
            instalments: list(&instalments),
        };
        Some((self.or_any(listing.seller), Event::ProposeContract(e)))
    }

    pub(super) fn open_contract(&mut self) -> Option<ContractId> {
        let late = self.random.in_ten(1);
        let open: Vec<ContractId> = self
            .naive
            .contracts
            .iter()
            .filter(|(_, c)| c.standing == ContractStanding::Open || c.sign_by % 7 == 0)
            .filter(|(_, c)| c.signed.len() == 2 || c.sign_by >= self.naive.now || late)
            .filter(|(_, c)| !c.confirmed || late)
            .map(|(id, _)| *id)
            .collect();
        // Rather one that has come far.
        let signed = |id: &ContractId| self.naive.contracts[id].signed.len();
        let most = open.iter().map(signed).max()?;
        let far: Vec<ContractId> = open.iter().copied().filter(|id| signed(id) == most).collect();
        let usual = self.random.in_ten(6);
        self.random.pick(if usual { &far } else { &open })
    }

    pub(super) fn contract_life(&mut self) -> Made {
        let contract = self.open_contract()?;
        let held = self.naive.contracts[&contract].clone();
        if held.signed.len() < 2 {
            let schedule = self.naive.schedule_hash(&held.asset);
            let party = if held.signed.contains("buyer") { held.exchange } else { held.buyer };
            let party = self.or_any(party);
            return Some(match self.random.below(20) {
                0 => (party, Event::DeclineContract(DeclineContract { contract })),
                1 => {
                    let by = self.or_any(held.seller);
                    (by, Event::WithdrawContract(WithdrawContract { contract }))
                }
                _ => (party, Event::SignContract(SignContract { contract, schedule })),
            });
        }
        if self.random.below(14) == 0 {
            let by = self.random.pick(&[held.seller, held.buyer, held.exchange])?;
            return Some((by, Event::TerminateContract(TerminateContract { contract })));
        }
        if held.delivered.is_none() {
            let delivered = self.digest();
            let by = self.or_any(held.seller);
            return Some((by, Event::RecordDelivery(RecordDelivery { contract, delivered })));
        }
        let by = if self.random.in_ten(8) { held.buyer } else { held.exchange };
        Some((by, Event::ConfirmDelivery(ConfirmDelivery { contract })))
    }
}
