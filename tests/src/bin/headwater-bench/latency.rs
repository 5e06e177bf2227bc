//! How long one envelope takes from a client's request to the block that records it, when the
//! network has nothing else to do.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use headwater_tests::writers::Signed;
use serde_json::json;

use crate::Amount;
use crate::load::Api;
use crate::machine::Limits;
use crate::report::{Report, percentile, quantity};

/// The silence before some samples.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for one envelope.
const PATIENCE_MS: u64 = 30_000;

/// Submits envelopes one at a time, to the nodes in turn, and reports.
pub fn measure(
    nodes: &[String],
    envelopes: &[Signed],
    amount: &Amount,
    limits: &Limits,
    report: &mut Report,
) -> Result<()> {
    let nodes: Vec<Api> = nodes.iter().map(|base| Api::new(base)).collect();
    let (mut steady, mut after_pause) = (Vec::new(), Vec::new());
    for (n, envelope) in envelopes.iter().enumerate() {
        // A place within each ten that moves, so that every node has its turn after a pause.
        let paused =
            (n + n / amount.latency_pause_one_in).is_multiple_of(amount.latency_pause_one_in);
        if paused {
            std::thread::sleep(PAUSE);
        }
        let node = &nodes[n % nodes.len()];
        let started = Instant::now();
        if !node.post(std::slice::from_ref(envelope))?.is_empty() {
            bail!("an idle node had no room for an envelope");
        }
        let path = format!("/v1/envelopes/{}?wait_ms={PATIENCE_MS}", envelope.id);
        let status = node.get(&path)?.context("no status of an envelope")?;
        if status["status"] != "recorded" {
            bail!("an envelope was not recorded: {status}");
        }
        let ms = started.elapsed().as_secs_f64() * 1e3;
        if paused { after_pause.push(ms) } else { steady.push(ms) }
    }
    let mut all: Vec<f64> = steady.iter().chain(&after_pause).copied().collect();
    let (p50, p99, max) =
        (percentile(&mut all, 0.5), percentile(&mut all, 0.99), percentile(&mut all, 1.0));
    let idle_p50 = percentile(&mut after_pause, 0.5);
    let ms = |value| quantity(value, "ms");
    report.section("from request to recorded, one envelope at a time");
    report.ratio("median", ms(p50), "an fdatasync", ms(limits.fsync_p50_ms));
    report.line("99 of 100 are below", ms(p99));
    report.line("the longest", ms(max));
    report.line("median after a second of silence", ms(idle_p50));
    report.json(
        "commit_latency",
        json!({
            "samples": all.len(),
            "samples_after_a_pause": after_pause.len(),
            "p50_ms": p50,
            "p99_ms": p99,
            "max_ms": max,
            "steady_p50_ms": percentile(&mut steady, 0.5),
            "after_a_pause_p50_ms": idle_p50,
            "fsync_p50_ms": limits.fsync_p50_ms,
            "p50_per_fsync": p50 / limits.fsync_p50_ms,
        }),
    );
    Ok(())
}
