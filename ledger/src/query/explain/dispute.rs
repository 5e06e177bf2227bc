//! The life of a dispute, and of a registration.

use super::{Case, Reason};
use crate::account::Amounts;
use crate::event::dispute::{Ruling, Subject};
use crate::hash::{DisputeId, EventId};
use crate::query::inbox::subject_in_words;
use crate::query::{ListEntry, Lists, QueryError};
use crate::reject::Fault;
use crate::state::record::{
    DisputeRecord, DisputeStatus, Filed, FiledRecord, Records, RegistrationRecord,
    RegistrationStatus,
};
use crate::state::{Key, Relation, View};
use crate::text::Handle;
use crate::words::{percent, word};

/// What a ruling does, in a few words.
fn ruling_in_words<V: View>(
    view: &V,
    dispute: &DisputeRecord,
    ruling: &Ruling,
) -> Result<String, Fault> {
    Ok(match ruling {
        Ruling::Dismiss => "the dispute is without ground".to_string(),
        Ruling::VoidGrant => "the grant is void".to_string(),
        Ruling::VoidAsset => "the asset is void".to_string(),
        Ruling::Redirect(r) => {
            format!("the share is of {}, with {} adjustments", r.to, r.adjustments.len())
        }
        Ruling::Refund(r) => {
            let amounts = Amounts { net: r.net, fee: r.fee, tax: r.tax };
            let payment = match &dispute.subject {
                Subject::Payment(id) => view.payment(id)?,
                Subject::Asset(_)
                | Subject::Grant(_)
                | Subject::Share(_)
                | Subject::Payout(_)
                | Subject::Contract(_) => None,
            };
            let payment = payment.ok_or_else(|| Fault("a refund of no payment".into()))?;
            let account = view.account(&payment.account)?;
            let account = account.ok_or_else(|| Fault("a payment of no account".into()))?;
            format!("to be given back: {}", amounts.in_words(&account.currency))
        }
        Ruling::ReversePayout => "the payout did not arrive".to_string(),
        Ruling::EndContract => "the contract ends".to_string(),
    })
}

fn status_in_words(status: DisputeStatus) -> &'static str {
    match status {
        DisputeStatus::Open => "open",
        DisputeStatus::Ruled => "ruled; a party may appeal until its time is over",
        DisputeStatus::Appealed => "appealed; what was ruled stands until another arbiter rules",
        DisputeStatus::Final => "final",
    }
}

/// What was put into a dispute's file, by whom.
fn filed<V: View>(
    view: &V,
    dispute: &DisputeRecord,
    record: &FiledRecord,
) -> Result<Reason, Fault> {
    let by = &record.by;
    Ok(match record.filed {
        Filed::Evidence(evidence) => {
            Reason::new("LED-DSP-3", format!("{by} filed evidence")).with("evidence", evidence)
        }
        Filed::Freeze(until_ms) => {
            let text = format!("{by} froze the disputed share");
            Reason::new("LED-DSP-2", text).with("until_ms", until_ms)
        }
        Filed::Ruling(place) => {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            let ruling = dispute.rulings.get(place);
            let ruling = ruling.ok_or_else(|| Fault("a ruling filed is not recorded".into()))?;
            let text = format!("{by} ruled: {}", ruling_in_words(view, dispute, &ruling.ruling)?);
            Reason::new("LED-DSP-4", text).with("reasons", ruling.reasons)
        }
        Filed::Appeal(grounds) => {
            Reason::new("LED-DSP-5", format!("{by} appealed")).with("grounds", grounds)
        }
    })
}

impl<V: Lists> Case<'_, V> {
    pub(super) fn dispute_in_brief(&mut self, entry: &ListEntry) -> Result<(), QueryError> {
        let id = DisputeId::from_digest(entry.id);
        let record: Option<DisputeRecord> = self.view.get(&Key::Dispute(id))?;
        let record = record.ok_or_else(|| Fault(format!("dispute {id} is not recorded")))?;
        let text = format!(
            "{} disputes {}: {}",
            record.opener,
            subject_in_words(self.view, &record.subject)?,
            status_in_words(record.standing(self.time_ms))
        );
        self.say(Reason::new("LED-DSP-1", text).with("dispute", id).with("height", entry.height));
        Ok(())
    }

    pub(super) fn dispute(
        &mut self,
        id: &DisputeId,
        dispute: &DisputeRecord,
    ) -> Result<(), QueryError> {
        let ground = word(&dispute.ground);
        let about = subject_in_words(self.view, &dispute.subject)?;
        let text = format!("{} disputes {about} for {ground}", dispute.opener);
        let respondents: Vec<&str> = dispute.respondents.iter().map(Handle::as_str).collect();
        self.say(
            Reason::new("LED-DSP-1", text)
                .with("respondents", respondents.join(", "))
                .with("height", dispute.height)
                .with("time_ms", dispute.time_ms),
        );
        if let Subject::Share(slice) = &dispute.subject {
            for hold in self.holds(&slice.asset, slice.right)? {
                if hold.dispute == *id {
                    let live = self.time_ms <= hold.until_ms;
                    let (part, are) = (percent(hold.parts), if live { "are" } else { "were" });
                    let text = format!("{part} of the right, of {}, {are} held", hold.owner);
                    self.held(text, &hold);
                }
            }
        }
        if dispute.is_mark() {
            let text = "it is a mark: nothing is held for it unless a regulator orders a freeze";
            self.say(Reason::new("LED-DSP-1", text));
        }
        let events = self.view.entries(&Relation::DisputeEvents(*id))?;
        let keys: Vec<Key> =
            events.iter().map(|e| Key::Filed(EventId::from_digest(e.id))).collect();
        self.view.prefetch(&keys)?;
        for (entry, key) in events.iter().zip(&keys) {
            let record: Option<FiledRecord> = self.view.get(key)?;
            let record = record.ok_or_else(|| Fault(format!("{} is not filed", entry.id)))?;
            let reason = filed(self.view, dispute, &record)?.with("event", entry.id);
            self.say(reason.with("height", entry.height).with("time_ms", record.time_ms));
        }
        let standing = dispute.standing(self.time_ms);
        self.say(Reason::new("LED-DSP-4", status_in_words(standing)));
        Ok(())
    }

    pub(super) fn registration(&mut self, r: &RegistrationRecord) -> Result<(), QueryError> {
        let text = format!("{} filed for registration with {}", r.applicant, r.registry);
        self.say(
            Reason::new("LED-REG-1", text)
                .with("notice_until_ms", r.notice_until_ms)
                .with("height", r.height),
        );
        if !r.objections.is_empty() {
            let names: Vec<&str> = r.objections.iter().map(Handle::as_str).collect();
            let text = format!("{} objected", names.join(", "));
            self.say(Reason::new("LED-REG-1", text));
        }
        if r.changes > 0 {
            let text = format!("what it states was replaced {} times", r.changes);
            self.say(Reason::new("LED-REG-3", text));
        }
        let void = self.view.asset(&r.asset)?.is_some_and(|asset| asset.void);
        let (rule, text) = match r.status {
            RegistrationStatus::Notice if self.time_ms <= r.notice_until_ms => {
                ("LED-REG-1", "in public notice")
            }
            RegistrationStatus::Notice => ("LED-REG-2", "waits for the registry's decision"),
            RegistrationStatus::Registered if void => {
                ("LED-REG-2", "was registered; the asset is void")
            }
            RegistrationStatus::Registered if self.time_ms <= r.not_after_ms => {
                ("LED-REG-2", "registered")
            }
            RegistrationStatus::Registered => ("LED-REG-4", "was registered; it has expired"),
            RegistrationStatus::Rejected => ("LED-REG-2", "rejected"),
            RegistrationStatus::Cancelled => ("LED-REG-5", "cancelled"),
        };
        self.say(Reason::new(rule, text).with("not_after_ms", r.not_after_ms));
        Ok(())
    }
}
