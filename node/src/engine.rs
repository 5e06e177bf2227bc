//! Consensus: the one module that knows the Malachite library.
//!
//! [`Engine::start`] runs it on a thread of its own, so that building, checking and committing
//! blocks never occupies an asynchronous worker. Everything above sees [`Engine`],
//! [`EngineView`] and the [`Application`](crate::application::Application) trait.

mod codec; // engine messages as canonical bytes
mod context; // our types in the library's shapes
mod last_signed; // the guard against double signing
mod node; // sessions one after another: voting, abstaining, following
mod session; // one run of the library and its message loop
mod settings; // configuration
mod sign_bytes; // what is signed besides votes
mod signing; // signer and verifier
mod standing; // when a validator may sign
mod streams; // blocks as streams of parts
mod undecided; // durable bodies of blocks being voted on
mod view; // what the rest of the node may see

use std::path::Path;
use std::sync::Arc;

use headwater_ledger::hash::{ChainId, ValidatorAddress};
use tokio::sync::{Notify, oneshot, watch};

use crate::application::{Fault, SharedApplication};
pub use settings::{EngineConfig, EngineKeys, Timeouts, peer_id};
pub use view::{EngineView, Mode, Peer, metrics_text};

/// Why the engine ended. Every one of these stops the node with a non-zero exit code.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The configuration makes no sense.
    #[error("{0}")]
    Config(String),
    /// The library did not start: a port in use, a log that cannot be opened.
    #[error("the consensus engine does not start: {0}")]
    Start(String),
    /// The library stopped by itself, most often because its log could not be written.
    #[error("the consensus engine stopped: {0}")]
    Stopped(String),
    /// A file of the engine cannot be read or written.
    #[error("{0}")]
    Store(String),
    /// The application found a bug or a damaged store.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The running engine.
pub struct Engine {
    view: Arc<EngineView>,
    shutdown: watch::Sender<bool>,
    ended: oneshot::Receiver<Result<(), EngineError>>,
}

impl Engine {
    /// Starts the engine. Call it within a Tokio runtime.
    ///
    /// `work` is notified when something arrives that can go into a block. Errors, those of the
    /// configuration included, come out of [`Engine::ended`].
    pub fn start(
        config: EngineConfig,
        keys: EngineKeys,
        application: SharedApplication,
        work: Arc<Notify>,
    ) -> Engine {
        let (shutdown, stop) = watch::channel(false);
        let (done, ended) = oneshot::channel();
        let view = Arc::new(EngineView::default());
        let runtime = tokio::runtime::Handle::current();
        let seen = Arc::clone(&view);
        std::thread::spawn(move || {
            let run = node::run(config, keys, application, work, seen, stop);
            let _ = done.send(runtime.block_on(run));
        });
        Engine { view, shutdown, ended }
    }

    /// What the rest of the node may see of the engine.
    pub fn view(&self) -> Arc<EngineView> {
        Arc::clone(&self.view)
    }

    /// Asks the engine to end after the message it works on.
    pub fn shutdown(&self) {
        self.shutdown.send_replace(true);
    }

    /// Waits until the engine has ended: `Ok` after [`Engine::shutdown`], else why.
    pub async fn ended(&mut self) -> Result<(), EngineError> {
        let gone = || EngineError::Stopped("its thread panicked; see the log above".into());
        (&mut self.ended).await.unwrap_or_else(|_| Err(gone()))
    }
}

/// Records an operator's word that the validator signed nothing above `height`, so that it votes
/// again without waiting. A false word can fork the chain; the node must not be running.
pub fn vouch_nothing_signed_above(
    home: &Path,
    chain_id: ChainId,
    validator: ValidatorAddress,
    height: u64,
) -> Result<(), EngineError> {
    last_signed::Guard::vouch(home, chain_id, validator, height)
        .map(drop)
        .map_err(|e| EngineError::Store(e.to_string()))
}
