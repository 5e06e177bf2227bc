//! The state map at a million keys: batches of 10 000 writes with a root each, and proofs.
//!
//! One iteration of `batches` is one batch, so writes a second are 10 000 divided by its time.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use headwater_ledger::hash::Context;
use headwater_ledger::merkle::map::StateMap;

const KEYS: u64 = 1_000_000;
const BATCH: u64 = 10_000;

fn key(i: u64) -> [u8; 32] {
    Context::STATE_KEY.hash32(&[&i.to_le_bytes()])
}

fn value(i: u64) -> Arc<[u8]> {
    let mut bytes = [0; 100];
    bytes[..8].copy_from_slice(&i.to_le_bytes());
    Arc::from(bytes)
}

fn write(map: &mut StateMap, pairs: Vec<([u8; 32], Arc<[u8]>)>) {
    for (key, value) in pairs {
        map.insert(key, value);
    }
    black_box(map.root());
}

fn batches(c: &mut Criterion, filled: &StateMap) {
    let mut group = c.benchmark_group("batches");
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);
    let mut next = KEYS;
    let mut fresh = || {
        next += BATCH;
        (next - BATCH..next).map(|i| (key(i), value(i))).collect::<Vec<_>>()
    };
    // Collected anew: a clone would share every branch with `filled`.
    let mut growing: StateMap = filled.iter().map(|(key, value)| (*key, value.clone())).collect();
    growing.root();
    group.bench_function("insert, one owner", |b| {
        b.iter_batched(&mut fresh, |pairs| write(&mut growing, pairs), BatchSize::PerIteration);
    });
    let mut snapshots = std::collections::VecDeque::from([filled.clone()]);
    let mut map = filled.clone();
    group.bench_function("insert, 50 snapshots kept", |b| {
        b.iter_batched(
            &mut fresh,
            |pairs| {
                write(&mut map, pairs);
                snapshots.push_back(map.clone());
                if snapshots.len() > 50 {
                    snapshots.pop_front();
                }
            },
            BatchSize::PerIteration,
        );
    });
    let mut turn = 0;
    let mut known = || {
        turn += BATCH;
        let keys = (turn..turn + BATCH).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS);
        keys.map(|i| (key(i), value(i ^ turn))).collect::<Vec<_>>()
    };
    let mut map = filled.clone();
    group.bench_function("update, snapshot each", |b| {
        b.iter_batched(
            &mut known,
            |pairs| {
                let snapshot = map.clone();
                write(&mut map, pairs);
                snapshot
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn proofs(c: &mut Criterion, filled: &StateMap) {
    let root = filled.root();
    let mut turn = 0u64;
    let mut next = move || {
        turn = turn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        turn % KEYS
    };
    let mut group = c.benchmark_group("proofs");
    group.bench_function("prove", |b| {
        b.iter_batched(|| key(next()), |key| filled.prove(&key), BatchSize::SmallInput);
    });
    group.bench_function("verify presence", |b| {
        b.iter_batched(
            || {
                let i = next();
                (filled.prove(&key(i)), key(i), value(i))
            },
            |(proof, key, value)| assert!(proof.verify(&root, &key, Some(&value))),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("verify absence", |b| {
        b.iter_batched(
            || {
                let key = key(KEYS + next());
                (filled.prove(&key), key)
            },
            |(proof, key)| assert!(proof.verify(&root, &key, None)),
            BatchSize::SmallInput,
        );
    });
    let many: Vec<_> = (0..100).map(|_| next()).map(|i| (key(i), value(i))).collect();
    let keys: Vec<_> = many.iter().map(|(key, _)| *key).collect();
    let claims: Vec<_> = many.iter().map(|(key, value)| (*key, Some(&value[..]))).collect();
    let proof = filled.prove_many(&keys).expect("a hundred keys fit");
    group.bench_function("verify 100 keys at once", |b| {
        b.iter(|| assert!(proof.verify(&root, &claims)));
    });
    group.finish();
}

fn state_map(c: &mut Criterion) {
    let pairs: Vec<_> = (0..KEYS).map(|i| (key(i), value(i))).collect();
    let filled: StateMap = pairs.iter().cloned().collect();
    c.benchmark_group("build").sample_size(10).bench_function("a million keys and root", |b| {
        b.iter_batched(
            || pairs.clone(),
            |pairs| {
                let map: StateMap = pairs.into_iter().collect();
                (map.root(), map)
            },
            BatchSize::PerIteration,
        );
    });
    drop(pairs);
    batches(c, &filled);
    proofs(c, &filled);
}

criterion_group!(benches, state_map);
criterion_main!(benches);
