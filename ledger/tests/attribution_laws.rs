//! The laws of attribution, on random histories and against a naive model written differently.
//!
//! The model splits by recursion over a plain list of assets, holds every payment as a row of its
//! own, and adds up who owned what payment by payment.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use headwater_ledger::account::{
    self, Account, AccountRows, Amounts, Entitlement, EntitlementError, Entry, Epoch, Line,
    MemoryRows, Net, Node, Sums, Tree,
};
use headwater_ledger::attribution::{self, AncestryNode, Claim, ScheduleError, UNITS};
use headwater_ledger::limits::MAX_WEIGHT_SUM;
use headwater_ledger::split::{Right, Split};
use proptest::prelude::*;
use proptest::sample::Index;

/// Asset `i` derives from assets before it; the last one is the product.
type Lineage = Vec<AncestryNode<usize>>;

#[derive(Debug, Clone)]
enum Act {
    Pay { gross: u64, tax_bp: u64, fee_bp: u16 },
    Refund { payment: Index, net_bp: u64 },
    Transfer { asset: Index, right: Index, cuts: Vec<u16> },
}

fn shares(cuts: [u16; 3], has_inputs: bool) -> Split {
    let mut cuts = cuts;
    cuts.sort_unstable();
    let [a, b, c] = cuts;
    let [holding_bp, processing_bp, operation_bp, upstream_bp] = [a, b - a, c - b, 10_000 - c];
    let split = Split { holding_bp, processing_bp, operation_bp, upstream_bp };
    match (has_inputs, upstream_bp) {
        (false, _) => Split { holding_bp: holding_bp + upstream_bp, upstream_bp: 0, ..split },
        (true, 0) => Split { holding_bp: 0, upstream_bp: holding_bp, ..split },
        (true, _) => split,
    }
}

fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![1..10u64, 1..=1_000_000u64, 1..=MAX_WEIGHT_SUM / 8, Just(MAX_WEIGHT_SUM / 8)]
}

fn lineage() -> impl Strategy<Value = Lineage> {
    let asset = (
        [0..=10_000u16, 0..=10_000, 0..=10_000],
        prop::collection::vec((any::<Index>(), weight()), 0..8),
    );
    prop::collection::vec(asset, 1..24).prop_map(|assets| {
        let mut lineage = Lineage::new();
        for (cuts, inputs) in assets {
            let before = lineage.len();
            let inputs: Vec<_> = match before {
                0 => Vec::new(),
                _ => inputs
                    .into_iter()
                    .map(|(input, weight)| (input.index(before), weight))
                    .collect(),
            };
            let split = shares(cuts, !inputs.is_empty());
            // A split of nothing but holding cannot pass anything on.
            let split = match split.check(!inputs.is_empty()) {
                Ok(()) => split,
                Err(_) => {
                    Split { holding_bp: 0, processing_bp: 0, operation_bp: 0, upstream_bp: 10_000 }
                }
            };
            lineage.push(AncestryNode { split, inputs });
        }
        lineage
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    acts_up_to(1_000_000_000_000_000_000 / 64)
}

fn acts_up_to(most: u64) -> impl Strategy<Value = Vec<Act>> {
    let gross = prop_oneof![0..100u64, 0..=1_000_000u64, Just(most)];
    let act = prop_oneof![
        4 => (gross, 0..=10_000u64, 0..=10_000u16)
            .prop_map(|(gross, tax_bp, fee_bp)| Act::Pay { gross, tax_bp, fee_bp }),
        2 => (any::<Index>(), 0..=10_000u64)
            .prop_map(|(payment, net_bp)| Act::Refund { payment, net_bp }),
        3 => (any::<Index>(), any::<Index>(), prop::collection::vec(1..10_000u16, 0..4))
            .prop_map(|(asset, right, cuts)| Act::Transfer { asset, right, cuts }),
    ];
    prop::collection::vec(act, 0..48)
}

/// Parties 0, 1, … with the parts between the cuts.
fn owners(cuts: &[u16]) -> Vec<(u8, u16)> {
    let mut ends: Vec<u16> = cuts.iter().copied().chain([10_000]).collect();
    ends.sort_unstable();
    ends.dedup();
    let starts = [0].into_iter().chain(ends.iter().copied());
    (0u8..).zip(ends.iter().zip(starts).map(|(end, start)| end - start)).collect()
}

fn schedule_of(lineage: &Lineage) -> Vec<Claim<usize>> {
    let node = |asset: &usize| Ok::<_, Infallible>(lineage[*asset].clone());
    attribution::schedule(&(lineage.len() - 1), node, 1 << 16).unwrap()
}

/// The rule of [LED-REV-3] by the letter: assets are numbered after their inputs, so going
/// down the list splits each one after all its inflow has arrived.
fn naive_schedule(lineage: &Lineage) -> BTreeMap<(usize, Right), u64> {
    fn split_down(
        lineage: &Lineage,
        at: usize,
        inflow: &mut [u128],
        out: &mut BTreeMap<(usize, Right), u64>,
    ) {
        let AncestryNode { split, inputs } = &lineage[at];
        let total: u128 =
            if inputs.is_empty() { 1 } else { inputs.iter().map(|i| u128::from(i.1)).sum() };
        let mut numerators: Vec<u128> = [split.holding_bp, split.processing_bp, split.operation_bp]
            .map(|bp| u128::from(bp) * total)
            .to_vec();
        numerators.extend(inputs.iter().map(|i| u128::from(split.upstream_bp) * u128::from(i.1)));
        let whole = 10_000 * total;
        let mut parts: Vec<u128> = numerators.iter().map(|n| inflow[at] * n / whole).collect();
        let mut has_more = vec![false; parts.len()];
        while parts.iter().sum::<u128>() < inflow[at] {
            let mut best = None;
            for (i, n) in numerators.iter().enumerate() {
                let remainder = inflow[at] * n % whole;
                if !has_more[i] && best.is_none_or(|(_, most)| remainder > most) {
                    best = Some((i, remainder));
                }
            }
            let (i, _) = best.expect("fewer units left than parts");
            has_more[i] = true;
            parts[i] += 1;
        }
        for (right, part) in Right::ALL.into_iter().zip(&parts) {
            if *part > 0 {
                out.insert((at, right), u64::try_from(*part).unwrap());
            }
        }
        for (input, part) in inputs.iter().zip(&parts[3..]) {
            inflow[input.0] += part;
        }
        if at > 0 {
            split_down(lineage, at - 1, inflow, out);
        }
    }
    let mut inflow = vec![0; lineage.len()];
    *inflow.last_mut().unwrap() = u128::from(UNITS);
    let mut out = BTreeMap::new();
    split_down(lineage, lineage.len() - 1, &mut inflow, &mut out);
    out
}

/// A history played into an account and, row by row, beside it.
struct Played {
    claims: Vec<Claim<usize>>,
    account: Account,
    rows: MemoryRows,
    epochs: BTreeMap<(usize, Right), Vec<Epoch<u8>>>,
    /// Ordinal and remaining net of each payment.
    payments: Vec<(u64, u64)>,
    gross: u64,
}

impl Played {
    fn new(lineage: &Lineage) -> Self {
        let mut epochs = BTreeMap::new();
        for asset in 0..lineage.len() {
            for right in Right::ALL {
                let owners = vec![(u8::try_from(asset % 5).unwrap(), 10_000)];
                epochs.insert((asset, right), vec![Epoch { start_seq: asset as u64, owners }]);
            }
        }
        Played {
            claims: schedule_of(lineage),
            account: Account::default(),
            rows: MemoryRows::default(),
            epochs,
            payments: Vec::new(),
            gross: 0,
        }
    }

    fn act(&mut self, seq: u64, act: &Act) {
        match act {
            Act::Pay { gross, tax_bp, fee_bp } => {
                let tax = u64::try_from(u128::from(*gross) * u128::from(*tax_bp) / 10_000).unwrap();
                let payment = Amounts::of_payment(*gross, tax, *fee_bp).unwrap();
                let n = self.account.record_payment(&mut self.rows, seq, payment).unwrap();
                assert_eq!(n, self.payments.len() as u64);
                self.payments.push((seq, payment.net));
                self.gross += gross;
            }
            Act::Refund { payment, net_bp } if !self.payments.is_empty() => {
                let n = payment.index(self.payments.len());
                let left = &mut self.payments[n].1;
                let net = u64::try_from(u128::from(*left) * u128::from(*net_bp) / 10_000).unwrap();
                *left -= net;
                let refund = Amounts { net, fee: 0, tax: 0 };
                self.account.refund(&mut self.rows, n as u64, refund).unwrap();
            }
            Act::Refund { .. } => {}
            Act::Transfer { asset, right, cuts } => {
                let claim = (asset.index(self.epochs.len() / 3), Right::ALL[right.index(3)]);
                let epoch = Epoch { start_seq: seq, owners: owners(cuts) };
                self.epochs.get_mut(&claim).unwrap().push(epoch);
            }
        }
    }

    fn play(lineage: &Lineage, acts: &[Act]) -> Self {
        let mut played = Played::new(lineage);
        for (seq, act) in (lineage.len() as u64..).zip(acts) {
            played.act(seq, act);
        }
        played
    }

    fn entitlement(&self) -> Entitlement<usize, u8> {
        let epochs =
            |asset: &usize, right| Ok::<_, Infallible>(self.epochs[&(*asset, right)].clone());
        account::entitlement(&self.account, &self.rows, &self.claims, epochs).unwrap()
    }

    /// Every line, by adding up the payments of each epoch one at a time.
    fn naive_lines(&self) -> Vec<Line<usize, u8>> {
        let mut lines = Vec::new();
        for Claim { asset, right, units } in &self.claims {
            let epochs = &self.epochs[&(*asset, *right)];
            for (i, epoch) in epochs.iter().enumerate() {
                let owned = |seq: u64| epochs.iter().rposition(|e| e.start_seq <= seq) == Some(i);
                let net: u128 =
                    self.payments.iter().filter(|p| owned(p.0)).map(|p| u128::from(p.1)).sum();
                let earned = u128::from(*units) * net / 10u128.pow(18);
                for (party, parts) in &epoch.owners {
                    lines.push(Line {
                        asset: *asset,
                        right: *right,
                        epoch_index: i as u64,
                        party: *party,
                        amount: u64::try_from(earned * u128::from(*parts) / 10_000).unwrap(),
                    });
                }
            }
        }
        lines
    }
}

/// Entitlement by asset, right and party.
fn totals(entitlement: &Entitlement<usize, u8>) -> BTreeMap<(usize, Right, u8), u64> {
    let mut totals = BTreeMap::new();
    for line in &entitlement.lines {
        *totals.entry((line.asset, line.right, line.party)).or_insert(0) += line.amount;
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Holds [LED-REV-2], [LED-REV-3] and [LED-REV-4].
    #[test]
    fn a_schedule_conserves_every_unit_and_agrees_with_the_naive_rule(lineage in lineage()) {
        let claims = schedule_of(&lineage);
        prop_assert_eq!(claims.iter().map(|c| c.units).sum::<u64>(), UNITS);
        prop_assert!(claims.iter().all(|c| c.units > 0));
        prop_assert!(claims.is_sorted_by(|a, b| (a.asset, a.right) < (b.asset, b.right)));
        let by_key: BTreeMap<_, _> = claims.iter().map(|c| ((c.asset, c.right), c.units)).collect();
        prop_assert_eq!(by_key, naive_schedule(&lineage));
    }

    /// Holds [LED-REV-6], [LED-REV-8], [LED-REV-9] and [LED-REV-10].
    #[test]
    fn entitled_and_residue_are_the_net_less_refunds(lineage in lineage(), acts in acts()) {
        let played = Played::play(&lineage, &acts);
        let whole = played.entitlement();
        let net: u64 = played.payments.iter().map(|p| p.1).sum();
        let entitled: u64 = whole.lines.iter().map(|l| l.amount).sum();
        prop_assert_eq!(entitled + whole.residue, net);
        let Account { net, fee, tax, .. } = played.account;
        prop_assert_eq!(net + fee + tax, played.gross);
        // Below one minor unit for each claim and for each owner line of each epoch.
        let epochs: usize =
            played.claims.iter().map(|c| played.epochs[&(c.asset, c.right)].len()).sum();
        prop_assert!(whole.residue < (epochs + whole.lines.len()) as u64);
        prop_assert_eq!(whole.lines, played.naive_lines());
    }

    /// Holds [LED-REV-9].
    #[test]
    fn a_residue_is_below_the_number_of_owner_lines(lineage in lineage(), acts in acts()) {
        let whole = Played::play(&lineage, &acts).entitlement();
        prop_assert!(whole.residue < whole.lines.len() as u64);
    }

    /// Holds [LED-REV-13].
    #[test]
    fn closing_gives_the_whole_residue_to_the_lines_that_rounding_cost_the_most(
        lineage in lineage(), acts in acts_up_to(1_000_000_000)) {
        let played = Played::play(&lineage, &acts);
        let epochs = |asset: &usize, right| {
            Ok::<_, Infallible>(played.epochs[&(*asset, right)].clone())
        };
        let closing =
            account::closing_lines(&played.account, &played.rows, &played.claims, epochs).unwrap();
        let whole = played.entitlement();
        // Amounts are small enough here for the exact share to fit, in parts of 10^22.
        let mut costs = Vec::new();
        for (position, line) in whole.lines.iter().enumerate() {
            let key = (line.asset, line.right);
            let claim = played.claims.iter().find(|c| (c.asset, c.right) == key);
            let epochs = &played.epochs[&key];
            let epoch = &epochs[line.epoch_index as usize];
            let end = epochs.get(line.epoch_index as usize + 1).map_or(u64::MAX, |e| e.start_seq);
            let within = |seq: u64| epoch.start_seq <= seq && seq < end;
            let net: u128 =
                played.payments.iter().filter(|p| within(p.0)).map(|p| u128::from(p.1)).sum();
            let parts = u128::from(epoch.owners.iter().find(|o| o.0 == line.party).unwrap().1);
            let scaled = u128::from(claim.unwrap().units) * net;
            let exact = scaled.checked_mul(parts).unwrap();
            costs.push((exact - u128::from(line.amount) * 10u128.pow(22), position));
        }
        costs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut chosen: Vec<usize> =
            costs.iter().take(usize::try_from(whole.residue).unwrap()).map(|c| c.1).collect();
        chosen.sort_unstable();
        let expected: Vec<_> =
            chosen.into_iter().map(|i| Line { amount: 1, ..whole.lines[i].clone() }).collect();
        prop_assert_eq!(closing.len() as u64, whole.residue);
        prop_assert_eq!(closing, expected);
    }

    /// Holds [LED-REV-7].
    #[test]
    fn refunds_commute(lineage in lineage(), acts in acts(), refunds in prop::collection::vec(
        (any::<Index>(), 0..100u64), 0..12), turn in any::<Index>()) {
        let mut forward = Played::play(&lineage, &acts);
        prop_assume!(!forward.payments.is_empty());
        // Keep those that fit whatever the order.
        let mut left: Vec<u64> = forward.payments.iter().map(|p| p.1).collect();
        let mut valid = Vec::new();
        for (payment, net) in refunds {
            let n = payment.index(left.len());
            if let Some(rest) = left[n].checked_sub(net) {
                left[n] = rest;
                valid.push((n as u64, Amounts { net, fee: 0, tax: 0 }));
            }
        }
        let mut backward = Played::play(&lineage, &acts);
        for (n, refund) in &valid {
            forward.account.refund(&mut forward.rows, *n, *refund).unwrap();
        }
        valid.reverse();
        if !valid.is_empty() {
            let turn = turn.index(valid.len());
            valid.rotate_left(turn);
        }
        for (n, refund) in &valid {
            backward.account.refund(&mut backward.rows, *n, *refund).unwrap();
        }
        prop_assert_eq!(forward.account, backward.account);
        prop_assert_eq!(&forward.rows, &backward.rows);
        prop_assert_eq!(forward.entitlement(), backward.entitlement());
        for (n, rest) in left.iter().enumerate() {
            prop_assert_eq!(forward.account.net_of(&forward.rows, n as u64), Ok(*rest));
        }
    }

    /// Holds [LED-REV-8].
    #[test]
    fn a_refund_lands_on_whoever_owned_at_the_time(lineage in lineage(), before in acts(),
        after in acts(), gross in 1..1_000_000u64) {
        // Refunding a payment in full leaves what there would be without it.
        let only_transfers = |acts: &[Act]| -> Vec<Act> {
            acts.iter().filter(|a| matches!(a, Act::Transfer { .. })).cloned().collect()
        };
        let (before, after) = (only_transfers(&before), only_transfers(&after));
        let kept = Act::Pay { gross: 12_345, tax_bp: 0, fee_bp: 0 };
        let returned = Act::Pay { gross, tax_bp: 0, fee_bp: 0 };
        let history = |middle: &Act| {
            let middle = [kept.clone(), middle.clone()];
            let acts = [&before, middle.as_slice(), &after, std::slice::from_ref(&kept)];
            Played::play(&lineage, &acts.concat())
        };
        let mut refunded = history(&returned);
        let all = Amounts { net: gross, fee: 0, tax: 0 };
        refunded.account.refund(&mut refunded.rows, 1, all).unwrap();
        let never = history(&Act::Pay { gross: 0, tax_bp: 0, fee_bp: 0 });
        prop_assert_eq!(refunded.entitlement(), never.entitlement());
    }

    /// Holds [LED-REV-11].
    #[test]
    fn what_a_payment_brings_is_the_difference_it_makes(lineage in lineage(), acts in acts(),
        net in prop_oneof![0..1_000u64, Just(1u64 << 50)]) {
        let mut played = Played::play(&lineage, &acts);
        let before = played.entitlement();
        let current = |asset: &usize, right| {
            Ok::<_, Infallible>(played.epochs[&(*asset, right)].last().unwrap().clone())
        };
        let lines = account::payment_lines(
            &played.account, &played.rows, &played.claims, current, net).unwrap();
        played.act(1_000, &Act::Pay { gross: net, tax_bp: 0, fee_bp: 0 });
        let (before, after) = (totals(&before), totals(&played.entitlement()));
        let expected: BTreeMap<_, _> = after
            .iter()
            .map(|(key, amount)| (*key, amount - before[key]))
            .filter(|(_, amount)| *amount > 0)
            .collect();
        let got: BTreeMap<_, _> =
            lines.iter().map(|l| ((l.asset, l.right, l.party), l.amount)).collect();
        prop_assert_eq!(got.len(), lines.len());
        prop_assert_eq!(got, expected);
    }

    /// Holds [LED-REV-8].
    #[test]
    fn one_party_is_entitled_to_the_sum_of_its_lines(lineage in lineage(), acts in acts(),
        party in 0..6u8) {
        let played = Played::play(&lineage, &acts);
        let totals = totals(&played.entitlement());
        for Claim { asset, right, units } in &played.claims {
            let epochs = &played.epochs[&(*asset, *right)];
            let nets = account::epoch_nets::<_, _, Infallible>(
                &played.account, &played.rows, epochs, Net::Remaining).unwrap();
            let mut entitled = 0;
            for (epoch, net) in epochs.iter().zip(nets) {
                for (_, parts) in epoch.owners.iter().filter(|(owner, _)| *owner == party) {
                    let earned = attribution::earned(*units, net).unwrap();
                    entitled += attribution::owner_share(earned, *parts).unwrap();
                }
            }
            prop_assert_eq!(entitled, totals.get(&(*asset, *right, party)).copied().unwrap_or(0));
        }
    }
}

/// Counts the rows that are read and written.
#[derive(Default)]
struct Counted {
    rows: MemoryRows,
    reads: Cell<u32>,
    writes: u32,
}

impl Counted {
    fn read(&self) -> &MemoryRows {
        self.reads.set(self.reads.get() + 1);
        &self.rows
    }
    fn write(&mut self) -> &mut MemoryRows {
        self.writes += 1;
        &mut self.rows
    }
}

impl AccountRows for Counted {
    type Error = Infallible;
    fn entries(&self, i: u64) -> Result<Vec<Entry>, Infallible> {
        self.read().entries(i)
    }
    fn put_entries(&mut self, i: u64, entries: Vec<Entry>) -> Result<(), Infallible> {
        self.write().put_entries(i, entries)
    }
    fn starts(&self, node: Node) -> Result<Vec<u64>, Infallible> {
        self.read().starts(node)
    }
    fn put_starts(&mut self, node: Node, starts: Vec<u64>) -> Result<(), Infallible> {
        self.write().put_starts(node, starts)
    }
    fn sums(&self, tree: Tree, node: Node) -> Result<Sums, Infallible> {
        self.read().sums(tree, node)
    }
    fn put_sums(&mut self, tree: Tree, node: Node, sums: Sums) -> Result<(), Infallible> {
        self.write().put_sums(tree, node, sums)
    }
}

/// Holds [LED-REV-7], [LED-REV-12] and [LED-REV-15].
#[test]
fn recording_costs_a_row_or_two_and_asking_one_or_two_on_each_level() {
    let (mut account, mut rows) = (Account::default(), Counted::default());
    let net = |net| Amounts { net, fee: 0, tax: 0 };
    for n in 0..10_000u64 {
        (rows.reads, rows.writes) = (Cell::new(0), 0);
        account.record_payment(&mut rows, 2 * n, net(n)).unwrap();
        let costs = (rows.reads.get(), rows.writes);
        match n {
            0 => assert_eq!(costs, (0, 1)),
            // A level begins: what there is of both sums is read on each of those before.
            15 | 255 | 4_095 => assert!(costs.0 <= 1 + 2 * 3 && costs.1 == 1, "{n}: {costs:?}"),
            n if n % 16 == 0 => assert!(costs.0 <= 2 && costs.1 == 2, "{n}: {costs:?}"),
            _ => assert_eq!(costs, (1, 1), "{n}"),
        }
    }
    for n in (0..10_000u64).step_by(7) {
        (rows.reads, rows.writes) = (Cell::new(0), 0);
        account.refund(&mut rows, n, net(1.min(n))).unwrap();
        assert_eq!(rows.writes, if n == 0 { 0 } else { 4 }, "{n}");
        assert!(rows.reads.get() <= 3 + 4, "{} rows read", rows.reads.get());
        for counted in [Net::Remaining, Net::Confirmed] {
            rows.reads.set(0);
            account.net_before(&rows, counted, 2 * n + 1).unwrap();
            assert!(rows.reads.get() <= 4 + 4, "{} rows read", rows.reads.get());
        }
    }
}

/// Holds [LED-REV-4].
#[test]
fn a_deep_lineage_needs_no_stack() {
    let last = 65_536u32;
    let node = |asset: &u32| -> Result<_, Infallible> {
        let inputs = if *asset == last { vec![] } else { vec![(asset + 1, 1)] };
        let [operation_bp, upstream_bp] = if *asset == last { [10_000, 0] } else { [1, 9_999] };
        let split = Split { holding_bp: 0, processing_bp: 0, operation_bp, upstream_bp };
        Ok(AncestryNode { split, inputs })
    };
    let run = |max_edges| {
        attribution::schedule(&0, node, max_edges).map(|c| c.iter().map(|c| c.units).sum::<u64>())
    };
    assert_eq!(run(65_536), Ok(UNITS));
    assert_eq!(run(65_535), Err(ScheduleError::TooManyEdges { max: 65_535 }));
}

/// Holds [LED-REV-8] and [LED-REV-9].
#[test]
fn epochs_and_claims_that_cannot_be_are_faults() {
    let claims = [Claim { asset: 0usize, right: Right::Holding, units: UNITS }];
    let (mut account, mut rows) = (Account::default(), MemoryRows::default());
    account.record_payment(&mut rows, 5, Amounts { net: 10, fee: 0, tax: 0 }).unwrap();
    let epoch = |start_seq, parts| Epoch { start_seq, owners: vec![(1u8, parts)] };
    let divide = |epochs: Vec<Epoch<u8>>, claims: &[Claim<usize>]| {
        account::entitlement(&account, &rows, claims, |_, _| Ok::<_, ()>(epochs.clone()))
            .map(|whole| whole.residue)
    };
    assert_eq!(divide(vec![epoch(5, 10_000)], &claims), Ok(0));
    for (epochs, expected) in [
        (vec![], EntitlementError::EpochOrder),
        (vec![epoch(1, 10_000), epoch(1, 10_000)], EntitlementError::EpochOrder),
        (vec![epoch(6, 10_000)], EntitlementError::PaymentBeforeOwners),
        (vec![epoch(1, 10_000), epoch(7, 9_999)], EntitlementError::Parts(9_999)),
    ] {
        assert_eq!(divide(epochs, &claims), Err(expected));
    }
    assert_eq!(divide(vec![epoch(1, 10_000)], &[]), Err(EntitlementError::Units(0)));
}

/// Holds [LED-REV-13].
#[test]
fn closing_prefers_the_earlier_of_lines_that_lost_as_much() {
    let half = |right| Claim { asset: 0usize, right, units: UNITS / 2 };
    let claims = [half(Right::Holding), half(Right::Operation)];
    let (mut account, mut rows) = (Account::default(), MemoryRows::default());
    account.record_payment(&mut rows, 5, Amounts { net: 3, fee: 0, tax: 0 }).unwrap();
    let epochs = |_: &usize, _| {
        Ok::<_, Infallible>(vec![Epoch { start_seq: 1, owners: vec![('b', 5_000), ('a', 5_000)] }])
    };
    // Each of the four lines is due 0.75 and has nothing: three of them get one.
    let closing = account::closing_lines(&account, &rows, &claims, epochs).unwrap();
    let closing: Vec<_> = closing.iter().map(|l| (l.right, l.party, l.amount)).collect();
    let expected = [(Right::Holding, 'b', 1), (Right::Holding, 'a', 1), (Right::Operation, 'b', 1)];
    assert_eq!(closing, expected);
}
