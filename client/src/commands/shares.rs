//! `headwater shares`: how money that reaches a product falls.

use std::io;

use clap::Args;
use headwater_ledger::query::{self, Shares};
use headwater_ledger::state::record::ListingStatus;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::past::AtArgs;
use crate::remote::resolve::AssetRef;
use crate::remote::view::AsOf;
use crate::session::Session;
use crate::show;

const AFTER_HELP: &str = "\
Examples:
  headwater shares insight-co/breast-cancer-report
  headwater shares insight-co/breast --at 120 --json

PRODUCT is HANDLE/NAME, an id, or HANDLE/ and the begin of a name that only one asset has.

With --json:
  {\"as_of\":{chain_id,height,block_id,time_ms,state_root},
   \"product\":ID,\"name\":\"handle/name\",\"schedule\":HASH,
   \"claims\":[{asset,name,right,units,epoch,owners:[{member,parts}]}],
   \"listings\":[{id,exchange,seller,fee_bp,status,schedule,height}]}
Units add up to 10^18, parts to 10 000.";

/// Arguments of `headwater shares`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct SharesArgs {
    /// The product
    product: AssetRef,
    #[command(flatten)]
    at: AtArgs,
}

#[derive(Serialize)]
struct SharesReport {
    as_of: AsOf,
    #[serde(flatten)]
    shares: Shares,
}

impl SharesArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at.height(&connection)?)?;
        let product = view.asset_id(&self.product)?;
        let shares = view.ask(|view| query::shares(view, &product))?;
        session.output.report(&SharesReport { as_of: view.as_of(), shares })
    }
}

impl Report for SharesReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let s = &self.shares;
        page.field("product", &s.name)?;
        page.field("id", s.product)?;
        page.field("schedule", s.schedule)?;
        page.line("")?;
        let mut claims: Vec<&query::ShareLine> = s.claims.iter().collect();
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.units));
        let shares = claims.iter().map(|claim| show::percent(claim.units)).collect();
        let rows = claims.iter().zip(show::right_aligned(shares)).map(|(claim, share)| {
            [claim.name.clone(), claim.right.to_string(), share, owners(claim)]
        });
        page.table(["asset", "right", "share", "owned by"], rows)?;
        page.line("")?;
        page.line(
            "Of each sale's net: what is left of the price after tax and the exchange's fee.",
        )?;
        page.line("")?;
        self.listings(page)?;
        proved(page, &self.as_of)
    }
}

fn owners(claim: &query::ShareLine) -> String {
    match &claim.owners[..] {
        [only] => only.member.to_string(),
        several => {
            let shown = |o: &headwater_ledger::event::rights::Owner| {
                format!("{} {}", o.member, show::basis_points(o.parts))
            };
            several.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
    }
}

impl SharesReport {
    fn listings(&self, page: &mut Page<'_>) -> io::Result<()> {
        let s = &self.shares;
        if s.listings.is_empty() {
            page.line("Not listed anywhere, so this schedule is not agreed with anybody yet.")?;
            return page.line("");
        }
        let rows = s.listings.iter().map(|listing| {
            let status = match listing.status {
                ListingStatus::Pending => "waits for the exchange",
                ListingStatus::Accepted => "accepted",
                ListingStatus::Rejected => "rejected",
                ListingStatus::Delisted => "ended",
            };
            let frozen = if listing.schedule == s.schedule { "this one" } else { "another" };
            [
                listing.exchange.to_string(),
                show::basis_points(listing.fee_bp),
                status.to_string(),
                frozen.to_string(),
                listing.id.to_string(),
            ]
        });
        page.table(["listed at", "fee", "status", "schedule", "listing"], rows)?;
        page.line("")
    }
}

/// The last line of every proved answer.
pub(super) fn proved(page: &mut Page<'_>, as_of: &AsOf) -> io::Result<()> {
    page.line(format_args!(
        "As of height {} ({}), proved by the certificate of block {}.",
        show::grouped(as_of.height),
        show::time(as_of.time_ms),
        show::short(as_of.block_id.digest())
    ))
}
