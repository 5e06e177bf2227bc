//! The outgoing queue: never blocks who publishes, bounded, drops the oldest.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::frame;

/// Most envelopes waiting to be sent.
pub const MAX_QUEUED_ENVELOPES: usize = 65_536;
/// Most bytes waiting to be sent.
pub const MAX_QUEUED_BYTES: usize = 64 << 20;

/// Envelopes on their way out.
#[derive(Debug, Default)]
pub struct Outbound {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    envelopes: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

impl Outbound {
    /// Appends `envelope` and returns how many older ones were dropped for it.
    pub fn push(&self, envelope: Bytes) -> u64 {
        let mut inner = self.lock();
        inner.bytes += frame::cost(&envelope);
        inner.envelopes.push_back(envelope);
        let mut dropped = 0;
        while inner.bytes > MAX_QUEUED_BYTES || inner.envelopes.len() > MAX_QUEUED_ENVELOPES {
            let Some(oldest) = inner.envelopes.pop_front() else { break };
            inner.bytes -= frame::cost(&oldest);
            dropped += 1;
        }
        drop(inner);
        self.changed.notify_one();
        dropped
    }

    /// The oldest envelopes that fill one frame; empty when none wait.
    pub fn take_frame(&self) -> Vec<Bytes> {
        let mut inner = self.lock();
        let (mut taken, mut bytes) = (Vec::new(), frame::empty_cost());
        while let Some(next) = inner.envelopes.front() {
            let with_next = bytes + frame::cost(next);
            let full =
                with_next > frame::TARGET_FRAME_BYTES || taken.len() == frame::MAX_FRAME_ENVELOPES;
            if full && !taken.is_empty() {
                break;
            }
            bytes = with_next;
            taken.extend(inner.envelopes.pop_front());
        }
        inner.bytes -= bytes - frame::empty_cost();
        taken
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lock().envelopes.is_empty()
    }

    /// Returns after the next push or close, or at once if there was one since the last return.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Tells the sender that nothing more will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Whether [`Outbound::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code that holds the lock leaves it half-changed by a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(tag: usize, length: usize) -> Bytes {
        let mut bytes = tag.to_le_bytes().to_vec();
        bytes.resize(length.max(8), 0);
        Bytes::from(bytes)
    }

    #[test]
    fn above_the_number_the_oldest_is_dropped() {
        let queue = Outbound::default();
        for tag in 0..MAX_QUEUED_ENVELOPES {
            assert_eq!(queue.push(envelope(tag, 8)), 0);
        }
        assert_eq!(queue.push(envelope(MAX_QUEUED_ENVELOPES, 8)), 1);
        assert_eq!(queue.take_frame()[0], envelope(1, 8));
    }

    #[test]
    fn above_the_bytes_the_oldest_are_dropped() {
        let queue = Outbound::default();
        let mut dropped = 0;
        for tag in 0..100 {
            dropped += queue.push(envelope(tag, 1 << 20));
        }
        assert_eq!(dropped, 37, "63 envelopes of a mebibyte and their lengths fit in 64 MiB");
        assert_eq!(queue.take_frame(), [envelope(37, 1 << 20)]);
    }

    #[test]
    fn frames_are_filled_in_order_and_never_above_the_target_unless_single() {
        let queue = Outbound::default();
        let sizes = [100, 100_000, 100_000, 100_000, 1 << 20, 50, 60];
        for (tag, size) in sizes.into_iter().enumerate() {
            queue.push(envelope(tag, size));
        }
        let mut seen = Vec::new();
        let mut lengths = Vec::new();
        while !queue.is_empty() {
            let frame = queue.take_frame();
            let bytes = frame::encode(&frame).len();
            assert!(bytes <= frame::TARGET_FRAME_BYTES || frame.len() == 1, "{bytes}");
            lengths.push(frame.len());
            seen.extend(frame);
        }
        assert_eq!(lengths, [3, 1, 1, 2]);
        let all: Vec<Bytes> =
            sizes.into_iter().enumerate().map(|(tag, size)| envelope(tag, size)).collect();
        assert_eq!(seen, all);
        assert_eq!(queue.take_frame(), Vec::<Bytes>::new());
    }
}
