//! The frame: several envelopes in one gossip message.
//!
//! `count: u32 ‖ count × (length: u32 ‖ envelope)`, little endian, nothing after. A frame has at
//! least one envelope and no envelope is empty. A frame of several envelopes is filled up to
//! [`TARGET_FRAME_BYTES`]; a larger one holds a single large envelope.

use bytes::{BufMut, Bytes};
use headwater_ledger::limits::MAX_ENVELOPE_BYTES;

/// Envelopes are packed together up to this many bytes of frame.
pub const TARGET_FRAME_BYTES: usize = 256 << 10;
/// Most envelopes in a frame.
pub const MAX_FRAME_ENVELOPES: usize = 4_096;
/// Most bytes of a frame: one envelope of the largest size.
pub const MAX_FRAME_BYTES: usize = 2 * WORD + MAX_ENVELOPE_BYTES;

/// Bytes of a count or a length.
const WORD: usize = 4;

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It has more bytes than any frame.
    #[error("the frame is too large")]
    TooLarge,
    /// It ends before what it announces.
    #[error("the frame ends early")]
    Short,
    /// It has bytes after the last envelope.
    #[error("the frame has bytes left over")]
    Leftover,
    /// It announces no envelope or too many.
    #[error("the frame's number of envelopes is out of bounds")]
    Count,
    /// An envelope is empty or too large.
    #[error("an envelope's length is out of bounds")]
    EnvelopeLength,
}

/// Whether an envelope can travel at all.
pub fn fits(envelope: &[u8]) -> bool {
    (1..=MAX_ENVELOPE_BYTES).contains(&envelope.len())
}

/// Bytes `envelope` takes in a frame.
pub fn cost(envelope: &[u8]) -> usize {
    WORD + envelope.len()
}

/// Bytes of a frame without envelopes.
pub const fn empty_cost() -> usize {
    WORD
}

/// The frame of `envelopes`, each of which [`fits`].
pub fn encode(envelopes: &[Bytes]) -> Vec<u8> {
    let bytes = envelopes.iter().map(|envelope| cost(envelope)).sum::<usize>() + empty_cost();
    let mut frame = Vec::with_capacity(bytes);
    frame.put_u32_le(word(envelopes.len()));
    for envelope in envelopes {
        frame.put_u32_le(word(envelope.len()));
        frame.put_slice(envelope);
    }
    frame
}

/// The envelopes of `frame`, each in memory of its own, so that keeping one keeps no other.
pub fn decode(frame: &[u8]) -> Result<Vec<Bytes>, FrameError> {
    if frame.len() > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge);
    }
    let (count, mut rest) = take_word(frame)?;
    if !(1..=MAX_FRAME_ENVELOPES).contains(&count) {
        return Err(FrameError::Count);
    }
    let mut envelopes = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, after) = take_word(rest)?;
        if !(1..=MAX_ENVELOPE_BYTES).contains(&length) {
            return Err(FrameError::EnvelopeLength);
        }
        let (envelope, after) = after.split_at_checked(length).ok_or(FrameError::Short)?;
        envelopes.push(Bytes::copy_from_slice(envelope));
        rest = after;
    }
    if rest.is_empty() { Ok(envelopes) } else { Err(FrameError::Leftover) }
}

fn word(length: usize) -> u32 {
    // Both counts and lengths are bounded far below; a larger one makes a frame nobody accepts.
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn take_word(bytes: &[u8]) -> Result<(usize, &[u8]), FrameError> {
    let (word, rest) = bytes.split_first_chunk::<WORD>().ok_or(FrameError::Short)?;
    let value = usize::try_from(u32::from_le_bytes(*word)).map_err(|_| FrameError::Short)?;
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn frame(count: u32, envelopes: &[(u32, &[u8])]) -> Vec<u8> {
        let mut frame = count.to_le_bytes().to_vec();
        for (length, bytes) in envelopes {
            frame.extend(length.to_le_bytes());
            frame.extend(*bytes);
        }
        frame
    }

    #[test]
    fn a_frame_has_the_documented_bytes() {
        let envelopes = [Bytes::from_static(b"ab"), Bytes::from_static(b"c")];
        let bytes = [2, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 1, 0, 0, 0, b'c'];
        assert_eq!(encode(&envelopes), bytes);
        assert_eq!(decode(&bytes).unwrap(), envelopes);
    }

    #[test]
    fn malformed_frames_are_refused_each_for_its_reason() {
        let large = vec![7; MAX_ENVELOPE_BYTES + 1];
        let length = u32::try_from(large.len()).unwrap();
        let many: Vec<(u32, &[u8])> = vec![(1, b"x"); MAX_FRAME_ENVELOPES + 1];
        for (bytes, error) in [
            (vec![], FrameError::Short),
            (vec![1, 0, 0], FrameError::Short),
            (frame(0, &[]), FrameError::Count),
            (frame(u32::MAX, &[(1, b"x")]), FrameError::Count),
            (frame(4_097, &many), FrameError::Count),
            (frame(2, &[(1, b"x")]), FrameError::Short),
            (frame(1, &[(2, b"x")]), FrameError::Short),
            (frame(1, &[(0, b"")]), FrameError::EnvelopeLength),
            (frame(1, &[(u32::MAX, b"x")]), FrameError::EnvelopeLength),
            (frame(1, &[(length, &large[..9])]), FrameError::EnvelopeLength),
            (frame(1, &[(1, b"xy")]), FrameError::Leftover),
            (frame(1, &[(length, &large)]), FrameError::TooLarge),
        ] {
            assert_eq!(decode(&bytes), Err(error), "{} bytes", bytes.len());
        }
    }

    #[test]
    fn the_largest_envelope_and_the_longest_frame_travel() {
        let largest = vec![Bytes::from(vec![1; MAX_ENVELOPE_BYTES])];
        let frame = encode(&largest);
        assert_eq!(frame.len(), MAX_FRAME_BYTES);
        assert_eq!(decode(&frame).unwrap(), largest);
        let longest = vec![Bytes::from_static(b"x"); MAX_FRAME_ENVELOPES];
        assert_eq!(decode(&encode(&longest)).unwrap(), longest);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(parts in vec(vec(any::<u8>(), 1..300), 1..40)) {
            let envelopes: Vec<Bytes> = parts.into_iter().map(Bytes::from).collect();
            let frame = encode(&envelopes);
            let costs: usize = envelopes.iter().map(|envelope| cost(envelope)).sum();
            prop_assert_eq!(frame.len(), costs + empty_cost());
            prop_assert_eq!(decode(&frame).unwrap(), envelopes);
        }

        #[test]
        fn any_accepted_bytes_are_the_only_frame_of_their_envelopes(
            count in 0u32..4, body in vec(0u8..4, 0..40),
        ) {
            let bytes = [count.to_le_bytes().as_slice(), &body].concat();
            if let Ok(envelopes) = decode(&bytes) {
                prop_assert_eq!(encode(&envelopes), bytes);
            }
        }
    }
}
