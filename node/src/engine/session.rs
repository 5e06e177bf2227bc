//! One run of the library: starting it, its message loop, stopping it.

mod blocks; // proposals: build, assemble, check, stream
mod decisions; // commits, sync, pacing

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use headwater_ledger::hash::{BlockId, ValidatorAddress};
use malachitebft_app_channel::app::consensus::Error as ConsensusError;
use malachitebft_app_channel::app::engine::consensus::ConsensusMsg;
use malachitebft_app_channel::app::engine::host::{HeightParams, Next};
use malachitebft_app_channel::app::engine::util::events::Event;
use malachitebft_app_channel::app::types::codec::Codec as _;
use malachitebft_app_channel::app::types::core::{Height as _, VoteExtensionPolicy};
use malachitebft_app_channel::app::wal::Log;
use malachitebft_app_channel::{
    AppMsg, Channels, ConsensusContext, EngineHandle, NetworkContext, NetworkIdentity, NetworkMsg,
    Reply, RequestContext, Signer as _, SyncContext, WalContext, start_engine,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{error, info};

use super::EngineError;
use super::codec::WireCodec;
use super::context::{Address, Consensus, Height, Scheme, ValidatorSet};
use super::last_signed::GuardError;
use super::node::Node;
use super::settings::{self, Settings, network_key};
use super::signing::{ChainVerifier, GuardedSigner};
use super::standing::{Standing, Until};
use super::streams::Streams;
use super::undecided::{UndecidedError, UndecidedStore};

/// How long the library may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the port and the log may stay in use.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a session ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to.
    Shutdown,
    /// The reason to abstain is gone; nothing at or below this height may be signed any more.
    MayVote { above: u64 },
    /// A vote could contradict an earlier one, or a body is lost: follow until this is decided.
    MustAbstain { height: u64 },
}

/// A height that waits for something to record.
struct Pause {
    reply: Reply<Next<Consensus>>,
    until: Instant,
}

/// The state of a session.
struct Session<'a> {
    node: &'a Node,
    network: mpsc::Sender<NetworkMsg<Consensus>>,
    verifier: ChainVerifier,
    signer: Option<GuardedSigner>,
    /// Why this validator abstains, if it does.
    abstain: Option<Until>,
    tip: u64,
    /// The validators of the height above the tip.
    validators: ValidatorSet,
    /// The round of that height.
    round: u32,
    streams: Streams,
    undecided: UndecidedStore,
    /// Blocks of that height the library has been told of in this session.
    delivered: BTreeSet<BlockId>,
    pause: Option<Pause>,
    /// The highest height a validator was heard to work on.
    heard: u64,
    stream_prefix: u64,
    streams_sent: u64,
}

impl From<UndecidedError> for EngineError {
    fn from(e: UndecidedError) -> Self {
        EngineError::Store(e.to_string())
    }
}

/// Runs a session to its end.
pub(super) async fn run(
    node: &Node,
    standing: Standing,
    stop: &mut watch::Receiver<bool>,
) -> Result<Ended, EngineError> {
    let mode = standing.mode();
    let (signer, abstain) = match (standing, &node.keys.consensus) {
        (Standing::Vote(guard), Some(key)) => {
            (Some(GuardedSigner::new(node.chain_id, key.clone(), guard)), None)
        }
        (Standing::Abstain(until), _) => (None, Some(until)),
        (Standing::Vote(_) | Standing::Follow, _) => (None, None),
    };
    let (channels, engine) = start(node, signer.as_ref()).await?;
    let Channels { consensus, network, events, net_requests, requests: _requests } = channels;
    node.view.set(mode, Some(net_requests));
    let events = events.subscribe();
    let result = match Session::open(node, network, signer.clone(), abstain) {
        Ok(session) => session.serve(consensus, events, stop).await,
        Err(e) => Err(e),
    };
    // The loop has dropped its channels: a handler of the library that waits for us gives up.
    node.view.set(mode, None);
    close(engine).await;
    match (result?, signer.and_then(|s| s.take_failure())) {
        (Some(ended), _) => Ok(ended),
        (None, Some(GuardError::Refused(refusal))) => {
            error!(%refusal, "signature refused; abstaining from this height");
            Ok(Ended::MustAbstain { height: refusal.signed.height })
        }
        (None, Some(e @ GuardError::Write { .. })) => Err(EngineError::Store(e.to_string())),
        (None, None) => Err(EngineError::Stopped(
            "its log may be damaged or the disk full; see the log above, then start again".into(),
        )),
    }
}

async fn start(
    node: &Node,
    signer: Option<&GuardedSigner>,
) -> Result<(Channels<Consensus>, EngineHandle), EngineError> {
    let fail = |e: String| EngineError::Start(e);
    let key = network_key(&node.keys.network_seed);
    let own_id = key.public().to_peer_id();
    let settings = Settings::of(&node.config, &own_id.to_string())?;
    wait_for_release(node).await?;
    let moniker = node.config.moniker.clone();
    let verifier = Box::new(ChainVerifier { chain_id: node.chain_id });
    let (identity, consensus) = match (signer, node.validator, &node.keys.consensus) {
        (Some(signer), Some(address), Some(consensus_key)) => {
            use malachitebft_app_channel::app::types::core::SigningScheme as _;
            let public_key = Scheme::encode_public_key(&consensus_key.public_key());
            let proof = signer.sign_validator_proof(public_key, own_id.to_bytes()).await;
            let proof = proof.map_err(|e| fail(e.to_string()))?;
            let proof = WireCodec.encode(&proof).map_err(|e| fail(e.to_string()))?;
            let address = Address(address);
            (
                NetworkIdentity::new_validator(moniker, key, address.to_string(), proof),
                ConsensusContext::new_validator(address, verifier, Box::new(signer.clone())),
            )
        }
        _ => (
            NetworkIdentity::new(moniker, key, None),
            ConsensusContext::new_full_node(Address::observer(), verifier),
        ),
    };
    start_engine(
        Consensus,
        settings,
        WalContext::new(node.log_path(), WireCodec),
        NetworkContext::new(identity, WireCodec),
        consensus,
        SyncContext::new(WireCodec),
        RequestContext::new(16),
    )
    .await
    .map_err(|e| fail(format!("{e:#}")))
}

/// Stops the library's actors, by force when they do not follow.
///
/// They are taken from their supervisor first: it would kill the others when the first one ends,
/// and a killed network actor leaves its port open. Consensus ends before those that serve it: it
/// would take a log that is gone for a failed disk.
async fn close(engine: EngineHandle) {
    let supervisor = engine.actor.get_cell();
    let children = supervisor.get_children();
    for child in &children {
        child.unlink(supervisor.clone());
    }
    let (consensus, others): (Vec<_>, Vec<_>) = children
        .into_iter()
        .partition(|child| child.is_message_type_of::<ConsensusMsg<Consensus>>() == Some(true));
    for together in [consensus, others] {
        join_all(together.into_iter().map(|child| async move {
            if child.stop_and_wait(None, Some(STOP_TIMEOUT)).await.is_err() {
                let _ = child.kill_and_wait(Some(STOP_TIMEOUT)).await;
            }
        }))
        .await;
    }
    engine.actor.stop(None);
    let _ = engine.handle.await;
}

/// Waits until the port and the log are free, which a session or process that is just ending may
/// still hold. On a port in use the library would neither fail nor hear anything.
async fn wait_for_release(node: &Node) -> Result<(), EngineError> {
    let start = Instant::now();
    loop {
        let held = match settings::socket_address(&node.config.listen) {
            None => None,
            Some(address) => tokio::net::TcpListener::bind(address)
                .await
                .err()
                .map(|e| format!("cannot listen on {}: {e}", node.config.listen)),
        };
        let path = node.log_path();
        let held = held.or_else(|| {
            let opened = path.exists().then(|| Log::open(&path));
            opened?.err().map(|e| format!("cannot open {}: {e}", path.display()))
        });
        match held {
            None => return Ok(()),
            Some(why) if start.elapsed() > RELEASE_TIMEOUT => {
                return Err(EngineError::Start(why));
            }
            Some(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

impl<'a> Session<'a> {
    fn open(
        node: &'a Node,
        network: mpsc::Sender<NetworkMsg<Consensus>>,
        signer: Option<GuardedSigner>,
        abstain: Option<Until>,
    ) -> Result<Self, EngineError> {
        let (tip, validators) = {
            let application = node.application()?;
            (application.tip_height(), ValidatorSet::new(&application.validators()))
        };
        Ok(Session {
            node,
            network,
            verifier: ChainVerifier { chain_id: node.chain_id },
            signer,
            abstain,
            tip,
            validators,
            round: 0,
            streams: Streams::default(),
            undecided: node.undecided(tip)?,
            delivered: BTreeSet::new(),
            pause: None,
            heard: 0,
            stream_prefix: getrandom::u64()
                .map_err(|e| EngineError::Start(format!("no random numbers: {e}")))?,
            streams_sent: 0,
        })
    }

    /// The message loop; `None` when the library stopped by itself or a signature was refused.
    async fn serve(
        mut self,
        mut inbox: mpsc::Receiver<AppMsg<Consensus>>,
        mut events: broadcast::Receiver<Event<Consensus>>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Ended>, EngineError> {
        let node = self.node;
        let signer = self.signer.clone();
        let refused = async {
            match &signer {
                Some(signer) => signer.stopped().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(refused);
        loop {
            self.resume_if_due()?;
            let wake = self.pause.as_ref().map(|p| p.until);
            let is_paused = wake.is_some();
            let wake = tokio::time::Instant::from_std(wake.unwrap_or_else(Instant::now));
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(Some(Ended::Shutdown)),
                () = &mut refused => return Ok(None),
                message = inbox.recv() => match message {
                    None => return Ok(self.after_stop(&mut events)),
                    Some(message) => {
                        if let Some(ended) = self.handle(message).await? {
                            return Ok(Some(ended));
                        }
                    }
                },
                event = events.recv() => match event {
                    Ok(event) => self.observe(&event),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(self.after_stop(&mut events)),
                },
                () = node.work.notified(), if is_paused => {}
                () = tokio::time::sleep_until(wake), if is_paused => {}
            }
        }
    }

    async fn handle(&mut self, message: AppMsg<Consensus>) -> Result<Option<Ended>, EngineError> {
        // A reply nobody waits for any more is no error: the library is stopping.
        match message {
            AppMsg::ConsensusReady { reply } => {
                let _ = reply.send((Height(self.tip).increment(), self.height_params()));
            }
            AppMsg::StartedRound { height, round, reply_value, .. } => {
                let _ = reply_value.send(self.started_round(height.0, round)?);
            }
            AppMsg::GetValue { height, round, reply, .. } => {
                self.propose(height.0, round, reply).await?;
            }
            AppMsg::ReceivedProposalPart { from, published_by, part, reply } => {
                let _ = reply.send(self.receive_part(published_by.unwrap_or(from), part)?);
            }
            AppMsg::RestreamProposal { height, value_id, .. } => {
                self.restream(height.0, &value_id.0).await;
            }
            AppMsg::Decided { certificate, reply, .. } => {
                return self.decide(&certificate, reply);
            }
            AppMsg::Finalized { certificate, evidence, reply, .. } => {
                self.finalize(certificate.height.0, &evidence, reply);
            }
            AppMsg::ProcessSyncedValue { height, round, proposer, value_bytes, reply } => {
                let _ = reply.send(self.check_synced(height.0, round, proposer, value_bytes)?);
            }
            AppMsg::GetDecidedValues { range, reply } => {
                let _ = reply.send(self.decided_values(range.start().0, range.end().0)?);
            }
            AppMsg::GetHistoryMinHeight { reply } => {
                let _ = reply.send(Height(self.node.application()?.min_height()));
            }
            AppMsg::ExtendVote { reply, .. } => {
                let _ = reply.send(None);
            }
            AppMsg::VerifyVoteExtensions { reply, .. } => {
                let _ = reply.send(Vec::new());
            }
        }
        Ok(None)
    }

    fn height_params(&self) -> HeightParams<Consensus> {
        let timeouts = self.node.config.timeouts.for_engine();
        HeightParams::new(self.validators.clone(), timeouts, None)
            .with_vote_extension_policy(VoteExtensionPolicy::Disabled)
    }

    /// The address under which this session signs, if it does.
    fn signs_as(&self) -> Option<ValidatorAddress> {
        self.signer.as_ref().and(self.node.validator)
    }

    fn observe(&mut self, event: &Event<Consensus>) {
        match event {
            Event::Received(message) if self.pause.is_some() => self.notice(message),
            Event::WalReplayBegin(height, entries) => {
                info!(%height, entries, "replaying the engine's log");
            }
            _ => {}
        }
    }

    /// Looks for the reason in the last events: a log that leads elsewhere than our own signed
    /// votes is no reason to vote, but one to follow the others through this height.
    fn after_stop(&self, events: &mut broadcast::Receiver<Event<Consensus>>) -> Option<Ended> {
        while let Ok(event) = events.try_recv() {
            if let Event::WalReplayError(e) = event
                && matches!(&*e, ConsensusError::ReplayDivergence(..))
            {
                error!(error = %e, "the engine's log contradicts itself; abstaining");
                return Some(Ended::MustAbstain { height: self.tip.saturating_add(1) });
            }
        }
        None
    }
}
