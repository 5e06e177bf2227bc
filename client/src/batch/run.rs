//! Signing, sending, waiting, and reports in the order of the lines.
//!
//! Lines that only register assets without inputs are independent and are sent ahead of one
//! another. Every other line waits until all before it are recorded or given up.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use headwater_ledger::hash::EnvelopeId;

use super::input::{Batch, Line};
use super::journal::{Journal, Outcome, Past};
use super::prepare::{Prepared, Signer};
use super::report::{LineReport, LineStatus, Summary, Why};
use crate::build::Signed;
use crate::failure::{Failure, Kind};
use crate::remote::Connection;
use crate::submission::{self, Claim, EnvelopeStatus, Patience, Standing};

/// Most envelopes that are sent and not yet settled.
const MAX_IN_FLIGHT: usize = 64;

/// What to do after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Send nothing further.
    Stop,
    /// Go on with the next line.
    GoOn,
}

/// A line on its way, in the order of the file.
struct Slot<'a> {
    index: usize,
    line: &'a Line,
    state: State,
}

enum State {
    /// Nothing is left to be done.
    Done(Box<LineReport>),
    /// Sent; the node's first word, if it came.
    Flight(Rc<Signed>, Option<EnvelopeStatus>),
}

/// A run over a file.
pub struct Run<'a> {
    /// Signs the lines.
    pub signer: Signer<'a>,
    /// Keeps what was done.
    pub journal: Journal,
    /// What to do after a refusal.
    pub after_refusal: AfterRefusal,
}

impl<'a> Run<'a> {
    fn connection(&self) -> &'a Connection {
        self.signer.connection
    }

    /// Works through the file; `report` is given one report a line, in order.
    pub fn work(
        mut self,
        report: &mut dyn FnMut(&LineReport) -> Result<(), Failure>,
    ) -> Result<Summary, Failure> {
        let batch: &'a Batch = self.signer.batch;
        let lines = batch.lines();
        self.journal.check(lines)?;
        let envelopes = lines.len() as u64;
        let mut summary = Summary { envelopes, not_tried: envelopes, ..Summary::default() };
        let mut flight: VecDeque<Slot<'a>> = VecDeque::new();
        let (mut next, mut stopped) = (0, false);
        while !flight.is_empty() || (!stopped && next < lines.len()) {
            if !stopped && flight.len() <= MAX_IN_FLIGHT / 2 {
                next = self.fill(lines, next, &mut flight)?;
            }
            for done in self.settle_front(&mut flight)? {
                summary.count(&done);
                let refused = done.status != LineStatus::Recorded;
                stopped |= refused && self.after_refusal == AfterRefusal::Stop;
                report(&done)?;
            }
        }
        Ok(summary)
    }

    /// Signs and sends as many of the next lines as may be on their way together. Their bytes are
    /// in the journal before they are sent.
    fn fill(
        &mut self,
        lines: &'a [Line],
        mut next: usize,
        flight: &mut VecDeque<Slot<'a>>,
    ) -> Result<usize, Failure> {
        let first_new = flight.len();
        let mut unwritten = Vec::new();
        while let Some(line) = lines.get(next).filter(|_| flight.len() < MAX_IN_FLIGHT) {
            let past = self.journal.past(line);
            let alone = !line.independent && !matches!(past, Some(Past::Recorded { .. }));
            if alone && !flight.is_empty() {
                break;
            }
            let slot = self.begin(next, line, past)?;
            if let Slot { state: State::Flight(signed, _), .. } = &slot
                && !matches!(past, Some(Past::Signed(before)) if before.id == signed.id)
            {
                unwritten.push((line, signed.clone()));
            }
            flight.push_back(slot);
            next += 1;
            if alone {
                break;
            }
        }
        let entries: Vec<(&Line, &Signed)> =
            unwritten.iter().map(|(line, signed)| (*line, &**signed)).collect();
        self.journal.signed(&entries)?;
        let (mut signed, mut firsts) = (Vec::new(), Vec::new());
        for slot in flight.iter_mut().skip(first_new) {
            if let State::Flight(envelope, first @ None) = &mut slot.state {
                signed.push(envelope.clone());
                firsts.push(first);
            }
        }
        let bytes: Vec<&[u8]> = signed.iter().map(|signed| &*signed.bytes).collect();
        // What did not arrive is sent again while it is waited for.
        let statuses = submission::send(self.connection().node(), &bytes).unwrap_or_default();
        for (first, status) in firsts.into_iter().zip(statuses) {
            *first = Some(status);
        }
        Ok(next)
    }

    /// A line as it goes on its way, or what is known of it already.
    fn begin(
        &self,
        index: usize,
        line: &'a Line,
        past: Option<&Past>,
    ) -> Result<Slot<'a>, Failure> {
        let state = match past {
            Some(Past::Recorded { envelope, height, index: place }) => {
                self.signer.recorded.borrow_mut().insert(index, *envelope);
                let report = self.recorded(line, *envelope, *height, *place);
                State::Done(Box::new(LineReport { earlier: true, ..report }))
            }
            Some(Past::Signed(_) | Past::Refused) | None => match self.prepare(line, past) {
                Ok(Prepared { signed, known }) => State::Flight(Rc::new(signed), known),
                // Neither the node's silence nor its lies are a line's fault.
                Err(failure) if is_of_the_run(&failure) => return Err(failure),
                Err(failure) => {
                    let why = Some(Why::of_failure(&failure));
                    State::Done(Box::new(not_recorded(line, LineStatus::Failed, None, why)))
                }
            },
        };
        Ok(Slot { index, line, state })
    }

    /// Signs a line. One that was changed is signed anew only when what was signed before can no
    /// longer be recorded.
    fn prepare(&self, line: &Line, past: Option<&Past>) -> Result<Prepared, Failure> {
        let prepared = self.signer.prepare(line, past)?;
        let reused = matches!(past, Some(Past::Signed(before)) if before.id == prepared.signed.id);
        if !reused || !self.journal.has_changed(line) {
            return Ok(prepared);
        }
        let has = if prepared.known.is_some() { "was recorded" } else { "may still be recorded" };
        let message =
            format_args!("what line {} said before {has}, and it has changed since", line.number);
        Err(Failure::new(Kind::BadInput, message).hint("restore the line"))
    }

    fn recorded(
        &self,
        line: &Line,
        envelope: EnvelopeId,
        height: Option<u64>,
        index: Option<u64>,
    ) -> LineReport {
        LineReport {
            height,
            index,
            made: line.all_made(&self.connection().chain_id(), &envelope),
            ..not_recorded(line, LineStatus::Recorded, Some(envelope), None)
        }
    }

    /// Waits for the first line on its way and takes those behind it that are settled too. What is
    /// said to be recorded is proved, then noted in the journal, then reported.
    fn settle_front(
        &mut self,
        flight: &mut VecDeque<Slot<'a>>,
    ) -> Result<Vec<LineReport>, Failure> {
        let mut settled: Vec<(Slot<'a>, Option<EnvelopeStatus>)> = Vec::new();
        let node = self.connection().node();
        while let Some(slot) = flight.pop_front() {
            let status = match &slot.state {
                State::Done(_) => None,
                State::Flight(signed, first) if settled.is_empty() => {
                    let longest = self.signer.signing.patience();
                    let patience = Patience { longest, tell: &|_| () };
                    let (id, bytes) = (&signed.id, &signed.bytes);
                    Some(submission::settle(node, id, bytes, first.clone(), &patience)?)
                }
                State::Flight(_, Some(first)) if first.is_settled() => Some(first.clone()),
                State::Flight(signed, _) => {
                    let status = submission::ask(node, &signed.id, Duration::ZERO)?;
                    if !status.is_settled() {
                        flight.push_front(slot);
                        break;
                    }
                    Some(status)
                }
            };
            settled.push((slot, status));
        }
        self.confirm(&settled)?;
        self.note(&settled)?;
        Ok(settled.into_iter().map(|(slot, status)| self.report(slot, status)).collect())
    }

    fn confirm(&self, settled: &[(Slot<'a>, Option<EnvelopeStatus>)]) -> Result<(), Failure> {
        let claim = |(slot, status): &(Slot<'a>, Option<EnvelopeStatus>)| {
            let (State::Flight(signed, _), Some(status)) = (&slot.state, status) else {
                return None;
            };
            let not_after_ms = signed.envelope.header.not_after_ms;
            (status.status == Standing::Recorded).then(|| Claim {
                id: signed.id,
                not_after_ms,
                height: status.height,
            })
        };
        submission::confirm(
            self.connection(),
            &settled.iter().filter_map(claim).collect::<Vec<_>>(),
        )
    }

    fn note(&mut self, settled: &[(Slot<'a>, Option<EnvelopeStatus>)]) -> Result<(), Failure> {
        let mut outcomes = Vec::new();
        for (slot, status) in settled {
            let (State::Flight(signed, _), Some(status)) = (&slot.state, status) else { continue };
            let envelope = signed.id;
            match status.status {
                Standing::Recorded => {
                    self.signer.recorded.borrow_mut().insert(slot.index, envelope);
                    let (height, index) = (status.height, status.index);
                    outcomes.push((slot.line, Outcome::Recorded { envelope, height, index }));
                }
                Standing::Refused if status.is_settled() => {
                    let code = status.code.clone().unwrap_or_default();
                    outcomes.push((slot.line, Outcome::Refused { envelope, code }));
                }
                Standing::Refused | Standing::Waiting | Standing::Pending | Standing::Unknown => {}
            }
        }
        self.journal.settled(&outcomes)
    }

    fn report(&self, slot: Slot<'a>, status: Option<EnvelopeStatus>) -> LineReport {
        match (slot.state, status) {
            (State::Done(report), _) => *report,
            (State::Flight(signed, _), Some(status)) => {
                let standing = match status.status {
                    Standing::Recorded => {
                        return self.recorded(slot.line, signed.id, status.height, status.index);
                    }
                    Standing::Refused => LineStatus::Refused,
                    Standing::Waiting => LineStatus::Waiting,
                    Standing::Pending | Standing::Unknown => LineStatus::Pending,
                };
                not_recorded(slot.line, standing, Some(signed.id), Why::of_status(&status))
            }
            (State::Flight(signed, _), None) => {
                not_recorded(slot.line, LineStatus::Pending, Some(signed.id), None)
            }
        }
    }
}

fn is_of_the_run(failure: &Failure) -> bool {
    matches!(failure.kind(), Kind::Node | Kind::VerificationFailed | Kind::Io)
}

fn not_recorded(
    line: &Line,
    status: LineStatus,
    envelope: Option<EnvelopeId>,
    why: Option<Why>,
) -> LineReport {
    LineReport {
        line: line.number,
        label: line.label.clone(),
        status,
        earlier: false,
        envelope,
        height: None,
        index: None,
        made: Vec::new(),
        why,
    }
}
