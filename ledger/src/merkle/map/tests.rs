//! The state map against its definition on plain lists.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Entries = BTreeMap<[u8; 32], Vec<u8>>;

/// Keys that collide often and share long prefixes: a few flipped bits away from one of two
/// keys, among them ones equal in their first 255 bits.
pub(in super::super) fn crowded_key() -> impl Strategy<Value = [u8; 32]> {
    let bits = prop::collection::vec(
        prop_oneof![Just(255u8), Just(254), Just(0), Just(127), any::<u8>()],
        0..4,
    );
    (prop_oneof![Just(0u8), Just(0xa5)], bits).prop_map(|(fill, bits)| {
        let mut key = [fill; 32];
        for bit in bits {
            key[bit as usize / 8] ^= 0x80 >> (bit % 8);
        }
        key
    })
}

pub(in super::super) fn map_of(entries: &BTreeMap<[u8; 32], Vec<u8>>) -> StateMap {
    let mut map = StateMap::new();
    for (key, value) in entries {
        map.insert(*key, value.as_slice().into());
    }
    map
}

/// The definition on plain lists and `blake3::derive_key`, with keys as lists of bits.
fn naive(entries: &[(Vec<bool>, [u8; 32], Vec<u8>)]) -> [u8; 32] {
    let leaf = |bytes: &[u8]| blake3::derive_key("headwater 2026-11 state leaf", bytes);
    match entries {
        [] => [0; 32],
        [(_, key, value)] => {
            let value = leaf(&[&[0], value.as_slice()].concat());
            leaf(&[&[1][..], key, &value].concat())
        }
        many => {
            let differs = |bit: &usize| many.iter().any(|e| e.0[*bit] != many[0].0[*bit]);
            let bit = (0..256).find(differs).unwrap();
            let (right, left): (Vec<_>, Vec<_>) = many.iter().cloned().partition(|e| e.0[bit]);
            let both = [&[bit as u8][..], &naive(&left), &naive(&right)].concat();
            blake3::derive_key("headwater 2026-11 state node", &both)
        }
    }
}

fn naive_root(entries: &Entries) -> Digest {
    let bits = |key: &[u8; 32]| {
        key.iter().flat_map(|b| (0..8).map(move |i| (b >> (7 - i)) & 1 == 1)).collect()
    };
    let entries: Vec<_> = entries.iter().map(|(k, v)| (bits(k), *k, v.clone())).collect();
    Digest::Blake3(naive(&entries))
}

fn contents(map: &StateMap) -> Entries {
    map.iter().map(|(key, value)| (*key, value.to_vec())).collect()
}

#[derive(Debug, Clone)]
enum Write {
    Insert([u8; 32], Vec<u8>),
    Remove([u8; 32]),
    Root,
    Snapshot,
}

fn short_value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..3)
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        6 => (crowded_key(), short_value()).prop_map(|(key, value)| Write::Insert(key, value)),
        4 => crowded_key().prop_map(Write::Remove),
        1 => Just(Write::Root),
        1 => Just(Write::Snapshot),
    ];
    prop::collection::vec(write, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn behaves_as_an_ordered_map_and_never_changes_a_snapshot(writes in writes()) {
        let (mut map, mut model) = (StateMap::new(), Entries::new());
        let mut snapshots = Vec::new();
        for write in writes {
            match write {
                Write::Insert(key, value) => {
                    map.insert(key, value.as_slice().into());
                    model.insert(key, value);
                }
                Write::Remove(key) => {
                    prop_assert_eq!(map.remove(&key), model.remove(&key).is_some());
                    prop_assert!(map.get(&key).is_none());
                }
                Write::Root => prop_assert_eq!(map.root(), naive_root(&model)),
                Write::Snapshot => snapshots.push((map.clone(), model.clone())),
            }
            prop_assert_eq!(map.len(), model.len());
            prop_assert_eq!(map.is_empty(), model.is_empty());
        }
        snapshots.push((map, model));
        for (map, model) in snapshots {
            prop_assert!(map.iter().map(|(k, _)| k).is_sorted());
            prop_assert_eq!(contents(&map), model.clone());
            prop_assert_eq!(map.root(), naive_root(&model));
            for (key, value) in &model {
                prop_assert_eq!(map.get(key).map(|v| v.to_vec()), Some(value.clone()));
            }
        }
    }

    #[test]
    fn the_root_depends_on_the_contents_alone(
        pairs in prop::collection::vec((crowded_key(), 0u8..3), 0..60), seed in any::<u64>(),
    ) {
        let model: Entries = pairs.iter().map(|(k, v)| (*k, vec![*v])).collect();
        let expected = naive_root(&model);
        let bulk: StateMap = pairs.iter().map(|(k, v)| (*k, vec![*v].into())).collect();
        prop_assert_eq!(bulk.root(), expected);
        prop_assert_eq!(contents(&bulk), model.clone());
        prop_assert_eq!(bulk.len(), model.len());
        let mut order: Vec<_> = model.iter().collect();
        let mixed = |key: &[u8; 32]| blake3::hash(&[&key[..], &seed.to_le_bytes()].concat());
        order.sort_by_key(|(key, _)| *mixed(key).as_bytes());
        let mut map = StateMap::new();
        for (key, value) in order {
            map.insert(*key, b"for now"[..].into());
            map.root();
            map.insert(*key, value.as_slice().into());
        }
        prop_assert_eq!(map.root(), expected);
    }

    #[test]
    fn removing_what_was_added_restores_the_root(
        old in prop::collection::btree_map(crowded_key(), short_value(), 0..40),
        added in prop::collection::btree_set(crowded_key(), 0..40),
    ) {
        let before = map_of(&old);
        let root = before.root();
        let mut map = before.clone();
        let added: Vec<_> = added.into_iter().filter(|key| !old.contains_key(key)).collect();
        for key in &added {
            map.insert(*key, b"added"[..].into());
            prop_assert_ne!(map.root(), root);
        }
        for key in added.iter().rev() {
            prop_assert!(map.remove(key));
            prop_assert!(!map.remove(key));
        }
        prop_assert_eq!(map.root(), root);
        prop_assert_eq!(before.root(), root);
    }

    #[test]
    fn two_different_contents_have_different_roots(
        a in prop::collection::btree_map(crowded_key(), short_value(), 0..6),
        b in prop::collection::btree_map(crowded_key(), short_value(), 0..6),
    ) {
        prop_assert_eq!(map_of(&a).root() == map_of(&b).root(), a == b);
    }
}

#[test]
fn the_first_difference_is_found_at_every_bit() {
    for bit in 0..=255u8 {
        let (a, mut b) = ([0x5a; 32], [0x5a; 32]);
        b[bit as usize / 8] ^= 0x80 >> (bit % 8);
        assert_eq!(first_difference(&a, &b), Some(bit));
        b[31] ^= if bit == 255 { 0 } else { 1 };
        assert_eq!(first_difference(&b, &a), Some(bit));
    }
    assert_eq!(first_difference(&[1; 32], &[1; 32]), None);
}

#[test]
fn writes_to_an_unshared_map_copy_no_quad() {
    let key = |i: u16| *blake3::hash(&i.to_le_bytes()).as_bytes();
    let mut map: StateMap = (0..1_000).map(|i| (key(i), vec![0].into())).collect();
    let top = |map: &StateMap| match map.top.as_ref().map(|top| &top.node) {
        Some(Node::Quad(_, quad)) => Arc::as_ptr(quad),
        _ => panic!("a thousand keys have a quad"),
    };
    let before = top(&map);
    (1_000..1_100).for_each(|i| map.insert(key(i), vec![1].into()));
    assert_eq!(top(&map), before);
    let snapshot = map.clone();
    map.insert(key(5), vec![2].into());
    assert_eq!(top(&snapshot), before);
    assert_ne!(top(&map), before);
}
