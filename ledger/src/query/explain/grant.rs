//! Why a grant is in force, or is not.

use super::{Case, Reason};
use crate::event::rights::{Exclusivity, FloorKind, Revocation, Terms};
use crate::grant::{Standing, lapsed, standing};
use crate::hash::GrantId;
use crate::limits::MAX_CHAIN;
use crate::query::{Lists, QueryError, recorded};
use crate::reject::Fault;
use crate::state::Records;
use crate::state::record::{
    AccessRecord, AccessStatus, GrantRecord, GrantStatus, OfferRecord, RequestRecord, RequestStatus,
};
use crate::words::{percent, span, word};

impl<V: Lists> Case<'_, V> {
    pub(super) fn grant(&mut self, id: &GrantId, grant: &GrantRecord) -> Result<(), QueryError> {
        let right = word(&grant.right);
        let text = format!("{} offered {} the {right} of it", grant.grantor, grant.grantee);
        self.say(
            Reason::new("LED-GRT-1", text)
                .with("height", grant.height)
                .with("signed_ms", grant.time_ms),
        );
        self.terms(&grant.terms);
        let mut blocks = self.standing(grant)?;
        let mut parent = grant.parent;
        for _ in 0..MAX_CHAIN {
            let Some(parent_id) = parent else { break };
            let record = self.view.grant(&parent_id)?;
            let record = record.ok_or_else(|| Fault(format!("grant {parent_id} is gone")))?;
            let text = format!("sub-licenses a grant of {} to {}", record.grantor, record.grantee);
            self.say(Reason::new("LED-GRT-5", text).with("parent", parent_id));
            if self.standing(&record)?.is_some() {
                blocks = blocks.or(Some("a grant above it is not in force"));
            }
            parent = record.parent;
        }
        let blocks = blocks.or(match standing(self.view, grant, self.time_ms)? {
            Standing::Void => Some("its asset is void"),
            Standing::Suspended => Some("its asset serves for nothing new"),
            Standing::EndedAbove => Some("a grant that it rests on is not in force"),
            Standing::Lapsed => Some("its offer has lapsed"),
            Standing::Offered
            | Standing::Declined
            | Standing::Revoked
            | Standing::Surrendered
            | Standing::Voided
            | Standing::Withdrawn
            | Standing::Contested
            | Standing::NotYet
            | Standing::Ending
            | Standing::InForce
            | Standing::Expired => None,
        });
        let text = match blocks {
            None if grant.revoked_ms.is_some() => "in force until its end: it was revoked".into(),
            None => "in force".to_string(),
            Some(why) => format!("not in force: {why}"),
        };
        let reason = Reason::new("LED-LIN-5", text).with("grant", id);
        self.say(reason.with("time_ms", self.time_ms));
        Ok(())
    }

    fn terms(&mut self, terms: &Terms) {
        let purposes: Vec<String> = terms.purposes.iter().map(|p| word(p)).collect();
        let territories: Vec<&str> = terms.territories.iter().map(|t| t.as_str()).collect();
        let exclusivity = match terms.exclusivity {
            Exclusivity::None => "others may be granted the same",
            Exclusivity::Sole => "nobody but the owners may do the same",
            Exclusivity::Exclusive => "nobody else may do the same, the owners included",
        };
        let revocation = match terms.revocation {
            Revocation::Prospective => "a revocation ends it for the future".to_string(),
            Revocation::Sunset(ms) => format!("a revocation ends it {} later", span(ms)),
            Revocation::SuspendDownstream => {
                "a revocation suspends what was derived under it".to_string()
            }
        };
        let text = format!(
            "for {} in {}; {exclusivity}; {revocation}",
            purposes.join(", "),
            territories.join(", ")
        );
        let mut reason = Reason::new("LED-GRT-1", text)
            .with("not_before_ms", terms.not_before_ms)
            .with("not_after_ms", terms.not_after_ms)
            .with("sublicence_depth", terms.sublicence_depth)
            .with("future_versions", terms.future_versions)
            .with("filing_window_ms", terms.filing_window_ms);
        if let Some(most) = terms.max_derivations {
            reason = reason.with("max_derivations", most);
        }
        self.say(reason);
        if terms.floor_bp > 0 {
            let (rule, of) = match terms.floor_kind {
                FloorKind::Absolute => ("LED-FLR-1", "any descendant's sale"),
                FloorKind::Relative => ("LED-FLR-3", "what the asset derived directly earns"),
            };
            let text = format!("{} of {of} must reach the asset", percent(terms.floor_bp));
            self.say(Reason::new(rule, text).with("floor_bp", terms.floor_bp));
        }
    }

    /// Says where a grant stands, and gives why it is not in force, if it is not.
    fn standing(&mut self, grant: &GrantRecord) -> Result<Option<&'static str>, QueryError> {
        let contested = self.signer(&grant.signer, grant.time_ms, grant.cleared)?;
        let (rule, text, block) = match grant.status {
            GrantStatus::Offered if lapsed(self.view, grant)? => {
                let text = "lapsed: who owns the right or acts for it has changed since";
                ("LED-GRT-2", text, Some("its offer has lapsed"))
            }
            GrantStatus::Offered => ("LED-GRT-2", "waits for its grantee", Some("not accepted")),
            GrantStatus::Declined => ("LED-GRT-2", "declined", Some("it was declined")),
            GrantStatus::Accepted if grant.revoked_ms.is_some() => {
                ("LED-GRT-8", "revoked by its grantor, with a sunset", None)
            }
            GrantStatus::Accepted => ("LED-GRT-2", "accepted", None),
            GrantStatus::Revoked => ("LED-GRT-3", "revoked by its grantor", Some("it was revoked")),
            GrantStatus::Surrendered => {
                ("LED-GRT-12", "given back by its grantee", Some("it was given back"))
            }
            GrantStatus::Voided => ("LED-DSP-4", "void by a ruling", Some("a ruling voided it")),
            GrantStatus::Withdrawn => {
                ("LED-GRT-8", "taken back by its grantor", Some("its offer was taken back"))
            }
        };
        let mut reason = Reason::new(rule, text)
            .with("not_after_ms", grant.not_after_ms)
            .with("used", grant.used);
        if let Some(revoked_ms) = grant.revoked_ms {
            reason = reason.with("revoked_ms", revoked_ms);
        }
        if grant.file_by_ms > 0 {
            reason = reason.with("file_by_ms", grant.file_by_ms);
        }
        self.say(reason);
        if grant.disputes > 0 {
            let text = format!("{} disputes about it are open", grant.disputes);
            self.say(Reason::new("LED-DSP-1", text));
        }
        let time = self.time_ms;
        // A revocation with a sunset ends a grant at its shortened end, not at once.
        let sunset = grant.status == GrantStatus::Revoked && time <= grant.not_after_ms;
        Ok(if contested {
            Some("it is contested")
        } else if block.is_some() && !sunset {
            block
        } else if time < grant.terms.not_before_ms {
            Some("its term has not begun")
        } else if time > grant.not_after_ms {
            Some("its term is over")
        } else if grant.terms.max_derivations.is_some_and(|most| grant.used >= most) {
            Some("no derivations are left")
        } else {
            None
        })
    }

    pub(super) fn request(&mut self, r: &RequestRecord) -> Result<(), QueryError> {
        let right = word(&r.right);
        let text = format!("{} asked for a {right} grant on it", r.by);
        self.say(Reason::new("LED-GRT-9", text).with("height", r.height));
        self.terms(&r.terms);
        let text = match r.status {
            RequestStatus::Open => "waits for an answer",
            RequestStatus::Approved => "approved: it is a grant with the same id",
            RequestStatus::Declined => "declined",
        };
        self.say(Reason::new("LED-GRT-9", text));
        Ok(())
    }

    pub(super) fn offer(&mut self, o: &OfferRecord) -> Result<(), QueryError> {
        let right = word(&o.right);
        let text = format!("{} offers the {right} of it to whoever takes it", o.grantor);
        self.say(Reason::new("LED-GRT-10", text).with("height", o.height));
        self.terms(&o.terms);
        let asset = recorded(self.view, &o.asset)?;
        let changes = self.view.right(&o.asset, &asset, o.right.into())?.changes;
        let text = if o.withdrawn {
            "withdrawn; grants taken stay"
        } else if self.time_ms > o.take_by_ms {
            "the time to take it is over"
        } else if changes != o.changes {
            "it has lapsed: who owns the right or acts for it has changed since"
        } else {
            "it can be taken"
        };
        let reason = Reason::new("LED-GRT-10", text).with("take_by_ms", o.take_by_ms);
        self.say(reason.with("taken", o.taken));
        Ok(())
    }

    pub(super) fn access(&mut self, a: &AccessRecord) -> Result<(), QueryError> {
        let text =
            format!("{} asked to work with it in the environment of {}", a.by, a.environment);
        self.say(Reason::new("LED-ACC-1", text).with("height", a.height));
        let text = match a.status {
            AccessStatus::Requested => "waits for a decision",
            AccessStatus::Refused => "refused",
            AccessStatus::Ended => "granted, then ended by who decides about it",
            AccessStatus::Granted if self.time_ms <= a.not_after_ms => "granted, in force",
            AccessStatus::Granted => "granted, over now",
        };
        self.say(Reason::new("LED-ACC-2", text).with("not_after_ms", a.not_after_ms));
        let text = format!("{} jobs read {} records", a.jobs, a.rows);
        self.say(Reason::new("LED-ACC-3", text));
        Ok(())
    }
}
