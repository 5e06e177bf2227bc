//! Every event of the naive model in one table.

use headwater_ledger::event::Event;
use headwater_ledger::hash::{
    AccessId, AggregateId, AssetId, CertificateId, ChangeId, ContractId, Digest, GrantId,
    ListingId, OfferId, PaymentId, PayoutId, RegistrationId, RequestId, SetOffId, TransferId,
};
use headwater_ledger::keys::PublicKey;
use headwater_ledger::reject::Code;
use headwater_ledger::text::Handle;

use crate::naive::{Act, Naive, Verdict, need};

/// What a suspended member may do: defend itself.
fn defends(event: &Event) -> bool {
    let names = ["appeal_ruling", "file_evidence", "contest_payout", "open_dispute"];
    names.contains(&event.name())
}

impl Naive {
    /// Judges one act, signed by some keys in order, and, when it passes, records it. `asset` is the id that
    /// a registration makes.
    pub fn apply(
        &mut self,
        (author, event): (&Handle, &Event),
        keys: &[PublicKey],
        (id, seq): (Digest, u64),
        asset: Option<AssetId>,
    ) -> Verdict {
        let mut next = self.clone();
        next.activate();
        let member = next.members.get(author).ok_or(Code::UnknownAuthor)?;
        need(!member.suspended || defends(event), Code::AuthorSuspended)?;
        need(member.successor.is_none(), Code::AuthorSucceeded)?;
        next.signed_by(author, event, keys)?;
        let signer = keys[0];
        let act = Act { author, event, id, seq, signer, spent: Default::default() };
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
            Event::AdmitMember(e) => self.admit(act, e),
            Event::SetRoles(e) => self.set_roles(act, e),
            Event::AddKey(e) => self.add_key(act, e),
            Event::RevokeKey(e) => self.revoke_key(act, e),
            Event::SetTwoKeys(e) => self.set_two_keys(act, e),
            Event::ProposeChange(e) => self.propose_change(act, ChangeId::from_digest(id), e),
            Event::ApproveChange(e) => self.approve_change(act, e),
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
            Event::FileEvidence(e) => self.file_evidence(act, e),
            Event::FileRegistration(e) => {
                self.file_registration(act, RegistrationId::from_digest(id), e)
            }
            Event::ObjectRegistration(e) => self.object_registration(act, e),
            Event::DecideRegistration(e) => self.decide_registration(act, e),
            Event::ChangeRegistration(e) => self.change_registration(act, e),
            Event::RenewRegistration(e) => self.renew_registration(act, e),
            Event::CancelRegistration(e) => self.cancel_registration(act, e),
            Event::RequestAccess(e) => self.request_access(act, AccessId::from_digest(id), e),
            Event::DecideAccess(e) => self.decide_access(act, e),
            Event::RecordUsage(e) => self.record_usage(act, e),
            Event::RecordValuation(e) => self.value(act, e),
            Event::IssueCertificate(e) => self.issue(act, CertificateId::from_digest(id), e),
            Event::VoidCertificate(e) => self.void_certificate(act, e),
            Event::SealSources(e) => self.seal(act, AggregateId::from_digest(id), e),
            Event::PaySource(e) => self.pay_source(act, e),
        }
    }
}
