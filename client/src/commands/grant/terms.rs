//! The right and the terms of a grant, as offers and requests state them.

use clap::Args;
use headwater_ledger::event::asset::Purpose;
use headwater_ledger::event::rights::{Exclusivity, FloorKind, GrantRight, Revocation, Terms};
use headwater_ledger::text::Code;

use super::end_ms;
use crate::failure::{Failure, Kind};
use crate::value::choice;
use crate::value::moment::{DAY_MS, Moment, now_ms};

/// The right and the terms of a grant.
#[derive(Debug, Args)]
pub struct TermsArgs {
    /// processing: to derive from it; operation: to sell what is made of it
    #[arg(long, value_name = "RIGHT", value_parser = choice::parse::<GrantRight>)]
    pub right: GrantRight,
    /// What for: general-research, health-research, disease-research, population-research,
    /// clinical-care, method-development, commercial
    #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',', required = true)]
    #[arg(value_parser = choice::parse::<Purpose>)]
    purposes: Vec<Purpose>,
    /// Where, such as CN or CN-GD
    #[arg(long = "territory", value_name = "CODE", value_delimiter = ',', required = true)]
    territories: Vec<Code>,
    /// Begin of the term [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// End of the term
    #[arg(long, value_name = "TIME", required_unless_present = "days", conflicts_with = "days")]
    until: Option<Moment>,
    /// Length of the term in days
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Nobody else is granted the same, and the owners do not use it themselves
    #[arg(long, conflicts_with = "sole")]
    exclusive: bool,
    /// Nobody else is granted the same; the owners may use it themselves
    #[arg(long)]
    sole: bool,
    /// For processing: least part of a sale that must reach the asset, in basis points
    #[arg(long, value_name = "BP", default_value_t = 0)]
    floor: u16,
    /// absolute: of any descendant's sale; relative: of what the asset derived directly earns
    #[arg(long, value_name = "KIND", default_value = "absolute")]
    #[arg(value_parser = choice::parse::<FloorKind>)]
    floor_kind: FloorKind,
    /// How many further steps may build on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    depth: u8,
    /// For processing: most derivations [default: any number]
    #[arg(long, value_name = "N")]
    max_derivations: Option<u32>,
    /// Cover later versions of the asset too; its author gives that, of operation for raw resources
    #[arg(long)]
    future_versions: bool,
    /// For processing: days after the term in which work done within it may be filed
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    filing_window: u32,
    /// What revoking does: prospective, suspend-downstream, or sunset:DAYS
    #[arg(long, value_name = "KIND", default_value = "prospective", value_parser = revocation)]
    revocation: Revocation,
}

/// Parses what a revocation does.
fn revocation(text: &str) -> Result<Revocation, String> {
    match text.replace('-', "_").as_str() {
        "prospective" => Ok(Revocation::Prospective),
        "suspend_downstream" => Ok(Revocation::SuspendDownstream),
        other => {
            let days = other.strip_prefix("sunset:").and_then(|days| days.parse::<u32>().ok());
            days.map(|days| Revocation::Sunset(u64::from(days) * DAY_MS)).ok_or_else(|| {
                "expected prospective, suspend-downstream or sunset:DAYS".to_string()
            })
        }
    }
}

impl TermsArgs {
    /// The terms. With `--approve` the begin must be given: an approval is of an act to the letter.
    pub fn terms(&self, approve: bool) -> Result<Terms, Failure> {
        if approve && self.from.is_none() {
            return Err(Failure::new(Kind::Usage, "an approval needs the begin of the term")
                .hint("give --from as in the act that is approved"));
        }
        let not_before_ms = self.from.map_or_else(now_ms, Moment::begin_ms);
        let not_after_ms = end_ms(not_before_ms, self.until, self.days)
            .ok_or_else(|| Failure::new(Kind::Usage, "the end of the term is not given"))?;
        if not_before_ms > not_after_ms {
            return Err(Failure::new(Kind::Usage, "the term ends before it begins")
                .hint("correct --from, --until or --days"));
        }
        if self.right == GrantRight::Operation {
            let only = [
                ("--floor", self.floor > 0),
                ("--max-derivations", self.max_derivations.is_some()),
                ("--filing-window", self.filing_window > 0),
            ];
            if let Some((option, _)) = only.iter().find(|(_, given)| *given) {
                let message = format!("{option} is for processing grants only");
                return Err(
                    Failure::new(Kind::Usage, message).hint("leave it out, or change --right")
                );
            }
        }
        Ok(Terms {
            purposes: choice::list(self.purposes.clone(), "purposes")?,
            territories: choice::list(self.territories.clone(), "territories")?,
            not_before_ms,
            not_after_ms,
            sublicence_depth: self.depth,
            max_derivations: self.max_derivations,
            future_versions: self.future_versions,
            floor_bp: self.floor,
            filing_window_ms: u64::from(self.filing_window) * DAY_MS,
            floor_kind: self.floor_kind,
            exclusivity: match (self.exclusive, self.sole) {
                (true, _) => Exclusivity::Exclusive,
                (false, true) => Exclusivity::Sole,
                (false, false) => Exclusivity::None,
            },
            revocation: self.revocation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocations_are_written_with_either_dash() {
        assert_eq!(revocation("prospective"), Ok(Revocation::Prospective));
        assert_eq!(revocation("suspend-downstream"), Ok(Revocation::SuspendDownstream));
        assert_eq!(revocation("sunset:90"), Ok(Revocation::Sunset(90 * DAY_MS)));
        for bad in ["", "sunset", "sunset:", "sunset:x", "sunset:-1", "never"] {
            assert!(revocation(bad).is_err(), "{bad}");
        }
    }
}
