//! Keys in the naive model: who signs what, acts that need two, keys that were in other hands.

use std::collections::BTreeSet;

use headwater_ledger::event::Event;
use headwater_ledger::event::member::{
    AddKey, MemberKey, RevokeKey, Role, Scope, SetTwoKeys, TwoKeyAct,
};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::limits::MAX_KEYS;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::grant::distinct;
use crate::naive::{Act, Naive, Signed, Verdict, need, refuse};

/// The kind of acts that an event belongs to, of those that can need two keys.
fn kind(event: &Event) -> Option<TwoKeyAct> {
    const MONEY: [&str; 7] = [
        "record_payment",
        "refund_payment",
        "void_payment",
        "record_payout",
        "set_off_overpayment",
        "close_account",
        "pay_source",
    ];
    const TRANSFERS: [&str; 2] = ["transfer_right", "accept_transfer"];
    const RULINGS: [&str; 4] =
        ["order_freeze", "rule_dispute", "suspend_member", "reinstate_member"];
    match event.name() {
        name if MONEY.contains(&name) => Some(TwoKeyAct::Money),
        name if TRANSFERS.contains(&name) => Some(TwoKeyAct::Transfers),
        name if RULINGS.contains(&name) => Some(TwoKeyAct::Rulings),
        _ => None,
    }
}

/// The scope of the acts of a kind.
fn scope_of(kind: TwoKeyAct) -> Scope {
    match kind {
        TwoKeyAct::Money => Scope::Money,
        TwoKeyAct::Transfers => Scope::Rights,
        TwoKeyAct::Rulings => Scope::Arbitrate,
    }
}

impl Naive {
    /// The kinds of acts that need two keys of a member.
    fn guarded(&self, member: &Handle) -> BTreeSet<TwoKeyAct> {
        let own = self.members[member].two_keys.iter();
        own.chain(self.rulebook.two_keys.iter()).copied().collect()
    }

    /// Whether a member needs two keys for an event that is alone in its envelope.
    pub fn needs_two(&self, author: &Handle, event: &Event) -> bool {
        let guarded = self.guarded(author);
        match event {
            Event::SetTwoKeys(_) | Event::ProposeSuccession(_) => !guarded.is_empty(),
            Event::AddKey(e) => {
                let unlocks = guarded.iter().flat_map(|kind| [Scope::Admin, scope_of(*kind)]);
                unlocks.into_iter().any(|scope| e.key.scopes.contains(&scope))
            }
            _ => kind(event).is_some_and(|kind| guarded.contains(&kind)),
        }
    }

    /// Whether others may give a member a key: it cannot add one itself.
    pub fn may_be_given(&self, member: &Handle) -> bool {
        let keys = self.members[member].keys.values();
        let admin = keys.filter(|scopes| scopes.contains(&Scope::Admin)).count();
        admin <= usize::from(!self.guarded(member).is_empty())
    }

    /// Fails unless the keys that signed are the author's, and suffice.
    pub fn signed_by(&self, author: &Handle, event: &Event, keys: &[PublicKey]) -> Verdict {
        let held = &self.members[author].keys;
        for key in keys {
            if !held.contains_key(key) {
                let his = self.revoked.get(key).is_some_and(|(member, _)| member == author);
                return refuse(if his { Code::KeyRevoked } else { Code::KeyUnknown });
            }
        }
        let able = keys.iter().filter(|key| held[key].contains(&event.scope())).count();
        need(able >= 1, Code::KeyOutOfScope)?;
        need(able >= 2 || !self.needs_two(author, event), Code::TwoKeysRequired)
    }

    /// Whether what was signed then is said to have been signed by other hands.
    pub fn compromised(&self, (key, time): Signed) -> bool {
        let since = self.revoked.get(&key).and_then(|(_, since)| *since);
        since.is_some_and(|since| time >= since)
    }

    /// Fails unless a member may have one more key, and this one.
    pub fn key_fits(&self, member: &Handle, new: &MemberKey) -> Verdict {
        need(self.members[member].keys.len() < MAX_KEYS, Code::TooManyKeys)?;
        need(scopes_fit(&new.scopes), Code::MemberIncomplete)?;
        need(!self.key_owners.contains_key(&new.key), Code::KeyInUse)
    }

    pub fn give_key(&mut self, member: &Handle, new: &MemberKey) {
        self.key_owners.insert(new.key, member.clone());
        self.members.get_mut(member).unwrap().keys.insert(new.key, new.scopes.to_vec());
    }

    pub fn add_key(&mut self, act: &Act<'_>, e: &AddKey) -> Verdict {
        self.key_fits(act.author, &e.key)?;
        self.give_key(act.author, &e.key);
        self.added.insert(e.key.key, (act.signer, self.now));
        Ok(())
    }

    pub fn revoke_key(&mut self, act: &Act<'_>, e: &RevokeKey) -> Verdict {
        self.known(&e.member)?;
        let may = self.is(act.author, &e.member) || self.has_role(act.author, Role::Regulator);
        need(may, Code::NotConcerned)?;
        if !self.members[&e.member].keys.contains_key(&e.key) {
            match self.revoked.get(&e.key).filter(|(member, _)| *member == e.member) {
                Some((_, before))
                    if e.compromised_since_ms.is_some_and(|t| before.is_none_or(|b| t < b)) => {}
                Some(_) => return refuse(Code::KeyRevoked),
                None => return refuse(Code::KeyUnknown),
            }
        }
        let back = self.now.saturating_sub(self.rulebook.compromise_lookback_ms);
        let in_range = e.compromised_since_ms.is_none_or(|t| back <= t && t <= self.now);
        need(in_range, Code::CompromiseOutOfRange)?;
        self.end_key(act, &e.member, e.key, e.compromised_since_ms);
        let revoked = self.revoked.clone();
        let stolen = |(key, time): Signed| {
            revoked.get(&key).and_then(|(_, since)| *since).is_some_and(|since| time >= since)
        };
        for (_, signed, fell) in self.assets.values_mut().flat_map(|asset| &mut asset.attested) {
            if fell.is_none() && stolen(*signed) {
                *fell = Some(act.seq);
            }
        }
        Ok(())
    }

    /// Ends a key, and with one that was in other hands those that it has added since.
    fn end_key(&mut self, act: &Act<'_>, member: &Handle, key: PublicKey, since: Option<u64>) {
        self.members.get_mut(member).unwrap().keys.remove(&key);
        self.revoked.insert(key, (member.clone(), since));
        let Some(since) = since else { return };
        let held: Vec<PublicKey> = self.members[member].keys.keys().copied().collect();
        for other in held {
            let Some((by, at)) = self.added.get(&other).copied() else { continue };
            if by == key && since <= at && at < self.now && other != act.signer {
                self.end_key(act, member, other, Some(at));
            }
        }
    }

    pub fn set_two_keys(&mut self, act: &Act<'_>, e: &SetTwoKeys) -> Verdict {
        need(distinct(&e.acts), Code::MemberIncomplete)?;
        self.members.get_mut(act.author).unwrap().two_keys = e.acts.to_vec();
        Ok(())
    }
}

pub fn scopes_fit(scopes: &[Scope]) -> bool {
    !scopes.is_empty() && distinct(scopes)
}
