//! Statements: who is entitled to what of a product's accounts, line by line, and how much of it
//! is payable.
//!
//! Money is *held* until the delivery of the contract it was paid for is confirmed; from then on it
//! is *frozen* while a dispute holds it, and *payable* until it is *paid*.
//! Implements [LED-REV-8] to [LED-REV-10] and [LED-MNY-6].

mod book;
mod divide;
mod member;
mod payouts;
mod set_offs;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::book::{Book, add};
pub(super) use self::divide::EpochNet;
use self::divide::{Asked, Division, divide, epoch_nets};
pub use self::divide::{AssetLine, Balance, CutShown};
pub use self::member::{Clearing, CurrencyTotal, MemberAccount, MemberStatement, member_statement};
pub use self::payouts::PayoutShown;
use self::payouts::payouts;
pub use self::set_offs::SetOffShown;
pub(super) use self::set_offs::set_offs;
use super::shares::claims;
use super::{Lists, QueryError, asked, shown};
use crate::attribution::Claim;
use crate::hash::{AccountId, AssetId, ContractId, Digest, PaymentId};
use crate::listing::schedule_hash;
use crate::money::Currency;
use crate::reject::Fault;
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
    /// The part of the remaining net whose delivery is confirmed, less what is ordered to be given
    /// back.
    pub confirmed_net: u64,
    /// Whether the account is closed.
    pub closed: bool,
    /// Payments, in the order recorded.
    pub payments: Vec<PaymentShown>,
    /// A line for each owner of each epoch of each claim, in order of claim, epoch and owner.
    pub lines: Vec<AssetLine>,
    /// What each owner has of each claim over all epochs, in order of claim and owner.
    pub balances: Vec<Balance>,
    /// What rulings cut out of the claims, and gave to whom.
    pub cuts: Vec<CutShown>,
    /// The balances added up for each party, in order of handle.
    pub parties: Vec<PartyTotal>,
    /// Payouts, in the order recorded.
    pub payouts: Vec<PayoutShown>,
    /// Set-offs, in the order recorded. Together they change no sum of a party.
    pub set_offs: Vec<SetOffShown>,
    /// What rounding leaves in the account: the remaining net less everything entitled and
    /// adjusted; nothing once the account is closed.
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
    /// What a ruling ordered to be given back and was not yet.
    pub ordered: Money,
    /// Whether it was entered in error; all of it counts as given back.
    pub void: bool,
    /// Whether the delivery of the contract is confirmed.
    pub confirmed: bool,
    /// The bank's reference.
    pub bank_reference: Code,
    /// Height at which it was recorded.
    pub height: u64,
    /// Block time at which it was recorded, milliseconds since 1970.
    pub time_ms: u64,
}

/// What one party has of an account: `entitled + adjusted + set_off + overpaid = held + frozen +
/// paid + payable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyTotal {
    /// The party.
    pub party: Handle,
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
}

/// The statement of a product: every account, divided over the attribution schedule. `now_ms` is
/// the block time at which it is asked what disputes hold.
pub fn product_statement<V: Lists>(
    view: &V,
    product: &AssetId,
    now_ms: u64,
) -> Result<ProductStatement, QueryError> {
    let relation = Relation::AssetAccounts(*product);
    view.prefetch(&[Key::Asset(*product), Key::Inputs(*product), Key::Range(relation.clone())])?;
    let name = shown(&asked(view, product)?);
    let claims = claims(view, product)?;
    let schedule = schedule_hash(product, &claims).map_err(Fault::from)?;
    let mut accounts = Vec::new();
    for id in account_ids(view, &relation)? {
        accounts.push(account_statement(view, &id, &claims, now_ms)?);
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
    let keys = |id: &AccountId| {
        let lists = [
            Relation::AccountPayments(*id),
            Relation::AccountPayouts(*id),
            Relation::AccountSetOffs(*id),
        ];
        lists.map(Key::Range).into_iter().chain([Key::Account(*id), Key::Closing(*id)])
    };
    view.prefetch(&ids.into_iter().flat_map(keys).collect::<Vec<_>>())
}

fn account_of<V: View>(view: &V, id: &AccountId) -> Result<AccountRecord, Fault> {
    view.account(id)?.ok_or_else(|| Fault(format!("account {id} is not recorded")))
}

/// One claim of an account: what each ownership epoch took in, and how it is divided.
pub(super) fn claim_statement<V: Lists>(
    view: &V,
    (id, record): (&AccountId, &AccountRecord),
    claim: Claim<AssetId>,
    now_ms: u64,
) -> Result<(Vec<EpochNet>, Division), QueryError> {
    let book = Book::read(view, id, &record.totals)?;
    let nets = epoch_nets(view, &book, &claim)?;
    let asked = Asked { account: id, record, now_ms };
    Ok((nets, divide(view, &asked, &book, &[claim])?))
}

pub(super) fn account_statement<V: Lists>(
    view: &V,
    id: &AccountId,
    claims: &[Claim<AssetId>],
    now_ms: u64,
) -> Result<AccountStatement, QueryError> {
    let record = account_of(view, id)?;
    let book = Book::read(view, id, &record.totals)?;
    let asked = Asked { account: id, record: &record, now_ms };
    let Division { lines, balances, cuts } = divide(view, &asked, &book, claims)?;
    let mut parties: BTreeMap<&Handle, Sums> = BTreeMap::new();
    for balance in &balances {
        parties.entry(&balance.party).or_default().add(&balance.sums())?;
    }
    let parties: Vec<PartyTotal> =
        parties.into_iter().map(|(party, sums)| sums.of_party(party)).collect();
    let (received, refunded) = book::sums(&record.totals)?;
    let remaining = received.less(&refunded)?;
    let mut residue = Some(remaining.net);
    for party in &parties {
        let has = party.entitled.checked_add_signed(party.adjusted);
        residue = residue.zip(has).and_then(|(left, has)| left.checked_sub(has));
    }
    Ok(AccountStatement {
        account: *id,
        exchange: record.exchange,
        currency: record.currency,
        received,
        refunded,
        remaining,
        confirmed_net: book.confirmed_net()?,
        closed: record.closed,
        payments: book.payments,
        lines,
        balances,
        cuts,
        parties,
        payouts: payouts(view, id)?,
        set_offs: set_offs(view, id)?,
        residue: residue
            .ok_or_else(|| Fault(format!("account {id} divides more than it holds")))?,
    })
}

/// The sums of a balance, or of several. Minor units.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    entitled: u64,
    adjusted: i64,
    set_off: i64,
    held: u64,
    frozen: u64,
    paid: u64,
    payable: u64,
    overpaid: u64,
}

impl Sums {
    fn add(&mut self, more: &Sums) -> Result<(), Fault> {
        for (sum, more) in [(&mut self.adjusted, more.adjusted), (&mut self.set_off, more.set_off)]
        {
            let added = sum.checked_add(more);
            *sum = added.ok_or_else(|| Fault("a sum of money overflows".into()))?;
        }
        for (sum, more) in [
            (&mut self.entitled, more.entitled),
            (&mut self.held, more.held),
            (&mut self.frozen, more.frozen),
            (&mut self.paid, more.paid),
            (&mut self.payable, more.payable),
            (&mut self.overpaid, more.overpaid),
        ] {
            add(sum, more)?;
        }
        Ok(())
    }

    fn of_party(self, party: &Handle) -> PartyTotal {
        let Sums { entitled, adjusted, set_off, held, frozen, paid, payable, overpaid } = self;
        let party = party.clone();
        PartyTotal { party, entitled, adjusted, set_off, held, frozen, paid, payable, overpaid }
    }
}
