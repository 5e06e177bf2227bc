//! `headwater inbox`: what waits for a member's decision, and deciding on many things at once.

use std::io;

use clap::{Args, Subcommand};
use headwater_ledger::codec::List;
use headwater_ledger::event::market::Decision;
use headwater_ledger::event::{
    AcceptGrant, AcceptSuccession, AcceptTransfer, ApproveChange, ApproveRequests, ConfirmDelivery,
    DecideAccess, DecideRegistration, Event, ReviewListing, SignContract, TerminateContract,
};
use headwater_ledger::hash::{
    AccessId, ChangeId, ContractId, Digest, GrantId, ListingId, RegistrationId, RequestId,
    SuccessionId, TransferId,
};
use headwater_ledger::limits::MAX_ANSWERS;
use headwater_ledger::query::{self, BlockTime, Inbox, InboxAction, InboxItem, InboxKind};
use headwater_ledger::state::Records as _;
use headwater_ledger::text::Handle;
use serde::Serialize;

use super::shares::proved;
use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::view::{AsOf, VerifiedView};
use crate::session::Session;
use crate::show;
use crate::value::choice;
use crate::value::moment::show_end;

const AFTER_HELP: &str = "\
Examples:
  headwater inbox --as city-hospital
  headwater inbox city-hospital --json
  headwater inbox approve 01234567 89abcdef --as city-hospital

A regulator finds the disputes it may rule on; a successor, everything that waited for the members
it acts for.

With --json:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"member\":HANDLE,
   \"items\":[{id,kind,asset,from,summary,actions:[…],until_ms,height}]}";

/// Arguments of `headwater inbox`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct InboxArgs {
    #[command(subcommand)]
    command: Option<InboxCommand>,
    /// The member [default: the one who acts]
    member: Option<Handle>,
    /// Height to ask about [default: the latest]
    #[arg(long, value_name = "HEIGHT")]
    at: Option<u64>,
}

/// What can be done with an inbox.
#[derive(Debug, Subcommand)]
pub enum InboxCommand {
    /// Say yes to many things in one envelope: all of them are recorded, or none
    #[command(after_help = "\
Examples:
  headwater inbox approve 01234567 89abcdef --as city-hospital
  headwater inbox approve --all-grants --as data-works
  headwater inbox approve --all request,access --dry-run --as city-hospital

Accepts grants, transfers and successions, approves requests and changes, accepts accesses, listings
and registrations, signs contracts, or ends them as the other party wants, confirms deliveries.
Disputes and payouts are left alone.")]
    Approve(ApproveArgs),
}

/// Arguments of `headwater inbox approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// What to approve: ids as the inbox shows them, or at least 8 digits of each
    #[arg(value_name = "ID", required_unless_present_any = ["all_grants", "all"])]
    ids: Vec<ObjectRef>,
    /// All grants offered
    #[arg(long)]
    all_grants: bool,
    /// Everything of these kinds: grant, transfer, request, access, registration, listing, contract,
    /// delivery, succession, change, termination
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = choice::parse::<InboxKind>)]
    all: Vec<InboxKind>,
    #[command(flatten)]
    acting: ActingArgs,
}

#[derive(Serialize)]
struct InboxReport {
    as_of: AsOf,
    #[serde(flatten)]
    inbox: Inbox,
}

impl InboxArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        if let Some(InboxCommand::Approve(args)) = self.command {
            return args.run(session);
        }
        let member = match self.member {
            Some(member) => member,
            None => session.acting()?.handle.clone(),
        };
        let connection = Connection::open(session)?;
        let view = connection.view(self.at)?;
        let inbox = view.ask(|view| query::inbox(view, &member, block_time(view)))?;
        session.output.report(&InboxReport { as_of: view.as_of(), inbox })
    }
}

/// The block after which a view asks.
fn block_time(view: &VerifiedView<'_>) -> BlockTime {
    let header = &view.block().header;
    BlockTime { height: header.height, time_ms: header.time_ms }
}

impl Report for InboxReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.field("member", &self.inbox.member)?;
        page.line("")?;
        if self.inbox.items.is_empty() {
            page.line("Nothing waits for a decision.")?;
        } else {
            let rows = self.inbox.items.iter().map(|item| {
                let actions: Vec<String> = item.actions.iter().map(action).collect();
                [
                    show::short(&item.id),
                    show::sentence(&item.summary),
                    item.asset.clone().unwrap_or_default(),
                    item.from.to_string(),
                    actions.join(" or "),
                    item.until_ms.map(show_end).unwrap_or_default(),
                ]
            });
            page.table(["id", "what", "asset", "from", "you can", "until"], rows)?;
        }
        page.line("")?;
        proved(page, &self.as_of)
    }
}

fn action(action: &InboxAction) -> String {
    match action {
        InboxAction::Accept => "accept",
        InboxAction::Decline => "decline",
        InboxAction::Sign => "sign",
        InboxAction::Confirm => "confirm",
        InboxAction::FileEvidence => "file evidence",
        InboxAction::Rule => "rule",
        InboxAction::Freeze => "freeze",
        InboxAction::Appeal => "appeal",
        InboxAction::Contest => "contest",
        InboxAction::Terminate => "terminate",
        InboxAction::Deliver => "deliver",
        InboxAction::Refund => "refund",
    }
    .to_string()
}

impl ApproveArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let view = acting.connection().view(None)?;
        let inbox = view.ask(|view| query::inbox(view, acting.author(), block_time(view)))?;
        let chosen = self.choose(&inbox.items)?;
        let mut events = Vec::new();
        let mut requests = Vec::new();
        for item in chosen {
            match item.kind {
                InboxKind::Request => requests.push(RequestId::from_digest(item.id)),
                _ => events.push(yes(&acting, item)?),
            }
        }
        for requests in requests.chunks(MAX_ANSWERS) {
            let requests = choice::list(requests.to_vec(), "requests")?;
            let under = List::default();
            events.push(Event::ApproveRequests(ApproveRequests { requests, under }));
        }
        if events.is_empty() {
            return Err(Failure::new(Kind::NotFound, "nothing of that waits for a decision")
                .hint("`headwater inbox` shows what does"));
        }
        acting.act_all(events, None)
    }

    /// The items that the arguments name.
    fn choose<'i>(&self, items: &'i [InboxItem]) -> Result<Vec<&'i InboxItem>, Failure> {
        let by_kind = |item: &&InboxItem| {
            let all =
                self.all.contains(&item.kind) || (self.all_grants && item.kind == InboxKind::Grant);
            all && !item.actions.is_empty()
        };
        let mut chosen: Vec<&InboxItem> = items.iter().filter(by_kind).collect();
        for id in &self.ids {
            let mut found =
                items.iter().filter(|item| item.id.to_string().starts_with(&id.to_string()));
            let (Some(item), None) = (found.next(), found.next()) else {
                let message = format_args!("{id} is not one thing that waits for a decision");
                return Err(Failure::new(Kind::NotFound, message)
                    .hint("`headwater inbox` shows what waits"));
            };
            if !chosen.iter().any(|other| other.id == item.id) {
                chosen.push(item);
            }
        }
        Ok(chosen)
    }
}

/// The event that says yes to an item.
fn yes(acting: &Acting<'_>, item: &InboxItem) -> Result<Event, Failure> {
    let id = item.id;
    let decision = Decision::Accept;
    Ok(match item.kind {
        InboxKind::Grant => Event::AcceptGrant(AcceptGrant { grant: GrantId::from_digest(id) }),
        InboxKind::Transfer => {
            Event::AcceptTransfer(AcceptTransfer { transfer: TransferId::from_digest(id) })
        }
        InboxKind::Request => {
            let requests = choice::list(vec![RequestId::from_digest(id)], "requests")?;
            Event::ApproveRequests(ApproveRequests { requests, under: List::default() })
        }
        InboxKind::Access => {
            Event::DecideAccess(DecideAccess { access: AccessId::from_digest(id), decision })
        }
        InboxKind::Registration => Event::DecideRegistration(DecideRegistration {
            registration: RegistrationId::from_digest(id),
            decision,
        }),
        InboxKind::Listing => {
            Event::ReviewListing(ReviewListing { listing: ListingId::from_digest(id), decision })
        }
        InboxKind::Termination => {
            Event::TerminateContract(TerminateContract { contract: ContractId::from_digest(id) })
        }
        InboxKind::Contract => {
            let contract = ContractId::from_digest(id);
            let schedule: Option<Digest> =
                acting.ask(|view| Ok(view.contract(&contract)?.map(|found| found.schedule)))?;
            let schedule = schedule.ok_or_else(|| {
                Failure::new(Kind::NotFound, format_args!("contract {contract} is not recorded"))
            })?;
            Event::SignContract(SignContract { contract, schedule })
        }
        InboxKind::Delivery => {
            Event::ConfirmDelivery(ConfirmDelivery { contract: ContractId::from_digest(id) })
        }
        InboxKind::Succession => {
            Event::AcceptSuccession(AcceptSuccession { succession: SuccessionId::from_digest(id) })
        }
        InboxKind::Change => {
            Event::ApproveChange(ApproveChange { change: ChangeId::from_digest(id) })
        }
        InboxKind::Dispute | InboxKind::Payout => {
            return not_yes(item, "see `headwater dispute` and `headwater payout contest`");
        }
        InboxKind::Sold => return not_yes(item, "see `headwater contract deliver`"),
        InboxKind::Instalment => {
            let hint = "the exchange records what was paid, or ends the contract with \
                        `headwater contract terminate`";
            return not_yes(item, hint);
        }
        InboxKind::Refund => return not_yes(item, "see `headwater payment refund`"),
    })
}

/// Something to which nobody simply says yes.
fn not_yes(item: &InboxItem, hint: &'static str) -> Result<Event, Failure> {
    let message = format_args!("{}: {} is not approved", item.id, item.summary);
    Err(Failure::new(Kind::Usage, message).hint(hint))
}
