//! Why an asset was accepted, and what it may serve for now.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Reason, owners};
use crate::asset::is_duplicate;
use crate::event::market::Decision;
use crate::hash::{AssetId, GrantId, ListingId, RegistrationId};
use crate::query::{Direction, Lists, QueryError, Trace, recorded, shown, trace};
use crate::reject::Fault;
use crate::split::Right;
use crate::state::record::{
    AssetRecord, AttestationRecord, ComplianceRecord, GrantStatus, ListingStatus,
    RegistrationRecord, Signed, ValuationRecord, Watch, WithdrawalRecord,
};
use crate::state::{Key, Records, Relation};
use crate::words::{money, percent, word};
use crate::{version, watch};

impl<V: Lists> Case<'_, V> {
    pub(super) fn asset(&mut self, id: &AssetId, asset: &AssetRecord) -> Result<(), QueryError> {
        self.recorded_asset(id, asset)?;
        let ancestry = trace(self.view, id, Direction::Up, None)?;
        self.inputs(id, asset, &ancestry)?;
        for right in Right::ALL {
            self.ownership(id, asset, right)?;
        }
        let towards = shortest_ways(&ancestry);
        self.floors(id, &towards)?;
        let mut blocks = Vec::new();
        if asset.void {
            self.say(Reason::new("LED-AST-6", "void: nothing new is built on it or sold"));
            blocks.push("it is void");
        }
        if self.contests(id, asset)? {
            blocks.push("it is contested");
        }
        if self.watches(id, &towards)? {
            blocks.push("something in its ancestry suspends it");
        }
        if self.withdrawal(id)? {
            blocks.push("consent was withdrawn from this version");
        }
        self.findings(id)?;
        self.registrations(id)?;
        self.listings(id)?;
        let text = if blocks.is_empty() {
            "new derivations, grants and listings of it are possible, as far as rights allow"
                .to_string()
        } else {
            format!("it serves for nothing new: {}", blocks.join(", "))
        };
        self.say(Reason::new("LED-AST-7", text).with("time_ms", self.time_ms));
        Ok(())
    }

    fn recorded_asset(&mut self, id: &AssetId, asset: &AssetRecord) -> Result<(), QueryError> {
        let text = format!("{} registered it as a {} asset", asset.author, word(&asset.stage));
        self.say(
            Reason::new("LED-AST-1", text.to_lowercase())
                .with("event", asset.event)
                .with("height", asset.height)
                .with("time_ms", asset.time_ms)
                .with("content", asset.content.root),
        );
        let next = version::next(self.view, id, &mut 0)?.map(|(next, _)| next);
        if asset.version > 1 || next.is_some() {
            let mut reason =
                Reason::new("LED-AST-5", format!("version {} of its line", asset.version))
                    .with("first_version", self.name(&asset.first_version)?);
            if let Some(next) = next {
                reason = reason.with("next_version", self.name(&next)?);
            }
            self.say(reason);
        }
        if asset.late {
            let text = "filed late: a grant's term was over, its filing window was not";
            self.say(Reason::new("LED-LIN-5", text));
        }
        Ok(())
    }

    fn inputs(
        &mut self,
        id: &AssetId,
        asset: &AssetRecord,
        ancestry: &Trace,
    ) -> Result<(), QueryError> {
        let edges: Vec<_> = ancestry.edges.iter().filter(|edge| edge.output == *id).collect();
        if edges.is_empty() {
            return Ok(());
        }
        if let Some(activity) = &asset.activity {
            let text = format!("made by {} in {}", word(&activity.kind), activity.territory);
            self.say(
                Reason::new("LED-LIN-1", text.to_lowercase())
                    .with("claimed_from_ms", activity.claimed_from_ms)
                    .with("claimed_to_ms", activity.claimed_to_ms),
            );
        }
        for edge in edges {
            let name = self.name(&edge.input)?;
            let reason = match edge.grant {
                None => Reason::new(
                    "LED-LIN-4",
                    format!("uses {name}: the author owned its processing right"),
                ),
                Some(grant_id) => {
                    let grant = self.view.grant(&grant_id)?;
                    let grant = grant.ok_or_else(|| Fault(format!("grant {grant_id} is gone")))?;
                    let now = match grant.status {
                        GrantStatus::Accepted if self.time_ms <= grant.not_after_ms => "in force",
                        GrantStatus::Accepted => "over now; what it allowed stands",
                        GrantStatus::Revoked => "revoked since",
                        GrantStatus::Surrendered => "given back since",
                        GrantStatus::Voided => "void by a ruling since",
                        GrantStatus::Offered | GrantStatus::Declined | GrantStatus::Withdrawn => {
                            "not accepted"
                        }
                    };
                    let text = format!("uses {name} by a grant of {}, {now}", grant.grantor);
                    Reason::new("LED-LIN-4", text)
                        .with("grant", grant_id)
                        .with("floor_bp", grant.terms.floor_bp)
                }
            };
            self.say(reason.with("weight", edge.weight));
        }
        Ok(())
    }

    fn ownership(
        &mut self,
        id: &AssetId,
        asset: &AssetRecord,
        right: Right,
    ) -> Result<(), QueryError> {
        let head = self.view.right(id, asset, right)?;
        let epoch = self.view.epoch(id, asset, right, head.epoch)?;
        let acts = match head.threshold_parts {
            Some(parts) => format!("owners of {parts} parts act for it together"),
            None => format!("{} acts for it", head.manager),
        };
        let text = format!("{right} right: {}; {acts}", owners(&epoch.owners));
        self.say(
            Reason::new(if head.epoch == 0 { "LED-RGT-1" } else { "LED-RGT-3" }, text)
                .with("epoch", head.epoch)
                .with("since_height", epoch.height),
        );
        for Signed { key, time_ms } in &head.signed {
            if self.signer(key, *time_ms, false)? {
                let text = format!("nobody acts for the {right} right until a ruling about it");
                self.say(Reason::new("LED-RGT-5", text));
            }
        }
        Ok(())
    }

    fn floors(&mut self, id: &AssetId, towards: &Outputs) -> Result<(), QueryError> {
        for floor in self.view.floors(id)? {
            let name = self.name(&floor.source)?;
            let reach = percent(floor.units / 100_000_000_000_000);
            let least = percent(floor.floor_bp);
            let (rule, text) = match &floor.party {
                None => (
                    "LED-FLR-1",
                    format!(
                        "of any sale below, {least} must reach {name}; {reach} of this asset's do"
                    ),
                ),
                Some(party) => (
                    "LED-FLR-3",
                    format!(
                        "of what {party} and those related to it earn with it, {least} must reach \
                         {name}; {reach} do"
                    ),
                ),
            };
            let path = self.path(towards, &floor.source)?;
            self.say(Reason::new(rule, text).with("units", floor.units).along(path));
        }
        Ok(())
    }

    /// Whether the asset is contested: by a compromised key, as a duplicate, or by a dispute.
    fn contests(&mut self, id: &AssetId, asset: &AssetRecord) -> Result<bool, QueryError> {
        let mut contested = self.signer(&asset.signer, asset.time_ms, asset.cleared)?;
        if let Some(first) = asset.duplicate_of {
            let text = format!("the same content was registered before as {}", self.name(&first)?);
            let stands = !asset.cleared && is_duplicate(self.view, asset, &mut 0)?;
            let freed = match (asset.cleared, stands) {
                (true, _) => "; a ruling cleared it",
                (false, false) => ", which contests it no more",
                (false, true) => "",
            };
            self.say(Reason::new("LED-AST-7", format!("{text}{freed}")).with("asset", first));
            contested |= stands;
        }
        if let Some(access) = asset.output_of {
            let text = "logged use of another member put the same content out before";
            let cleared = if asset.cleared { "; a ruling cleared it" } else { "" };
            self.say(Reason::new("LED-AST-7", format!("{text}{cleared}")).with("access", access));
            contested |= !asset.cleared;
        }
        for entry in self.view.entries(&Relation::AssetDuplicates(*id))? {
            let name = self.name(&AssetId::from_digest(entry.id))?;
            let text = format!("the same content was registered later as {name}");
            self.say(Reason::new("LED-AST-7", text).with("height", entry.height));
        }
        for entry in self.view.entries(&Relation::AssetDisputes(*id))? {
            self.dispute_in_brief(&entry)?;
        }
        if asset.disputes > 0 {
            let text = format!("{} disputes about it are open", asset.disputes);
            self.say(Reason::new("LED-DSP-1", text));
        }
        Ok(contested)
    }

    /// Whether a condition in the ancestry has come true.
    fn watches(&mut self, id: &AssetId, towards: &Outputs) -> Result<bool, QueryError> {
        let attested = watch::attested(self.view, id)?;
        let mut suspended = false;
        for condition in watch::listed(self.view, id)? {
            let true_now = watch::has_come_true(self.view, &condition, self.time_ms, &mut 0)?;
            let (reason, source) = match &condition {
                Watch::Grant(grant) => self.watched_grant(grant, true_now)?,
                Watch::Consent(source) => self.watched_consent(source, true_now)?,
            };
            // What was attested is no longer about patients.
            let concerns = match &condition {
                Watch::Grant(_) => true,
                Watch::Consent(_) => !attested,
            };
            suspended |= true_now && concerns;
            let reason = match concerns {
                true => reason,
                false => {
                    Reason { text: format!("{}; attested, so it goes on", reason.text), ..reason }
                }
            };
            let path = self.path(towards, &source)?;
            self.say(reason.along(path));
        }
        Ok(suspended)
    }

    fn watched_grant(&self, id: &GrantId, true_now: bool) -> Result<(Reason, AssetId), QueryError> {
        let grant = self.view.grant(id)?;
        let grant = grant.ok_or_else(|| Fault(format!("grant {id} is gone")))?;
        let name = self.name(&grant.asset)?;
        let text = match true_now {
            true => format!("suspended: a grant on {name} was revoked"),
            false => format!("would be suspended if a grant on {name} were revoked"),
        };
        Ok((Reason::new("LED-WTC-2", text).with("grant", id), grant.asset))
    }

    fn watched_consent(
        &self,
        source: &AssetId,
        true_now: bool,
    ) -> Result<(Reason, AssetId), QueryError> {
        let withdrawn: Option<WithdrawalRecord> = self.view.get(&Key::Withdrawal(*source))?;
        let replaced = match &withdrawn {
            Some(withdrawn) => watch::replacement(self.view, withdrawn, &mut 0)?.is_some(),
            None => false,
        };
        let name = self.name(source)?;
        let text = match (&withdrawn, true_now, replaced) {
            (None, _, _) => format!("watches for withdrawn consent to {name}"),
            (Some(_), true, _) => {
                format!(
                    "suspended: consent to {name} was withdrawn, no version replaced it in time"
                )
            }
            (Some(_), false, true) => {
                format!(
                    "consent to {name} was withdrawn, and a version replaced it in time: \
                         what was made before stays"
                )
            }
            (Some(_), false, false) => {
                format!("consent to {name} was withdrawn; a version is to replace it")
            }
        };
        let reason = Reason::new("LED-WTC-2", text);
        let reason = match &withdrawn {
            Some(w) => reason.with("deadline_ms", w.deadline_ms),
            None => reason,
        };
        Ok((reason, *source))
    }

    fn withdrawal(&mut self, id: &AssetId) -> Result<bool, QueryError> {
        let withdrawn: Option<WithdrawalRecord> = self.view.get(&Key::Withdrawal(*id))?;
        let Some(w) = withdrawn else { return Ok(false) };
        let text = format!("{} patients have withdrawn their consent", w.patients);
        let reason = Reason::new("LED-CNS-1", text).with("deadline_ms", w.deadline_ms);
        self.say(reason.with("height", w.height));
        Ok(true)
    }

    fn findings(&mut self, id: &AssetId) -> Result<(), QueryError> {
        let attested: Option<AttestationRecord> = self.view.get(&Key::Attestation(*id))?;
        if let Some(a) = attested {
            let text = format!("{} attested that nobody can be singled out in it", a.by);
            self.say(Reason::new("LED-CNS-2", text).with("height", a.height));
        }
        let reviewed: Option<ComplianceRecord> = self.view.get(&Key::Compliance(*id))?;
        if let Some(c) = reviewed {
            let found = match c.decision {
                Decision::Accept => "may be traded",
                Decision::Reject => "may not be traded",
            };
            let text = format!("{} reviewed its compliance: it {found}", c.by);
            let reason = Reason::new("LED-MKT-8", text).with("rights_level", c.rights_level);
            self.say(reason.with("height", c.height));
        }
        let valued: Option<ValuationRecord> = self.view.get(&Key::Valuation(*id))?;
        if let Some(v) = valued {
            let text = format!(
                "{} valued it by {} at {}",
                v.by,
                word(&v.method),
                money(v.value, &v.currency)
            );
            let reason = Reason::new("LED-MKT-9", text).with("value_minor_units", v.value);
            self.say(reason.with("currency", v.currency).with("height", v.height));
        }
        Ok(())
    }

    fn registrations(&mut self, id: &AssetId) -> Result<(), QueryError> {
        let registered: Option<RegistrationId> = self.view.get(&Key::RegisteredAs(*id))?;
        let Some(registration) = registered else { return Ok(()) };
        let record: Option<RegistrationRecord> = self.view.get(&Key::Registration(registration))?;
        let record = record.ok_or_else(|| Fault("a registration is not recorded".into()))?;
        self.registration(&record)?;
        Ok(())
    }

    fn listings(&mut self, id: &AssetId) -> Result<(), QueryError> {
        for entry in self.view.entries(&Relation::AssetListings(*id))? {
            let listing = ListingId::from_digest(entry.id);
            let Some(record) = self.view.listing(&listing)? else { continue };
            let stands = match record.status {
                ListingStatus::Pending => "waits for the exchange",
                ListingStatus::Accepted => "is accepted",
                ListingStatus::Rejected => "was rejected",
                ListingStatus::Delisted => "has ended",
            };
            let text = format!("its listing at {} {stands}", record.exchange);
            self.say(Reason::new("LED-MKT-1", text).with("listing", listing));
        }
        Ok(())
    }

    /// A shortest way from the asset that was traced up to one of its ancestors.
    fn path(&self, towards: &Outputs, to: &AssetId) -> Result<Vec<String>, Fault> {
        let mut path = vec![shown(&recorded(self.view, to)?)];
        let mut at = *to;
        while let Some(output) = towards.get(&at) {
            at = *output;
            path.push(self.name(&at)?);
        }
        path.reverse();
        Ok(path)
    }
}

/// For each ancestor of an asset the next asset on a shortest way to it.
type Outputs = BTreeMap<AssetId, AssetId>;

/// Looks at each edge of an ancestry once.
fn shortest_ways(ancestry: &Trace) -> Outputs {
    let mut inputs: BTreeMap<AssetId, Vec<AssetId>> = BTreeMap::new();
    for edge in &ancestry.edges {
        inputs.entry(edge.output).or_default().push(edge.input);
    }
    let mut towards = Outputs::new();
    let mut seen = BTreeSet::from([ancestry.asset]);
    let mut level = vec![ancestry.asset];
    while !level.is_empty() {
        let mut next = Vec::new();
        for output in level {
            for input in inputs.get(&output).into_iter().flatten() {
                if seen.insert(*input) {
                    towards.insert(*input, output);
                    next.push(*input);
                }
            }
        }
        level = next;
    }
    towards
}
