//! Ownership in the naive model: who acts for a right, transfers, approvals ahead.

use std::collections::BTreeSet;

use headwater_ledger::event::rights::{AcceptTransfer, ApproveAct, Terms, TransferRight};
use headwater_ledger::hash::{AssetId, Digest, TransferId};
use headwater_ledger::limits::APPROVAL_MS;
use headwater_ledger::reject::Code;
use headwater_ledger::split::Right;
use headwater_ledger::text::Handle;

use crate::naive::{Act, Epoch, Naive, Signed, Transfer, Verdict, need, owners_of};
use crate::share::Held;

impl Naive {
    /// Whether an author may act for a right over an asset.
    pub fn acts_for(&self, act: &Act<'_>, asset: &AssetId, right: Right) -> Verdict {
        let epoch = self.epoch(asset, right);
        self.title(epoch)?;
        let Some(threshold) = epoch.threshold else {
            return need(self.is(act.author, &epoch.manager), Code::NotRightManager);
        };
        act.spent.borrow_mut().insert(*asset);
        let own = |owner: &Handle| self.is(act.author, owner);
        need(epoch.owners.keys().any(own), Code::NotRightManager)?;
        let with_it = epoch.owners.iter().filter(|(o, _)| own(o) || self.approved(act, asset, o));
        let parts: u32 = with_it.map(|(_, parts)| u32::from(*parts)).sum();
        need(parts >= u32::from(threshold), Code::OwnersNeeded)
    }

    /// Fails when other hands have signed a transfer and nothing was ruled since.
    pub fn title(&self, epoch: &Epoch) -> Verdict {
        need(!epoch.signed.iter().any(|signed| self.compromised(*signed)), Code::Contested)
    }

    /// As [`Naive::alone`]; fails where nobody acts for the right.
    pub fn acts_alone(&self, member: &Handle, asset: &AssetId, right: Right) -> Result<bool, Code> {
        let alone = self.alone(member, asset, right);
        if alone {
            self.title(self.epoch(asset, right))?;
        }
        Ok(alone)
    }

    /// The parts that somebody has by rulings that are not final.
    pub fn awarded_to(&self, asset: &AssetId, right: Right, owner: &Handle) -> u32 {
        let holds = self.holds_on(asset, right).into_iter();
        let awarded = holds.filter(|h| h.owner == *owner && matches!(h.kind, Held::Awarded(_)));
        awarded.map(|h| u32::from(h.parts)).sum()
    }

    /// Fails when a member who acts for a right alone does so by such parts.
    pub fn lasts_alone(&self, member: &Handle, asset: &AssetId, right: Right) -> Verdict {
        let epoch = self.epoch(asset, right);
        let acts = |owner: &Handle| match epoch.threshold {
            Some(_) => self.is(member, owner),
            None => *owner == epoch.manager,
        };
        let lasting = epoch.owners.iter().filter(|(owner, _)| acts(owner)).map(|(owner, parts)| {
            u32::from(*parts).saturating_sub(self.awarded_to(asset, right, owner))
        });
        need(lasting.sum::<u32>() >= u32::from(epoch.threshold.unwrap_or(1)), Code::PartsHeld)
    }

    /// The same for what gives a right away: not on the strength of such parts.
    pub fn disposes(&self, act: &Act<'_>, asset: &AssetId, right: Right) -> Verdict {
        self.acts_for(act, asset, right)?;
        let epoch = self.epoch(asset, right);
        let acts = |owner: &Handle| match epoch.threshold {
            Some(_) => self.is(act.author, owner) || self.approved(act, asset, owner),
            None => *owner == epoch.manager,
        };
        let lasting = epoch.owners.iter().filter(|(owner, _)| acts(owner)).map(|(owner, parts)| {
            u32::from(*parts).saturating_sub(self.awarded_to(asset, right, owner))
        });
        need(lasting.sum::<u32>() >= u32::from(epoch.threshold.unwrap_or(1)), Code::PartsHeld)
    }

    /// Whether a member acts for a right by itself, without anybody's approval.
    pub fn alone(&self, member: &Handle, asset: &AssetId, right: Right) -> bool {
        let epoch = self.epoch(asset, right);
        let same = |other: &Handle| self.acting(other) == self.acting(member);
        let Some(threshold) = epoch.threshold else { return same(&epoch.manager) };
        let own = epoch.owners.iter().filter(|(owner, _)| same(owner));
        own.map(|(_, parts)| u32::from(*parts)).sum::<u32>() >= u32::from(threshold)
    }

    /// Whether an owner, or who acts for him, has approved an act.
    fn approved(&self, act: &Act<'_>, asset: &AssetId, owner: &Handle) -> bool {
        let hash = headwater_ledger::execute::act_hash(act.event).unwrap();
        let by_him = |by: &Handle| self.acting(by) == self.acting(owner);
        self.approvals
            .iter()
            .any(|(a, h, by, at)| a == asset && *h == hash && by_him(by) && self.counts(*at))
    }

    /// Whether an approval signed so still counts.
    fn counts(&self, signed: Signed) -> bool {
        self.now <= signed.1 + APPROVAL_MS && !self.compromised(signed)
    }

    /// Whether the owners of a processing right that the split pays have agreed to a floor.
    pub fn floor_consent(&self, act: &Act<'_>, asset: &AssetId, terms: &Terms) -> Verdict {
        let paid = self.assets[asset].split.share_bp(Right::Processing) > 0;
        if terms.floor_bp == 0 || !paid {
            return Ok(());
        }
        act.spent.borrow_mut().insert(*asset);
        let owners = &self.epoch(asset, Right::Processing).owners;
        let agreed = owners.keys().all(|o| self.is(act.author, o) || self.approved(act, asset, o));
        need(agreed, Code::FloorConsentMissing)
    }

    /// An approval serves once: the act that passed has used it up.
    pub fn spend(&mut self, act: &Act<'_>) {
        let hash = headwater_ledger::execute::act_hash(act.event).unwrap();
        let spent = act.spent.borrow();
        self.approvals.retain(|(asset, h, ..)| *h != hash || !spent.contains(asset));
    }

    pub fn transfer(&mut self, act: &Act<'_>, id: TransferId, e: &TransferRight) -> Verdict {
        self.uncontested(&e.asset)?;
        self.disposes(act, &e.asset, e.right)?;
        let sum: u32 = e.owners.iter().map(|o| u32::from(o.parts)).sum();
        need(sum == 10_000 && e.owners.iter().all(|o| o.parts > 0), Code::PartsSum)?;
        let owners = owners_of(&e.owners);
        need(owners.len() == e.owners.len(), Code::RepeatedOwner)?;
        need(owners.contains_key(&e.manager), Code::ManagerNotOwner)?;
        need(e.threshold_parts.is_none_or(|t| (1..=10_000).contains(&t)), Code::ThresholdInvalid)?;
        for owner in owners.keys() {
            self.known(owner)?;
        }
        let current = self.epoch(&e.asset, e.right);
        let old = &current.owners;
        let same = *old == owners
            && current.manager == e.manager
            && current.threshold == e.threshold_parts;
        need(!same, Code::TransferUnchanged)?;
        let asked: BTreeSet<Handle> = owners
            .keys()
            .filter(|o| !old.contains_key(*o))
            .chain(old.iter().filter(|(o, p)| owners.get(*o).is_none_or(|n| n < *p)).map(|x| x.0))
            .filter(|o| !self.is(act.author, o))
            .cloned()
            .collect();
        let transfer = Transfer {
            asset: e.asset,
            right: e.right,
            proposer: act.author.clone(),
            owners,
            manager: e.manager.clone(),
            threshold: e.threshold_parts,
            changes: current.changes,
            outstanding: asked.into_iter().collect(),
            signed: vec![(act.signer, self.now)],
            done: false,
        };
        self.transfers.insert(id, transfer);
        self.take_effect(act, id)
    }

    fn take_effect(&mut self, act: &Act<'_>, id: TransferId) -> Verdict {
        let transfer = self.transfers[&id].clone();
        if !transfer.outstanding.is_empty() {
            return Ok(());
        }
        let old = self.epoch(&transfer.asset, transfer.right);
        if old.owners != transfer.owners {
            for (owner, parts) in &old.owners {
                let holds = self.holds_on(&transfer.asset, transfer.right).into_iter();
                let held = holds.filter(|h| h.owner == *owner).map(|h| u32::from(h.parts)).sum();
                let left = transfer.owners.get(owner).copied().unwrap_or(0);
                need(u32::from(left) >= u32::min(held, (*parts).into()), Code::PartsHeld)?;
            }
        }
        let transfer = self.transfers.get_mut(&id).unwrap();
        transfer.done = true;
        let epochs = self.rights.get_mut(&(transfer.asset, transfer.right)).unwrap();
        let old = epochs.last_mut().unwrap();
        old.changes += 1;
        let back = self.now.saturating_sub(self.rulebook.compromise_lookback_ms);
        let mut signed = old.signed.clone();
        signed.retain(|(_, time)| *time >= back);
        signed.extend(&transfer.signed);
        let epoch = Epoch {
            seq: act.seq,
            signed,
            changes: old.changes,
            owners: transfer.owners.clone(),
            manager: transfer.manager.clone(),
            threshold: transfer.threshold,
        };
        if old.owners == epoch.owners {
            *old = Epoch { seq: old.seq, ..epoch };
        } else {
            epochs.push(epoch);
        }
        Ok(())
    }

    pub fn accept_transfer(&mut self, act: &Act<'_>, e: &AcceptTransfer) -> Verdict {
        let transfer = self.transfers.get(&e.transfer).ok_or(Code::UnknownTransfer)?.clone();
        self.uncontested(&transfer.asset)?;
        let current = self.epoch(&transfer.asset, transfer.right).changes;
        need(!transfer.done && current == transfer.changes, Code::TransferClosed)?;
        self.title(self.epoch(&transfer.asset, transfer.right))?;
        let stolen = transfer.signed.iter().any(|signed| self.compromised(*signed));
        need(!stolen, Code::Contested)?;
        self.not_suspended(&transfer.proposer)?;
        let left: Vec<Handle> =
            transfer.outstanding.iter().filter(|o| !self.is(act.author, o)).cloned().collect();
        need(left.len() < transfer.outstanding.len(), Code::ConsentNotAsked)?;
        let signed = (act.signer, self.now);
        let held = self.transfers.get_mut(&e.transfer).unwrap();
        held.outstanding = left;
        held.signed.push(signed);
        self.take_effect(act, e.transfer)
    }

    pub fn approve_act(&mut self, act: &Act<'_>, e: &ApproveAct) -> Verdict {
        self.asset_named(&e.asset)?;
        let owners: BTreeSet<Handle> = Right::ALL
            .into_iter()
            .flat_map(|right| self.epoch(&e.asset, right).owners.keys())
            .map(|owner| self.acting(owner))
            .collect();
        need(owners.contains(act.author), Code::NotOwner)?;
        let this = |a: &AssetId, h: &Digest| *a == e.asset && *h == e.act;
        let again = |(a, h, by, at): &(AssetId, Digest, Handle, Signed)| {
            this(a, h) && self.is(act.author, by) && self.counts(*at)
        };
        need(!self.approvals.iter().any(again), Code::ActApprovedAlready)?;
        let kept = self
            .approvals
            .iter()
            .filter(|(a, h, by, _)| !this(a, h) || owners.contains(&self.acting(by)));
        self.approvals = kept.cloned().collect();
        self.approvals.insert((e.asset, e.act, act.author.clone(), (act.signer, self.now)));
        Ok(())
    }
}
