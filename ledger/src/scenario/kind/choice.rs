//! Words of which one is chosen.

use super::Kind;
use crate::event::asset::{ActivityKind, Classification, Deidentification, Purpose, Stage};
use crate::event::dispute::Ground;
use crate::event::market::ValuationMethod;
use crate::event::member::{Role, Scope, TwoKeyAct};
use crate::event::rights::{Exclusivity, FloorKind, GrantRight, Revocation};
use crate::scenario::form::{Cursor, Wrong};
use crate::scenario::kind::time::Span;
use crate::scenario::names::Context;
use crate::scenario::token::{nearest, plain};
use crate::split::Right as LedgerRight;

/// The word that is none of those expected.
fn unknown(at: &Cursor<'_>, what: &str, known: &[&'static str]) -> Wrong {
    let word = at.peek().map_or("", |t| t.text.as_str());
    let near = nearest(word, known.iter().copied());
    let near = near.map_or(String::new(), |n| format!(" (did you mean `{n}`?)"));
    Wrong(format!("{} is not a {what}{near}; one of: {}", at.found(), known.join(", ")))
}

macro_rules! choices {
    ($($(#[$doc:meta])* $kind:ident = $of:ident, $name:literal: $($variant:ident = $word:literal),* ;)*) => {$(
        $(#[$doc])*
        pub struct $kind;
        impl $kind {
            /// The words.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
            /// The word of a value.
            pub fn word(value: &$of) -> &'static str {
                match value { $($of::$variant => $word,)* }
            }
        }
        impl Kind for $kind {
            type Of = $of;
            fn name() -> String {
                $name.into()
            }
            fn sample() -> String {
                Self::WORDS.first().copied().unwrap_or_default().into()
            }
            fn read(at: &mut Cursor<'_>, _: &Context<'_>) -> Result<$of, Wrong> {
                let word = at.peek().map(|t| plain(&t.text)).unwrap_or_default();
                let found = match word.as_str() {
                    $($word => $of::$variant,)*
                    _ => return Err(unknown(at, $name, Self::WORDS)),
                };
                at.take();
                Ok(found)
            }
            fn write(value: &$of, _: &Context<'_>) -> String {
                Self::word(value).into()
            }
        }
    )*};
}

choices! {
    /// A right.
    Right = LedgerRight, "right": Holding = "holding", Processing = "processing", Operation = "operation";
    /// A right that can be granted.
    Grantable = GrantRight, "right that can be granted": Processing = "processing", Operation = "operation";
    /// A stage of an asset.
    StageWord = Stage, "stage": Raw = "raw", Processed = "processed", Product = "product";
    /// A role of a member.
    RoleWord = Role, "role": Exchange = "exchange", Holder = "holder", Processor = "processor",
        Operator = "operator", Buyer = "buyer", Appraiser = "appraiser", Regulator = "regulator", Auditor = "auditor";
    /// A scope of a key.
    ScopeWord = Scope, "scope": Register = "register", Rights = "rights", Contract = "contract",
        Money = "money", Arbitrate = "arbitrate", Admin = "admin";
    /// Acts that can be made to need two keys.
    TwoKeyWord = TwoKeyAct, "kind of act": Money = "money", Transfers = "transfers", Rulings = "rulings";
    /// A purpose.
    PurposeWord = Purpose, "purpose": HealthResearch = "health-research", GeneralResearch = "general-research",
        DiseaseResearch = "disease-research", PopulationResearch = "population-research",
        ClinicalCare = "clinical-care", MethodDevelopment = "method-development", Commercial = "commercial";
    /// A class under the data security law.
    ClassWord = Classification, "class": General = "general", Important = "important", Core = "core";
    /// How persons were made unidentifiable.
    DeidentificationWord = Deidentification, "way of de-identification": Anonymised = "anonymised",
        Pseudonymised = "pseudonymised", Aggregated = "aggregated", None = "none";
    /// A kind of work.
    WorkWord = ActivityKind, "kind of work": Cleaning = "cleaning", Merging = "merging", Annotation = "annotation",
        Deidentification = "deidentification", Aggregation = "aggregation", ModelTraining = "model-training",
        Analysis = "analysis", Packaging = "packaging";
    /// Of what a floor is a part.
    FloorWord = FloorKind, "kind of floor": Absolute = "absolute", Relative = "relative";
    /// Who else may use a right.
    ExclusivityWord = Exclusivity, "exclusivity": None = "none", Sole = "sole", Exclusive = "exclusive";
    /// A method of valuation.
    MethodWord = ValuationMethod, "method": Cost = "cost", Income = "income", Market = "market";
    /// A ground of a dispute.
    GroundWord = Ground, "ground": Ownership = "ownership", Misuse = "misuse", Misstatement = "misstatement",
        Duplicate = "duplicate", Compromise = "compromise", Performance = "performance";
}

/// What a revocation does.
pub struct RevocationMode;

impl Kind for RevocationMode {
    type Of = Revocation;
    fn name() -> String {
        "`prospective`, `sunset DURATION` or `suspend-downstream`".into()
    }
    fn sample() -> String {
        "sunset 30d".into()
    }
    fn read(at: &mut Cursor<'_>, context: &Context<'_>) -> Result<Revocation, Wrong> {
        if at.skip("prospective") {
            return Ok(Revocation::Prospective);
        }
        if at.skip("suspend-downstream") {
            return Ok(Revocation::SuspendDownstream);
        }
        if at.skip("sunset") {
            return Ok(Revocation::Sunset(Span::read(at, context)?));
        }
        Err(unknown(at, "way of revocation", &["prospective", "sunset", "suspend-downstream"]))
    }
    fn write(value: &Revocation, context: &Context<'_>) -> String {
        match value {
            Revocation::Prospective => "prospective".into(),
            Revocation::Sunset(ms) => format!("sunset {}", Span::write(ms, context)),
            Revocation::SuspendDownstream => "suspend-downstream".into(),
        }
    }
}
