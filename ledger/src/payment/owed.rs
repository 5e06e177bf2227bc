//! What contracts still owe an account: it stays open for them. Implements [LED-MNY-4].

use super::{account_id, recorded_account, require_open};
use crate::contest;
use crate::contract::is_signed;
use crate::execute::Act;
use crate::hash::{AccountId, AssetId};
use crate::money::Currency;
use crate::reject::{Fault, Missing, Refusal};
use crate::state::record::{AccountRecord, ContractRecord, ContractStatus, Records};
use crate::state::{Key, Relation};
use crate::text::Handle;

/// Whether a contract is signed, has not ended and is not wholly paid.
fn is_owed(contract: &ContractRecord) -> bool {
    let open = match contract.status {
        ContractStatus::Open => true,
        ContractStatus::Declined | ContractStatus::Withdrawn | ContractStatus::Terminated => false,
    };
    open && is_signed(contract) && contract.paid < contract.price
}

/// Counts a contract that has changed among those that owe the account something.
pub(super) fn count(
    account: &mut AccountRecord,
    before: &ContractRecord,
    after: &ContractRecord,
) -> Result<(), Fault> {
    let more = account.unpaid.saturating_add(u32::from(is_owed(after)));
    let unpaid = more.checked_sub(u32::from(is_owed(before)));
    account.unpaid = unpaid.ok_or_else(|| Fault("an account is owed less than nothing".into()))?;
    Ok(())
}

/// A contract has ended, or its end was undone: it owes its account no more, or again.
pub(crate) fn contract_changed(
    act: &mut Act<'_>,
    before: &ContractRecord,
    after: &ContractRecord,
) -> Result<(), Refusal> {
    if is_owed(before) == is_owed(after) {
        return Ok(());
    }
    let id = account_id(&after.asset, &after.exchange, &after.currency)?;
    let mut account = recorded_account(act, &id)?;
    count(&mut account, before, after)?;
    Ok(act.state.put(&Key::Account(id), &account)?)
}

/// The account into which money goes, or went, for a contract.
pub(crate) fn account_of(contract: &ContractRecord) -> Result<Option<AccountId>, Refusal> {
    if !is_signed(contract) || contract.price == 0 {
        return Ok(None);
    }
    Ok(Some(account_id(&contract.asset, &contract.exchange, &contract.currency)?))
}

/// All three have signed a contract: its account is opened, unless it is there, and owed the price.
pub(crate) fn contract_signed(act: &mut Act<'_>, contract: &ContractRecord) -> Result<(), Refusal> {
    let Some(id) = account_of(contract)? else { return Ok(()) };
    contest::more_of_account(act, &id, &contract.contest)?;
    let mut account = match act.state.account(&id)? {
        Some(account) => account,
        None => {
            act.append(Relation::AssetAccounts(contract.asset), id.digest())?;
            act.effects.created.push(Missing::Account(id));
            opened(contract)
        }
    };
    account.unpaid = account.unpaid.saturating_add(1);
    Ok(act.state.put(&Key::Account(id), &account)?)
}

fn opened(contract: &ContractRecord) -> AccountRecord {
    AccountRecord {
        product: contract.asset,
        exchange: contract.exchange.clone(),
        currency: contract.currency,
        schedule: contract.schedule,
        totals: Default::default(),
        unpaid: 0,
        unconfirmed: 0,
        orders: 0,
        open_until_ms: 0,
        closed: false,
    }
}

/// Fails when the account that the price of a contract would go into is closed.
pub(crate) fn require_not_closed(
    act: &Act<'_>,
    product: &AssetId,
    exchange: &Handle,
    currency: &Currency,
) -> Result<(), Refusal> {
    let account = act.state.account(&account_id(product, exchange, currency)?)?;
    Ok(account.as_ref().map_or(Ok(()), require_open)?)
}
