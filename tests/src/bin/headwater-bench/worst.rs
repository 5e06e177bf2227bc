//! The dearest events: lineages, floors, grants, owners and accounts made to cost as much as the
//! limits allow, each beside the bound of five milliseconds for one event and beside its weight.
//!
//! States are built by events in envelopes of many. Where only the volume of what is there matters,
//! such as a million payments of an account, the records are put there as the events would have.

mod grants;
mod lineage;
mod lines;
mod market;
mod money;
mod network;

use anyhow::{Context, Result};
use headwater_ledger::envelope::event_id;
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::Stage;
use headwater_ledger::event::member::Role;
use headwater_ledger::genesis::PROTOCOL_VERSION;
use headwater_ledger::hash::{AssetId, Digest, EventId};
use headwater_ledger::state::Key;
use headwater_tests::writers::{RAW_SPLIT, Writer, registration};
use serde_json::{Value, json};

use crate::ledger::{Cost, Ledger};
use crate::payments::Market;
use crate::report::{Report, percentile, quantity};

/// Most that one event may take, in seconds.
const BOUND_S: f64 = 0.005;
/// Times each event is applied.
const TIMES: usize = 60;
/// Raw resources of others in the state; each makes four entries.
const BACKGROUND: usize = 30_000;

/// What one event costs.
struct Measured {
    what: String,
    median_s: f64,
    least_s: f64,
    worst_s: f64,
    root_s: f64,
    weight: u64,
}

/// What was measured, in the order of the report.
struct Cases {
    market: Market,
    /// Members that own, process and decide.
    others: Vec<Writer>,
    /// What the root of an empty block costs in this state.
    empty_root_s: f64,
    measured: Vec<Measured>,
}

/// Measures and reports; gives the events that took longer than the bound at the median.
pub fn measure(report: &mut Report) -> Result<Vec<String>> {
    let mut cases = Cases::new()?;
    for part in
        [Cases::lineage, Cases::grants, Cases::lines, Cases::market, Cases::money, Cases::network]
    {
        part(&mut cases)?;
    }
    report.section("the dearest events that the limits allow, one core");
    let mut document = Vec::new();
    for m in &cases.measured {
        let bound = quantity(BOUND_S * 1e3, "ms");
        report.against(&m.what, quantity(m.median_s * 1e3, "ms"), "bound", bound);
        document.push(json!({
            "event": m.what,
            "median_ms": m.median_s * 1e3,
            "least_ms": m.least_s * 1e3,
            "nine_of_ten_below_ms": m.worst_s * 1e3,
            "state_root_ms": m.root_s * 1e3,
            "weight": m.weight,
            "of_weight": m.median_s * 1e6 / m.weight as f64,
        }));
    }
    report.section("the same beside their weight, a microsecond a unit");
    for m in &cases.measured {
        let weight = quantity(m.weight as f64, "us");
        report.ratio(&m.what, quantity(m.median_s * 1e6, "us"), "by its weight", weight);
    }
    report.json("dearest_events", Value::Array(document));
    let above = cases.measured.into_iter().filter(|m| m.median_s > BOUND_S);
    Ok(above.map(|m| format!("{} ({:.1} ms)", m.what, m.median_s * 1e3)).collect())
}

impl Cases {
    fn new() -> Result<Self> {
        let mut others = vec![
            Writer::new("regulator", Role::Regulator)?,
            Writer::new("second-exchange", Role::Exchange)?,
        ];
        for n in 0..66 {
            others
                .push(Writer::new(&format!("an-owner-with-a-long-name-{n:02}"), Role::Processor)?);
        }
        let market = Market::new(&others, PROTOCOL_VERSION, None)?;
        let mut cases = Cases { market, others, empty_root_s: 0.0, measured: Vec::new() };
        let author = cases.owner(65);
        let names = (0..BACKGROUND)
            .map(|n| registration(&format!("background-{n}"), Stage::Raw, RAW_SPLIT, None));
        cases.record(&author, names.collect::<Result<_>>()?)?;
        cases.empty_root_s = cases.market.ledger.empty_root(TIMES)?;
        Ok(cases)
    }

    /// A member that owns; there are 66.
    fn owner(&self, n: usize) -> Writer {
        self.others[2 + n].clone()
    }

    /// Records events, many in an envelope; gives their ids.
    fn record(&mut self, who: &Writer, events: Vec<Event>) -> Result<Vec<EventId>> {
        let mut ids = Vec::new();
        for some in events.chunks(250) {
            let envelope = self.market.sign(who, some.to_vec())?;
            let what = some.first().map_or("nothing", Event::name);
            let recorded = self.market.ledger.record(std::slice::from_ref(&envelope));
            recorded.with_context(|| format!("recording {what}"))?;
            ids.extend((0..).take(some.len()).map(|n| event_id(&envelope.id(), n)));
        }
        Ok(ids)
    }

    /// Records one event; gives its digest, which is the id of what it makes.
    fn record_one(&mut self, who: &Writer, event: Event) -> Result<Digest> {
        let ids = self.record(who, vec![event])?;
        ids.first().map(|id| *id.digest()).context("no event was recorded")
    }

    /// Raw resources of a member.
    fn raws(&mut self, who: &Writer, prefix: &str, count: usize) -> Result<Vec<AssetId>> {
        let names: Vec<String> = (0..count).map(|n| format!("{prefix}-{n}")).collect();
        let events = names.iter().map(|name| registration(name, Stage::Raw, RAW_SPLIT, None));
        self.record(who, events.collect::<Result<_>>()?)?;
        names.iter().map(|name| self.asset_of(who, name)).collect()
    }

    fn asset_of(&self, who: &Writer, name: &str) -> Result<AssetId> {
        let chain = &self.market.ledger.chain_id;
        Ok(headwater_ledger::envelope::asset_id(chain, &who.handle, &name.parse()?))
    }

    /// Puts one record in place.
    fn fill(&mut self, key: Key, record: Vec<u8>) -> Result<()> {
        self.market.ledger.fill([(key, record)])
    }

    /// Measures one act on the state as it is.
    fn time(&mut self, what: impl Into<String>, who: &Writer, event: Event) -> Result<()> {
        let what = what.into();
        let envelope = self.market.sign(who, vec![event])?;
        let cost = self.market.ledger.cost(&envelope, TIMES);
        let cost = cost.with_context(|| what.clone())?;
        self.add(what, cost);
        Ok(())
    }

    fn add(&mut self, what: String, mut cost: Cost) {
        let root_s = percentile(&mut cost.roots, 0.5) - self.empty_root_s;
        self.measured.push(Measured {
            what,
            median_s: percentile(&mut cost.applied, 0.5),
            least_s: percentile(&mut cost.applied, 0.0),
            worst_s: percentile(&mut cost.applied, 0.9),
            root_s: root_s.max(0.0),
            weight: cost.weight,
        });
    }
}

/// A ledger of its own for governance: a hundred validators.
fn hundred() -> Result<(Ledger, Vec<Writer>)> {
    let members: Vec<Writer> = (0..100)
        .map(|n| Writer::new(&format!("exchange-number-{n:03}"), Role::Exchange))
        .collect::<Result<_>>()?;
    Ok((Ledger::with(&members, 100, PROTOCOL_VERSION, None)?, members))
}
