//! Acts of the market: listings, contracts, money.

use std::collections::BTreeSet;

use headwater_ledger::event::Event;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::market::{
    CloseAccount, ConfirmDelivery, Decision, DeclineContract, Instalment, Licence, ListProduct,
    ProposeContract, ProvedClaim, ProvedLine, RecordDelivery, RecordPayment, RecordPayout,
    RefundPayment, ReviewListing, SetOffOverpayment, SignContract, TerminateContract, VoidPayment,
    WithdrawContract,
};
use headwater_ledger::hash::{AccountId, AssetId, ContractId, Digest};
use headwater_ledger::merkle::tree;
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
        let (exchange, fee_bp) = (self.exchange(), self.random.below(3_200) as u16);
        let e = ListProduct { asset, exchange, fee_bp, operation_grants };
        Some((seller, Event::ListProduct(e)))
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
        let all: Vec<_> = self
            .naive
            .listings
            .iter()
            .filter(|(_, l)| l.standing == ListingStanding::Accepted)
            .map(|(id, _)| *id)
            .collect();
        let id = self.random.pick(&all)?;
        let listing = self.naive.listings[&id].clone();
        let price = if self.random.in_ten(1) { 0 } else { 1 + self.random.below(100_000_000) };
        let mut instalments = Vec::new();
        if price > 2 && self.random.in_ten(3) {
            let first = 1 + self.random.below(price - 1);
            let due_ms = self.naive.now + DAY_MS;
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
                exclusive: self.random.in_ten(1),
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
        self.random.pick(&open)
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

    pub(super) fn reference(&mut self) -> headwater_ledger::text::Code {
        let number = if self.random.below(30) == 0 { 1 } else { self.random.next() };
        format!("REF-{number}").parse().unwrap()
    }

    pub(super) fn pay(&mut self) -> Made {
        let over = self.random.in_ten(1);
        let signed: Vec<ContractId> = self
            .naive
            .contracts
            .iter()
            .filter(|(id, c)| c.signed.len() == 2 && (c.price > self.naive.paid(id) || over))
            .map(|(id, _)| *id)
            .collect();
        let contract = self.random.pick(&signed)?;
        let held = self.naive.contracts[&contract].clone();
        let open = held.price - self.naive.paid(&contract);
        let gross = match self.random.below(12) {
            0 => open + 1,
            1..=4 => open,
            _ => 1 + self.random.below(open),
        };
        let tax = self.random.below(gross + 1) / (1 + self.random.below(20));
        let bank_reference = self.reference();
        let e = RecordPayment { contract, gross, tax, currency: held.currency, bank_reference };
        Some((self.or_any(held.exchange), Event::RecordPayment(e)))
    }

    pub(super) fn refund(&mut self) -> Made {
        let all = self.naive.payments.clone();
        let payment = self.random.pick(&all)?;
        let exchange = self.naive.accounts[&payment.account].exchange.clone();
        let by = self.or_any(exchange);
        if self.random.in_ten(3) {
            return Some((by, Event::VoidPayment(VoidPayment { payment: payment.id })));
        }
        let mut part = |paid: u64, back: u64| match self.random.below(3) {
            0 => paid - back,
            1 => self.random.below(paid + 2),
            _ => self.random.below(paid - back + 1),
        };
        let net = part(payment.net, payment.back_net);
        let fee = part(payment.fee, payment.back_fee);
        let tax = part(payment.tax, payment.back_tax);
        let bank_reference = self.reference();
        let e = RefundPayment { payment: payment.id, net, fee, tax, bank_reference };
        Some((by, Event::RefundPayment(e)))
    }

    /// A claim of an account with its proof.
    pub(super) fn claim(&mut self, account: &AccountId) -> Option<ProvedClaim> {
        let product = self.naive.accounts[account].product;
        let claims: Vec<((AssetId, Right), u128)> =
            self.naive.schedule(&product).into_iter().collect();
        let index = self.random.below(claims.len() as u64) as usize;
        Some(proved(&claims, index))
    }

    pub(super) fn account(&mut self) -> Option<AccountId> {
        let all: Vec<AccountId> = self.naive.accounts.keys().copied().collect();
        self.random.pick(&all)
    }

    pub(super) fn payout(&mut self) -> Made {
        let account = self.account()?;
        let mut claim = self.claim(&account)?;
        if self.random.below(20) == 0 {
            claim.units += 1;
        }
        let owners: Vec<Handle> = self
            .naive
            .epochs(&claim.asset, claim.right)
            .iter()
            .flat_map(|e| e.owners.keys().cloned())
            .collect();
        let owner = self.random.pick(&owners)?;
        let owner = self.or_any(owner);
        let line = (claim.asset, claim.right, owner.clone());
        let payable = self.naive.balance(&account, u128::from(claim.units), &line).left;
        let payable = u64::try_from(payable.max(0)).unwrap();
        let amount = match self.random.below(4) {
            0 => payable + 1,
            1 => payable,
            _ => self.random.below(payable.max(1)) + 1,
        };
        let exchange = self.naive.accounts[&account].exchange.clone();
        let bank_reference = self.reference();
        let e = RecordPayout { account, claim, owner, amount, bank_reference };
        Some((self.or_any(exchange), Event::RecordPayout(e)))
    }

    /// A set-off, where a member has a line that was overpaid.
    pub(super) fn set_off(&mut self) -> Made {
        let accounts: Vec<AccountId> = self.naive.accounts.keys().copied().collect();
        let mut found = Vec::new();
        for account in accounts {
            let claims: Vec<_> =
                self.naive.schedule(&self.naive.accounts[&account].product).into_iter().collect();
            let mut lines = Vec::new();
            for (index, ((asset, right), units)) in claims.iter().enumerate() {
                let owners: BTreeSet<&Handle> =
                    self.naive.epochs(asset, *right).iter().flat_map(|e| e.owners.keys()).collect();
                for owner in owners {
                    let line = (*asset, *right, owner.clone());
                    let left = self.naive.balance(&account, *units, &line).left;
                    lines.push((index, owner.clone(), left));
                }
            }
            let acting = |owner: &Handle| self.naive.acting(owner);
            for to in lines.iter().filter(|l| l.2 < 0) {
                let own = lines.iter().filter(|l| acting(&l.1) == acting(&to.1) && l.2 > 0);
                found.extend(own.map(|from| (account, claims.clone(), from.clone(), to.clone())));
            }
            if self.random.below(12) == 0 {
                let line = |n: usize| lines.get(n).cloned();
                let at = self.random.below(lines.len() as u64 + 1) as usize;
                found.extend(line(0).zip(line(at)).map(|(a, b)| (account, claims, a, b)));
            }
        }
        let (account, claims, from, to) = self.random.pick(&found)?;
        let most = u64::try_from(from.2.min(-to.2).max(1)).unwrap();
        let amount = match self.random.below(6) {
            0 => most + 1,
            1 => self.random.below(most) + 1,
            _ => most,
        };
        let mut line = |(index, owner, _): (usize, Handle, i128)| {
            let mut claim = proved(&claims, index);
            claim.units += u64::from(self.random.below(40) == 0);
            ProvedLine { claim, owner: self.or_any(owner) }
        };
        let (from, to) = (line(from), line(to));
        let exchange = self.naive.accounts[&account].exchange.clone();
        let e = SetOffOverpayment { account, from, to, amount };
        Some((self.or_any(exchange), Event::SetOffOverpayment(e)))
    }

    pub(super) fn close(&mut self) -> Made {
        let account = self.account()?;
        let exchange = self.naive.accounts[&account].exchange.clone();
        Some((self.or_any(exchange), Event::CloseAccount(CloseAccount { account })))
    }
}

/// A claim of a schedule with its inclusion proof.
pub(super) fn proved(claims: &[((AssetId, Right), u128)], index: usize) -> ProvedClaim {
    let leaves: Vec<tree::Leaf> = claims
        .iter()
        .map(|((asset, right), units)| {
            let units = u64::try_from(*units).unwrap();
            tree::Leaf::of(&headwater_ledger::codec::encode(&(*asset, *right, units)).unwrap())
        })
        .collect();
    let path = tree::InclusionProof::of(&leaves, index).unwrap().path;
    let path: Vec<Digest> = path.iter().map(|hash| Digest::Blake3(*hash)).collect();
    let ((asset, right), units) = claims[index];
    ProvedClaim {
        asset,
        right,
        units: u64::try_from(units).unwrap(),
        index: index as u64,
        claims: claims.len() as u64,
        proof: list(&path),
    }
}
