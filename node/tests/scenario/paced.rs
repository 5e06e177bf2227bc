//! A node's application that makes blocks only when it is told, so that a story on a network has
//! the heights its text counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use headwater_ledger::certificate::CommitCertificate;
use headwater_ledger::hash::{BlockId, ChainId, ValidatorAddress};
use headwater_ledger::validator::ValidatorSet;
use headwater_node::app::App;
use headwater_node::application::{Application, BlockSummary, Fault, Freshness, Verdict};

/// The application as it is, but for when it has work: below the wanted height and nowhere else.
pub struct Paced {
    /// The application.
    pub app: Arc<Mutex<App>>,
    /// The height up to which blocks are made.
    pub wanted: Arc<AtomicU64>,
}

impl Paced {
    fn app(&self) -> MutexGuard<'_, App> {
        self.app.lock().expect("the application is whole")
    }
}

impl Application for Paced {
    fn has_work(&self) -> bool {
        self.app().tip_height() < self.wanted.load(Ordering::SeqCst)
    }

    fn chain_id(&self) -> ChainId {
        Application::chain_id(&*self.app())
    }
    fn tip_height(&self) -> u64 {
        self.app().tip_height()
    }
    fn tip_time_ms(&self) -> u64 {
        self.app().tip_time_ms()
    }
    fn latest_fresh_time_ms(&self) -> u64 {
        self.app().latest_fresh_time_ms()
    }
    fn validators(&self) -> Arc<ValidatorSet> {
        self.app().validators()
    }
    fn build_block(
        &mut self,
        height: u64,
        round: u32,
        proposer: ValidatorAddress,
    ) -> Result<(BlockId, Bytes), Fault> {
        self.app().build_block(height, round, proposer)
    }
    fn summarize(&self, block: &[u8]) -> Option<BlockSummary> {
        self.app().summarize(block)
    }
    fn check_block(&mut self, block: &[u8], freshness: Freshness) -> Verdict {
        self.app().check_block(block, freshness)
    }
    fn commit(&mut self, block: Bytes, certificate: CommitCertificate) -> Result<(), Fault> {
        self.app().commit(block, certificate)
    }
    fn decided(&self, height: u64) -> Result<Option<(Bytes, CommitCertificate)>, Fault> {
        self.app().decided(height)
    }
    fn min_height(&self) -> u64 {
        self.app().min_height()
    }
}
