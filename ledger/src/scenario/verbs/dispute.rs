//! Acts of disputes.

use super::Shape;
use crate::event::dispute::{Redirect, RefundOrder, Ruling, Slice, Subject};
use crate::event::{AppealRuling, FileEvidence, OpenDispute, OrderFreeze, RuleDispute};
use crate::hash::{ContractId, DisputeId, GrantId, PaymentId, PayoutId};
use crate::limits::MAX_ADJUSTMENTS;
use crate::scenario::form::{Form, Wrong};
use crate::scenario::kind::Many;
use crate::scenario::kind::choice::GroundWord;
use crate::scenario::kind::compound::{Adjustment, RightOf};
use crate::scenario::kind::number::{Minor, Part};
use crate::scenario::kind::reference::{Asset, Hash, Member, Ref};
use crate::scenario::kind::time::Time;

/// What a dispute is about, without saying which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Asset,
    Grant,
    Share,
    Payment,
    Payout,
    Contract,
}

/// What a subject is about.
pub(super) fn about(subject: &Subject) -> About {
    match subject {
        Subject::Asset(_) => About::Asset,
        Subject::Grant(_) => About::Grant,
        Subject::Share(_) => About::Share,
        Subject::Payment(_) => About::Payment,
        Subject::Payout(_) => About::Payout,
        Subject::Contract(_) => About::Contract,
    }
}

macro_rules! inner {
    ($old:expr, $variant:path) => {
        $old.and_then(|s| if let $variant(inner) = s { Some(inner) } else { None })
    };
}

pub(super) fn open_dispute(
    f: &mut Form<'_>,
    e: Option<&OpenDispute>,
    shape: Shape<About>,
) -> Result<OpenDispute, Wrong> {
    let old = e.map(|e| &e.subject);
    let subject = match shape.0 {
        About::Asset => Subject::Asset(f.first::<Asset>("the asset", inner!(old, Subject::Asset))?),
        About::Grant => {
            Subject::Grant(f.first::<Ref<GrantId>>("the grant", inner!(old, Subject::Grant))?)
        }
        About::Share => Subject::Share(slice(f, inner!(old, Subject::Share))?),
        About::Payment => {
            let old = inner!(old, Subject::Payment);
            Subject::Payment(f.first::<Ref<PaymentId>>("the payment", old)?)
        }
        About::Payout => {
            Subject::Payout(f.first::<Ref<PayoutId>>("the payout", inner!(old, Subject::Payout))?)
        }
        About::Contract => {
            let old = inner!(old, Subject::Contract);
            Subject::Contract(f.first::<Ref<ContractId>>("the contract", old)?)
        }
    };
    Ok(OpenDispute {
        subject,
        ground: f.clause::<GroundWord>("ground|because-of", e.map(|e| &e.ground), "ownership")?,
        evidence: f.clause::<Hash>("evidence", e.map(|e| &e.evidence), "\"evidence\"")?,
    })
}

fn slice(f: &mut Form<'_>, e: Option<&Slice>) -> Result<Slice, Wrong> {
    let of = e.map(|e| (e.right, e.asset));
    let owner = f.first::<Member>("the owner", e.map(|e| &e.owner))?;
    let (right, asset) = f.clause::<RightOf>("in", of.as_ref(), "")?;
    let parts = f.clause::<Part>("parts|part", e.map(|e| &e.parts), "")?;
    Ok(Slice { asset, right, owner, parts })
}

/// The dispute an act is about.
fn dispute(f: &mut Form<'_>, old: Option<&DisputeId>) -> Result<DisputeId, Wrong> {
    f.first::<Ref<DisputeId>>("the dispute", old)
}

pub(super) fn order_freeze(
    f: &mut Form<'_>,
    e: Option<&OrderFreeze>,
) -> Result<OrderFreeze, Wrong> {
    Ok(OrderFreeze {
        dispute: dispute(f, e.map(|e| &e.dispute))?,
        until_ms: f.clause::<Time>("until", e.map(|e| &e.until_ms), "")?,
    })
}

pub(super) fn file_evidence(
    f: &mut Form<'_>,
    e: Option<&FileEvidence>,
) -> Result<FileEvidence, Wrong> {
    Ok(FileEvidence {
        dispute: f.clause::<Ref<DisputeId>>("in|for", e.map(|e| &e.dispute), "")?,
        evidence: f.clause::<Hash>("evidence", e.map(|e| &e.evidence), "\"more evidence\"")?,
    })
}

pub(super) fn appeal_ruling(
    f: &mut Form<'_>,
    e: Option<&AppealRuling>,
) -> Result<AppealRuling, Wrong> {
    Ok(AppealRuling {
        dispute: dispute(f, e.map(|e| &e.dispute))?,
        grounds: f.clause::<Hash>("grounds", e.map(|e| &e.grounds), "\"grounds\"")?,
    })
}

/// A ruling without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    Dismiss,
    VoidGrant,
    VoidAsset,
    Redirect,
    Refund,
    ReversePayout,
    EndContract,
}

/// What a ruling rules.
pub(super) fn rules(ruling: &Ruling) -> Rules {
    match ruling {
        Ruling::Dismiss => Rules::Dismiss,
        Ruling::VoidGrant => Rules::VoidGrant,
        Ruling::VoidAsset => Rules::VoidAsset,
        Ruling::Redirect(_) => Rules::Redirect,
        Ruling::Refund(_) => Rules::Refund,
        Ruling::ReversePayout => Rules::ReversePayout,
        Ruling::EndContract => Rules::EndContract,
    }
}

pub(super) fn rule_dispute(
    f: &mut Form<'_>,
    e: Option<&RuleDispute>,
    shape: Shape<Rules>,
) -> Result<RuleDispute, Wrong> {
    let dispute = dispute(f, e.map(|e| &e.dispute))?;
    let old = e.map(|e| &e.ruling);
    let ruling = match shape.0 {
        Rules::Dismiss => Ruling::Dismiss,
        Rules::VoidGrant => Ruling::VoidGrant,
        Rules::VoidAsset => Ruling::VoidAsset,
        Rules::Redirect => Ruling::Redirect(redirect(f, inner!(old, Ruling::Redirect))?),
        Rules::Refund => Ruling::Refund(refund(f, inner!(old, Ruling::Refund))?),
        Rules::ReversePayout => Ruling::ReversePayout,
        Rules::EndContract => Ruling::EndContract,
    };
    let reasons = f.clause::<Hash>("reasons", e.map(|e| &e.reasons), "\"reasons\"")?;
    Ok(RuleDispute { dispute, ruling, reasons })
}

fn redirect(f: &mut Form<'_>, e: Option<&Redirect>) -> Result<Redirect, Wrong> {
    Ok(Redirect {
        to: f.clause::<Member>("to", e.map(|e| &e.to), "")?,
        adjustments: f.clause::<Many<Adjustment, MAX_ADJUSTMENTS>>(
            "adjusting",
            e.map(|e| &e.adjustments),
            "none",
        )?,
    })
}

fn refund(f: &mut Form<'_>, e: Option<&RefundOrder>) -> Result<RefundOrder, Wrong> {
    let mut part = |keyword, old: Option<u64>| {
        let old = old.map(|minor| (minor, None));
        f.clause::<Minor>(keyword, old.as_ref(), "0").map(|amount| amount.0)
    };
    Ok(RefundOrder {
        net: part("net", e.map(|e| e.net))?,
        fee: part("fee", e.map(|e| e.fee))?,
        tax: part("tax", e.map(|e| e.tax))?,
    })
}
