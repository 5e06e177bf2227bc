//! Sessions of the library one after another.
//!
//! The library cannot be told to stop or start voting, so a validator that must abstain runs a
//! session under an address outside the validator set, and a new one when it may vote again.

use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};

use headwater_ledger::hash::{ChainId, ValidatorAddress};
use headwater_ledger::validator::address_of;
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use super::session::{self, Ended};
use super::settings::{EngineConfig, EngineKeys};
use super::standing::{Standing, Until};
use super::undecided::UndecidedStore;
use super::view::{EngineView, Mode};
use super::{EngineError, settings};
use crate::application::{Application, Fault, SharedApplication};

/// What stays the same from session to session.
pub(super) struct Node {
    pub config: EngineConfig,
    pub keys: EngineKeys,
    pub work: Arc<Notify>,
    pub view: Arc<EngineView>,
    pub chain_id: ChainId,
    /// The address of the validator key, if there is one.
    pub validator: Option<ValidatorAddress>,
    application: SharedApplication,
}

impl Node {
    /// Locks the application. Its panics are faults.
    pub fn application(&self) -> Result<MutexGuard<'_, dyn Application + 'static>, EngineError> {
        lock(&self.application)
    }

    /// The folder of undecided blocks, above the tip.
    pub fn undecided(&self, tip: u64) -> Result<UndecidedStore, EngineError> {
        UndecidedStore::open(self.config.home.join("undecided"), tip)
            .map_err(|e| EngineError::Store(e.to_string()))
    }

    /// The engine's log.
    pub fn log_path(&self) -> std::path::PathBuf {
        self.config.home.join("wal").join("consensus.wal")
    }

    fn standing_at_start(&self) -> Result<Standing, EngineError> {
        let Some(validator) = self.validator else { return Ok(Standing::Follow) };
        let application = self.application()?;
        let tip = application.tip_height();
        let is_new_home = tip == 0 && !self.log_path().exists() && self.undecided(0)?.is_empty();
        let home = &self.config.home;
        Standing::at_start(home, self.chain_id, validator, is_new_home, &*application)
    }
}

fn lock(
    application: &Mutex<dyn Application>,
) -> Result<MutexGuard<'_, dyn Application + 'static>, EngineError> {
    let fault = || Fault::new("the application panicked; see the log above");
    application.lock().map_err(|_| fault().into())
}

/// Runs the engine until it is told to stop or something is wrong.
pub(super) async fn run(
    config: EngineConfig,
    keys: EngineKeys,
    application: SharedApplication,
    work: Arc<Notify>,
    view: Arc<EngineView>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), EngineError> {
    fs::create_dir_all(&config.home)
        .map_err(|e| EngineError::Store(format!("cannot use {}: {e}", config.home.display())))?;
    let chain_id = lock(&application)?.chain_id();
    let validator = keys.consensus.as_ref().map(|key| address_of(&key.public_key()));
    let node = Node { config, keys, application, work, view, chain_id, validator };
    let result = sessions(&node, &mut stop).await;
    node.view.set(Mode::Stopped, None);
    if let Err(e) = &result {
        error!(error = %e, "the engine has ended");
    }
    result
}

async fn sessions(node: &Node, stop: &mut watch::Receiver<bool>) -> Result<(), EngineError> {
    let mut standing = node.standing_at_start()?;
    let peer = settings::peer_id(&node.keys.network_seed);
    loop {
        match &standing {
            Standing::Follow => info!(%peer, "following without a validator key"),
            Standing::Abstain(until) => warn!(%peer, ?until, "abstaining"),
            Standing::Vote(guard) => info!(%peer, last_signed = ?guard.last(), "voting"),
        }
        standing = match (session::run(node, standing, stop).await?, node.validator) {
            (Ended::Shutdown, _) => return Ok(()),
            (Ended::MayVote { above }, Some(validator)) => {
                Standing::vote_above(&node.config.home, node.chain_id, validator, above)?
            }
            (Ended::MustAbstain { height }, Some(_)) => Standing::Abstain(Until::Decided(height)),
            // A follower never gets here by its standing; a body it lost it fetches again.
            (Ended::MayVote { .. } | Ended::MustAbstain { .. }, None) => Standing::Follow,
        };
    }
}
