//! Grants in the naive model: what they allow, and what becomes of them.

use std::collections::{BTreeSet, VecDeque};

use headwater_ledger::event::asset::{Activity, Purpose, Stage};
use headwater_ledger::event::rights::{
    ConsentFiling, Exclusivity, GrantRight, OfferGrant, RenewGrant, Revocation, Terms,
};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::limits::{MAX_CHAIN, MAX_SUNSET_MS};
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::{Code as Text, Handle};

use crate::naive::{
    Act, Grant, Naive, Standing, Verdict, all_allowed, allows_purpose, covers, need, refuse,
};

/// What operation rights allow together.
#[derive(Default)]
pub struct Cover {
    pub depth: Option<u8>,
    pub purposes: Option<Vec<Purpose>>,
    pub territories: Option<Vec<Text>>,
    pub end: Option<u64>,
}

pub fn distinct<T: Ord>(items: &[T]) -> bool {
    items.iter().collect::<BTreeSet<_>>().len() == items.len()
}

impl Naive {
    /// A grant and the grants it sub-licenses, itself first.
    pub fn chain(&self, grant: GrantId) -> Vec<GrantId> {
        let mut chain = vec![grant];
        while let Some(parent) = self.grants[chain.last().unwrap()].parent {
            chain.push(parent);
        }
        chain
    }

    /// The earliest end of a grant and those above it.
    pub fn end(&self, grant: GrantId) -> u64 {
        self.chain(grant).iter().map(|g| self.grants[g].end).min().expect("at least its own")
    }

    /// Fails unless a grant allows a use by a member now.
    pub fn allows(
        &self,
        by: &Handle,
        id: GrantId,
        asset: &AssetId,
        right: GrantRight,
        activity: Option<&Activity>,
    ) -> Verdict {
        let grant = self.grants.get(&id).ok_or(Code::UnknownGrant)?;
        need(self.covers_asset(grant, asset), Code::GrantWrongAsset)?;
        need(grant.right == right, Code::GrantWrongRight)?;
        let same = self.acting(by) == self.acting(&grant.grantee);
        need(same, Code::GrantWrongGrantee)?;
        for (n, id) in self.chain(id).into_iter().enumerate() {
            let grant = &self.grants[&id];
            self.in_time(grant, activity)?;
            let Some(activity) = activity else { continue };
            let terms = &grant.terms;
            if n == 0 {
                let purposes = all_allowed(&activity.purposes, &terms.purposes);
                need(purposes, Code::PurposeOutsideGrant)?;
                let territory = terms.territories.iter().any(|t| covers(t, &activity.territory));
                need(territory, Code::TerritoryOutsideGrant)?;
            }
            need(terms.max_derivations.is_none_or(|m| grant.used < m), Code::GrantExhausted)?;
        }
        self.rests_on(id).iter().try_for_each(|g| self.in_time(&self.grants[g], None))?;
        let given_on = self.all_live(right).any(|(below, g)| {
            below != id
                && self.chain(below).contains(&id)
                && self.reserves(g, asset, activity)
                && self.acting(&g.grantee) != self.acting(by)
        });
        need(!given_on, Code::ReservedToGrantee)
    }

    /// The grants that a grant rests on, however far below, with those above them.
    fn rests_on(&self, id: GrantId) -> Vec<GrantId> {
        let under = self.chain(id).into_iter().flat_map(|g| &self.grants[&g].under);
        let below = |g: &GrantId| [self.chain(*g), self.rests_on(*g)].concat();
        under.flat_map(below).collect()
    }

    /// Fails unless a grant is in force now, or for work that is filed late.
    fn in_time(&self, grant: &Grant, activity: Option<&Activity>) -> Verdict {
        let file_by = match grant.revoked {
            Some(_) => grant.file_by,
            None => grant.end.saturating_add(grant.terms.filing_window_ms),
        };
        let done = activity.is_some_and(|a| a.claimed_to_ms <= grant.end);
        let late = done && self.now <= file_by;
        match grant.standing {
            Standing::Accepted => {}
            Standing::Offered => return refuse(Code::GrantNotAccepted),
            Standing::Revoked => need(late, Code::GrantRevoked)?,
            Standing::Declined | Standing::Surrendered | Standing::Voided | Standing::Withdrawn => {
                return refuse(Code::GrantRevoked);
            }
        }
        need(grant.cleared || !self.compromised(grant.signed), Code::Contested)?;
        let begin = grant.terms.not_before_ms;
        let begun = self.now >= begin && activity.is_none_or(|a| a.claimed_from_ms >= begin);
        need(begun, Code::GrantNotYetEffective)?;
        let over = if grant.revoked.is_some() { Code::GrantRevoked } else { Code::GrantExpired };
        need(self.now <= grant.end || late, over)
    }

    /// Whether a grant is on an asset, or on an earlier version with later ones.
    pub fn covers_asset(&self, grant: &Grant, asset: &AssetId) -> bool {
        let (granted, wanted) = (&self.assets[&grant.asset], &self.assets[asset]);
        let later = granted.line == wanted.line && granted.version < wanted.version;
        let alone = grant.right == GrantRight::Processing || wanted.stage == Stage::Raw;
        grant.asset == *asset || (grant.terms.future_versions && later && alone)
    }

    /// Purposes and territories lie within those of the asset.
    pub fn inherited(
        &self,
        asset: &AssetId,
        purposes: &[Purpose],
        territories: &[Text],
    ) -> Verdict {
        let asset = &self.assets[asset];
        let allowed = asset.purposes.as_ref().is_none_or(|a| all_allowed(purposes, a));
        need(allowed, Code::PurposeNotInherited)?;
        let inside = |a: &Vec<Text>| territories.iter().all(|t| a.iter().any(|o| covers(o, t)));
        need(asset.territories.as_ref().is_none_or(inside), Code::TerritoryNotInherited)
    }

    /// Nothing is granted that the asset has not inherited; later versions are their author's to
    /// grant, and operation of raw ones only.
    pub fn future_valid(
        &self,
        act: &Act<'_>,
        (asset, right): (&AssetId, GrantRight),
        t: &Terms,
    ) -> Verdict {
        self.inherited(asset, &t.purposes, &t.territories)?;
        let asset = &self.assets[asset];
        let alone = right == GrantRight::Processing || asset.stage == Stage::Raw;
        let own = alone && self.is(act.author, &asset.author);
        need(!t.future_versions || own, Code::TermsInvalid)
    }

    /// The operation rights over the inputs of an asset, for a holder.
    pub fn cover(
        &self,
        holder: &Handle,
        asset: &AssetId,
        grants: &[GrantId],
    ) -> Result<Cover, Code> {
        self.all_known(grants)?;
        let mut cover = Cover::default();
        let mut pending: VecDeque<AssetId> = VecDeque::new();
        pending.extend(self.assets[asset].inputs.iter().map(|i| i.asset));
        let mut seen = BTreeSet::new();
        while let Some(id) = pending.pop_front() {
            if !seen.insert(id) {
                continue;
            }
            let input = self.in_force(&id)?;
            if self.acts_alone(holder, &id, Right::Operation)? {
                self.lasts_alone(holder, &id, Right::Operation)?;
                self.not_reserved(holder, &id, GrantRight::Operation, None)?;
                if self.protocol >= 2 {
                    pending.extend(input.inputs.iter().map(|i| i.asset));
                }
                continue;
            }
            let named = self.named_for(grants, &id).ok_or(Code::OperationNotCovered)?;
            self.allows(holder, named, &id, GrantRight::Operation, None)?;
            let t = &self.grants[&named].terms;
            need(t.sublicence_depth > 0, Code::OperationNotCovered)?;
            let below = self.rests_on(named).into_iter().map(|g| self.grants[&g].end);
            cover.narrow(t, below.fold(self.end(named), u64::min));
        }
        Ok(cover)
    }

    pub fn all_known(&self, grants: &[GrantId]) -> Verdict {
        need(grants.iter().all(|g| self.grants.contains_key(g)), Code::UnknownGrant)
    }

    /// Which of the grants named is looked at for an asset: the first one on it, else the one on
    /// the earliest version of those that cover later ones.
    fn named_for(&self, grants: &[GrantId], asset: &AssetId) -> Option<GrantId> {
        let exact = grants.iter().find(|g| self.grants[*g].asset == *asset);
        let of = |g: &GrantId| &self.assets[&self.grants[g].asset];
        let earliest = grants
            .iter()
            .filter(|g| self.grants[*g].terms.future_versions)
            .filter(|g| of(g).line == self.assets[asset].line)
            .min_by_key(|g| of(g).version)
            .filter(|g| self.covers_asset(&self.grants[*g], asset));
        exact.or(earliest).copied()
    }

    pub fn terms_valid(
        &self,
        right: GrantRight,
        t: &Terms,
        under: &[GrantId],
        parent: Option<GrantId>,
    ) -> Verdict {
        let sunset = match t.revocation {
            Revocation::Sunset(ms) => (1..=MAX_SUNSET_MS).contains(&ms),
            Revocation::Prospective | Revocation::SuspendDownstream => true,
        };
        let fits = match right {
            GrantRight::Processing => under.is_empty(),
            GrantRight::Operation => {
                t.floor_bp == 0 && t.max_derivations.is_none() && t.filing_window_ms == 0
            }
        };
        let valid = !t.purposes.is_empty()
            && distinct(&t.purposes)
            && !t.territories.is_empty()
            && distinct(&t.territories)
            && t.not_before_ms <= t.not_after_ms
            && self.now <= t.not_after_ms
            && t.max_derivations != Some(0)
            && t.floor_bp <= 10_000
            && usize::from(t.sublicence_depth) <= MAX_CHAIN
            && sunset
            && fits
            && (parent.is_none() || under.is_empty());
        need(valid, Code::TermsInvalid)
    }

    pub fn within(&self, cover: &Cover, terms: &Terms) -> Verdict {
        need(cover.depth.is_none_or(|d| terms.sublicence_depth < d), Code::SublicenceTooDeep)?;
        let inside = cover.purposes.as_ref().is_none_or(|a| all_allowed(&terms.purposes, a))
            && cover
                .territories
                .as_ref()
                .is_none_or(|a| terms.territories.iter().all(|t| a.iter().any(|o| covers(o, t))))
            && cover.end.is_none_or(|e| terms.not_after_ms <= e);
        need(inside, Code::TermBeyondParent)
    }

    pub fn offer(&mut self, act: &Act<'_>, id: GrantId, e: &OfferGrant) -> Verdict {
        self.in_force(&e.asset)?;
        self.usable(&e.asset)?;
        match e.parent {
            None => self.disposes(act, &e.asset, e.right.into())?,
            Some(parent) => {
                let above = self.grants.get(&parent).ok_or(Code::UnknownGrant)?;
                let his = above.asset == e.asset
                    && above.right == e.right
                    && self.is(act.author, &above.grantee);
                need(his, Code::ParentNotEffective)?;
                self.stands(parent)?;
            }
        }
        self.known(&e.grantee)?;
        self.terms_valid(e.right, &e.terms, &e.under, e.parent)?;
        match e.parent {
            Some(parent) => self.within_parent(&e.terms, parent)?,
            None => self.future_valid(act, (&e.asset, e.right), &e.terms)?,
        }
        let same_floor = e.parent.is_some_and(|p| {
            let above = &self.grants[&p].terms;
            (above.floor_bp, above.floor_kind) == (e.terms.floor_bp, e.terms.floor_kind)
        });
        if !same_floor && e.right == GrantRight::Processing {
            self.floor_consent(act, &e.asset, &e.terms)?;
        }
        if e.right == GrantRight::Operation && e.parent.is_none() {
            self.within(&self.cover(act.author, &e.asset, &e.under)?, &e.terms)?;
        }
        let grant = Grant {
            asset: e.asset,
            right: e.right,
            grantor: act.author.clone(),
            changes: self.epoch(&e.asset, e.right.into()).changes,
            grantee: e.grantee.clone(),
            terms: e.terms.clone(),
            under: e.under.to_vec(),
            parent: e.parent,
            standing: Standing::Offered,
            end: e.terms.not_after_ms,
            revoked: None,
            revoked_by: None,
            file_by: 0,
            used: 0,
            signed: (act.signer, self.now),
            cleared: false,
        };
        self.conflict_free(id, &grant)?;
        self.between_two(&grant)?;
        self.grants.insert(id, grant);
        Ok(())
    }

    /// Nobody grants anything to himself.
    pub fn between_two(&self, grant: &Grant) -> Verdict {
        need(self.acting(&grant.grantor) != self.acting(&grant.grantee), Code::TermsInvalid)
    }

    /// Fails unless a grant and all above it are in force.
    fn stands(&self, id: GrantId) -> Verdict {
        for g in self.chain(id) {
            self.in_time(&self.grants[&g], None).map_err(|_| Code::ParentNotEffective)?;
        }
        Ok(())
    }

    fn within_parent(&self, t: &Terms, parent: GrantId) -> Verdict {
        let p = &self.grants[&parent].terms;
        need(t.sublicence_depth < p.sublicence_depth, Code::SublicenceTooDeep)?;
        let rank = |e| match e {
            Exclusivity::None => 0,
            Exclusivity::Sole => 1,
            Exclusivity::Exclusive => 2,
        };
        let floor = p.floor_bp == 0 || (t.floor_bp >= p.floor_bp && t.floor_kind == p.floor_kind);
        let inside = all_allowed(&t.purposes, &p.purposes)
            && t.territories.iter().all(|x| p.territories.iter().any(|o| covers(o, x)))
            && t.not_before_ms >= p.not_before_ms
            && t.not_after_ms <= self.end(parent)
            && floor
            && (p.future_versions || !t.future_versions)
            && rank(t.exclusivity) <= rank(p.exclusivity);
        need(inside, Code::TermBeyondParent)
    }

    /// An offered grant that its grantee answers.
    fn answered(&self, act: &Act<'_>, id: &GrantId) -> Result<Grant, Code> {
        let grant = self.grants.get(id).ok_or(Code::UnknownGrant)?;
        need(self.is(act.author, &grant.grantee), Code::NotGrantee)?;
        need(grant.standing == Standing::Offered, Code::GrantClosed)?;
        Ok(grant.clone())
    }

    pub fn accept(&mut self, act: &Act<'_>, id: &GrantId) -> Verdict {
        let grant = self.answered(act, id)?;
        self.in_force(&grant.asset)?;
        self.usable(&grant.asset)?;
        need(self.now <= grant.end, Code::GrantClosed)?;
        let changes = self.epoch(&grant.asset, grant.right.into()).changes;
        need(grant.parent.is_some() || changes == grant.changes, Code::GrantClosed)?;
        self.not_suspended(&grant.grantor)?;
        self.between_two(&grant)?;
        need(grant.cleared || !self.compromised(grant.signed), Code::Contested)?;
        match grant.parent {
            Some(parent) => self.stands(parent)?,
            None => self.title(self.epoch(&grant.asset, grant.right.into()))?,
        }
        self.comes_into_force(*id, &grant)?;
        self.grants.get_mut(id).unwrap().standing = Standing::Accepted;
        Ok(())
    }

    pub fn decline(&mut self, act: &Act<'_>, id: &GrantId) -> Verdict {
        self.answered(act, id)?;
        self.grants.get_mut(id).unwrap().standing = Standing::Declined;
        Ok(())
    }

    /// Fails unless the author decides about a grant: he acts for the right, or holds its parent.
    fn grants_it(&self, act: &Act<'_>, grant: &Grant) -> Verdict {
        if let Some(parent) = grant.parent {
            return need(self.is(act.author, &self.grants[&parent].grantee), Code::NotGrantor);
        }
        self.disposes(act, &grant.asset, grant.right.into()).map_err(|code| match code {
            Code::NotRightManager => Code::NotGrantor,
            other => other,
        })
    }

    pub fn revoke(&mut self, act: &Act<'_>, id: &GrantId) -> Verdict {
        let grant = self.grants.get(id).ok_or(Code::UnknownGrant)?.clone();
        self.grants_it(act, &grant)?;
        let now = self.now;
        let stolen = grant.revoked_by.zip(grant.revoked).is_some_and(|by| self.compromised(by));
        let held = self.grants.get_mut(id).unwrap();
        match (grant.standing, grant.revoked, grant.terms.revocation) {
            (Standing::Revoked, Some(_), Revocation::SuspendDownstream) if stolen => {
                (held.revoked, held.revoked_by) = (Some(now), Some(act.signer));
            }
            (Standing::Offered, ..) => held.standing = Standing::Withdrawn,
            (Standing::Accepted, None, Revocation::Prospective | Revocation::Sunset(_))
                if now > held.end =>
            {
                return refuse(Code::GrantClosed);
            }
            (Standing::Accepted, None, Revocation::Sunset(ms)) => {
                (held.revoked, held.revoked_by) = (Some(now), Some(act.signer));
                held.end = held.end.min(now.saturating_add(ms));
            }
            (Standing::Accepted, None, _)
            | (Standing::Surrendered, None, Revocation::SuspendDownstream) => {
                (held.revoked, held.revoked_by) = (Some(now), Some(act.signer));
                held.standing = Standing::Revoked;
                held.end = held.end.min(now);
            }
            _ => return refuse(Code::GrantClosed),
        }
        Ok(())
    }

    pub fn surrender(&mut self, act: &Act<'_>, id: &GrantId) -> Verdict {
        let grant = self.grants.get(id).ok_or(Code::UnknownGrant)?;
        need(self.is(act.author, &grant.grantee), Code::NotGrantee)?;
        let open = grant.standing == Standing::Accepted && self.now <= grant.end;
        need(open, Code::GrantClosed)?;
        let now = self.now;
        let held = self.grants.get_mut(id).unwrap();
        (held.standing, held.end) = (Standing::Surrendered, now);
        Ok(())
    }

    pub fn renew(&mut self, act: &Act<'_>, e: &RenewGrant) -> Verdict {
        let mut grant = self.grants.get(&e.grant).ok_or(Code::UnknownGrant)?.clone();
        self.grants_it(act, &grant)?;
        self.in_force(&grant.asset)?;
        self.usable(&grant.asset)?;
        let open = grant.standing == Standing::Accepted
            && grant.revoked.is_none()
            && self.now <= grant.end;
        need(open, Code::GrantClosed)?;
        need(e.not_after_ms > grant.end, Code::RenewalNotLater)?;
        grant.end = e.not_after_ms;
        (grant.signed, grant.cleared) = ((act.signer, self.now), false);
        let floor = |t: &Terms| (t.floor_bp, t.floor_kind);
        let above = grant.parent.map(|p| floor(&self.grants[&p].terms));
        if let Some(parent) = grant.parent {
            self.stands(parent)?;
            need(grant.end <= self.end(parent), Code::TermBeyondParent)?;
        }
        if grant.right == GrantRight::Processing && above != Some(floor(&grant.terms)) {
            self.floor_consent(act, &grant.asset, &grant.terms)?;
        }
        match grant.parent {
            None if grant.right == GrantRight::Operation => {
                let terms = Terms { not_after_ms: grant.end, ..grant.terms.clone() };
                self.within(&self.cover(act.author, &grant.asset, &grant.under)?, &terms)?;
            }
            Some(_) | None => {}
        }
        self.conflict_free(e.grant, &grant)?;
        self.grants.insert(e.grant, grant);
        Ok(())
    }

    pub fn consent_filing(&mut self, act: &Act<'_>, e: &ConsentFiling) -> Verdict {
        let grant = self.grants.get(&e.grant).ok_or(Code::UnknownGrant)?.clone();
        self.grants_it(act, &grant)?;
        let stands = matches!(grant.standing, Standing::Accepted | Standing::Revoked)
            && grant.revoked.is_some();
        need(stands, Code::GrantNotRevoked)?;
        self.grants.get_mut(&e.grant).unwrap().file_by = e.file_by_ms;
        Ok(())
    }
}

impl Cover {
    /// Takes in the terms of one more grant.
    fn narrow(&mut self, t: &Terms, end: u64) {
        self.depth = Some(self.depth.map_or(t.sublicence_depth, |d| d.min(t.sublicence_depth)));
        self.end = Some(self.end.map_or(end, |e| e.min(end)));
        self.purposes = Some(match self.purposes.take() {
            None => t.purposes.to_vec(),
            Some(held) => purposes_common(&held, &t.purposes),
        });
        self.territories = Some(match self.territories.take() {
            None => t.territories.to_vec(),
            Some(held) => narrow(&held, &t.territories),
        });
    }
}

/// The purposes that both allow.
pub fn purposes_common(a: &[Purpose], b: &[Purpose]) -> Vec<Purpose> {
    let mut both: Vec<Purpose> = Vec::new();
    for (x, y) in a.iter().flat_map(|x| b.iter().map(move |y| (*x, *y))) {
        let inner = if allows_purpose(x, y) { y } else { x };
        let common = allows_purpose(x, y) || allows_purpose(y, x);
        if common && !all_allowed(&[inner], &both) {
            both.push(inner);
        }
    }
    both
}

/// Whether one territory lies in the other.
pub fn meet(a: &Text, b: &Text) -> bool {
    covers(a, b) || covers(b, a)
}

/// The territories that lie in some of both.
pub fn narrow(a: &[Text], b: &[Text]) -> Vec<Text> {
    let mut both = Vec::new();
    for (x, y) in a.iter().flat_map(|x| b.iter().map(move |y| (x, y))) {
        let inner = if covers(x, y) {
            y
        } else if covers(y, x) {
            x
        } else {
            continue;
        };
        if !both.iter().any(|found| covers(found, inner)) {
            both.push(inner.clone());
        }
    }
    both
}
