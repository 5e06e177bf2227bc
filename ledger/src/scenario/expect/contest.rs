//! Answers about what is contested or held, by which dispute and until when.

use super::{Answer, Asked, did_you_mean};
use crate::asset::is_duplicate;
use crate::event::dispute::Subject;
use crate::hash::{AssetId, ContractId, DisputeId, GrantId, PaymentId, TransferId};
use crate::hold::in_force;
use crate::member::compromised;
use crate::scenario::form::Wrong;
use crate::scenario::kind::Kind;
use crate::scenario::kind::choice::Right;
use crate::scenario::kind::compound::{Owner, RightOf};
use crate::scenario::kind::reference::{Ref, one};
use crate::scenario::kind::time::Time;
use crate::scenario::token::plain;
use crate::split;
use crate::state::record::{
    Contest, DisputeRecord, DisputeStatus, Hold, HoldKind, PaymentRecord, Signed, TransferRecord,
};
use crate::state::{Key, Records, View};

/// What can be contested.
enum Matter {
    Asset(AssetId),
    Grant(GrantId),
    Share(AssetId, split::Right),
    Contract(ContractId),
    Payment(PaymentId),
}

/// Why something is contested.
#[derive(Default)]
struct Contests {
    duplicate: bool,
    key: bool,
    dispute: bool,
}

impl Asked<'_> {
    /// Whether a right over an asset is asked about.
    fn names_right(&self) -> bool {
        let mut ahead = self.at.clone();
        ahead.skip("of");
        let right = ahead.take().is_some_and(|t| Right::WORDS.contains(&plain(&t.text).as_str()));
        right && (ahead.skip("of") || ahead.skip("over") || ahead.skip("right"))
    }

    fn matter(&mut self) -> Result<Matter, Wrong> {
        if self.names_right() {
            let (right, id, _) = self.right_of()?;
            return Ok(Matter::Share(id, right));
        }
        let (what, id) = self.thing()?;
        match what {
            "asset" => Ok(Matter::Asset(AssetId::from_digest(id))),
            "grant" => Ok(Matter::Grant(GrantId::from_digest(id))),
            "contract" => Ok(Matter::Contract(ContractId::from_digest(id))),
            "payment" => Ok(Matter::Payment(PaymentId::from_digest(id))),
            "transfer" => {
                let id = TransferId::from_digest(id);
                let transfer: TransferRecord = self.record(Key::Transfer(id))?;
                Ok(Matter::Share(transfer.asset, transfer.right))
            }
            other => Err(Wrong(format!(
                "{} is never contested; assets, rights, transfers, grants, contracts and payments \
                 are",
                one(other)
            ))),
        }
    }

    /// Whether one of these keys is said to have been in other hands when it signed.
    fn signed_by_others(&self, signed: &[Signed]) -> Result<bool, Wrong> {
        for one in signed {
            if compromised(&self.context.seen, &one.key, one.time_ms)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn contests(&self, matter: &Matter) -> Result<Contests, Wrong> {
        let seen = &self.context.seen;
        let by_dispute = |dispute| Contests { dispute, ..Contests::default() };
        let missing = || Wrong("it is not recorded".into());
        Ok(match matter {
            Matter::Grant(id) => {
                let r = seen.grant(id)?.ok_or_else(missing)?;
                let key = !r.cleared && compromised(seen, &r.signer, r.time_ms)?;
                Contests { duplicate: false, key, dispute: r.disputes > 0 }
            }
            Matter::Asset(id) => {
                let r = seen.asset(id)?.ok_or_else(missing)?;
                let key = !r.cleared && compromised(seen, &r.signer, r.time_ms)?;
                let duplicate =
                    !r.cleared && (is_duplicate(seen, &r, &mut 0)? || r.output_of.is_some());
                Contests { duplicate, key, dispute: r.disputes > 0 }
            }
            Matter::Share(asset, right) => {
                let contest: Option<Contest> = seen.get(&Key::ShareContest(*asset, *right))?;
                let record = seen.asset(asset)?.ok_or_else(missing)?;
                let key = self.signed_by_others(&seen.right(asset, &record, *right)?.signed)?;
                Contests { duplicate: false, key, dispute: contest.unwrap_or_default().waiting > 0 }
            }
            Matter::Contract(id) => {
                let r = seen.contract(id)?.ok_or_else(missing)?;
                let key = self.signed_by_others(&r.signed)?;
                Contests { duplicate: false, key, dispute: r.contest.waiting > 0 }
            }
            Matter::Payment(id) => {
                let payment: PaymentRecord = self.record(Key::Payment(*id))?;
                by_dispute(payment.contest.waiting > 0)
            }
        })
    }

    /// The dispute of a name.
    fn dispute(&self, name: &str) -> Result<DisputeRecord, Wrong> {
        let known = ["duplicate", "key", "dispute"].into_iter().chain(self.context.names.all());
        match self.context.names.get(name) {
            Some(("dispute", id)) => self.record(Key::Dispute(DisputeId::from_digest(id))),
            Some((what, _)) => {
                Err(Wrong(format!("`{name}` names {}, expected a dispute", one(what))))
            }
            None => {
                let near = did_you_mean(name, known);
                let text = "is none of duplicate, key, dispute, and names no dispute";
                Err(Wrong(format!("`{name}` {text}{near}")))
            }
        }
    }

    /// Whether a dispute is about something.
    fn is_about(&self, subject: &Subject, matter: &Matter) -> Result<bool, Wrong> {
        Ok(match (subject, matter) {
            (Subject::Asset(a), Matter::Asset(b)) => a == b,
            (Subject::Grant(a), Matter::Grant(b)) => a == b,
            (Subject::Share(s), Matter::Share(asset, right)) => {
                (s.asset, s.right) == (*asset, *right)
            }
            (Subject::Contract(a), Matter::Contract(b)) => a == b,
            (Subject::Payment(a), Matter::Payment(b)) => a == b,
            // A dispute about a payment contests its contract too.
            (Subject::Payment(a), Matter::Contract(b)) => {
                let payment: PaymentRecord = self.record(Key::Payment(*a))?;
                payment.contract == *b
            }
            (
                Subject::Asset(_)
                | Subject::Grant(_)
                | Subject::Share(_)
                | Subject::Payment(_)
                | Subject::Payout(_)
                | Subject::Contract(_),
                _,
            ) => false,
        })
    }
}

pub(super) fn contested(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let matter = a.matter()?;
    let Contests { duplicate, key, dispute } = a.contests(&matter)?;
    if !a.at.skip("by") {
        return a.yes(duplicate || key || dispute);
    }
    let by = &a.at.need("`duplicate`, `key`, `dispute` or the name of a dispute")?.text;
    match plain(by).as_str() {
        "duplicate" => a.yes(duplicate),
        "key" => a.yes(key),
        "dispute" => a.yes(dispute),
        _ => {
            let record = a.dispute(by)?;
            let waits = match record.status {
                DisputeStatus::Open | DisputeStatus::Appealed => true,
                DisputeStatus::Ruled | DisputeStatus::Final => false,
            };
            let about = a.is_about(&record.subject, &matter)?;
            a.yes(waits && about)
        }
    }
}

/// Why parts are held, in the order of [`hold_word`].
const HELD: [&str; 3] = ["cooling", "frozen", "awarded"];

fn hold_word(kind: HoldKind) -> &'static str {
    let [cooling, frozen, awarded] = HELD;
    match kind {
        HoldKind::Cooling => cooling,
        HoldKind::Frozen => frozen,
        HoldKind::Awarded(_) => awarded,
    }
}

/// Parts that are held, as read and written: `county-hospital 25% frozen until TIME by case`.
struct Held;

impl Kind for Held {
    type Of = Hold;
    fn name() -> String {
        "`MEMBER PART cooling, frozen or awarded until TIME by DISPUTE`".into()
    }
    fn sample() -> String {
        "county-hospital 25% frozen until 2027-03-01 by case".into()
    }
    fn read(at: &mut super::Cursor<'_>, context: &super::Context<'_>) -> Result<Hold, Wrong> {
        let owner = Owner::read(at, context)?;
        let word = at.need("`cooling`, `frozen` or `awarded`")?;
        let kinds = [HoldKind::Cooling, HoldKind::Frozen, HoldKind::Awarded(0)];
        let kind = kinds.into_iter().find(|kind| hold_word(*kind) == plain(&word.text));
        let kind = kind.ok_or_else(|| {
            let near = did_you_mean(&word.text, HELD.into_iter());
            Wrong(format!("`{}` is no answer{near}; known: {}", word.text, HELD.join(", ")))
        })?;
        at.expect("until")?;
        let until_ms = Time::read(at, context)?;
        at.expect("by")?;
        let dispute = Ref::<DisputeId>::read(at, context)?;
        let (owner, parts) = (owner.member, owner.parts);
        Ok(Hold { dispute, owner, parts, kind, until_ms, appealed_until_ms: until_ms })
    }
    fn write(hold: &Hold, context: &super::Context<'_>) -> String {
        let owner = crate::event::rights::Owner { member: hold.owner.clone(), parts: hold.parts };
        let (owner, kind) = (Owner::write(&owner, context), hold_word(hold.kind));
        let until = Time::write(&hold.until_ms, context);
        let dispute = Ref::<DisputeId>::write(&hold.dispute, context);
        format!("{owner} {kind} until {until} by {dispute}")
    }
}

pub(super) fn holds(a: &mut Asked<'_>) -> Result<Answer, Wrong> {
    let (asset, right, dispute) = if a.names_right() {
        a.at.skip("of");
        let (right, asset) = RightOf::read(&mut a.at, a.context)?;
        let recorded = a.context.seen.asset(&asset)?;
        recorded.ok_or_else(|| Wrong("the asset is not recorded".into()))?;
        (asset, right, None)
    } else {
        let (what, id) = a.named()?;
        let ("dispute", id) = (what, DisputeId::from_digest(id)) else {
            return Err(Wrong(format!("{} holds nothing; disputes about a share do", one(what))));
        };
        let record: DisputeRecord = a.record(Key::Dispute(id))?;
        let Subject::Share(slice) = record.subject else {
            return Err(Wrong("the dispute is not about a share, so that it holds nothing".into()));
        };
        (slice.asset, slice.right, Some(id))
    };
    let mut holds = in_force(&a.context.seen, &asset, right, a.context.now_ms)?;
    holds.retain(|hold| dispute.is_none_or(|id| hold.dispute == id));
    a.list::<Held>(&holds, |hold| Some(&hold.owner))
}
