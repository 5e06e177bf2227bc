//! Records about assets besides the asset itself: registrations, findings, conditions, use.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::event::asset::{Metadata, Purpose, Quality};
use crate::event::market::{Decision, ValuationMethod};
use crate::hash::{AccessId, AssetId, Digest, GrantId};
use crate::money::Currency;
use crate::state::record::Signed;
use crate::text::Handle;

/// A condition that follows an asset downstream. Implements [LED-WTC-1].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Revoking this grant suspends.
    Grant(GrantId),
    /// Consent withdrawn from this resource, without a replacement in time, suspends.
    Consent(AssetId),
}

/// Consent that was withdrawn from a version of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct WithdrawalRecord {
    /// Number of patients.
    pub patients: u32,
    /// Salted commitment to the list of them.
    pub commitment: Digest,
    /// Last block time for a replacement version, milliseconds since 1970.
    pub deadline_ms: u64,
    /// The last version of the line then: what comes after it can be the replacement.
    pub last: AssetId,
    /// Height at which it was recorded.
    pub height: u64,
}

/// An attested de-identification.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AttestationRecord {
    /// Who attested it.
    pub by: Handle,
    /// With which key.
    pub signed: Signed,
    /// Salted hash of the report.
    pub report: Digest,
    /// Height at which it was recorded.
    pub height: u64,
}

/// Where a registration stands. Expiry follows from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStatus {
    /// In public notice, or waiting for the decision after it.
    Notice,
    /// Registered, until its end.
    Registered,
    /// Rejected by the registry.
    Rejected,
    /// Cancelled.
    Cancelled,
}

/// A registration of the rights over an asset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct RegistrationRecord {
    /// The asset.
    pub asset: AssetId,
    /// The exchange that keeps the register.
    pub registry: Handle,
    /// Who filed.
    pub applicant: Handle,
    /// Where it stands.
    pub status: RegistrationStatus,
    /// End of the public notice, milliseconds since 1970.
    pub notice_until_ms: u64,
    /// Term asked for, in milliseconds.
    pub term_ms: u64,
    /// End of the registration once registered, milliseconds since 1970; 0 before.
    pub not_after_ms: u64,
    /// Who objected during the notice; at most 64.
    pub objections: Vec<Handle>,
    /// What the register states of the asset.
    pub metadata: Metadata,
    /// How often that was replaced.
    pub changes: u32,
    /// Height of the filing.
    pub height: u64,
}

/// The newest compliance review of an asset that counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ComplianceRecord {
    /// Who reviewed.
    pub by: Handle,
    /// The outcome.
    pub decision: Decision,
    /// How many reviewers there are whose newest review accepts.
    pub passes: u32,
    /// The property-rights level, 1 to 5.
    pub rights_level: u8,
    /// Salted hash of the report.
    pub report: Digest,
    /// Height at which it was recorded.
    pub height: u64,
}

/// The newest valuation of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ValuationRecord {
    /// Who valued.
    pub by: Handle,
    /// By which method.
    pub method: ValuationMethod,
    /// Minor units.
    pub value: u64,
    /// Their currency.
    pub currency: Currency,
    /// The six quality indicators as found.
    pub quality: Quality,
    /// Salted hash of the report.
    pub report: Digest,
    /// Height at which it was recorded.
    pub height: u64,
}

/// Where an access stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessStatus {
    /// Waits for a decision.
    Requested,
    /// Granted until its end.
    Granted,
    /// Refused.
    Refused,
    /// Granted, and ended before its time by who decides about it.
    Ended,
}

/// An access to an asset in a secure environment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AccessRecord {
    /// The asset.
    pub asset: AssetId,
    /// Who works with it.
    pub by: Handle,
    /// What for.
    pub purposes: Vec<Purpose>,
    /// The member that runs the environment.
    pub environment: Handle,
    /// End of the access, milliseconds since 1970.
    pub not_after_ms: u64,
    /// Where it stands.
    pub status: AccessStatus,
    /// Jobs logged.
    pub jobs: u64,
    /// Records read by all of them.
    pub rows: u64,
    /// Height of the request.
    pub height: u64,
}

/// A job logged under an access.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The access.
    pub access: AccessId,
    /// Salted hash of the job's code.
    pub job: Digest,
    /// Records read.
    pub rows: u64,
    /// Content commitment of what left the environment.
    pub output: Option<Digest>,
}
