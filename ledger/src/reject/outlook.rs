//! Whether a refused envelope may pass later. Implements [LED-REJ-2].

use super::Code;

/// What can become of a refused envelope without signing it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Nodes drop it: it breaks a rule, and waiting is not what would mend it.
    Final,
    /// It refers to something that may yet be recorded.
    AwaitsReference,
    /// The state may yet change so that it passes.
    AwaitsState,
}

impl Code {
    /// Whether the same envelope may pass later, until its `not_after`.
    pub fn outlook(self) -> Outlook {
        use Code::*;
        match self {
            UnknownAuthor | UnknownMember | UnknownAsset | UnknownTransfer | UnknownGrant
            | UnknownListing | UnknownContract | UnknownPayment | UnknownSuccession
            | UnknownChange | UnknownRegistration | UnknownRequest | UnknownOffer
            | UnknownAccess | UnknownAccount | UnknownPayout | UnknownCertificate
            | UnknownAggregate | UnknownDispute => Outlook::AwaitsReference,
            AuthorSuspended
            | KeyUnknown
            | NotAfterTooFar
            | GrantNotAccepted
            | GrantNotYetEffective
            | ListingNotAccepted
            | ContractNotSigned
            | NotDelivered
            | NotRightManager
            | NotSuspended
            | BlockFull
            | ScheduleFull
            | Contested
            | ConsentWithdrawn
            | SuspendedUpstream
            | NoticeNotOver
            | RegistrationNotInForce
            | OwnersNeeded
            | FloorConsentMissing
            | InForceFull
            | AccessNotInForce
            | ComplianceRequired
            | DeliveryNotDeemed
            | PartySuspended
            | PayoutAbovePayable
            | SetOffAbovePayable
            | SetOffAboveOverpaid
            | AccountNotSettled
            | PayeeSuspended
            | CertificateNotDue
            | SourceAboveDue
            | HoldsFull
            | PartsHeld
            | PaymentDisputed
            | NotRuled => Outlook::AwaitsState,
            NonCanonical
            | TrailingBytes
            | OverLimit
            | NoEvents
            | UnsupportedVersion
            | WrongChain
            | Expired
            | DuplicateEnvelope
            | Unsigned
            | BadSignature
            | KeyOutOfScope
            | OverWeight
            | RoleRequired
            | HandleTaken
            | KeyNotAcceptable
            | KeyInUse
            | MemberIncomplete
            | AlreadySuspended
            | NameTaken
            | SplitSum
            | UpstreamWithoutInputs
            | InputsWithoutUpstream
            | StageMismatch
            | OutOfRange
            | NotAuthor
            | OwnOutputInput
            | RepeatedInput
            | WeightZero
            | WeightsOverLimit
            | VoidInput
            | PurposesEmpty
            | PurposeNotInherited
            | AlreadyRevised
            | VoidAsset
            | PartsSum
            | RepeatedOwner
            | ManagerNotOwner
            | ConsentNotAsked
            | TransferClosed
            | TermsInvalid
            | NotGrantee
            | NotGrantor
            | GrantClosed
            | GrantRequired
            | GrantWrongAsset
            | GrantWrongRight
            | GrantWrongGrantee
            | GrantRevoked
            | GrantExpired
            | PurposeOutsideGrant
            | TerritoryOutsideGrant
            | TerritoryNotInherited
            | GrantExhausted
            | FloorNotMet
            | FloorsFull
            | OperationNotCovered
            | SublicenceTooDeep
            | TermBeyondParent
            | NotAnExchange
            | NotAProduct
            | FeeTooHigh
            | AlreadyListed
            | AncestryTooLarge
            | ReviewerIsSeller
            | NotListingExchange
            | ListingClosed
            | NotSeller
            | NotBuyer
            | SellerIsBuyer
            | LicenceOutsideTerms
            | AmountOutOfRange
            | NotContractParty
            | AlreadySigned
            | ScheduleMismatch
            | ContractExpired
            | NotClearingExchange
            | WrongCurrency
            | TaxAboveGross
            | PaymentAbovePrice
            | BankReferenceUsed
            | AlreadyDelivered
            | AlreadyConfirmed
            | EmptyRefund
            | RefundAboveRemainder
            | KeyRevoked
            | TwoKeysRequired
            | AuthorSucceeded
            | RoleReserved
            | NotConcerned
            | TooManyKeys
            | CompromiseOutOfRange
            | SuccessionClosed
            | NotSuccessor
            | SuccessionInvalid
            | SameMember
            | NotValidator
            | ChangeClosed
            | ChangeInvalid
            | AlreadyApproved
            | ActivationOutOfRange
            | NotConsentBased
            | AlreadyWithdrawn
            | WatchesFull
            | NotIndependent
            | AlreadyAttested
            | RequestsEmpty
            | ContentRegistered
            | NotAnonymised
            | AssetInUse
            | AlreadyRegistered
            | NotRegistry
            | NoticeOver
            | RegistrationClosed
            | TermOutOfRange
            | AlreadyObjected
            | NotOwner
            | ActApprovedAlready
            | RequestClosed
            | OfferClosed
            | ExclusiveConflict
            | ParentNotEffective
            | RenewalNotLater
            | GrantNotRevoked
            | ReservedToGrantee
            | ThresholdInvalid
            | TransferUnchanged
            | EpochsFull
            | AccessClosed
            | NotEnvironment
            | JobRepeated
            | ListingEnded
            | ContractClosed
            | ContractSigned
            | TerminationNotAllowed
            | InstalmentsInvalid
            | LicenceConflict
            | SameLine
            | OwnersDiffer
            | PaymentClosed
            | VoidTooLate
            | TooManyPayments
            | ClaimNotProved
            | NoSuchLine
            | NotPayee
            | PayoutContested
            | ContestTooLate
            | AccountClosed
            | ClosingTooLarge
            | AlreadyCertified
            | CertificateVoid
            | AlreadySealed
            | AggregateInvalid
            | SourceNotProved
            | NotAggregateOwner
            | DisputeClosed
            | NotDisputeParty
            | ArbiterIsParty
            | SubjectInvalid
            | FreezeOutOfRange
            | RulingDoesNotFit
            | NothingToRedirect
            | CutsFull
            | RefundOrdersFull
            | AppealTooLate
            | AlreadyAppealed
            | SameArbiter => Outlook::Final,
        }
    }

    /// Whether the same envelope may pass later.
    pub fn is_transient(self) -> bool {
        self.outlook() != Outlook::Final
    }
}
