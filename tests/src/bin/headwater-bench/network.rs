//! Four real validators on loopback, under load and at rest.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use headwater_ledger::event::member::{AdmitMember, Role};
use headwater_ledger::hash::ChainId;
use headwater_tests::Cluster;
use headwater_tests::cluster::Setup;
use headwater_tests::writers::{Signed, Writer, registrations};
use serde_json::{Value, json};

use crate::ledger::{Rate, Rates};
use crate::load::{self, Recorded};
use crate::machine::{Limits, Machine};
use crate::report::{Report, quantity};
use crate::storage::{self, Expected};
use crate::{Amount, latency};

const VALIDATORS: [&str; 4] = ["gz-exchange", "bj-exchange", "sd-exchange", "fj-exchange"];
/// Members that register; a multiple of the number of nodes.
const WRITERS: usize = 8;
/// Clock ticks of a second in /proc, part of Linux's interface.
const TICKS_PER_S: f64 = 100.0;

/// A network and the members that use it.
struct Network {
    cluster: Cluster,
    chain_id: ChainId,
    writers: Vec<Writer>,
}

/// Measures and reports everything that needs a network.
pub fn measure(
    folder: &Path,
    amount: &Amount,
    machine: &Machine,
    limits: &Limits,
    rates: &Rates,
    step: &dyn Fn(&str),
    report: &mut Report,
) -> Result<()> {
    step("starting four validators");
    let mut network = Network::start(folder)?;
    step("a load of envelopes with one event each");
    let single = network.load("one", (amount.single_event_envelopes, 1), amount)?;
    step("a load of envelopes with a hundred events each");
    let batch = network.load("hundred", (amount.batch_envelopes, 100), amount)?;
    let memory = network.memory_mib()?;
    report.section("four validators on this machine, envelopes of one event");
    single.report(&rates.single, machine, limits, "single_event_envelopes", report);
    report.section("four validators on this machine, envelopes of a hundred events");
    batch.report(&rates.batch, machine, limits, "hundred_event_envelopes", report);
    step("one envelope at a time");
    let alone = network.signed("alone", (amount.latency_samples, 1))?;
    latency::measure(&network.nodes(), &alone, amount, limits, report)?;
    report.section("memory, each node, after the loads");
    report.line(
        "resident, largest of the four",
        quantity(memory.iter().fold(0.0, |a, b| f64::max(a, *b)), "MiB"),
    );
    report.json("memory", json!({ "resident_mib": memory }));
    step("stopping the validators and deriving the log again");
    storage::stop(&mut network.cluster)?;
    let expected = Expected {
        single_events: single.recorded.events + alone.len() as u64,
        batch_events: batch.recorded.events,
    };
    let home = network.cluster.nodes[0].home.clone();
    storage::replay(&home, &expected, limits, rates, report)?;
    step("a snapshot of the state");
    let events = expected.single_events + expected.batch_events;
    storage::snapshot(&mut network.cluster, events, report)
}

/// A load and what it cost.
struct Loaded {
    recorded: Recorded,
    /// CPU seconds of the four nodes together.
    nodes_cpu_s: f64,
    /// CPU seconds of this process.
    client_cpu_s: f64,
}

impl Network {
    fn start(folder: &Path) -> Result<Self> {
        let writers: Vec<Writer> = (0..WRITERS)
            .map(|n| Writer::new(&format!("writer-{n}"), Role::Holder))
            .collect::<Result<_>>()?;
        let members: Vec<AdmitMember> =
            writers.iter().map(Writer::admission).collect::<Result<_>>()?;
        let path = folder.join("members.json");
        fs::write(&path, serde_json::to_string(&members)?)?;
        let mut cluster = Cluster::make(&Setup {
            folder,
            validators: &VALIDATORS,
            members: Some(&path),
            arguments: &[],
        })?;
        cluster.start_all()?;
        let chain_id = cluster.chain_id.parse()?;
        Ok(Network { cluster, chain_id, writers })
    }

    fn nodes(&self) -> Vec<String> {
        self.cluster.nodes.iter().map(|node| node.api.clone()).collect()
    }

    fn signed(&self, prefix: &str, count: (usize, usize)) -> Result<Vec<Signed>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let until = u64::try_from((now + Duration::from_secs(3_600)).as_millis())?;
        registrations(&self.writers, self.chain_id, until, prefix, count)
    }

    fn load(&self, prefix: &str, count: (usize, usize), amount: &Amount) -> Result<Loaded> {
        let envelopes = self.signed(prefix, count)?;
        let (nodes, client) = (self.nodes_cpu_s()?, cpu_s("self")?);
        let recorded = load::run(&self.nodes(), envelopes, amount.load_seconds)?;
        Ok(Loaded {
            recorded,
            nodes_cpu_s: self.nodes_cpu_s()? - nodes,
            client_cpu_s: cpu_s("self")? - client,
        })
    }

    fn pids(&self) -> Result<Vec<String>> {
        (0..VALIDATORS.len())
            .map(|place| Ok(self.cluster.pid(place).context("a node does not run")?.to_string()))
            .collect()
    }

    fn nodes_cpu_s(&self) -> Result<f64> {
        self.pids()?.iter().map(|pid| cpu_s(pid)).sum()
    }

    fn memory_mib(&self) -> Result<Vec<f64>> {
        let resident = |pid: &String| -> Result<f64> {
            let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            Ok(kib.context("no VmRSS")?.trim().parse::<f64>()? / 1024.0)
        };
        self.pids()?.iter().map(resident).collect()
    }
}

/// CPU seconds of a process, in the system and out of it.
fn cpu_s(pid: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; what follows it does not.
    let rest = text.rsplit_once(") ").context("an unknown form of stat")?.1;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    Ok(ticks(11).zip(ticks(12)).map(|(user, system)| user + system).context("no times")?
        / TICKS_PER_S)
}

impl Loaded {
    fn report(
        &self,
        rate: &Rate,
        machine: &Machine,
        limits: &Limits,
        key: &str,
        report: &mut Report,
    ) {
        let done = &self.recorded;
        let per_s = done.events as f64 / done.seconds;
        // Every node verifies and executes every envelope at least once, on the same cores.
        let nodes = VALIDATORS.len() as f64;
        let shared = machine.cores as f64 / nodes;
        let bound = shared * rate.events as f64 / rate.seconds();
        let signatures = shared * rate.events as f64 * limits.ed25519_verifications_per_s;
        let blocks_per_s = done.blocks as f64 / done.seconds;
        let cpu_us = self.nodes_cpu_s / done.events as f64 * 1e6;
        report.against(
            "events recorded",
            quantity(per_s, "events/s"),
            "verify and execute once a node",
            quantity(bound, "events/s"),
        );
        report.against(
            "the same",
            quantity(per_s, "events/s"),
            "signatures once a node",
            quantity(signatures, "events/s"),
        );
        report.against(
            "blocks",
            quantity(blocks_per_s, "blocks/s"),
            "fdatasync, four nodes",
            quantity(limits.fsyncs_per_s / nodes, "blocks/s"),
        );
        report.line("events in a block", quantity(done.events as f64 / done.blocks as f64, ""));
        report.against(
            "CPU of a node for an event",
            quantity(cpu_us / nodes, "us"),
            "verify and execute once",
            quantity(rate.seconds() * 1e6 / rate.events as f64, "us"),
        );
        report.json(key, self.json(rate, per_s, bound, signatures, limits));
    }

    fn json(&self, rate: &Rate, per_s: f64, bound: f64, signatures: f64, limits: &Limits) -> Value {
        let done = &self.recorded;
        let nodes = VALIDATORS.len() as f64;
        let events = done.events as f64;
        json!({
            "validators": VALIDATORS.len(),
            "writers": WRITERS,
            "events_per_envelope": rate.events,
            "bytes_per_envelope": rate.bytes,
            "envelopes": done.envelopes,
            "events": done.events,
            "seconds": done.seconds,
            "events_per_s": per_s,
            "envelopes_per_s": done.envelopes as f64 / done.seconds,
            "blocks": done.blocks,
            "blocks_per_s": done.blocks as f64 / done.seconds,
            "events_per_block": events / done.blocks as f64,
            "turned_away_and_posted_again": done.turned_away,
            "nodes_cpu_seconds": self.nodes_cpu_s,
            "cpu_us_per_event_four_nodes": self.nodes_cpu_s / events * 1e6,
            "cpu_us_per_event_one_node": self.nodes_cpu_s / events / nodes * 1e6,
            "client_cpu_seconds": self.client_cpu_s,
            "limit_verify_and_execute_events_per_s": bound,
            "limit_signatures_events_per_s": signatures,
            "ratio_to_verify_and_execute": per_s / bound,
            "ratio_to_signatures": per_s / signatures,
            "blocks_per_s_per_fsyncs_per_s": done.blocks as f64 / done.seconds / limits.fsyncs_per_s,
        })
    }
}
