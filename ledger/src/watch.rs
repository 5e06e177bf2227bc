//! Conditions that follow an asset downstream: a grant whose revocation suspends, and consent that
//! patients can withdraw. Each asset lists those of its whole ancestry, so that one read tells
//! whether it may still be used.
//!
//! Implements [LED-WTC-1] and [LED-WTC-2].

use std::collections::BTreeSet;

use crate::event::asset::Deidentification;
use crate::event::rights::{Revocation, Terms};
use crate::execute::Act;
use crate::hash::{AssetId, GrantId};
use crate::limits::{MAX_INHERITED, MAX_WATCHES};
use crate::reject::{Code, Fault, Refusal, Reject};
use crate::state::record::{
    AssetRecord, AttestationRecord, GrantRecord, Records, Signed, Watch, WithdrawalRecord,
};
use crate::state::{Key, View};
use crate::{asset, grant, member, version};

/// Weight of looking whether one condition has come true.
const WATCH_WEIGHT: u64 = 2;

/// The conditions that an asset lists, in order.
pub(crate) fn listed<V: View>(view: &V, id: &AssetId) -> Result<Vec<Watch>, Fault> {
    Ok(view.get(&Key::Watches(*id))?.unwrap_or_default())
}

/// Whether a de-identification of the asset was attested, with a key that is not said to have been
/// in other hands: consent concerns it no more.
pub(crate) fn attested<V: View>(view: &V, id: &AssetId) -> Result<bool, Fault> {
    let found: Option<AttestationRecord> = view.get(&Key::Attestation(*id))?;
    let Some(Signed { key, time_ms }) = found.map(|attestation| attestation.signed) else {
        return Ok(false);
    };
    Ok(!member::compromised(view, &key, time_ms)?)
}

/// Whether data so declared are about nobody who can be singled out.
pub(crate) fn is_anonymous(declared: Deidentification) -> bool {
    match declared {
        Deidentification::Anonymised | Deidentification::Aggregated => true,
        Deidentification::None | Deidentification::Pseudonymised => false,
    }
}

/// Gathers, input by input, what a new asset watches. Implements [LED-WTC-1].
pub(crate) struct Gathered {
    /// Of the new asset, as its author declares it.
    deidentification: Deidentification,
    /// From the inputs' own lists.
    inherited: BTreeSet<Watch>,
    /// From the inputs themselves and the grants they are used under.
    own: BTreeSet<Watch>,
    /// Entries that the inputs brought so far.
    read: usize,
}

impl Gathered {
    /// What an asset of such a de-identification is to watch: nothing so far.
    pub fn new(deidentification: Deidentification) -> Self {
        let (inherited, own) = (BTreeSet::new(), BTreeSet::new());
        Gathered { deidentification, inherited, own, read: 0 }
    }

    /// One input, and the grant it is used under.
    pub fn add(
        &mut self,
        act: &Act<'_>,
        (id, asset): (&AssetId, &AssetRecord),
        grant: Option<(&GrantId, &Terms)>,
    ) -> Result<(), Refusal> {
        let inherited = listed(act.state, id)?;
        self.read = self.read.saturating_add(inherited.len());
        if self.read > MAX_INHERITED {
            let text = format!("the inputs bring more than {MAX_INHERITED} conditions");
            return Err(Reject::new(Code::WatchesFull, text).into());
        }
        let consent =
            asset.consent_based || inherited.iter().any(|watch| matches!(watch, Watch::Consent(_)));
        // What is about persons again is about the same patients.
        let attested = consent && is_anonymous(self.deidentification) && attested(act.state, id)?;
        self.inherited.extend(inherited.into_iter().filter(|watch| match watch {
            Watch::Grant(_) => true,
            Watch::Consent(_) => !attested,
        }));
        if asset.consent_based && !attested {
            self.own.insert(Watch::Consent(*id));
        }
        if let Some((grant, terms)) = grant {
            self.add_grant(grant, terms);
        }
        Ok(())
    }

    /// A grant that the new asset is made under, or one above it in a chain of sub-licences.
    pub fn add_grant(&mut self, grant: &GrantId, terms: &Terms) {
        if suspends(terms) {
            self.own.insert(Watch::Grant(*grant));
        }
    }

    /// Entries that the inputs brought.
    pub fn read(&self) -> usize {
        self.read
    }

    /// What the new asset watches, in order; refuses when it is too much or when a condition from
    /// further up has come true. Those of the inputs themselves are the business of their rules.
    pub fn settle(mut self, act: &mut Act<'_>) -> Result<Vec<Watch>, Refusal> {
        let inherited = self.inherited.clone();
        self.inherited.append(&mut self.own);
        let count = self.inherited.len();
        if count > MAX_WATCHES {
            let text = format!("{count} conditions would follow the asset, at most {MAX_WATCHES}");
            return Err(Reject::new(Code::WatchesFull, text).into());
        }
        for watch in &inherited {
            let mut weight = 0;
            let found = check(act.state, act.context.time_ms, watch, &mut weight);
            act.weigh(weight)?;
            found?;
        }
        Ok(self.inherited.into_iter().collect())
    }
}

/// Whether revoking a grant suspends what was made under it.
pub(crate) fn suspends(terms: &Terms) -> bool {
    match terms.revocation {
        Revocation::SuspendDownstream => true,
        Revocation::Prospective | Revocation::Sunset(_) => false,
    }
}

/// Whether a revocation that suspends was signed with a key that is said to have been in other hands:
/// it suspends nothing, and can be made again.
pub(crate) fn has_fallen<V: View>(view: &V, grant: &GrantRecord) -> Result<bool, Fault> {
    let Some((key, time_ms)) = grant.revoked_by.zip(grant.revoked_ms) else { return Ok(false) };
    Ok(suspends(&grant.terms) && member::compromised(view, &key, time_ms)?)
}

/// Fails when a condition that the asset watches has come true; adds what it weighs. Implements
/// [LED-WTC-2].
pub(crate) fn check_asset<V: View>(
    view: &V,
    time_ms: u64,
    id: &AssetId,
    weight: &mut u64,
) -> Result<(), Refusal> {
    let watches = listed(view, id)?;
    if watches.is_empty() {
        return Ok(());
    }
    let attested = attested(view, id)?;
    for watch in &watches {
        match watch {
            Watch::Consent(_) if attested => {}
            Watch::Grant(_) | Watch::Consent(_) => check(view, time_ms, watch, weight)?,
        }
    }
    Ok(())
}

/// Whether a condition has come true at a block time; adds what it weighs.
pub(crate) fn has_come_true<V: View>(
    view: &V,
    watch: &Watch,
    now_ms: u64,
    weight: &mut u64,
) -> Result<bool, Fault> {
    *weight = weight.saturating_add(WATCH_WEIGHT);
    match watch {
        Watch::Grant(grant) => {
            let record = view.grant(grant)?;
            let record =
                record.ok_or_else(|| Fault(format!("watched grant {grant} is missing")))?;
            Ok(record.revoked_ms.is_some()
                && suspends(&record.terms)
                && !has_fallen(view, &record)?)
        }
        Watch::Consent(asset) => {
            let withdrawn: Option<WithdrawalRecord> = view.get(&Key::Withdrawal(*asset))?;
            let Some(withdrawn) = withdrawn.filter(|w| w.deadline_ms < now_ms) else {
                return Ok(false);
            };
            Ok(replacement(view, &withdrawn, weight)?.is_none())
        }
    }
}

/// The version that replaces one from which consent was withdrawn: the first of the line that was
/// registered after the withdrawal and is not void, when it was registered by the deadline.
/// Implements [LED-CNS-1].
pub(crate) fn replacement<V: View>(
    view: &V,
    withdrawn: &WithdrawalRecord,
    weight: &mut u64,
) -> Result<Option<AssetId>, Fault> {
    let next = version::next(view, &withdrawn.last, weight)?;
    Ok(next.filter(|(_, next)| next.time_ms <= withdrawn.deadline_ms).map(|(id, _)| id))
}

fn check<V: View>(view: &V, time_ms: u64, watch: &Watch, weight: &mut u64) -> Result<(), Refusal> {
    if !has_come_true(view, watch, time_ms, weight)? {
        return Ok(());
    }
    let (code, text) = match watch {
        Watch::Grant(grant) => {
            let text = format!(
                "{} was revoked upstream, which suspends what is below",
                grant::called(view, grant)?
            );
            (Code::SuspendedUpstream, text)
        }
        Watch::Consent(asset) => {
            let asset = asset::called(view, asset)?;
            let text =
                format!("consent was withdrawn from {asset}, which no version replaced in time");
            (Code::ConsentWithdrawn, text)
        }
    };
    Err(Reject::new(code, text).into())
}
