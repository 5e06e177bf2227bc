//! Transfers: who must consent, when an epoch begins, and who owns what between.

use std::collections::BTreeMap;

use headwater_ledger::event::TransferRight;
use headwater_ledger::event::governance::Rulebook;
use headwater_ledger::keys::PublicKey;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::state::record::Records;
use proptest::prelude::*;

use crate::support::story::*;
use crate::support::*;

const PARTIES: [&str; 4] = [CHEST, COUNTY, FUND, LAB];

/// Parts of 10 000 for four parties; some get none.
fn parts() -> impl Strategy<Value = [u16; 4]> {
    prop::array::uniform4(prop_oneof![Just(0u16), 1u16..10_000]).prop_filter_map(
        "somebody owns something",
        |weights| {
            let sum: u32 = weights.iter().map(|w| u32::from(*w)).sum();
            let last = weights.iter().rposition(|w| *w > 0)?;
            let mut parts = weights.map(|w| (u32::from(w) * 10_000 / sum.max(1)) as u16);
            let whole: u16 = parts.iter().sum();
            parts[last] += 10_000 - whole;
            let lost = weights.iter().zip(parts).any(|(w, p)| (*w > 0) != (p > 0));
            (!lost).then_some(parts)
        },
    )
}

#[derive(Debug, Clone)]
struct Proposal {
    parts: [u16; 4],
    manager: prop::sample::Index,
    /// In which order the parties are asked; each one consents or not.
    asked: Vec<(usize, bool)>,
}

fn proposal() -> impl Strategy<Value = Proposal> {
    let order = Just(vec![0usize, 1, 2, 3]).prop_shuffle();
    (parts(), any::<prop::sample::Index>(), order, prop::array::uniform4(prop::bool::weighted(0.9)))
        .prop_map(|(parts, manager, order, says)| Proposal {
            parts,
            manager,
            asked: order.into_iter().map(|party| (party, says[party])).collect(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Holds [LED-RGT-2] and [LED-RGT-3]: a transfer takes effect when everyone who is new or
    /// loses has consented, and not before; then an epoch begins if the owners change, and only
    /// then. One that changes nothing is refused.
    #[test]
    fn nobody_owns_or_loses_without_consent(history in prop::collection::vec(proposal(), 1..6)) {
        let mut w = World::sources();
        let chest = w.asset(CHEST_RAW);
        let (mut owned, mut manager) = ([10_000u16, 0, 0, 0], 0usize);
        let mut epochs = vec![owned];
        for proposal in history {
            let owners: Vec<usize> = (0..4).filter(|i| proposal.parts[*i] > 0).collect();
            let next = owners[proposal.manager.index(owners.len())];
            let named: Vec<(&str, u16)> =
                owners.iter().map(|i| (PARTIES[*i], proposal.parts[*i])).collect();
            let event = TransferRight {
                manager: handle(PARTIES[next]),
                ..transfer(chest, Right::Holding, &named)
            };
            if (proposal.parts, next) == (owned, manager) {
                prop_assert_eq!(w.refused(PARTIES[manager], event), Code::TransferUnchanged);
                continue;
            }
            let id = w.record(PARTIES[manager], event).transfer();
            let mut needed: Vec<usize> = (0..4)
                .filter(|i| *i != manager)
                .filter(|i| {
                    let (before, after) = (owned[*i], proposal.parts[*i]);
                    after < before || (before == 0 && after > 0)
                })
                .collect();
            let mut done = needed.is_empty();
            for (party, consents) in proposal.asked {
                if !consents {
                    continue;
                }
                let bytes = w.by(PARTIES[party], accept_transfer(id));
                let outcome = w.submit(&bytes).map(|_| "OK").unwrap_or_else(|r| r.code.name());
                let expected = match (done, needed.contains(&party)) {
                    (true, _) => "TRANSFER_CLOSED",
                    (false, true) => "OK",
                    (false, false) => "CONSENT_NOT_ASKED",
                };
                prop_assert_eq!(outcome, expected);
                needed.retain(|i| *i != party);
                done = needed.is_empty();
            }
            if done {
                if owned != proposal.parts {
                    epochs.push(proposal.parts);
                }
                (owned, manager) = (proposal.parts, next);
            }
        }
        let recorded = w.epochs(&chest, Right::Holding).unwrap();
        prop_assert_eq!(recorded.len(), epochs.len());
        prop_assert!(recorded.windows(2).all(|pair| pair[0].start_seq < pair[1].start_seq));
        for (epoch, expected) in recorded.iter().zip(&epochs) {
            let expected: BTreeMap<_, _> = PARTIES
                .iter()
                .zip(expected)
                .filter(|(_, parts)| **parts > 0)
                .map(|(party, parts)| (handle(party), *parts))
                .collect();
            let owners: BTreeMap<_, _> = epoch.owners.iter().cloned().collect();
            prop_assert_eq!(owners, expected);
            prop_assert!(epoch.owners.is_sorted(), "owners are in order of handle");
        }
        let record = w.asset_record(CHEST_RAW);
        let head = w.state.right(&chest, &record, Right::Holding).unwrap();
        prop_assert_eq!(head.manager.as_str(), PARTIES[manager]);
        // The other rights never moved.
        for right in [Right::Processing, Right::Operation] {
            prop_assert_eq!(w.epochs(&chest, right).unwrap().len(), 1);
        }
    }

    /// Holds [LED-REV-8] on the ledger: each payment is divided among who owned when it was
    /// recorded, so that between transfers everyone's sum is a matter of adding up.
    #[test]
    fn payments_follow_the_owners_of_their_time(
        acts in prop::collection::vec(prop_oneof![
            (1_000u64..1_000_000).prop_map(Ok),
            parts().prop_map(Err),
        ], 1..12),
    ) {
        let mut w = World::contracted();
        let chest = w.asset(CHEST_RAW);
        let mut owned = [10_000u16, 0, 0, 0];
        let mut nets: Vec<([u16; 4], u64)> = vec![(owned, 0)];
        for (n, act) in acts.into_iter().enumerate() {
            match act {
                Ok(gross) => {
                    let before = w.account_net();
                    w.pay(gross, 0, &format!("B-{n}"));
                    nets.last_mut().unwrap().1 += w.account_net() - before;
                }
                Err(mut parts) => {
                    // The hospital keeps the management, so that it can act again.
                    if parts[0] == 0 {
                        let most = (1..4).max_by_key(|i| parts[*i]).unwrap();
                        (parts[0], parts[most]) = (1, parts[most] - 1);
                    }
                    if parts == owned {
                        continue;
                    }
                    let mut named = vec![(CHEST, parts[0])];
                    let others = (1..4).filter(|i| parts[*i] > 0);
                    named.extend(others.map(|i| (PARTIES[i], parts[i])));
                    let id = w.record(CHEST, transfer(chest, Right::Holding, &named)).transfer();
                    for i in 1..4 {
                        if parts[i] < owned[i] || (owned[i] == 0 && parts[i] > 0) {
                            w.record(PARTIES[i], accept_transfer(id));
                        }
                    }
                    owned = parts;
                    nets.push((owned, 0));
                }
            }
        }
        if w.account_net() == 0 {
            return Ok(());
        }
        let units = 189_806_678_383_128_295u128;
        let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
        for (owners, net) in nets {
            let earned = units * u128::from(net) / 10u128.pow(18);
            for (party, parts) in PARTIES.iter().zip(owners) {
                *expected.entry(party).or_default() += (earned * u128::from(parts) / 10_000) as u64;
            }
        }
        let divided = w.entitlement(REPORT, GZ);
        for party in PARTIES {
            let mine = divided.lines.iter().filter(|l| l.asset == chest);
            let mine = mine.filter(|l| l.party.as_str() == party);
            prop_assert_eq!(mine.map(|l| l.amount).sum::<u64>(), expected[party], "{}", party);
        }
        let all: u64 = divided.lines.iter().map(|l| l.amount).sum();
        prop_assert_eq!(all + divided.residue, w.account_net());
        prop_assert!(divided.residue < divided.lines.len() as u64);
    }
}

/// Holds [LED-RGT-5]: of each key that signed transfers of a right, proposals and consents alike, the
/// last signature is remembered, for the rulebook's look-back up to its last moment.
#[test]
fn who_signed_transfers_is_remembered_for_the_look_back() {
    let mut w = World::sources();
    let (chest, look_back) = (w.asset(CHEST_RAW), Rulebook::standard().compromise_lookback_ms);
    let signed = |w: &World| -> Vec<(PublicKey, u64)> {
        let record = w.asset_record(CHEST_RAW);
        let right = w.state.right(&chest, &record, Right::Holding).unwrap();
        right.signed.iter().map(|one| (one.key, one.time_ms)).collect()
    };
    let (own, fund) = (key(CHEST).public_key(), key(FUND).public_key());
    let propose = |w: &mut World, parts: u16| {
        let owners = [(CHEST, 10_000 - parts), (FUND, parts)];
        w.record(CHEST, transfer(chest, Right::Holding, &owners)).transfer()
    };
    let first = w.now_ms;
    let id = propose(&mut w, 1_000);
    assert_eq!(signed(&w), []);
    let second = w.now_ms;
    w.record(FUND, accept_transfer(id));
    assert_eq!(signed(&w), [(fund, second), (own, first)]);
    // The next ones need nobody's consent but the author's.
    let third = w.now_ms;
    propose(&mut w, 2_000);
    assert_eq!(signed(&w), [(fund, second), (own, third)]);
    w.now_ms = second + look_back;
    propose(&mut w, 3_000);
    assert_eq!(signed(&w), [(fund, second), (own, second + look_back)]);
    w.now_ms = second + look_back + 1;
    propose(&mut w, 4_000);
    assert_eq!(signed(&w), [(own, second + look_back + 1)]);
}

impl World {
    /// The net of the report's account; 0 before the first payment.
    fn account_net(&self) -> u64 {
        let currency = "CNY".parse().unwrap();
        let product = self.asset(REPORT);
        let id = headwater_ledger::payment::account_id(&product, &handle(GZ), &currency).unwrap();
        self.state.account(&id).unwrap().map_or(0, |record| record.totals.net)
    }
}
