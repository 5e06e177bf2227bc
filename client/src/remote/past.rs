//! Which height a question is about: the latest, a height, or the last block up to a time.

use clap::Args;
use headwater_ledger::light::LightBlock;

use super::Connection;
use super::http::Exchange;
use crate::failure::{Failure, Kind};
use crate::show;
use crate::value::moment::Moment;

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
            (None, Some(moment)) => connection.height_at(moment.end_ms()).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Connection {
    /// The height of the last block with a time up to this one. That block and the one after it
    /// are proved, and times only rise, so nothing else can be that height.
    pub fn height_at(&self, time_ms: u64) -> Result<u64, Failure> {
        let exchange = self.node().get("/v1/blocks/latest")?.ok()?;
        let latest: LightBlock = exchange.parse()?;
        self.prove(&latest, &exchange)?;
        if latest.header.time_ms <= time_ms {
            return Ok(latest.header.height);
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
            return Err(Failure::new(Kind::NotFound, message).hint("ask for a later time"));
        };
        self.prove(&block, &exchange)?;
        Ok(block.header.height)
    }
}
