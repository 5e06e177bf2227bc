//! What an event needs of the keys that sign it: their scope, and how many of them.

use super::Event;
use super::member::{Scope, TwoKeyAct};
use crate::keys::PublicKey;
use crate::text::Handle;

/// What an event changes about the keys that its author's acts need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange<'a> {
    /// Nothing.
    None,
    /// Adds a key with these scopes.
    Adds(&'a [Scope]),
    /// Ends this key of this member.
    Ends(&'a Handle, &'a PublicKey),
    /// Says which acts need two keys, or whose keys sign instead of the member's.
    Chooses,
}

/// How an event is signed besides the scope that its key needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signing {
    Plain,
    /// A suspended member defends itself so.
    Defends,
    /// The member or the rulebook can ask for two keys: of the kind of its scope.
    TwoKeys,
}

impl Event {
    /// The key scope an author needs for this event. Implements [LED-MEM-3].
    pub fn scope(&self) -> Scope {
        self.signing().0
    }

    /// Whether a suspended member may do it, where it defends itself. Implements [LED-MEM-4].
    pub fn defends(&self) -> bool {
        self.signing().1 == Signing::Defends
    }

    /// The kind of act for which two keys can be required. Implements [LED-MEM-8].
    pub fn two_key_act(&self) -> Option<TwoKeyAct> {
        match self.signing() {
            (Scope::Money, Signing::TwoKeys) => Some(TwoKeyAct::Money),
            (Scope::Rights, Signing::TwoKeys) => Some(TwoKeyAct::Transfers),
            (Scope::Arbitrate, Signing::TwoKeys) => Some(TwoKeyAct::Rulings),
            (_, Signing::Plain | Signing::Defends | Signing::TwoKeys) => None,
        }
    }

    fn signing(&self) -> (Scope, Signing) {
        match self {
            Event::AdmitMember(_)
            | Event::SetRoles(_)
            | Event::AddKey(_)
            | Event::RevokeKey(_)
            | Event::SetTwoKeys(_)
            | Event::RelateMembers(_)
            | Event::ProposeSuccession(_)
            | Event::AcceptSuccession(_)
            | Event::ProposeChange(_)
            | Event::ApproveChange(_) => (Scope::Admin, Signing::Plain),
            Event::SuspendMember(_)
            | Event::ReinstateMember(_)
            | Event::OrderFreeze(_)
            | Event::RuleDispute(_) => (Scope::Arbitrate, Signing::TwoKeys),
            Event::RegisterAsset(_)
            | Event::VoidAsset(_)
            | Event::WithdrawConsent(_)
            | Event::AttestDeidentification(_)
            | Event::FileRegistration(_)
            | Event::ObjectRegistration(_)
            | Event::DecideRegistration(_)
            | Event::ChangeRegistration(_)
            | Event::RenewRegistration(_)
            | Event::CancelRegistration(_)
            | Event::RecordUsage(_) => (Scope::Register, Signing::Plain),
            Event::TransferRight(_) | Event::AcceptTransfer(_) => (Scope::Rights, Signing::TwoKeys),
            Event::OpenDispute(_) | Event::FileEvidence(_) | Event::AppealRuling(_) => {
                (Scope::Rights, Signing::Defends)
            }
            Event::OfferGrant(_)
            | Event::AcceptGrant(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_)
            | Event::ApproveAct(_)
            | Event::RequestGrant(_)
            | Event::ApproveRequests(_)
            | Event::DeclineRequests(_)
            | Event::OfferStanding(_)
            | Event::TakeOffer(_)
            | Event::WithdrawOffer(_)
            | Event::RenewGrant(_)
            | Event::SurrenderGrant(_)
            | Event::ConsentFiling(_)
            | Event::RequestAccess(_)
            | Event::DecideAccess(_) => (Scope::Rights, Signing::Plain),
            Event::ListProduct(_)
            | Event::ReviewListing(_)
            | Event::ProposeContract(_)
            | Event::SignContract(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_)
            | Event::ReviewCompliance(_)
            | Event::RecordValuation(_)
            | Event::DelistProduct(_)
            | Event::DeclineContract(_)
            | Event::WithdrawContract(_)
            | Event::TerminateContract(_)
            | Event::IssueCertificate(_)
            | Event::VoidCertificate(_) => (Scope::Contract, Signing::Plain),
            Event::RecordPayment(_)
            | Event::RefundPayment(_)
            | Event::VoidPayment(_)
            | Event::RecordPayout(_)
            | Event::SetOffOverpayment(_)
            | Event::CloseAccount(_)
            | Event::PaySource(_) => (Scope::Money, Signing::TwoKeys),
            Event::ContestPayout(_) => (Scope::Money, Signing::Defends),
            Event::SealSources(_) => (Scope::Money, Signing::Plain),
        }
    }

    /// What the event changes about the keys that its author's acts need. Implements [LED-MEM-8].
    pub fn key_change(&self) -> KeyChange<'_> {
        match self {
            Event::AddKey(e) => KeyChange::Adds(&e.key.scopes),
            Event::RevokeKey(e) => KeyChange::Ends(&e.member, &e.key),
            Event::SetTwoKeys(_) | Event::ProposeSuccession(_) => KeyChange::Chooses,
            Event::AdmitMember(_)
            | Event::SuspendMember(_)
            | Event::ReinstateMember(_)
            | Event::RegisterAsset(_)
            | Event::TransferRight(_)
            | Event::AcceptTransfer(_)
            | Event::OfferGrant(_)
            | Event::AcceptGrant(_)
            | Event::DeclineGrant(_)
            | Event::RevokeGrant(_)
            | Event::VoidAsset(_)
            | Event::ListProduct(_)
            | Event::ReviewListing(_)
            | Event::ProposeContract(_)
            | Event::SignContract(_)
            | Event::RecordPayment(_)
            | Event::RecordDelivery(_)
            | Event::ConfirmDelivery(_)
            | Event::RefundPayment(_)
            | Event::SetRoles(_)
            | Event::RelateMembers(_)
            | Event::AcceptSuccession(_)
            | Event::ProposeChange(_)
            | Event::ApproveChange(_)
            | Event::WithdrawConsent(_)
            | Event::AttestDeidentification(_)
            | Event::FileRegistration(_)
            | Event::ObjectRegistration(_)
            | Event::DecideRegistration(_)
            | Event::ChangeRegistration(_)
            | Event::RenewRegistration(_)
            | Event::CancelRegistration(_)
            | Event::ApproveAct(_)
            | Event::RequestGrant(_)
            | Event::ApproveRequests(_)
            | Event::DeclineRequests(_)
            | Event::OfferStanding(_)
            | Event::TakeOffer(_)
            | Event::WithdrawOffer(_)
            | Event::RenewGrant(_)
            | Event::SurrenderGrant(_)
            | Event::ConsentFiling(_)
            | Event::RequestAccess(_)
            | Event::DecideAccess(_)
            | Event::RecordUsage(_)
            | Event::ReviewCompliance(_)
            | Event::RecordValuation(_)
            | Event::DelistProduct(_)
            | Event::DeclineContract(_)
            | Event::WithdrawContract(_)
            | Event::TerminateContract(_)
            | Event::VoidPayment(_)
            | Event::RecordPayout(_)
            | Event::SetOffOverpayment(_)
            | Event::ContestPayout(_)
            | Event::CloseAccount(_)
            | Event::IssueCertificate(_)
            | Event::VoidCertificate(_)
            | Event::SealSources(_)
            | Event::PaySource(_)
            | Event::OpenDispute(_)
            | Event::OrderFreeze(_)
            | Event::FileEvidence(_)
            | Event::RuleDispute(_)
            | Event::AppealRuling(_) => KeyChange::None,
        }
    }
}
