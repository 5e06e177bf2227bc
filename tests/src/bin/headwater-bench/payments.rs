//! What recording one payment costs when the product has 1, 100 or 10 000 ancestors.
//!
//! All products are in one state, and payments for them are recorded in turn, so that nothing but
//! the lineage differs between them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use headwater_ledger::envelope::{VerifiedEnvelope, asset_id, event_id};
use headwater_ledger::event::Event;
use headwater_ledger::event::asset::{Activity, ActivityKind, Derivation, Input, Purpose, Stage};
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::event::market::{
    Decision, Licence, ListProduct, ProposeContract, RecordPayment, ReviewListing, SignContract,
};
use headwater_ledger::event::member::Role;
use headwater_ledger::hash::{AssetId, ContractId, Digest, EventId, ListingId};
use headwater_ledger::limits::MAX_ANCESTRY_EDGES;
use headwater_ledger::query::product_statement;
use headwater_ledger::split::Split;
use headwater_ledger::state::Records;
use headwater_tests::writers::{RAW_SPLIT, Writer, list, registration};
use serde_json::{Map, Value, json};

use crate::ledger::{Ledger, verified};
use crate::lineage::Shape;
use crate::report::{Report, percentile, quantity};

/// Inputs that the registrations of one envelope name together at the most, to stay within its
/// weight and size.
const INPUTS_PER_ENVELOPE: usize = 2_000;
/// Events of one envelope at the most.
const EVENTS_PER_ENVELOPE: usize = 1_000;
/// Payments recorded in one block.
const PAYMENTS_PER_BLOCK: usize = 250;

/// The split of a derived asset.
pub const DERIVED_SPLIT: Split =
    Split { holding_bp: 1_000, processing_bp: 2_000, operation_bp: 1_000, upstream_bp: 6_000 };

/// A seller that registers and lists, a buyer, and the exchange between them.
pub struct Market {
    pub ledger: Ledger,
    pub exchange: Writer,
    pub seller: Writer,
    pub buyer: Writer,
    serial: u64,
}

/// A product on sale and what was measured of it.
struct Product {
    shape: &'static str,
    ancestors: usize,
    edges: usize,
    asset: AssetId,
    contract: ContractId,
    listing: Duration,
    payments_ns: Vec<f64>,
    statement_lines: usize,
    statement: Duration,
}

/// Measures and reports.
pub fn measure(payments: usize, report: &mut Report) -> Result<()> {
    // Lineages as large as the software walks. The first protocol version looks one step up when
    // something is sold, so that one seller can own all of them.
    let edges = u32::try_from(MAX_ANCESTRY_EDGES)?;
    let rulebook = Rulebook { max_ancestry_edges: edges, ..Rulebook::standard() };
    let mut market = Market::new(&[], 1, Some(rulebook))?;
    let mut products = vec![market.product("any", Shape::Chain, 1)?];
    for shape in Shape::ALL {
        for ancestors in [100, 10_000] {
            products.push(market.product(shape.name(), shape, ancestors)?);
        }
    }
    let (root_ns_per_payment, recorded) = market.pay(&mut products, payments)?;
    for product in &mut products {
        let started = Instant::now();
        let statement = product_statement(&market.ledger, &product.asset, 0)?;
        product.statement = started.elapsed();
        let account = black_box(&statement).accounts.first().context("no account was opened")?;
        product.statement_lines = account.lines.len();
    }
    tell(&mut products, root_ns_per_payment, recorded, report);
    Ok(())
}

fn tell(products: &mut [Product], root_ns: f64, recorded: usize, report: &mut Report) {
    report.section("recording one payment, by the lineage behind the product, one core");
    let ns = |product: &mut Product| percentile(&mut product.payments_ns, 0.5);
    let base = products.first_mut().map_or(0.0, ns);
    let (mut document, mut ratios) = (Vec::new(), Map::new());
    for product in products.iter_mut() {
        let (median, p99) = (ns(product), percentile(&mut product.payments_ns, 0.99));
        let what = match product.ancestors {
            1 => "1 ancestor".into(),
            n => format!("{n} ancestors, {}", product.shape),
        };
        report.ratio(&what, quantity(median, "ns"), "for 1 ancestor", quantity(base, "ns"));
        if product.ancestors == 10_000 {
            ratios.insert(product.shape.into(), json!(median / base));
        }
        document.push(json!({
            "shape": product.shape,
            "ancestors": product.ancestors,
            "edges": product.edges,
            "payment_median_ns": median,
            "payment_p99_ns": p99,
            "listing_ms": product.listing.as_secs_f64() * 1e3,
            "statement_ms": product.statement.as_secs_f64() * 1e3,
            "statement_lines": product.statement_lines,
        }));
    }
    report.line("its share of the block's state root", quantity(root_ns, "ns"));
    report.section("the same products, for information");
    for product in products.iter().filter(|product| product.ancestors != 100) {
        let shape = if product.ancestors == 1 { "1 ancestor" } else { product.shape };
        let ms = |time: Duration| quantity(time.as_secs_f64() * 1e3, "ms");
        report.line(&format!("list it, {shape}, {} edges", product.edges), ms(product.listing));
        let what = format!("its statement, {shape}, {} lines", product.statement_lines);
        report.line(&what, ms(product.statement));
    }
    report.json(
        "payments",
        json!({
            "payments_recorded": recorded,
            "ratio_10000_to_1_ancestors": Value::Object(ratios),
            "state_root_ns_per_payment": root_ns,
            "products": document,
        }),
    );
}

impl Market {
    /// A chain with the three and others.
    pub fn new(others: &[Writer], protocol: u32, rulebook: Option<Rulebook>) -> Result<Self> {
        let exchange = Writer::new("exchange", Role::Exchange)?;
        let seller = Writer::new("seller", Role::Operator)?;
        let buyer = Writer::new("buyer", Role::Buyer)?;
        let mut members = vec![exchange.clone(), seller.clone(), buyer.clone()];
        members.extend_from_slice(others);
        let ledger = Ledger::with(&members, 1, protocol, rulebook)?;
        Ok(Market { ledger, exchange, seller, buyer, serial: 0 })
    }

    /// Signs events for the next block.
    pub fn sign(&mut self, who: &Writer, events: Vec<Event>) -> Result<VerifiedEnvelope> {
        self.serial += 1;
        let until = self.ledger.not_after_ms();
        verified(&who.sign(self.ledger.chain_id, until, self.serial, events)?)
    }

    /// The id of an asset of the seller.
    pub fn asset(&self, name: &str) -> Result<AssetId> {
        Ok(asset_id(&self.ledger.chain_id, &self.seller.handle, &name.parse()?))
    }

    /// Records one act in a block of its own; gives its event and how long applying it took.
    pub fn act(&mut self, who: &Writer, event: Event) -> Result<(EventId, Duration)> {
        let envelope = self.sign(who, vec![event])?;
        let times = self.ledger.record(std::slice::from_ref(&envelope))?;
        Ok((event_id(&envelope.id(), 0), times.applied[0]))
    }

    /// Registers a lineage, lists its product and signs a contract for it.
    fn product(&mut self, name: &'static str, shape: Shape, ancestors: usize) -> Result<Product> {
        let lineage = shape.inputs(ancestors);
        let asset = self.register(&format!("{}-{ancestors}", shape.name()), &lineage)?;
        let (seller, buyer, exchange) =
            (self.seller.clone(), self.buyer.clone(), self.exchange.clone());
        let listed = Event::ListProduct(ListProduct {
            asset,
            exchange: exchange.handle.clone(),
            fee_bp: 250,
            operation_grants: list(vec![])?,
        });
        let (event, listing_time) = self.act(&seller, listed)?;
        let listing = ListingId::from_digest(*event.digest());
        let review = ReviewListing { listing, decision: Decision::Accept };
        self.act(&exchange, Event::ReviewListing(review))?;
        let record = self.ledger.state().listing(&listing)?.context("the listing is missing")?;
        let schedule = record.schedule;
        let until = self.ledger.not_after_ms();
        let proposed = Event::ProposeContract(ProposeContract {
            instalments: Default::default(),
            listing,
            buyer: buyer.handle.clone(),
            schedule,
            price: 1_000_000_000_000,
            currency: "CNY".parse()?,
            licence: Licence {
                exclusive: Default::default(),
                purposes: list(vec![Purpose::HealthResearch])?,
                territories: list(vec!["CN".parse()?])?,
                not_after_ms: until,
            },
            sign_by_ms: until,
        });
        let contract = ContractId::from_digest(*self.act(&seller, proposed)?.0.digest());
        for party in [&buyer, &exchange] {
            self.act(party, Event::SignContract(SignContract { contract, schedule }))?;
        }
        Ok(Product {
            shape: name,
            ancestors,
            edges: lineage.iter().map(Vec::len).sum(),
            asset,
            contract,
            listing: listing_time,
            payments_ns: Vec::new(),
            statement_lines: 0,
            statement: Duration::ZERO,
        })
    }

    /// Registers the assets of a lineage, many in an envelope; gives the product.
    pub fn register(&mut self, prefix: &str, lineage: &[Vec<usize>]) -> Result<AssetId> {
        let seller = self.seller.clone();
        let name = |place: usize| format!("{prefix}-{place}");
        let (mut events, mut inputs) = (Vec::new(), 0);
        for (place, from) in lineage.iter().enumerate() {
            if events.len() >= EVENTS_PER_ENVELOPE || inputs + from.len() > INPUTS_PER_ENVELOPE {
                let envelope = self.sign(&seller, std::mem::take(&mut events))?;
                self.ledger.record(&[envelope])?;
                inputs = 0;
            }
            inputs += from.len();
            let stage = match from.is_empty() {
                true => Stage::Raw,
                false if place + 1 == lineage.len() => Stage::Product,
                false => Stage::Processed,
            };
            let ids =
                from.iter().map(|place| self.asset(&name(*place))).collect::<Result<Vec<_>>>()?;
            let split = if ids.is_empty() { RAW_SPLIT } else { DERIVED_SPLIT };
            let derivation = if ids.is_empty() { None } else { Some(derivation(&ids)?) };
            events.push(registration(&name(place), stage, split, derivation)?);
        }
        let envelope = self.sign(&seller, events)?;
        self.ledger.record(&[envelope])?;
        self.asset(&name(lineage.len() - 1))
    }

    /// Records payments for the products in turn; gives the time of the state root for one, and
    /// their number.
    fn pay(&mut self, products: &mut [Product], each: usize) -> Result<(f64, usize)> {
        let exchange = self.exchange.clone();
        let (mut roots, mut paid) = (Duration::ZERO, 0);
        let turns: Vec<usize> = (0..each).flat_map(|_| 0..products.len()).collect();
        for block in turns.chunks(PAYMENTS_PER_BLOCK) {
            let mut envelopes = Vec::with_capacity(block.len());
            for product in block {
                paid += 1;
                let payment = Event::RecordPayment(RecordPayment {
                    contract: products[*product].contract,
                    gross: 1_060_000,
                    tax: 60_000,
                    currency: "CNY".parse()?,
                    bank_reference: format!("bank-{paid:07}").parse()?,
                });
                envelopes.push(self.sign(&exchange, vec![payment])?);
            }
            let times = self.ledger.record(&envelopes)?;
            roots += times.finished;
            for (product, time) in block.iter().zip(times.applied) {
                products[*product].payments_ns.push(time.as_nanos() as f64);
            }
        }
        Ok((roots.as_nanos() as f64 / paid as f64, paid))
    }
}

/// A derivation by the owner of everything, so that it needs no grants.
pub fn derivation(inputs: &[AssetId]) -> Result<Derivation> {
    let input = |(n, asset): (u64, &AssetId)| Input { asset: *asset, weight: 1 + n, grant: None };
    Ok(Derivation {
        inputs: list((0..).zip(inputs).map(input).collect())?,
        activity: Activity {
            kind: ActivityKind::Merging,
            method: Digest::Blake3([5; 32]),
            purposes: list(vec![Purpose::HealthResearch, Purpose::Commercial])?,
            territory: "CN".parse()?,
            claimed_from_ms: 0,
            claimed_to_ms: 0,
            cost: None,
        },
    })
}
