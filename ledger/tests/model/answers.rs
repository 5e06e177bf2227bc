//! Compares what can be asked of the ledger with what the model knows, but for the lines of money.

use std::collections::{BTreeMap, BTreeSet};

use headwater_ledger::hash::{AccountId, AssetId};
use headwater_ledger::query::{self, Direction, MemberStatement};
use headwater_ledger::reject::Fault;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::{
    ContractStatus, DisputeRecord, DisputeStatus, GrantStatus, ListingStatus, OfferRecord,
    OwnerLine, PayoutRecord, PayoutStatus, SetOffRecord,
};
use headwater_ledger::state::{Key, Records, View};
use headwater_ledger::text::Handle;

use crate::compare::same;
use crate::naive::{
    ContractStanding, DisputeStanding, Epoch, ListingStanding, Naive, PayoutStanding, Standing,
};
use crate::world::World;

fn fault(e: Fault) -> String {
    e.to_string()
}

/// Owners, grants, listings, contracts, disputes, lineage, and what members are told they have.
pub fn agree(world: &World, naive: &Naive) -> Result<(), String> {
    assets(world, naive)?;
    grants(world, naive)?;
    market(world, naive)?;
    disputes(world, naive)?;
    for member in naive.members.keys() {
        statement(world, naive, member)?;
    }
    Ok(())
}

fn assets(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, asset) in &naive.assets {
        let record = world.state.asset(id).map_err(fault)?.ok_or("an asset is missing")?;
        let shown = format!("{}/{}", asset.author, asset.name);
        same(format!("void {shown}"), record.void, asset.void)?;
        same(format!("version of {shown}"), record.version, asset.version)?;
        for right in Right::ALL {
            let head = world.state.right(id, &record, right).map_err(fault)?;
            let epoch: &Epoch = naive.epoch(id, right);
            let number = naive.epochs(id, right).len() - 1;
            same(format!("epoch of {shown} {right}"), head.epoch as usize, number)?;
            same(format!("manager of {shown} {right}"), &head.manager, &epoch.manager)?;
            let held = world.state.epoch(id, &record, right, head.epoch).map_err(fault)?;
            let owners: BTreeMap<_, _> =
                held.owners.iter().map(|o| (o.member.clone(), o.parts)).collect();
            same(format!("owners of {shown} {right}"), &owners, &epoch.owners)?;
        }
        lineage(world, naive, id)?;
    }
    for (id, transfer) in &naive.transfers {
        let record = world.state.transfer(id).map_err(fault)?.ok_or("a transfer is missing")?;
        same(format!("transfer {id}"), record.done, transfer.done)?;
        let waits: Vec<_> = record.outstanding.iter().collect();
        same(format!("consent to {id}"), waits, transfer.outstanding.iter().collect())?;
    }
    Ok(())
}

fn grants(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, grant) in &naive.grants {
        use GrantStatus as S;
        let record = world.state.grant(id).map_err(fault)?.ok_or("a grant is missing")?;
        let standing = match record.status {
            S::Offered => Standing::Offered,
            S::Accepted => Standing::Accepted,
            S::Declined => Standing::Declined,
            S::Revoked => Standing::Revoked,
            S::Surrendered => Standing::Surrendered,
            S::Voided => Standing::Voided,
            S::Withdrawn => Standing::Withdrawn,
        };
        same(format!("standing of grant {id}"), standing, grant.standing)?;
        same(format!("derivations under grant {id}"), record.used, grant.used)?;
        same(format!("end of grant {id}"), record.not_after_ms, grant.end)?;
        same(format!("revocation of grant {id}"), record.revoked_ms, grant.revoked)?;
    }
    for (id, offer) in &naive.offers {
        let record: Option<OfferRecord> = world.state.get(&Key::Offer(*id)).map_err(fault)?;
        let record = record.ok_or("an offer is missing")?;
        same(format!("offer {id}"), record.withdrawn, offer.withdrawn)?;
    }
    Ok(())
}

fn market(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, listing) in &naive.listings {
        use ListingStatus as S;
        let record = world.state.listing(id).map_err(fault)?.ok_or("a listing is missing")?;
        let standing = match record.status {
            S::Pending => ListingStanding::Pending,
            S::Accepted => ListingStanding::Accepted,
            S::Rejected => ListingStanding::Rejected,
            S::Delisted => ListingStanding::Delisted,
        };
        same(format!("standing of listing {id}"), standing, listing.standing)?;
        let schedule = naive.schedule_hash(&listing.asset);
        same(format!("schedule of listing {id}"), record.schedule, schedule)?;
    }
    for (id, contract) in &naive.contracts {
        use ContractStatus as S;
        let record = world.state.contract(id).map_err(fault)?.ok_or("a contract is missing")?;
        let standing = match record.status {
            S::Open => ContractStanding::Open,
            S::Declined => ContractStanding::Declined,
            S::Withdrawn => ContractStanding::Withdrawn,
            S::Terminated => ContractStanding::Terminated,
        };
        same(format!("standing of contract {id}"), standing, contract.standing)?;
        same(format!("delivery of contract {id}"), record.confirmed, contract.confirmed)?;
        same(format!("paid of contract {id}"), record.paid, naive.paid(id))?;
        let signed = (record.buyer_signed, record.exchange_signed);
        let of = |party| contract.signed.contains(party);
        same(format!("signatures of contract {id}"), signed, (of("buyer"), of("exchange")))?;
    }
    for (id, set_off) in &naive.set_offs {
        let record: Option<SetOffRecord> = world.state.get(&Key::SetOff(*id)).map_err(fault)?;
        let record = record.ok_or("a set-off is missing")?;
        let line = |l: OwnerLine| (l.asset, l.right, l.owner);
        same(format!("from of set-off {id}"), &line(record.from), &set_off.from)?;
        same(format!("to of set-off {id}"), &line(record.to), &set_off.to)?;
        same(format!("amount of set-off {id}"), record.amount, set_off.amount)?;
    }
    for (id, payout) in &naive.payouts {
        let record: Option<PayoutRecord> = world.state.get(&Key::Payout(*id)).map_err(fault)?;
        let standing = match record.ok_or("a payout is missing")?.status {
            PayoutStatus::Paid => PayoutStanding::Paid,
            PayoutStatus::Contested => PayoutStanding::Contested,
            PayoutStatus::Reversed => PayoutStanding::Reversed,
        };
        same(format!("standing of payout {id}"), standing, payout.standing)?;
    }
    Ok(())
}

fn disputes(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, dispute) in &naive.disputes {
        let record: Option<DisputeRecord> = world.state.get(&Key::Dispute(*id)).map_err(fault)?;
        let record = record.ok_or("a dispute is missing")?;
        let standing = match record.status {
            DisputeStatus::Open => DisputeStanding::Open,
            DisputeStatus::Ruled => DisputeStanding::Ruled,
            DisputeStatus::Appealed => DisputeStanding::Appealed,
            DisputeStatus::Final => DisputeStanding::Final,
        };
        same(format!("standing of dispute {id}"), standing, dispute.standing)?;
        let parties: Vec<_> = record.respondents.iter().collect();
        same(format!("respondents of {id}"), parties, dispute.respondents.iter().collect())?;
    }
    Ok(())
}

/// What a member is told of its accounts, added up.
fn statement(world: &World, naive: &Naive, member: &Handle) -> Result<(), String> {
    let told = query::member_statement(world, member, naive.now).map_err(|e| e.to_string())?;
    let mut expected: BTreeMap<AccountId, [i128; 8]> = BTreeMap::new();
    // The member and all for whom it acts.
    let names = naive.members.keys().filter(|m| *m == member || naive.acting(m) == *member);
    let names: Vec<&Handle> = names.collect();
    for (id, account) in &naive.accounts {
        let schedule = naive.schedule(&account.product);
        let lines = schedule.iter().flat_map(|claim| names.iter().map(move |name| (claim, name)));
        for (((asset, right), units), name) in lines {
            if !naive.claim(id, (asset, *right), 0, false).members().contains(*name) {
                continue;
            }
            let b = naive.balance(id, *units, &(*asset, *right, (*name).clone()));
            let parts = [b.entitled, b.held, b.frozen, b.paid].map(|amount| amount as i128);
            let [entitled, held, frozen, paid] = parts;
            let (payable, overpaid) = (b.left.max(0), (-b.left).max(0));
            let sums = [entitled, b.adjusted, b.set_off, held, frozen, paid, payable, overpaid];
            let of = expected.entry(*id).or_default();
            for (sum, more) in of.iter_mut().zip(sums) {
                *sum += more;
            }
        }
        if names.contains(&&account.exchange) {
            expected.entry(*id).or_default();
        }
    }
    same(format!("accounts of {member}"), sums_told(&told), expected)
}

fn sums_told(told: &MemberStatement) -> BTreeMap<AccountId, [i128; 8]> {
    let sums = told.accounts.iter().map(|a| {
        let [entitled, held, frozen, paid, payable, overpaid] =
            [a.entitled, a.held, a.frozen, a.paid, a.payable, a.overpaid].map(i128::from);
        let (adjusted, set_off) = (a.adjusted.into(), a.set_off.into());
        (a.account, [entitled, adjusted, set_off, held, frozen, paid, payable, overpaid])
    });
    sums.collect()
}

/// Everything above and below an asset.
fn lineage(world: &World, naive: &Naive, id: &AssetId) -> Result<(), String> {
    for direction in [Direction::Up, Direction::Down] {
        let trace = query::trace(world, id, direction, None).map_err(|e| e.to_string())?;
        let mut found: Vec<AssetId> = trace.assets.iter().map(|a| a.id).collect();
        found.sort();
        let mut expected = BTreeSet::from([*id]);
        loop {
            let more: Vec<AssetId> = naive
                .assets
                .iter()
                .flat_map(|(out, asset)| asset.inputs.iter().map(move |i| (*out, i.asset)))
                .filter_map(|(out, input)| match direction {
                    Direction::Up => expected.contains(&out).then_some(input),
                    Direction::Down => expected.contains(&input).then_some(out),
                })
                .filter(|asset| !expected.contains(asset))
                .collect();
            if more.is_empty() {
                break;
            }
            expected.extend(more);
        }
        same("lineage", found, expected.into_iter().collect())?;
    }
    Ok(())
}
