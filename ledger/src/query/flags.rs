//! What people should look at, because a ledger cannot judge it: output of secure environments
//! that nobody registered, raw filings by grantees that look like what they were granted, and
//! trade between members that belong together. Implements [LED-WRN-1] to [LED-WRN-3].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Budget, ListEntry, Lists, MAX_ROWS, QueryError, asked, recorded, shown};
use crate::event::asset::Stage;
use crate::hash::{AccessId, AssetId, ContractId, Digest, EventId, GrantId};
use crate::reject::Fault;
use crate::state::record::{AccessRecord, GrantRecord, UsageRecord};
use crate::state::{Key, Records, Relation};
use crate::text::Handle;

/// What left a secure environment and is not registered as the content of any asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmatchedOutput {
    /// The log entry.
    pub event: EventId,
    /// Height of the log entry.
    pub height: u64,
    /// The access.
    pub access: AccessId,
    /// Who worked with the asset.
    pub by: Handle,
    /// Who ran the environment.
    pub environment: Handle,
    /// The content commitment.
    pub output: Digest,
}

/// A raw resource that a grantee registered after the grant, of the format and region of the
/// asset that was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimilarFiling {
    /// The grant.
    pub grant: GrantId,
    /// The grantee, who registered the resource.
    pub grantee: Handle,
    /// The resource.
    pub asset: AssetId,
    /// As it is shown.
    pub shown: String,
    /// Height of its registration.
    pub height: u64,
}

/// A contract whose seller and buyer belonged together when it was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelatedContract {
    /// The contract.
    pub contract: ContractId,
    /// The product.
    pub asset: AssetId,
    /// The seller.
    pub seller: Handle,
    /// The buyer.
    pub buyer: Handle,
    /// Height of the proposal.
    pub height: u64,
}

fn missing(what: &str, id: &Digest) -> Fault {
    Fault(format!("{what} {id} is named and not recorded"))
}

fn whole<V: Lists>(
    view: &V,
    relation: &Relation,
    budget: &mut Budget,
) -> Result<Vec<ListEntry>, QueryError> {
    let entries = view.entries(relation)?;
    budget.take(entries.len())?;
    Ok(entries)
}

/// The outputs of logged use of an asset that match no registered content, in order of the log.
/// Implements [LED-WRN-1].
pub fn unmatched_outputs<V: Lists>(
    view: &V,
    asset: &AssetId,
) -> Result<Vec<UnmatchedOutput>, QueryError> {
    asked(view, asset)?;
    let mut budget = Budget::new("log entries", MAX_ROWS);
    let log = whole(view, &Relation::AssetUsage(*asset), &mut budget)?;
    let keys: Vec<Key> = log.iter().map(|e| Key::UsageEntry(EventId::from_digest(e.id))).collect();
    view.prefetch(&keys)?;
    let mut outputs = Vec::new();
    for (entry, key) in log.iter().zip(&keys) {
        // Requests and decisions stand in the same list and have no record.
        let Some(usage) = view.get::<UsageRecord>(key)? else { continue };
        if let Some(output) = usage.output {
            outputs.push((*entry, usage.access, output));
        }
    }
    let claims = outputs.iter().map(|(_, _, output)| Key::ContentClaim(*output));
    let accesses = outputs.iter().map(|(_, access, _)| Key::Access(*access));
    view.prefetch(&claims.chain(accesses).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for (entry, access, output) in outputs {
        if view.value(&Key::ContentClaim(output))?.is_some() {
            continue;
        }
        let record: Option<AccessRecord> = view.get(&Key::Access(access))?;
        let record = record.ok_or_else(|| missing("access", access.digest()))?;
        found.push(UnmatchedOutput {
            event: EventId::from_digest(entry.id),
            height: entry.height,
            access,
            by: record.by,
            environment: record.environment,
            output,
        });
    }
    Ok(found)
}

/// The raw resources that grantees of an asset registered after their first accepted grant and
/// that have its format and region, in order of the grants. Implements [LED-WRN-2].
pub fn similar_filings<V: Lists>(
    view: &V,
    asset: &AssetId,
) -> Result<Vec<SimilarFiling>, QueryError> {
    let original = asked(view, asset)?;
    let mut budget = Budget::new("grants and filings", MAX_ROWS);
    let grants = whole(view, &Relation::AssetGrants(*asset), &mut budget)?;
    let ids: Vec<GrantId> = grants.iter().map(|e| GrantId::from_digest(e.id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::Grant(*id)).collect::<Vec<_>>())?;
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for id in ids {
        let grant = view.grant(&id)?.ok_or_else(|| missing("grant", id.digest()))?;
        if !was_given(&grant) || !seen.insert(grant.grantee.clone()) {
            continue;
        }
        let filed = whole(view, &Relation::MemberAssets(grant.grantee.clone()), &mut budget)?;
        let filed: Vec<AssetId> = filed.iter().map(|e| AssetId::from_digest(e.id)).collect();
        view.prefetch(&filed.iter().map(|id| Key::Asset(*id)).collect::<Vec<_>>())?;
        for filing in filed {
            let record = recorded(view, &filing)?;
            let similar = record.stage == Stage::Raw
                && record.author == grant.grantee
                && record.height >= grant.height
                && record.metadata.format == original.metadata.format
                && record.metadata.region == original.metadata.region;
            if similar && filing != *asset {
                found.push(SimilarFiling {
                    grant: id,
                    grantee: grant.grantee.clone(),
                    asset: filing,
                    shown: shown(&record),
                    height: record.height,
                });
            }
        }
    }
    Ok(found)
}

/// Whether a grant was ever in force.
fn was_given(grant: &GrantRecord) -> bool {
    use crate::state::record::GrantStatus;
    match grant.status {
        GrantStatus::Accepted
        | GrantStatus::Revoked
        | GrantStatus::Surrendered
        | GrantStatus::Voided => true,
        GrantStatus::Offered | GrantStatus::Declined | GrantStatus::Withdrawn => false,
    }
}

/// The contracts of a member whose seller and buyer belonged together, in order.
/// Implements [LED-WRN-3].
pub fn related_contracts<V: Lists>(
    view: &V,
    member: &Handle,
) -> Result<Vec<RelatedContract>, QueryError> {
    if view.member(member)?.is_none() {
        return Err(QueryError::Unknown(format!("member {member}")));
    }
    let mut budget = Budget::new("contracts", MAX_ROWS);
    let contracts = whole(view, &Relation::MemberContracts(member.clone()), &mut budget)?;
    let ids: Vec<ContractId> = contracts.iter().map(|e| ContractId::from_digest(e.id)).collect();
    view.prefetch(&ids.iter().map(|id| Key::Contract(*id)).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for id in ids {
        let record = view.contract(&id)?.ok_or_else(|| missing("contract", id.digest()))?;
        if record.related_parties {
            found.push(RelatedContract {
                contract: id,
                asset: record.asset,
                seller: record.seller,
                buyer: record.buyer,
                height: record.height,
            });
        }
    }
    Ok(found)
}
