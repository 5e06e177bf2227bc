//! Blocks on the wire: cut into signed streams of parts, and put together again within bounds.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use headwater_ledger::limits::MAX_BLOCK_BYTES;
use malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachitebft_app_channel::app::types::PeerId;

use super::codec::Payload;
use super::context::{MAX_STREAM_PARTS, PIECE_BYTES, Part, PartInit};

/// Streams one peer may have open; a further one replaces its oldest.
const MAX_OPEN_PER_PEER: usize = 2;
/// Whole blocks of later heights kept for one peer; a further one replaces its oldest.
const MAX_HELD_PER_PEER: usize = 2;
/// How far above the next height a block may be and still be kept.
pub(super) const MAX_HEIGHTS_AHEAD: u64 = 4;

/// Cuts a block into the parts of a stream.
pub(super) fn cut(id: StreamId, init: PartInit, block: &Bytes) -> Vec<StreamMessage<Part>> {
    let pieces = (0..block.len()).step_by(PIECE_BYTES).map(|start| {
        let end = block.len().min(start + PIECE_BYTES);
        StreamContent::Data(Part::Piece(Payload(block.slice(start..end))))
    });
    std::iter::once(StreamContent::Data(Part::Init(init)))
        .chain(pieces)
        .chain(std::iter::once(StreamContent::Fin))
        .zip(0..)
        .map(|(content, sequence)| StreamMessage::new(id.clone(), sequence, content))
        .collect()
}

/// A block put together from its parts. Its bytes are not checked against anything.
#[derive(Debug)]
pub(super) struct Assembled {
    pub init: PartInit,
    pub block: Bytes,
}

#[derive(Debug)]
struct Open {
    peer: PeerId,
    id: StreamId,
    init: Option<PartInit>,
    pieces: BTreeMap<u64, Bytes>,
    bytes: usize,
    end: Option<u64>,
    /// Kept only to swallow what is left of a stream that broke a rule.
    refused: bool,
}

impl Open {
    fn refuse(&mut self) {
        self.refused = true;
        self.pieces.clear();
        self.init = None;
    }

    fn is_complete(&self) -> bool {
        let (Some(init), Some(end)) = (&self.init, self.end) else { return false };
        let whole = self.pieces.len() as u64 + 1 == end
            && self.pieces.keys().next_back().is_none_or(|last| *last + 1 == end);
        whole && self.bytes as u64 == init.block_bytes
    }
}

/// Open streams and whole blocks of later heights, bounded for each peer by itself, so that no
/// peer can push out what another one sends.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// In order of arrival.
    open: VecDeque<Open>,
    /// In order of arrival.
    held: VecDeque<(PeerId, Assembled)>,
}

impl Streams {
    /// Takes a part in; gives the block when it was the last part missing.
    ///
    /// `admits` judges the signed first part. A stream that breaks a rule is dropped whole.
    pub fn add(
        &mut self,
        peer: PeerId,
        message: StreamMessage<Part>,
        admits: impl FnOnce(&PartInit) -> bool,
    ) -> Option<Assembled> {
        let index = self.index_of(peer, &message.stream_id);
        let stream = self.open.get_mut(index)?;
        let sequence = message.sequence;
        match message.content {
            StreamContent::Fin => stream.end = Some(sequence),
            _ if stream.refused => {}
            StreamContent::Data(Part::Init(init)) => {
                let fits = init.block_bytes <= MAX_BLOCK_BYTES as u64;
                if sequence == 0 && stream.init.is_none() && fits && admits(&init) {
                    stream.init = Some(init);
                } else {
                    stream.refuse();
                }
            }
            StreamContent::Data(Part::Piece(Payload(piece))) => {
                stream.bytes += piece.len();
                let fits = (1..MAX_STREAM_PARTS).contains(&sequence)
                    && stream.bytes <= MAX_BLOCK_BYTES
                    && !piece.is_empty();
                if !fits || stream.pieces.insert(sequence, piece).is_some() {
                    stream.refuse();
                }
            }
        }
        if stream.refused {
            if stream.end.is_some() {
                self.open.remove(index);
            }
            return None;
        }
        if !stream.is_complete() {
            return None;
        }
        let stream = self.open.remove(index)?;
        let mut block = BytesMut::with_capacity(stream.bytes);
        stream.pieces.values().for_each(|piece| block.extend_from_slice(piece));
        Some(Assembled { init: stream.init?, block: block.freeze() })
    }

    fn index_of(&mut self, peer: PeerId, id: &StreamId) -> usize {
        if let Some(index) = self.open.iter().position(|s| s.peer == peer && s.id == *id) {
            return index;
        }
        let of_peer = |s: &Open| s.peer == peer;
        if self.open.iter().filter(|s| of_peer(s)).count() >= MAX_OPEN_PER_PEER {
            let oldest = self.open.iter().position(of_peer);
            oldest.and_then(|index| self.open.remove(index));
        }
        self.open.push_back(Open {
            peer,
            id: id.clone(),
            init: None,
            pieces: BTreeMap::new(),
            bytes: 0,
            end: None,
            refused: false,
        });
        self.open.len() - 1
    }

    /// Keeps a whole block of a later height.
    pub fn hold(&mut self, peer: PeerId, assembled: Assembled) {
        let of_peer = |(p, _): &(PeerId, Assembled)| *p == peer;
        if self.held.iter().filter(|h| of_peer(h)).count() >= MAX_HELD_PER_PEER {
            let oldest = self.held.iter().position(of_peer);
            oldest.and_then(|index| self.held.remove(index));
        }
        self.held.push_back((peer, assembled));
    }

    /// Gives out the blocks kept for a height.
    pub fn take_held(&mut self, height: u64) -> Vec<Assembled> {
        let (now, later) = self.held.drain(..).partition(|(_, a)| a.init.height == height);
        self.held = later;
        VecDeque::into_iter(now).map(|(_, assembled)| assembled).collect()
    }

    /// Whether a block above `height` is arriving or has arrived.
    pub fn has_above(&self, height: u64) -> bool {
        let open = self.open.iter().filter_map(|s| s.init.as_ref());
        open.chain(self.held.iter().map(|(_, a)| &a.init)).any(|init| init.height > height)
    }

    /// Forgets everything up to a decided height.
    pub fn prune(&mut self, height: u64) {
        self.open.retain(|s| s.init.as_ref().is_none_or(|init| init.height > height));
        self.held.retain(|(_, a)| a.init.height > height);
    }
}

#[cfg(test)]
mod tests;
