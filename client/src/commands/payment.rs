//! `headwater payment` and `headwater refund`: money that an exchange has cleared.

use clap::{Args, Subcommand};
use headwater_ledger::account::Amounts;
use headwater_ledger::event::{Event, RecordPayment, RefundPayment, VoidPayment};
use headwater_ledger::hash::PaymentId;
use headwater_ledger::money::Currency;
use headwater_ledger::state::Records as _;
use headwater_ledger::state::record::PaymentRecord;
use headwater_ledger::text::Code;
use serde_json::Map;

use super::common::OneArgs;
use super::contract::proved_contract;
use crate::build::{Acting, ActingArgs, Preview};
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::session::Session;
use crate::show;
use crate::value::amount::{self, Notation};

/// Record money that was cleared.
#[derive(Debug, Subcommand)]
pub enum PaymentCommand {
    /// Record a payment for a contract, as its exchange
    #[command(after_help = "\
Examples:
  headwater payment record 01234567 --gross 2000000.00 --tax 113207.55 --currency CNY \\
      --bank-ref ICBC-20261123-000017 --as first-exchange
  headwater payment record 01234567 --gross 200000000 --tax 11320755 --minor --currency CNY \\
      --bank-ref ICBC-20261123-000017 --dry-run --as first-exchange

--dry-run also shows how the payment would divide into net, fee and tax.")]
    Record(PaymentArgs),
    /// Take back a payment entered in error, as its exchange
    #[command(after_help = "\
Examples:
  headwater payment void 01234567 --as first-exchange

Only for the time that the rulebook gives, while nothing of it is refunded or ordered to be, no dispute
about it or a share in it is open or can be appealed, no share has changed hands since, and no
certificate is in force. The price is open again and the bank reference free.")]
    Void(OneArgs),
}

/// Arguments of `headwater payment record`.
#[derive(Debug, Args)]
pub struct PaymentArgs {
    /// The contract's id, or at least 8 of its digits
    contract: ObjectRef,
    /// Everything the buyer paid
    #[arg(long, value_name = "AMOUNT")]
    gross: String,
    /// The tax in it, as stated
    #[arg(long, value_name = "AMOUNT")]
    tax: String,
    /// Currency of both, such as CNY
    #[arg(long)]
    currency: Currency,
    /// The amounts are in whole minor units
    #[arg(long)]
    minor: bool,
    /// The bank's reference, unique for the exchange
    #[arg(long, value_name = "REF")]
    bank_ref: Code,
    #[command(flatten)]
    acting: ActingArgs,
}

const REFUND_HELP: &str = "\
Examples:
  headwater refund 01234567 --full --bank-ref ICBC-20261124-000003 --as first-exchange
  headwater refund 01234567 --net 1000.00 --fee 15.00 --tax 60.00 \\
      --bank-ref ICBC-20261124-000003 --as first-exchange

PAYMENT is the id of the payment. --full gives back what remains of each part. Amounts are in the
payment's currency.";

/// Arguments of `headwater refund`.
#[derive(Debug, Args)]
#[command(after_help = REFUND_HELP)]
pub struct RefundArgs {
    /// The payment's id, or at least 8 of its digits
    payment: ObjectRef,
    /// Given back of the net
    #[arg(long, value_name = "AMOUNT", required_unless_present_any = ["full", "fee", "tax"])]
    net: Option<String>,
    /// Given back of the fee
    #[arg(long, value_name = "AMOUNT")]
    fee: Option<String>,
    /// Given back of the tax
    #[arg(long, value_name = "AMOUNT")]
    tax: Option<String>,
    /// Give back all that remains of each part
    #[arg(long, conflicts_with_all = ["net", "fee", "tax"])]
    full: bool,
    /// The amounts are in whole minor units
    #[arg(long)]
    minor: bool,
    /// The bank's reference, unique for the exchange
    #[arg(long, value_name = "REF")]
    bank_ref: Code,
    #[command(flatten)]
    acting: ActingArgs,
}

impl PaymentCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            PaymentCommand::Record(args) => args.run(session),
            PaymentCommand::Void(args) => {
                args.act(session, |payment| Event::VoidPayment(VoidPayment { payment }))
            }
        }
    }
}

fn notation(minor: bool) -> Notation {
    if minor { Notation::Minor } else { Notation::Decimal }
}

fn preview(amounts: &Amounts, currency: &Currency) -> Preview {
    let parts = [("net", amounts.net), ("fee", amounts.fee), ("tax", amounts.tax)];
    let mut facts: Map<_, _> =
        parts.iter().map(|(name, minor)| (name.to_string(), (*minor).into())).collect();
    facts.insert("currency".into(), currency.to_string().into());
    let lines = parts.map(|(name, minor)| (name, show::money(minor, currency))).to_vec();
    Preview { facts, lines }
}

impl PaymentArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let parse = |text: &str| amount::parse(text, &self.currency, notation(self.minor));
        let (gross, tax) = (parse(&self.gross)?, parse(&self.tax)?);
        if tax > gross {
            return Err(Failure::new(Kind::Usage, "the tax is more than the gross amount")
                .hint("correct --tax or --gross"));
        }
        let acting = Acting::begin(session, &self.acting)?;
        let contract = acting.id(&self.contract)?;
        let preview = if acting.is_dry_run() {
            let fee_bp = proved_contract(&acting, &contract)?.fee_bp;
            Amounts::of_payment(gross, tax, fee_bp).map(|a| preview(&a, &self.currency))
        } else {
            None
        };
        let (currency, bank_reference) = (self.currency, self.bank_ref);
        let payment = RecordPayment { contract, gross, tax, currency, bank_reference };
        acting.act_previewed(Event::RecordPayment(payment), preview)
    }
}

/// A payment that is proved to be recorded, and its currency.
fn proved_payment(
    acting: &Acting<'_>,
    id: &PaymentId,
) -> Result<(PaymentRecord, Currency), Failure> {
    let view = acting.connection().view(None)?;
    let height = view.block().header.height;
    let found = view.ask(|view| {
        let Some(payment) = view.payment(id)? else { return Ok(None) };
        let account = view.account(&payment.account)?;
        Ok(account.map(|account| (payment, account.currency)))
    })?;
    found.ok_or_else(|| {
        let message = format_args!("payment {id} is not recorded as of height {height}, proved");
        Failure::new(Kind::NotFound, message).hint("correct the id")
    })
}

impl RefundArgs {
    /// What is given back of each part.
    fn amounts(&self, payment: &PaymentRecord, currency: &Currency) -> Result<Amounts, Failure> {
        if self.full {
            let (paid, given) = (&payment.amounts, &payment.refunded);
            return Ok(Amounts {
                net: paid.net.saturating_sub(given.net),
                fee: paid.fee.saturating_sub(given.fee),
                tax: paid.tax.saturating_sub(given.tax),
            });
        }
        let parse = |text: &Option<String>| match text {
            Some(text) => amount::parse(text, currency, notation(self.minor)),
            None => Ok(0),
        };
        Ok(Amounts { net: parse(&self.net)?, fee: parse(&self.fee)?, tax: parse(&self.tax)? })
    }

    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let id = acting.id(&self.payment)?;
        let (payment, currency) = proved_payment(&acting, &id)?;
        let Amounts { net, fee, tax } = self.amounts(&payment, &currency)?;
        if (net, fee, tax) == (0, 0, 0) {
            let failure = Failure::new(Kind::BadInput, "the refund gives nothing back");
            return Err(match self.full {
                true => failure.hint("everything was refunded before"),
                false => failure.hint("give at least one part above 0"),
            });
        }
        let preview = preview(&Amounts { net, fee, tax }, &currency);
        let bank_reference = self.bank_ref;
        let refund = RefundPayment { payment: id, net, fee, tax, bank_reference };
        acting.act_previewed(Event::RefundPayment(refund), Some(preview))
    }
}
