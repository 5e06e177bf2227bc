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
/// Most envelopes in a block. No event weighs less than 20, so that no more of them fit.
pub const MAX_BLOCK_ENVELOPES: usize = 5_000;
/// Most weight of one event: five milliseconds. A rulebook that lets products be listed behind
/// larger ancestries than the standard one raises it.
pub const MAX_EVENT_WEIGHT: u64 = 5_000;
/// Most weight of a ruling, whose units are the cheap ones of walking epochs: what it can give back
/// should depend little on how often a right has changed hands.
pub const MAX_RULING_WEIGHT: u64 = 12_000;
/// Most weight of one envelope.
pub const MAX_ENVELOPE_WEIGHT: u64 = 100_000;
/// Most weight of one block: a tenth of a second of execution. Proposers may stop sooner.
pub const MAX_BLOCK_WEIGHT: u64 = 100_000;
/// Longest time `not_after` may lie ahead of the block's time, in milliseconds.
pub const MAX_NOT_AFTER_AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
/// How far ahead of the block's time the claimed time of an activity may end, in milliseconds: a
/// day, because work is often claimed by the day.
pub const CLAIM_TOLERANCE_MS: u64 = 24 * 60 * 60 * 1_000;
/// How long the approval of an act counts, in milliseconds: 30 days.
pub const APPROVAL_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Expired envelope ids forgotten in one block at the most: as many as one block can record.
pub const MAX_PRUNED_PER_BLOCK: usize = 5_000;
/// Most inputs of a derivation. Each is read with its rights, floors and conditions.
pub const MAX_INPUTS: usize = 512;
/// Most that the weights of a derivation's inputs may add up to.
pub const MAX_WEIGHT_SUM: u64 = 10_000_000_000_000_000;
/// Most edges in an ancestry that is walked; the rulebook lets products be listed behind fewer.
pub const MAX_ANCESTRY_EDGES: usize = 65_536;
/// Most floors tracked for one asset, and most members whom the relative ones among its inputs'
/// floors bind.
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
/// Most requests answered by one event.
pub const MAX_ANSWERS: usize = 64;
/// Most instalments of a contract.
pub const MAX_INSTALMENTS: usize = 36;
/// Most nodes of an inclusion proof in an event.
pub const MAX_PROOF: usize = 32;
/// Most adjustment lines of one ruling.
pub const MAX_ADJUSTMENTS: usize = 64;
/// Most sources of an aggregate.
pub const MAX_SOURCES: u32 = 20_000;
/// Most assets with one content root that are remembered in the order of their registration.
pub const MAX_CLAIMS: usize = 16;
/// Most conditions that one asset watches in its ancestry.
pub const MAX_WATCHES: usize = 256;
/// Most floors, and most conditions, that all inputs of a derivation bring with them together.
pub const MAX_INHERITED: usize = 4_096;
/// Most places of a list of grants in force: those by the owners of one right of an asset, those
/// among them with future versions in one line of versions, or the sub-licences of one grant. Each
/// takes one, and one more for every four territories it names: a list is read and written as a whole.
pub const MAX_IN_FORCE: usize = 512;
/// Most places of the licences of a product that are in force at a time, counted likewise. There
/// can be more of them, because most sales add nothing that others have to be compared with.
pub const MAX_LICENCES: usize = 4_096;
/// Most steps of a chain of sub-licences, and of successors.
pub const MAX_CHAIN: usize = 8;
/// Most members for which one acts besides itself, all its predecessors together.
pub const MAX_PREDECESSORS: usize = 256;
/// Most payments of one contract: a delivery confirms all at once, wherever they lie among the
/// payments of the account.
pub const MAX_CONTRACT_PAYMENTS: usize = 64;
/// Most rulings that can be appealed which are remembered one by one of the disputes about a thing.
pub const MAX_APPEALABLE: usize = 16;
/// Most slices of one right of an asset that are held at a time because disputes were opened.
pub const MAX_HOLDS: usize = 16;
/// Most that are held at a time because regulators froze them, or because they were awarded by
/// rulings that are not final.
pub const MAX_FREEZES: usize = 16;
/// Most parts into which rulings cut one claim of an account.
pub const MAX_CUTS: usize = 32;
/// Most disputes whose rulings order refunds of one payment.
pub const MAX_REFUND_ORDERS: usize = 16;
/// Most changes by governance that are scheduled at a time.
pub const MAX_SCHEDULED: usize = 64;
/// Longest time from a proposal by governance to its activation, in heights.
pub const MAX_ACTIVATION_AHEAD: u64 = 10_000_000;
/// Longest time in a rulebook, in milliseconds: ten years.
pub const MAX_RULEBOOK_MS: u64 = 3_653 * 24 * 60 * 60 * 1_000;
/// Most lines of an account that can be closed: all of them are computed by one event.
pub const MAX_CLOSING_LINES: usize = 1_024;
/// Most ownership epochs of one right: a payout reads them all.
pub const MAX_EPOCHS: u32 = 128;
/// How many of those are kept for rulings: transfers make no more than the others.
pub const RULING_EPOCHS: u32 = 32;
/// Most signatures of transfers of a right within the time for which a key can be said to be
/// compromised: whoever acts for the right looks at them all.
pub const MAX_SIGNED: usize = 256;
/// Most void versions in a row that a newer one passes over.
pub const MAX_VOID_VERSIONS: usize = 16;
/// Longest time from the request of an access to its end, in milliseconds: five years of 365 days.
pub const MAX_ACCESS_MS: u64 = 5 * 365 * 24 * 60 * 60 * 1_000;
/// Most objections to one registration.
pub const MAX_OBJECTIONS: usize = 64;
/// Longest time from a revocation to its sunset, in milliseconds: ten years of 365 days.
pub const MAX_SUNSET_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1_000;
