//! Compares records that no answer shows whole: members and keys, governance, registrations, use,
//! certificates, aggregates; and checks floors against the schedule.

use std::fmt::Display;

use headwater_ledger::event::Event;
use headwater_ledger::event::member::MemberKey;
use headwater_ledger::hash::{AssetId, CertificateId, RegistrationId};
use headwater_ledger::state::record::{
    AccessRecord, AccessStatus, AggregateRecord, ChangeRecord, ChangeStatus, RegistrationRecord,
    RegistrationStatus, RevokedKey, TradeCertificateRecord, ValuationRecord,
};
use headwater_ledger::state::{Key, Records, View};

use crate::access::AccessStanding;
use crate::asset::Floors;
use crate::compare::same;
use crate::governance::ChangeStanding;
use crate::naive::{Naive, UNITS};
use crate::registration::Filing;
use crate::world::{Step, World, list};

/// The record under a key.
fn record<T: bincode::Decode<()>>(
    world: &World,
    key: &Key,
    what: impl Display,
) -> Result<T, String> {
    let found: Option<T> = world.state.get(key).map_err(|fault| fault.to_string())?;
    found.ok_or_else(|| format!("{what} is missing"))
}

/// What the last step could have changed of these records.
pub fn agree(world: &World, naive: &Naive, step: &Step) -> Result<(), String> {
    members(world, naive)?;
    governance(world, naive)?;
    registrations(world, naive)?;
    accesses(world, naive)?;
    certificates(world, naive)?;
    aggregates(world, naive)?;
    if let Event::RegisterAsset(_) = &step.event {
        let asset = World::ids(&world.chain, step).1.expect("an asset has an id");
        floors(world, naive, &asset)?;
    }
    Ok(())
}

fn members(world: &World, naive: &Naive) -> Result<(), String> {
    for (handle, member) in &naive.members {
        let found = world.state.member(handle).map_err(|fault| fault.to_string())?;
        let found = found.ok_or_else(|| format!("{handle} is missing"))?;
        same(format!("roles of {handle}"), &found.roles, &member.roles)?;
        let told = (found.suspended, &found.successor);
        same(format!("standing of {handle}"), told, (member.suspended, &member.successor))?;
        let mut keys = found.keys;
        keys.sort_by_key(|held| held.key);
        let scopes = |(key, scopes): (&_, &Vec<_>)| MemberKey { key: *key, scopes: list(scopes) };
        let held: Vec<_> = member.keys.iter().map(scopes).collect();
        same(format!("keys of {handle}"), keys, held)?;
        same(format!("acts of {handle}"), &found.two_keys, &member.two_keys)?;
    }
    for (key, (member, since)) in &naive.revoked {
        let found: RevokedKey = record(world, &Key::RevokedKey(*key), "a revoked key")?;
        let told = (&found.member, &found.compromised_since_ms);
        same(format!("revocation of {key}"), told, (member, since))?;
    }
    for (id, succession) in &naive.successions {
        let found: headwater_ledger::state::record::SuccessionRecord =
            record(world, &Key::Succession(*id), "a succession")?;
        same(format!("succession {id}"), found.accepted, succession.accepted)?;
    }
    Ok(())
}

fn governance(world: &World, naive: &Naive) -> Result<(), String> {
    let (version, rulebook) = world.state.rulebook().map_err(|fault| fault.to_string())?;
    same("rulebook", (version, &rulebook), (naive.rulebooks, &naive.rulebook))?;
    let protocol = world.state.protocol().map_err(|fault| fault.to_string())?;
    same("protocol", protocol, naive.protocol)?;
    for (id, change) in &naive.changes {
        use ChangeStatus as S;
        let found: ChangeRecord = record(world, &Key::Change(*id), "a change")?;
        let standing = match found.status {
            S::Proposed => ChangeStanding::Proposed,
            S::Scheduled => ChangeStanding::Scheduled,
            S::Active => ChangeStanding::Active,
            S::Failed => ChangeStanding::Failed,
        };
        same(format!("change {id}"), standing, change.standing)?;
        same(
            format!("approvals of {id}"),
            found.approvals.iter().collect::<Vec<_>>(),
            change.approvals.iter().map(|(by, _)| by).collect(),
        )?;
    }
    Ok(())
}

fn registrations(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, registration) in &naive.registrations {
        use RegistrationStatus as S;
        let found: RegistrationRecord = record(world, &Key::Registration(*id), "a registration")?;
        let standing = match found.status {
            S::Notice => Filing::Notice,
            S::Registered => Filing::Registered,
            S::Rejected => Filing::Rejected,
            S::Cancelled => Filing::Cancelled,
        };
        let told = (standing, found.notice_until_ms, found.not_after_ms, found.changes);
        let r = registration;
        let known = (r.standing, r.notice_until, r.end, r.changes);
        same(format!("registration {id}"), told, known)?;
        same(format!("objections to {id}"), &found.objections, &r.objections)?;
        same(format!("metadata of {id}"), &found.metadata, &r.metadata)?;
    }
    for asset in naive.assets.keys() {
        let Some(open) = naive.registered_as(asset) else { continue };
        let found: RegistrationId = record(world, &Key::RegisteredAs(*asset), "the registration")?;
        same(format!("registration of {asset}"), found, open)?;
    }
    Ok(())
}

fn accesses(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, access) in &naive.accesses {
        use AccessStatus as S;
        let found: AccessRecord = record(world, &Key::Access(*id), "an access")?;
        let standing = match found.status {
            S::Requested => AccessStanding::Requested,
            S::Granted => AccessStanding::Granted,
            S::Refused => AccessStanding::Refused,
            S::Ended => AccessStanding::Ended,
        };
        let rows = access.jobs.iter().fold(0, |sum: u64, (_, rows)| sum.saturating_add(*rows));
        let known = (access.standing, access.jobs.len() as u64, rows);
        same(format!("access {id}"), (standing, found.jobs, found.rows), known)?;
        same(format!("member of {id}"), &found.by, &access.by)?;
    }
    Ok(())
}

fn certificates(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, certificate) in &naive.certificates {
        let found: TradeCertificateRecord = record(world, &Key::Certificate(*id), "a certificate")?;
        let told = (found.contract, &found.exchange, found.number, found.void);
        let c = certificate;
        same(format!("certificate {id}"), told, (c.contract, &c.exchange, c.number, c.void))?;
    }
    for contract in naive.contracts.keys() {
        let found: Option<CertificateId> =
            world.state.get(&Key::CertifiedBy(*contract)).map_err(|fault| fault.to_string())?;
        same(format!("certificate of {contract}"), found, naive.certified_by(contract))?;
    }
    for (asset, (by, value)) in &naive.valuations {
        let found: ValuationRecord = record(world, &Key::Valuation(*asset), "a valuation")?;
        same(format!("valuation of {asset}"), (&found.by, &found.value), (by, value))?;
    }
    Ok(())
}

/// And the law of what is handed on: no more than the owner was paid.
fn aggregates(world: &World, naive: &Naive) -> Result<(), String> {
    for (id, aggregate) in &naive.aggregates {
        let found: AggregateRecord = record(world, &Key::Aggregate(*id), "an aggregate")?;
        let told = (&found.owner, found.sources, found.total_weight);
        let a = aggregate;
        same(format!("aggregate {id}"), told, (&a.owner, a.sources, a.total))?;
        same(format!("a source of {id} was paid"), found.paid, !a.paid.is_empty())?;
        for account in naive.accounts.keys() {
            let of = aggregate.paid.iter().filter(|((from, _), _)| from == account);
            let mut sum = 0u128;
            for ((_, source), paid) in of {
                let key = Key::SourcePaid(*id, *account, *source);
                let told: u64 = record(world, &key, "what a source was paid")?;
                same(format!("paid to a source of {id}"), told, *paid)?;
                sum += u128::from(told);
            }
            let line = (aggregate.asset, aggregate.right, aggregate.owner.clone());
            // What was reversed since, or set off, may have been handed on.
            let reversed = naive.payouts.values().any(|p| {
                p.account == *account && p.standing == crate::naive::PayoutStanding::Reversed
            });
            let set_off = naive.set_offs.values().any(|s| s.account == *account);
            let within = reversed || set_off || sum <= naive.paid_out(account, &line);
            same("sources have no more than their owner", within, true)?;
        }
    }
    Ok(())
}

/// The floors that bind a new asset; and of an absolute one, that of what the asset earns the
/// schedule lets so much flow into the source, but for what was rounded down on the way.
fn floors(world: &World, naive: &Naive, asset: &AssetId) -> Result<(), String> {
    let known: &Floors = &naive.assets[asset].floors;
    let found = world.state.floors(asset).map_err(|fault| fault.to_string())?;
    let told: Vec<_> = found
        .iter()
        .map(|f| ((f.source, f.party.clone()), u128::from(f.floor_bp), u128::from(f.units)))
        .collect();
    let bounds: Vec<_> = known.iter().map(|(of, b)| (of.clone(), b.bp, b.units)).collect();
    same(format!("floors of {asset}"), &told, &bounds)?;
    let inflow = naive.inflow(asset);
    let edges: usize = naive.ancestry(asset).iter().map(|a| naive.assets[a].inputs.len()).sum();
    for ((source, _), bp, units) in told {
        let flows = inflow[&source] + edges as u128;
        same("a floor is met by the schedule", flows >= units, true)?;
        same("a floor is met by what it says", units >= UNITS / 10_000 * bp, true)?;
    }
    Ok(())
}
