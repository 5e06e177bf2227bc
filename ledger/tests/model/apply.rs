//! Every event of the naive model in one table, with the members.

use headwater_ledger::event::Event;
use headwater_ledger::event::member::{ProposeSuccession, RelateMembers, Role};
use headwater_ledger::hash::{
    AssetId, ContractId, Digest, GrantId, ListingId, OfferId, PaymentId, PayoutId, RequestId,
    SetOffId, SuccessionId, TransferId,
};
use headwater_ledger::limits::MAX_CHAIN;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::naive::{Act, Naive, Succession, Verdict, need};

impl Naive {
    /// Judges one act and, when it passes, records it. `asset` is the id that a registration makes.
    pub fn apply(
        &mut self,
        author: &Handle,
        event: &Event,
        (id, seq): (Digest, u64),
        asset: Option<AssetId>,
    ) -> Verdict {
        let member = self.members.get(author).ok_or(Code::UnknownAuthor)?;
        need(!member.suspended, Code::AuthorSuspended)?;
        need(member.successor.is_none(), Code::AuthorSucceeded)?;
        let mut next = self.clone();
        let act = Act { author, event, id, seq, spent: Default::default() };
        next.step(&act, asset)?;
        next.spend(&act);
        *self = next;
        Ok(())
    }

    fn step(&mut self, act: &Act<'_>, asset: Option<AssetId>) -> Verdict {
        let id = act.id;
        match act.event {
            Event::SuspendMember(e) => self.suspend(act, &e.member, true),
            Event::ReinstateMember(e) => self.suspend(act, &e.member, false),
            Event::RelateMembers(e) => self.relate(act, e),
            Event::ProposeSuccession(e) => self.propose_succession(act, e),
            Event::AcceptSuccession(e) => self.accept_succession(act, &e.succession),
            Event::RegisterAsset(e) => self.register(act, asset.expect("an asset has an id"), e),
            Event::VoidAsset(e) => self.void_asset(act, &e.asset),
            Event::WithdrawConsent(e) => self.withdraw_consent(act, e),
            Event::AttestDeidentification(e) => self.attest(act, e),
            Event::TransferRight(e) => self.transfer(act, TransferId::from_digest(id), e),
            Event::AcceptTransfer(e) => self.accept_transfer(act, e),
            Event::ApproveAct(e) => self.approve_act(act, e),
            Event::OfferGrant(e) => self.offer(act, GrantId::from_digest(id), e),
            Event::AcceptGrant(e) => self.accept(act, &e.grant),
            Event::DeclineGrant(e) => self.decline(act, &e.grant),
            Event::RevokeGrant(e) => self.revoke(act, &e.grant),
            Event::RenewGrant(e) => self.renew(act, e),
            Event::SurrenderGrant(e) => self.surrender(act, &e.grant),
            Event::ConsentFiling(e) => self.consent_filing(act, e),
            Event::RequestGrant(e) => self.request(act, RequestId::from_digest(id), e),
            Event::ApproveRequests(e) => self.approve_requests(act, &e.requests, &e.under),
            Event::DeclineRequests(e) => self.decline_requests(act, &e.requests),
            Event::OfferStanding(e) => self.offer_standing(act, OfferId::from_digest(id), e),
            Event::TakeOffer(e) => self.take(act, GrantId::from_digest(id), &e.offer),
            Event::WithdrawOffer(e) => self.withdraw_offer(act, &e.offer),
            Event::ReviewCompliance(e) => self.review_compliance(act, e),
            Event::ListProduct(e) => self.list(act, ListingId::from_digest(id), e),
            Event::ReviewListing(e) => self.review_listing(act, e),
            Event::DelistProduct(e) => self.delist(act, &e.listing),
            Event::ProposeContract(e) => self.propose(act, ContractId::from_digest(id), e),
            Event::SignContract(e) => self.sign(act, &e.contract, e.schedule),
            Event::DeclineContract(e) => self.end_unsigned(act, &e.contract, false),
            Event::WithdrawContract(e) => self.end_unsigned(act, &e.contract, true),
            Event::TerminateContract(e) => self.terminate(act, &e.contract),
            Event::RecordDelivery(e) => self.deliver(act, &e.contract),
            Event::ConfirmDelivery(e) => self.confirm(act, &e.contract),
            Event::RecordPayment(e) => self.pay(act, PaymentId::from_digest(id), e),
            Event::RefundPayment(e) => self.refund(act, e),
            Event::VoidPayment(e) => self.void_payment(act, &e.payment),
            Event::RecordPayout(e) => self.payout(act, PayoutId::from_digest(id), e),
            Event::SetOffOverpayment(e) => self.set_off(act, SetOffId::from_digest(id), e),
            Event::ContestPayout(e) => self.contest(act, e),
            Event::CloseAccount(e) => self.close(act, &e.account),
            Event::OpenDispute(e) => self.open_dispute(act, e),
            Event::OrderFreeze(e) => self.freeze(act, e),
            Event::RuleDispute(e) => self.rule(act, e),
            Event::AppealRuling(e) => self.appeal(act, e),
            other => panic!("the model does not know {}", other.name()),
        }
    }

    fn suspend(&mut self, act: &Act<'_>, member: &Handle, suspended: bool) -> Verdict {
        need(self.has_role(act.author, Role::Regulator), Code::RoleRequired)?;
        let held = self.members.get_mut(member).ok_or(Code::UnknownMember)?;
        need(act.author != member, Code::NotConcerned)?;
        need(held.successor.is_none(), Code::SuccessionClosed)?;
        let code = if suspended { Code::AlreadySuspended } else { Code::NotSuspended };
        need(held.suspended != suspended, code)?;
        held.suspended = suspended;
        Ok(())
    }

    fn relate(&mut self, act: &Act<'_>, e: &RelateMembers) -> Verdict {
        self.known(&e.a)?;
        self.known(&e.b)?;
        let (a, b) = (self.succession(&e.a), self.succession(&e.b));
        need(a.last() != b.last(), Code::SameMember)?;
        let own = self.is(act.author, &e.a) || self.is(act.author, &e.b);
        let regulator = self.has_role(act.author, Role::Regulator);
        let watched = [&e.a, &e.b].map(|m| self.has_role(&self.acting(m), Role::Regulator));
        let may = if e.related {
            regulator || own && watched == [false, false]
        } else {
            regulator && !own
        };
        need(may, Code::NotConcerned)?;
        if e.related {
            self.related.insert((self.acting(&e.a), self.acting(&e.b)));
            return Ok(());
        }
        let of = |x: &Handle, y: &Handle| a.contains(x) && b.contains(y);
        self.related.retain(|(x, y)| !of(x, y) && !of(y, x));
        Ok(())
    }

    fn propose_succession(&mut self, act: &Act<'_>, e: &ProposeSuccession) -> Verdict {
        let own = *act.author == e.member;
        need(own || self.has_role(act.author, Role::Regulator), Code::NotConcerned)?;
        self.known(&e.member)?;
        self.known(&e.successor)?;
        let (member, successor) = (e.member.clone(), e.successor.clone());
        let proposer = act.author.clone();
        let proposed = Succession { member, successor, proposer, accepted: false };
        self.can_succeed(&proposed)?;
        self.successions.insert(SuccessionId::from_digest(act.id), proposed);
        Ok(())
    }

    fn can_succeed(&self, s: &Succession) -> Verdict {
        if s.proposer != s.member {
            let own_word = [Role::Exchange, Role::Regulator, Role::Auditor];
            let free = own_word.iter().all(|role| !self.has_role(&s.member, *role));
            need(free, Code::NotConcerned)?;
            need(!self.related(&s.proposer, &s.successor), Code::NotIndependent)?;
        }
        let (member, next) = (&self.members[&s.member], &self.members[&s.successor]);
        need(member.successor.is_none(), Code::SuccessionClosed)?;
        let exchanges = [&s.member, &s.successor].map(|m| self.has_role(m, Role::Exchange));
        let fits = s.member != s.successor
            && !member.suspended
            && !next.suspended
            && next.successor.is_none()
            && exchanges != [true, false]
            && self.predecessors(&s.member) < MAX_CHAIN;
        need(fits, Code::SuccessionInvalid)
    }

    /// The longest line of successions that leads to a member.
    fn predecessors(&self, member: &Handle) -> usize {
        let before = self.members.iter().filter(|(_, m)| m.successor.as_ref() == Some(member));
        before.map(|(handle, _)| 1 + self.predecessors(handle)).max().unwrap_or(0)
    }

    fn accept_succession(&mut self, act: &Act<'_>, id: &SuccessionId) -> Verdict {
        let held = self.successions.get(id).ok_or(Code::UnknownSuccession)?.clone();
        need(held.successor == *act.author, Code::NotSuccessor)?;
        need(!held.accepted, Code::SuccessionClosed)?;
        self.can_succeed(&held)?;
        self.successions.get_mut(id).unwrap().accepted = true;
        self.members.get_mut(&held.member).unwrap().successor = Some(held.successor);
        Ok(())
    }
}
