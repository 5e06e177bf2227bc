//! `headwater contract`: three-party contracts and deliveries.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::market::Licence;
use headwater_ledger::event::{
    ConfirmDelivery, Event, ProposeContract, RecordDelivery, SignContract,
};
use headwater_ledger::hash::{ContractId, Digest, ListingId};
use headwater_ledger::money::Currency;
use headwater_ledger::state::Records as _;
use headwater_ledger::state::record::{ContractRecord, ListingRecord};
use headwater_ledger::text::{Code, Handle};

use super::grant::end_ms;
use crate::build::{Acting, ActingArgs};
use crate::commitment::Lines;
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::output::Page;
use crate::salts::Salts;
use crate::session::Session;
use crate::show;
use crate::value::amount::{self, Notation};
use crate::value::choice;
use crate::value::moment::{DAY_MS, Moment, now_ms, show_end};

/// Propose, sign and fulfil three-party contracts.
#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Propose a contract over an accepted listing, as its seller
    #[command(after_help = "\
Examples:
  headwater contract propose 01234567 --buyer pharma-inc --price 2000000.00 --currency CNY \\
      --purpose commercial --territory CN --days 365 --as insight-co

Purposes, territories and end of the licence default to those of the listing, where it has any.
The hash of the attribution schedule is taken from the listing, proved.")]
    Propose(Box<ProposeArgs>),
    /// Sign a contract, as its buyer or exchange
    #[command(after_help = "\
Examples:
  headwater contract sign 01234567 --as pharma-inc
  headwater contract sign 01234567 --yes --as first-exchange

The terms are proved and shown before anything is signed.")]
    Sign(SignArgs),
    /// Record that the product was delivered, as the seller
    #[command(after_help = "\
Examples:
  headwater contract deliver 01234567 --content report.pdf --as insight-co
  headwater contract deliver 01234567 --root blake3:… --as insight-co

With --content the salt is kept in the folder salts of the home folder; hand it to the buyer,
who checks what arrived with `headwater hash --verify`.")]
    Deliver(DeliverArgs),
    /// Confirm the delivery, as the buyer
    #[command(after_help = "\
Examples:
  headwater contract confirm 01234567 --as pharma-inc")]
    Confirm(ConfirmArgs),
}

/// Arguments of `headwater contract propose`.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// The listing's id, or at least 8 of its digits
    listing: ObjectRef,
    /// The buyer
    #[arg(long, value_name = "HANDLE")]
    buyer: Handle,
    /// Price, tax included
    #[arg(long, value_name = "AMOUNT")]
    price: String,
    /// Its currency, such as CNY
    #[arg(long)]
    currency: Currency,
    /// The price is in whole minor units
    #[arg(long)]
    minor: bool,
    /// What the buyer may use the product for [default: all purposes of the listing]
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',')]
    #[arg(value_parser = choice::parse::<Purpose>)]
    purposes: Vec<Purpose>,
    /// Where the buyer may use it [default: all territories of the listing]
    #[arg(long = "territory", value_name = "CODE", value_delimiter = ',')]
    territories: Vec<Code>,
    /// End of the licence [default: that of the operation grants listed]
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    until: Option<Moment>,
    /// Length of the licence in days from now
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Days in which buyer and exchange can sign
    #[arg(long, value_name = "N", default_value_t = 7)]
    sign_by_days: u32,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater contract sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The contract's id, or at least 8 of its digits
    contract: ObjectRef,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater contract deliver`.
#[derive(Debug, Args)]
pub struct DeliverArgs {
    /// The contract's id, or at least 8 of its digits
    contract: ObjectRef,
    /// File or folder that was delivered; only a salted commitment to it is recorded
    #[arg(long, value_name = "PATH", required_unless_present = "root", conflicts_with = "root")]
    content: Option<PathBuf>,
    /// Commitment made before with `headwater hash`
    #[arg(long, value_name = "ROOT")]
    root: Option<Digest>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater contract confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The contract's id, or at least 8 of its digits
    contract: ObjectRef,
    #[command(flatten)]
    acting: ActingArgs,
}

impl ContractCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            ContractCommand::Propose(args) => args.run(session),
            ContractCommand::Sign(args) => args.run(session),
            ContractCommand::Deliver(args) => args.run(session),
            ContractCommand::Confirm(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let contract = contract_id(&acting, &args.contract)?;
                acting.act(Event::ConfirmDelivery(ConfirmDelivery { contract }))
            }
        }
    }
}

fn contract_id(acting: &Acting<'_>, contract: &ObjectRef) -> Result<ContractId, Failure> {
    acting.object(contract, "propose_contract").map(ContractId::from_digest)
}

/// A contract that is proved to be recorded.
pub(super) fn proved_contract(
    acting: &Acting<'_>,
    id: &ContractId,
) -> Result<ContractRecord, Failure> {
    let view = acting.connection().view(None)?;
    let height = view.block().header.height;
    view.ask(|view| Ok(view.contract(id)?))?.ok_or_else(|| {
        let message = format_args!("contract {id} is not recorded as of height {height}, proved");
        Failure::new(Kind::NotFound, message).hint("correct the id, or wait for the seller's act")
    })
}

impl ProposeArgs {
    fn licence(&self, listing: &ListingRecord) -> Result<Licence, Failure> {
        let missing = |what: &str, option: &str| {
            let message = format!("the listing does not limit {what}, so the licence must");
            Failure::new(Kind::Usage, message).hint(format!("add {option}"))
        };
        let purposes = if self.purposes.is_empty() {
            let all = listing.purposes.clone();
            all.ok_or_else(|| missing("purposes", "--purpose"))?
        } else {
            self.purposes.clone()
        };
        let territories = if self.territories.is_empty() {
            let all = listing.territories.clone();
            all.ok_or_else(|| missing("territories", "--territory"))?
        } else {
            self.territories.clone()
        };
        let not_after_ms = match end_ms(now_ms(), self.until, self.days) {
            Some(end_ms) => end_ms,
            None if listing.not_after_ms == u64::MAX => {
                return Err(missing("the term", "--until or --days"));
            }
            None => listing.not_after_ms,
        };
        Ok(Licence {
            purposes: choice::list(purposes, "purposes")?,
            territories: choice::list(territories, "territories")?,
            not_after_ms,
        })
    }

    fn run(self, session: &Session) -> Result<(), Failure> {
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        let price = amount::parse(&self.price, &self.currency, notation)?;
        let acting = Acting::begin(session, &self.acting)?;
        let id = ListingId::from_digest(acting.object(&self.listing, "list_product")?);
        let view = acting.connection().view(None)?;
        let height = view.block().header.height;
        let listing = view.ask(|view| Ok(view.listing(&id)?))?.ok_or_else(|| {
            let message =
                format_args!("listing {id} is not recorded as of height {height}, proved");
            Failure::new(Kind::NotFound, message).hint("correct the id")
        })?;
        let licence = self.licence(&listing)?;
        acting.act(Event::ProposeContract(ProposeContract {
            listing: id,
            buyer: self.buyer,
            schedule: listing.schedule,
            price,
            currency: self.currency,
            licence,
            sign_by_ms: now_ms().saturating_add(u64::from(self.sign_by_days) * DAY_MS),
        }))
    }
}

impl SignArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let asks = !self.yes && !self.acting.dry_run;
        if asks && !io::stdin().is_terminal() {
            let message = "nobody is there to agree to the terms";
            return Err(Failure::new(Kind::Usage, message)
                .hint("look at the terms with --dry-run, then pass --yes"));
        }
        let acting = Acting::begin(session, &self.acting)?;
        let id = contract_id(&acting, &self.contract)?;
        let contract = proved_contract(&acting, &id)?;
        let product = product_name(&acting, &contract)?;
        show_terms(&id, &product, &contract).map_err(|error| Failure::output(&error))?;
        if asks && !agreed()? {
            return Err(Failure::new(Kind::Refused, "nothing was signed"));
        }
        let schedule = contract.schedule;
        acting.act(Event::SignContract(SignContract { contract: id, schedule }))
    }
}

fn product_name(acting: &Acting<'_>, contract: &ContractRecord) -> Result<String, Failure> {
    let view = acting.connection().view(None)?;
    let asset = view.ask(|view| Ok(view.asset(&contract.asset)?))?;
    Ok(asset.map_or_else(|| contract.asset.to_string(), |a| format!("{}/{}", a.author, a.name)))
}

/// Shows the terms on standard error, so that standard output holds the result alone.
fn show_terms(id: &ContractId, product: &str, contract: &ContractRecord) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let mut page = Page::plain(&mut err);
    page.field("contract", id)?;
    page.field("product", product)?;
    page.field("seller", &contract.seller)?;
    page.field("buyer", &contract.buyer)?;
    page.field("exchange", &contract.exchange)?;
    page.field("price", show::money(contract.price, &contract.currency))?;
    page.field("fee", show::basis_points(contract.fee_bp))?;
    let licence = &contract.licence;
    let purposes: Vec<String> = licence.purposes.iter().map(purpose_name).collect();
    page.field("purposes", purposes.join(", "))?;
    let territories: Vec<&str> = licence.territories.iter().map(Code::as_str).collect();
    page.field("territories", territories.join(", "))?;
    page.field("licence to", show_end(licence.not_after_ms))?;
    page.field("sign by", show_end(contract.sign_by_ms))?;
    page.field("schedule", contract.schedule)
}

fn purpose_name(purpose: &Purpose) -> String {
    let json = serde_json::to_value(purpose).ok();
    let name = json.as_ref().and_then(serde_json::Value::as_str);
    name.map_or_else(|| format!("{purpose:?}"), |name| name.replace('_', "-"))
}

fn agreed() -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::new(Kind::Io, error);
    let mut err = io::stderr().lock();
    err.write_all(b"sign these terms? [y/N] ").and_then(|()| err.flush()).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl DeliverArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let contract = contract_id(&acting, &self.contract)?;
        let delivered = match (self.root, &self.content) {
            (Some(root), _) => root,
            (None, Some(path)) => {
                let subject = format!("delivery-{}", hex::encode(contract.digest().raw()));
                let mut salts = Salts::open(&session.home, &subject)?;
                let root = salts.commit("content", path, Lines::Ignore, &session.output)?.root;
                if !acting.is_dry_run() {
                    salts.save()?;
                }
                root
            }
            (None, None) => return Err(Failure::new(Kind::Usage, "nothing is delivered")),
        };
        acting.act(Event::RecordDelivery(RecordDelivery { contract, delivered }))
    }
}
