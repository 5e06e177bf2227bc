//! `headwater grant`: offers, requests, answers, renews and ends grants.

mod request;
mod terms;

use clap::{Args, Subcommand};
use headwater_ledger::event::rights::GrantRight;
use headwater_ledger::event::{
    AcceptGrant, DeclineGrant, Event, OfferGrant, RevokeGrant, SurrenderGrant, TakeOffer,
    WithdrawOffer,
};
use headwater_ledger::text::Handle;

pub use self::request::{
    ApproveRequestsArgs, DeclineRequestsArgs, OfferStandingArgs, RequestArgs, UntilArgs,
};
pub use self::terms::TermsArgs;
use super::common::OneArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::moment::{DAY_MS, Moment};

/// Offer, request, answer, renew and end grants.
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Offer a member the use of an asset under a right
    #[command(after_help = "\
Examples:
  headwater grant offer city-hospital/admissions-2026 --to data-works --right processing \\
      --purpose health-research,commercial --territory CN --days 365 --floor 500 \\
      --filing-window 30
  headwater grant offer data-works/cohort --to insight-co --right operation \\
      --purpose commercial --territory CN --until 2027-12-31 --depth 1 --under 01234567
  headwater grant offer city-hospital/admissions-2026 --to data-works --right processing \\
      --purpose commercial --territory CN --days 90 --sole --revocation sunset:30
  headwater grant offer city-hospital/admissions-2026 --to small-lab --right processing \\
      --purpose commercial --territory CN --days 30 --parent 01234567 --as data-works

A date alone means its first millisecond after --from and its last after --until, in UTC.
The grant's id is printed; the grantee accepts it with `headwater grant accept`.
--parent sub-licenses a grant of your own. --dry-run shows what the floor, and those that bind the
asset already, leave to whoever derives from it.")]
    Offer(Box<OfferArgs>),
    /// Accept a grant offered to you
    #[command(after_help = "\
Examples:
  headwater grant accept 01234567 --as data-works

`headwater inbox approve --all-grants` accepts all that are offered to you.")]
    Accept(OneArgs),
    /// Decline a grant offered to you
    #[command(after_help = "\
Examples:
  headwater grant decline 01234567 --as data-works")]
    Decline(OneArgs),
    /// End a grant, or take an offer back, as whoever granted it
    #[command(after_help = "\
Examples:
  headwater grant revoke 01234567 --as city-hospital

What follows for what was made under it is what the grant's terms say of revocation. A grant that is over
is not revoked, unless its revocation suspends what is below.")]
    Revoke(OneArgs),
    /// Give a grant back, as its grantee
    #[command(after_help = "\
Examples:
  headwater grant surrender 01234567 --as data-works

Nothing new can rest on the grant from then on; what was made under it stays.")]
    Surrender(OneArgs),
    /// Extend a grant that has not ended, as whoever granted it
    #[command(after_help = "\
Examples:
  headwater grant renew 01234567 --until 2028-12-31 --as city-hospital")]
    Renew(UntilArgs),
    /// After a revocation, let work done before it be filed until some time
    #[command(after_help = "\
Examples:
  headwater grant consent-filing 01234567 --until 2027-03-31 --as city-hospital")]
    ConsentFiling(UntilArgs),
    /// Ask for a grant, with its terms
    #[command(after_help = "\
Examples:
  headwater grant request city-hospital/admissions-2026 --right processing \\
      --purpose health-research --territory CN --days 365 --floor 500 --as data-works

When it is approved it becomes a grant with the same id.")]
    Request(Box<RequestArgs>),
    /// Grant requests as they were asked for, many at once
    #[command(after_help = "\
Examples:
  headwater grant approve-requests 01234567 89abcdef --as city-hospital")]
    ApproveRequests(ApproveRequestsArgs),
    /// Decline requests, many at once, or take your own back
    #[command(after_help = "\
Examples:
  headwater grant decline-requests 01234567 89abcdef --as city-hospital")]
    DeclineRequests(DeclineRequestsArgs),
    /// Offer the same grant to whoever takes it
    #[command(after_help = "\
Examples:
  headwater grant offer-standing city-hospital/admissions-2026 --right processing \\
      --purpose general-research --territory CN --days 365 --take-by 2026-12-31 \\
      --as city-hospital")]
    OfferStanding(Box<OfferStandingArgs>),
    /// Take a standing offer
    #[command(after_help = "\
Examples:
  headwater grant take 01234567 --as data-works

Once; again after you gave the grant back, unused where derivations are counted.")]
    Take(OneArgs),
    /// End a standing offer; grants taken stay
    #[command(after_help = "\
Examples:
  headwater grant withdraw-offer 01234567 --as city-hospital")]
    WithdrawOffer(OneArgs),
}

/// Arguments of `headwater grant offer`.
#[derive(Debug, Args)]
pub struct OfferArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// Who may use it
    #[arg(long, value_name = "HANDLE")]
    to: Handle,
    #[command(flatten)]
    terms: TermsArgs,
    /// For operation of a derived asset: operation grants on its inputs that allow this one
    #[arg(long, value_name = "GRANT", value_delimiter = ',')]
    under: Vec<ObjectRef>,
    /// The grant of yours that this one sub-licenses
    #[arg(long, value_name = "GRANT")]
    parent: Option<ObjectRef>,
    #[command(flatten)]
    acting: ActingArgs,
}

impl GrantCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            GrantCommand::Offer(args) => args.run(session),
            GrantCommand::Accept(args) => {
                args.act(session, |grant| Event::AcceptGrant(AcceptGrant { grant }))
            }
            GrantCommand::Decline(args) => {
                args.act(session, |grant| Event::DeclineGrant(DeclineGrant { grant }))
            }
            GrantCommand::Revoke(args) => {
                args.act(session, |grant| Event::RevokeGrant(RevokeGrant { grant }))
            }
            GrantCommand::Surrender(args) => {
                args.act(session, |grant| Event::SurrenderGrant(SurrenderGrant { grant }))
            }
            GrantCommand::Renew(args) => args.renew(session),
            GrantCommand::ConsentFiling(args) => args.consent_filing(session),
            GrantCommand::Request(args) => args.run(session),
            GrantCommand::ApproveRequests(args) => args.run(session),
            GrantCommand::DeclineRequests(args) => args.run(session),
            GrantCommand::OfferStanding(args) => args.run(session),
            GrantCommand::Take(args) => {
                args.act(session, |offer| Event::TakeOffer(TakeOffer { offer }))
            }
            GrantCommand::WithdrawOffer(args) => {
                args.act(session, |offer| Event::WithdrawOffer(WithdrawOffer { offer }))
            }
        }
    }
}

/// End of a term given as a moment or as a number of days.
pub(super) fn end_ms(begin_ms: u64, until: Option<Moment>, days: Option<u32>) -> Option<u64> {
    until.map(Moment::end_ms).or_else(|| {
        let days = days?;
        Some(begin_ms.saturating_add(u64::from(days).saturating_mul(DAY_MS)))
    })
}

impl OfferArgs {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let terms = self.terms.terms(self.acting.approve)?;
        let acting = Acting::begin(session, &self.acting)?;
        let under = acting.ids(&self.under)?;
        let parent = self.parent.as_ref().map(|parent| acting.id(parent)).transpose()?;
        let asset = acting.asset(&self.asset);
        let (right, grantee) = (self.terms.right, self.to);
        let preview = match right {
            GrantRight::Processing => acting.floor_preview(&asset, &terms)?,
            GrantRight::Operation => None,
        };
        let offer = OfferGrant { asset, right, grantee, terms, under, parent };
        acting.act_previewed(Event::OfferGrant(offer), preview)
    }
}
