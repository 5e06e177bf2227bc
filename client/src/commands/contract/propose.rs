//! `headwater contract propose`.

use clap::Args;
use headwater_ledger::codec::List;
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::market::{Instalment, Licence};
use headwater_ledger::event::{Event, ProposeContract};
use headwater_ledger::hash::ListingId;
use headwater_ledger::limits::MAX_INSTALMENTS;
use headwater_ledger::money::Currency;
use headwater_ledger::state::Records as _;
use headwater_ledger::state::record::ListingRecord;
use headwater_ledger::text::{Code, Handle};

use crate::build::{Acting, ActingArgs};
use crate::commands::grant::end_ms;
use crate::failure::{Failure, Kind};
use crate::lookup::ObjectRef;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;
use crate::value::moment::{DAY_MS, Moment, now_ms};

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
    /// No other licence of the product may overlap it in purpose, territory and time
    #[arg(long)]
    exclusive: bool,
    /// A part of the price with the time it is due; in order of time, adding up to the price
    #[arg(long = "instalment", value_name = "AMOUNT=TIME", value_parser = parse_instalment)]
    instalments: Vec<(String, Moment)>,
    /// Days in which buyer and exchange can sign
    #[arg(long, value_name = "N", default_value_t = 7)]
    sign_by_days: u32,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Parses `AMOUNT=TIME`.
fn parse_instalment(text: &str) -> Result<(String, Moment), String> {
    let (amount, due) =
        text.split_once('=').ok_or("expected AMOUNT=TIME, such as 500000.00=2027-03-31")?;
    Ok((
        amount.to_string(),
        due.parse().map_err(|e: crate::value::moment::BadMoment| e.to_string())?,
    ))
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
            exclusive: self.exclusive,
            purposes: choice::list(purposes, "purposes")?,
            territories: choice::list(territories, "territories")?,
            not_after_ms,
        })
    }

    fn instalments(
        &self,
        price: u64,
        notation: Notation,
    ) -> Result<List<Instalment, MAX_INSTALMENTS>, Failure> {
        let mut parts = Vec::with_capacity(self.instalments.len());
        for (amount, due) in &self.instalments {
            let amount = amount::parse(amount, &self.currency, notation)?;
            parts.push(Instalment { amount, due_ms: due.end_ms() });
        }
        let sum: u128 = parts.iter().map(|part| u128::from(part.amount)).sum();
        if !parts.is_empty() && sum != u128::from(price) {
            return Err(Failure::new(Kind::Usage, "the instalments do not add up to the price")
                .hint("correct the --instalment options or --price"));
        }
        choice::list(parts, "instalments")
    }

    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        let price = amount::parse(&self.price, &self.currency, notation)?;
        let instalments = self.instalments(price, notation)?;
        let acting = Acting::begin(session, &self.acting)?;
        let id = acting.id::<ListingId>(&self.listing)?;
        let view = acting.connection().view(None)?;
        let height = view.block().header.height;
        let listing = view.ask(|view| Ok(view.listing(&id)?))?.ok_or_else(|| {
            let message =
                format_args!("listing {id} is not recorded as of height {height}, proved");
            Failure::new(Kind::NotFound, message).hint("correct the id")
        })?;
        let licence = self.licence(&listing)?;
        acting.act(Event::ProposeContract(ProposeContract {
            instalments,
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
