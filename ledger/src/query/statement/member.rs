//! The statement of a member: its part of every account that concerns it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::book::{self, Book, add, contract};
use super::{
    Asked, AssetLine, Balance, CutShown, Division, Money, PayoutShown, SetOffShown, Sums,
    account_of, divide, payouts, prefetch_accounts, set_offs,
};
use crate::account::Account;
use crate::attribution::Claim;
use crate::event::member::Role;
use crate::execute::acts_for;
use crate::hash::{AccountId, AssetId, ContractId};
use crate::money::Currency;
use crate::payment::account_id;
use crate::query::shares::claims;
use crate::query::trace::descent;
use crate::query::{Budget, Lists, MAX_ROWS, QueryError, recorded, shown};
use crate::reject::Fault;
use crate::state::{Key, Records, Relation};
use crate::text::{DisplayName, Handle};

/// Every account that concerns a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberStatement {
    /// The member.
    pub member: Handle,
    /// Its name as shown.
    pub name: DisplayName,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// The accounts in which it has a claim in any epoch, and those it clears, in order of the
    /// product's name, exchange and currency.
    pub accounts: Vec<MemberAccount>,
    /// Everything added up for each currency.
    pub totals: Vec<CurrencyTotal>,
}

/// A member's part of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAccount {
    /// The account.
    pub account: AccountId,
    /// The product.
    pub product: AssetId,
    /// `handle/name` of the product.
    pub name: String,
    /// The clearing exchange.
    pub exchange: Handle,
    /// The currency of every amount here.
    pub currency: Currency,
    /// The net of the account, less refunds.
    pub net: u64,
    /// Whether the account is closed.
    pub closed: bool,
    /// The member's lines.
    pub lines: Vec<AssetLine>,
    /// What it has of each claim over all epochs; the sums that follow are theirs.
    pub balances: Vec<Balance>,
    /// What rulings cut out of its claims, or gave to it.
    pub cuts: Vec<CutShown>,
    /// Minor units earned: of all payments, less refunds.
    pub entitled: u64,
    /// What rulings moved here, less what they moved away.
    pub adjusted: i64,
    /// What was set off with what was overpaid here, less what was set off away from here.
    pub set_off: i64,
    /// Of it, what waits for a delivery to be confirmed or is ordered to be given back.
    pub held: u64,
    /// Of it, what a dispute holds.
    pub frozen: u64,
    /// Of it, what was paid out.
    pub paid: u64,
    /// Of it, what can be paid out now.
    pub payable: u64,
    /// What was paid out beyond it; it is netted from later earnings, or set off.
    pub overpaid: u64,
    /// Payouts on the member's lines, in the order recorded.
    pub payouts: Vec<PayoutShown>,
    /// Set-offs from or to the member's lines, in the order recorded.
    pub set_offs: Vec<SetOffShown>,
    /// What the member earns as the account's exchange.
    pub clearing: Option<Clearing>,
}

/// What an exchange earns by clearing an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// Payments recorded.
    pub payments: u64,
    /// Fees less those given back, in minor units.
    pub fee: u64,
    /// Fees given back.
    pub refunded_fee: u64,
}

/// A member's accounts in one currency, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyTotal {
    /// The currency.
    pub currency: Currency,
    /// Minor units earned: of all payments, less refunds.
    pub entitled: u64,
    /// What rulings moved here, less what they moved away.
    pub adjusted: i64,
    /// What was set off with what was overpaid here, less what was set off away from here.
    pub set_off: i64,
    /// Of it, what waits for a delivery to be confirmed or is ordered to be given back.
    pub held: u64,
    /// Of it, what a dispute holds.
    pub frozen: u64,
    /// Of it, what was paid out.
    pub paid: u64,
    /// Of it, what can be paid out now.
    pub payable: u64,
    /// What was paid out beyond it; it is netted from later earnings, or set off.
    pub overpaid: u64,
    /// Clearing fees less those given back.
    pub fees: u64,
}

/// The statement of a member: its lines in every account in which it has had a claim, and its fees
/// in every account it clears; so too for all for whom it acts, whose lines stay in their names and
/// are paid to it. `now_ms` is the block time at which it is asked what disputes hold.
pub fn member_statement<V: Lists>(
    view: &V,
    member: &Handle,
    now_ms: u64,
) -> Result<MemberStatement, QueryError> {
    let lists = |handle: &Handle| {
        let lists =
            [Relation::MemberAssets(handle.clone()), Relation::MemberContracts(handle.clone())];
        lists.map(Key::Range)
    };
    let mut first = vec![Key::Member(member.clone()), Key::ActsFor(member.clone())];
    first.extend(lists(member));
    view.prefetch(&first)?;
    let record = view.member(member)?;
    let record = record.ok_or_else(|| QueryError::Unknown(format!("member {member}")))?;
    let names = acts_for(view, member)?;
    view.prefetch(&names.iter().flat_map(lists).collect::<Vec<_>>())?;
    let names: BTreeSet<Handle> = names.into_iter().collect();
    let mut owned = BTreeSet::new();
    for name in &names {
        let entries = view.entries(&Relation::MemberAssets(name.clone()))?;
        owned.extend(entries.iter().map(|entry| AssetId::from_digest(entry.id)));
    }
    let mut wanted = accounts_below(view, &owned)?;
    wanted.extend(cleared_accounts(view, &names)?);
    prefetch_accounts(view, &wanted)?;

    let mut own_claims: BTreeMap<AssetId, Vec<Claim<AssetId>>> = BTreeMap::new();
    let mut accounts = Vec::new();
    for id in &wanted {
        let account = account_of(view, id)?;
        let claims = match own_claims.get(&account.product) {
            Some(claims) => claims,
            None => {
                let mut found = claims(view, &account.product)?;
                found.retain(|claim| owned.contains(&claim.asset));
                own_claims.entry(account.product).or_insert(found)
            }
        };
        let asked = Asked { account: id, record: &account, now_ms };
        accounts.extend(member_account(view, &names, &asked, claims)?);
    }
    accounts.sort_by(|a, b| {
        (&a.name, &a.exchange, a.currency).cmp(&(&b.name, &b.exchange, b.currency))
    });
    Ok(MemberStatement {
        member: member.clone(),
        name: record.name,
        roles: record.roles,
        suspended: record.suspended,
        totals: totals(&accounts)?,
        accounts,
    })
}

/// The accounts of everything made from some assets, and of these themselves.
fn accounts_below<V: Lists>(
    view: &V,
    assets: &BTreeSet<AssetId>,
) -> Result<BTreeSet<AccountId>, QueryError> {
    let reached = descent(view, assets, None)?;
    let relations: Vec<Key> =
        reached.steps.keys().map(|id| Key::Range(Relation::AssetAccounts(*id))).collect();
    view.prefetch(&relations)?;
    let mut accounts = BTreeSet::new();
    for id in reached.steps.keys() {
        let relation = Relation::AssetAccounts(*id);
        if view.range(&relation)?.count() > 0 {
            let entries = view.entries(&relation)?;
            accounts.extend(entries.iter().map(|entry| AccountId::from_digest(entry.id)));
        }
    }
    Ok(accounts)
}

/// The accounts of the contracts that some members clear.
fn cleared_accounts<V: Lists>(
    view: &V,
    names: &BTreeSet<Handle>,
) -> Result<BTreeSet<AccountId>, QueryError> {
    let mut budget = Budget::new("contracts", MAX_ROWS);
    let mut ids = Vec::new();
    for name in names {
        let entries = view.entries(&Relation::MemberContracts(name.clone()))?;
        budget.take(entries.len())?;
        ids.extend(entries.iter().map(|e| ContractId::from_digest(e.id)));
    }
    view.prefetch(&ids.iter().map(|id| Key::Contract(*id)).collect::<Vec<_>>())?;
    let mut accounts = BTreeSet::new();
    for id in ids {
        let contract = contract(view, &id)?;
        if !names.contains(&contract.exchange) {
            continue;
        }
        let account = account_id(&contract.asset, &contract.exchange, &contract.currency);
        let account = account.map_err(Fault::from)?;
        // It is there once all three have signed, if anything is to be paid.
        if view.account(&account)?.is_some() {
            accounts.insert(account);
        }
    }
    Ok(accounts)
}

/// The part of some names in an account; none when they have none.
fn member_account<V: Lists>(
    view: &V,
    names: &BTreeSet<Handle>,
    asked: &Asked<'_>,
    claims: &[Claim<AssetId>],
) -> Result<Option<MemberAccount>, QueryError> {
    let (id, account) = (asked.account, asked.record);
    let mut division = Division::default();
    let (mut paid_out, mut moved) = (Vec::new(), Vec::new());
    if !claims.is_empty() {
        division = divide(view, asked, &Book::read(view, id, &account.totals)?, claims)?;
        division.retain(|party| names.contains(party));
        paid_out = payouts(view, id)?;
        paid_out.retain(|payout| names.contains(&payout.owner));
        moved = set_offs(view, id)?;
        moved.retain(|s| names.contains(&s.from.owner) || names.contains(&s.to.owner));
    }
    let clears = names.contains(&account.exchange);
    let Division { lines, balances, cuts } = division;
    if balances.is_empty() && !clears {
        return Ok(None);
    }
    let mut sums = Sums::default();
    for balance in &balances {
        sums.add(&balance.sums())?;
    }
    let Sums { entitled, adjusted, set_off, held, frozen, paid, payable, overpaid } = sums;
    let (received, refunded) = book::sums(&account.totals)?;
    let remaining = received.less(&refunded)?;
    Ok(Some(MemberAccount {
        account: *id,
        product: account.product,
        name: shown(&recorded(view, &account.product)?),
        exchange: account.exchange.clone(),
        currency: account.currency,
        net: remaining.net,
        closed: account.closed,
        lines,
        balances,
        cuts,
        entitled,
        adjusted,
        set_off,
        held,
        frozen,
        paid,
        payable,
        overpaid,
        payouts: paid_out,
        set_offs: moved,
        clearing: clears.then(|| clearing(&account.totals, &remaining)),
    }))
}

fn clearing(totals: &Account, remaining: &Money) -> Clearing {
    Clearing { payments: totals.payments, fee: remaining.fee, refunded_fee: totals.refunded_fee }
}

fn totals(accounts: &[MemberAccount]) -> Result<Vec<CurrencyTotal>, Fault> {
    let mut totals: BTreeMap<Currency, (Sums, u64)> = BTreeMap::new();
    for account in accounts {
        let (sums, fees) = totals.entry(account.currency).or_default();
        for balance in &account.balances {
            sums.add(&balance.sums())?;
        }
        add(fees, account.clearing.map_or(0, |clearing| clearing.fee))?;
    }
    let total = |(currency, (sums, fees))| {
        let Sums { entitled, adjusted, set_off, held, frozen, paid, payable, overpaid } = sums;
        CurrencyTotal {
            currency,
            entitled,
            adjusted,
            set_off,
            held,
            frozen,
            paid,
            payable,
            overpaid,
            fees,
        }
    };
    Ok(totals.into_iter().map(total).collect())
}
