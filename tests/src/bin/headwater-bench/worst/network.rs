//! Governance with as many validators as there can be.

use anyhow::Result;
use headwater_ledger::envelope::event_id;
use headwater_ledger::event::Event;
use headwater_ledger::event::governance::{ApproveChange, Change, ProposeChange, Rulebook};
use headwater_ledger::hash::ChangeId;
use headwater_ledger::limits::{MAX_SCHEDULED, MAX_VALIDATORS};
use headwater_tests::writers::Writer;

use super::{Cases, TIMES, hundred};
use crate::ledger::{Ledger, verified};

impl Cases {
    pub(super) fn network(&mut self) -> Result<()> {
        let (mut ledger, members) = hundred()?;
        let propose = |n: u64| {
            let change = Change::SetRulebook(Rulebook::standard());
            Event::ProposeChange(ProposeChange { change, activate_height: 1_000_000 + n })
        };
        let mut serial = 0;
        let mut sign = |ledger: &Ledger, who: &Writer, event: Event| {
            serial += 1;
            let until = ledger.not_after_ms();
            verified(&who.sign(ledger.chain_id, until, serial, vec![event])?)
        };
        let needed = MAX_VALIDATORS * 2 / 3 + 1;
        let mut last = None;
        for n in 0..MAX_SCHEDULED as u64 {
            let envelope = sign(&ledger, &members[0], propose(n))?;
            ledger.record(std::slice::from_ref(&envelope))?;
            let change = ChangeId::from_digest(*event_id(&envelope.id(), 0).digest());
            let full = n + 1 < MAX_SCHEDULED as u64;
            for member in &members[1..if full { needed } else { needed - 1 }] {
                let approve = Event::ApproveChange(ApproveChange { change });
                let envelope = sign(&ledger, member, approve)?;
                ledger.record(&[envelope])?;
            }
            last = Some(change);
        }
        let envelope = sign(&ledger, &members[0], propose(MAX_SCHEDULED as u64))?;
        let what = format!("propose a change to {MAX_VALIDATORS} validators");
        self.add(what, ledger.cost(&envelope, TIMES)?);
        let Some(change) = last else { return Ok(()) };
        let approve = Event::ApproveChange(ApproveChange { change });
        let envelope = sign(&ledger, &members[needed - 1], approve)?;
        let what = format!("approve a change, the last of {needed}, {MAX_SCHEDULED} scheduled");
        self.add(what, ledger.cost(&envelope, TIMES)?);
        Ok(())
    }
}
