//! Every bound on input, in one place. Implements [LED-LIM-1]; the spec's table is held to this file.

/// Most bytes of one event.
pub const MAX_EVENT_BYTES: usize = 64 << 10;
/// Most bytes of a signed envelope.
pub const MAX_ENVELOPE_BYTES: usize = 2 << 20;
/// Most events in an envelope.
pub const MAX_EVENTS: usize = 4_096;
/// Most signatures on an envelope.
pub const MAX_SIGNATURES: usize = 8;
/// Most bytes of a block: header and envelopes.
pub const MAX_BLOCK_BYTES: usize = 8 << 20;
/// Most envelopes in a block.
pub const MAX_BLOCK_ENVELOPES: usize = 20_000;
/// Most weight of one envelope.
pub const MAX_ENVELOPE_WEIGHT: u64 = 400_000;
/// Most weight of one block: 0.2 to 0.7 s of execution as measured. Proposers stop sooner.
pub const MAX_BLOCK_WEIGHT: u64 = 400_000;
/// Longest time `not_after` may lie ahead of the block's time, in milliseconds.
pub const MAX_NOT_AFTER_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
/// Expired envelope ids forgotten in one block at the most.
pub const MAX_PRUNED_PER_BLOCK: usize = 20_000;
/// Most inputs of a derivation.
pub const MAX_INPUTS: usize = 1_024;
/// Most that the weights of a derivation's inputs may add up to.
pub const MAX_WEIGHT_SUM: u64 = 10_000_000_000_000_000;
/// Most edges in the ancestry of a listed product.
pub const MAX_ANCESTRY_EDGES: usize = 65_536;
/// Most absolute floors tracked for one asset.
pub const MAX_FLOORS: usize = 256;
/// Most owners of one right.
pub const MAX_OWNERS: usize = 64;
/// Most keys of one member.
pub const MAX_KEYS: usize = 16;
/// Most entries in an enumeration list such as purposes or territories.
pub const MAX_CHOICES: usize = 32;
/// Most validators.
pub const MAX_VALIDATORS: usize = 100;
/// Most total voting power; three times it fits the engine's arithmetic.
pub const MAX_TOTAL_POWER: u64 = 1 << 60;
/// Most minor units of one amount.
pub const MAX_AMOUNT: u64 = 1_000_000_000_000_000_000;
