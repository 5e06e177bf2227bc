//! Posting envelopes to nodes, and seeing them recorded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use headwater_tests::writers::Signed;
use serde_json::Value;

/// Events that may be posted and not yet recorded, over all nodes.
const EVENTS_IN_FLIGHT: u64 = 20_000;
/// Events of one request at the most, unless one envelope has more.
const EVENTS_PER_REQUEST: u64 = 1_000;
/// No block for so long with work at hand: the network stands still.
const STANDSTILL: Duration = Duration::from_secs(60);
/// Pause after a node has said that it has no room.
const ROOM_PAUSE: Duration = Duration::from_millis(50);

/// A client of a node's API.
pub struct Api {
    agent: ureq::Agent,
    base: String,
}

impl Api {
    /// A client that keeps its connection.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60)));
        Api { agent: config.http_status_as_error(false).build().into(), base: base.into() }
    }

    /// A JSON document, or nothing where the node knows none.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call()?;
        match answer.status().as_u16() {
            200 => Ok(Some(answer.body_mut().read_json()?)),
            404 => Ok(None),
            status => bail!("GET {path}: {status} {}", answer.body_mut().read_to_string()?),
        }
    }

    /// Posts envelopes; gives the places of those that the node had no room for.
    pub fn post(&self, envelopes: &[Signed]) -> Result<Vec<usize>> {
        let mut body = Vec::new();
        for envelope in envelopes {
            body.extend_from_slice(&u32::try_from(envelope.bytes.len())?.to_le_bytes());
            body.extend_from_slice(&envelope.bytes);
        }
        let request = self.agent.post(format!("{}/v1/envelopes", self.base));
        let mut answer = request.content_type("application/octet-stream").send(body)?;
        let limit = 64 << 20;
        let answer: Value = answer.body_mut().with_config().limit(limit).read_json()?;
        let results = answer["results"].as_array();
        let results = results.with_context(|| format!("no results: {answer}"))?;
        let mut turned_away = Vec::new();
        for (place, result) in results.iter().enumerate() {
            match (result["status"].as_str(), result["code"].as_str()) {
                (Some("pending" | "recorded"), _) => {}
                (_, Some("MEMPOOL_FULL" | "MEMBER_QUOTA")) => turned_away.push(place),
                _ => bail!("an envelope was not taken: {result}"),
            }
        }
        Ok(turned_away)
    }
}

/// What a load did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recorded {
    /// Events recorded.
    pub events: u64,
    /// Envelopes recorded.
    pub envelopes: u64,
    /// From the first post until the last event was seen in a block.
    pub seconds: f64,
    /// Blocks with events.
    pub blocks: u64,
    /// Requests that had to be made again for want of room.
    pub turned_away: u64,
}

/// What the threads of a load share.
#[derive(Default)]
struct Shared {
    posted: AtomicU64,
    recorded: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicBool,
}

/// Posts envelopes to all nodes at once, each member's to one of them, until all are recorded.
/// Nothing more is posted after `seconds`.
pub fn run(nodes: &[String], envelopes: Vec<Signed>, seconds: u64) -> Result<Recorded> {
    let mut shares: Vec<VecDeque<Signed>> = nodes.iter().map(|_| VecDeque::new()).collect();
    for (n, envelope) in envelopes.into_iter().enumerate() {
        // Members sign in turn, and their number is a multiple of that of the nodes.
        shares[n % nodes.len()].push_back(envelope);
    }
    let watching = Api::new(&nodes[0]);
    let height = watching.get("/v1/status")?.context("no status")?["height"].as_u64();
    let from = height.context("no height")? + 1;
    let shared = Shared::default();
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    std::thread::scope(|scope| {
        let posting: Vec<_> = nodes
            .iter()
            .zip(shares)
            .map(|(node, share)| {
                let (shared, nodes) = (&shared, nodes.len() as u64);
                scope.spawn(move || {
                    let result = post_all(&Api::new(node), share, shared, nodes, until);
                    shared.failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    result
                })
            })
            .collect();
        let done = || posting.iter().all(|thread| thread.is_finished());
        let watched = watch(&watching, from, started, &shared, done);
        shared.failed.fetch_or(watched.is_err(), Ordering::Relaxed);
        for thread in posting {
            thread.join().map_err(|_| anyhow::anyhow!("a posting thread panicked"))??;
        }
        watched
    })
}

fn post_all(
    api: &Api,
    mut share: VecDeque<Signed>,
    shared: &Shared,
    nodes: u64,
    until: Instant,
) -> Result<()> {
    while !share.is_empty() && Instant::now() < until {
        if shared.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let recorded = shared.recorded.load(Ordering::Relaxed);
        let in_flight = shared.posted.load(Ordering::Relaxed).saturating_sub(recorded);
        if in_flight + nodes * EVENTS_PER_REQUEST > EVENTS_IN_FLIGHT {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        let (mut request, mut events) = (Vec::new(), 0);
        while let Some(envelope) = share.front()
            && (events == 0 || events + envelope.events <= EVENTS_PER_REQUEST)
        {
            events += envelope.events;
            request.extend(share.pop_front());
        }
        // Counted before it is sent: it may be recorded before the answer is here.
        shared.posted.fetch_add(events, Ordering::Relaxed);
        let turned_away = api.post(&request)?;
        if !turned_away.is_empty() {
            shared.turned_away.fetch_add(turned_away.len() as u64, Ordering::Relaxed);
            for place in turned_away.into_iter().rev() {
                shared.posted.fetch_sub(request[place].events, Ordering::Relaxed);
                share.push_front(request[place].clone());
            }
            std::thread::sleep(ROOM_PAUSE);
        }
    }
    Ok(())
}

/// Counts the events of new blocks at one node until everything posted is in them.
fn watch(
    api: &Api,
    from: u64,
    started: Instant,
    shared: &Shared,
    done: impl Fn() -> bool,
) -> Result<Recorded> {
    let mut total = Recorded::default();
    let (mut height, mut last_block) = (from, Instant::now());
    loop {
        // Asked before the block is: nothing is posted after the answer is yes.
        let all_posted = done();
        if shared.failed.load(Ordering::Relaxed) {
            bail!("posting failed");
        }
        if let Some(block) = api.get(&format!("/v1/blocks/{height}"))? {
            let count = |field: &str| {
                block["header"][field].as_u64().with_context(|| format!("no {field}: {block}"))
            };
            let events = count("events")?;
            height += 1;
            if events > 0 {
                last_block = Instant::now();
                total.events += events;
                total.envelopes += count("envelopes")?;
                total.blocks += 1;
                total.seconds = started.elapsed().as_secs_f64();
                shared.recorded.store(total.events, Ordering::Relaxed);
            }
            continue;
        }
        if all_posted && total.events >= shared.posted.load(Ordering::Relaxed) {
            total.turned_away = shared.turned_away.load(Ordering::Relaxed);
            return Ok(total);
        }
        if last_block.elapsed() > STANDSTILL {
            bail!(
                "no block with events for {} s: {} of {} events are recorded",
                STANDSTILL.as_secs(),
                total.events,
                shared.posted.load(Ordering::Relaxed)
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
