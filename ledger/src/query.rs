//! Questions the ledger answers: where an asset came from and where it went, how a product's
//! money falls, who is entitled to what, what waits for whom, and why something is as it is.
//!
//! Pure functions of a view. Run on a node's own state they answer; run on a client's verified
//! reads of a remote state the same answer is proved. They read breadth first and announce what
//! they will read, so that a remote view needs few round trips. Every walk is iterative and
//! bounded.

mod claim;
mod explain;
mod flags;
mod inbox;
mod place;
mod shares;
mod statement;
mod trace;

use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::execute::list_entry;
use crate::hash::{AssetId, Digest};
use crate::reject::Fault;
use crate::state::record::AssetRecord;
use crate::state::{Records, Relation, View};

pub use claim::proved_claim;
pub use explain::{Explanation, Reason, Topic, explain};
pub use flags::{
    RelatedContract, SimilarFiling, UnmatchedOutput, related_contracts, similar_filings,
    unmatched_outputs,
};
pub use inbox::{BlockTime, Inbox, InboxAction, InboxItem, InboxKind, inbox};
pub use place::{Object, change_in_words, object, places};
pub use shares::{ListingShown, ShareLine, Shares, shares};
pub use statement::{
    AccountStatement, AssetLine, Balance, Clearing, CurrencyTotal, CutShown, MemberAccount,
    MemberStatement, Money, PartyTotal, PaymentShown, PayoutShown, ProductStatement, SetOffShown,
    member_statement, product_statement,
};
pub use trace::{Direction, Edge, Trace, TracedAsset, TracedGrant, trace};

/// Most edges that one answer walks.
pub const MAX_EDGES: usize = crate::limits::MAX_ANCESTRY_EDGES;

/// Most payments, lines or list entries that one answer holds.
pub const MAX_ROWS: usize = 1 << 20;

/// An entry of a list of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListEntry {
    /// Height at which it was added.
    pub height: u64,
    /// The identifier; of which kind, [`Relation`] says.
    pub id: Digest,
}

impl ListEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 41;

    /// The bytes that the list's Merkle range commits to.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        list_entry(self.height, &self.id)
    }

    /// Reads an entry's bytes strictly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let (height, id) = codec::decode(bytes, Self::LEN)?;
        Ok(ListEntry { height, id })
    }
}

/// A view that also knows the entries of the lists whose ranges its state holds.
pub trait Lists: View {
    /// All entries of a list, in order. The implementor guarantees that the list is whole as of
    /// the view's state, and correct.
    fn entries(&self, relation: &Relation) -> Result<Vec<ListEntry>, Fault>;
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// What was asked about is not recorded.
    #[error("{0} is not recorded")]
    Unknown(String),
    /// The answer would be too large.
    #[error("the answer has more than {max} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        max: usize,
    },
    /// The state contradicts itself or could not be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The asset asked about.
fn asked<V: View>(view: &V, id: &AssetId) -> Result<AssetRecord, QueryError> {
    view.asset(id)?.ok_or_else(|| QueryError::Unknown(format!("asset {id}")))
}

/// An asset that a record of the state names, so that it must be there.
fn recorded<V: View>(view: &V, id: &AssetId) -> Result<AssetRecord, Fault> {
    view.asset(id)?.ok_or_else(|| Fault(format!("asset {id} is named and not recorded")))
}

/// How an asset is shown: `handle/name`.
fn shown(asset: &AssetRecord) -> String {
    format!("{}/{}", asset.author, asset.name)
}

/// Counts up to a bound.
struct Budget {
    what: &'static str,
    max: usize,
    used: usize,
}

impl Budget {
    const fn new(what: &'static str, max: usize) -> Self {
        Budget { what, max, used: 0 }
    }

    fn take(&mut self, count: usize) -> Result<(), QueryError> {
        self.used = self.used.saturating_add(count);
        if self.used <= self.max {
            return Ok(());
        }
        Err(QueryError::TooLarge { what: self.what, max: self.max })
    }
}
