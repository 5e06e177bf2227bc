//! What attribution costs: schedules of lineages of several shapes, and recording against an
//! account with few and many payments.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use headwater_ledger::account::{Account, Amounts, MemoryRows, Net};
use headwater_ledger::attribution::{self, AncestryNode};
use headwater_ledger::hash::{Context, Digest};
use headwater_ledger::limits::MAX_ANCESTRY_EDGES;
use headwater_ledger::split::Split;

/// Assets by id; each derives from assets with larger numbers, and 0 is the product.
type Lineage = BTreeMap<Digest, AncestryNode<Digest>>;

fn id(number: u64) -> Digest {
    Context::ASSET.hash(&[&number.to_le_bytes()])
}

fn lineage(inputs: impl IntoIterator<Item = Vec<u64>>) -> Lineage {
    let node = |inputs: Vec<u64>| {
        let upstream_bp = if inputs.is_empty() { 0 } else { 6_000 };
        let holding_bp = 7_000 - upstream_bp;
        let split = Split { holding_bp, processing_bp: 1_000, operation_bp: 2_000, upstream_bp };
        let inputs = inputs.into_iter().map(|input| (id(input), 1 + input % 1_000)).collect();
        AncestryNode { split, inputs }
    };
    (0u64..).zip(inputs).map(|(number, inputs)| (id(number), node(inputs))).collect()
}

/// A product of collections of up to 1 000 raw resources each.
fn wide(ancestors: u64) -> Lineage {
    let collections = ancestors.div_ceil(1_000);
    let raw = ancestors - collections;
    let inputs = (0..=ancestors).map(|number| match number {
        0 => (1..=collections).collect(),
        _ if number <= collections => (0..raw)
            .filter(|r| r % collections == number - 1)
            .map(|r| 1 + collections + r)
            .collect(),
        _ => Vec::new(),
    });
    lineage(inputs)
}

/// A chain.
fn deep(ancestors: u64) -> Lineage {
    lineage((0..=ancestors).map(|number| (number + 1..=ancestors).take(1).collect()))
}

/// Layers of `width` assets, each derived from the whole next layer.
fn ladder(ancestors: u64, width: u64) -> Lineage {
    lineage((0..=ancestors).map(|number| {
        let next = number.div_ceil(width) * width + 1;
        (next..next + width).filter(|input| *input <= ancestors).collect()
    }))
}

fn schedules(c: &mut Criterion) {
    let mut group = c.benchmark_group("schedule");
    for (shape, ancestors, lineage) in [
        ("wide", 100, wide(100)),
        ("wide", 10_000, wide(10_000)),
        ("deep", 100, deep(100)),
        ("deep", 10_000, deep(10_000)),
        ("diamond ladder", 100, ladder(100, 2)),
        ("diamond ladder", 10_000, ladder(10_000, 2)),
        ("65 536 edges", 2_056, ladder(2_056, 32)),
    ] {
        let edges: usize = lineage.values().map(|node| node.inputs.len()).sum();
        let product = id(0);
        let run = || {
            let node = |asset: &Digest| lineage.get(asset).cloned().ok_or("unknown asset");
            attribution::schedule(black_box(&product), node, MAX_ANCESTRY_EDGES)
        };
        assert!(run().is_ok_and(|claims| !claims.is_empty()), "{shape}: {edges} edges");
        group.throughput(Throughput::Elements(edges as u64));
        group.bench_function(BenchmarkId::new(shape, ancestors), |b| b.iter(run));
    }
    group.finish();
}

/// An account with one payment an event.
fn account_of(payments: u64) -> (Account, MemoryRows) {
    let (mut account, mut rows) = (Account::default(), MemoryRows::default());
    for seq in 0..payments {
        let amounts = Amounts { net: 1 << 40, fee: 3, tax: 60 };
        account.record_payment(&mut rows, seq, amounts).expect("the sums are small");
    }
    (account, rows)
}

fn payments(c: &mut Criterion) {
    let payment = Amounts { net: 123_456, fee: 7, tax: 0 };
    for prior in [1, 1_000_000] {
        let (account, mut rows) = account_of(prior);
        c.bench_function(&format!("record_payment/after {prior}"), |b| {
            b.iter(|| black_box(account).clone().record_payment(&mut rows, prior, payment))
        });
        c.bench_function(&format!("net_before/{prior} payments"), |b| {
            b.iter(|| account.net_before(&rows, Net::Remaining, black_box(prior / 2)))
        });
        let refund = Amounts { net: 1, fee: 1, tax: 1 };
        c.bench_function(&format!("refund/{prior} payments"), |b| {
            b.iter(|| black_box(account).clone().refund(&mut rows, prior / 2, refund))
        });
    }
}

criterion_group!(benches, schedules, payments);
criterion_main!(benches);
