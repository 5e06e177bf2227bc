//! Requests and standing offers in the naive model.

use std::collections::BTreeMap;

use headwater_ledger::event::rights::{
    Exclusivity, GrantRight, OfferStanding, RequestGrant, Terms,
};
use headwater_ledger::hash::{AssetId, GrantId, OfferId, RequestId};
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::naive::{Act, Grant, Naive, Offer, Request, Signed, Standing, Verdict, need};

/// A grant that is accepted from the beginning.
fn accepted(
    (asset, right): (AssetId, GrantRight),
    (grantor, grantee): (&Handle, &Handle),
    terms: &Terms,
    under: &[GrantId],
    signed: Signed,
) -> Grant {
    Grant {
        asset,
        right,
        grantor: grantor.clone(),
        changes: 0,
        grantee: grantee.clone(),
        terms: terms.clone(),
        under: under.to_vec(),
        parent: None,
        standing: Standing::Accepted,
        end: terms.not_after_ms,
        revoked: None,
        revoked_by: None,
        file_by: 0,
        used: 0,
        signed,
        cleared: false,
    }
}

impl Naive {
    pub fn request(&mut self, act: &Act<'_>, id: RequestId, e: &RequestGrant) -> Verdict {
        self.in_force(&e.asset)?;
        self.usable(&e.asset)?;
        self.terms_valid(e.right, &e.terms, &[], None)?;
        self.inherited(&e.asset, &e.terms.purposes, &e.terms.territories)?;
        let request = Request {
            asset: e.asset,
            right: e.right,
            by: act.author.clone(),
            terms: e.terms.clone(),
            open: true,
        };
        self.requests.insert(id, request);
        Ok(())
    }

    fn open_request(&self, id: &RequestId) -> Result<Request, Code> {
        let request = self.requests.get(id).ok_or(Code::UnknownRequest)?;
        need(request.open, Code::RequestClosed)?;
        Ok(request.clone())
    }

    pub fn approve_requests(
        &mut self,
        act: &Act<'_>,
        ids: &[RequestId],
        under: &[GrantId],
    ) -> Verdict {
        need(!ids.is_empty(), Code::RequestsEmpty)?;
        self.all_known(under)?;
        for id in ids {
            let request = self.open_request(id)?;
            let place = (request.asset, request.right);
            self.in_force(&request.asset)?;
            self.usable(&request.asset)?;
            self.disposes(act, &request.asset, request.right.into())?;
            need(self.now <= request.terms.not_after_ms, Code::RequestClosed)?;
            self.not_suspended(&request.by)?;
            self.future_valid(act, (&request.asset, request.right), &request.terms)?;
            let mut rests_on: &[GrantId] = &[];
            match request.right {
                GrantRight::Processing => {
                    self.floor_consent(act, &request.asset, &request.terms)?;
                }
                GrantRight::Operation => {
                    rests_on = under;
                    let cover = self.cover(act.author, &request.asset, under)?;
                    self.within(&cover, &request.terms)?;
                }
            }
            let signed = (act.signer, self.now);
            let parties = (act.author, &request.by);
            let grant = accepted(place, parties, &request.terms, rests_on, signed);
            let id_of_grant = GrantId::from_digest(*id.digest());
            self.comes_into_force(id_of_grant, &grant)?;
            self.between_two(&grant)?;
            self.requests.get_mut(id).unwrap().open = false;
            self.grants.insert(id_of_grant, grant);
        }
        Ok(())
    }

    pub fn decline_requests(&mut self, act: &Act<'_>, ids: &[RequestId]) -> Verdict {
        need(!ids.is_empty(), Code::RequestsEmpty)?;
        for id in ids {
            let request = self.open_request(id)?;
            if !self.is(act.author, &request.by) {
                self.acts_for(act, &request.asset, request.right.into())?;
            }
            self.requests.get_mut(id).unwrap().open = false;
        }
        Ok(())
    }

    pub fn offer_standing(&mut self, act: &Act<'_>, id: OfferId, e: &OfferStanding) -> Verdict {
        self.in_force(&e.asset)?;
        self.usable(&e.asset)?;
        self.disposes(act, &e.asset, e.right.into())?;
        self.terms_valid(e.right, &e.terms, &e.under, None)?;
        self.future_valid(act, (&e.asset, e.right), &e.terms)?;
        need(e.terms.exclusivity == Exclusivity::None, Code::TermsInvalid)?;
        match e.right {
            GrantRight::Processing => self.floor_consent(act, &e.asset, &e.terms)?,
            GrantRight::Operation => {
                self.within(&self.cover(act.author, &e.asset, &e.under)?, &e.terms)?;
            }
        }
        let offer = Offer {
            asset: e.asset,
            right: e.right,
            grantor: act.author.clone(),
            terms: e.terms.clone(),
            under: e.under.to_vec(),
            take_by: e.take_by_ms,
            withdrawn: false,
            signed: (act.signer, self.now),
            changes: self.epoch(&e.asset, e.right.into()).changes,
            taken: BTreeMap::new(),
        };
        self.offers.insert(id, offer);
        Ok(())
    }

    fn standing_offer(&self, id: &OfferId) -> Result<Offer, Code> {
        let offer = self.offers.get(id).ok_or(Code::UnknownOffer)?;
        need(!offer.withdrawn, Code::OfferClosed)?;
        Ok(offer.clone())
    }

    pub fn take(&mut self, act: &Act<'_>, id: GrantId, e: &OfferId) -> Verdict {
        let offer = self.standing_offer(e)?;
        self.in_force(&offer.asset)?;
        self.usable(&offer.asset)?;
        let open = self.now <= offer.take_by && self.now <= offer.terms.not_after_ms;
        need(open, Code::OfferClosed)?;
        let changes = self.epoch(&offer.asset, offer.right.into()).changes;
        need(changes == offer.changes, Code::OfferClosed)?;
        let before = offer.taken.get(act.author).map(|grant| &self.grants[grant]);
        let gave_back = |g: &Grant| g.standing == Standing::Surrendered && g.revoked.is_none();
        let whole = |g: &Grant| offer.terms.max_derivations.is_none() || g.used == 0;
        let again = before.is_none_or(|g| gave_back(g) && whole(g));
        need(again, Code::OfferClosed)?;
        self.not_suspended(&offer.grantor)?;
        self.title(self.epoch(&offer.asset, offer.right.into()))?;
        need(!self.compromised(offer.signed), Code::Contested)?;
        if offer.right == GrantRight::Operation {
            let cover = self.cover(&offer.grantor, &offer.asset, &offer.under)?;
            self.within(&cover, &offer.terms)?;
        }
        let place = (offer.asset, offer.right);
        let parties = (&offer.grantor, act.author);
        let grant = accepted(place, parties, &offer.terms, &offer.under, offer.signed);
        self.comes_into_force(id, &grant)?;
        self.between_two(&grant)?;
        self.grants.insert(id, grant);
        self.offers.get_mut(e).unwrap().taken.insert(act.author.clone(), id);
        Ok(())
    }

    pub fn withdraw_offer(&mut self, act: &Act<'_>, id: &OfferId) -> Verdict {
        let offer = self.standing_offer(id)?;
        self.acts_for(act, &offer.asset, offer.right.into())?;
        self.offers.get_mut(id).unwrap().withdrawn = true;
        Ok(())
    }
}
