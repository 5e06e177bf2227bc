//! Grants in force in the naive model: what excludes what.

use headwater_ledger::event::asset::Activity;
use headwater_ledger::event::rights::{Exclusivity, GrantRight};
use headwater_ledger::hash::{AssetId, GrantId};
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::grant::meet;
use crate::naive::{Grant, Naive, Standing, Verdict, need, purposes_meet};

impl Naive {
    /// Whether a grant is accepted and neither it nor one above it has ended.
    fn live(&self, id: GrantId) -> bool {
        let mut chain = self.chain(id).into_iter().map(|g| &self.grants[&g]);
        chain.all(|g| g.standing == Standing::Accepted && g.end >= self.now)
    }

    /// The same also of what a ruling has voided and another may put back.
    fn placed(&self, id: GrantId) -> bool {
        self.chain(id).into_iter().all(|id| {
            let g = &self.grants[&id];
            let back = || self.grant_may_come_back(&id);
            g.end >= self.now
                && (g.standing == Standing::Accepted || (g.standing == Standing::Voided && back()))
        })
    }

    /// The grants of a right, on whatever asset, that are in force or to begin.
    pub fn all_live(&self, right: GrantRight) -> impl Iterator<Item = (GrantId, &Grant)> {
        let live = move |(id, g): &(&GrantId, &Grant)| g.right == right && self.live(**id);
        self.grants.iter().filter(live).map(|(id, g)| (*id, g))
    }

    /// Fails when a right that its holder uses himself is granted exclusively to somebody else.
    pub fn not_reserved(
        &self,
        holder: &Handle,
        asset: &AssetId,
        right: GrantRight,
        activity: Option<&Activity>,
    ) -> Verdict {
        let reserved = self.all_live(right).any(|(_, g)| {
            self.reserves(g, asset, activity) && self.acting(&g.grantee) != self.acting(holder)
        });
        need(!reserved, Code::ReservedToGrantee)
    }

    /// Whether a grant is exclusive and has a use in common with some work, or with any.
    pub fn reserves(&self, g: &Grant, asset: &AssetId, activity: Option<&Activity>) -> bool {
        let meets = activity.is_none_or(|a| {
            purposes_meet(&a.purposes, &g.terms.purposes)
                && g.terms.territories.iter().any(|t| meet(t, &a.territory))
        });
        g.terms.exclusivity == Exclusivity::Exclusive
            && self.covers_asset(g, asset)
            && g.terms.not_before_ms <= self.now
            && meets
    }

    /// Fails when another grant in force excludes a grant, or the other way round.
    pub fn conflict_free(&self, id: GrantId, grant: &Grant) -> Verdict {
        let above = grant.parent.map(|p| self.chain(p)).unwrap_or_default();
        let excludes = |g: &Grant| g.terms.exclusivity != Exclusivity::None;
        let t = &grant.terms;
        let placed = self.grants.iter().map(|(id, g)| (*id, g));
        let placed = placed.filter(|(id, g)| g.right == grant.right && self.placed(*id));
        let mut placed = placed;
        let conflict = placed.any(|(other_id, other)| {
            let o = &other.terms;
            // Beside others than sub-licences of the same grant, one ends with those above it.
            let (end, other_end) = match grant.parent {
                Some(p) if other.parent != grant.parent => {
                    (grant.end.min(self.end(p)), self.end(other_id))
                }
                None if other.parent.is_some() => (grant.end, self.end(other_id)),
                Some(_) | None => (grant.end, other.end),
            };
            other_id != id
                && (self.covers_asset(grant, &other.asset)
                    || self.covers_asset(other, &grant.asset))
                && !above.contains(&other_id)
                && !self.chain(other_id).contains(&id)
                && (excludes(grant) || excludes(other))
                && purposes_meet(&o.purposes, &t.purposes)
                && o.territories.iter().any(|a| t.territories.iter().any(|b| meet(a, b)))
                && o.not_before_ms <= end
                && t.not_before_ms <= other_end
        });
        let sold = grant.right == GrantRight::Operation
            && t.exclusivity == Exclusivity::Exclusive
            && self.contracts.iter().any(|(id, c)| {
                c.asset == grant.asset
                    && c.licence.exclusive
                    && self.licensed_until(id, c).is_some_and(|end| t.not_before_ms <= end)
                    && purposes_meet(&c.licence.purposes, &t.purposes)
                    && c.licence
                        .territories
                        .iter()
                        .any(|a| t.territories.iter().any(|b| meet(a, b)))
                    && self.acting(&c.buyer) != self.acting(&grant.grantee)
            });
        need(!conflict && !sold, Code::ExclusiveConflict)
    }

    /// A grant comes into force: it must stand beside the others, unless it has ended before.
    pub fn comes_into_force(&self, id: GrantId, grant: &Grant) -> Verdict {
        if grant.end < self.now { Ok(()) } else { self.conflict_free(id, grant) }
    }
}
