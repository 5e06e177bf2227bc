//! The three separated rights over an asset, and the split of its revenue among them.
//!
//! Implements [LED-REV-1].

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Basis points in a whole.
pub const BASIS_POINTS: u64 = 10_000;

/// One of the three separated rights over an asset. The order is that of the split's shares.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To hold the resource, and to decide who may work with it.
    Holding,
    /// To process it: to derive other assets from it.
    Processing,
    /// To operate it: to sell products made of it.
    Operation,
}

impl Right {
    /// The three rights, in order.
    pub const ALL: [Right; 3] = [Right::Holding, Right::Processing, Right::Operation];

    /// The name, as in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Right::Holding => "holding",
            Right::Processing => "processing",
            Right::Operation => "operation",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How what an asset earns is divided: the owners of its three rights, and its inputs.
///
/// Plain data as filed; [`Split::check`] tells whether it is a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Share of the holding right, in basis points.
    #[serde(rename = "holding")]
    pub holding_bp: u16,
    /// Share of the processing right, in basis points.
    #[serde(rename = "processing")]
    pub processing_bp: u16,
    /// Share of the operation right, in basis points.
    #[serde(rename = "operation")]
    pub operation_bp: u16,
    /// Share that flows on to the inputs by weight, in basis points.
    #[serde(rename = "upstream")]
    pub upstream_bp: u16,
}

/// Why four numbers are not a split. The order is that of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The shares are not a whole; the sum in basis points.
    #[error("shares add up to {0} bp, expected 10000")]
    Sum(u32),
    /// A share goes upstream from an asset that was derived from nothing.
    #[error("a share goes upstream, but the asset has no inputs")]
    UpstreamWithoutInputs,
    /// Nothing goes upstream from an asset that was derived from others.
    #[error("the asset has inputs, but no share goes upstream")]
    InputsWithoutUpstream,
}

impl Split {
    /// Whether the shares are a whole, with nothing upstream exactly when there are no inputs.
    ///
    /// Implements [LED-REV-1].
    pub fn check(&self, has_inputs: bool) -> Result<(), SplitError> {
        let shares = [self.holding_bp, self.processing_bp, self.operation_bp, self.upstream_bp];
        let sum = shares.iter().fold(0u32, |sum, bp| sum.saturating_add(u32::from(*bp)));
        if u64::from(sum) != BASIS_POINTS {
            return Err(SplitError::Sum(sum));
        }
        match (has_inputs, self.upstream_bp) {
            (false, 1..) => Err(SplitError::UpstreamWithoutInputs),
            (true, 0) => Err(SplitError::InputsWithoutUpstream),
            (false, 0) | (true, 1..) => Ok(()),
        }
    }

    /// The share of one right, in basis points.
    pub const fn share_bp(&self, right: Right) -> u16 {
        match right {
            Right::Holding => self.holding_bp,
            Right::Processing => self.processing_bp,
            Right::Operation => self.operation_bp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    fn split(holding_bp: u16, processing_bp: u16, operation_bp: u16, upstream_bp: u16) -> Split {
        Split { holding_bp, processing_bp, operation_bp, upstream_bp }
    }

    /// Holds [LED-REV-1].
    #[test]
    fn a_split_is_a_whole_and_goes_upstream_exactly_with_inputs() {
        for (shares, has_inputs, expected) in [
            (split(10_000, 0, 0, 0), false, Ok(())),
            (split(0, 0, 0, 10_000), true, Ok(())),
            (split(2_500, 2_500, 2_500, 2_500), true, Ok(())),
            (split(4_000, 3_000, 2_900, 0), false, Err(SplitError::Sum(9_900))),
            (split(4_000, 3_000, 3_000, 1), true, Err(SplitError::Sum(10_001))),
            (split(u16::MAX, u16::MAX, u16::MAX, u16::MAX), true, Err(SplitError::Sum(262_140))),
            (split(0, 0, 0, 0), false, Err(SplitError::Sum(0))),
            (split(0, 0, 9_999, 1), false, Err(SplitError::UpstreamWithoutInputs)),
            (split(0, 0, 10_000, 0), true, Err(SplitError::InputsWithoutUpstream)),
        ] {
            assert_eq!(shares.check(has_inputs), expected, "{shares:?}, inputs: {has_inputs}");
        }
    }

    #[test]
    fn json_names_the_shares_without_units_and_refuses_others() {
        let json = r#"{"holding":1,"processing":2,"operation":3,"upstream":9994}"#;
        let parsed: Split = serde_json::from_str(json).unwrap();
        assert_eq!(parsed, split(1, 2, 3, 9_994));
        assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
        let other = r#"{"holding":1,"processing":2,"operation":3,"upstream":9994,"tax":0}"#;
        assert!(serde_json::from_str::<Split>(other).unwrap_err().to_string().contains("tax"));
    }

    #[test]
    fn rights_have_one_name_one_order_and_one_encoding() {
        for (tag, (right, name)) in
            (0u32..).zip(Right::ALL.into_iter().zip(["holding", "processing", "operation"]))
        {
            assert_eq!(right.to_string(), name);
            assert_eq!(serde_json::to_string(&right).unwrap(), format!("{name:?}"));
            let bytes = codec::encode(&right).unwrap();
            assert_eq!(bytes, tag.to_le_bytes());
            assert_eq!(codec::decode::<Right>(&bytes, 4), Ok(right));
        }
        assert!(Right::ALL.is_sorted());
        assert_eq!(codec::encode(&split(1, 2, 3, 0x1234)).unwrap(), [1, 0, 2, 0, 3, 0, 0x34, 0x12]);
    }
}
