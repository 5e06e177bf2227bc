//! Acts of money: payments, refunds, payouts, closing; certificates and aggregates.

use std::collections::BTreeSet;

use headwater_ledger::event::Event;
use headwater_ledger::event::aggregate::{PaySource, SealSources};
use headwater_ledger::event::market::{
    CloseAccount, IssueCertificate, ProvedClaim, ProvedLine, RecordPayment, RecordPayout,
    RefundPayment, SetOffOverpayment, VoidCertificate, VoidPayment,
};
use headwater_ledger::hash::{AccountId, AggregateId, AssetId, ContractId, Digest};
use headwater_ledger::merkle::tree;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use super::{Made, Maker};
use crate::aggregate::{self, TREES};
use crate::world::list;

impl Maker {
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
            1 => open.saturating_sub(1),
            2..=5 => open,
            _ => 1 + self.random.below(open),
        };
        let tax = match self.random.below(20) {
            0 => gross,
            1 => gross + 1,
            n => self.random.below(gross + 1) / n,
        };
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

    /// The lines of which something is payable.
    fn payable(&self) -> Vec<(AssetId, Right, Handle)> {
        let mut found = Vec::new();
        for (id, account) in &self.naive.accounts {
            for ((asset, right), units) in self.naive.schedule(&account.product) {
                let owners = self.naive.epochs(&asset, right).iter().flat_map(|e| e.owners.keys());
                for owner in owners {
                    let line = (asset, right, owner.clone());
                    if self.naive.balance(id, units, &line).left > 0 {
                        found.push(line);
                    }
                }
            }
        }
        found
    }

    pub(super) fn payout(&mut self) -> Made {
        if self.random.in_ten(7)
            && let Some((asset, right, owner)) = self.random.pick(&self.payable())
        {
            return self.paid_to(asset, right, owner);
        }
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
        let owner = if self.random.below(12) > 0 { owner } else { self.member() };
        self.payout_of(account, claim, owner)
    }

    /// A payout on some line of a right, at some account.
    pub(super) fn paid_to(&mut self, asset: AssetId, right: Right, owner: Handle) -> Made {
        let accounts: Vec<AccountId> = self.naive.accounts.keys().copied().collect();
        let mut found = Vec::new();
        for account in accounts {
            let product = self.naive.accounts[&account].product;
            let claims: Vec<_> = self.naive.schedule(&product).into_iter().collect();
            if let Some(index) = claims.iter().position(|(c, _)| *c == (asset, right)) {
                found.push((account, proved(&claims, index)));
            }
        }
        let (account, claim) = self.random.pick(&found)?;
        self.payout_of(account, claim, owner)
    }

    fn payout_of(&mut self, account: AccountId, claim: ProvedClaim, owner: Handle) -> Made {
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

    /// A certificate of a trade that is done, or its end.
    pub(super) fn certificate(&mut self) -> Made {
        let all: Vec<_> = self.naive.certificates.keys().copied().collect();
        if let Some(certificate) = self.random.pick(&all)
            && self.random.in_ten(3)
        {
            let by = self.naive.certificates[&certificate].exchange.clone();
            let by = if self.random.in_ten(7) { self.or_any(by) } else { self.regulator() };
            let e = VoidCertificate { certificate, reason: self.digest() };
            return Some((by, Event::VoidCertificate(e)));
        }
        let usual = self.random.in_ten(8);
        let contracts = self.naive.contracts.iter();
        let due =
            contracts.filter(|(id, c)| !usual || c.confirmed && self.naive.paid(id) + 1 >= c.price);
        let due: Vec<ContractId> = due.map(|(id, _)| *id).collect();
        let contract = self.random.pick(&due)?;
        let by = self.naive.contracts[&contract].exchange.clone();
        Some((self.or_any(by), Event::IssueCertificate(IssueCertificate { contract })))
    }

    /// The sources of an owner's part are sealed, or one of them is paid.
    pub(super) fn aggregate(&mut self) -> Made {
        let all = self.naive.aggregates.iter();
        let odd = self.random.below(20) == 0;
        let all = all.filter(|(_, a)| odd || !a.replaced);
        let all: Vec<AggregateId> = all.map(|(id, _)| *id).collect();
        if let Some(aggregate) = self.random.pick(&all)
            && self.random.in_ten(7)
        {
            return self.pay_source(aggregate);
        }
        let paid: Vec<_> =
            self.naive.payouts.values().map(|p| (p.asset, p.right, p.owner.clone())).collect();
        let (asset, right, owner) = match self.random.pick(&paid) {
            Some(line) if self.random.in_ten(8) => line,
            _ => {
                let asset = self.asset()?;
                let right = Right::ALL[self.random.below(3) as usize];
                (asset, right, self.naive.epoch(&asset, right).manager.clone())
            }
        };
        let tree = &TREES[self.random.below(TREES.len() as u64) as usize];
        let root = aggregate::node(tree);
        let (mut sources, mut total_weight) = (tree.len() as u32, root.sum);
        match self.random.below(20) {
            0 => sources = 0,
            1 => total_weight = u64::from(sources) - 1,
            2 => total_weight += 1,
            _ => {}
        }
        let e = SealSources { asset, right, root: root.hash, sources, total_weight };
        Some((self.or_any(owner), Event::SealSources(e)))
    }

    fn pay_source(&mut self, aggregate: AggregateId) -> Made {
        let held = self.naive.aggregates[&aggregate].clone();
        let line = (held.asset, held.right, held.owner.clone());
        let accounts: Vec<AccountId> = self.naive.accounts.keys().copied().collect();
        let from = accounts.iter().filter(|a| self.naive.paid_out(a, &line) > 0);
        let from: Vec<AccountId> = from.copied().collect();
        let account = self.random.pick(if from.is_empty() { &accounts } else { &from })?;
        let tree = TREES.iter().find(|t| aggregate::node(t).hash == held.root)?;
        let due = |(source, weight): &(Digest, u64)| {
            let paid = held.paid.get(&(account, *source)).copied().unwrap_or(0);
            let part = self.naive.part_of_source(&held, &account, *weight);
            u64::try_from(part).unwrap().saturating_sub(paid)
        };
        let waiting: Vec<usize> = (0..tree.len()).filter(|n| due(&tree[*n]) > 0).collect();
        let any = self.random.below(tree.len() as u64) as usize;
        let index = self.random.pick(&waiting).unwrap_or(any);
        let (source, mut weight) = tree[index];
        let due = due(&tree[index]);
        let amount = match self.random.below(4) {
            0 => due + 1,
            1 => due,
            _ => 1 + self.random.below(due.max(1)),
        };
        let mut proof = aggregate::path(tree, index);
        match self.random.below(30) {
            0 => weight += 1,
            1 => proof.reverse(),
            _ => {}
        }
        let index = index as u64;
        let (proof, bank_reference) = (list(&proof), self.reference());
        let e =
            PaySource { aggregate, account, source, weight, index, proof, amount, bank_reference };
        Some((self.or_any(held.owner), Event::PaySource(e)))
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
