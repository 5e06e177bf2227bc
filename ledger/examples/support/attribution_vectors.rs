//! Plays files of attribution vectors: histories with the answers of an independent model.
//!
//! A file is an array of `{ seed, steps, expect }`. Each step happens at a tick of its own, which
//! stands for the ordinal of the event that records it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::{Debug, Display};

use headwater_ledger::account::{self, Account, Amounts, Epoch, MemoryRows};
use headwater_ledger::attribution::{self, AncestryNode, Claim};
use headwater_ledger::limits;
use headwater_ledger::split::{Right, Split};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    seed: u64,
    steps: Vec<Step>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Register(Register),
    Transfer(Transfer),
    Pay(Pay),
    Refund(Refund),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    asset: String,
    author: String,
    split: Split,
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    asset: String,
    weight: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    asset: String,
    right: Right,
    owners: Vec<Owner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    party: String,
    parts: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    id: String,
    product: String,
    currency: String,
    gross: u64,
    tax: u64,
    fee_bp: u16,
    exchange: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    payment: String,
    net: u64,
    fee: u64,
    tax: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    schedules: BTreeMap<String, Vec<ExpectedClaim>>,
    accounts: Vec<ExpectedAccount>,
    payment_lines: BTreeMap<String, Vec<ExpectedLine>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedClaim {
    asset: String,
    right: Right,
    units: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedAccount {
    product: String,
    exchange: String,
    currency: String,
    net: u64,
    entitled: BTreeMap<String, u64>,
    residue: u64,
    fee: u64,
    tax: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedLine {
    asset: String,
    right: Right,
    party: String,
    amount: u64,
}

/// Plays every case of a file and gives their number. Fails, in one sentence, on the first
/// difference.
pub fn play_file(json: &str) -> Result<usize, String> {
    let cases: Vec<Case> =
        serde_json::from_str(json).map_err(|e| format!("this is not a file of vectors: {e}"))?;
    for case in &cases {
        play(case).map_err(|e| format!("seed {}: {e}", case.seed))?;
    }
    Ok(cases.len())
}

fn play(case: &Case) -> Result<(), String> {
    let mut history = History::default();
    for (tick, step) in (0u64..).zip(&case.steps) {
        let done = match step {
            Step::Register(register) => history.register(tick, register),
            Step::Transfer(transfer) => history.transfer(tick, transfer),
            Step::Pay(pay) => history.pay(tick, pay),
            Step::Refund(refund) => history.refund(refund),
        };
        done.map_err(|e| format!("step {tick}: {e}"))?;
    }
    history.compare_schedules(&case.expect.schedules)?;
    history.compare_accounts(&case.expect.accounts)?;
    history.compare_payment_lines(&case.expect.payment_lines)
}

/// Product, exchange and currency.
type AccountKey = (String, String, String);
/// Asset, right and party.
type LineKey = (String, Right, String);

struct Payment {
    account: AccountKey,
    number: u64,
    remaining: Amounts,
    lines: BTreeMap<LineKey, u64>,
}

#[derive(Default)]
struct History {
    assets: BTreeMap<String, AncestryNode<String>>,
    epochs: BTreeMap<(String, Right), Vec<Epoch<String>>>,
    schedules: BTreeMap<String, Vec<Claim<String>>>,
    accounts: BTreeMap<AccountKey, (Account, MemoryRows)>,
    payments: BTreeMap<String, Payment>,
}

impl History {
    fn register(&mut self, tick: u64, register: &Register) -> Result<(), String> {
        let Register { asset, author, split, inputs } = register;
        if self.assets.contains_key(asset) {
            return Err(format!("asset {asset} is registered twice"));
        }
        if let Some(missing) = inputs.iter().find(|i| !self.assets.contains_key(&i.asset)) {
            return Err(format!("asset {asset} has the unknown input {}", missing.asset));
        }
        split.check(!inputs.is_empty()).map_err(|e| format!("asset {asset}: {e}"))?;
        let inputs = inputs.iter().map(|i| (i.asset.clone(), i.weight)).collect();
        self.assets.insert(asset.clone(), AncestryNode { split: *split, inputs });
        for right in Right::ALL {
            let first = Epoch { start_seq: tick, owners: vec![(author.clone(), 10_000)] };
            self.epochs.insert((asset.clone(), right), vec![first]);
        }
        Ok(())
    }

    fn transfer(&mut self, tick: u64, transfer: &Transfer) -> Result<(), String> {
        let Transfer { asset, right, owners } = transfer;
        let epochs = self.epochs.get_mut(&(asset.clone(), *right));
        let epochs = epochs.ok_or_else(|| format!("transfer of the unknown asset {asset}"))?;
        let parts: u64 = owners.iter().map(|o| u64::from(o.parts)).sum();
        if parts != 10_000 {
            return Err(format!("the owners have {parts} parts, expected 10000"));
        }
        if owners.iter().map(|o| &o.party).collect::<BTreeSet<_>>().len() < owners.len() {
            return Err("an owner is named twice".into());
        }
        let owners = owners.iter().map(|o| (o.party.clone(), o.parts)).collect();
        epochs.push(Epoch { start_seq: tick, owners });
        Ok(())
    }

    fn pay(&mut self, tick: u64, pay: &Pay) -> Result<(), String> {
        if self.payments.contains_key(&pay.id) {
            return Err(format!("payment {} is recorded twice", pay.id));
        }
        if !self.assets.contains_key(&pay.product) {
            return Err(format!("payment {} is for the unknown product {}", pay.id, pay.product));
        }
        let amounts = Amounts::of_payment(pay.gross, pay.tax, pay.fee_bp);
        let amounts = amounts
            .ok_or_else(|| format!("payment {}: tax above gross or fee above 10000 bp", pay.id))?;
        let claims = match self.schedules.get(&pay.product) {
            Some(claims) => claims,
            None => {
                let claims = self.schedule(&pay.product)?;
                self.schedules.entry(pay.product.clone()).or_insert(claims)
            }
        };
        let key = (pay.product.clone(), pay.exchange.clone(), pay.currency.clone());
        let (account, rows) = self.accounts.entry(key.clone()).or_default();
        let current = |asset: &String, right| {
            let epochs = self.epochs.get(&(asset.clone(), right));
            epochs.and_then(|epochs| epochs.last()).cloned().ok_or(format!("{asset} has no owner"))
        };
        let lines = account::payment_lines(account, rows, claims, current, amounts.net);
        let lines = lines.map_err(|e| e.to_string())?;
        let lines = lines.into_iter().map(|l| ((l.asset, l.right, l.party), l.amount)).collect();
        let number = account.record_payment(rows, tick, amounts).map_err(|e| e.to_string())?;
        let payment = Payment { account: key, number, remaining: amounts, lines };
        self.payments.insert(pay.id.clone(), payment);
        Ok(())
    }

    fn schedule(&self, product: &str) -> Result<Vec<Claim<String>>, String> {
        let node = |asset: &String| {
            self.assets.get(asset).cloned().ok_or_else(|| format!("{asset} is not registered"))
        };
        attribution::schedule(&product.to_owned(), node, limits::MAX_ANCESTRY_EDGES)
            .map_err(|e| format!("schedule of {product}: {e}"))
    }

    fn refund(&mut self, refund: &Refund) -> Result<(), String> {
        let Refund { payment: id, net, fee, tax } = refund;
        let payment = self.payments.get_mut(id);
        let payment = payment.ok_or_else(|| format!("refund of the unknown payment {id}"))?;
        let left = payment.remaining;
        let left = (|| {
            Some(Amounts {
                net: left.net.checked_sub(*net)?,
                fee: left.fee.checked_sub(*fee)?,
                tax: left.tax.checked_sub(*tax)?,
            })
        })();
        payment.remaining =
            left.ok_or_else(|| format!("refund of more than remains of payment {id}"))?;
        let account = self.accounts.get_mut(&payment.account);
        let (account, rows) = account.ok_or_else(|| format!("payment {id} has no account"))?;
        let amounts = Amounts { net: *net, fee: *fee, tax: *tax };
        account.refund(rows, payment.number, amounts).map_err(|e| e.to_string())
    }

    fn compare_schedules(
        &self,
        expected: &BTreeMap<String, Vec<ExpectedClaim>>,
    ) -> Result<(), String> {
        same_keys("schedules", expected.keys(), self.schedules.keys())?;
        for (product, claims) in &self.schedules {
            let field = format!("schedules.{product}");
            let mut wanted = Vec::new();
            for claim in expected.get(product).into_iter().flatten() {
                let units: u64 = claim
                    .units
                    .parse()
                    .map_err(|_| format!("{field}: `{}` is not a number of units", claim.units))?;
                wanted.push(((claim.asset.clone(), claim.right), units));
            }
            let got = claims.iter().map(|c| ((c.asset.clone(), c.right), c.units)).collect();
            same_rows(&field, wanted, &got)?;
        }
        Ok(())
    }

    fn compare_accounts(&self, expected: &[ExpectedAccount]) -> Result<(), String> {
        let keys: BTreeSet<AccountKey> = expected
            .iter()
            .map(|e| (e.product.clone(), e.exchange.clone(), e.currency.clone()))
            .collect();
        if keys.len() < expected.len() {
            return Err("accounts: an account is listed twice".into());
        }
        same_keys("accounts", keys.iter().map(debug), self.accounts.keys().map(debug))?;
        for want in expected {
            let key = (want.product.clone(), want.exchange.clone(), want.currency.clone());
            let field = format!("accounts.{}/{}/{}", key.0, key.1, key.2);
            let account = self.accounts.get(&key);
            let (account, rows) = account.ok_or_else(|| format!("{field}: no such account"))?;
            let left = |paid: u64, refunded| paid.checked_sub(refunded).ok_or("refunds above paid");
            same(&format!("{field}.net"), want.net, left(account.net, account.refunded_net)?)?;
            same(&format!("{field}.fee"), want.fee, left(account.fee, account.refunded_fee)?)?;
            same(&format!("{field}.tax"), want.tax, left(account.tax, account.refunded_tax)?)?;
            let claims = self.schedules.get(&key.0).map(Vec::as_slice).unwrap_or_default();
            let epochs = |asset: &String, right| -> Result<_, Infallible> {
                Ok(self.epochs.get(&(asset.clone(), right)).cloned().unwrap_or_default())
            };
            let whole = account::entitlement(account, rows, claims, epochs);
            let whole = whole.map_err(|e| format!("{field}: {e}"))?;
            let mut entitled = BTreeMap::new();
            for line in whole.lines {
                *entitled.entry(line.party).or_insert(0) += line.amount;
            }
            let wanted = want.entitled.clone().into_iter().collect();
            same_rows(&format!("{field}.entitled"), wanted, &entitled)?;
            same(&format!("{field}.residue"), want.residue, whole.residue)?;
        }
        Ok(())
    }

    fn compare_payment_lines(
        &self,
        expected: &BTreeMap<String, Vec<ExpectedLine>>,
    ) -> Result<(), String> {
        same_keys("payment_lines", expected.keys(), self.payments.keys())?;
        for (id, payment) in &self.payments {
            let wanted = expected.get(id).into_iter().flatten();
            let wanted =
                wanted.map(|l| ((l.asset.clone(), l.right, l.party.clone()), l.amount)).collect();
            same_rows(&format!("payment_lines.{id}"), wanted, &payment.lines)?;
        }
        Ok(())
    }
}

fn debug<T: Debug>(value: T) -> String {
    format!("{value:?}")
}

fn same<T: PartialEq + Display>(field: &str, expected: T, got: T) -> Result<(), String> {
    if expected == got {
        return Ok(());
    }
    Err(format!("{field}: expected {expected}, got {got}"))
}

fn same_keys<T: Ord + Display>(
    field: &str,
    expected: impl Iterator<Item = T>,
    got: impl Iterator<Item = T>,
) -> Result<(), String> {
    let (expected, got): (BTreeSet<T>, BTreeSet<T>) = (expected.collect(), got.collect());
    if let Some(missing) = expected.difference(&got).next() {
        return Err(format!("{field}: expected {missing}, got none"));
    }
    if let Some(surplus) = got.difference(&expected).next() {
        return Err(format!("{field}: expected none, got {surplus}"));
    }
    Ok(())
}

/// Compares keyed amounts exactly; the order of the expected rows does not matter.
fn same_rows<K: Ord + Debug>(
    field: &str,
    expected: Vec<(K, u64)>,
    got: &BTreeMap<K, u64>,
) -> Result<(), String> {
    let mut wanted = BTreeMap::new();
    for (key, amount) in expected {
        if let Some(first) = wanted.insert(key, amount) {
            return Err(format!("{field}: a row is expected twice, first with {first}"));
        }
    }
    for (key, amount) in &wanted {
        match got.get(key) {
            Some(other) if other == amount => {}
            Some(other) => return Err(format!("{field} {key:?}: expected {amount}, got {other}")),
            None => return Err(format!("{field} {key:?}: expected {amount}, got none")),
        }
    }
    match got.iter().find(|(key, _)| !wanted.contains_key(key)) {
        Some((key, amount)) => Err(format!("{field} {key:?}: expected none, got {amount}")),
        None => Ok(()),
    }
}
