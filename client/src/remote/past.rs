//! Which height a question is about: the latest, a height, or the last block up to a time.

use clap::Args;
use headwater_ledger::light::LightBlock;

use super::Connection;
use super::http::Exchange;
use crate::failure::{Failure, Kind};
use crate::show;
use crate::value::moment::{Moment, now_ms};

/// The options of every query that name the height it is about.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AtArgs {
    /// Height to ask about [default: the latest]
    #[arg(long, value_name = "HEIGHT")]
    at: Option<u64>,
    /// Ask about the last block up to this time, or up to the end of this day
    #[arg(long, value_name = "TIME", conflicts_with = "at")]
    at_time: Option<Moment>,
}

impl AtArgs {
    /// The height asked about; `None` for the latest.
    pub fn height(&self, connection: &Connection) -> Result<Option<u64>, Failure> {
        match (self.at, self.at_time) {
            (Some(height), _) => Ok(Some(height)),
            (None, Some(moment)) => connection.height_at(moment).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Connection {
    /// The height of the last block with a time up to this one. That block and the one after it
    /// are proved, and times only rise, so nothing else can be that height. Of a time that is still
    /// to come nothing can be said.
    pub fn height_at(&self, moment: Moment) -> Result<u64, Failure> {
        let time_ms = moment.end_ms();
        let exchange = self.node().get("/v1/blocks/latest")?.ok()?;
        let latest: LightBlock = exchange.parse()?;
        self.prove(&latest, &exchange)?;
        if latest.header.time_ms <= time_ms {
            return self.latest_for(moment, &latest);
        }
        // The block at `above` is later than asked for; that at `below` is not.
        let (mut below, mut above) = (None::<(LightBlock, Exchange)>, (latest, exchange));
        loop {
            let low = below.as_ref().map_or(0, |(block, _)| block.header.height);
            let high = above.0.header.height;
            if high - low <= 1 {
                break;
            }
            let found = self.light_block(low.midpoint(high))?;
            match found.0.header.time_ms <= time_ms {
                true => below = Some(found),
                false => above = found,
            }
        }
        self.prove(&above.0, &above.1)?;
        let Some((block, exchange)) = below else {
            let message = format_args!(
                "the first block is of {}, after the time asked for",
                show::time(above.0.header.time_ms)
            );
            return Err(Failure::new(Kind::NotFound, message)
                .hint("ask about a later time, or about the first block with --at 1"));
        };
        self.prove(&block, &exchange)?;
        Ok(block.header.height)
    }

    /// The height of the latest block, which is not later than the moment asked about.
    fn latest_for(&self, moment: Moment, latest: &LightBlock) -> Result<u64, Failure> {
        let (height, time_ms) = (latest.header.height, latest.header.time_ms);
        let trusted = self.trusted().height;
        if height < trusted {
            return Err(super::behind(height, trusted));
        }
        if moment.begin_ms() > now_ms().max(time_ms) {
            let message = format_args!(
                "{} is still to come; the latest block, {height}, is of {}",
                show::time(moment.begin_ms()),
                show::time(time_ms)
            );
            return Err(Failure::new(Kind::NotFound, message)
                .hint("leave --at-time out to ask about the latest block"));
        }
        Ok(height)
    }
}
