//! How envelopes come in: verified, tried on the next block, and taken into the pool.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_ledger::envelope::{SignedEnvelope, VerifiedEnvelope};
use headwater_ledger::execute::{BlockContext, Execution, admit};
use headwater_ledger::hash::EnvelopeId;
use headwater_ledger::reject::{Code, Fault as LedgerFault, Refusal, Reject};

use super::{App, Status, Turned};
use crate::chain::{Apply, Verdicts, guarded};
use crate::mempool::Place;

/// How far the time on which envelopes are tried may be behind the clock.
const TRIAL_AGE_MS: u64 = 1_000;

/// Signature verdicts shared by the API, gossip and the application.
#[derive(Clone, Default)]
pub struct SharedVerdicts(Arc<Mutex<Verdicts>>);

impl SharedVerdicts {
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Verdicts> {
        // A set stays usable whatever happened while it was locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes received bytes and checks all that needs no state, signatures included, once.
    pub fn verify(&self, bytes: &[u8]) -> Result<VerifiedEnvelope, Reject> {
        let envelope =
            SignedEnvelope::from_bytes(bytes)?.verify_unless(|leaf| self.lock().knows(leaf))?;
        self.lock().remember(envelope.leaf());
        Ok(envelope)
    }
}

/// Who handed an envelope in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client of this node, who is told at once what the rules say.
    Client,
    /// Another node.
    Peer,
}

/// The next block with nothing in it: envelopes are tried on it without holding the application.
#[derive(Clone)]
pub struct Trial {
    context: BlockContext,
    execution: Execution,
    apply: Apply,
}

impl Trial {
    /// Executes an envelope and throws all but the verdict away.
    pub fn run(&self, envelope: &VerifiedEnvelope) -> Tried {
        let result = guarded(self.apply, &mut self.execution.clone(), envelope);
        Tried { height: self.context.height, result }
    }
}

/// What trying an envelope gave, at the height that was next then.
pub struct Tried {
    height: u64,
    result: Result<(), Refusal>,
}

impl Tried {
    /// Why the envelope would not be recorded now; `None` when it would.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.result.as_ref().err()
    }
}

/// What is to be done with an envelope of a client.
pub enum Reception {
    /// Nothing: this is how it stands.
    Known(Status),
    /// Try it, then [`App::submit_tried`].
    Untried(Box<Trial>),
}

impl App {
    /// How an envelope stands that needs no judging again.
    fn known(&self, id: &EnvelopeId) -> Option<Status> {
        if self.quarantined.contains(id) {
            return Some(Status::Refused(Turned::quarantined()));
        }
        match self.status(id) {
            Status::Unknown => None,
            Status::Refused(why) => why.is_lasting().then_some(Status::Refused(why)),
            known @ (Status::Pending | Status::Waiting(_) | Status::Recorded { .. }) => Some(known),
        }
    }

    /// Looks whether an envelope of a client has to be tried. Trying may take as long as executing
    /// a block, so it is done by the caller, without holding the application.
    pub fn receive(&mut self, id: &EnvelopeId) -> Result<Reception, LedgerFault> {
        match self.known(id) {
            Some(status) => Ok(Reception::Known(status)),
            None => Ok(Reception::Untried(Box::new(self.trial()?))),
        }
    }

    /// Takes a verified envelope into the pool, or says why not. The flag tells whether it is new
    /// here and worth passing on.
    pub fn submit(&mut self, envelope: VerifiedEnvelope, origin: Origin) -> (Status, bool) {
        match origin {
            Origin::Client => match self.try_out(&envelope) {
                Ok(tried) => self.submit_tried(envelope, tried),
                Err(fault) => self.fail(&fault),
            },
            Origin::Peer => {
                let known = self.known(&envelope.id());
                if let Some(known) = known {
                    return (known, false);
                }
                match self.check_admission(&envelope) {
                    Ok(()) => self.pool(envelope, Place::Ready, None),
                    // This node may be behind the one that took it; what is still pending comes
                    // again.
                    Err(_) => (Status::Unknown, false),
                }
            }
        }
    }

    /// As [`App::submit`], for an envelope of a client that was tried.
    pub fn submit_tried(&mut self, envelope: VerifiedEnvelope, tried: Tried) -> (Status, bool) {
        let id = envelope.id();
        if let Some(known) = self.known(&id) {
            return (known, false);
        }
        let tried = match tried {
            // A block came in between: what the envelope missed may be there now.
            Tried { height, .. } if height != self.parts.chain.tip().height + 1 => {
                match self.try_out(&envelope) {
                    Ok(tried) => tried,
                    Err(fault) => return self.fail(&fault),
                }
            }
            tried => tried,
        };
        match tried.result {
            Ok(()) => self.pool(envelope, Place::Ready, None),
            Err(Refusal::Fault(fault)) => (self.quarantine(id, &fault), false),
            Err(Refusal::Reject(reject)) => match &reject.missing {
                Some(missing) if reject.code != Code::UnknownAuthor => {
                    let place = Place::AwaitsReference(missing.clone());
                    self.pool(envelope, place, Some(Turned::rejected(reject)))
                }
                _ => (self.refuse(id, Turned::rejected(reject)), false),
            },
        }
    }

    /// The state itself cannot be read, which is not the envelope's doing.
    fn fail(&self, fault: &LedgerFault) -> (Status, bool) {
        self.parts.metrics.faults.inc();
        tracing::error!(%fault, "envelope could not be tried");
        (Status::Unknown, false)
    }

    /// Puts an envelope into the pool. `why` is what it waits for.
    fn pool(
        &mut self,
        envelope: VerifiedEnvelope,
        place: Place,
        why: Option<Turned>,
    ) -> (Status, bool) {
        let id = envelope.id();
        let now = self.parts.clock.now_ms();
        match self.parts.mempool.insert(Arc::new(envelope), place, now) {
            Ok(new) => {
                self.update_pool_metrics();
                match why {
                    Some(why) => {
                        self.refused.insert(id, why.clone());
                        (Status::Waiting(why), new)
                    }
                    None => {
                        self.refused.remove(&id);
                        self.work.notify_one();
                        (Status::Pending, new)
                    }
                }
            }
            Err(full) => {
                self.parts.metrics.refused(Turned::full(full).code());
                (Status::Refused(Turned::full(full)), false)
            }
        }
    }

    /// Checks author, keys and times against the committed state.
    fn check_admission(&self, envelope: &VerifiedEnvelope) -> Result<(), Refusal> {
        let context = self.next_context();
        let state = &self.parts.chain.tip().state;
        admit(state, &context, envelope).map(|_| ())
    }

    /// What envelopes are tried on now.
    fn trial(&mut self) -> Result<Trial, LedgerFault> {
        let context = self.next_context();
        if let Some(trial) = &self.trial
            && trial.context.time_ms.saturating_add(TRIAL_AGE_MS) >= context.time_ms
        {
            return Ok(trial.clone());
        }
        let execution = Execution::begin(&self.parts.chain.tip().state, context)?;
        let trial = Trial { context, execution, apply: self.parts.apply };
        self.trial = Some(trial.clone());
        Ok(trial)
    }

    fn try_out(&mut self, envelope: &VerifiedEnvelope) -> Result<Tried, LedgerFault> {
        Ok(self.trial()?.run(envelope))
    }
}
