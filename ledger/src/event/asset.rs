//! Assets: what is registered, never the data itself.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::codec::List;
use crate::hash::{AssetId, Digest, GrantId, RegistrationId};
use crate::limits::{MAX_CHOICES, MAX_INPUTS};
use crate::money::Currency;
use crate::split::Split;
use crate::text::{AssetName, Code, Handle};

/// `register_asset`. The asset's id is the hash of chain, author and name. Implements [LED-AST-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterAsset {
    /// Unique among the author's assets; shown as `handle/name`.
    pub name: AssetName,
    /// Raw resource, processed dataset or data product.
    pub stage: Stage,
    /// An earlier asset of the same author that this one is a new version of.
    #[serde(default)]
    pub revises: Option<AssetId>,
    /// A salted commitment to the content.
    pub content: Content,
    /// What the content is, as the author states it.
    pub metadata: Metadata,
    /// How money that reaches this asset is divided.
    pub split: Split,
    /// For a raw resource: whether patients' consent is what it rests on, so that consent can be
    /// withdrawn. What is derived from it then watches it. Implements [LED-WTC-1].
    #[serde(default)]
    pub consent_based: bool,
    /// Where it came from; absent exactly for raw resources.
    #[serde(default)]
    pub derivation: Option<Derivation>,
}

/// How far from the source an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// As collected; has no inputs.
    Raw,
    /// Made from other assets.
    Processed,
    /// Made from other assets, to be sold.
    Product,
}

/// A salted commitment to content; the salt stays with its holder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Root of the salted Merkle commitment.
    pub root: Digest,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of records.
    pub records: u64,
}

/// What an asset is, as its author states it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Format, such as `text/csv`.
    pub format: Code,
    /// Region the data is about, such as `CN-GD`.
    pub region: Code,
    /// Begin of the period covered, milliseconds since 1970, as claimed.
    pub period_from_ms: u64,
    /// End of the period covered, milliseconds since 1970, as claimed.
    pub period_to_ms: u64,
    /// Class under the data security law.
    pub classification: Classification,
    /// Sensitivity, 1 (least) to 5.
    pub sensitivity: u8,
    /// How persons were made unidentifiable.
    pub deidentification: Deidentification,
    /// Quality scores in percent.
    pub quality: Quality,
}

/// Class under the data security law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// General data.
    General,
    /// Important data.
    Important,
    /// Core data.
    Core,
}

/// How persons were made unidentifiable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deidentification {
    /// Nothing was done.
    None,
    /// Direct identifiers replaced.
    Pseudonymised,
    /// Identifiers removed or generalised so that nobody can be singled out.
    Anonymised,
    /// Only totals or results remain.
    Aggregated,
}

/// Six quality scores in percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Accuracy.
    pub accuracy: u8,
    /// Completeness.
    pub completeness: u8,
    /// Consistency.
    pub consistency: u8,
    /// Timeliness.
    pub timeliness: u8,
    /// Conformity to a standard.
    pub conformity: u8,
    /// Accessibility.
    pub accessibility: u8,
}

impl Quality {
    /// The six scores in order of declaration.
    pub fn scores(&self) -> [u8; 6] {
        [
            self.accuracy,
            self.completeness,
            self.consistency,
            self.timeliness,
            self.conformity,
            self.accessibility,
        ]
    }
}

/// Where an asset came from: the inputs used and the activity that used them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// The inputs, each once.
    pub inputs: List<Input, MAX_INPUTS>,
    /// What was done with them.
    pub activity: Activity,
}

/// One input of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The asset used.
    pub asset: AssetId,
    /// Its weight among the inputs, at least 1.
    pub weight: u64,
    /// The processing grant that allows the use; absent when the author owns the processing right.
    #[serde(default)]
    pub grant: Option<GrantId>,
}

/// What was done. Times are claims of the author.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Kind of work.
    pub kind: ActivityKind,
    /// Salted hash of the method's description or code.
    pub method: Digest,
    /// What the result may be used for; within the purposes of every input.
    pub purposes: List<Purpose, MAX_CHOICES>,
    /// Where the work was done.
    pub territory: Code,
    /// Claimed begin, milliseconds since 1970.
    pub claimed_from_ms: u64,
    /// Claimed end, milliseconds since 1970.
    pub claimed_to_ms: u64,
    /// Claimed cost.
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// A claimed cost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Minor units.
    pub amount: u64,
    /// Their currency.
    pub currency: Currency,
}

/// Kind of work an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Removing or mending malformed records.
    Cleaning,
    /// Joining several inputs.
    Merging,
    /// Adding diagnoses or labels.
    Annotation,
    /// Removing what identifies persons.
    Deidentification,
    /// Computing totals.
    Aggregation,
    /// Training a model.
    ModelTraining,
    /// Computing a report or another result.
    Analysis,
    /// Packaging without changing the content.
    Packaging,
}

/// What data may be used for: codes of the GA4GH Data Use Ontology, and commercial use.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// DUO:0000042, general research use.
    GeneralResearch,
    /// DUO:0000006, health, medical or biomedical research.
    HealthResearch,
    /// DUO:0000007, research on a stated disease.
    DiseaseResearch,
    /// DUO:0000011, population origins or ancestry research.
    PopulationResearch,
    /// DUO:0000043, clinical care.
    ClinicalCare,
    /// DUO:0000015 lifted: development of methods.
    MethodDevelopment,
    /// Commercial use, which DUO expresses by the absence of DUO:0000046.
    Commercial,
}

/// `withdraw_consent`: the author, an owner of the holding right or a regulator records that patients
/// have withdrawn their consent: their number and a salted commitment, never who. No new derivation
/// uses this version from then on. When no new version is registered by the rulebook's deadline,
/// nothing that watches the asset is listed or sold any more. Implements [LED-CNS-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    /// The raw, consent-based resource.
    pub asset: AssetId,
    /// Number of patients, at least 1.
    pub patients: u32,
    /// Salted commitment to the list of them.
    pub commitment: Digest,
}

/// `attest_deidentification`: an appraiser, an auditor or a regulator who is neither the author nor
/// an owner of a right, nor related to one of them, attests that nobody can be singled out in an asset. The asset stops watching
/// for consent, and so does what is derived from it afterwards. Implements [LED-CNS-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestDeidentification {
    /// The asset.
    pub asset: AssetId,
    /// Salted hash of the report.
    pub report: Digest,
}

/// `file_registration`: whoever acts for the holding right files for the registration of the
/// rights over an asset. The public notice begins. Implements [LED-REG-1].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRegistration {
    /// The asset; it has no registration that is in notice or in force.
    pub asset: AssetId,
    /// The exchange that keeps the register, not the author nor related to him.
    pub registry: Handle,
    /// How long it is to be in force from the decision, in milliseconds.
    pub term_ms: u64,
}

/// `object_registration`: any other member objects during the public notice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRegistration {
    /// The registration.
    pub registration: RegistrationId,
    /// Salted hash of the grounds.
    pub grounds: Digest,
}

/// `decide_registration`: the registry decides once the notice is over. An acceptance overrules
/// the objections made. Implements [LED-REG-2].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRegistration {
    /// The registration.
    pub registration: RegistrationId,
    /// Accept or reject.
    pub decision: super::market::Decision,
}

/// Why registered statements are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The facts have changed; recorded by whoever acts for the holding right.
    Amendment,
    /// The entry was wrong; recorded by the registry.
    Correction,
}

/// `change_registration`: replaces what the register states of the asset; the asset itself never
/// changes, and every earlier statement stays on record. Implements [LED-REG-3].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRegistration {
    /// The registration, in force.
    pub registration: RegistrationId,
    /// Amendment or correction.
    pub kind: ChangeKind,
    /// What the asset is, as stated from then on.
    pub metadata: Metadata,
}

/// `renew_registration`: the registry extends a registration in force, from its end on.
/// Implements [LED-REG-4].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewRegistration {
    /// The registration.
    pub registration: RegistrationId,
    /// By how much, in milliseconds.
    pub term_ms: u64,
}

/// `cancel_registration`: whoever acts for the holding right, or the registry, ends it.
/// Implements [LED-REG-5].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRegistration {
    /// The registration.
    pub registration: RegistrationId,
    /// Salted hash of the reason.
    pub reason: Digest,
}
