//! What an operator watches: counters, gauges and histograms in the OpenMetrics text format.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The media type of [`Metrics::render`], once `# EOF` ends it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A gauge of a whole number.
pub type Level = Gauge<u64, AtomicU64>;
/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of a node except the consensus engine's own. Share it in an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Height of the last committed block.
    pub height: Level,
    /// Local clock minus the time of the last committed block; grows by itself while idle.
    pub block_time_lag: Seconds,
    /// Events in committed blocks since the node started.
    pub events_recorded: Counter,
    /// Envelopes in committed blocks since the node started.
    pub envelopes_recorded: Counter,
    /// Envelopes pending at this node.
    pub mempool_envelopes: Level,
    /// Bytes of the envelopes pending at this node.
    pub mempool_bytes: Level,
    /// Envelopes that wait for something not yet recorded.
    pub mempool_waiting: Level,
    /// Time to execute a block.
    pub block_execution: Histogram,
    /// Time to make a decided block durable and its state current.
    pub block_commit: Histogram,
    /// Size of committed blocks.
    pub block_bytes: Histogram,
    /// Envelopes put aside because executing them panicked.
    pub quarantined: Counter,
    /// Height up to which the query indexes are complete.
    pub index_height: Level,
    /// Height of the newest durable snapshot.
    pub snapshot_height: Level,
    /// Protocol version of the last committed block.
    pub protocol: Level,
    /// Version of the rulebook of the last committed block.
    pub rulebook: Level,
    /// States of past heights made again from the block log.
    pub states_rebuilt: Counter,
    /// Faults: our own bugs or damaged stores. Anything but zero needs a person.
    pub faults: Counter,
    /// The gossip of pending envelopes.
    pub gossip: GossipMetrics,
    refused: Family<CodeLabel, Counter>,
}

/// What the gossip of pending envelopes counts. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct GossipMetrics {
    /// Peers connected now.
    pub peers: Level,
    /// Envelopes sent, once each however many peers there are.
    pub sent: Counter,
    /// Frames sent, once each.
    pub sent_frames: Counter,
    /// Envelopes received in well-formed frames.
    pub received: Counter,
    /// Frames received, well-formed or not.
    pub received_frames: Counter,
    /// Frames that one peer did not get because it reads too slowly, once for each such peer.
    pub undelivered_frames: Counter,
    /// Incoming connections refused, such as those of strangers.
    pub refused_connections: Counter,
    dropped: Family<ReasonLabel, Counter>,
    rejected: Family<ReasonLabel, Counter>,
}

/// Why envelopes were dropped on their way in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The outgoing queue was full; the oldest went.
    OutboundFull,
    /// An envelope of our own is empty or above its limit.
    OwnSize,
    /// Nobody was connected.
    NoPeer,
    /// The queues towards peers were full, or a peer did not read in time.
    PeersSlow,
    /// The node's own queue of received frames was full; the newest went.
    InboundFull,
}

impl DropReason {
    const ALL: [DropReason; 5] = [
        DropReason::OutboundFull,
        DropReason::OwnSize,
        DropReason::NoPeer,
        DropReason::PeersSlow,
        DropReason::InboundFull,
    ];
}

/// Why a received frame was rejected, and so not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// It does not follow the format or is above its bounds.
    Malformed,
    /// It was signed by somebody who is not a peer.
    Stranger,
    /// The application refused it.
    Refused,
}

impl RejectReason {
    const ALL: [RejectReason; 3] =
        [RejectReason::Malformed, RejectReason::Stranger, RejectReason::Refused];
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl GossipMetrics {
    /// The counter of dropped envelopes.
    pub fn dropped(&self, reason: DropReason) -> Counter {
        let reason = match reason {
            DropReason::OutboundFull => "outbound_full",
            DropReason::OwnSize => "own_size",
            DropReason::NoPeer => "no_peer",
            DropReason::PeersSlow => "peers_slow",
            DropReason::InboundFull => "inbound_full",
        };
        self.dropped.get_or_create_owned(&ReasonLabel { reason })
    }

    /// The counter of rejected frames.
    pub fn rejected(&self, reason: RejectReason) -> Counter {
        let reason = match reason {
            RejectReason::Malformed => "malformed",
            RejectReason::Stranger => "stranger",
            RejectReason::Refused => "refused",
        };
        self.rejected.get_or_create_owned(&ReasonLabel { reason })
    }

    fn register(&self, registry: &mut Registry) {
        // Every series is there from the start, at zero, so that an alert can watch it.
        DropReason::ALL.into_iter().for_each(|reason| drop(self.dropped(reason)));
        RejectReason::ALL.into_iter().for_each(|reason| drop(self.rejected(reason)));
        registry.register("gossip_peers", "Peers connected for gossip", self.peers.clone());
        registry.register("gossip_sent_envelopes", "Envelopes gossiped out", self.sent.clone());
        registry.register("gossip_sent_frames", "Frames gossiped out", self.sent_frames.clone());
        registry.register("gossip_received_envelopes", "Envelopes received", self.received.clone());
        let frames = self.received_frames.clone();
        registry.register("gossip_received_frames", "Frames received", frames);
        let frames = self.undelivered_frames.clone();
        registry.register("gossip_undelivered_frames", "Frames lost to a slow peer", frames);
        let help = "Incoming connections refused, such as those of strangers";
        registry.register("gossip_refused_connections", help, self.refused_connections.clone());
        let help = "Envelopes dropped on their way by a full queue or for want of a peer";
        registry.register("gossip_dropped_envelopes", help, self.dropped.clone());
        let help = "Frames refused as malformed, from strangers or by the rules";
        registry.register("gossip_rejected_frames", help, self.rejected.clone());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Self {
        // 0.1 ms to 13 s, and 256 B to 16 MiB.
        let durations = || Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        let mut metrics = Metrics {
            registry: Registry::default(),
            height: Level::default(),
            block_time_lag: Seconds::default(),
            events_recorded: Counter::default(),
            envelopes_recorded: Counter::default(),
            mempool_envelopes: Level::default(),
            mempool_bytes: Level::default(),
            mempool_waiting: Level::default(),
            block_execution: durations(),
            block_commit: durations(),
            block_bytes: Histogram::new(exponential_buckets(256.0, 4.0, 9)),
            quarantined: Counter::default(),
            index_height: Level::default(),
            snapshot_height: Level::default(),
            protocol: Level::default(),
            rulebook: Level::default(),
            states_rebuilt: Counter::default(),
            faults: Counter::default(),
            gossip: GossipMetrics::default(),
            refused: Family::default(),
        };
        metrics.registry = metrics.register_all();
        metrics
    }

    fn register_all(&self) -> Registry {
        let mut registry = Registry::with_prefix("headwater");
        let r = &mut registry;
        r.register(
            "build",
            "The running program",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        r.register("height", "Height of the last committed block", self.height.clone());
        let help = "Local clock minus the time of the last committed block";
        r.register_with_unit("block_time_lag", help, Unit::Seconds, self.block_time_lag.clone());
        r.register("events_recorded", "Events in committed blocks", self.events_recorded.clone());
        let help = "Envelopes in committed blocks";
        r.register("envelopes_recorded", help, self.envelopes_recorded.clone());
        r.register("mempool_envelopes", "Envelopes pending here", self.mempool_envelopes.clone());
        let help = "Size of the envelopes pending here";
        r.register_with_unit("mempool", help, Unit::Bytes, self.mempool_bytes.clone());
        let help = "Envelopes that wait for something not yet recorded";
        r.register("mempool_waiting_envelopes", help, self.mempool_waiting.clone());
        r.register("refused", "Envelopes refused, by reject code", self.refused.clone());
        let help = "Time to execute a block";
        r.register_with_unit("block_execution", help, Unit::Seconds, self.block_execution.clone());
        let help = "Time to make a decided block durable and current";
        r.register_with_unit("block_commit", help, Unit::Seconds, self.block_commit.clone());
        let help = "Size of committed blocks";
        r.register_with_unit("block", help, Unit::Bytes, self.block_bytes.clone());
        let help = "Envelopes put aside because executing them panicked";
        r.register("quarantined", help, self.quarantined.clone());
        let help = "Height up to which the query indexes are complete";
        r.register("index_height", help, self.index_height.clone());
        let help = "Height of the newest durable snapshot";
        r.register("snapshot_height", help, self.snapshot_height.clone());
        let help = "Protocol version of the last committed block";
        r.register("protocol", help, self.protocol.clone());
        let help = "Version of the rulebook of the last committed block";
        r.register("rulebook", help, self.rulebook.clone());
        let help = "States of past heights made again from the block log";
        r.register("states_rebuilt", help, self.states_rebuilt.clone());
        let help = "Own bugs or damaged stores; anything but zero needs a person";
        r.register("faults", help, self.faults.clone());
        self.gossip.register(r);
        registry
    }

    /// Counts an envelope refused with reject code `code`. Codes are a fixed set, so the number of
    /// series is bounded.
    pub fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&CodeLabel { code }).inc();
    }

    /// Sets the lag of block time behind the local clock; a block from the future shows as zero.
    pub fn set_block_time_lag(&self, now_ms: u64, block_time_ms: u64) {
        let lag = Duration::from_millis(now_ms.saturating_sub(block_time_ms));
        self.block_time_lag.set(lag.as_secs_f64());
    }

    /// All metrics as text, without the final `# EOF`, so that the engine's can follow.
    pub fn render(&self) -> String {
        let mut page = String::new();
        // Writing to a String does not fail, and no metric's encoding does.
        text::encode_registry(&mut page, &self.registry).expect("a String takes any text");
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The metric families of a page: name and kind.
    fn families(page: &str) -> Vec<(&str, &str)> {
        page.lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|rest| rest.split_once(' '))
            .collect()
    }

    #[test]
    fn every_metric_has_the_prefix_and_a_help_line_and_the_names_stay() {
        let metrics = Metrics::new();
        // A family without a series is not written, and the codes are not known here.
        metrics.refused("ANY");
        let page = metrics.render();
        let expected = [
            ("headwater_build", "info"),
            ("headwater_height", "gauge"),
            ("headwater_block_time_lag_seconds", "gauge"),
            ("headwater_events_recorded", "counter"),
            ("headwater_envelopes_recorded", "counter"),
            ("headwater_mempool_envelopes", "gauge"),
            ("headwater_mempool_bytes", "gauge"),
            ("headwater_mempool_waiting_envelopes", "gauge"),
            ("headwater_refused", "counter"),
            ("headwater_block_execution_seconds", "histogram"),
            ("headwater_block_commit_seconds", "histogram"),
            ("headwater_block_bytes", "histogram"),
            ("headwater_quarantined", "counter"),
            ("headwater_index_height", "gauge"),
            ("headwater_snapshot_height", "gauge"),
            ("headwater_protocol", "gauge"),
            ("headwater_rulebook", "gauge"),
            ("headwater_states_rebuilt", "counter"),
            ("headwater_faults", "counter"),
            ("headwater_gossip_peers", "gauge"),
            ("headwater_gossip_sent_envelopes", "counter"),
            ("headwater_gossip_sent_frames", "counter"),
            ("headwater_gossip_received_envelopes", "counter"),
            ("headwater_gossip_received_frames", "counter"),
            ("headwater_gossip_undelivered_frames", "counter"),
            ("headwater_gossip_refused_connections", "counter"),
            ("headwater_gossip_dropped_envelopes", "counter"),
            ("headwater_gossip_rejected_frames", "counter"),
        ];
        assert_eq!(families(&page), expected);
        for (name, _) in expected {
            assert!(page.contains(&format!("# HELP {name} ")), "no help for {name}");
        }
        assert!(!page.contains("# EOF"), "the engine's metrics could not follow");
    }

    #[test]
    fn what_is_counted_shows_on_the_page() {
        let metrics = Metrics::new();
        metrics.height.set(7);
        metrics.events_recorded.inc_by(3);
        metrics.mempool_bytes.set(1_024);
        metrics.refused("SPLIT_SUM");
        metrics.refused("SPLIT_SUM");
        metrics.block_commit.observe(0.003);
        metrics.block_bytes.observe(300.0);
        metrics.gossip.clone().dropped(DropReason::NoPeer).inc_by(4);
        metrics.gossip.rejected(RejectReason::Malformed).inc();
        let page = metrics.render();
        for line in [
            "headwater_height 7",
            "headwater_events_recorded_total 3",
            "headwater_mempool_bytes 1024",
            "headwater_refused_total{code=\"SPLIT_SUM\"} 2",
            "headwater_block_commit_seconds_count 1",
            "headwater_block_bytes_bucket{le=\"256.0\"} 0",
            "headwater_block_bytes_bucket{le=\"1024.0\"} 1",
            "headwater_block_bytes_bucket{le=\"16777216.0\"} 1",
            "headwater_gossip_dropped_envelopes_total{reason=\"no_peer\"} 4",
            "headwater_gossip_rejected_frames_total{reason=\"malformed\"} 1",
        ] {
            assert!(page.lines().any(|found| found == line), "no line `{line}` in\n{page}");
        }
    }

    #[test]
    fn the_lag_of_block_time_is_in_seconds_and_never_negative() {
        let metrics = Metrics::new();
        metrics.set_block_time_lag(10_500, 8_000);
        assert_eq!(metrics.block_time_lag.get(), 2.5);
        metrics.set_block_time_lag(8_000, 10_500);
        assert_eq!(metrics.block_time_lag.get(), 0.0);
    }
}
