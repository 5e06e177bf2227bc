//! Runs a history through both and tells the first difference; shortens histories that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use headwater_ledger::hash::{AccountId, AssetId, ChainId};
use headwater_ledger::query;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::money::Balance;
use crate::naive::{Line, Naive, UNITS, Verdict, beginning};
use crate::world::{Step, World, key};
use crate::{answers, records};

/// A history to be run.
#[derive(Debug, Clone)]
pub struct History {
    pub protocol: u32,
    pub steps: Vec<Step>,
}

/// Where and how the two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub step: usize,
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}", self.step + 1, self.what)
    }
}

/// Puts one step before the model.
pub fn judge(naive: &mut Naive, chain: &ChainId, step: &Step, seq: u64) -> Verdict {
    (naive.now, naive.height) = (step.time_ms, seq + 1);
    let (id, asset) = World::ids(chain, step);
    let mut keys: Vec<_> = step.keys.iter().map(|name| key(&step.author, name)).collect();
    keys.sort();
    naive.apply((&step.author, &step.event), &keys, (id, seq), asset)
}

/// Each step with the verdict of the model.
pub fn verdicts(history: &History) -> Vec<(&Step, Verdict)> {
    let chain = World::new(history.protocol).chain;
    let mut naive = beginning(history.protocol);
    let mut seq = 0;
    let judged = history.steps.iter().map(|step| {
        let verdict = judge(&mut naive, &chain, step, seq);
        seq += u64::from(verdict.is_ok());
        (step, verdict)
    });
    judged.collect()
}

/// The first difference in a history.
pub fn check(history: &History) -> Option<Difference> {
    let mut world = World::new(history.protocol);
    let mut naive = beginning(history.protocol);
    let mut seq = 0;
    for (step, act) in history.steps.iter().enumerate() {
        let chain = world.chain;
        let expected = judge(&mut naive, &chain, act, seq);
        let got = world.submit(act);
        let differs = |what: String| Some(Difference { step, what });
        match (&expected, &got) {
            (Ok(()), Ok(())) => seq += 1,
            (Err(a), Err(b)) if *a == b.code => continue,
            (Ok(()), Err(b)) => {
                return differs(format!("the model passes it, the ledger says {}: {b}", b.code));
            }
            (Err(a), Ok(())) => {
                return differs(format!("the model says {a}, the ledger passes it"));
            }
            (Err(a), Err(b)) => {
                return differs(format!("the model says {a}, the ledger {}: {b}", b.code));
            }
        }
        let last = step + 1 == history.steps.len();
        if let Err(what) = money(&world, &naive).and_then(|()| records::agree(&world, &naive, act))
        {
            return differs(what);
        }
        if (last || step % 20 == 0)
            && let Err(what) = answers::agree(&world, &naive)
        {
            return differs(what);
        }
    }
    None
}

pub fn same<T: PartialEq + fmt::Debug>(
    what: impl fmt::Display,
    ledger: T,
    model: T,
) -> Result<(), String> {
    if ledger == model {
        return Ok(());
    }
    Err(format!("{what}: the ledger has {ledger:?}, the model {model:?}"))
}

/// Every account with every line, and the laws that hold of them.
fn money(world: &World, naive: &Naive) -> Result<(), String> {
    let products: BTreeSet<AssetId> = naive.accounts.values().map(|a| a.product).collect();
    for product in products {
        let statement =
            query::product_statement(world, &product, naive.now).map_err(|e| e.to_string())?;
        let schedule = naive.schedule(&product);
        same("units", schedule.values().sum(), UNITS)?;
        same("schedule", statement.schedule, naive.schedule_hash(&product))?;
        for account in &statement.accounts {
            account_agrees(naive, account, &schedule)?;
        }
        let known = naive.accounts.values().filter(|a| a.product == product).count();
        same("accounts of a product", statement.accounts.len(), known)?;
    }
    Ok(())
}

fn account_agrees(
    naive: &Naive,
    account: &query::AccountStatement,
    schedule: &BTreeMap<(AssetId, Right), u128>,
) -> Result<(), String> {
    let id: AccountId = account.account;
    let expected = naive.lines(&id);
    let closed = naive.accounts[&id].closed.clone();
    same("closed", account.closed, closed.is_some())?;
    let given = closed.unwrap_or_default();
    let lines = expected.iter().map(|(line, amount)| {
        (line.0.2.clone(), amount + given.iter().filter(|g| *g == line).count() as u128)
    });
    let lines = lines.collect();
    let shown: Vec<(Handle, u128)> =
        account.lines.iter().map(|l| (l.party.clone(), l.entitled.into())).collect();
    same("lines", &shown, &lines)?;
    balances_agree(naive, account, schedule)?;
    let set_off: i128 = account.balances.iter().map(|b| i128::from(b.set_off)).sum();
    same("what is set off away arrives", set_off, 0)?;
    let known = naive.set_offs.values().filter(|s| s.account == id).count();
    same("set-offs of an account", account.set_offs.len(), known)?;

    let mut net = 0u128;
    for p in naive.payments.iter().filter(|p| p.account == id) {
        same("gross = net + fee + tax", p.gross, p.net + p.fee + p.tax)?;
        net += u128::from(p.net - p.back_net) * u128::from(!p.void);
    }
    let has = account.balances.iter().map(|b| i128::from(b.entitled) + i128::from(b.adjusted));
    let entitled = has.sum::<i128>() as u128;
    let residue = u128::from(account.residue);
    same("residue", residue, naive.residue(&id))?;
    same("Σ entitled + residue = Σ net less refunds", entitled + residue, net)?;
    let cut: u32 = account.cuts.iter().flat_map(|c| &c.runs).map(|r| r.before - r.first).sum();
    let bound = (shown.len() + schedule.len()) as u128 + u128::from(cut);
    same("residue below a unit for each line", residue <= bound, true)
}

fn balances_agree(
    naive: &Naive,
    account: &query::AccountStatement,
    schedule: &BTreeMap<(AssetId, Right), u128>,
) -> Result<(), String> {
    let mut lines: BTreeSet<Line> = BTreeSet::new();
    for (asset, right) in schedule.keys() {
        let owners = naive.claim(&account.account, (asset, *right), 0, false).members();
        lines.extend(owners.into_iter().map(|owner| (*asset, *right, owner)));
    }
    same("balances", account.balances.len(), lines.len())?;
    for (shown, line) in account.balances.iter().zip(lines) {
        same("line", &(shown.asset, shown.right, shown.party.clone()), &line)?;
        let units = schedule[&(line.0, line.1)];
        let b = naive.balance(&account.account, units, &line);
        let what = format!("{} of {} of {}", shown.party, shown.right, shown.name);
        let told = Balance {
            entitled: shown.entitled.into(),
            adjusted: shown.adjusted.into(),
            set_off: shown.set_off.into(),
            held: shown.held.into(),
            frozen: shown.frozen.into(),
            paid: shown.paid.into(),
            left: i128::from(shown.payable) - i128::from(shown.overpaid),
        };
        same(format!("balance of {what}"), &told, &b)?;
        let has = b.entitled as i128 + b.adjusted + b.set_off + i128::from(shown.overpaid);
        let falls = b.held + b.frozen + b.paid + u128::from(shown.payable);
        same(format!("law of {what}"), has, falls as i128)?;
    }
    Ok(())
}

/// The shortest history found, by leaving out ever smaller pieces, that still differs.
pub fn shorten(history: &History, difference: &Difference) -> (History, Difference) {
    let mut best =
        History { protocol: history.protocol, steps: history.steps[..=difference.step].to_vec() };
    let mut found = difference.clone();
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < best.steps.len() {
            let mut steps = best.steps.clone();
            steps.drain(at..(at + size).min(best.steps.len()));
            let shorter = History { protocol: best.protocol, steps };
            match check(&shorter) {
                Some(difference) => {
                    best = shorter;
                    best.steps.truncate(difference.step + 1);
                    found = difference;
                }
                None => at += size,
            }
        }
        size /= 2;
    }
    (best, found)
}
