//! The rules for disputes: opening, freezes, evidence and appeals. Implements [LED-DSP-1] to
//! [LED-DSP-3] and [LED-DSP-5].

mod redirect;
mod ruling;
mod waiting;

use std::collections::BTreeSet;

use crate::asset;
use crate::contest::{self, Change};
use crate::event::dispute::{Ground, Slice, Subject};
use crate::event::member::Role;
use crate::event::{AppealRuling, FileEvidence, OpenDispute, OrderFreeze};
use crate::execute::Act;
use crate::hash::{AssetId, ContractId, DisputeId, PayoutId};
use crate::payout::EPOCH_WEIGHT;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::split::Right;
use crate::state::record::{
    DisputeRecord, DisputeStatus, Filed, FiledRecord, Hold, HoldKind, PayoutRecord, Records,
};
use crate::state::{Key, Relation, View};
use crate::text::Handle;
use crate::{approval, contract, grant, hold, payment, payout, review};

use crate::words::moment;
use ruling::redirect_of;

pub(crate) use ruling::rule;

fn reject<T>(code: Code, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Reject::new(code, text).into())
}

fn named(act: &Act<'_>, id: &DisputeId) -> Result<DisputeRecord, Refusal> {
    Ok(act.state.get(&Key::Dispute(*id))?.ok_or_else(|| {
        let text = format!("dispute {id} is not recorded");
        Reject::missing(Code::UnknownDispute, Missing::Dispute(*id), text)
    })?)
}

/// `open_dispute`.
pub(crate) fn open(act: &mut Act<'_>, e: &OpenDispute) -> Result<(), Refusal> {
    open_about(act, e.subject.clone(), e.ground)
}

/// Opens a dispute about a payout that did not arrive, for its payee. Its id is the event's.
pub(crate) fn open_about_payout(act: &mut Act<'_>, payout: &PayoutId) -> Result<(), Refusal> {
    open_about(act, Subject::Payout(*payout), Ground::Performance)
}

/// Opens a dispute. Implements [LED-DSP-1].
fn open_about(act: &mut Act<'_>, subject: Subject, ground: Ground) -> Result<(), Refusal> {
    let id = DisputeId::from_digest(*act.event.digest());
    let parties = parties_of(act, &subject)?;
    if act.member.suspended && !parties.contains(act.author) {
        let text = format!("{} is suspended, and this does not concern it", act.author);
        return reject(Code::AuthorSuspended, text);
    }
    mark(act, &subject, (&id, Change::Opened))?;
    let held = match &subject {
        Subject::Share(slice) => hold_once(act, slice, id)?,
        Subject::Asset(_)
        | Subject::Grant(_)
        | Subject::Payment(_)
        | Subject::Payout(_)
        | Subject::Contract(_) => false,
    };
    let mut respondents = Vec::new();
    for party in parties {
        if party != *act.author {
            act.append(Relation::MemberDisputes(party.clone()), id.digest())?;
            respondents.push(party);
        }
    }
    act.append(Relation::MemberDisputes(act.author.clone()), id.digest())?;
    if let Some(asset) = asset_of(act, &subject)? {
        act.append(Relation::AssetDisputes(asset), id.digest())?;
    }
    let record = DisputeRecord {
        subject,
        ground,
        opener: act.author.clone(),
        respondents,
        status: DisputeStatus::Open,
        held,
        rulings: Vec::new(),
        appellant: None,
        height: act.context.height,
        time_ms: act.context.time_ms,
    };
    act.state.put(&Key::Dispute(id), &record)?;
    waiting::begin(act, id)?;
    act.effects.created.push(Missing::Dispute(id));
    Ok(())
}

/// Whom a subject concerns, as they act now. Fails when it is not recorded, when a share is more
/// than its owner has, or when the author may not dispute it.
fn parties_of(act: &mut Act<'_>, subject: &Subject) -> Result<BTreeSet<Handle>, Refusal> {
    let (concerned, closed) = match subject {
        Subject::Asset(id) => (vec![asset::named(act, id)?.author], false),
        Subject::Grant(id) => {
            let grant = grant::named(act, id)?;
            (vec![grant.grantor, grant.grantee], false)
        }
        Subject::Share(slice) => {
            check_slice(act, slice)?;
            (vec![slice.owner.clone()], false)
        }
        Subject::Payment(id) => {
            let payment = payment::named(act, id)?.0;
            (parties_of_contract(act, &payment.contract)?, true)
        }
        Subject::Payout(id) => {
            let payout = payout::named(act, id)?;
            let account = act.state.account(&payout.account)?;
            let account = account.ok_or_else(|| Fault("a payout has no account".into()))?;
            (vec![account.exchange, payout.payee], true)
        }
        Subject::Contract(id) => (parties_of_contract(act, id)?, true),
    };
    let mut parties = BTreeSet::new();
    for party in concerned {
        parties.insert(act.acting(&party)?);
    }
    if closed && !parties.contains(act.author) && !act.member.has_role(Role::Regulator) {
        let text = format!("{} is neither a party to it nor a regulator", act.author);
        return reject(Code::NotDisputeParty, text);
    }
    Ok(parties)
}

fn parties_of_contract(act: &Act<'_>, id: &ContractId) -> Result<Vec<Handle>, Refusal> {
    let contract = contract::named(act, id)?;
    Ok(vec![contract.seller, contract.buyer, contract.exchange])
}

/// The owner has the parts of a slice, or has had them: in an epoch, or by a ruling.
fn check_slice(act: &mut Act<'_>, slice: &Slice) -> Result<(), Refusal> {
    let asset = asset::named(act, &slice.asset)?;
    let right = act.state.right(&slice.asset, &asset, slice.right)?;
    let epoch = act.state.epoch(&slice.asset, &asset, slice.right, right.epoch)?;
    let owned = epoch.owners.iter().find(|o| o.member == slice.owner).map_or(0, |o| o.parts);
    if (1..=owned).contains(&slice.parts) {
        return Ok(());
    }
    let awarded = Key::AwardedTo(slice.asset, slice.right, slice.owner.clone());
    let awarded: u16 = act.state.get(&awarded)?.unwrap_or(0);
    act.weigh(EPOCH_WEIGHT.saturating_mul(u64::from(right.epoch).saturating_add(1)))?;
    let epochs = payout::epochs(act.state, &slice.asset, slice.right)?;
    let owners = epochs.iter().flat_map(|epoch| &epoch.owners);
    let parts = owners.filter(|(owner, _)| *owner == slice.owner).map(|(_, parts)| *parts);
    let most = parts.max().unwrap_or(0).max(awarded);
    if (1..=most).contains(&slice.parts) {
        return Ok(());
    }
    let text = format!("{} parts, {} has had {most} at the most", slice.parts, slice.owner);
    reject(Code::SubjectInvalid, text)
}

/// The asset that a dispute is about, directly or by its rights and grants.
fn asset_of(act: &Act<'_>, subject: &Subject) -> Result<Option<AssetId>, Refusal> {
    Ok(match subject {
        Subject::Asset(id) => Some(*id),
        Subject::Grant(id) => Some(grant::named(act, id)?.asset),
        Subject::Share(slice) => Some(slice.asset),
        Subject::Payment(_) | Subject::Payout(_) | Subject::Contract(_) => None,
    })
}

/// Holds a slice for the cooling period; each member once, and as long as there is room. Gives
/// whether it is held: a dispute that finds it otherwise is a mark, which waits for a regulator.
fn hold_once(act: &mut Act<'_>, slice: &Slice, id: DisputeId) -> Result<bool, Refusal> {
    let opener = act.author.clone();
    let key = Key::HeldOnce(slice.asset, slice.right, slice.owner.clone(), opener);
    if act.state.value(&key)?.is_some() {
        return Ok(false);
    }
    let until_ms = act.context.time_ms.saturating_add(act.rulebook.cooling_ms);
    let (owner, parts, kind) = (slice.owner.clone(), slice.parts, HoldKind::Cooling);
    let hold = Hold { dispute: id, owner, parts, kind, until_ms, appealed_until_ms: until_ms };
    let is_held = hold::try_place(act, (&slice.asset, slice.right), hold)?;
    if is_held {
        act.state.put(&key, &id)?;
    }
    Ok(is_held)
}

/// Notes what becomes of a dispute where its subject is. Implements [LED-DSP-9].
fn mark(act: &mut Act<'_>, subject: &Subject, of: (&DisputeId, Change)) -> Result<(), Refusal> {
    let (dispute, change) = of;
    match subject {
        Subject::Asset(id) => {
            let mut asset = asset::named(act, id)?;
            asset.disputes = change.counted(asset.disputes)?;
            Ok(act.state.put(&Key::Asset(*id), &asset)?)
        }
        Subject::Grant(id) => {
            let mut grant = grant::named(act, id)?;
            grant.disputes = change.counted(grant.disputes)?;
            Ok(act.state.put(&Key::Grant(*id), &grant)?)
        }
        Subject::Share(slice) => Ok(contest::of_share(act, (&slice.asset, slice.right), of)?),
        Subject::Payment(id) => {
            let (mut payment, _) = payment::named(act, id)?;
            payment.contest = payment.contest.after(dispute, change, act.context.time_ms)?;
            act.state.put(&Key::Payment(*id), &payment)?;
            contract::mark_disputed(act, &payment.contract, of)?;
            Ok(contest::of_account(act, &payment.account, of)?)
        }
        Subject::Payout(id) => {
            let account = payout::named(act, id)?.account;
            Ok(contest::of_account(act, &account, of)?)
        }
        Subject::Contract(id) => {
            contract::mark_disputed(act, id, of)?;
            match payment::account_of(&contract::named(act, id)?)? {
                Some(account) => Ok(contest::of_account(act, &account, of)?),
                None => Ok(()),
            }
        }
    }
}

/// Fails unless the dispute waits for a ruling.
fn require_waiting(dispute: &DisputeRecord) -> Result<(), Refusal> {
    match dispute.status {
        DisputeStatus::Open | DisputeStatus::Appealed => Ok(()),
        DisputeStatus::Ruled | DisputeStatus::Final => {
            reject(Code::DisputeClosed, "the dispute is decided")
        }
    }
}

/// Fails unless the author belongs with none of those whom the dispute concerns.
/// Implements [LED-DSP-2].
fn require_independent(act: &mut Act<'_>, dispute: &DisputeRecord) -> Result<(), Refusal> {
    let concerned = concerned(act.state, dispute)?;
    act.weigh((concerned.len() as u64).saturating_mul(review::RELATED_WEIGHT))?;
    for member in concerned {
        if act.related(act.author, &member)? {
            let text = format!("{} is, or belongs with, {member}, whom it concerns", act.author);
            return reject(Code::ArbiterIsParty, text);
        }
    }
    Ok(())
}

/// Whom a dispute concerns: its parties, and who owns a right over the asset it is about, or over
/// the product sold. Implements [LED-DSP-2].
pub(crate) fn concerned<V: View>(
    view: &V,
    dispute: &DisputeRecord,
) -> Result<BTreeSet<Handle>, Fault> {
    let gone = || Fault("a dispute is about nothing that is recorded".into());
    let of_account = |id| Ok::<_, Fault>(view.account(id)?.ok_or_else(gone)?.product);
    let id = match &dispute.subject {
        Subject::Asset(id) => *id,
        Subject::Grant(id) => view.grant(id)?.ok_or_else(gone)?.asset,
        Subject::Share(slice) => slice.asset,
        Subject::Payment(id) => of_account(&view.payment(id)?.ok_or_else(gone)?.account)?,
        Subject::Payout(id) => {
            let payout: PayoutRecord = view.get(&Key::Payout(*id))?.ok_or_else(gone)?;
            of_account(&payout.account)?
        }
        Subject::Contract(id) => view.contract(id)?.ok_or_else(gone)?.asset,
    };
    let asset = view.asset(&id)?.ok_or_else(gone)?;
    let mut all = review::owners(view, (&id, &asset))?;
    all.extend(dispute.respondents.iter().chain([&dispute.opener]).cloned());
    Ok(all)
}

/// Whether who acts for a member acts for the opener or a respondent too.
fn is_party(act: &Act<'_>, dispute: &DisputeRecord, member: &Handle) -> Result<bool, Refusal> {
    for party in dispute.respondents.iter().chain([&dispute.opener]) {
        if act.same(party, member)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a member is heard: as a party, or as an owner of the disputed asset, or of the right of
/// the disputed grant, who can lose by it too.
fn is_heard(act: &mut Act<'_>, dispute: &DisputeRecord, member: &Handle) -> Result<bool, Refusal> {
    if is_party(act, dispute, member)? {
        return Ok(true);
    }
    let (id, rights) = match &dispute.subject {
        Subject::Asset(id) => (*id, Right::ALL.to_vec()),
        Subject::Grant(id) => {
            let grant = grant::named(act, id)?;
            (grant.asset, vec![grant.right.into()])
        }
        Subject::Share(_) | Subject::Payment(_) | Subject::Payout(_) | Subject::Contract(_) => {
            return Ok(false);
        }
    };
    let asset = asset::named(act, &id)?;
    for right in rights {
        for owner in approval::owners(act, &id, &asset, right)? {
            if act.same(&owner.member, member)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The event is part of the dispute's file. Implements [LED-DSP-3].
fn file(act: &mut Act<'_>, dispute: DisputeId, filed: Filed) -> Result<(), Fault> {
    let (by, time_ms) = (act.author.clone(), act.context.time_ms);
    act.state.put(&Key::Filed(act.event), &FiledRecord { dispute, filed, by, time_ms })?;
    let event = *act.event.digest();
    act.append(Relation::DisputeEvents(dispute), &event)
}

/// `order_freeze`. Implements [LED-DSP-2].
pub(crate) fn freeze(act: &mut Act<'_>, e: &OrderFreeze) -> Result<(), Refusal> {
    act.require_role(Role::Regulator)?;
    let dispute = named(act, &e.dispute)?;
    require_waiting(&dispute)?;
    require_independent(act, &dispute)?;
    let now = act.context.time_ms;
    let latest = now.saturating_add(act.rulebook.max_freeze_ms);
    let Subject::Share(slice) = &dispute.subject else {
        return reject(Code::FreezeOutOfRange, "the dispute is not about a share");
    };
    if e.until_ms <= now || e.until_ms > latest {
        let [until, now, latest] = [e.until_ms, now, latest].map(moment);
        let text = format!("a freeze until {until}, now is {now}, at most {latest}");
        return reject(Code::FreezeOutOfRange, text);
    }
    // What a first ruling gave away is held where it is until the appeal is decided.
    if dispute.rulings.first().is_none_or(|first| redirect_of(&first.ruling).is_none()) {
        let (owner, parts, kind) = (slice.owner.clone(), slice.parts, HoldKind::Frozen);
        let (until_ms, appealed_until_ms) = (e.until_ms, e.until_ms);
        let hold = Hold { dispute: e.dispute, owner, parts, kind, until_ms, appealed_until_ms };
        hold::place(act, (&slice.asset, slice.right), hold)?;
        act.state
            .put(&Key::Dispute(e.dispute), &DisputeRecord { held: true, ..dispute.clone() })?;
    }
    Ok(file(act, e.dispute, Filed::Freeze(e.until_ms))?)
}

/// `file_evidence`. Implements [LED-DSP-3].
pub(crate) fn evidence(act: &mut Act<'_>, e: &FileEvidence) -> Result<(), Refusal> {
    let dispute = named(act, &e.dispute)?;
    if !act.member.has_role(Role::Regulator) && !is_heard(act, &dispute, act.author)? {
        let text = format!("{} is neither a party, an owner, nor a regulator", act.author);
        return reject(Code::NotDisputeParty, text);
    }
    require_waiting(&dispute)?;
    Ok(file(act, e.dispute, Filed::Evidence(e.evidence))?)
}

/// `appeal_ruling`. Implements [LED-DSP-5].
pub(crate) fn appeal(act: &mut Act<'_>, e: &AppealRuling) -> Result<(), Refusal> {
    let mut dispute = named(act, &e.dispute)?;
    if !is_heard(act, &dispute, act.author)? {
        let text = format!("{} is no party to the dispute, nor an owner", act.author);
        return reject(Code::NotDisputeParty, text);
    }
    match dispute.status {
        DisputeStatus::Ruled => {}
        DisputeStatus::Open => return reject(Code::NotRuled, "the dispute waits for its ruling"),
        DisputeStatus::Appealed | DisputeStatus::Final => {
            return reject(Code::AlreadyAppealed, "the dispute was appealed already");
        }
    }
    let latest = dispute.rulings.first().map(|r| r.appeal_until_ms);
    let latest = latest.ok_or_else(|| Fault("a ruled dispute has no ruling".into()))?;
    if act.context.time_ms > latest {
        return reject(
            Code::AppealTooLate,
            format!("it could be appealed until {}", moment(latest)),
        );
    }
    dispute.status = DisputeStatus::Appealed;
    dispute.appellant = Some(act.author.clone());
    mark(act, &dispute.subject, (&e.dispute, Change::Appealed))?;
    if let Some(first) = dispute.rulings.first() {
        ruling::keep(act, &dispute.subject, &first.ruling, Some(u64::MAX))?;
    }
    if let Subject::Share(slice) = &dispute.subject {
        hold::appealed(act, slice, &e.dispute)?;
    }
    act.state.put(&Key::Dispute(e.dispute), &dispute)?;
    waiting::begin(act, e.dispute)?;
    Ok(file(act, e.dispute, Filed::Appeal(e.grounds))?)
}
