//! Statements: who is entitled to what of a product's accounts, line by line, and how much of it
//! is payable.
//!
//! Money is *held* until the delivery of the contract it was paid for is confirmed, and *payable*
//! from then on. Implements [LED-REV-8] to [LED-REV-10].

mod book;
mod member;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::book::{Book, add};
pub use self::member::{Clearing, CurrencyTotal, MemberAccount, MemberStatement, member_statement};
use super::shares::{claims, prefetch_rights};
use super::{Budget, Lists, MAX_ROWS, QueryError, asked, recorded, shown};
use crate::account::{self, Epoch};
use crate::attribution::Claim;
use crate::hash::{AccountId, AssetId, ContractId, Digest, PaymentId};
use crate::listing::schedule_hash;
use crate::money::Currency;
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::AccountRecord;
use crate::state::{Key, Records, Relation, View};
use crate::text::{Code, Handle};

/// A sum of money and its parts, in minor units: `gross = net + fee + tax`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Everything paid.
    pub gross: u64,
    /// What the owners of rights share.
    pub net: u64,
    /// The exchange's clearing fee.
    pub fee: u64,
    /// Tax as stated.
    pub tax: u64,
}

/// The accounts of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductStatement {
    /// The product.
    pub product: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The hash of its attribution schedule.
    pub schedule: Digest,
    /// Its accounts, in the order in which they were opened; none before the first payment.
    pub accounts: Vec<AccountStatement>,
}

/// One account of a product, divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountStatement {
    /// The account.
    pub account: AccountId,
    /// The clearing exchange.
    pub exchange: Handle,
    /// The currency of every amount here.
    pub currency: Currency,
    /// What was paid in.
    pub received: Money,
    /// What of it was given back.
    pub refunded: Money,
    /// What remains.
    pub remaining: Money,
    /// The part of the remaining net whose delivery is confirmed.
    pub confirmed_net: u64,
    /// Payments, in the order recorded.
    pub payments: Vec<PaymentShown>,
    /// A line for each owner of each epoch of each claim, in order of claim, epoch and owner.
    pub lines: Vec<AssetLine>,
    /// The lines added up for each party, in order of handle.
    pub parties: Vec<PartyTotal>,
    /// What rounding leaves in the account: the remaining net less everything entitled.
    pub residue: u64,
}

/// A payment into an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentShown {
    /// Its id.
    pub id: PaymentId,
    /// The contract paid.
    pub contract: ContractId,
    /// What was paid.
    pub received: Money,
    /// What of it was given back.
    pub refunded: Money,
    /// Whether the delivery of the contract is confirmed.
    pub confirmed: bool,
    /// The bank's reference.
    pub bank_reference: Code,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

/// What one owner is entitled to for one ownership epoch of one right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetLine {
    /// The asset.
    pub asset: AssetId,
    /// `handle/name`.
    pub name: String,
    /// The right over it.
    pub right: Right,
    /// The ownership epoch, from 0.
    pub epoch: u64,
    /// The owner.
    pub party: Handle,
    /// Its parts of 10 000.
    pub parts: u16,
    /// Units of 10^18 that the right is due.
    pub units: u64,
    /// Minor units, rounded down: held and payable.
    pub entitled: u64,
    /// Of it, what waits for a delivery to be confirmed.
    pub held: u64,
    /// Of it, what is payable.
    pub payable: u64,
}

/// What one party is entitled to of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyTotal {
    /// The party.
    pub party: Handle,
    /// Minor units: held and payable.
    pub entitled: u64,
    /// Of it, what waits for a delivery to be confirmed.
    pub held: u64,
    /// Of it, what is payable.
    pub payable: u64,
}

/// The statement of a product: every account, divided over the attribution schedule.
pub fn product_statement<V: Lists>(
    view: &V,
    product: &AssetId,
) -> Result<ProductStatement, QueryError> {
    let relation = Relation::AssetAccounts(*product);
    view.prefetch(&[Key::Asset(*product), Key::Inputs(*product), Key::Range(relation.clone())])?;
    let name = shown(&asked(view, product)?);
    let claims = claims(view, product)?;
    let schedule = schedule_hash(product, &claims).map_err(Fault::from)?;
    let mut accounts = Vec::new();
    for id in account_ids(view, &relation)? {
        accounts.push(account_statement(view, &id, &claims)?);
    }
    Ok(ProductStatement { product: *product, name, schedule, accounts })
}

fn account_ids<V: Lists>(view: &V, relation: &Relation) -> Result<Vec<AccountId>, Fault> {
    let entries = view.entries(relation)?;
    let ids: Vec<AccountId> = entries.iter().map(|e| AccountId::from_digest(e.id)).collect();
    prefetch_accounts(view, &ids)?;
    Ok(ids)
}

/// Announces accounts and their payments.
fn prefetch_accounts<'a, V: View>(
    view: &V,
    ids: impl IntoIterator<Item = &'a AccountId>,
) -> Result<(), Fault> {
    let keys = |id: &AccountId| [Key::Account(*id), Key::Range(Relation::AccountPayments(*id))];
    view.prefetch(&ids.into_iter().flat_map(keys).collect::<Vec<_>>())
}

fn account_of<V: View>(view: &V, id: &AccountId) -> Result<AccountRecord, Fault> {
    view.account(id)?.ok_or_else(|| Fault(format!("account {id} is not recorded")))
}

fn account_statement<V: Lists>(
    view: &V,
    id: &AccountId,
    claims: &[Claim<AssetId>],
) -> Result<AccountStatement, QueryError> {
    let record = account_of(view, id)?;
    let book = Book::read(view, id, &record.totals)?;
    let lines = divide(view, &book, claims)?;
    let mut parties: BTreeMap<&Handle, PartyTotal> = BTreeMap::new();
    let mut entitled = 0;
    for line in &lines {
        let total = parties.entry(&line.party).or_insert_with(|| PartyTotal {
            party: line.party.clone(),
            entitled: 0,
            held: 0,
            payable: 0,
        });
        add(&mut total.entitled, line.entitled)?;
        add(&mut total.held, line.held)?;
        add(&mut total.payable, line.payable)?;
        add(&mut entitled, line.entitled)?;
    }
    let parties = parties.into_values().collect();
    let (received, refunded) = book::sums(&record.totals)?;
    let remaining = received.less(&refunded)?;
    let residue = remaining.net.checked_sub(entitled);
    Ok(AccountStatement {
        account: *id,
        exchange: record.exchange,
        currency: record.currency,
        received,
        refunded,
        remaining,
        confirmed_net: book.confirmed_net()?,
        payments: book.payments,
        lines,
        parties,
        residue: residue
            .ok_or_else(|| Fault(format!("account {id} divides more than it holds")))?,
    })
}

/// The lines of some claims of an account: entitled over all payments, payable over those whose
/// delivery is confirmed, held the difference.
fn divide<V: View>(
    view: &V,
    book: &Book,
    claims: &[Claim<AssetId>],
) -> Result<Vec<AssetLine>, QueryError> {
    let epochs = epochs(view, claims)?;
    let of = |asset: &AssetId, right: Right| {
        let epochs = epochs.get(&(*asset, right)).cloned();
        epochs.ok_or_else(|| Fault(format!("the epochs of {asset} were not read")))
    };
    let fault = |e: &dyn std::fmt::Display| Fault(format!("an account cannot be divided: {e}"));
    let (all, rows) = &book.all;
    let entitled = account::lines(all, rows, claims, of).map_err(|e| fault(&e))?;
    let (confirmed, rows) = &book.confirmed;
    let payable = account::lines(confirmed, rows, claims, of).map_err(|e| fault(&e))?;
    let units: BTreeMap<_, _> = claims.iter().map(|c| ((c.asset, c.right), c.units)).collect();
    let mut lines = Vec::with_capacity(entitled.len());
    for (line, payable) in entitled.into_iter().zip(payable) {
        let claim = (line.asset, line.right);
        let epoch = usize::try_from(line.epoch_index).ok();
        let epoch = epoch.and_then(|at| epochs.get(&claim)?.get(at));
        let owner = epoch.and_then(|epoch| epoch.owners.iter().find(|o| o.0 == line.party));
        let (parts, units) = owner
            .map(|owner| owner.1)
            .zip(units.get(&claim).copied())
            .ok_or_else(|| Fault("a line is of no claim and no owner".into()))?;
        let held = line.amount.checked_sub(payable.amount);
        lines.push(AssetLine {
            asset: line.asset,
            name: shown(&recorded(view, &line.asset)?),
            right: line.right,
            epoch: line.epoch_index,
            party: line.party,
            parts,
            units,
            entitled: line.amount,
            held: held.ok_or_else(|| Fault("more is payable than entitled".into()))?,
            payable: payable.amount,
        });
    }
    Ok(lines)
}

type Epochs = BTreeMap<(AssetId, Right), Vec<Epoch<Handle>>>;

/// All epochs of the rights that claims are for.
fn epochs<V: View>(view: &V, claims: &[Claim<AssetId>]) -> Result<Epochs, QueryError> {
    prefetch_rights(view, claims)?;
    let mut budget = Budget::new("lines", MAX_ROWS);
    let mut current = Vec::with_capacity(claims.len());
    let mut keys = Vec::new();
    for claim in claims {
        let asset = recorded(view, &claim.asset)?;
        let epoch = view.right(&claim.asset, &asset, claim.right)?.epoch;
        budget.take(usize::try_from(epoch).unwrap_or(usize::MAX))?;
        keys.extend((1..=epoch).map(|n| Key::Epoch(claim.asset, claim.right, n)));
        current.push((claim, asset, epoch));
    }
    view.prefetch(&keys)?;
    let mut epochs = Epochs::new();
    for (claim, asset, last) in current {
        let mut of_right = Vec::new();
        for n in 0..=last {
            let epoch = view.epoch(&claim.asset, &asset, claim.right, n)?;
            budget.take(epoch.owners.len())?;
            let owners = epoch.owners.into_iter().map(|o| (o.member, o.parts)).collect();
            of_right.push(Epoch { start_seq: epoch.start_seq, owners });
        }
        epochs.insert((claim.asset, claim.right), of_right);
    }
    Ok(epochs)
}
