//! The bytes of the block log: segment headers and records. Implements [LED-LOG-2] and [LED-LOG-3].

use std::fmt;

/// Most bytes of one record, with its framing: 64 MiB, far above any block.
pub const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Bytes of a segment's header.
pub(super) const SEGMENT_HEADER_BYTES: usize = 120;
/// Bytes of a record before the block: magic, total length, height, previous hash.
pub(super) const RECORD_HEAD_BYTES: usize = 48;
/// First bytes of every record.
pub(super) const RECORD_MAGIC: [u8; 4] = *b"HWRC";

const SEGMENT_MAGIC: [u8; 8] = *b"HWLOGSEG";
const FORMAT_VERSION: u32 = 1;
const HASH_BLAKE3: u32 = 1;
const HASH_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;
/// Bytes of a record around block and certificate.
const FRAME_BYTES: usize = RECORD_HEAD_BYTES + 2 * LENGTH_BYTES + HASH_BYTES;
const SEGMENT_CONTEXT: &str = "headwater 2026-11 log segment";
const RECORD_CONTEXT: &str = "headwater 2026-11 log record";

/// What a height of the log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The block's bytes.
    pub block: Vec<u8>,
    /// The bytes of the certificate that commits it.
    pub certificate: Vec<u8>,
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub chain_id: [u8; 32],
    pub first_height: u64,
    /// Hash of the record before the first; the chain id at height 1.
    pub previous_hash: [u8; 32],
}

/// Why bytes are not a segment header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFlaw {
    /// Not one at all, or altered.
    Damaged,
    /// One of another format.
    Version(u32),
}

/// The fixed fields of a record and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub total: u64,
    pub height: u64,
    pub previous_hash: [u8; 32],
}

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Magic,
    Length,
    Incomplete,
    Hash,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Magic => "no record begins where one should",
            Flaw::Length => "a record has an impossible length",
            Flaw::Incomplete => "a record goes on past the end of the file",
            Flaw::Hash => "the bytes of a record do not match its hash",
        })
    }
}

/// File name of the segment whose first record has this height. Names sort like heights.
pub(super) fn segment_name(first_height: u64) -> String {
    format!("segment-{first_height:020}.hwl")
}

/// The first height a file name tells, when it is a segment's.
pub(super) fn parse_segment_name(name: &str) -> Option<u64> {
    let height = name.strip_prefix("segment-")?.strip_suffix(".hwl")?.parse().ok()?;
    (segment_name(height) == name).then_some(height)
}

fn hash(context: &str, bytes: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new_derive_key(context).update(bytes).finalize().as_bytes()
}

/// The `N` bytes at `at`, when there are as many.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        out.extend_from_slice(&SEGMENT_MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&HASH_BLAKE3.to_le_bytes());
        out.extend_from_slice(&self.chain_id);
        out.extend_from_slice(&self.first_height.to_le_bytes());
        out.extend_from_slice(&self.previous_hash);
        out.extend_from_slice(&hash(SEGMENT_CONTEXT, &out));
        out
    }

    /// Reads the [`SEGMENT_HEADER_BYTES`] of a header. Size, magic, version and hash are the same in
    /// every format, so that an unknown one can be told from a damaged one.
    pub(super) fn decode(bytes: &[u8]) -> Result<SegmentHeader, HeaderFlaw> {
        let fields = || {
            Some((
                u32::from_le_bytes(array(bytes, 8)?),
                SegmentHeader {
                    chain_id: array(bytes, 16)?,
                    first_height: u64::from_le_bytes(array(bytes, 48)?),
                    previous_hash: array(bytes, 56)?,
                },
            ))
        };
        let (version, header) = fields().ok_or(HeaderFlaw::Damaged)?;
        let (covered, stated) = bytes.split_last_chunk().ok_or(HeaderFlaw::Damaged)?;
        if !covered.starts_with(&SEGMENT_MAGIC) || hash(SEGMENT_CONTEXT, covered) != *stated {
            return Err(HeaderFlaw::Damaged);
        }
        if version != FORMAT_VERSION || header.encode() != bytes {
            return Err(HeaderFlaw::Version(version));
        }
        Ok(header)
    }
}

/// Writes a record to `out` and returns its hash; its size when that is above the limit.
pub(super) fn encode(
    out: &mut Vec<u8>,
    height: u64,
    previous_hash: &[u8; 32],
    block: &[u8],
    certificate: &[u8],
) -> Result<[u8; 32], u64> {
    let total = FRAME_BYTES as u64 + block.len() as u64 + certificate.len() as u64;
    if total > MAX_RECORD_BYTES {
        return Err(total);
    }
    // Below 2^26 each, so the lengths fit 32 bits.
    let length = |n: usize| (n as u32).to_le_bytes();
    out.clear();
    out.extend_from_slice(&RECORD_MAGIC);
    out.extend_from_slice(&(total as u32).to_le_bytes());
    out.extend_from_slice(&height.to_le_bytes());
    out.extend_from_slice(previous_hash);
    for part in [block, certificate] {
        out.extend_from_slice(&length(part.len()));
        out.extend_from_slice(part);
    }
    let hash = hash(RECORD_CONTEXT, out);
    out.extend_from_slice(&hash);
    Ok(hash)
}

/// Reads the first [`RECORD_HEAD_BYTES`] of a record, which nothing vouches for yet.
pub(super) fn decode_head(bytes: &[u8]) -> Result<RecordHead, Flaw> {
    let fields = || {
        Some((
            array(bytes, 0)?,
            RecordHead {
                total: u64::from(u32::from_le_bytes(array(bytes, 4)?)),
                height: u64::from_le_bytes(array(bytes, 8)?),
                previous_hash: array(bytes, 16)?,
            },
        ))
    };
    let (magic, head): ([u8; 4], _) = fields().ok_or(Flaw::Incomplete)?;
    if magic != RECORD_MAGIC {
        return Err(Flaw::Magic);
    }
    if head.total < FRAME_BYTES as u64 || head.total > MAX_RECORD_BYTES {
        return Err(Flaw::Length);
    }
    Ok(head)
}

/// Checks exactly the bytes of one record; returns its head and its hash.
pub(super) fn check(bytes: &[u8]) -> Result<(RecordHead, [u8; 32]), Flaw> {
    let head = decode_head(bytes)?;
    if head.total != bytes.len() as u64 {
        return Err(Flaw::Length);
    }
    let (covered, stated) = bytes.split_last_chunk().ok_or(Flaw::Length)?;
    if hash(RECORD_CONTEXT, covered) != *stated {
        return Err(Flaw::Hash);
    }
    parts(covered).ok_or(Flaw::Length)?;
    Ok((head, *stated))
}

/// Reads exactly the bytes of one record.
pub(super) fn decode(bytes: &[u8]) -> Result<(RecordHead, Record), Flaw> {
    let (head, _) = check(bytes)?;
    let (block, certificate) =
        bytes.get(..bytes.len() - HASH_BYTES).and_then(parts).ok_or(Flaw::Length)?;
    Ok((head, Record { block: block.to_vec(), certificate: certificate.to_vec() }))
}

/// Block and certificate of a record without its hash; they must fill it exactly.
fn parts(covered: &[u8]) -> Option<(&[u8], &[u8])> {
    let (block, rest) = part(covered.get(RECORD_HEAD_BYTES..)?)?;
    let (certificate, rest) = part(rest)?;
    rest.is_empty().then_some((block, certificate))
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
