//! Rulings: what each one does, and what of the first one a different ruling on appeal undoes.
//! Implements [LED-DSP-4].

use super::redirect::Disputed;
use super::{
    file, is_party, mark, named, redirect, reject, require_independent, require_waiting, waiting,
};
use crate::account::Amounts;
use crate::contest::Change;
use crate::event::RuleDispute;
use crate::event::dispute::{Redirect, RefundOrder, Ruling, Slice, Subject};
use crate::event::member::Role;
use crate::execute::Act;
use crate::hash::{AssetId, ContractId, DisputeId, GrantId, PaymentId, PayoutId};
use crate::reject::{Code, Refusal};
use crate::state::record::{
    AssetRecord, Awarded, DisputeStatus, Filed, GrantStatus, Hold, HoldKind, PayoutStatus,
    RulingRecord,
};
use crate::state::{Key, Relation};
use crate::{asset, contract, grant, hold, member, payment, payout};

/// `rule_dispute`.
pub(crate) fn rule(act: &mut Act<'_>, e: &RuleDispute) -> Result<(), Refusal> {
    act.require_role(Role::Regulator)?;
    // What a ruling can give back must not depend on how often a right changed hands.
    act.lift_weight();
    let mut dispute = named(act, &e.dispute)?;
    require_waiting(&dispute)?;
    require_independent(act, &dispute)?;
    let first = dispute.rulings.first().cloned();
    if let Some(first) = &first
        && act.is(&first.by)?
    {
        return reject(Code::SameArbiter, format!("{} gave the first ruling", first.by));
    }
    check_fits(&dispute.subject, &e.ruling)?;
    let now_ms = act.context.time_ms;
    let appeal_until_ms = match first {
        None => now_ms.saturating_add(act.rulebook.appeal_ms),
        Some(_) => now_ms,
    };
    let appealable = first.is_none().then_some(appeal_until_ms);
    let case = Case { dispute: &e.dispute, subject: &dispute.subject, appealable };
    let effect = match &first {
        Some(first) if first.ruling == e.ruling => affirm(act, case.subject, &e.ruling)?,
        first => take_effect(act, &case, first.as_ref(), &e.ruling)?,
    };
    if let Subject::Share(slice) = &dispute.subject {
        match appealable {
            Some(until_ms) => hold::dismissed(act, slice, &e.dispute, until_ms)?,
            None => hold::lift(act, slice, &e.dispute)?,
        }
    }
    if let (Some(redirect), Subject::Share(slice)) = (redirect_of(&e.ruling), &dispute.subject) {
        if let Some(until_ms) = appealable {
            hold_awarded(act, &case, slice, (redirect, effect.awarded.as_ref()), until_ms)?;
        }
        if !is_party(act, &dispute, &redirect.to)? {
            let party = act.acting(&redirect.to)?;
            act.append(Relation::MemberDisputes(party.clone()), e.dispute.digest())?;
            dispute.respondents.push(party);
        }
    }
    mark(act, &dispute.subject, (&e.dispute, Change::Ruled(appealable)))?;
    waiting::end(act, e.dispute)?;
    let place = u64::try_from(dispute.rulings.len()).unwrap_or(u64::MAX);
    dispute.rulings.push(RulingRecord {
        by: act.author.clone(),
        ruling: e.ruling.clone(),
        reasons: e.reasons,
        time_ms: now_ms,
        appeal_until_ms,
        grant_was: effect.grant_was,
        awarded: effect.awarded,
    });
    dispute.status = match dispute.status {
        DisputeStatus::Open | DisputeStatus::Ruled => DisputeStatus::Ruled,
        DisputeStatus::Appealed | DisputeStatus::Final => DisputeStatus::Final,
    };
    act.state.put(&Key::Dispute(e.dispute), &dispute)?;
    Ok(file(act, e.dispute, Filed::Ruling(place))?)
}

/// A dispute that is ruled on.
struct Case<'a> {
    dispute: &'a DisputeId,
    subject: &'a Subject,
    /// Until when the ruling can be appealed, if it can.
    appealable: Option<u64>,
}

/// What a ruling did that undoing it must know.
#[derive(Default)]
struct Effect {
    grant_was: Option<GrantStatus>,
    awarded: Option<Awarded>,
}

/// Holds what a ruling gave away until it can be appealed no more, so that it is still there if
/// another undoes it. Implements [LED-DSP-8].
fn hold_awarded(
    act: &mut Act<'_>,
    case: &Case<'_>,
    slice: &Slice,
    (redirect, awarded): (&Redirect, Option<&Awarded>),
    until_ms: u64,
) -> Result<(), Refusal> {
    let (parts, since) = awarded.map_or((0, 0), |a| (a.parts, a.since));
    let (dispute, owner) = (*case.dispute, redirect.to.clone());
    let (kind, appealed_until_ms) = (HoldKind::Awarded(since), u64::MAX);
    let hold = Hold { dispute, owner, parts, kind, until_ms, appealed_until_ms };
    hold::place(act, (&slice.asset, slice.right), hold)
}

/// A dismissal fits every subject, each other ruling one.
fn check_fits(subject: &Subject, ruling: &Ruling) -> Result<(), Refusal> {
    let fits = match ruling {
        Ruling::Dismiss => true,
        Ruling::VoidGrant => matches!(subject, Subject::Grant(_)),
        Ruling::VoidAsset => matches!(subject, Subject::Asset(_)),
        Ruling::Redirect(_) => matches!(subject, Subject::Share(_)),
        Ruling::Refund(_) => matches!(subject, Subject::Payment(_)),
        Ruling::ReversePayout => matches!(subject, Subject::Payout(_)),
        Ruling::EndContract => matches!(subject, Subject::Contract(_)),
    };
    if fits {
        return Ok(());
    }
    reject(Code::RulingDoesNotFit, "the ruling does not fit what the dispute is about")
}

/// Undoes the first ruling, if there was one, and does what this one says.
fn take_effect(
    act: &mut Act<'_>,
    case: &Case<'_>,
    first: Option<&RulingRecord>,
    ruling: &Ruling,
) -> Result<Effect, Refusal> {
    let before = first.map(|r| &r.ruling);
    let mut effect = Effect::default();
    match case.subject {
        Subject::Asset(asset) => on_asset(act, asset, before, (ruling, case.appealable))?,
        Subject::Grant(grant) => {
            let was = first.and_then(|r| r.grant_was);
            effect.grant_was = on_grant(act, grant, was, (ruling, case.appealable))?;
        }
        Subject::Share(slice) => {
            let disputed = Disputed { dispute: case.dispute, slice };
            effect.awarded = redirect::replace(act, disputed, first, redirect_of(ruling))?;
        }
        Subject::Payment(payment) => on_payment(act, payment, case.dispute, ruling)?,
        Subject::Payout(payout) => on_payout(act, payout, before, (ruling, case.appealable))?,
        Subject::Contract(contract) => {
            on_contract(act, contract, before, (ruling, case.appealable))?;
        }
    }
    Ok(effect)
}

/// The redirect that a ruling orders, if it does.
pub(super) fn redirect_of(ruling: &Ruling) -> Option<&Redirect> {
    if let Ruling::Redirect(redirect) = ruling { Some(redirect) } else { None }
}

fn on_asset(
    act: &mut Act<'_>,
    id: &AssetId,
    first: Option<&Ruling>,
    (ruling, appealable): (&Ruling, Option<u64>),
) -> Result<(), Refusal> {
    let mut asset = asset::named(act, id)?;
    if first == Some(&Ruling::VoidAsset) {
        (asset.void, asset.void_until_ms) = (false, 0);
    }
    if *ruling == Ruling::VoidAsset {
        if asset.void {
            // One declaration voids an asset, so that undoing a ruling undoes no other.
            let text = format!("asset {}/{} is void already", asset.author, asset.name);
            return reject(Code::VoidAsset, text);
        }
        (asset.void, asset.void_until_ms) = (true, appealable.unwrap_or(0));
    } else {
        // What comes out later is not cleared before.
        asset.cleared |= match asset::uncontested(act, &asset) {
            Ok(()) => false,
            Err(Refusal::Reject(_)) => true,
            Err(fault) => return Err(fault),
        };
    }
    Ok(act.state.put(&Key::Asset(*id), &asset)?)
}

fn on_grant(
    act: &mut Act<'_>,
    id: &GrantId,
    was: Option<GrantStatus>,
    (ruling, appealable): (&Ruling, Option<u64>),
) -> Result<Option<GrantStatus>, Refusal> {
    let mut grant = grant::named(act, id)?;
    if let Some(was) = was {
        grant.status = was;
    }
    let mut voided = None;
    if *ruling == Ruling::VoidGrant {
        if grant.status == GrantStatus::Voided {
            return reject(Code::GrantClosed, "the grant is void already");
        }
        voided = Some(grant.status);
        grant.status = GrantStatus::Voided;
    } else {
        grant.cleared |= member::compromised(act.state, &grant.signer, grant.time_ms)?;
    }
    if voided.is_some() || was.is_some() {
        grant::ruled(act, id, &grant, appealable.unwrap_or(0))?;
    } else {
        act.state.put(&Key::Grant(*id), &grant)?;
    }
    Ok(voided)
}

fn on_payment(
    act: &mut Act<'_>,
    id: &PaymentId,
    dispute: &DisputeId,
    ruling: &Ruling,
) -> Result<(), Refusal> {
    if let Ruling::Refund(RefundOrder { net, fee, tax }) = *ruling {
        return payment::order_refund(act, id, dispute, Amounts { net, fee, tax });
    }
    payment::withdraw_order(act, id, dispute)
}

fn on_payout(
    act: &mut Act<'_>,
    id: &PayoutId,
    first: Option<&Ruling>,
    (ruling, appealable): (&Ruling, Option<u64>),
) -> Result<(), Refusal> {
    let status = payout::named(act, id)?.status;
    let reversed = status == PayoutStatus::Reversed;
    if *ruling == Ruling::ReversePayout {
        if reversed {
            // One ruling reverses a payout, so that undoing it undoes no other.
            return reject(Code::PayoutContested, "the payout is reversed already");
        }
        return payout::reverse(act, id, appealable);
    }
    if status == PayoutStatus::Contested || first == Some(&Ruling::ReversePayout) {
        return payout::unreverse(act, id);
    }
    Ok(())
}

fn on_contract(
    act: &mut Act<'_>,
    id: &ContractId,
    first: Option<&Ruling>,
    (ruling, appealable): (&Ruling, Option<u64>),
) -> Result<(), Refusal> {
    if first == Some(&Ruling::EndContract) {
        contract::reinstate(act, id)?;
    }
    if *ruling == Ruling::EndContract {
        return contract::end_by_ruling(act, id, appealable);
    }
    Ok(())
}

/// A ruling on appeal equals the first: what that did stands for good.
fn affirm(act: &mut Act<'_>, subject: &Subject, ruling: &Ruling) -> Result<Effect, Refusal> {
    keep(act, subject, ruling, None)?;
    Ok(Effect::default())
}

/// What a first ruling took is kept for whoever loses by it until a block time, or no longer: the
/// place of a contract's licence or of a grant, and what a payout makes payable.
pub(super) fn keep(
    act: &mut Act<'_>,
    subject: &Subject,
    first: &Ruling,
    until_ms: Option<u64>,
) -> Result<(), Refusal> {
    match (subject, until_ms) {
        (Subject::Contract(id), Some(_)) if *first == Ruling::EndContract => {
            contract::end_appealed(act, id)
        }
        (Subject::Contract(id), None) if *first == Ruling::EndContract => {
            contract::end_affirmed(act, id)
        }
        (Subject::Asset(id), _) if *first == Ruling::VoidAsset => {
            let asset = asset::named(act, id)?;
            let void_until_ms = until_ms.unwrap_or(0);
            Ok(act.state.put(&Key::Asset(*id), &AssetRecord { void_until_ms, ..asset })?)
        }
        (Subject::Grant(id), _) if *first == Ruling::VoidGrant => {
            let grant = grant::named(act, id)?;
            grant::ruled(act, id, &grant, until_ms.unwrap_or(0))
        }
        (Subject::Payout(id), _) if *first == Ruling::ReversePayout => {
            payout::hold_reversed(act, id, until_ms)
        }
        (
            Subject::Asset(_)
            | Subject::Grant(_)
            | Subject::Share(_)
            | Subject::Payment(_)
            | Subject::Payout(_)
            | Subject::Contract(_),
            _,
        ) => Ok(()),
    }
}
