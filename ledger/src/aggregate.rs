//! The rules for aggregates of many sources. Implements [LED-AGG-1] to [LED-AGG-3].

use crate::codec::List;
use crate::event::aggregate::{PaySource, SealSources, SumNode};
use crate::execute::Act;
use crate::hash::{AccountId, AggregateId, Digest};
use crate::limits::{MAX_AMOUNT, MAX_PROOF, MAX_SOURCES, MAX_WEIGHT_SUM};
use crate::merkle::sum::{Node, Tree, climb};
use crate::payment::{named_account, use_reference};
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{AggregateRecord, LineRecord, Records};
use crate::state::{Key, View};
use crate::text::Handle;
use crate::words::money;

/// `seal_sources`.
pub(crate) fn seal(act: &mut Act<'_>, e: &SealSources) -> Result<(), Refusal> {
    crate::asset::named(act, &e.asset)?;
    let weights = u64::from(e.sources)..=MAX_WEIGHT_SUM;
    if !(1..=MAX_SOURCES).contains(&e.sources) || !weights.contains(&e.total_weight) {
        let text = format!("{} sources with a weight of {} together", e.sources, e.total_weight);
        return Err(Reject::new(Code::AggregateInvalid, text).into());
    }
    let owner = owner_to_seal(act, e)?;
    let id = AggregateId::from_digest(*act.event.digest());
    act.state.put(&Key::SealedBy(e.asset, e.right, owner.clone()), &id)?;
    let record = AggregateRecord {
        asset: e.asset,
        right: e.right,
        owner,
        root: e.root,
        sources: e.sources,
        total_weight: e.total_weight,
        paid: false,
        height: act.context.height,
    };
    act.state.put(&Key::Aggregate(id), &record)?;
    act.effects.created.push(Missing::Aggregate(id));
    Ok(())
}

/// The first owner of the right, in order of handle, that the author acts for and whose part has
/// no sources yet; when all have, the first of whose sources none was paid: they are sealed anew.
fn owner_to_seal(act: &Act<'_>, e: &SealSources) -> Result<Handle, Refusal> {
    let asset = crate::asset::named(act, &e.asset)?;
    let current = act.state.right(&e.asset, &asset, e.right)?.epoch;
    let (mut is_sealed, mut unpaid) = (false, None);
    for owner in act.state.epoch(&e.asset, &asset, e.right, current)?.owners {
        if !act.is(&owner.member)? {
            continue;
        }
        let sealed = act.state.get(&Key::SealedBy(e.asset, e.right, owner.member.clone()))?;
        let Some(sealed) = sealed else { return Ok(owner.member) };
        if unpaid.is_none() && !named(act, &sealed)?.paid {
            unpaid = Some(owner.member);
        }
        is_sealed = true;
    }
    if let Some(owner) = unpaid {
        return Ok(owner);
    }
    if is_sealed {
        let text = format!("the sources of {} are sealed, and one of them was paid", act.author);
        return Err(Reject::new(Code::AlreadySealed, text).into());
    }
    let text = format!("{} owns no part of the {} right", act.author, e.right);
    Err(Reject::new(Code::NotOwner, text).into())
}

/// `pay_source`.
pub(crate) fn pay(act: &mut Act<'_>, e: &PaySource) -> Result<(), Refusal> {
    let aggregate = named(act, &e.aggregate)?;
    if !act.is(&aggregate.owner)? {
        let text = format!("{} sealed it", aggregate.owner);
        return Err(Reject::new(Code::NotAggregateOwner, text).into());
    }
    let sealed = Key::SealedBy(aggregate.asset, aggregate.right, aggregate.owner.clone());
    if act.state.get(&sealed)? != Some(e.aggregate) {
        let text = "the sources were sealed anew since";
        return Err(Reject::new(Code::AlreadySealed, text).into());
    }
    let currency = named_account(act, &e.account)?.currency;
    if !(1..=MAX_AMOUNT).contains(&e.amount) {
        let text = format!("{} for a source", money(e.amount, &currency));
        return Err(Reject::new(Code::AmountOutOfRange, text).into());
    }
    check_source(&aggregate, e)?;
    let part = part(act.state, &aggregate, &e.account, e.weight)?;
    let key = Key::SourcePaid(e.aggregate, e.account, e.source);
    let paid: u64 = act.state.get(&key)?.unwrap_or(0);
    let after = paid.checked_add(e.amount).filter(|after| u128::from(*after) <= part);
    let Some(after) = after else {
        let part = i128::try_from(part).unwrap_or(i128::MAX);
        let [asked, paid, part] =
            [e.amount.into(), paid.into(), part].map(|n: i128| money(n, &currency));
        let text = format!("{asked} after {paid}, its part so far is {part}");
        return Err(Reject::new(Code::SourceAboveDue, text).into());
    };
    use_reference(act, &aggregate.owner, &e.bank_reference)?;
    act.state.put(&key, &after)?;
    if aggregate.paid {
        return Ok(());
    }
    let aggregate = AggregateRecord { paid: true, ..aggregate };
    Ok(act.state.put(&Key::Aggregate(e.aggregate), &aggregate)?)
}

/// What a source of this weight may have of what its owner has had on an account so far.
pub(crate) fn part<V: View>(
    view: &V,
    aggregate: &AggregateRecord,
    account: &AccountId,
    weight: u64,
) -> Result<u128, Fault> {
    let AggregateRecord { asset, right, owner, .. } = aggregate;
    let line: Option<LineRecord> =
        view.get(&Key::PaidLine(*account, *asset, *right, owner.clone()))?;
    line.unwrap_or_default()
        .received()
        .checked_mul(weight.into())
        .and_then(|scaled| scaled.checked_div(aggregate.total_weight.into()))
        .ok_or_else(|| Fault("the part of a source overflows".into()))
}

fn named(act: &Act<'_>, id: &AggregateId) -> Result<AggregateRecord, Refusal> {
    Ok(act.state.get(&Key::Aggregate(*id))?.ok_or_else(|| {
        let text = format!("aggregate {id} is not recorded");
        Reject::missing(Code::UnknownAggregate, Missing::Aggregate(*id), text)
    })?)
}

/// Fails unless the source with this weight is among those that were sealed.
fn check_source(aggregate: &AggregateRecord, e: &PaySource) -> Result<(), Reject> {
    let path: Vec<Node> = e.proof.iter().map(|n| Node { hash: n.hash, sum: n.sum }).collect();
    let place = (e.index, u64::from(aggregate.sources));
    let root = Node { hash: aggregate.root, sum: aggregate.total_weight };
    let found = climb(Node::leaf(&e.source, e.weight), place, &path);
    if e.weight >= 1 && found == Some(root) {
        return Ok(());
    }
    Err(Reject::new(Code::SourceNotProved, "no such source is among those that were sealed"))
}

/// Sources with their weights, for whoever seals and pays them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    tree: Tree,
    root: Node,
}

impl Sources {
    /// The sources, in order, each with its weight. `None` unless they can be sealed: 1 to
    /// `MAX_SOURCES` of them, each with a weight of at least 1, at most 10^16 together.
    pub fn new(sources: &[(Digest, u64)]) -> Option<Self> {
        let fit = u32::try_from(sources.len()).is_ok_and(|n| n <= MAX_SOURCES);
        if !fit || sources.iter().any(|(_, weight)| *weight == 0) {
            return None;
        }
        let leaves = sources.iter().map(|(source, weight)| Node::leaf(source, *weight));
        let tree = Tree::new(leaves.collect())?;
        let root = tree.root().filter(|root| root.sum <= MAX_WEIGHT_SUM)?;
        Some(Sources { tree, root })
    }

    /// The root to seal.
    pub fn root(&self) -> Digest {
        self.root.hash
    }

    /// The sum of the weights.
    pub fn total_weight(&self) -> u64 {
        self.root.sum
    }

    /// The proof of the source at `index`; `None` when there is none.
    pub fn proof(&self, index: usize) -> Option<List<SumNode, MAX_PROOF>> {
        let path = self.tree.path(index)?;
        let path = path.into_iter().map(|n| SumNode { hash: n.hash, sum: n.sum }).collect();
        List::new(path).ok()
    }
}
