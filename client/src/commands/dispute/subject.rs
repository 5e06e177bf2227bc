//! `headwater dispute open`.

use clap::Args;
use headwater_ledger::event::dispute::{Ground, Slice, Subject};
use headwater_ledger::event::{Event, OpenDispute};
use headwater_ledger::hash::Digest;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::build::{Acting, ActingArgs};
use crate::commands::common::DocumentArgs;
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::choice;

/// Arguments of `headwater dispute open`.
#[derive(Debug, Args)]
pub struct OpenArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// ownership, misuse, misstatement, duplicate, compromise or performance
    #[arg(long, value_parser = choice::parse::<Ground>)]
    ground: Ground,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What a dispute is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct SubjectArgs {
    /// An asset as such: HANDLE/NAME or an id
    #[arg(long, group = "subject", help_heading = "Subject")]
    asset: Option<AssetRef>,
    /// A grant
    #[arg(long, group = "subject", help_heading = "Subject")]
    grant: Option<ObjectRef>,
    /// A payment
    #[arg(long, group = "subject", help_heading = "Subject")]
    payment: Option<ObjectRef>,
    /// A payout that did not arrive
    #[arg(long, group = "subject", help_heading = "Subject")]
    payout: Option<ObjectRef>,
    /// A contract
    #[arg(long, group = "subject", help_heading = "Subject")]
    contract: Option<ObjectRef>,
    /// Parts of what one owner has of a right over this asset
    #[arg(long, value_name = "ASSET", group = "subject", help_heading = "Subject")]
    #[arg(requires_all = ["right", "owner", "parts"])]
    share: Option<AssetRef>,
    /// With --share: holding, processing or operation
    #[arg(long, value_parser = choice::parse::<Right>, requires = "share")]
    #[arg(help_heading = "Subject")]
    right: Option<Right>,
    /// With --share: whose part
    #[arg(long, value_name = "HANDLE", requires = "share", help_heading = "Subject")]
    owner: Option<Handle>,
    /// With --share: how many of his parts of 10000
    #[arg(long, value_name = "PARTS", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    #[arg(requires = "share", help_heading = "Subject")]
    parts: Option<u16>,
}

impl SubjectArgs {
    /// The subject, and a digest that its documents are kept under.
    fn subject(&self, acting: &Acting<'_>) -> Result<(Subject, Digest), Failure> {
        let one = |subject: Subject, digest: &Digest| Ok((subject, *digest));
        if let Some(asset) = &self.asset {
            let asset = acting.asset(asset);
            return one(Subject::Asset(asset), asset.digest());
        }
        if let Some(grant) = &self.grant {
            let grant: headwater_ledger::hash::GrantId = acting.id(grant)?;
            return one(Subject::Grant(grant), grant.digest());
        }
        if let Some(payment) = &self.payment {
            let payment: headwater_ledger::hash::PaymentId = acting.id(payment)?;
            return one(Subject::Payment(payment), payment.digest());
        }
        if let Some(payout) = &self.payout {
            let payout: headwater_ledger::hash::PayoutId = acting.id(payout)?;
            return one(Subject::Payout(payout), payout.digest());
        }
        if let Some(contract) = &self.contract {
            let contract: headwater_ledger::hash::ContractId = acting.id(contract)?;
            return one(Subject::Contract(contract), contract.digest());
        }
        match (&self.share, self.right, &self.owner, self.parts) {
            (Some(asset), Some(right), Some(owner), Some(parts)) => {
                let asset = acting.asset(asset);
                let slice = Slice { asset, right, owner: owner.clone(), parts };
                one(Subject::Share(slice), asset.digest())
            }
            _ => Err(Failure::new(Kind::Usage, "what is disputed is not told")
                .hint("pass --asset, --grant, --share, --payment, --payout or --contract")),
        }
    }
}

impl OpenArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let (subject, digest) = self.subject.subject(&acting)?;
        let evidence = self.document.commit(&acting, "evidence", &digest)?;
        let ground = self.ground;
        acting.act(Event::OpenDispute(OpenDispute { subject, ground, evidence }))
    }
}
