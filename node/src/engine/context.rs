//! Headwater's types in the shapes the consensus library asks for.
//!
//! The value voted on is a block id alone; the block itself travels as proposal parts or by sync.

use std::fmt;
use std::sync::Arc;

use bincode::{Decode, Encode};
use headwater_ledger::hash::{BlockId, Digest, ValidatorAddress};
use headwater_ledger::keys::{PublicKey, Signature, SigningKey};
use headwater_ledger::{limits, validator};
use malachitebft_app_channel::app::types::core as engine;
use malachitebft_app_channel::app::types::core::{LinearTimeouts, NilOrVal, Round, VoteType};

use super::codec::Payload;

/// Bytes of a block in one proposal part.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// The signing scheme: the ledger's keys, verified under ZIP-215.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scheme;

impl engine::SigningScheme for Scheme {
    type DecodingError = String;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = SigningKey;

    fn decode_signature(bytes: &[u8]) -> Result<Signature, String> {
        let raw = bytes.try_into().map_err(|_| "a signature has 64 bytes".to_string())?;
        Ok(Signature::Ed25519(raw))
    }
    fn encode_signature(Signature::Ed25519(raw): &Signature) -> Vec<u8> {
        raw.to_vec()
    }
    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, String> {
        let raw = bytes.try_into().map_err(|_| "a public key has 32 bytes".to_string())?;
        Ok(PublicKey::Ed25519(raw))
    }
    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.raw().to_vec()
    }
}

/// A block height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Height for Height {
    const ZERO: Self = Height(0);
    const INITIAL: Self = Height(1);

    fn increment_by(&self, n: u64) -> Self {
        Height(self.0.saturating_add(n))
    }
    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Height)
    }
    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// A validator's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address(pub ValidatorAddress);

impl Address {
    /// The address of a node that does not vote: in no validator set, for no key hashes to it.
    pub fn observer() -> Self {
        Address(ValidatorAddress::from_digest(Digest::Blake3([0; 32])))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Address for Address {}

/// What is voted on: the id of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Value(pub BlockId);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Value for Value {
    type Id = Value;
    fn id(&self) -> Value {
        *self
    }
}

/// A validator as the engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validator {
    address: Address,
    key: PublicKey,
    power: u64,
}

impl engine::Validator<Consensus> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }
    fn public_key(&self) -> &PublicKey {
        &self.key
    }
    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// A validator set in the ledger's order, by address, with the turns of its proposers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ValidatorSet(Arc<Turns>);

#[derive(Debug, PartialEq, Eq)]
struct Turns {
    validators: Vec<Validator>,
    /// Greatest common divisor of the powers: the power that is worth one turn.
    unit: u64,
    /// Turns in a cycle: total power / unit.
    cycle: u64,
    /// Distance on the cycle between one turn and the next; has no divisor in common with it.
    stride: u64,
}

impl ValidatorSet {
    /// The engine's view of a set; the ledger guarantees that it is neither empty nor powerless.
    pub fn new(set: &validator::ValidatorSet) -> Self {
        let entry = |v: &validator::Validator| Validator {
            address: Address(v.address()),
            key: v.key,
            power: v.power,
        };
        let validators: Vec<_> = set.validators().iter().map(entry).collect();
        let unit = validators.iter().fold(0, |d, v| gcd(d, v.power)).max(1);
        let cycle = (set.total_power() / unit).max(1);
        let stride = if cycle == validators.len() as u64 { 1 } else { stride_of(cycle) };
        ValidatorSet(Arc::new(Turns { validators, unit, cycle, stride }))
    }

    /// The proposer of a round. Implements [LED-PROP-1].
    ///
    /// Equal powers take turns: position (height + round) mod n. Otherwise the cycle has one turn
    /// for each unit of power, visited with a stride near the golden section, so that in every
    /// cycle each validator proposes exactly in proportion and a strong one not in a row.
    pub fn proposer(&self, height: u64, round: u32) -> &Validator {
        let turns = &*self.0;
        let cycle = u128::from(turns.cycle);
        let turn = (u128::from(height) + u128::from(round)) % cycle;
        let mut point = turn * u128::from(turns.stride) % cycle;
        for v in &turns.validators {
            let width = u128::from(v.power / turns.unit);
            if point < width {
                return v;
            }
            point -= width;
        }
        // The widths add up to the cycle, and the point lies within it.
        &turns.validators[0]
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The first number from 0.618 of the cycle upwards that has no divisor in common with it.
fn stride_of(cycle: u64) -> u64 {
    let golden = u64::try_from(u128::from(cycle) * 618 / 1000).unwrap_or(1).max(1);
    (golden..cycle).find(|s| gcd(*s, cycle) == 1).unwrap_or(1)
}

impl engine::ValidatorSet<Consensus> for ValidatorSet {
    fn count(&self) -> usize {
        self.0.validators.len()
    }
    fn total_voting_power(&self) -> u64 {
        self.0.validators.iter().map(|v| v.power).sum()
    }
    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.validators.iter().find(|v| v.address == *address)
    }
    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.validators.get(index)
    }
}

/// A prevote or precommit. Vote extensions are not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vote {
    pub kind: VoteType,
    pub height: Height,
    pub round: Round,
    pub value: NilOrVal<Value>,
    pub validator: Address,
}

impl engine::Vote<Consensus> for Vote {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &NilOrVal<Value> {
        &self.value
    }
    fn take_value(self) -> NilOrVal<Value> {
        self.value
    }
    fn vote_type(&self) -> VoteType {
        self.kind
    }
    fn validator_address(&self) -> &Address {
        &self.validator
    }
    fn extension(&self) -> Option<&engine::SignedExtension<Consensus>> {
        None
    }
    fn take_extension(&mut self) -> Option<engine::SignedExtension<Consensus>> {
        None
    }
    fn extend(self, _: engine::SignedExtension<Consensus>) -> Self {
        self
    }
}

/// The proposal of a block id for a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    pub height: Height,
    pub round: Round,
    pub value: Value,
    pub pol_round: Round,
    pub proposer: Address,
}

impl engine::Proposal<Consensus> for Proposal {
    fn height(&self) -> Height {
        self.height
    }
    fn round(&self) -> Round {
        self.round
    }
    fn value(&self) -> &Value {
        &self.value
    }
    fn take_value(self) -> Value {
        self.value
    }
    fn pol_round(&self) -> Round {
        self.pol_round
    }
    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// The first part of a block's stream: all that is needed to refuse it early, signed by the
/// validator that built the block. Implements [LED-DSIGN-2].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct PartInit {
    pub height: u64,
    pub round: u32,
    pub proposer: ValidatorAddress,
    pub block_id: BlockId,
    pub block_bytes: u64,
    pub signature: Signature,
}

/// A part of a block's stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Part {
    /// Always first.
    Init(PartInit),
    /// The next bytes of the block.
    Piece(Payload<PIECE_BYTES>),
}

impl engine::ProposalPart<Consensus> for Part {
    fn is_first(&self) -> bool {
        matches!(self, Part::Init(_))
    }
    fn is_last(&self) -> bool {
        false // the stream's own end mark says so
    }
}

/// Ties Headwater's types together for the engine.
#[derive(Clone, Debug)]
pub(super) struct Consensus;

impl engine::Context for Consensus {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = LinearTimeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(
        &self,
        set: &'a ValidatorSet,
        height: Height,
        round: Round,
    ) -> &'a Validator {
        set.proposer(height.0, round.as_u32().unwrap_or(0))
    }
    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Value,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, value, pol_round, proposer }
    }
    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Value>,
        validator: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, validator }
    }
    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Value>,
        validator: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, validator }
    }
}

/// Most parts of a stream: the first one, the pieces and the end mark.
pub(super) const MAX_STREAM_PARTS: u64 = (limits::MAX_BLOCK_BYTES / PIECE_BYTES) as u64 + 3;

#[cfg(test)]
mod tests {
    use super::*;
    use malachitebft_app_channel::app::types::core::ValidatorSet as _;

    fn set(powers: &[u64]) -> ValidatorSet {
        let validator = |(i, power): (usize, &u64)| validator::Validator {
            member: format!("exchange-{i}").parse().unwrap(),
            key: SigningKey::from_seed(&[i as u8 + 1; 32]).public_key(),
            power: *power,
        };
        let validators = powers.iter().enumerate().map(validator).collect();
        ValidatorSet::new(&validator::ValidatorSet::new(validators).unwrap())
    }

    #[test]
    fn equal_powers_take_turns_in_address_order() {
        let set = set(&[7, 7, 7, 7]);
        for height in 1..20u64 {
            for round in 0..6u32 {
                let index = ((height + u64::from(round)) % 4) as usize;
                assert_eq!(set.proposer(height, round), set.get_by_index(index).unwrap());
            }
        }
    }

    #[test]
    fn a_cycle_gives_every_validator_turns_in_proportion_to_its_power() {
        for powers in [vec![50, 10, 10, 10], vec![3, 2, 2], vec![1], vec![9, 4, 6, 1, 1]] {
            let set = set(&powers);
            let divisor = powers.iter().fold(0, |d, p| gcd(d, *p));
            let cycle: u64 = powers.iter().sum::<u64>() / divisor;
            for v in &set.0.validators {
                let turns = (5..5 + cycle).filter(|h| set.proposer(*h, 0) == v).count() as u64;
                assert_eq!(turns, v.power / divisor, "{powers:?}");
            }
        }
    }

    #[test]
    fn the_next_round_passes_a_validator_that_does_not_answer() {
        let set = set(&[1, 1, 1, 1]);
        assert_ne!(set.proposer(9, 0), set.proposer(9, 1));
        let heavy = super::tests::set(&[1 << 59, 1, (1 << 59) - 1]);
        let seen: std::collections::BTreeSet<_> =
            (0..4).map(|r| heavy.proposer(9, r).address).collect();
        assert!(seen.len() > 1);
    }
}
