//! Acts of the market: listings, contracts, money, certificates and sources.

use super::Shape;
use super::asset::PURPOSES;
use crate::event::market::{Decision, Licence, ProvedLine};
use crate::event::{
    CloseAccount, ConfirmDelivery, ContestPayout, DeclineContract, DelistProduct, IssueCertificate,
    ListProduct, PaySource, ProposeContract, RecordDelivery, RecordPayment, RecordPayout,
    RecordValuation, RefundPayment, ReviewCompliance, ReviewListing, SealSources,
    SetOffOverpayment, SignContract, TerminateContract, VoidCertificate, VoidPayment,
    WithdrawContract,
};
use crate::hash::{
    AggregateId, CertificateId, ContractId, Digest, GrantId, ListingId, PaymentId, PayoutId,
};
use crate::limits::{MAX_CHOICES, MAX_INPUTS, MAX_INSTALMENTS, MAX_PROOF};
use crate::money::Currency;
use crate::scenario::derive::{label, sum_proof, sum_root};
use crate::scenario::form::{Cursor, Form, Wrong, parse};
use crate::scenario::kind::choice::{MethodWord, PurposeWord};
use crate::scenario::kind::compound::{
    Account, ClaimOf, Instalment, RightOf, Source, SumStep, WrittenClaim,
};
use crate::scenario::kind::number::{
    Count, Count8, Count32, Minor, Money, Part, Scores, in_currency,
};
use crate::scenario::kind::reference::{Asset, Hash, Member, Ref};
use crate::scenario::kind::time::Time;
use crate::scenario::kind::{Flag, Given, Kind, Many, Word, items};
use crate::scenario::names::Context;
use crate::state::Records;

pub(super) fn list_product(
    f: &mut Form<'_>,
    e: Option<&ListProduct>,
) -> Result<ListProduct, Wrong> {
    Ok(ListProduct {
        asset: f.first::<Asset>("the product", e.map(|e| &e.asset))?,
        exchange: f.clause::<Member>("at", e.map(|e| &e.exchange), "")?,
        fee_bp: f.clause::<Part>("fee|fee-bp", e.map(|e| &e.fee_bp), "150bp")?,
        operation_grants: f.clause::<Many<Ref<GrantId>, MAX_INPUTS>>(
            "under",
            e.map(|e| &e.operation_grants),
            "none",
        )?,
    })
}

/// The listing an act is about.
fn listing(f: &mut Form<'_>, old: Option<&ListingId>) -> Result<ListingId, Wrong> {
    f.first::<Ref<ListingId>>("the listing", old)
}

pub(super) fn review_listing(
    f: &mut Form<'_>,
    e: Option<&ReviewListing>,
    decision: Shape<Decision>,
) -> Result<ReviewListing, Wrong> {
    Ok(ReviewListing { listing: listing(f, e.map(|e| &e.listing))?, decision: decision.0 })
}

pub(super) fn delist_product(
    f: &mut Form<'_>,
    e: Option<&DelistProduct>,
) -> Result<DelistProduct, Wrong> {
    Ok(DelistProduct { listing: listing(f, e.map(|e| &e.listing))? })
}

pub(super) fn propose_contract(
    f: &mut Form<'_>,
    e: Option<&ProposeContract>,
) -> Result<ProposeContract, Wrong> {
    let listing = listing(f, e.map(|e| &e.listing))?;
    let buyer = f.clause::<Member>("to|buyer", e.map(|e| &e.buyer), "")?;
    let old = e.map(|e| (e.price, e.currency));
    let (price, currency) = f.clause::<Money>("price", old.as_ref(), "")?;
    let old = e.map(|e| &e.licence);
    let licence = Licence {
        purposes: f.clause::<Many<PurposeWord, MAX_CHOICES>>(
            "for|purposes",
            old.map(|l| &l.purposes),
            PURPOSES,
        )?,
        territories: f.clause::<Many<Word, MAX_CHOICES>>(
            "in|territories|territory",
            old.map(|l| &l.territories),
            "CN",
        )?,
        not_after_ms: f.clause::<Time>("until", old.map(|l| &l.not_after_ms), "start+365d")?,
        exclusive: f.clause::<Flag>("exclusive", old.map(|l| &l.exclusive), "no")?,
    };
    Ok(ProposeContract {
        schedule: f.clause_or::<Hash>(
            "schedule",
            e.map(|e| &e.schedule),
            "that of the listing",
            |c| {
                let found = c.seen.listing(&listing)?.map(|l| l.schedule);
                Ok(found.unwrap_or(label("no schedule")))
            },
        )?,
        sign_by_ms: f.clause::<Time>("sign-by", e.map(|e| &e.sign_by_ms), "start+365d")?,
        instalments: f.clause::<Many<Instalment, MAX_INSTALMENTS>>(
            "instalments",
            e.map(|e| &e.instalments),
            "none",
        )?,
        listing,
        buyer,
        price,
        currency,
        licence,
    })
}

/// The contract an act is about.
fn contract(f: &mut Form<'_>, old: Option<&ContractId>) -> Result<ContractId, Wrong> {
    f.first::<Ref<ContractId>>("the contract", old)
}

pub(super) fn sign_contract(
    f: &mut Form<'_>,
    e: Option<&SignContract>,
) -> Result<SignContract, Wrong> {
    let contract = contract(f, e.map(|e| &e.contract))?;
    let told = "that of the contract";
    let schedule = f.clause_or::<Hash>("schedule", e.map(|e| &e.schedule), told, |c| {
        let found = c.seen.contract(&contract)?.map(|l| l.schedule);
        Ok(found.unwrap_or(label("no schedule")))
    })?;
    Ok(SignContract { contract, schedule })
}

pub(super) fn decline_contract(
    f: &mut Form<'_>,
    e: Option<&DeclineContract>,
) -> Result<DeclineContract, Wrong> {
    Ok(DeclineContract { contract: contract(f, e.map(|e| &e.contract))? })
}

pub(super) fn withdraw_contract(
    f: &mut Form<'_>,
    e: Option<&WithdrawContract>,
) -> Result<WithdrawContract, Wrong> {
    Ok(WithdrawContract { contract: contract(f, e.map(|e| &e.contract))? })
}

pub(super) fn terminate_contract(
    f: &mut Form<'_>,
    e: Option<&TerminateContract>,
) -> Result<TerminateContract, Wrong> {
    Ok(TerminateContract { contract: contract(f, e.map(|e| &e.contract))? })
}

/// The bank's reference of an act about money.
fn reference(
    f: &mut Form<'_>,
    old: Option<&crate::text::Code>,
) -> Result<crate::text::Code, Wrong> {
    let keyword = "ref|reference|bank-reference";
    f.clause_or::<Word>(keyword, old, "made of the block's height", |c| {
        parse::<Word>(&format!("ref-{}", c.height), c)
    })
}

/// An amount in the currency of the act.
fn part_of(
    f: &mut Form<'_>,
    keyword: &'static str,
    old: Option<u64>,
    currency: &Currency,
) -> Result<u64, Wrong> {
    let old = old.map(|minor| (minor, Some(*currency)));
    let amount = f.clause::<Minor>(keyword, old.as_ref(), "0")?;
    match f {
        // The example need not be in the example's currency.
        Form::Describe(_) => Ok(amount.0),
        Form::Read(_) | Form::Write(_) => in_currency(amount, currency),
    }
}

/// An amount of an act that names no currency.
fn minor(
    f: &mut Form<'_>,
    keyword: &'static str,
    old: Option<u64>,
    absent: &str,
) -> Result<u64, Wrong> {
    let old = old.map(|minor| (minor, None));
    Ok(f.clause::<Minor>(keyword, old.as_ref(), absent)?.0)
}

pub(super) fn record_payment(
    f: &mut Form<'_>,
    e: Option<&RecordPayment>,
) -> Result<RecordPayment, Wrong> {
    let contract = contract(f, e.map(|e| &e.contract))?;
    let old = e.map(|e| (e.gross, e.currency));
    let (gross, currency) = f.clause::<Money>("gross|of", old.as_ref(), "")?;
    let tax = part_of(f, "tax", e.map(|e| e.tax), &currency)?;
    let bank_reference = reference(f, e.map(|e| &e.bank_reference))?;
    Ok(RecordPayment { contract, gross, tax, currency, bank_reference })
}

pub(super) fn void_payment(
    f: &mut Form<'_>,
    e: Option<&VoidPayment>,
) -> Result<VoidPayment, Wrong> {
    Ok(VoidPayment { payment: f.first::<Ref<PaymentId>>("the payment", e.map(|e| &e.payment))? })
}

pub(super) fn record_delivery(
    f: &mut Form<'_>,
    e: Option<&RecordDelivery>,
) -> Result<RecordDelivery, Wrong> {
    Ok(RecordDelivery {
        contract: contract(f, e.map(|e| &e.contract))?,
        delivered: f.clause::<Hash>("delivered", e.map(|e| &e.delivered), "\"delivery\"")?,
    })
}

pub(super) fn confirm_delivery(
    f: &mut Form<'_>,
    e: Option<&ConfirmDelivery>,
) -> Result<ConfirmDelivery, Wrong> {
    Ok(ConfirmDelivery { contract: contract(f, e.map(|e| &e.contract))? })
}

pub(super) fn refund_payment(
    f: &mut Form<'_>,
    e: Option<&RefundPayment>,
) -> Result<RefundPayment, Wrong> {
    Ok(RefundPayment {
        payment: f.first::<Ref<PaymentId>>("the payment", e.map(|e| &e.payment))?,
        net: minor(f, "net", e.map(|e| e.net), "0")?,
        fee: minor(f, "fee", e.map(|e| e.fee), "0")?,
        tax: minor(f, "tax", e.map(|e| e.tax), "0")?,
        bank_reference: reference(f, e.map(|e| &e.bank_reference))?,
    })
}

pub(super) fn review_compliance(
    f: &mut Form<'_>,
    e: Option<&ReviewCompliance>,
    decision: Shape<Decision>,
) -> Result<ReviewCompliance, Wrong> {
    Ok(ReviewCompliance {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        decision: decision.0,
        rights_level: f.clause::<Count8>("level|rights-level", e.map(|e| &e.rights_level), "1")?,
        report: f.clause::<Hash>("report", e.map(|e| &e.report), "\"report\"")?,
    })
}

pub(super) fn record_valuation(
    f: &mut Form<'_>,
    e: Option<&RecordValuation>,
) -> Result<RecordValuation, Wrong> {
    let asset = f.first::<Asset>("the asset", e.map(|e| &e.asset))?;
    let old = e.map(|e| (e.value, e.currency));
    let (value, currency) = f.clause::<Money>("at|value", old.as_ref(), "")?;
    Ok(RecordValuation {
        asset,
        method: f.clause::<MethodWord>("by|method", e.map(|e| &e.method), "cost")?,
        value,
        currency,
        quality: f.clause::<Scores>("quality", e.map(|e| &e.quality), "90/90/90/90/90/90")?,
        report: f.clause::<Hash>("report", e.map(|e| &e.report), "\"report\"")?,
    })
}

pub(super) fn record_payout(
    f: &mut Form<'_>,
    e: Option<&RecordPayout>,
) -> Result<RecordPayout, Wrong> {
    let owner = f.clause::<Member>("to", e.map(|e| &e.owner), "")?;
    let amount = minor(f, "amount", e.map(|e| e.amount), "")?;
    let written = e.map(|e| WrittenClaim::of(&e.claim));
    let written = f.clause::<ClaimOf>("for", written.as_ref(), "")?;
    let account = f.clause::<Account>("from", e.map(|e| &e.account), "")?;
    Ok(RecordPayout {
        claim: written.prove(&account, f.context())?,
        account,
        owner,
        amount,
        bank_reference: reference(f, e.map(|e| &e.bank_reference))?,
    })
}

pub(super) fn contest_payout(
    f: &mut Form<'_>,
    e: Option<&ContestPayout>,
) -> Result<ContestPayout, Wrong> {
    Ok(ContestPayout {
        payout: f.first::<Ref<PayoutId>>("the payout", e.map(|e| &e.payout))?,
        evidence: f.clause::<Hash>("evidence", e.map(|e| &e.evidence), "\"evidence\"")?,
    })
}

pub(super) fn set_off_overpayment(
    f: &mut Form<'_>,
    e: Option<&SetOffOverpayment>,
) -> Result<SetOffOverpayment, Wrong> {
    let amount = minor(f, "amount", e.map(|e| e.amount), "")?;
    let owner = f.clause::<Member>("for", e.map(|e| &e.from.owner), "")?;
    let from = f.clause::<ClaimOf>("from", of_line(e.map(|e| &e.from)).as_ref(), "")?;
    let to = f.clause::<ClaimOf>("to", of_line(e.map(|e| &e.to)).as_ref(), "")?;
    let account = f.clause::<Account>("on", e.map(|e| &e.account), "")?;
    let other = e.map(|e| &e.to.owner);
    let other = f.clause_or::<Member>("to-owner", other, "the same", |_| Ok(owner.clone()))?;
    let context = f.context();
    Ok(SetOffOverpayment {
        from: ProvedLine { claim: from.prove(&account, context)?, owner },
        to: ProvedLine { claim: to.prove(&account, context)?, owner: other },
        account,
        amount,
    })
}

/// The claim of a line as it stands in an event.
fn of_line(line: Option<&ProvedLine>) -> Option<WrittenClaim> {
    line.map(|line| WrittenClaim::of(&line.claim))
}

pub(super) fn close_account(
    f: &mut Form<'_>,
    e: Option<&CloseAccount>,
) -> Result<CloseAccount, Wrong> {
    Ok(CloseAccount { account: f.first::<Account>("the account", e.map(|e| &e.account))? })
}

pub(super) fn issue_certificate(
    f: &mut Form<'_>,
    e: Option<&IssueCertificate>,
) -> Result<IssueCertificate, Wrong> {
    let old = e.map(|e| &e.contract);
    Ok(IssueCertificate { contract: f.clause::<Ref<ContractId>>("for|of", old, "")? })
}

pub(super) fn void_certificate(
    f: &mut Form<'_>,
    e: Option<&VoidCertificate>,
) -> Result<VoidCertificate, Wrong> {
    Ok(VoidCertificate {
        certificate: f.first::<Ref<CertificateId>>("the certificate", e.map(|e| &e.certificate))?,
        reason: f.clause::<Hash>("reason", e.map(|e| &e.reason), "\"reason\"")?,
    })
}

/// The sources of an aggregate, as a list.
struct Sources;

impl Kind for Sources {
    type Of = Vec<(String, u64)>;
    fn name() -> String {
        format!("list of {}", Source::name())
    }
    fn sample() -> String {
        "p1=3, p2=5".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Self::Of, Wrong> {
        items::<Source>(at, context)
    }
    fn write(value: &Self::Of, context: &Context<'_>) -> String {
        value.iter().map(|s| Source::write(s, context)).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn seal_sources(
    f: &mut Form<'_>,
    e: Option<&SealSources>,
) -> Result<SealSources, Wrong> {
    let of = e.map(|e| (e.right, e.asset));
    let (right, asset) = f.first::<RightOf>("the right", of.as_ref())?;
    let told = Given::<Sources>::ABSENT;
    let listed = f.clause_or::<Given<Sources>>("sources", e.map(|_| &None), told, |_| Ok(None))?;
    let listed = listed.unwrap_or_default();
    let (root, sum) = sum_root(&listed);
    let number = u32::try_from(listed.len()).unwrap_or(u32::MAX);
    let of_listed = "from the sources";
    let root = f.clause_or::<Hash>("root", e.map(|e| &e.root), of_listed, |_| Ok(root))?;
    let sources =
        f.clause_or::<Count32>("count", e.map(|e| &e.sources), of_listed, |_| Ok(number))?;
    let total_weight =
        f.clause_or::<Count>("total", e.map(|e| &e.total_weight), of_listed, |_| Ok(sum))?;
    f.context().names.remember_sources(root, listed);
    Ok(SealSources { asset, right, root, sources, total_weight })
}

/// A source, by its name.
struct SourceName;

impl Kind for SourceName {
    type Of = Digest;
    fn name() -> String {
        "source".into()
    }
    fn sample() -> String {
        "p1".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Digest, Wrong> {
        match at.peek() {
            Some(token) if !token.text.starts_with("blake3:") => {
                at.take();
                Ok(label(&token.text))
            }
            Some(_) | None => Hash::read(at, context),
        }
    }
    fn write(value: &Digest, context: &Context<'_>) -> String {
        Hash::write(value, context)
    }
}

pub(super) fn pay_source(f: &mut Form<'_>, e: Option<&PaySource>) -> Result<PaySource, Wrong> {
    let source = f.first::<SourceName>("the source", e.map(|e| &e.source))?;
    let aggregate = f.clause::<Ref<AggregateId>>("of", e.map(|e| &e.aggregate), "")?;
    let sealed = f.context().names.sources(&aggregate).unwrap_or_default();
    let place = sealed.iter().position(|s| label(&s.0) == source).unwrap_or(0);
    let weight = sealed.get(place).map_or(1, |s| s.1);
    let told = "as sealed";
    Ok(PaySource {
        account: f.clause::<Account>("from", e.map(|e| &e.account), "")?,
        amount: minor(f, "amount", e.map(|e| e.amount), "")?,
        weight: f.clause_or::<Count>("weight", e.map(|e| &e.weight), told, |_| Ok(weight))?,
        index: f.clause_or::<Count>("index", e.map(|e| &e.index), told, |_| {
            Ok(u64::try_from(place).unwrap_or(u64::MAX))
        })?,
        proof: f.clause_or::<Many<SumStep, MAX_PROOF>>(
            "proof",
            e.map(|e| &e.proof),
            told,
            |_| Ok(sum_proof(&sealed, place)?),
        )?,
        bank_reference: reference(f, e.map(|e| &e.bank_reference))?,
        source,
        aggregate,
    })
}
