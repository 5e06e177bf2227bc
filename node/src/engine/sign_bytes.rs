//! The bytes validators sign besides votes. Votes are in [`headwater_ledger::certificate`].

use headwater_ledger::hash::{BlockId, ChainId};

/// The bytes the proposer of a round signs. Implements [LED-DSIGN-1].
///
/// 16-byte domain, chain id, height, round, then 0 or 1 and the round of the proof of lock, block.
pub(super) fn proposal_sign_bytes(
    chain_id: &ChainId,
    height: u64,
    round: u32,
    pol_round: Option<u32>,
    block_id: &BlockId,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    out.extend_from_slice(b"headwater/prop/1");
    out.extend_from_slice(&chain_id.digest().to_bytes());
    out.extend_from_slice(&height.to_le_bytes());
    out.extend_from_slice(&round.to_le_bytes());
    match pol_round {
        None => out.push(0),
        Some(round) => {
            out.push(1);
            out.extend_from_slice(&round.to_le_bytes());
        }
    }
    out.extend_from_slice(&block_id.digest().to_bytes());
    out
}

/// The bytes the builder of a block signs before streaming it. Implements [LED-DSIGN-2].
///
/// 16-byte domain, chain id, height, round, block id, length of the block in bytes.
pub(super) fn part_sign_bytes(
    chain_id: &ChainId,
    height: u64,
    round: u32,
    block_id: &BlockId,
    block_bytes: u64,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    out.extend_from_slice(b"headwater/part/1");
    out.extend_from_slice(&chain_id.digest().to_bytes());
    out.extend_from_slice(&height.to_le_bytes());
    out.extend_from_slice(&round.to_le_bytes());
    out.extend_from_slice(&block_id.digest().to_bytes());
    out.extend_from_slice(&block_bytes.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_ledger::certificate::{VoteType, vote_sign_bytes};
    use headwater_ledger::hash::Digest;

    fn ids() -> (ChainId, BlockId) {
        (
            ChainId::from_digest(Digest::Blake3([0xcc; 32])),
            BlockId::from_digest(Digest::Blake3([0xbb; 32])),
        )
    }

    #[test]
    fn signed_bytes_are_as_specified() {
        let (chain, block) = ids();
        let chain_hex = format!("01{}", "cc".repeat(32));
        let block_hex = format!("01{}", "bb".repeat(32));
        let prop = hex::encode("headwater/prop/1");
        assert_eq!(
            hex::encode(proposal_sign_bytes(&chain, 7, 2, Some(1), &block)),
            format!("{prop}{chain_hex}0700000000000000020000000101000000{block_hex}"),
        );
        assert_eq!(
            hex::encode(proposal_sign_bytes(&chain, 7, 2, None, &block)),
            format!("{prop}{chain_hex}07000000000000000200000000{block_hex}"),
        );
        let part = hex::encode("headwater/part/1");
        assert_eq!(
            hex::encode(part_sign_bytes(&chain, 7, 2, &block, 258)),
            format!("{part}{chain_hex}070000000000000002000000{block_hex}0201000000000000"),
        );
    }

    #[test]
    fn the_domains_differ() {
        let (chain, block) = ids();
        let domains: std::collections::BTreeSet<_> = [
            vote_sign_bytes(&chain, VoteType::Prevote, 1, 0, Some(&block)),
            proposal_sign_bytes(&chain, 1, 0, None, &block),
            part_sign_bytes(&chain, 1, 0, &block, 9),
        ]
        .iter()
        .map(|bytes| bytes[..16].to_vec())
        .collect();
        assert_eq!(domains.len(), 3);
    }
}
