//! Whether something waits for the member whose inbox it is, and what that member can do.

use super::{BlockTime, InboxAction, InboxItem, InboxKind, subject_in_words};
use crate::account::Amounts;
use crate::event::dispute::{Ruling, Subject};
use crate::event::market::Instalment;
use crate::execute::acting;
use crate::grant::lapsed;
use crate::hash::{AssetId, Digest};
use crate::member::related;
use crate::query::place::{Object, change_in_words};
use crate::query::{QueryError, recorded, shown};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{
    AccessStatus, AccountRecord, ContractRecord, ContractStatus, DisputeRecord, DisputeStatus,
    GrantStatus, ListingStatus, PaymentRecord, PayoutRecord, PayoutStatus, RegistrationRecord,
    RegistrationStatus, RequestStatus, TransferRecord,
};
use crate::state::{Records, View};
use crate::text::Handle;
use crate::words::{money, percent, word};
use crate::{contract, dispute, governance, succession};

/// What an item is made of, besides its id and height.
pub(super) struct Waiting {
    kind: InboxKind,
    asset: Option<AssetId>,
    from: Handle,
    summary: String,
    actions: Vec<InboxAction>,
    until_ms: Option<u64>,
}

impl Waiting {
    pub(super) fn into_item<V: View>(
        self,
        view: &V,
        id: Digest,
        height: u64,
    ) -> Result<InboxItem, Fault> {
        let asset =
            self.asset.map(|id| Ok::<_, Fault>(shown(&recorded(view, &id)?))).transpose()?;
        let Waiting { kind, from, summary, actions, until_ms, .. } = self;
        Ok(InboxItem { id, kind, asset, from, summary, actions, until_ms, height })
    }
}

/// Whose inbox it is, and when.
pub(super) struct Desk<'a, V> {
    pub view: &'a V,
    /// Has no successor.
    pub member: &'a Handle,
    /// Whether it freezes and rules.
    pub arbiter: bool,
    pub now: BlockTime,
}

const ANSWER: [InboxAction; 2] = [InboxAction::Accept, InboxAction::Decline];

impl<V: View> Desk<'_, V> {
    /// Whether the member decides wherever this one is named. Implements [LED-MEM-10].
    fn is(&self, handle: &Handle) -> Result<bool, Fault> {
        Ok(acting(self.view, handle)? == *self.member)
    }

    fn any<'h>(&self, handles: impl IntoIterator<Item = &'h Handle>) -> Result<bool, Fault> {
        for handle in handles {
            if self.is(handle)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether time is not over.
    fn in_time(&self, until_ms: u64) -> bool {
        self.now.time_ms <= until_ms
    }

    /// Whether the member is one of those who act for a right.
    fn acts_for(&self, id: &AssetId, right: Right) -> Result<bool, Fault> {
        let asset = recorded(self.view, id)?;
        let head = self.view.right(id, &asset, right)?;
        if head.threshold_parts.is_none() {
            return self.is(&head.manager);
        }
        let owners = self.view.epoch(id, &asset, right, head.epoch)?.owners;
        self.any(owners.iter().map(|owner| &owner.member))
    }

    pub(super) fn waiting(&self, found: &Object) -> Result<Option<Waiting>, QueryError> {
        let (kind, asset, from, summary, actions, until_ms) = match found {
            Object::Grant(_, g) if g.status == GrantStatus::Offered && self.is(&g.grantee)? => {
                if !self.in_time(g.not_after_ms) || lapsed(self.view, g)? {
                    return Ok(None);
                }
                let summary = format!("{} grant", word(&g.right));
                let until_ms = Some(g.not_after_ms);
                (InboxKind::Grant, Some(g.asset), &g.grantor, summary, ANSWER.to_vec(), until_ms)
            }
            Object::Transfer(_, t) => return self.transfer(t),
            Object::Request(_, r) if r.status == RequestStatus::Open => {
                if !self.acts_for(&r.asset, r.right.into())? {
                    return Ok(None);
                }
                let summary = format!("{} grant asked for", word(&r.right));
                let until_ms = Some(r.terms.not_after_ms);
                (InboxKind::Request, Some(r.asset), &r.by, summary, ANSWER.to_vec(), until_ms)
            }
            Object::Access(_, a) if a.status == AccessStatus::Requested => {
                if !self.acts_for(&a.asset, Right::Processing)? || !self.in_time(a.not_after_ms) {
                    return Ok(None);
                }
                let summary = format!("access in the environment of {}", a.environment);
                let until_ms = Some(a.not_after_ms);
                (InboxKind::Access, Some(a.asset), &a.by, summary, ANSWER.to_vec(), until_ms)
            }
            Object::Registration(_, r) => return self.registration(r),
            Object::Listing(_, l) if l.status == ListingStatus::Pending => {
                if !self.is(&l.exchange)? {
                    return Ok(None);
                }
                let summary = format!("listing with a fee of {}", percent(l.fee_bp));
                (InboxKind::Listing, Some(l.asset), &l.seller, summary, ANSWER.to_vec(), None)
            }
            Object::Contract(_, c) => return self.contract(c),
            Object::Dispute(_, d) => return self.dispute(d),
            Object::Succession(_, s) if succession::waits_for(self.view, s, self.member)? => {
                let summary = format!("succession of {}", s.member);
                let yes = vec![InboxAction::Accept];
                (InboxKind::Succession, None, &s.proposer, summary, yes, None)
            }
            Object::Change(_, c)
                if governance::waits_for(self.view, c, self.member, self.now.height)? =>
            {
                let height = c.activate_height;
                let summary = format!("{} at height {height}", change_in_words(&c.change));
                let yes = vec![InboxAction::Accept];
                (InboxKind::Change, None, &c.proposer, summary, yes, None)
            }
            Object::Payout(_, p) => return self.payout(p),
            Object::Grant(..)
            | Object::Request(..)
            | Object::Access(..)
            | Object::Listing(..)
            | Object::Succession(..)
            | Object::Change(..)
            | Object::Asset(..)
            | Object::Offer(..)
            | Object::Payment(..)
            | Object::Account(..)
            | Object::SetOff(..)
            | Object::Certificate(..)
            | Object::Aggregate(..) => return Ok(None),
        };
        Ok(Some(Waiting { kind, asset, from: from.clone(), summary, actions, until_ms }))
    }

    fn transfer(&self, t: &TransferRecord) -> Result<Option<Waiting>, QueryError> {
        let asset = recorded(self.view, &t.asset)?;
        let changes = self.view.right(&t.asset, &asset, t.right)?.changes;
        if t.done || t.changes != changes || !self.any(&t.outstanding)? {
            return Ok(None);
        }
        Ok(Some(Waiting {
            kind: InboxKind::Transfer,
            asset: Some(t.asset),
            from: t.proposer.clone(),
            summary: format!("transfer of the {} right", t.right),
            actions: vec![InboxAction::Accept],
            until_ms: None,
        }))
    }

    fn payout(&self, p: &PayoutRecord) -> Result<Option<Waiting>, QueryError> {
        let until_ms = p.contest_until_ms;
        if p.status != PayoutStatus::Paid || !self.is(&p.payee)? || !self.in_time(until_ms) {
            return Ok(None);
        }
        let account = self.view.account(&p.account)?;
        let account = account.ok_or_else(|| Fault("a payout of no account".into()))?;
        Ok(Some(Waiting {
            kind: InboxKind::Payout,
            asset: Some(account.product),
            from: account.exchange,
            summary: format!(
                "payout of {}, reference {}",
                money(p.amount, &account.currency),
                p.bank_reference
            ),
            actions: vec![InboxAction::Contest],
            until_ms: Some(until_ms),
        }))
    }

    fn registration(&self, r: &RegistrationRecord) -> Result<Option<Waiting>, QueryError> {
        if r.status != RegistrationStatus::Notice || !self.is(&r.registry)? {
            return Ok(None);
        }
        let over = self.now.time_ms > r.notice_until_ms;
        let objections = r.objections.len();
        let summary = if over {
            format!("registration, {objections} objections")
        } else {
            format!("registration in public notice, {objections} objections so far")
        };
        Ok(Some(Waiting {
            kind: InboxKind::Registration,
            asset: Some(r.asset),
            from: r.applicant.clone(),
            summary,
            // Nothing can be decided before the notice is over.
            actions: if over { ANSWER.to_vec() } else { Vec::new() },
            until_ms: None,
        }))
    }

    fn contract(&self, c: &ContractRecord) -> Result<Option<Waiting>, QueryError> {
        let open = c.status == ContractStatus::Open;
        let (buyer, exchange) = (self.is(&c.buyer)?, self.is(&c.exchange)?);
        let signed = c.buyer_signed && c.exchange_signed;
        let to_sign = (buyer && !c.buyer_signed) || (exchange && !c.exchange_signed);
        let (price, amount) = (money(c.price, &c.currency), |n: u64| money(n, &c.currency));
        let seller = self.is(&c.seller)?;
        let next = if open && signed { next_instalment(c) } else { None };
        let overdue = next.filter(|part| !self.in_time(part.due_ms));
        let to_deliver = open && signed && seller && c.delivered.is_none() && !c.confirmed;
        let says = |since_ms| contract::says(since_ms, self.now.time_ms);
        let (seller_ends, buyer_ends) = (says(c.seller_terminates), says(c.buyer_terminates));
        let other_ends =
            (seller && buyer_ends && !seller_ends) || (buyer && seller_ends && !buyer_ends);
        let (kind, summary, actions, until_ms) = if open && other_ends {
            let summary = format!("end of the contract for {price}");
            (InboxKind::Termination, summary, vec![InboxAction::Terminate], None)
        } else if open && to_sign && self.in_time(c.sign_by_ms) {
            let actions = vec![InboxAction::Sign, InboxAction::Decline];
            (InboxKind::Contract, format!("contract for {price}"), actions, Some(c.sign_by_ms))
        } else if let Some(part) = overdue.filter(|_| buyer || exchange) {
            let summary = format!("instalment of {}, overdue, of {price}", amount(part.amount));
            let actions = if exchange { vec![InboxAction::Terminate] } else { Vec::new() };
            (InboxKind::Instalment, summary, actions, None)
        } else if signed && buyer && c.delivered.is_some() && !c.confirmed {
            // Afterwards it counts as confirmed when somebody says so.
            let summary = format!("delivery under the contract for {price}");
            (InboxKind::Delivery, summary, vec![InboxAction::Confirm], Some(c.deemed_from_ms))
        } else if to_deliver && !recorded(self.view, &c.asset)?.void {
            let summary = format!("delivery, to make, under the contract for {price}");
            (InboxKind::Sold, summary, vec![InboxAction::Deliver], None)
        } else if let Some(part) = next.filter(|_| buyer) {
            // The bank pays; the exchange records it.
            let summary = format!("instalment of {}, to pay, of {price}", amount(part.amount));
            (InboxKind::Instalment, summary, Vec::new(), Some(part.due_ms))
        } else {
            return Ok(None);
        };
        let from = if kind == InboxKind::Sold { c.buyer.clone() } else { c.seller.clone() };
        let asset = Some(c.asset);
        Ok(Some(Waiting { kind, asset, from, summary, actions, until_ms }))
    }

    fn dispute(&self, d: &DisputeRecord) -> Result<Option<Waiting>, QueryError> {
        let opener = self.is(&d.opener)?;
        let party = opener || self.any(&d.respondents)?;
        if let Some((payment, account)) = self.orders(d)? {
            return Ok(refund(d, &payment, &account));
        }
        let (actions, until_ms) = match d.status {
            DisputeStatus::Open | DisputeStatus::Appealed if party => {
                (vec![InboxAction::FileEvidence], None)
            }
            DisputeStatus::Open | DisputeStatus::Appealed => {
                if !self.may_rule(d)? {
                    return Ok(None);
                }
                let share = matches!(d.subject, Subject::Share(_)).then_some(InboxAction::Freeze);
                (std::iter::once(InboxAction::Rule).chain(share).collect(), None)
            }
            DisputeStatus::Ruled => {
                let last = d.rulings.last();
                let until_ms = last.map_or(0, |r| r.appeal_until_ms);
                // Whoever the dispute was dismissed for has won.
                let lost = opener || last.is_none_or(|r| r.ruling != Ruling::Dismiss);
                if !party || !lost || !self.in_time(until_ms) {
                    return Ok(None);
                }
                (vec![InboxAction::Appeal], Some(until_ms))
            }
            DisputeStatus::Final => return Ok(None),
        };
        let asset = match &d.subject {
            Subject::Asset(asset) => Some(*asset),
            Subject::Share(slice) => Some(slice.asset),
            Subject::Grant(id) => self.view.grant(id)?.map(|grant| grant.asset),
            Subject::Contract(id) => self.view.contract(id)?.map(|contract| contract.asset),
            Subject::Payment(_) | Subject::Payout(_) => None,
        };
        let summary = format!("dispute over {}", subject_in_words(self.view, &d.subject)?);
        let from = d.opener.clone();
        Ok(Some(Waiting { kind: InboxKind::Dispute, asset, from, summary, actions, until_ms }))
    }

    /// The payment of which a ruling orders a refund, with its account, when the member clears it.
    fn orders(
        &self,
        d: &DisputeRecord,
    ) -> Result<Option<(PaymentRecord, AccountRecord)>, QueryError> {
        let ruled = match d.status {
            DisputeStatus::Ruled | DisputeStatus::Final => d.rulings.last().map(|r| &r.ruling),
            DisputeStatus::Open | DisputeStatus::Appealed => None,
        };
        let (Subject::Payment(id), Some(Ruling::Refund(_))) = (&d.subject, ruled) else {
            return Ok(None);
        };
        let payment = self.view.payment(id)?;
        let payment = payment.ok_or_else(|| Fault("a dispute about no payment".into()))?;
        let account = self.view.account(&payment.account)?;
        let account = account.ok_or_else(|| Fault("a payment of no account".into()))?;
        Ok(self.is(&account.exchange)?.then_some((payment, account)))
    }

    /// Whether the member rules on a dispute: as a regulator that belongs with nobody whom it concerns, and on
    /// appeal has not given the first ruling. Implements [LED-DSP-2].
    fn may_rule(&self, d: &DisputeRecord) -> Result<bool, Fault> {
        if !self.arbiter {
            return Ok(false);
        }
        for member in dispute::concerned(self.view, d)? {
            if related(self.view, self.member, &member)? {
                return Ok(false);
            }
        }
        Ok(!self.any(d.rulings.iter().map(|ruling| &ruling.by))?)
    }
}

/// What a ruling orders to give back, until it is given back.
fn refund(d: &DisputeRecord, payment: &PaymentRecord, account: &AccountRecord) -> Option<Waiting> {
    if payment.ordered == Amounts::default() {
        return None;
    }
    Some(Waiting {
        kind: InboxKind::Refund,
        asset: Some(account.product),
        from: d.opener.clone(),
        summary: format!(
            "refund that a ruling orders: {}",
            payment.ordered.in_words(&account.currency)
        ),
        actions: vec![InboxAction::Refund],
        until_ms: None,
    })
}

/// The first instalment of a contract that is not paid.
fn next_instalment(c: &ContractRecord) -> Option<&Instalment> {
    let mut sum = 0u64;
    c.instalments.iter().find(|part| {
        sum = sum.saturating_add(part.amount);
        sum > c.paid
    })
}
