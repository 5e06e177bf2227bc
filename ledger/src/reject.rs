//! Every reason a rule has to refuse an envelope: stable numbers, names, spec tags and hints.
//!
//! Which of several reasons is given is laid down rule by rule in the spec. A number is wire format:
//! it is never reused. Implements [LED-REJ-1].

mod outlook;

use std::fmt;

use crate::codec::CodecError;
use crate::hash::{
    AccessId, AccountId, AggregateId, AssetId, CertificateId, ChangeId, ContractId, DisputeId,
    GrantId, ListingId, OfferId, PaymentId, PayoutId, RegistrationId, RequestId, SuccessionId,
    TransferId,
};
use crate::text::Handle;

pub use outlook::Outlook;

macro_rules! codes {
    ($($name:ident = $number:literal, $text:literal, $tag:literal, $help:literal;)*) => {
        /// The stable code of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $help] $name = $number,)*
        }
        impl Code {
            /// Every code, in order of number.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
            /// The stable number.
            pub const fn number(self) -> u16 {
                match self { $(Code::$name => $number,)* }
            }
            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
            /// The rule in the spec.
            pub const fn tag(self) -> &'static str {
                match self { $(Code::$name => $tag,)* }
            }
            /// What the author can do about it.
            pub const fn help(self) -> &'static str {
                match self { $(Code::$name => $help,)* }
            }
            /// The code with this name.
            pub fn from_name(name: &str) -> Option<Code> {
                match name { $($text => Some(Code::$name),)* _ => None }
            }
        }
    };
}

codes! {
    NonCanonical = 101, "NON_CANONICAL", "LED-ENC-1", "build the envelope with the client, or follow the byte formats of the spec exactly";
    TrailingBytes = 102, "TRAILING_BYTES", "LED-ENC-1", "send exactly one envelope, with nothing after it";
    OverLimit = 103, "OVER_LIMIT", "LED-LIM-1", "make the envelope smaller: fewer events, shorter lists or texts";
    NoEvents = 104, "NO_EVENTS", "LED-ENV-1", "put at least one event into the envelope";
    UnsupportedVersion = 105, "UNSUPPORTED_VERSION", "LED-ENV-1", "use the envelope version of the network's protocol version";
    WrongChain = 106, "WRONG_CHAIN", "LED-ENV-1", "sign for the chain id that `headwater status` shows";
    Expired = 107, "EXPIRED", "LED-ENV-4", "sign again with a later `not_after`";
    NotAfterTooFar = 108, "NOT_AFTER_TOO_FAR", "LED-ENV-4", "choose a `not_after` at most 24 hours ahead";
    DuplicateEnvelope = 109, "DUPLICATE_ENVELOPE", "LED-ENV-5", "nothing to do: this envelope is recorded already";
    UnknownAuthor = 110, "UNKNOWN_AUTHOR", "LED-ENV-2", "ask an exchange to admit the author, or correct the handle";
    AuthorSuspended = 111, "AUTHOR_SUSPENDED", "LED-MEM-4", "ask the regulator to lift the suspension; appeals, evidence and disputes about what concerns the member itself are heard";
    Unsigned = 112, "UNSIGNED", "LED-ENV-3", "sign the envelope with a key of its author";
    KeyUnknown = 113, "KEY_UNKNOWN", "LED-ENV-3", "sign with a key registered for the author";
    BadSignature = 114, "BAD_SIGNATURE", "LED-ENV-3", "sign the envelope's id again with the author's key";
    KeyOutOfScope = 115, "KEY_OUT_OF_SCOPE", "LED-MEM-3", "sign with a key whose scopes cover the event";
    OverWeight = 116, "OVER_WEIGHT", "LED-LIM-2", "spread the events over several envelopes";
    RoleRequired = 117, "ROLE_REQUIRED", "LED-MEM-2", "let a member with the required role do this";
    BlockFull = 118, "BLOCK_FULL", "LED-LIM-2", "nothing to do: a later block has room for the envelope";
    KeyRevoked = 119, "KEY_REVOKED", "LED-MEM-7", "sign with a key that is in force";
    TwoKeysRequired = 120, "TWO_KEYS_REQUIRED", "LED-MEM-8", "sign with two different keys of the author that have the scope";
    AuthorSucceeded = 121, "AUTHOR_SUCCEEDED", "LED-MEM-10", "let the successor act";

    HandleTaken = 201, "HANDLE_TAKEN", "LED-MEM-1", "choose another handle";
    UnknownMember = 202, "UNKNOWN_MEMBER", "LED-MEM-1", "correct the handle, or have the member admitted first";
    KeyNotAcceptable = 203, "KEY_NOT_ACCEPTABLE", "LED-KEY-3", "generate a fresh key with `headwater key new`";
    KeyInUse = 204, "KEY_IN_USE", "LED-MEM-1", "give every member keys of its own";
    MemberIncomplete = 205, "MEMBER_INCOMPLETE", "LED-MEM-1", "give the member at least one role and one key, each key at least one scope, and name everything once";
    AlreadySuspended = 206, "ALREADY_SUSPENDED", "LED-MEM-4", "nothing to do: the member is suspended already";
    NotSuspended = 207, "NOT_SUSPENDED", "LED-MEM-4", "nothing to do: the member is not suspended";
    RoleReserved = 208, "ROLE_RESERVED", "LED-MEM-5", "have governance confer the roles exchange and regulator";
    NotConcerned = 209, "NOT_CONCERNED", "LED-MEM-9", "let one of those whom the rule names do this";
    TooManyKeys = 210, "TOO_MANY_KEYS", "LED-MEM-6", "revoke a key before adding another";
    CompromiseOutOfRange = 211, "COMPROMISE_OUT_OF_RANGE", "LED-MEM-7", "give a time within the rulebook's look-back and not in the future";
    UnknownSuccession = 212, "UNKNOWN_SUCCESSION", "LED-MEM-10", "correct the succession's id";
    SuccessionClosed = 213, "SUCCESSION_CLOSED", "LED-MEM-10", "nothing to do: the succession was accepted, or the member has a successor, who acts for it";
    NotSuccessor = 214, "NOT_SUCCESSOR", "LED-MEM-10", "only the successor named accepts";
    SuccessionInvalid = 215, "SUCCESSION_INVALID", "LED-MEM-10", "name a successor that is another active member, an exchange for an exchange, and does not lead back to the member; have a suspension lifted first";
    SameMember = 216, "SAME_MEMBER", "LED-MEM-9", "name two different members, neither of which acts for the other";
    NotValidator = 220, "NOT_VALIDATOR", "LED-GOV-1", "only members that run a validator propose and approve changes";
    UnknownChange = 221, "UNKNOWN_CHANGE", "LED-GOV-2", "correct the change's id";
    ChangeClosed = 222, "CHANGE_CLOSED", "LED-GOV-2", "propose the change again: it was decided, or its height has passed";
    ChangeInvalid = 223, "CHANGE_INVALID", "LED-GOV-3", "propose a change that changes something and leaves a valid validator set, rulebook, protocol version or member; a key only for a member that cannot add one";
    AlreadyApproved = 224, "ALREADY_APPROVED", "LED-GOV-2", "nothing to do: this member has approved";
    ActivationOutOfRange = 225, "ACTIVATION_OUT_OF_RANGE", "LED-GOV-1", "choose a height after this block and at most 10000000 ahead";
    ScheduleFull = 226, "SCHEDULE_FULL", "LED-GOV-2", "wait until a scheduled change has taken effect";

    NameTaken = 301, "NAME_TAKEN", "LED-AST-1", "choose another name, for instance with the version in it";
    SplitSum = 302, "SPLIT_SUM", "LED-REV-1", "make holding, processing, operation and upstream add up to 10000";
    UpstreamWithoutInputs = 303, "UPSTREAM_WITHOUT_INPUTS", "LED-REV-1", "set upstream to 0, or name the inputs";
    InputsWithoutUpstream = 304, "INPUTS_WITHOUT_UPSTREAM", "LED-REV-1", "give the inputs a part: set upstream above 0";
    StageMismatch = 305, "STAGE_MISMATCH", "LED-AST-2", "raw resources have no derivation; processed datasets and products need one";
    OutOfRange = 306, "OUT_OF_RANGE", "LED-AST-3", "keep sensitivity within 1 to 5, quality within 0 to 100 and every period from earlier to later";
    UnknownAsset = 307, "UNKNOWN_ASSET", "LED-AST-4", "register the asset first, or correct its name";
    NotAuthor = 308, "NOT_AUTHOR", "LED-AST-5", "only the author of an asset, or its successor, registers new versions of it or takes it back; others open a dispute";
    OwnOutputInput = 309, "OWN_OUTPUT_INPUT", "LED-LIN-1", "remove the asset from its own inputs";
    RepeatedInput = 310, "REPEATED_INPUT", "LED-LIN-1", "name each input once and add up its weights";
    WeightZero = 311, "WEIGHT_ZERO", "LED-LIN-1", "give every input a weight of at least 1";
    WeightsOverLimit = 312, "WEIGHTS_OVER_LIMIT", "LED-LIN-1", "divide all weights by a common number so that they add up to at most 10^16";
    VoidInput = 313, "VOID_INPUT", "LED-LIN-2", "derive from an asset that is not void";
    PurposesEmpty = 314, "PURPOSES_EMPTY", "LED-LIN-3", "name at least one purpose, each once";
    PurposeNotInherited = 315, "PURPOSE_NOT_INHERITED", "LED-LIN-3", "keep the purposes within those of every input";
    VoidAsset = 316, "VOID_ASSET", "LED-AST-6", "nothing new can be done with a void asset";
    AlreadyRevised = 317, "ALREADY_REVISED", "LED-AST-5", "revise the newest version that is not void: versions form a line";
    Contested = 318, "CONTESTED", "LED-AST-7", "wait for a ruling; what a stolen key only proposed, signed or offered to all is made anew";
    NotConsentBased = 319, "NOT_CONSENT_BASED", "LED-CNS-1", "have consent withdrawn from a raw resource registered as consent-based; register every version of one as consent-based";
    AlreadyWithdrawn = 320, "ALREADY_WITHDRAWN", "LED-CNS-1", "register a new version; withdrawals after it are recorded there";
    ConsentWithdrawn = 321, "CONSENT_WITHDRAWN", "LED-CNS-1", "make it anew from a version registered after the withdrawal: one registered in time keeps what was made before";
    SuspendedUpstream = 322, "SUSPENDED_UPSTREAM", "LED-WTC-2", "make it anew without what was revoked, or under a new grant: what is suspended stays so";
    WatchesFull = 323, "WATCHES_FULL", "LED-WTC-1", "use fewer inputs that bring conditions with them";
    NotIndependent = 324, "NOT_INDEPENDENT", "LED-MKT-8", "let a member do this that is neither concerned nor related to who is";
    AlreadyAttested = 325, "ALREADY_ATTESTED", "LED-CNS-2", "nothing to do: the asset is attested";
    ContentRegistered = 326, "CONTENT_REGISTERED", "LED-AST-7", "use the asset that has this content: an author registers the same commitment once; if a ruling voided it, wait until that is final";
    NotAnonymised = 327, "NOT_ANONYMISED", "LED-CNS-2", "attest a version that its author declares anonymised or aggregated";
    AssetInUse = 328, "ASSET_IN_USE", "LED-AST-6", "open a dispute: once a right was transferred, or anything made, granted, listed, asked for or disputed, a ruling decides";
    TerritoryNotInherited = 329, "TERRITORY_NOT_INHERITED", "LED-LIN-7", "keep the territories within those of every input";
    AlreadyRegistered = 330, "ALREADY_REGISTERED", "LED-REG-1", "use the registration that is in notice or in force";
    UnknownRegistration = 331, "UNKNOWN_REGISTRATION", "LED-REG-2", "correct the registration's id";
    NotRegistry = 332, "NOT_REGISTRY", "LED-REG-2", "let the registry named in the registration do this";
    NoticeNotOver = 333, "NOTICE_NOT_OVER", "LED-REG-2", "wait for the end of the public notice";
    NoticeOver = 334, "NOTICE_OVER", "LED-REG-1", "the public notice is over: open a dispute instead";
    RegistrationClosed = 335, "REGISTRATION_CLOSED", "LED-REG-2", "file a new registration: this one was rejected, cancelled or has expired";
    TermOutOfRange = 336, "TERM_OUT_OF_RANGE", "LED-REG-1", "ask for a term that has not ended yet and is not longer than is allowed";
    AlreadyObjected = 337, "ALREADY_OBJECTED", "LED-REG-1", "nothing to do: this member has objected";
    RegistrationNotInForce = 338, "REGISTRATION_NOT_IN_FORCE", "LED-REG-3", "wait for the registry's decision";

    NotRightManager = 401, "NOT_RIGHT_MANAGER", "LED-RGT-1", "let the manager of this right act";
    PartsSum = 402, "PARTS_SUM", "LED-RGT-2", "make the owners' parts add up to 10000, each at least 1";
    RepeatedOwner = 403, "REPEATED_OWNER", "LED-RGT-2", "name each owner once";
    ManagerNotOwner = 404, "MANAGER_NOT_OWNER", "LED-RGT-2", "choose the manager among the owners";
    UnknownTransfer = 405, "UNKNOWN_TRANSFER", "LED-RGT-3", "correct the transfer's id";
    ConsentNotAsked = 406, "CONSENT_NOT_ASKED", "LED-RGT-3", "only owners whose consent is outstanding accept a transfer";
    TransferClosed = 407, "TRANSFER_CLOSED", "LED-RGT-3", "propose a new transfer: this one was completed, or who owns the right or acts for it has changed since";
    OwnersNeeded = 408, "OWNERS_NEEDED", "LED-RGT-4", "have owners of enough parts approve this very act first";
    NotOwner = 409, "NOT_OWNER", "LED-RGT-4", "only an owner of the asset's rights does this";
    ActApprovedAlready = 410, "ACT_APPROVED_ALREADY", "LED-RGT-4", "nothing to do: this owner has approved the act";
    UnknownGrant = 411, "UNKNOWN_GRANT", "LED-GRT-2", "correct the grant's id";
    TermsInvalid = 412, "TERMS_INVALID", "LED-GRT-1", "name purposes and territories once each, end after the begin, use only terms that fit the right, and grant to another member";
    NotGrantee = 413, "NOT_GRANTEE", "LED-GRT-2", "only the grantee accepts, declines or gives back";
    NotGrantor = 414, "NOT_GRANTOR", "LED-GRT-3", "let who acts for the right, or holds the grant above, do this";
    GrantClosed = 415, "GRANT_CLOSED", "LED-GRT-2", "the grant was answered or has ended already";
    GrantRequired = 421, "GRANT_REQUIRED", "LED-LIN-4", "obtain a processing grant on the input and name it";
    GrantWrongAsset = 422, "GRANT_WRONG_ASSET", "LED-LIN-5", "name a grant on this asset, or on an earlier version with future versions allowed";
    GrantWrongRight = 423, "GRANT_WRONG_RIGHT", "LED-LIN-5", "deriving needs a processing grant; selling needs an operation grant";
    GrantWrongGrantee = 424, "GRANT_WRONG_GRANTEE", "LED-LIN-5", "name a grant given to the author";
    GrantNotAccepted = 425, "GRANT_NOT_ACCEPTED", "LED-LIN-5", "accept the grant first";
    GrantRevoked = 426, "GRANT_REVOKED", "LED-LIN-5", "obtain a new grant, or the grantor's consent to file work that was done before";
    GrantNotYetEffective = 427, "GRANT_NOT_YET_EFFECTIVE", "LED-LIN-5", "wait for the begin of the grant's term";
    GrantExpired = 428, "GRANT_EXPIRED", "LED-LIN-5", "obtain a new grant, or file work done within the term within the filing window";
    PurposeOutsideGrant = 429, "PURPOSE_OUTSIDE_GRANT", "LED-LIN-5", "use the asset only for the purposes of the grant";
    TerritoryOutsideGrant = 430, "TERRITORY_OUTSIDE_GRANT", "LED-LIN-5", "work only in the territories of the grant";
    GrantExhausted = 431, "GRANT_EXHAUSTED", "LED-LIN-5", "obtain a grant that allows more derivations";
    FloorNotMet = 432, "FLOOR_NOT_MET", "LED-FLR-1", "raise the upstream part, or the weight of the input whose floor is broken";
    FloorsFull = 433, "FLOORS_FULL", "LED-FLR-2", "use fewer inputs with floors";
    OperationNotCovered = 434, "OPERATION_NOT_COVERED", "LED-GRT-4", "obtain sub-licensable operation grants on every input the sale rests on and name them";
    SublicenceTooDeep = 435, "SUBLICENCE_TOO_DEEP", "LED-GRT-4", "offer a smaller depth than the grants it rests on";
    TermBeyondParent = 436, "TERM_BEYOND_PARENT", "LED-GRT-4", "keep purposes, territories and term within the grants it rests on";
    FloorConsentMissing = 437, "FLOOR_CONSENT_MISSING", "LED-GRT-6", "have every other owner of the processing right approve this very act first";
    UnknownRequest = 438, "UNKNOWN_REQUEST", "LED-GRT-9", "correct the request's id";
    RequestClosed = 439, "REQUEST_CLOSED", "LED-GRT-9", "ask anew: the request was answered or taken back, or its term is over";
    UnknownOffer = 440, "UNKNOWN_OFFER", "LED-GRT-10", "correct the offer's id";
    OfferClosed = 441, "OFFER_CLOSED", "LED-GRT-10", "ask for a grant: the offer was withdrawn, has ended, or was taken by this member before";
    ExclusiveConflict = 442, "EXCLUSIVE_CONFLICT", "LED-GRT-7", "choose purposes, territories or a term that no other grant has, or end that grant";
    InForceFull = 443, "IN_FORCE_FULL", "LED-GRT-7", "wait until a grant or licence in force has ended";
    ParentNotEffective = 444, "PARENT_NOT_EFFECTIVE", "LED-GRT-5", "obtain a grant in force that may be sub-licensed";
    RenewalNotLater = 445, "RENEWAL_NOT_LATER", "LED-GRT-11", "give an end later than the present one";
    GrantNotRevoked = 446, "GRANT_NOT_REVOKED", "LED-GRT-13", "consent to late filing is for revoked grants only";
    ReservedToGrantee = 447, "RESERVED_TO_GRANTEE", "LED-GRT-7", "the owners have granted this use exclusively: act under a grant, or wait for its end";
    ThresholdInvalid = 448, "THRESHOLD_INVALID", "LED-RGT-4", "choose a threshold of 1 to 10000 parts";
    TransferUnchanged = 449, "TRANSFER_UNCHANGED", "LED-RGT-2", "nothing to do: the right has these owners, this manager and this threshold";
    UnknownAccess = 451, "UNKNOWN_ACCESS", "LED-ACC-2", "correct the access's id";
    AccessClosed = 452, "ACCESS_CLOSED", "LED-ACC-2", "ask again: the access was decided already, or has ended";
    AccessNotInForce = 453, "ACCESS_NOT_IN_FORCE", "LED-ACC-3", "wait for the decision, or until the suspension of who works there is lifted, or ask for access anew";
    NotEnvironment = 454, "NOT_ENVIRONMENT", "LED-ACC-3", "let the environment named in the access log its use";
    JobRepeated = 455, "JOB_REPEATED", "LED-ACC-3", "nothing to do: this job is logged";
    RequestsEmpty = 456, "REQUESTS_EMPTY", "LED-GRT-9", "name at least one request";
    EpochsFull = 459, "EPOCHS_FULL", "LED-RGT-3", "leave the right with its owners: it has changed hands as often as it can; or too many keys have signed transfers of it of late: wait";

    NotAnExchange = 501, "NOT_AN_EXCHANGE", "LED-MKT-14", "go to a member that has the role of an exchange";
    NotAProduct = 502, "NOT_A_PRODUCT", "LED-MKT-1", "list an asset of stage product";
    FeeTooHigh = 503, "FEE_TOO_HIGH", "LED-MKT-1", "keep the fee at or below the cap of the rulebook in force";
    AlreadyListed = 504, "ALREADY_LISTED", "LED-MKT-1", "use the listing that exists";
    AncestryTooLarge = 505, "ANCESTRY_TOO_LARGE", "LED-MKT-2", "reduce the number of edges in the product's ancestry to the rulebook's number";
    UnknownListing = 511, "UNKNOWN_LISTING", "LED-MKT-1", "correct the listing's id";
    ReviewerIsSeller = 512, "REVIEWER_IS_SELLER", "LED-MKT-1", "have an exchange that is not the seller review the listing";
    NotListingExchange = 513, "NOT_LISTING_EXCHANGE", "LED-MKT-1", "only the exchange of the listing reviews it";
    ListingClosed = 514, "LISTING_CLOSED", "LED-MKT-1", "the listing was reviewed already";
    ListingNotAccepted = 515, "LISTING_NOT_ACCEPTED", "LED-MKT-3", "wait for the exchange to accept the listing";
    NotSeller = 516, "NOT_SELLER", "LED-MKT-3", "only the seller does this";
    NotBuyer = 517, "NOT_BUYER", "LED-MKT-6", "let a party of the contract do this";
    SellerIsBuyer = 518, "SELLER_IS_BUYER", "LED-MKT-3", "let seller, buyer and exchange be three members, none of which acts for another";
    LicenceOutsideTerms = 519, "LICENCE_OUTSIDE_TERMS", "LED-MKT-3", "name purposes and territories once each, within the product's purposes and the operation grants' territories and term";
    AmountOutOfRange = 520, "AMOUNT_OUT_OF_RANGE", "LED-MKT-5", "use amounts above 0, up to 10^18 of the currency's smallest unit; only a price may be 0";
    UnknownContract = 521, "UNKNOWN_CONTRACT", "LED-MKT-4", "correct the contract's id";
    NotContractParty = 522, "NOT_CONTRACT_PARTY", "LED-MKT-4", "let a party do this that the rule names: buyer and exchange sign and decline, all three terminate";
    AlreadySigned = 523, "ALREADY_SIGNED", "LED-MKT-4", "nothing to do: this party has signed";
    ScheduleMismatch = 524, "SCHEDULE_MISMATCH", "LED-MKT-4", "use the schedule hash that `headwater shares` prints for the listing";
    ContractExpired = 525, "CONTRACT_EXPIRED", "LED-MKT-4", "ask the seller for a new contract";
    ContractNotSigned = 526, "CONTRACT_NOT_SIGNED", "LED-MKT-5", "wait for all three parties to sign";
    NotClearingExchange = 527, "NOT_CLEARING_EXCHANGE", "LED-MKT-5", "only the exchange of the contract records its money";
    WrongCurrency = 528, "WRONG_CURRENCY", "LED-MKT-5", "pay in the currency of the contract";
    TaxAboveGross = 529, "TAX_ABOVE_GROSS", "LED-MKT-5", "state a tax that is at most the gross amount";
    PaymentAbovePrice = 530, "PAYMENT_ABOVE_PRICE", "LED-MKT-5", "record no more than the price still open";
    BankReferenceUsed = 531, "BANK_REFERENCE_USED", "LED-MKT-5", "check whether this payment is recorded already";
    AlreadyDelivered = 533, "ALREADY_DELIVERED", "LED-MKT-6", "nothing to do: the delivery is recorded";
    NotDelivered = 534, "NOT_DELIVERED", "LED-MKT-6", "wait for the seller to record the delivery";
    AlreadyConfirmed = 535, "ALREADY_CONFIRMED", "LED-MKT-6", "nothing to do: the delivery is confirmed";
    ComplianceRequired = 536, "COMPLIANCE_REQUIRED", "LED-MKT-8", "have the product pass a compliance review first";
    ListingEnded = 537, "LISTING_ENDED", "LED-MKT-10", "list the product again";
    ContractClosed = 538, "CONTRACT_CLOSED", "LED-MKT-11", "propose a new contract: this one was declined, withdrawn or ended";
    ContractSigned = 539, "CONTRACT_SIGNED", "LED-MKT-11", "all three have signed: terminate the contract instead";
    TerminationNotAllowed = 540, "TERMINATION_NOT_ALLOWED", "LED-MKT-12", "seller and buyer agree, or the exchange waits for an overdue instalment";
    UnknownPayment = 541, "UNKNOWN_PAYMENT", "LED-MKT-7", "correct the payment's id";
    EmptyRefund = 542, "EMPTY_REFUND", "LED-MKT-7", "give at least one part above 0";
    RefundAboveRemainder = 543, "REFUND_ABOVE_REMAINDER", "LED-MKT-7", "refund at most what remains of each part of the payment";
    InstalmentsInvalid = 544, "INSTALMENTS_INVALID", "LED-MKT-3", "make instalments add up to the price, each at least 1, in order of time";
    LicenceConflict = 545, "LICENCE_CONFLICT", "LED-MKT-13", "choose purposes, territories or a term that no exclusive licence has, nor an exclusive grant about which a ruling is not final";
    PaymentClosed = 546, "PAYMENT_CLOSED", "LED-MNY-1", "nothing to do: the payment is void, or parts of it were refunded";
    VoidTooLate = 547, "VOID_TOO_LATE", "LED-MNY-1", "refund the payment: the time to void it is over, or shares in it have changed hands";
    TooManyPayments = 548, "TOO_MANY_PAYMENTS", "LED-MKT-5", "settle what remains under a new contract";
    DeliveryNotDeemed = 549, "DELIVERY_NOT_DEEMED", "LED-MKT-6", "wait for the buyer, or until the rulebook's time is over and every dispute about the contract or its payments is final";
    PartySuspended = 550, "PARTY_SUSPENDED", "LED-MEM-4", "wait until the suspension is lifted, or decline";
    UnknownAccount = 551, "UNKNOWN_ACCOUNT", "LED-MNY-2", "correct the account's id";
    ClaimNotProved = 552, "CLAIM_NOT_PROVED", "LED-MNY-2", "take claim and proof from the schedule the account's listing froze";
    NoSuchLine = 553, "NO_SUCH_LINE", "LED-MNY-2", "name a member that has owned a part of the right";
    PayoutAbovePayable = 554, "PAYOUT_ABOVE_PAYABLE", "LED-MNY-2", "pay at most what is payable and not held";
    UnknownPayout = 555, "UNKNOWN_PAYOUT", "LED-MNY-3", "correct the payout's id";
    NotPayee = 556, "NOT_PAYEE", "LED-MNY-3", "only the payee contests a payout";
    PayoutContested = 557, "PAYOUT_CONTESTED", "LED-MNY-3", "nothing to do: the payout is contested or reversed already";
    ContestTooLate = 558, "CONTEST_TOO_LATE", "LED-MNY-3", "the time to contest the payout is over: open a dispute";
    AccountClosed = 559, "ACCOUNT_CLOSED", "LED-MNY-4", "use a new contract at another exchange or in another currency: the account is closed";
    AccountNotSettled = 560, "ACCOUNT_NOT_SETTLED", "LED-MNY-4", "wait until every contract is wholly paid, or has ended, and is confirmed, every refund that was ordered is given back, the time to dispute is over and every dispute final; to redirect earlier money, until refunds are given back and reversed payouts final";
    ClosingTooLarge = 561, "CLOSING_TOO_LARGE", "LED-MNY-4", "an account with so many lines stays open; its residue stays in it";
    PayeeSuspended = 562, "PAYEE_SUSPENDED", "LED-MNY-2", "wait until the payee's suspension is lifted; what is due accrues";
    CertificateNotDue = 563, "CERTIFICATE_NOT_DUE", "LED-CRT-1", "wait until the contract is signed, wholly paid, delivered and confirmed; one of which something was refunded, or is to be, is not certified";
    AlreadyCertified = 564, "ALREADY_CERTIFIED", "LED-CRT-1", "use the certificate in force, or void it first";
    UnknownCertificate = 565, "UNKNOWN_CERTIFICATE", "LED-CRT-2", "correct the certificate's id";
    CertificateVoid = 566, "CERTIFICATE_VOID", "LED-CRT-2", "nothing to do: the certificate is void";
    SameLine = 567, "SAME_LINE", "LED-MNY-7", "name two different lines: what is payable on one, overpaid on the other";
    OwnersDiffer = 568, "OWNERS_DIFFER", "LED-MNY-7", "set off only lines of one member, or of those that it succeeded";
    SetOffAbovePayable = 569, "SET_OFF_ABOVE_PAYABLE", "LED-MNY-7", "set off at most what is payable on the first line and not held";
    SetOffAboveOverpaid = 570, "SET_OFF_ABOVE_OVERPAID", "LED-MNY-7", "set off at most what the second line was paid beyond its confirmed money, held parts included";
    AlreadySealed = 571, "ALREADY_SEALED", "LED-AGG-1", "use the aggregate that is sealed now; it can be replaced until one of its sources is paid";
    AggregateInvalid = 572, "AGGREGATE_INVALID", "LED-AGG-1", "seal 1 to 20000 sources with a sum of weights from their number to 10^16";
    UnknownAggregate = 573, "UNKNOWN_AGGREGATE", "LED-AGG-2", "correct the aggregate's id";
    SourceNotProved = 574, "SOURCE_NOT_PROVED", "LED-AGG-2", "take source, weight and proof from the list that was sealed";
    SourceAboveDue = 575, "SOURCE_ABOVE_DUE", "LED-AGG-2", "pay the source at most its part of what the owner was paid";
    NotAggregateOwner = 576, "NOT_AGGREGATE_OWNER", "LED-AGG-2", "only the owner that sealed the sources pays them";

    UnknownDispute = 601, "UNKNOWN_DISPUTE", "LED-DSP-2", "correct the dispute's id";
    DisputeClosed = 602, "DISPUTE_CLOSED", "LED-DSP-3", "the dispute is decided: appeal within the rulebook's time";
    NotDisputeParty = 603, "NOT_DISPUTE_PARTY", "LED-DSP-3", "only those whom the dispute concerns do this";
    ArbiterIsParty = 604, "ARBITER_IS_PARTY", "LED-DSP-2", "let a regulator act that is neither a party nor an owner of a right over it, nor related to one";
    SubjectInvalid = 605, "SUBJECT_INVALID", "LED-DSP-1", "name something recorded, and of a share at most the parts the owner has";
    HoldsFull = 607, "HOLDS_FULL", "LED-DSP-8", "wait until a freeze on this right is over, or have a dispute about it decided";
    FreezeOutOfRange = 608, "FREEZE_OUT_OF_RANGE", "LED-DSP-2", "freeze from now to at most the rulebook's longest time, and only a share";
    RulingDoesNotFit = 609, "RULING_DOES_NOT_FIT", "LED-DSP-4", "give a ruling that fits what the dispute is about";
    AppealTooLate = 611, "APPEAL_TOO_LATE", "LED-DSP-5", "the time to appeal is over";
    AlreadyAppealed = 612, "ALREADY_APPEALED", "LED-DSP-5", "a ruling on appeal is final";
    SameArbiter = 613, "SAME_ARBITER", "LED-DSP-4", "let another regulator than before rule on appeal";
    NotRuled = 614, "NOT_RULED", "LED-DSP-5", "wait for the ruling";
    PartsHeld = 615, "PARTS_HELD", "LED-DSP-8", "wait until the dispute that holds the parts is final, or its hold is over";
    NothingToRedirect = 616, "NOTHING_TO_REDIRECT", "LED-DSP-4", "name accounts in which the owner still has something of the disputed share that was not paid to him";
    CutsFull = 617, "CUTS_FULL", "LED-DSP-7", "redirect the share without earlier money of this account: rulings have cut it as often as they can";
    RefundOrdersFull = 618, "REFUND_ORDERS_FULL", "LED-MNY-5", "rule in one of the disputes that have ordered refunds of this payment";
    PaymentDisputed = 619, "PAYMENT_DISPUTED", "LED-MNY-1", "wait until the disputes about the payment and shares in it are final, or refund it";
}

/// The object an envelope refers to that is not recorded yet. Implements [LED-REJ-2].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A member.
    Member(Handle),
    /// An asset.
    Asset(AssetId),
    /// A transfer.
    Transfer(TransferId),
    /// A grant.
    Grant(GrantId),
    /// A listing.
    Listing(ListingId),
    /// A contract.
    Contract(ContractId),
    /// A payment.
    Payment(PaymentId),
    /// A succession.
    Succession(SuccessionId),
    /// A change by governance.
    Change(ChangeId),
    /// A registration.
    Registration(RegistrationId),
    /// A request for a grant.
    Request(RequestId),
    /// A standing offer.
    Offer(OfferId),
    /// An access.
    Access(AccessId),
    /// An account.
    Account(AccountId),
    /// A payout.
    Payout(PayoutId),
    /// A transaction certificate.
    Certificate(CertificateId),
    /// An aggregate.
    Aggregate(AggregateId),
    /// A dispute.
    Dispute(DisputeId),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule refused an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Reject {
    /// The stable code.
    pub code: Code,
    /// A sentence with the values that matter.
    pub message: String,
    /// The object that is not recorded yet, where that is the reason.
    pub missing: Option<Missing>,
}

impl Reject {
    /// A refusal with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Reject { code, message: message.into(), missing: None }
    }

    /// A refusal because something is not recorded yet.
    pub fn missing(code: Code, missing: Missing, message: impl Into<String>) -> Self {
        Reject { code, message: message.into(), missing: Some(missing) }
    }
}

impl From<CodecError> for Reject {
    fn from(error: CodecError) -> Self {
        let code = match error {
            CodecError::TooLong { .. } | CodecError::OverLimit => Code::OverLimit,
            CodecError::Trailing(_) => Code::TrailingBytes,
            CodecError::NotCanonical(_) => Code::NonCanonical,
        };
        Reject::new(code, error.to_string())
    }
}

/// Our bug or a corrupt store: the node stops loudly and never guesses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl From<CodecError> for Fault {
    fn from(error: CodecError) -> Self {
        Fault(format!("a stored record cannot be read or written: {error}"))
    }
}

/// Why an act has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A rule refused it.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// The ledger itself failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Refusal {
    /// The same, saying of what.
    pub(crate) fn of(self, what: &str) -> Refusal {
        match self {
            Refusal::Reject(Reject { code, message, missing }) => {
                Refusal::Reject(Reject { code, message: format!("{what}: {message}"), missing })
            }
            Refusal::Fault(fault) => Refusal::Fault(fault),
        }
    }
}

impl From<CodecError> for Refusal {
    fn from(error: CodecError) -> Self {
        Refusal::Fault(error.into())
    }
}
