//! Values made of several words.

use super::choice::{Right, ScopeWord};
use super::number::{Coin, Count, Minor, Money, Part};
use super::reference::{Asset, Hash, Key, Member, Ref};
use super::time::Time;
use super::{Kind, Many, items};
use crate::codec::List;
use crate::event::aggregate::SumNode;
use crate::event::asset::{Cost as LedgerCost, Input as LedgerInput};
use crate::event::dispute::Adjustment as LedgerAdjustment;
use crate::event::market::{Instalment as LedgerInstalment, ProvedClaim};
use crate::event::member::{MemberKey as LedgerKey, Scope};
use crate::event::rights::Owner as LedgerOwner;
use crate::hash::{AccountId, AssetId, Digest, GrantId};
use crate::limits::MAX_PROOF;
use crate::payment::account_id;
use crate::payout;
use crate::scenario::form::{Cursor, Wrong};
use crate::scenario::names::Context;
use crate::split;
use crate::state::Records;
use crate::words::money;

/// A key with its scopes: `pipeline[register, rights]`; without brackets it has all scopes.
pub struct MemberKey;

impl Kind for MemberKey {
    type Of = LedgerKey;
    fn name() -> String {
        "key with `[scopes]`".into()
    }
    fn sample() -> String {
        "pipeline[register, rights]".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerKey, Wrong> {
        let key = Key::read(at, context)?;
        let mut scopes = Scope::ALL.to_vec();
        if at.skip("[") {
            scopes = match at.peek() {
                Some(token) if token.is("]") => Vec::new(),
                Some(_) | None => items::<ScopeWord>(at, context)?,
            };
            at.expect("]")?;
        }
        let scopes = List::new(scopes).map_err(|_| Wrong("more than 6 scopes".into()))?;
        Ok(LedgerKey { key, scopes })
    }
    fn write(value: &LedgerKey, context: &Context<'_>) -> String {
        let scopes: Vec<String> =
            value.scopes.iter().map(|scope| ScopeWord::write(scope, context)).collect();
        format!("{}[{}]", Key::write(&value.key, context), scopes.join(", "))
    }
}

/// An owner and his part: `patients-fund 10%`.
pub struct Owner;

impl Kind for Owner {
    type Of = LedgerOwner;
    fn name() -> String {
        "owner with his part".into()
    }
    fn sample() -> String {
        "patients-fund 10%".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerOwner, Wrong> {
        let member = Member::read(at, context)?;
        Ok(LedgerOwner { member, parts: Part::read(at, context)? })
    }
    fn write(value: &LedgerOwner, context: &Context<'_>) -> String {
        let parts = Part::write(&value.parts, context);
        format!("{} {parts}", Member::write(&value.member, context))
    }
}

/// An input: `ASSET weight N under GRANT`; the weight is 1 and there is no grant unless given.
pub struct Input;

impl Kind for Input {
    type Of = LedgerInput;
    fn name() -> String {
        "asset, then `weight N` and `under GRANT`".into()
    }
    fn sample() -> String {
        "chest-hospital/fna-2026 weight 300".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerInput, Wrong> {
        let asset = Asset::read(at, context)?;
        let mut input = LedgerInput { asset, weight: 1, grant: None };
        loop {
            if at.skip("weight") {
                input.weight = Count::read(at, context)?;
            } else if at.skip("under") {
                input.grant = super::Maybe::<Ref<GrantId>>::read(at, context)?;
            } else {
                return Ok(input);
            }
        }
    }
    fn write(value: &LedgerInput, context: &Context<'_>) -> String {
        let grant = value.grant.as_ref();
        let grant = grant
            .map_or(String::new(), |g| format!(" under {}", Ref::<GrantId>::write(g, context)));
        format!("{} weight {}{grant}", Asset::write(&value.asset, context), value.weight)
    }
}

/// A claimed cost.
pub struct Cost;

impl Kind for Cost {
    type Of = LedgerCost;
    fn name() -> String {
        Money::name()
    }
    fn sample() -> String {
        Money::sample()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerCost, Wrong> {
        let (amount, currency) = Money::read(at, context)?;
        Ok(LedgerCost { amount, currency })
    }
    fn write(value: &LedgerCost, _: &Context<'_>) -> String {
        money(value.amount, &value.currency)
    }
}

/// An instalment: `500.00 CNY by TIME`. The event names the currency once.
pub struct Instalment;

impl Kind for Instalment {
    type Of = LedgerInstalment;
    fn name() -> String {
        "amount `by` time".into()
    }
    fn sample() -> String {
        "500.00 CNY by 2027-06-01".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerInstalment, Wrong> {
        let (amount, _) = Minor::read(at, context)?;
        at.expect("by")?;
        Ok(LedgerInstalment { amount, due_ms: Time::read(at, context)? })
    }
    fn write(value: &LedgerInstalment, context: &Context<'_>) -> String {
        format!("{} minor by {}", value.amount, Time::write(&value.due_ms, context))
    }
}

/// An account: `PRODUCT at EXCHANGE in CURRENCY`.
pub struct Account;

impl Kind for Account {
    type Of = AccountId;
    fn name() -> String {
        "account: `PRODUCT at EXCHANGE in CURRENCY`".into()
    }
    fn sample() -> String {
        "insight-co/report at gz-exchange in CNY".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<AccountId, Wrong> {
        let ahead = at.rest();
        let product = Asset::read(at, context)?;
        if !at.skip("at") {
            // An id or a text in quotes is the account itself.
            return match ahead.first() {
                Some(t) if t.quoted || t.text.starts_with("blake3:") => {
                    Ok(AccountId::from_digest(*product.digest()))
                }
                Some(_) | None => {
                    let found = at.found();
                    Err(Wrong(format!("expected `PRODUCT at EXCHANGE in CURRENCY`, found {found}")))
                }
            };
        }
        let exchange = Member::read(at, context)?;
        at.expect("in")?;
        Ok(account_id(&product, &exchange, &Coin::read(at, context)?)?)
    }
    fn write(value: &AccountId, _: &Context<'_>) -> String {
        value.digest().to_string()
    }
}

/// A right over an asset: `holding of ASSET`.
pub struct RightOf;

impl Kind for RightOf {
    type Of = (split::Right, AssetId);
    fn name() -> String {
        "right `of` asset".into()
    }
    fn sample() -> String {
        "holding of chest-hospital/fna-2026".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        let right = Right::read(at, context)?;
        at.skip("right");
        if !at.skip("over") {
            at.expect("of")?;
        }
        Ok((right, Asset::read(at, context)?))
    }
    fn write((right, asset): &Self::Of, context: &Context<'_>) -> String {
        format!("{right} of {}", Asset::write(asset, context))
    }
}

/// A claim as written: the right over an asset, and the rest when it is not to be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenClaim {
    right: split::Right,
    asset: AssetId,
    explicit: Option<(u64, u64, u64, List<Digest, MAX_PROOF>)>,
}

/// A claim of a schedule: `holding of ASSET`; units, place and proof are taken from the schedule
/// unless `units N index N of N proof HASH, …` says otherwise.
pub struct ClaimOf;

impl Kind for ClaimOf {
    type Of = WrittenClaim;
    fn name() -> String {
        "right `of` asset".into()
    }
    fn sample() -> String {
        RightOf::sample()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<WrittenClaim, Wrong> {
        let (right, asset) = RightOf::read(at, context)?;
        let mut explicit = None;
        if at.skip("units") {
            let units = Count::read(at, context)?;
            at.expect("index")?;
            let index = Count::read(at, context)?;
            at.expect("of")?;
            let claims = Count::read(at, context)?;
            at.expect("proof")?;
            let proof = match at.skip("[") {
                true => {
                    let proof = Many::<Hash, MAX_PROOF>::read(at, context)?;
                    at.expect("]")?;
                    proof
                }
                false => Many::<Hash, MAX_PROOF>::read(at, context)?,
            };
            explicit = Some((units, index, claims, proof));
        }
        Ok(WrittenClaim { right, asset, explicit })
    }
    fn write(value: &WrittenClaim, context: &Context<'_>) -> String {
        let of = RightOf::write(&(value.right, value.asset), context);
        value.explicit.as_ref().map_or(of.clone(), |(units, index, claims, proof)| {
            let proof = Many::<Hash, MAX_PROOF>::write(proof, context);
            format!("{of} units {units} index {index} of {claims} proof [{proof}]")
        })
    }
}

impl WrittenClaim {
    /// As it stands in an event.
    pub fn of(claim: &ProvedClaim) -> Self {
        let explicit = Some((claim.units, claim.index, claim.claims, claim.proof.clone()));
        WrittenClaim { right: claim.right, asset: claim.asset, explicit }
    }

    /// The claim with its proof, taken from the schedule of an account's product.
    pub fn prove(&self, account: &AccountId, context: &Context<'_>) -> Result<ProvedClaim, Wrong> {
        let WrittenClaim { right, asset, explicit } = self.clone();
        if let Some((units, index, claims, proof)) = explicit {
            return Ok(ProvedClaim { asset, right, units, index, claims, proof });
        }
        let absent =
            ProvedClaim { asset, right, units: 0, index: 0, claims: 0, proof: List::default() };
        let Some(account) = context.seen.account(account)? else { return Ok(absent) };
        let schedule = context.seen.schedule(&account.product);
        let schedule = schedule.map_err(|e| Wrong(format!("the product's schedule: {e}")))?;
        Ok(payout::prove(&schedule, &asset, right)?.unwrap_or(absent))
    }
}

/// An account of which earlier money goes over by a ruling: `holding of ASSET from ACCOUNT`.
pub struct Adjustment;

impl Kind for Adjustment {
    type Of = LedgerAdjustment;
    fn name() -> String {
        "right `of` asset `from` account".into()
    }
    fn sample() -> String {
        "holding of chest-hospital/fna-2026 from insight-co/report at gz-exchange in CNY".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<LedgerAdjustment, Wrong> {
        let claim = ClaimOf::read(at, context)?;
        at.expect("from")?;
        let account = Account::read(at, context)?;
        Ok(LedgerAdjustment { account, claim: claim.prove(&account, context)? })
    }
    fn write(value: &LedgerAdjustment, context: &Context<'_>) -> String {
        let claim = ClaimOf::write(&WrittenClaim::of(&value.claim), context);
        let account = Account::write(&value.account, context);
        format!("{claim} from {account}")
    }
}

/// A source of an aggregate: `p1=3`.
pub struct Source;

impl Kind for Source {
    type Of = (String, u64);
    fn name() -> String {
        "source `=` weight".into()
    }
    fn sample() -> String {
        "p1=3".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<(String, u64), Wrong> {
        let source = at.need("the name of a source")?.text.clone();
        at.skip("=");
        Ok((source, Count::read(at, context)?))
    }
    fn write((source, weight): &(String, u64), _: &Context<'_>) -> String {
        format!("{}={weight}", super::bare(source))
    }
}

/// A node beside the path of a Merkle-sum proof: hash and sum.
pub struct SumStep;

impl Kind for SumStep {
    type Of = SumNode;
    fn name() -> String {
        "hash and sum".into()
    }
    fn sample() -> String {
        "\"a node\" 12".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<SumNode, Wrong> {
        let hash = Hash::read(at, context)?;
        Ok(SumNode { hash, sum: Count::read(at, context)? })
    }
    fn write(value: &SumNode, context: &Context<'_>) -> String {
        format!("{} {}", Hash::write(&value.hash, context), value.sum)
    }
}
