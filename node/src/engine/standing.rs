//! Whether this node may sign. Implements [LED-DSIGN-4] to [LED-DSIGN-6].

use std::path::Path;

use headwater_ledger::hash::{ChainId, ValidatorAddress};

use super::EngineError;
use super::last_signed::{Found, Guard, RecordError};
use super::view::Mode;
use crate::application::Application;

/// What a node may do in a session.
#[derive(Debug)]
pub(super) enum Standing {
    /// It has no key and follows.
    Follow,
    /// It has a key and follows until something has happened.
    Abstain(Until),
    /// It votes, held to its record.
    Vote(Guard),
}

/// What must happen before a validator may vote again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// This height is decided.
    Decided(u64),
    /// A block above `height` with a time after `after_ms` is decided: it was proposed after this
    /// node had stopped signing, so no height the node can have signed is still open below it.
    Fresh { height: u64, after_ms: u64 },
}

impl Until {
    /// Whether it has happened.
    pub fn is_over(&self, application: &dyn Application) -> bool {
        let tip = application.tip_height();
        match *self {
            Until::Decided(height) => tip >= height,
            Until::Fresh { height, after_ms } => {
                tip > height && application.tip_time_ms() > after_ms
            }
        }
    }

    /// The wait of a validator that does not know what it signed.
    pub fn fresh(application: &dyn Application) -> Until {
        let height = application.tip_height();
        Until::Fresh { height, after_ms: application.latest_fresh_time_ms() }
    }
}

impl Standing {
    /// What the API shows.
    pub fn mode(&self) -> Mode {
        match self {
            Standing::Follow => Mode::Following,
            Standing::Abstain(_) => Mode::Abstaining,
            Standing::Vote(_) => Mode::Voting,
        }
    }

    /// The standing of a validator when the node starts.
    ///
    /// `is_new_home` says that the home holds no block, no log and no undecided block, so that
    /// nothing can have been signed from it.
    pub fn at_start(
        home: &Path,
        chain_id: ChainId,
        validator: ValidatorAddress,
        is_new_home: bool,
        application: &dyn Application,
    ) -> Result<Standing, EngineError> {
        let store = |e: RecordError| EngineError::Store(e.to_string());
        match Guard::find(home, chain_id, validator).map_err(store)? {
            Found::Guard(guard) => {
                let last = guard.last().height;
                if Until::Decided(last.saturating_sub(1)).is_over(application) {
                    Ok(Standing::Vote(guard))
                } else {
                    // The block log is older than the record. Following up to there overwrites the
                    // engine's own log, and with it the lock that the last votes were cast under:
                    // the height of those votes is left to the others.
                    Ok(Standing::Abstain(Until::Decided(last)))
                }
            }
            Found::Nothing if is_new_home => Standing::vote_above(home, chain_id, validator, 0),
            Found::Nothing => Ok(Standing::Abstain(Until::fresh(application))),
        }
    }

    /// Votes above a decided height, and never again at or below it. A record that goes further
    /// stays as it is.
    pub fn vote_above(
        home: &Path,
        chain_id: ChainId,
        validator: ValidatorAddress,
        height: u64,
    ) -> Result<Standing, EngineError> {
        let store = |e: RecordError| EngineError::Store(e.to_string());
        match Guard::find(home, chain_id, validator).map_err(store)? {
            Found::Guard(guard) if guard.last().height > height => Ok(Standing::Vote(guard)),
            Found::Guard(_) | Found::Nothing => Guard::vouch(home, chain_id, validator, height)
                .map(Standing::Vote)
                .map_err(|e| EngineError::Store(e.to_string())),
        }
    }
}
