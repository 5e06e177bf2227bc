//! Aggregates in the naive model: sources sealed by a root, each paid its part by a proof. A root is
//! one of a few trees, whose sources are known here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use headwater_ledger::event::aggregate::{PaySource, SealSources, SumNode};
use headwater_ledger::hash::{AccountId, AggregateId, AssetId, Digest};
use headwater_ledger::limits::{MAX_AMOUNT, MAX_SOURCES, MAX_WEIGHT_SUM};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::naive::{Act, Line, Naive, Verdict, need, refuse};

/// The trees that can be sealed.
pub static TREES: LazyLock<Vec<Vec<(Digest, u64)>>> = LazyLock::new(|| {
    let tree = |size: u64| {
        let source = |n: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(size * 1_000 + n).to_le_bytes());
            (Digest::Blake3(bytes), 1 + n * n * size % 11)
        };
        (0..size).map(source).collect()
    };
    [1, 2, 3, 5, 8, 13].into_iter().map(tree).collect()
});

#[derive(Debug, Clone)]
pub struct Aggregate {
    pub asset: AssetId,
    pub right: Right,
    pub owner: Handle,
    pub root: Digest,
    pub sources: u32,
    pub total: u64,
    /// Whether another was sealed in its place.
    pub replaced: bool,
    /// What each source was paid of an account.
    pub paid: BTreeMap<(AccountId, Digest), u64>,
}

fn hashed(context: &str, parts: &[&[u8]]) -> Digest {
    Digest::Blake3(blake3::derive_key(context, &parts.concat()))
}

/// The node above some sources: its hash and the sum of their weights.
pub fn node(sources: &[(Digest, u64)]) -> SumNode {
    if let [(source, weight)] = sources {
        let parts: [&[u8]; 2] = [&source.to_bytes(), &weight.to_le_bytes()];
        let hash = hashed("headwater 2026-11 sum leaf", &parts);
        return SumNode { hash, sum: *weight };
    }
    let (left, right) = sources.split_at(left_of(sources.len()));
    let (a, b) = (node(left), node(right));
    let parts: [&[u8]; 4] =
        [a.hash.raw(), &a.sum.to_le_bytes(), b.hash.raw(), &b.sum.to_le_bytes()];
    SumNode { hash: hashed("headwater 2026-11 sum node", &parts), sum: a.sum + b.sum }
}

/// The largest power of two below a number of leaves.
fn left_of(leaves: usize) -> usize {
    let mut left = 1;
    while left * 2 < leaves {
        left *= 2;
    }
    left
}

/// The nodes beside the path of a source, from the leaf up.
pub fn path(sources: &[(Digest, u64)], index: usize) -> Vec<SumNode> {
    if sources.len() == 1 {
        return Vec::new();
    }
    let at = left_of(sources.len());
    let (left, right) = sources.split_at(at);
    let (mut nodes, beside) = if index < at {
        (path(left, index), node(right))
    } else {
        (path(right, index - at), node(left))
    };
    nodes.push(beside);
    nodes
}

impl Naive {
    pub fn seal(&mut self, act: &Act<'_>, id: AggregateId, e: &SealSources) -> Verdict {
        self.asset_named(&e.asset)?;
        let fits = (1..=MAX_SOURCES).contains(&e.sources)
            && u64::from(e.sources) <= e.total_weight
            && e.total_weight <= MAX_WEIGHT_SUM;
        need(fits, Code::AggregateInvalid)?;
        let owners = self.epoch(&e.asset, e.right).owners.keys();
        let own: Vec<Handle> = owners.filter(|o| self.is(act.author, o)).cloned().collect();
        need(!own.is_empty(), Code::NotOwner)?;
        let sealed = |owner: &Handle| {
            let of = |a: &Aggregate| (a.asset, a.right, &a.owner) == (e.asset, e.right, owner);
            let mut all = self.aggregates.iter();
            all.find(|(_, a)| of(a) && !a.replaced).map(|(id, a)| (*id, a.paid.is_empty()))
        };
        let new = own.iter().find(|o| sealed(o).is_none());
        let again = own.iter().find(|o| sealed(o).is_some_and(|(_, unpaid)| unpaid));
        let Some(owner) = new.or(again).cloned() else {
            return refuse(Code::AlreadySealed);
        };
        if let Some((before, _)) = sealed(&owner) {
            self.aggregates.get_mut(&before).unwrap().replaced = true;
        }
        let aggregate = Aggregate {
            asset: e.asset,
            right: e.right,
            owner,
            root: e.root,
            sources: e.sources,
            total: e.total_weight,
            replaced: false,
            paid: BTreeMap::new(),
        };
        self.aggregates.insert(id, aggregate);
        Ok(())
    }

    /// What an owner has had of a line's own money, wherever it was paid to him.
    pub fn had_of(&self, account: &AccountId, line: &Line) -> u128 {
        let had = self.paid_out(account, line) as i128 - self.set_off_with(account, line);
        had.max(0) as u128
    }

    /// What a source may have of an account, all in all.
    pub fn part_of_source(&self, of: &Aggregate, account: &AccountId, weight: u64) -> u128 {
        let line = (of.asset, of.right, of.owner.clone());
        self.had_of(account, &line) * u128::from(weight) / u128::from(of.total)
    }

    pub fn pay_source(&mut self, act: &Act<'_>, e: &PaySource) -> Verdict {
        let held = self.aggregates.get(&e.aggregate).ok_or(Code::UnknownAggregate)?.clone();
        need(self.is(act.author, &held.owner), Code::NotAggregateOwner)?;
        need(!held.replaced, Code::AlreadySealed)?;
        need(self.accounts.contains_key(&e.account), Code::UnknownAccount)?;
        need(1 <= e.amount && e.amount <= MAX_AMOUNT, Code::AmountOutOfRange)?;
        let tree = TREES.iter().find(|tree| node(tree).hash == held.root).expect("a known tree");
        let there = usize::try_from(e.index).ok().and_then(|n| Some((n, tree.get(n)?)));
        let proved = there.is_some_and(|(n, source)| {
            *source == (e.source, e.weight) && *path(tree, n) == *e.proof
        });
        let whole = held.total == node(tree).sum;
        need(proved && whole, Code::SourceNotProved)?;
        let before = held.paid.get(&(e.account, e.source)).copied().unwrap_or(0);
        let after = u128::from(before) + u128::from(e.amount);
        let part = self.part_of_source(&held, &e.account, e.weight);
        need(after <= part, Code::SourceAboveDue)?;
        self.use_reference(&held.owner, &e.bank_reference)?;
        let held = self.aggregates.get_mut(&e.aggregate).unwrap();
        *held.paid.entry((e.account, e.source)).or_insert(0) += e.amount;
        Ok(())
    }
}
