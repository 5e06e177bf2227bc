//! `headwater contract`: three-party contracts and deliveries.

mod propose;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::{
    ConfirmDelivery, DeclineContract, Event, RecordDelivery, SignContract, TerminateContract,
    WithdrawContract,
};
use headwater_ledger::hash::{ContractId, Digest};
use headwater_ledger::state::Records as _;
use headwater_ledger::state::record::ContractRecord;
use headwater_ledger::text::Code;

pub use self::propose::ProposeArgs;
use super::common::OneArgs;
use crate::build::{Acting, ActingArgs};
use crate::commitment::Lines;
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::output::Page;
use crate::salts::Salts;
use crate::session::Session;
use crate::show;
use crate::value::moment::show_end;

/// Propose, sign and fulfil three-party contracts.
#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Propose a contract over an accepted listing, as its seller
    #[command(after_help = "\
Examples:
  headwater contract propose 01234567 --buyer pharma-inc --price 2000000.00 --currency CNY \\
      --purpose commercial --territory CN --days 365 --as insight-co
  headwater contract propose 01234567 --buyer pharma-inc --price 2000000.00 --currency CNY \\
      --exclusive --instalment 500000.00=2027-01-31 --instalment 1500000.00=2027-06-30 \\
      --as insight-co

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
    /// Confirm the delivery as the buyer, or deem it confirmed once the rulebook's time is over
    #[command(after_help = "\
Examples:
  headwater contract confirm 01234567 --as pharma-inc
  headwater contract confirm 01234567 --as insight-co

The buyer can do so whether or not the seller has recorded the delivery. Seller and exchange can when it is
recorded, the rulebook's time is over, and every dispute about the contract or its payments is final. Once a
ruling, or seller and buyer, have ended the contract only the buyer still can. Until somebody does, what was
paid stays held: time alone confirms nothing.")]
    Confirm(OneArgs),
    /// Decline a contract before all three have signed, as its buyer or exchange
    #[command(after_help = "\
Examples:
  headwater contract decline 01234567 --as pharma-inc")]
    Decline(OneArgs),
    /// Withdraw a contract before all three have signed, as its seller
    #[command(after_help = "\
Examples:
  headwater contract withdraw 01234567 --as insight-co")]
    Withdraw(OneArgs),
    /// End a signed contract: seller and buyer together, or the exchange over an overdue instalment
    #[command(after_help = "\
Examples:
  headwater contract terminate 01234567 --as insight-co
  headwater contract terminate 01234567 --as pharma-inc

The licence ends; money paid stands unless it is refunded.")]
    Terminate(OneArgs),
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

impl ContractCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            ContractCommand::Propose(args) => args.run(session),
            ContractCommand::Sign(args) => args.run(session),
            ContractCommand::Deliver(args) => args.run(session),
            ContractCommand::Confirm(args) => {
                args.act(session, |contract| Event::ConfirmDelivery(ConfirmDelivery { contract }))
            }
            ContractCommand::Decline(args) => {
                args.act(session, |contract| Event::DeclineContract(DeclineContract { contract }))
            }
            ContractCommand::Withdraw(args) => {
                args.act(session, |contract| Event::WithdrawContract(WithdrawContract { contract }))
            }
            ContractCommand::Terminate(args) => args
                .act(session, |contract| Event::TerminateContract(TerminateContract { contract })),
        }
    }
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

impl SignArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let asks = !self.yes && !self.acting.dry_run;
        if asks && !io::stdin().is_terminal() {
            let message = "nobody is there to agree to the terms";
            return Err(Failure::new(Kind::Usage, message)
                .hint("look at the terms with --dry-run, then pass --yes"));
        }
        let acting = Acting::begin(session, &self.acting)?;
        let id = acting.id(&self.contract)?;
        let contract = proved_contract(&acting, &id)?;
        let product = product_name(&acting, &contract)?;
        show_terms(&id, &product, &contract).map_err(|error| Failure::output(&error))?;
        if asks && !agreed()? {
            return Err(Failure::new(Kind::Refused, "nothing was signed")
                .hint("run the command again to sign, or `headwater contract decline`"));
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
    if licence.exclusive {
        page.field("", "exclusive: no other licence of the product overlaps it")?;
    }
    for part in &contract.instalments {
        let amount = show::money(part.amount, &contract.currency);
        page.field("instalment", format_args!("{amount} by {}", show_end(part.due_ms)))?;
    }
    if contract.related_parties {
        page.field("", "seller and buyer belong together")?;
    }
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
        let contract: ContractId = acting.id(&self.contract)?;
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
