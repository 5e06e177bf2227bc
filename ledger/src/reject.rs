//! Every reason a rule has to refuse an envelope: stable numbers, names, spec tags and hints.
//!
//! Which of several reasons is given is laid down rule by rule in the spec. A number is wire format:
//! it is never reused. Implements [LED-REJ-1].

use std::fmt;

use crate::codec::CodecError;
use crate::hash::{AssetId, ContractId, GrantId, ListingId, PaymentId, TransferId};
use crate::text::Handle;

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
    AuthorSuspended = 111, "AUTHOR_SUSPENDED", "LED-MEM-4", "ask the regulator to lift the suspension";
    Unsigned = 112, "UNSIGNED", "LED-ENV-3", "sign the envelope with a key of its author";
    KeyUnknown = 113, "KEY_UNKNOWN", "LED-ENV-3", "sign with a key registered for the author";
    BadSignature = 114, "BAD_SIGNATURE", "LED-ENV-3", "sign the envelope's id again with the author's key";
    KeyOutOfScope = 115, "KEY_OUT_OF_SCOPE", "LED-MEM-3", "sign with a key whose scopes cover the event";
    OverWeight = 116, "OVER_WEIGHT", "LED-LIM-2", "spread the events over several envelopes";
    RoleRequired = 117, "ROLE_REQUIRED", "LED-MEM-2", "let a member with the required role do this";
    BlockFull = 118, "BLOCK_FULL", "LED-LIM-2", "nothing to do: a later block has room for the envelope";

    HandleTaken = 201, "HANDLE_TAKEN", "LED-MEM-1", "choose another handle";
    UnknownMember = 202, "UNKNOWN_MEMBER", "LED-MEM-1", "correct the handle, or have the member admitted first";
    KeyNotAcceptable = 203, "KEY_NOT_ACCEPTABLE", "LED-KEY-3", "generate a fresh key with `headwater key new`";
    KeyInUse = 204, "KEY_IN_USE", "LED-MEM-1", "give every member keys of its own";
    MemberIncomplete = 205, "MEMBER_INCOMPLETE", "LED-MEM-1", "give the member at least one role and one key, each once, and each key at least one scope";
    AlreadySuspended = 206, "ALREADY_SUSPENDED", "LED-MEM-4", "nothing to do: the member is suspended already";
    NotSuspended = 207, "NOT_SUSPENDED", "LED-MEM-4", "nothing to do: the member is not suspended";

    NameTaken = 301, "NAME_TAKEN", "LED-AST-1", "choose another name, for instance with the version in it";
    SplitSum = 302, "SPLIT_SUM", "LED-REV-1", "make holding, processing, operation and upstream add up to 10000";
    UpstreamWithoutInputs = 303, "UPSTREAM_WITHOUT_INPUTS", "LED-REV-1", "set upstream to 0, or name the inputs";
    InputsWithoutUpstream = 304, "INPUTS_WITHOUT_UPSTREAM", "LED-REV-1", "give the inputs a part: set upstream above 0";
    StageMismatch = 305, "STAGE_MISMATCH", "LED-AST-2", "raw resources have no derivation; processed datasets and products need one";
    OutOfRange = 306, "OUT_OF_RANGE", "LED-AST-3", "keep sensitivity within 1 to 5, quality within 0 to 100 and every period from earlier to later";
    UnknownAsset = 307, "UNKNOWN_ASSET", "LED-AST-4", "register the asset first, or correct its name";
    NotAuthor = 308, "NOT_AUTHOR", "LED-AST-5", "only the author of an asset registers new versions of it";
    OwnOutputInput = 309, "OWN_OUTPUT_INPUT", "LED-LIN-1", "remove the asset from its own inputs";
    RepeatedInput = 310, "REPEATED_INPUT", "LED-LIN-1", "name each input once and add up its weights";
    WeightZero = 311, "WEIGHT_ZERO", "LED-LIN-1", "give every input a weight of at least 1";
    WeightsOverLimit = 312, "WEIGHTS_OVER_LIMIT", "LED-LIN-1", "divide all weights by a common number so that they add up to at most 10^16";
    VoidInput = 313, "VOID_INPUT", "LED-LIN-2", "derive from an asset that is not void";
    PurposesEmpty = 314, "PURPOSES_EMPTY", "LED-LIN-3", "name at least one purpose, each once";
    PurposeNotInherited = 315, "PURPOSE_NOT_INHERITED", "LED-LIN-3", "keep the purposes within those of every input";
    AlreadyRevised = 317, "ALREADY_REVISED", "LED-AST-5", "revise the newest version: versions form a line";
    VoidAsset = 316, "VOID_ASSET", "LED-AST-6", "nothing new can be done with a void asset";

    NotRightManager = 401, "NOT_RIGHT_MANAGER", "LED-RGT-1", "let the manager of this right act";
    PartsSum = 402, "PARTS_SUM", "LED-RGT-2", "make the owners' parts add up to 10000, each at least 1";
    RepeatedOwner = 403, "REPEATED_OWNER", "LED-RGT-2", "name each owner once";
    ManagerNotOwner = 404, "MANAGER_NOT_OWNER", "LED-RGT-2", "choose the manager among the owners";
    UnknownTransfer = 405, "UNKNOWN_TRANSFER", "LED-RGT-3", "correct the transfer's id";
    ConsentNotAsked = 406, "CONSENT_NOT_ASKED", "LED-RGT-3", "only owners whose consent is outstanding accept a transfer";
    TransferClosed = 407, "TRANSFER_CLOSED", "LED-RGT-3", "propose a new transfer: this one was completed or the owners have changed since";
    UnknownGrant = 411, "UNKNOWN_GRANT", "LED-GRT-2", "correct the grant's id";
    TermsInvalid = 412, "TERMS_INVALID", "LED-GRT-1", "name purposes and territories once each, end after the begin, and use only terms that fit the right";
    NotGrantee = 413, "NOT_GRANTEE", "LED-GRT-2", "only the grantee accepts or declines";
    NotGrantor = 414, "NOT_GRANTOR", "LED-GRT-3", "only the manager of the right revokes its grants";
    GrantClosed = 415, "GRANT_CLOSED", "LED-GRT-2", "the grant was accepted, declined or revoked already";
    GrantRequired = 421, "GRANT_REQUIRED", "LED-LIN-4", "obtain a processing grant on the input and name it";
    GrantWrongAsset = 422, "GRANT_WRONG_ASSET", "LED-LIN-5", "name a grant on this asset, or on an earlier version with future versions allowed";
    GrantWrongRight = 423, "GRANT_WRONG_RIGHT", "LED-LIN-5", "deriving needs a processing grant; selling needs an operation grant";
    GrantWrongGrantee = 424, "GRANT_WRONG_GRANTEE", "LED-LIN-5", "name a grant given to the author";
    GrantNotAccepted = 425, "GRANT_NOT_ACCEPTED", "LED-LIN-5", "accept the grant first";
    GrantRevoked = 426, "GRANT_REVOKED", "LED-LIN-5", "obtain a new grant";
    GrantNotYetEffective = 427, "GRANT_NOT_YET_EFFECTIVE", "LED-LIN-5", "wait for the begin of the grant's term";
    GrantExpired = 428, "GRANT_EXPIRED", "LED-LIN-5", "obtain a new grant, or file work done within the term within the filing window";
    PurposeOutsideGrant = 429, "PURPOSE_OUTSIDE_GRANT", "LED-LIN-5", "use the asset only for the purposes of the grant";
    TerritoryOutsideGrant = 430, "TERRITORY_OUTSIDE_GRANT", "LED-LIN-5", "work only in the territories of the grant";
    GrantExhausted = 431, "GRANT_EXHAUSTED", "LED-LIN-5", "obtain a grant that allows more derivations";
    FloorNotMet = 432, "FLOOR_NOT_MET", "LED-FLR-1", "raise the upstream part, or the weight of the input whose floor is broken";
    FloorsFull = 433, "FLOORS_FULL", "LED-FLR-2", "use fewer inputs with floors";
    OperationNotCovered = 434, "OPERATION_NOT_COVERED", "LED-GRT-4", "obtain sub-licensable operation grants on every direct input and name them";
    SublicenceTooDeep = 435, "SUBLICENCE_TOO_DEEP", "LED-GRT-4", "offer a smaller depth than the grants it rests on";
    TermBeyondParent = 436, "TERM_BEYOND_PARENT", "LED-GRT-4", "keep purposes, territories and term within the grants it rests on";

    NotAnExchange = 501, "NOT_AN_EXCHANGE", "LED-MKT-1", "list at a member with the role of an exchange";
    NotAProduct = 502, "NOT_A_PRODUCT", "LED-MKT-1", "list an asset of stage product";
    FeeTooHigh = 503, "FEE_TOO_HIGH", "LED-MKT-1", "keep the fee at or below 10000 basis points";
    AlreadyListed = 504, "ALREADY_LISTED", "LED-MKT-1", "use the listing that exists";
    AncestryTooLarge = 505, "ANCESTRY_TOO_LARGE", "LED-MKT-2", "reduce the number of edges in the product's ancestry to 65536";
    UnknownListing = 511, "UNKNOWN_LISTING", "LED-MKT-1", "correct the listing's id";
    ReviewerIsSeller = 512, "REVIEWER_IS_SELLER", "LED-MKT-1", "have an exchange that is not the seller review the listing";
    NotListingExchange = 513, "NOT_LISTING_EXCHANGE", "LED-MKT-1", "only the exchange of the listing reviews it";
    ListingClosed = 514, "LISTING_CLOSED", "LED-MKT-1", "the listing was reviewed already";
    ListingNotAccepted = 515, "LISTING_NOT_ACCEPTED", "LED-MKT-3", "wait for the exchange to accept the listing";
    NotSeller = 516, "NOT_SELLER", "LED-MKT-3", "only the seller does this";
    NotBuyer = 517, "NOT_BUYER", "LED-MKT-6", "only the buyer does this";
    SellerIsBuyer = 518, "SELLER_IS_BUYER", "LED-MKT-3", "name a buyer who is neither the seller nor the exchange";
    LicenceOutsideTerms = 519, "LICENCE_OUTSIDE_TERMS", "LED-MKT-3", "keep the licence within the product's purposes and the operation grants' territories and term";
    AmountOutOfRange = 520, "AMOUNT_OUT_OF_RANGE", "LED-MKT-5", "use amounts from 1 to 10^18 minor units";
    UnknownContract = 521, "UNKNOWN_CONTRACT", "LED-MKT-4", "correct the contract's id";
    NotContractParty = 522, "NOT_CONTRACT_PARTY", "LED-MKT-4", "only the buyer and the exchange named in the contract sign it";
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
    UnknownPayment = 541, "UNKNOWN_PAYMENT", "LED-MKT-7", "correct the payment's id";
    EmptyRefund = 542, "EMPTY_REFUND", "LED-MKT-7", "give at least one part above 0";
    RefundAboveRemainder = 543, "REFUND_ABOVE_REMAINDER", "LED-MKT-7", "refund at most what remains of each part of the payment";
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
}

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
            | UnknownListing | UnknownContract | UnknownPayment => Outlook::AwaitsReference,
            AuthorSuspended | KeyUnknown | NotAfterTooFar | GrantNotAccepted
            | GrantNotYetEffective | ListingNotAccepted | ContractNotSigned | NotDelivered
            | NotRightManager | NotSuspended | BlockFull => Outlook::AwaitsState,
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
            | RefundAboveRemainder => Outlook::Final,
        }
    }

    /// Whether the same envelope may pass later.
    pub fn is_transient(self) -> bool {
        self.outlook() != Outlook::Final
    }
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

impl From<CodecError> for Refusal {
    fn from(error: CodecError) -> Self {
        Refusal::Fault(error.into())
    }
}
