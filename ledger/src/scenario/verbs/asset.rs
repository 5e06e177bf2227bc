//! Acts about assets: registration, consent, the register, access.

use super::Shape;
use crate::event::asset::{Activity, ChangeKind, Content, Derivation, Metadata, RegisterAsset};
use crate::event::market::Decision;
use crate::event::{
    AttestDeidentification, CancelRegistration, ChangeRegistration, DecideAccess,
    DecideRegistration, FileRegistration, ObjectRegistration, RecordUsage, RenewRegistration,
    RequestAccess, VoidAsset, WithdrawConsent,
};
use crate::hash::{AccessId, RegistrationId};
use crate::limits::{MAX_CHOICES, MAX_INPUTS};
use crate::scenario::derive::{content_of, label};
use crate::scenario::form::{Form, Wrong, parse};
use crate::scenario::kind::choice::{
    ClassWord, DeidentificationWord, PurposeWord, StageWord, WorkWord,
};
use crate::scenario::kind::compound::{Cost, Input};
use crate::scenario::kind::number::{Count, Count8, Count32, Scores, Shares};
use crate::scenario::kind::reference::{Asset, ContentRoot, Hash, Member, Ref};
use crate::scenario::kind::time::{Period, Span, Time};
use crate::scenario::kind::{Flag, Given, Many, Maybe, Name, Word};

/// Purposes unless stated.
pub(super) const PURPOSES: &str = "health-research, commercial";

/// The split of an asset unless stated.
const SPLITS: &str = "100/0/0/0 without inputs, 0/20/20/60 with inputs";

pub(super) fn register_asset(
    f: &mut Form<'_>,
    e: Option<&RegisterAsset>,
) -> Result<RegisterAsset, Wrong> {
    let stage = f.first::<StageWord>("the stage", e.map(|e| &e.stage))?;
    let name = f.first::<Name>("the name", e.map(|e| &e.name))?;
    let text = content_of(&f.context().author, name.as_str());
    let old = e.map(|e| &e.content);
    let content = Content {
        root: f.clause_or::<ContentRoot>(
            "content",
            old.map(|c| &c.root),
            "a hash made of author and name",
            |_| Ok(label(&text)),
        )?,
        bytes: f.clause::<Count>("bytes", old.map(|c| &c.bytes), "100000")?,
        records: f.clause::<Count>("records", old.map(|c| &c.records), "1000")?,
    };
    let derivation = derivation(f, e)?;
    let shares = if derivation.is_some() { "0/20/20/60" } else { "100/0/0/0" };
    Ok(RegisterAsset {
        split: f.clause_or::<Shares>("split", e.map(|e| &e.split), SPLITS, |c| {
            parse::<Shares>(shares, c)
        })?,
        revises: f.clause::<Maybe<Asset>>("revises", e.map(|e| &e.revises), "none")?,
        consent_based: f.clause::<Flag>("consent-based", e.map(|e| &e.consent_based), "no")?,
        metadata: metadata(f, e.map(|e| &e.metadata))?,
        stage,
        name,
        content,
        derivation,
    })
}

fn derivation(f: &mut Form<'_>, e: Option<&RegisterAsset>) -> Result<Option<Derivation>, Wrong> {
    type Inputs = Given<Many<Input, MAX_INPUTS>>;
    let old = e.map(|e| e.derivation.as_ref());
    let inputs = old.map(|d| d.map(|d| d.inputs.clone()));
    let told = Inputs::ABSENT;
    let inputs = f.clause_or::<Inputs>("from", inputs.as_ref(), told, |_| Ok(None))?;
    let Some(inputs) = inputs else { return Ok(None) };
    let a = old.flatten().map(|d| &d.activity);
    let worked = a.map(|a| (a.claimed_from_ms, a.claimed_to_ms));
    let kind = f.clause::<WorkWord>("by|work", a.map(|a| &a.kind), "cleaning")?;
    let method = f.clause::<Hash>("method", a.map(|a| &a.method), "\"method\"")?;
    let purposes = f.clause::<Many<PurposeWord, MAX_CHOICES>>(
        "for|purposes",
        a.map(|a| &a.purposes),
        PURPOSES,
    )?;
    let territory = f.clause::<Word>("in|territory", a.map(|a| &a.territory), "CN")?;
    let (claimed_from_ms, claimed_to_ms) =
        f.clause::<Period>("worked", worked.as_ref(), "now to now")?;
    let cost = f.clause::<Maybe<Cost>>("cost", a.map(|a| &a.cost), "none")?;
    let activity =
        Activity { kind, method, purposes, territory, claimed_from_ms, claimed_to_ms, cost };
    Ok(Some(Derivation { inputs, activity }))
}

fn metadata(f: &mut Form<'_>, e: Option<&Metadata>) -> Result<Metadata, Wrong> {
    let period = e.map(|e| (e.period_from_ms, e.period_to_ms));
    let (period_from_ms, period_to_ms) =
        f.clause::<Period>("period", period.as_ref(), "2026-01-01 to 2026-06-30")?;
    Ok(Metadata {
        format: f.clause::<Word>("format", e.map(|e| &e.format), "text/csv")?,
        region: f.clause::<Word>("region", e.map(|e| &e.region), "CN")?,
        period_from_ms,
        period_to_ms,
        classification: f.clause::<ClassWord>(
            "class|classification",
            e.map(|e| &e.classification),
            "general",
        )?,
        sensitivity: f.clause::<Count8>("sensitivity", e.map(|e| &e.sensitivity), "2")?,
        deidentification: f.clause::<DeidentificationWord>(
            "deidentification|deidentified",
            e.map(|e| &e.deidentification),
            "anonymised",
        )?,
        quality: f.clause::<Scores>("quality", e.map(|e| &e.quality), "90/90/90/90/90/90")?,
    })
}

pub(super) fn void_asset(f: &mut Form<'_>, e: Option<&VoidAsset>) -> Result<VoidAsset, Wrong> {
    Ok(VoidAsset {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        reason: f.clause::<Hash>("reason", e.map(|e| &e.reason), "\"reason\"")?,
    })
}

pub(super) fn withdraw_consent(
    f: &mut Form<'_>,
    e: Option<&WithdrawConsent>,
) -> Result<WithdrawConsent, Wrong> {
    Ok(WithdrawConsent {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        patients: f.clause::<Count32>("patients", e.map(|e| &e.patients), "1")?,
        commitment: f.clause::<Hash>("commitment", e.map(|e| &e.commitment), "\"patients\"")?,
    })
}

pub(super) fn attest_deidentification(
    f: &mut Form<'_>,
    e: Option<&AttestDeidentification>,
) -> Result<AttestDeidentification, Wrong> {
    Ok(AttestDeidentification {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        report: f.clause::<Hash>("report", e.map(|e| &e.report), "\"report\"")?,
    })
}

pub(super) fn file_registration(
    f: &mut Form<'_>,
    e: Option<&FileRegistration>,
) -> Result<FileRegistration, Wrong> {
    Ok(FileRegistration {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        registry: f.clause::<Member>("with|at", e.map(|e| &e.registry), "")?,
        term_ms: f.clause::<Span>("term", e.map(|e| &e.term_ms), "365d")?,
    })
}

/// The registration an act is about.
fn registration(f: &mut Form<'_>, old: Option<&RegistrationId>) -> Result<RegistrationId, Wrong> {
    f.first::<Ref<RegistrationId>>("the registration", old)
}

pub(super) fn object_registration(
    f: &mut Form<'_>,
    e: Option<&ObjectRegistration>,
) -> Result<ObjectRegistration, Wrong> {
    Ok(ObjectRegistration {
        registration: registration(f, e.map(|e| &e.registration))?,
        grounds: f.clause::<Hash>("grounds", e.map(|e| &e.grounds), "\"grounds\"")?,
    })
}

pub(super) fn decide_registration(
    f: &mut Form<'_>,
    e: Option<&DecideRegistration>,
    decision: Shape<Decision>,
) -> Result<DecideRegistration, Wrong> {
    let registration = registration(f, e.map(|e| &e.registration))?;
    Ok(DecideRegistration { registration, decision: decision.0 })
}

pub(super) fn change_registration(
    f: &mut Form<'_>,
    e: Option<&ChangeRegistration>,
    kind: Shape<ChangeKind>,
) -> Result<ChangeRegistration, Wrong> {
    Ok(ChangeRegistration {
        registration: registration(f, e.map(|e| &e.registration))?,
        kind: kind.0,
        metadata: metadata(f, e.map(|e| &e.metadata))?,
    })
}

pub(super) fn renew_registration(
    f: &mut Form<'_>,
    e: Option<&RenewRegistration>,
) -> Result<RenewRegistration, Wrong> {
    Ok(RenewRegistration {
        registration: registration(f, e.map(|e| &e.registration))?,
        term_ms: f.clause::<Span>("term|by", e.map(|e| &e.term_ms), "365d")?,
    })
}

pub(super) fn cancel_registration(
    f: &mut Form<'_>,
    e: Option<&CancelRegistration>,
) -> Result<CancelRegistration, Wrong> {
    Ok(CancelRegistration {
        registration: registration(f, e.map(|e| &e.registration))?,
        reason: f.clause::<Hash>("reason", e.map(|e| &e.reason), "\"reason\"")?,
    })
}

pub(super) fn request_access(
    f: &mut Form<'_>,
    e: Option<&RequestAccess>,
) -> Result<RequestAccess, Wrong> {
    Ok(RequestAccess {
        asset: f.first::<Asset>("the asset", e.map(|e| &e.asset))?,
        purposes: f.clause::<Many<PurposeWord, MAX_CHOICES>>(
            "for|purposes",
            e.map(|e| &e.purposes),
            "health-research",
        )?,
        environment: f.clause::<Member>("in|environment", e.map(|e| &e.environment), "")?,
        not_after_ms: f.clause::<Time>("until", e.map(|e| &e.not_after_ms), "start+365d")?,
    })
}

pub(super) fn decide_access(
    f: &mut Form<'_>,
    e: Option<&DecideAccess>,
    decision: Shape<Decision>,
) -> Result<DecideAccess, Wrong> {
    let access = f.first::<Ref<AccessId>>("the access", e.map(|e| &e.access))?;
    Ok(DecideAccess { access, decision: decision.0 })
}

pub(super) fn record_usage(
    f: &mut Form<'_>,
    e: Option<&RecordUsage>,
) -> Result<RecordUsage, Wrong> {
    Ok(RecordUsage {
        access: f.first::<Ref<AccessId>>("the access", e.map(|e| &e.access))?,
        job: f.clause::<Hash>("job", e.map(|e| &e.job), "\"job\"")?,
        rows: f.clause::<Count>("rows", e.map(|e| &e.rows), "1000")?,
        output: f.clause::<Maybe<ContentRoot>>("output", e.map(|e| &e.output), "none")?,
    })
}
