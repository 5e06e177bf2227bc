//! Claims of a schedule, named with the proof that they are of it. Implements [LED-MNY-2].

use crate::attribution::Claim;
use crate::codec::{CodecError, List};
use crate::event::market::ProvedClaim;
use crate::hash::{AssetId, Digest};
use crate::listing::{claim_leaf, schedule_hash_of};
use crate::merkle::tree::InclusionProof;
use crate::reject::{Code, Refusal, Reject};
use crate::split::Right;
use crate::state::record::AccountRecord;

/// The claim of a right over an asset in a whole schedule, with its proof; `None` when the schedule
/// gives that right nothing.
pub fn prove(
    claims: &[Claim<AssetId>],
    asset: &AssetId,
    right: Right,
) -> Result<Option<ProvedClaim>, CodecError> {
    let place = claims.iter().position(|c| c.asset == *asset && c.right == right);
    let Some(place) = place else { return Ok(None) };
    let leaves = claims.iter().map(claim_leaf).collect::<Result<Vec<_>, CodecError>>()?;
    let proof = InclusionProof::of(&leaves, place);
    let Some((claim, proof)) = claims.get(place).zip(proof) else { return Ok(None) };
    let path = proof.path.iter().map(|hash| Digest::Blake3(*hash)).collect();
    let Ok(path) = List::new(path) else { return Ok(None) };
    Ok(Some(ProvedClaim {
        asset: claim.asset,
        right: claim.right,
        units: claim.units,
        index: proof.index,
        claims: proof.size,
        proof: path,
    }))
}

/// Fails unless the claim is of the schedule that the account's money falls by.
pub(crate) fn check(account: &AccountRecord, claim: &ProvedClaim) -> Result<(), Refusal> {
    let not_proved = || Reject::new(Code::ClaimNotProved, "no such claim is of the schedule");
    let path = claim.proof.iter().map(|hash| *hash.raw()).collect();
    let proof = InclusionProof {
        index: claim.index,
        size: claim.claims,
        path: List::new(path).map_err(|_| not_proved())?,
    };
    let leaf = Claim { asset: claim.asset, right: claim.right, units: claim.units };
    let root = proof.root(&claim_leaf(&leaf)?).ok_or_else(not_proved)?;
    if schedule_hash_of(&account.product, &root) == account.schedule {
        return Ok(());
    }
    Err(not_proved().into())
}
