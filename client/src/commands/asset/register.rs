//! `headwater asset register`.

use std::path::PathBuf;

use clap::Args;
use headwater_ledger::attribution::AncestryNode;
use headwater_ledger::envelope::asset_id;
use headwater_ledger::event::asset::{
    Activity, ActivityKind, Classification, Content, Cost, Deidentification, Derivation, Input,
    Metadata, Purpose, Quality, Stage,
};
use headwater_ledger::event::{Event, RegisterAsset};
use headwater_ledger::hash::Digest;
use headwater_ledger::money::Currency;
use headwater_ledger::split::Split;
use headwater_ledger::text::{AssetName, Code};

use crate::build::{Acting, ActingArgs};
use crate::commitment::Lines;
use crate::failure::{Failure, Kind};
use crate::remote::resolve::AssetRef;
use crate::salts::Salts;
use crate::session::Session;
use crate::value::amount::{self, Notation};
use crate::value::choice;
use crate::value::moment::{Moment, now_ms};
use crate::value::share::{InputRef, parse_split};

pub(super) const AFTER_HELP: &str = "\
Examples:
  headwater asset register admissions-2026 --stage raw --content admissions.csv --count-lines \\
      --split 6000/2000/2000/0 --format text/csv --region CN-GD --period-from 2026-01-01 \\
      --period-to 2026-06-30 --classification important --sensitivity 4 \\
      --deidentification pseudonymised --as city-hospital
  headwater asset register cohort --stage processed --content cohort/ --records 51200 \\
      --split 1000/3000/1000/5000 --input city-hospital/admissions-2026:3:01234567 \\
      --activity cleaning --method pipeline/ --purpose health-research --territory CN \\
      --format text/csv --region CN-GD --period-from 2026-01-01 --period-to 2026-06-30 \\
      --classification general --sensitivity 2 --deidentification anonymised --as data-works

Data never leaves this machine: a salted commitment to it is recorded. The salt is kept in
HOME/salts/HANDLE+NAME.json, readable by you alone: back it up with the data. Without it the
commitment can never be checked; deleting it is how the content is erased from the ledger.";

/// Arguments of `headwater asset register`.
#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// Name, unique among your assets
    name: AssetName,
    /// raw, processed or product
    #[arg(long, value_parser = choice::parse::<Stage>)]
    stage: Stage,
    /// Earlier asset of yours that this is a new version of
    #[arg(long, value_name = "ASSET")]
    revises: Option<AssetRef>,
    /// For a raw resource: it rests on patients' consent, which can be withdrawn
    #[arg(long)]
    consent_based: bool,
    /// Basis points for the owners of the three rights and for the inputs; 0 upstream without
    /// inputs
    #[arg(long, value_name = "HOLD/PROC/OPER/UP", value_parser = parse_split)]
    split: Split,
    #[command(flatten)]
    content: ContentArgs,
    #[command(flatten)]
    metadata: MetadataArgs,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What is registered.
#[derive(Debug, Args)]
struct ContentArgs {
    /// File or folder with the content
    #[arg(long, value_name = "PATH", required_unless_present = "root", conflicts_with_all = ["root", "bytes"])]
    #[arg(help_heading = "Content")]
    content: Option<PathBuf>,
    /// Commitment made before with `headwater hash`
    #[arg(long, value_name = "ROOT", requires_all = ["bytes", "records"], help_heading = "Content")]
    root: Option<Digest>,
    /// Size in bytes, with --root
    #[arg(long, value_name = "N", requires = "root", help_heading = "Content")]
    bytes: Option<u64>,
    /// Number of records
    #[arg(
        long,
        value_name = "N",
        required_unless_present = "count_lines",
        help_heading = "Content"
    )]
    records: Option<u64>,
    /// Count the lines of all files as records
    #[arg(long, conflicts_with_all = ["records", "root"], help_heading = "Content")]
    count_lines: bool,
}

/// What the content is.
#[derive(Debug, Args)]
pub(super) struct MetadataArgs {
    /// Format, such as text/csv
    #[arg(long, value_name = "CODE", help_heading = "Metadata")]
    format: Code,
    /// Region the data is about, such as CN-GD
    #[arg(long, value_name = "CODE", help_heading = "Metadata")]
    region: Code,
    /// Begin of the period covered
    #[arg(long, value_name = "TIME", help_heading = "Metadata")]
    period_from: Moment,
    /// End of the period covered
    #[arg(long, value_name = "TIME", help_heading = "Metadata")]
    period_to: Moment,
    /// Class under the data security law: general, important or core
    #[arg(long, value_name = "CLASS", value_parser = choice::parse::<Classification>)]
    #[arg(help_heading = "Metadata")]
    classification: Classification,
    /// Sensitivity from 1 (least) to 5
    #[arg(long, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    #[arg(help_heading = "Metadata")]
    sensitivity: u8,
    /// How persons were made unidentifiable: none, pseudonymised, anonymised or aggregated
    #[arg(long, value_name = "KIND", value_parser = choice::parse::<Deidentification>)]
    #[arg(help_heading = "Metadata")]
    deidentification: Deidentification,
    /// Accuracy, completeness, consistency, timeliness, conformity and accessibility in percent,
    /// such as 98/95/99/80/100/90
    #[arg(long, value_name = "SCORES", default_value = "0/0/0/0/0/0", value_parser = parse_quality)]
    #[arg(help_heading = "Metadata")]
    quality: Quality,
}

/// Where it came from.
#[derive(Debug, Args)]
struct WorkArgs {
    /// Input with its weight and, unless its processing right is yours, the grant
    #[arg(long = "input", value_name = "ASSET:WEIGHT[:GRANT]", help_heading = "Derivation")]
    #[arg(requires_all = ["activity", "purposes", "territory"])]
    inputs: Vec<InputRef>,
    /// Kind of work: cleaning, merging, annotation, deidentification, aggregation,
    /// model-training, analysis, packaging
    #[arg(long, value_name = "KIND", value_parser = choice::parse::<ActivityKind>)]
    #[arg(help_heading = "Derivation", requires = "inputs")]
    activity: Option<ActivityKind>,
    /// File or folder with the method's code or description; a salted commitment is recorded
    #[arg(long, value_name = "PATH", conflicts_with = "method_root", requires = "inputs")]
    #[arg(help_heading = "Derivation")]
    method: Option<PathBuf>,
    /// Commitment to the method made before
    #[arg(long, value_name = "ROOT", help_heading = "Derivation", requires = "inputs")]
    method_root: Option<Digest>,
    /// What the result may be used for: general-research, health-research, disease-research,
    /// population-research, clinical-care, method-development, commercial
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',', requires = "inputs")]
    #[arg(value_parser = choice::parse::<Purpose>, help_heading = "Derivation")]
    purposes: Vec<Purpose>,
    /// Where the work was done, such as CN
    #[arg(long, value_name = "CODE", requires = "inputs")]
    #[arg(help_heading = "Derivation")]
    territory: Option<Code>,
    /// Begin of the work, as you claim [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Derivation", requires = "inputs")]
    work_from: Option<Moment>,
    /// End of the work, as you claim [default: now]
    #[arg(long, value_name = "TIME", help_heading = "Derivation", requires = "inputs")]
    work_to: Option<Moment>,
    /// Cost of the work, as you claim
    #[arg(long, value_name = "AMOUNT", requires_all = ["cost_currency", "inputs"])]
    #[arg(help_heading = "Derivation")]
    cost: Option<String>,
    /// Currency of the cost
    #[arg(long, value_name = "CURRENCY", help_heading = "Derivation", requires = "cost")]
    cost_currency: Option<Currency>,
    /// The cost is in whole minor units
    #[arg(long, help_heading = "Derivation", requires = "cost")]
    minor: bool,
}

/// Parses six percentages.
pub(crate) fn parse_quality(text: &str) -> Result<Quality, String> {
    let bad = "expected six percentages from 0 to 100, such as 98/95/99/80/100/90";
    let score = |part: &str| part.parse::<u8>().ok().filter(|score| *score <= 100).ok_or(bad);
    let scores = text.split('/').map(score).collect::<Result<Vec<_>, _>>()?;
    match scores[..] {
        [accuracy, completeness, consistency, timeliness, conformity, accessibility] => {
            Ok(Quality {
                accuracy,
                completeness,
                consistency,
                timeliness,
                conformity,
                accessibility,
            })
        }
        _ => Err(bad.to_string()),
    }
}

impl MetadataArgs {
    pub(super) fn metadata(&self) -> Result<Metadata, Failure> {
        let (period_from_ms, period_to_ms) = (self.period_from.begin_ms(), self.period_to.end_ms());
        if period_from_ms > period_to_ms {
            return Err(Failure::new(Kind::Usage, "the period covered ends before it begins")
                .hint("correct --period-from or --period-to"));
        }
        Ok(Metadata {
            format: self.format.clone(),
            region: self.region.clone(),
            period_from_ms,
            period_to_ms,
            classification: self.classification,
            sensitivity: self.sensitivity,
            deidentification: self.deidentification,
            quality: self.quality,
        })
    }
}

impl RegisterArgs {
    /// What can be seen to be wrong before anything is read or asked.
    fn check(&self) -> Result<(), Failure> {
        let derived = !self.work.inputs.is_empty();
        let wrong = match (self.stage, derived) {
            (Stage::Raw, true) => {
                Some(("a raw resource has no inputs", "leave out --input, or change --stage"))
            }
            (Stage::Processed | Stage::Product, false) => Some((
                "a processed dataset or a product has inputs",
                "add --input, or change --stage",
            )),
            (Stage::Processed | Stage::Product, true) if self.consent_based => Some((
                "consent is withdrawn from raw resources; what is made of them follows",
                "leave out --consent-based",
            )),
            (Stage::Raw, false) | (Stage::Processed | Stage::Product, true) => None,
        };
        if let Some((message, hint)) = wrong {
            return Err(Failure::new(Kind::Usage, message).hint(hint));
        }
        self.split.check(derived).map_err(|error| {
            Failure::new(Kind::Usage, error).hint(
                "--split is holding/processing/operation/upstream: 10000 together, upstream 0 \
                 exactly when there is no --input",
            )
        })
    }

    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        self.check()?;
        let metadata = self.metadata.metadata()?;
        let acting = Acting::begin(session, &self.acting)?;
        let subject = format!("{}/{}", acting.author(), self.name);
        let mut salts = Salts::open(&session.home, &subject)?;
        let content = self.content(&mut salts, session)?;
        let derivation = self.derivation(&acting, &mut salts, session)?;
        let revises = self.revises.as_ref().map(|asset| acting.asset(asset));
        if !acting.is_dry_run() {
            salts.save()?;
        }
        let inputs = derivation.iter().flat_map(|derivation| &derivation.inputs);
        let inputs = inputs.map(|input| (input.asset, input.weight)).collect();
        let node = AncestryNode { split: self.split, inputs };
        let id = asset_id(&acting.connection().chain_id(), acting.author(), &self.name);
        let preview = acting.shares_preview(&id, &subject, Some(node))?;
        let event = Event::RegisterAsset(RegisterAsset {
            consent_based: self.consent_based,
            name: self.name,
            stage: self.stage,
            revises,
            content,
            metadata,
            split: self.split,
            derivation,
        });
        acting.act_previewed(event, preview)
    }

    fn content(&self, salts: &mut Salts, session: &Session) -> Result<Content, Failure> {
        let args = &self.content;
        if let (Some(root), Some(bytes), Some(records)) = (args.root, args.bytes, args.records) {
            return Ok(Content { root, bytes, records });
        }
        let Some(path) = &args.content else {
            return Err(Failure::new(Kind::Usage, "no content is given")
                .hint("pass --content PATH, or --root with --bytes and --records"));
        };
        let lines = if args.count_lines { Lines::Count } else { Lines::Ignore };
        let found = salts.commit("content", path, lines, &session.output)?;
        let records = args.records.or(found.lines).unwrap_or_default();
        Ok(Content { root: found.root, bytes: found.bytes, records })
    }

    fn derivation(
        &self,
        acting: &Acting<'_>,
        salts: &mut Salts,
        session: &Session,
    ) -> Result<Option<Derivation>, Failure> {
        let work = &self.work;
        let (Some(kind), Some(territory)) = (work.activity, work.territory.clone()) else {
            return Ok(None);
        };
        let mut inputs = Vec::with_capacity(work.inputs.len());
        for input in &work.inputs {
            let grant = input.grant.as_ref();
            let grant = grant.map(|grant| acting.id(grant)).transpose()?;
            inputs.push(Input { asset: acting.asset(&input.asset), weight: input.weight, grant });
        }
        let method = match (work.method_root, &work.method) {
            (Some(root), _) => root,
            (None, Some(path)) => {
                salts.commit("method", path, Lines::Ignore, &session.output)?.root
            }
            (None, None) => {
                return Err(Failure::new(Kind::Usage, "the method of the work is not given")
                    .hint("pass --method PATH, or --method-root ROOT"));
            }
        };
        let now = now_ms();
        let claimed_from_ms = work.work_from.map_or(now, Moment::begin_ms);
        // A day of work that is not over yet is claimed up to now.
        let claimed_to_ms = work.work_to.map_or(now, |to| match to {
            Moment::Day(begin) if begin <= now => to.end_ms().min(now),
            to => to.end_ms(),
        });
        if claimed_from_ms > claimed_to_ms {
            return Err(Failure::new(Kind::Usage, "the work ends before it begins")
                .hint("correct --work-from or --work-to"));
        }
        let activity = Activity {
            kind,
            method,
            purposes: choice::list(work.purposes.clone(), "purposes")?,
            territory,
            claimed_from_ms,
            claimed_to_ms,
            cost: work.cost()?,
        };
        Ok(Some(Derivation { inputs: choice::list(inputs, "inputs")?, activity }))
    }
}

impl WorkArgs {
    fn cost(&self) -> Result<Option<Cost>, Failure> {
        let (Some(cost), Some(currency)) = (&self.cost, self.cost_currency) else {
            return Ok(None);
        };
        let notation = if self.minor { Notation::Minor } else { Notation::Decimal };
        Ok(Some(Cost { amount: amount::parse(cost, &currency, notation)?, currency }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_is_six_percentages() {
        let quality = parse_quality("98/95/99/80/100/90").unwrap();
        assert_eq!(quality.scores(), [98, 95, 99, 80, 100, 90]);
        for bad in
            ["", "1/2/3/4/5", "1/2/3/4/5/6/7", "101/1/1/1/1/1", "x/1/1/1/1/1", "-1/1/1/1/1/1"]
        {
            assert!(parse_quality(bad).is_err(), "{bad}");
        }
    }
}
