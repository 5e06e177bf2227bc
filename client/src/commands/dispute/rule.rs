//! `headwater dispute rule`.

use clap::Args;
use headwater_ledger::event::dispute::{Adjustment, Redirect, RefundOrder, Ruling, Subject};
use headwater_ledger::event::{Event, RuleDispute};
use headwater_ledger::hash::DisputeId;
use headwater_ledger::money::Currency;
use headwater_ledger::query::QueryError;
use headwater_ledger::state::record::DisputeRecord;
use headwater_ledger::state::{Key, Records as _, View as _};
use headwater_ledger::text::Handle;

use crate::build::{Acting, ActingArgs};
use crate::commands::common::DocumentArgs;
use crate::commands::payout::{claim_of, proved_account};
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, ObjectRef};
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;

/// Arguments of `headwater dispute rule`.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// The dispute's id, or at least 8 of its digits
    dispute: ObjectRef,
    #[command(flatten)]
    ruling: RulingArgs,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What is ruled.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct RulingArgs {
    /// The dispute is without ground
    #[arg(long, group = "ruling", help_heading = "Ruling")]
    dismiss: bool,
    /// The disputed grant is void
    #[arg(long, group = "ruling", help_heading = "Ruling")]
    void_grant: bool,
    /// The disputed asset is void
    #[arg(long, group = "ruling", help_heading = "Ruling")]
    void_asset: bool,
    /// The disputed payout did not arrive
    #[arg(long, group = "ruling", help_heading = "Ruling")]
    reverse_payout: bool,
    /// The disputed contract ends
    #[arg(long, group = "ruling", help_heading = "Ruling")]
    end_contract: bool,
    /// The disputed share is this member's
    #[arg(long, value_name = "HANDLE", group = "ruling", help_heading = "Ruling")]
    redirect_to: Option<Handle>,
    /// With --redirect-to: what the share has earned on this account goes over too, unless it was
    /// paid out
    #[arg(long = "adjust", value_name = "ACCOUNT")]
    #[arg(requires = "redirect_to", help_heading = "Ruling")]
    adjustments: Vec<AccountRef>,
    /// Of the disputed payment's net, this is given back
    #[arg(long, value_name = "AMOUNT", conflicts_with = "ruling", help_heading = "Ruling")]
    refund_net: Option<String>,
    /// Of its fee
    #[arg(long, value_name = "AMOUNT", conflicts_with = "ruling", help_heading = "Ruling")]
    refund_fee: Option<String>,
    /// Of its tax
    #[arg(long, value_name = "AMOUNT", conflicts_with = "ruling", help_heading = "Ruling")]
    refund_tax: Option<String>,
    /// The amounts are in whole minor units
    #[arg(long, help_heading = "Ruling")]
    minor: bool,
}

impl RulingArgs {
    fn notation(&self) -> Notation {
        if self.minor { Notation::Minor } else { Notation::Decimal }
    }

    fn ruling(&self, acting: &Acting<'_>, id: &DisputeId) -> Result<Ruling, Failure> {
        let simple = [
            (self.dismiss, Ruling::Dismiss),
            (self.void_grant, Ruling::VoidGrant),
            (self.void_asset, Ruling::VoidAsset),
            (self.reverse_payout, Ruling::ReversePayout),
            (self.end_contract, Ruling::EndContract),
        ];
        if let Some((_, ruling)) = simple.into_iter().find(|(given, _)| *given) {
            return Ok(ruling);
        }
        let dispute = acting.ask(|view| {
            let dispute: Option<DisputeRecord> = view.get(&Key::Dispute(*id))?;
            dispute.ok_or_else(|| QueryError::Unknown(format!("dispute {id}")))
        })?;
        match &self.redirect_to {
            Some(to) => self.redirect(acting, &dispute.subject, to),
            None => self.refund(acting, &dispute.subject),
        }
    }

    fn redirect(
        &self,
        acting: &Acting<'_>,
        subject: &Subject,
        to: &Handle,
    ) -> Result<Ruling, Failure> {
        let Subject::Share(slice) = subject else {
            return Err(Failure::new(Kind::Usage, "the dispute is not about a share")
                .hint("only disputes about shares are redirected"));
        };
        let mut adjustments = Vec::with_capacity(self.adjustments.len());
        for account in &self.adjustments {
            let account = acting.account(account)?;
            let record = proved_account(acting, &account)?;
            let claim = claim_of(acting, &record.product, &slice.asset, slice.right)?;
            adjustments.push(Adjustment { account, claim });
        }
        let adjustments = choice::list(adjustments, "adjustments")?;
        Ok(Ruling::Redirect(Redirect { to: to.clone(), adjustments }))
    }

    fn refund(&self, acting: &Acting<'_>, subject: &Subject) -> Result<Ruling, Failure> {
        let Subject::Payment(payment) = subject else {
            return Err(Failure::new(Kind::Usage, "the dispute is not about a payment")
                .hint("only disputes about payments are ruled by a refund"));
        };
        let currency: Currency = acting.ask(|view| {
            let unknown = || QueryError::Unknown(format!("payment {payment}"));
            let payment = view.payment(payment)?.ok_or_else(unknown)?;
            Ok(view.account(&payment.account)?.ok_or_else(unknown)?.currency)
        })?;
        let parse = |text: &Option<String>| match text {
            Some(text) => amount::parse(text, &currency, self.notation()),
            None => Ok(0),
        };
        Ok(Ruling::Refund(RefundOrder {
            net: parse(&self.refund_net)?,
            fee: parse(&self.refund_fee)?,
            tax: parse(&self.refund_tax)?,
        }))
    }
}

impl RuleArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let dispute: DisputeId = acting.id(&self.dispute)?;
        let ruling = self.ruling.ruling(&acting, &dispute)?;
        let reasons = self.document.commit(&acting, "reasons", dispute.digest())?;
        acting.act(Event::RuleDispute(RuleDispute { dispute, ruling, reasons }))
    }
}
