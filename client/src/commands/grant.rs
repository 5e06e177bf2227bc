//! `headwater grant`: offers, answers and revokes grants.

use clap::{Args, Subcommand};
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::rights::{GrantRight, Terms};
use headwater_ledger::event::{AcceptGrant, DeclineGrant, Event, OfferGrant, RevokeGrant};
use headwater_ledger::hash::GrantId;
use headwater_ledger::text::{Code, Handle};

use crate::build::{Acting, ActingArgs};
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::choice;
use crate::value::moment::{DAY_MS, Moment, now_ms};

/// Offer, answer and revoke grants.
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

A date alone means its first millisecond after --from and its last after --until, in UTC.
The grant's id is printed; the grantee accepts it with `headwater grant accept`.")]
    Offer(Box<OfferArgs>),
    /// Accept a grant offered to you
    #[command(after_help = "\
Examples:
  headwater grant accept 01234567 --as data-works")]
    Accept(AnswerArgs),
    /// Decline a grant offered to you
    #[command(after_help = "\
Examples:
  headwater grant decline 01234567 --as data-works")]
    Decline(AnswerArgs),
    /// End a grant for the future, as the manager of the right
    #[command(after_help = "\
Examples:
  headwater grant revoke 01234567 --as city-hospital

Nothing new can rest on the grant from then on; what was made under it stays.")]
    Revoke(AnswerArgs),
}

/// Arguments of `headwater grant offer`.
#[derive(Debug, Args)]
pub struct OfferArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// Who may use it
    #[arg(long, value_name = "HANDLE")]
    to: Handle,
    /// processing: to derive from it; operation: to sell what is made of it
    #[arg(long, value_name = "RIGHT", value_parser = choice::parse::<GrantRight>)]
    right: GrantRight,
    /// What for: general-research, health-research, disease-research, population-research,
    /// clinical-care, method-development, commercial
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',', required = true)]
    #[arg(value_parser = choice::parse::<Purpose>)]
    purposes: Vec<Purpose>,
    /// Where, such as CN or CN-GD
    #[arg(long = "territory", value_name = "CODE", value_delimiter = ',', required = true)]
    territories: Vec<Code>,
    /// Begin of the term [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// End of the term
    #[arg(long, value_name = "TIME", required_unless_present = "days", conflicts_with = "days")]
    until: Option<Moment>,
    /// Length of the term in days
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// For processing: least part of any descendant's sale that must reach the asset, in basis
    /// points
    #[arg(long, value_name = "BP", default_value_t = 0)]
    floor: u16,
    /// For operation: how many further steps may build on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    depth: u8,
    /// For processing: most derivations [default: any number]
    #[arg(long, value_name = "N")]
    max_derivations: Option<u32>,
    /// Cover later versions of the asset too
    #[arg(long)]
    future_versions: bool,
    /// For processing: days after the term in which work done within it may be filed
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    filing_window: u32,
    /// For operation of a derived asset: operation grants on its inputs that allow this one
    #[arg(long, value_name = "GRANT", value_delimiter = ',')]
    under: Vec<ObjectRef>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of the answers to a grant.
#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The grant's id, or at least 8 of its digits
    grant: ObjectRef,
    #[command(flatten)]
    acting: ActingArgs,
}

impl GrantCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            GrantCommand::Offer(args) => args.run(session),
            GrantCommand::Accept(args) => {
                args.run(session, |grant| Event::AcceptGrant(AcceptGrant { grant }))
            }
            GrantCommand::Decline(args) => {
                args.run(session, |grant| Event::DeclineGrant(DeclineGrant { grant }))
            }
            GrantCommand::Revoke(args) => {
                args.run(session, |grant| Event::RevokeGrant(RevokeGrant { grant }))
            }
        }
    }
}

/// The grants that these ids name.
pub(super) fn resolve_all(
    acting: &Acting<'_>,
    grants: &[ObjectRef],
) -> Result<Vec<GrantId>, Failure> {
    let resolve = |grant| Ok(GrantId::from_digest(acting.object(grant, "offer_grant")?));
    grants.iter().map(resolve).collect()
}

/// End of a term given as a moment or as a number of days.
pub(super) fn end_ms(begin_ms: u64, until: Option<Moment>, days: Option<u32>) -> Option<u64> {
    until.map(Moment::end_ms).or_else(|| {
        let days = days?;
        Some(begin_ms.saturating_add(u64::from(days).saturating_mul(DAY_MS)))
    })
}

impl OfferArgs {
    fn terms(&self) -> Result<Terms, Failure> {
        let not_before_ms = self.from.map_or_else(now_ms, Moment::begin_ms);
        let not_after_ms = end_ms(not_before_ms, self.until, self.days)
            .ok_or_else(|| Failure::new(Kind::Usage, "the end of the term is not given"))?;
        if not_before_ms > not_after_ms {
            return Err(Failure::new(Kind::Usage, "the term ends before it begins")
                .hint("correct --from, --until or --days"));
        }
        let needs = |option: &str, right: &str| {
            let message = format!("{option} is for {right} grants only");
            Err(Failure::new(Kind::Usage, message).hint("leave it out, or change --right"))
        };
        match self.right {
            GrantRight::Processing if self.depth > 0 => return needs("--depth", "operation"),
            GrantRight::Processing if !self.under.is_empty() => {
                return needs("--under", "operation");
            }
            GrantRight::Operation if self.floor > 0 => return needs("--floor", "processing"),
            GrantRight::Operation if self.max_derivations.is_some() => {
                return needs("--max-derivations", "processing");
            }
            GrantRight::Operation if self.filing_window > 0 => {
                return needs("--filing-window", "processing");
            }
            GrantRight::Processing | GrantRight::Operation => {}
        }
        Ok(Terms {
            purposes: choice::list(self.purposes.clone(), "purposes")?,
            territories: choice::list(self.territories.clone(), "territories")?,
            not_before_ms,
            not_after_ms,
            sublicence_depth: self.depth,
            max_derivations: self.max_derivations,
            future_versions: self.future_versions,
            floor_bp: self.floor,
            filing_window_ms: u64::from(self.filing_window) * DAY_MS,
        })
    }

    fn run(self, session: &Session) -> Result<(), Failure> {
        let terms = self.terms()?;
        let acting = Acting::begin(session, &self.acting)?;
        let under = choice::list(resolve_all(&acting, &self.under)?, "grants")?;
        let asset = acting.asset(&self.asset);
        let (right, grantee) = (self.right, self.to);
        acting.act(Event::OfferGrant(OfferGrant { asset, right, grantee, terms, under }))
    }
}

impl AnswerArgs {
    fn run(self, session: &Session, event: fn(GrantId) -> Event) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let grant = acting.object(&self.grant, "offer_grant")?;
        acting.act(event(GrantId::from_digest(grant)))
    }
}
