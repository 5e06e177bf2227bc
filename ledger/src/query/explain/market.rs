//! The life of a listing, a contract, a certificate.

use super::{Case, Reason};
use crate::event::asset::Purpose;
use crate::hash::{CertificateId, ContractId, GrantId, PaymentId};
use crate::member::compromised;
use crate::query::{Lists, QueryError};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{
    ContractRecord, ContractStatus, GrantStatus, ListingRecord, ListingStatus,
    TradeCertificateRecord,
};
use crate::state::{Key, Records};
use crate::words::{money, percent, word};

impl<V: Lists> Case<'_, V> {
    pub(super) fn listing(&mut self, l: &ListingRecord) -> Result<(), QueryError> {
        let text =
            format!("{} listed it at {} for a fee of {}", l.seller, l.exchange, percent(l.fee_bp));
        self.say(Reason::new("LED-MKT-1", text).with("height", l.height));
        let text = format!("its attribution schedule of {} claims is frozen", l.claims);
        self.say(Reason::new("LED-MKT-2", text).with("schedule", l.schedule));
        for grant in &l.operation_grants {
            self.cover(grant)?;
        }
        let purposes = |p: &[Purpose]| p.iter().map(|p| word(p)).collect::<Vec<_>>();
        let purposes =
            l.purposes.as_deref().map_or("any purpose".to_string(), |p| purposes(p).join(", "));
        let territories = l.territories.as_deref().map_or("anywhere".to_string(), |t| {
            t.iter().map(|t| t.as_str()).collect::<Vec<_>>().join(", ")
        });
        let text = format!("sold for {purposes}, {territories}");
        self.say(Reason::new("LED-GRT-4", text).with("not_after_ms", l.not_after_ms));
        let asset = self.name(&l.asset)?;
        let record = crate::query::recorded(self.view, &l.asset)?;
        let manager = self.view.right(&l.asset, &record, Right::Operation)?.manager;
        if manager != l.seller {
            let text = format!("the operation right of {asset} is managed by {manager} now");
            self.say(Reason::new("LED-RGT-1", text));
        }
        let (rule, text) = match l.status {
            ListingStatus::Pending => ("LED-MKT-1", "waits for the exchange"),
            ListingStatus::Accepted => ("LED-MKT-1", "accepted by the exchange"),
            ListingStatus::Rejected => ("LED-MKT-1", "rejected by the exchange"),
            ListingStatus::Delisted => ("LED-MKT-10", "ended; contracts signed by three stand"),
        };
        self.say(Reason::new(rule, text));
        Ok(())
    }

    /// An operation grant that a listing rests on.
    fn cover(&mut self, id: &GrantId) -> Result<(), QueryError> {
        let grant = self.view.grant(id)?;
        let grant = grant.ok_or_else(|| Fault(format!("grant {id} is not recorded")))?;
        let live = grant.status == GrantStatus::Accepted && self.time_ms <= grant.not_after_ms;
        let name = self.name(&grant.asset)?;
        let now = if live { "in force" } else { "no longer in force" };
        let text = format!("rests on a grant to operate {name} by {}, {now}", grant.grantor);
        self.say(Reason::new("LED-GRT-4", text).with("grant", id));
        Ok(())
    }

    pub(super) fn contract(
        &mut self,
        id: &ContractId,
        c: &ContractRecord,
    ) -> Result<(), QueryError> {
        let text = format!(
            "{} proposed to sell it to {} for {}, cleared by {}",
            c.seller,
            c.buyer,
            money(c.price, &c.currency),
            c.exchange
        );
        self.say(
            Reason::new("LED-MKT-3", text)
                .with("listing", c.listing)
                .with("schedule", c.schedule)
                .with("fee_bp", c.fee_bp)
                .with("height", c.height),
        );
        if c.related_parties {
            let text = "seller and buyer belonged together when it was proposed";
            self.say(Reason::new("LED-MEM-9", text));
        }
        if c.licence.exclusive {
            let text = "no other licence of the product may overlap its licence";
            self.say(Reason::new("LED-MKT-13", text));
        }
        let signed = c.buyer_signed && c.exchange_signed;
        let text = match (c.buyer_signed, c.exchange_signed) {
            (true, true) => "signed by all three".to_string(),
            (false, true) => format!("not signed by {}", c.buyer),
            (true, false) => format!("not signed by {}", c.exchange),
            (false, false) => format!("not signed by {} and {}", c.buyer, c.exchange),
        };
        self.say(Reason::new("LED-MKT-4", text).with("sign_by_ms", c.sign_by_ms));
        let mut foreign = false;
        for one in &c.signed {
            foreign |= compromised(self.view, &one.key, one.time_ms)?;
        }
        let (rule, text) = match c.status {
            ContractStatus::Declined => ("LED-MKT-11", "declined"),
            ContractStatus::Withdrawn => ("LED-MKT-11", "withdrawn by the seller"),
            ContractStatus::Terminated => ("LED-MKT-12", "ended for the future; money paid stands"),
            ContractStatus::Open if !signed && self.time_ms > c.sign_by_ms => {
                ("LED-MKT-4", "the time for signing is over")
            }
            ContractStatus::Open if foreign => {
                ("LED-MEM-7", "a key that signed it was in other hands: nobody signs on")
            }
            ContractStatus::Open if !signed => ("LED-MKT-4", "can be signed"),
            ContractStatus::Open if self.time_ms > c.licence.not_after_ms => {
                ("LED-MKT-13", "the licence is over")
            }
            ContractStatus::Open => ("LED-MKT-13", "the licence is in force"),
        };
        self.say(Reason::new(rule, text).with("licence_not_after_ms", c.licence.not_after_ms));
        self.money_of_contract(id, c)?;
        let certified: Option<CertificateId> = self.view.get(&Key::CertifiedBy(*id))?;
        if let Some(certificate) = certified {
            let text = format!("{} certified the trade", c.exchange);
            self.say(Reason::new("LED-CRT-1", text).with("certificate", certificate));
        }
        Ok(())
    }

    fn money_of_contract(&mut self, id: &ContractId, c: &ContractRecord) -> Result<(), QueryError> {
        let payments: Vec<PaymentId> =
            self.view.get(&Key::ContractPayments(*id))?.unwrap_or_default();
        let [paid, price] = [c.paid, c.price].map(|n| money(n, &c.currency));
        let text = format!("{paid} of {price} are paid");
        let mut reason = Reason::new("LED-MKT-5", text).with("given_back", c.refunded);
        for (at, payment) in payments.iter().enumerate() {
            reason = reason.with(&format!("payment_{at}"), payment);
        }
        self.say(reason);
        let mut due = 0u64;
        for part in &c.instalments {
            due = due.saturating_add(part.amount);
            let stands = match (c.paid >= due, self.time_ms > part.due_ms) {
                (true, _) => "paid",
                (false, true) => "overdue",
                (false, false) => "not due yet",
            };
            let part_of = money(part.amount, &c.currency);
            let text = format!("an instalment of {part_of} is {stands}");
            self.say(Reason::new("LED-MKT-12", text).with("due_ms", part.due_ms));
        }
        let text = match (c.delivered, c.confirmed, c.deemed) {
            (None, false, _) => "not delivered: money is held",
            (None, true, _) => "confirmed by the buyer without a record of it: money is payable",
            (Some(_), false, _) => "delivered, not confirmed: money is held",
            (Some(_), true, false) => "delivered and confirmed: money is payable",
            (Some(_), true, true) => {
                "delivered and deemed confirmed because time was over: money is payable"
            }
        };
        let reason = Reason::new("LED-MKT-6", text).with("delivered_ms", c.delivered_ms);
        self.say(match &c.delivered {
            Some(root) => reason.with("delivered", root),
            None => reason,
        });
        if c.contest.is_open(self.time_ms) && !c.confirmed {
            let text =
                "it is not deemed confirmed while a dispute about it or a payment is not final";
            self.say(Reason::new("LED-MKT-6", text).with("disputes", c.contest.waiting));
        }
        Ok(())
    }

    pub(super) fn certificate(&mut self, t: &TradeCertificateRecord) -> Result<(), QueryError> {
        let text = format!("certificate {} of {}", t.number, t.exchange);
        self.say(
            Reason::new("LED-CRT-1", text)
                .with("contract", t.contract)
                .with("height", t.height)
                .with("time_ms", t.time_ms),
        );
        if t.void {
            let text = "void: its number is not used again";
            self.say(Reason::new("LED-CRT-2", text));
        }
        let contract = self.view.contract(&t.contract)?;
        let contract = contract.ok_or_else(|| Fault("a certificate of no contract".into()))?;
        let product = self.name(&contract.asset)?;
        self.say(Reason::new("LED-MKT-3", format!("of a trade of {product}")));
        self.contract(&t.contract, &contract)
    }
}
