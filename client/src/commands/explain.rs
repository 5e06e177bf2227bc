//! `headwater explain`: why something is as it is, each statement with its rule.

use std::io;
use std::str::FromStr;

use clap::Args;
use headwater_ledger::envelope::asset_id;
use headwater_ledger::hash::{AccountId, BlockId, Digest};
use headwater_ledger::query::{self, Explanation, Reason, Topic};
use headwater_ledger::split::Right;
use headwater_ledger::state::Records as _;
use headwater_ledger::text::{AssetName, Handle};
use serde::Serialize;
use serde_json::Value;

use super::shares::proved;
use crate::failure::{Failure, Kind};
use crate::lookup::{AccountRef, Found, ObjectRef, exact_id};
use crate::output::{Page, Report};
use crate::remote::Connection;
use crate::remote::resolve::AssetRef;
use crate::remote::view::{AsOf, VerifiedView};
use crate::session::Session;
use crate::show;
use crate::value::choice;

const AFTER_HELP: &str = "\
Examples:
  headwater explain insight-co/report              why it was accepted, what it serves for now
  headwater explain 01234567                       a grant, contract, payment, dispute, event …
  headwater explain insight-co/report@first-exchange:CNY
  headwater explain insight-co/report@first-exchange:CNY --asset city-hospital/admissions-2026 \\
      --right holding --owner city-hospital        where the amount of a line comes from
  headwater explain 01234567 --at 12000

Every statement names its rule in ledger-spec.md and rests on proved reads.

With --json:
  {\"as_of\":…,\"recorded_in\":{height,block_id,time_ms,protocol,rulebook}|null,
   \"kind\":…,\"id\":…,\"name\":…,\"height\":…,\"reasons\":[{rule,text,values:{…},path:[…]}]}";

/// Arguments of `headwater explain`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ExplainArgs {
    /// An id or 8 of its digits, an asset HANDLE/NAME, or an account PRODUCT@EXCHANGE:CURRENCY
    #[arg(value_name = "ID|NAME")]
    of: Named,
    /// Of an account: the asset whose line it is
    #[arg(long, requires_all = ["right", "owner"])]
    asset: Option<AssetRef>,
    /// Of an account: the right whose line it is
    #[arg(long, value_parser = choice::parse::<Right>, requires = "asset")]
    right: Option<Right>,
    /// Of an account: the owner whose line it is
    #[arg(long, value_name = "HANDLE", requires = "asset")]
    owner: Option<Handle>,
    /// Height to ask about [default: the latest]
    #[arg(long, value_name = "HEIGHT")]
    at: Option<u64>,
}

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    Object(ObjectRef),
    Asset(AssetRef),
    Account(AccountRef),
}

impl FromStr for Named {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('@') {
            return text.parse().map(Named::Account);
        }
        if text.contains('/') {
            return text.parse().map(Named::Asset);
        }
        text.parse().map(Named::Object).map_err(|error: &str| {
            format!("{error}; an asset HANDLE/NAME; or an account PRODUCT@EXCHANGE:CURRENCY")
        })
    }
}

/// The block that recorded something, and by which rules.
#[derive(Serialize)]
struct RecordedIn {
    height: u64,
    block_id: BlockId,
    time_ms: u64,
    protocol: u32,
    rulebook: u32,
}

#[derive(Serialize)]
struct ExplainReport {
    as_of: AsOf,
    recorded_in: Option<RecordedIn>,
    #[serde(flatten)]
    explanation: Explanation,
}

impl ExplainArgs {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        let connection = Connection::open(session)?;
        let view = connection.view(self.at)?;
        let topic = self.topic(&connection, &view)?;
        let time_ms = view.block().header.time_ms;
        let explanation = view.ask(|view| query::explain(view, &topic, time_ms))?;
        let recorded_in = match explanation.height {
            // Members of the genesis document are there before any block.
            None | Some(0) => None,
            Some(height) => {
                let block = connection.proved_block(height)?;
                Some(RecordedIn {
                    height,
                    block_id: block.certificate.block_id,
                    time_ms: block.header.time_ms,
                    protocol: block.header.protocol,
                    rulebook: block.header.rulebook,
                })
            }
        };
        session.output.report(&ExplainReport { as_of: view.as_of(), recorded_in, explanation })
    }

    fn topic(&self, connection: &Connection, view: &VerifiedView<'_>) -> Result<Topic, Failure> {
        let line = |account: AccountId| match (&self.asset, self.right, &self.owner) {
            (Some(asset), Some(right), Some(owner)) => {
                let asset = exact_id(asset, &connection.chain_id());
                Topic::Line(account, asset, right, owner.clone())
            }
            _ => Topic::Object(*account.digest()),
        };
        match &self.of {
            Named::Account(account) => Ok(line(account.id(&connection.chain_id())?)),
            Named::Asset(asset) => Ok(Topic::Object(*view.asset_id(asset)?.digest())),
            Named::Object(object) => {
                let digest = self.object(connection, view, object)?;
                Ok(if self.asset.is_some() {
                    line(AccountId::from_digest(digest))
                } else {
                    Topic::Object(digest)
                })
            }
        }
    }

    /// The object with an id; of an event that made none, the object that it is about.
    fn object(
        &self,
        connection: &Connection,
        view: &VerifiedView<'_>,
        object: &ObjectRef,
    ) -> Result<Digest, Failure> {
        let there = |digest: &Digest| {
            view.ask(|view| Ok(query::object(view, digest)?)).map(|found| found.is_some())
        };
        if let Some(digest) = object.whole()
            && there(&digest)?
        {
            return Ok(digest);
        }
        let found = object.find(connection.node())?;
        let made = *found.id.digest();
        if there(&made)? {
            return Ok(made);
        }
        if found.event == "register_asset" {
            return registered(connection, view, &found);
        }
        about(&found.body).ok_or_else(|| {
            let message = format_args!("event {} ({}) is about no object", made, found.event);
            Failure::new(Kind::NotFound, message).hint("name the asset as HANDLE/NAME")
        })
    }
}

/// The asset that an event registered; the asset's own record must say so.
fn registered(
    connection: &Connection,
    view: &VerifiedView<'_>,
    found: &Found,
) -> Result<Digest, Failure> {
    let lied = || {
        let message = format_args!("the node says that event {} registered an asset", found.id);
        Failure::new(Kind::VerificationFailed, format!("{message}, and proves that it did not"))
            .hint("name the asset as HANDLE/NAME, or ask another node with --node")
    };
    let name = found.body.get("name").and_then(Value::as_str);
    let name: AssetName = name.and_then(|name| name.parse().ok()).ok_or_else(lied)?;
    let id = asset_id(&connection.chain_id(), &found.author, &name);
    let asset = view.ask(|view| Ok(view.asset(&id)?))?;
    if asset.is_none_or(|asset| asset.event != found.id) {
        return Err(lied());
    }
    Ok(*id.digest())
}

/// What an event is about: the object that it names.
fn about(body: &Value) -> Option<Digest> {
    const FIELDS: [&str; 16] = [
        "grant",
        "transfer",
        "offer",
        "access",
        "registration",
        "listing",
        "contract",
        "payment",
        "payout",
        "certificate",
        "aggregate",
        "dispute",
        "succession",
        "change",
        "account",
        "asset",
    ];
    let named = FIELDS.iter().find_map(|field| body.get(field)?.as_str());
    let first = || body.get("requests")?.as_array()?.first()?.as_str();
    named.or_else(first)?.parse().ok()
}

impl Report for ExplainReport {
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let e = &self.explanation;
        page.field(&e.kind, e.name.as_deref().unwrap_or_default())?;
        page.field("id", e.id)?;
        if let Some(block) = &self.recorded_in {
            page.field(
                "recorded",
                format_args!(
                    "at height {} ({}), by protocol {} and rulebook {}",
                    show::grouped(block.height),
                    show::time(block.time_ms),
                    block.protocol,
                    block.rulebook
                ),
            )?;
        }
        page.line("")?;
        for reason in &e.reasons {
            self.reason(page, reason)?;
        }
        page.line("")?;
        proved(page, &self.as_of)
    }
}

impl ExplainReport {
    fn reason(&self, page: &mut Page<'_>, reason: &Reason) -> io::Result<()> {
        page.field(&reason.rule, show::sentence(&reason.text))?;
        if reason.path.len() > 1 {
            page.field("", format_args!("by way of {}", reason.path.join(" < ")))?;
        }
        if reason.values.is_empty() {
            return Ok(());
        }
        let shown: Vec<String> = reason
            .values
            .iter()
            .map(|(name, value)| match (name.strip_suffix("_ms"), value.parse::<u64>()) {
                // Moments, not lengths of time.
                (Some(name), Ok(ms)) if ms > 10_000_000_000 && !name.ends_with("window") => {
                    format!("{name} {}", crate::value::moment::show_end(ms))
                }
                _ => format!("{name} {value}"),
            })
            .collect();
        page.field("", shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named_by_id_name_or_account() {
        let parse = |text: &str| text.parse::<Named>();
        assert!(matches!(parse("01234567"), Ok(Named::Object(_))));
        assert!(matches!(parse("clinic/scans"), Ok(Named::Asset(_))));
        assert!(matches!(parse("clinic/scans@bourse:CNY"), Ok(Named::Account(_))));
        assert!(parse("clinic").unwrap_err().contains("HANDLE/NAME"));
    }

    #[test]
    fn an_event_is_about_what_it_names() {
        let id = format!("blake3:{}", "ab".repeat(32));
        let body = serde_json::json!({ "asset": "blake3:00", "grant": id });
        assert_eq!(about(&body), Some(id.parse().unwrap()));
        assert_eq!(about(&serde_json::json!({ "requests": [id] })), Some(id.parse().unwrap()));
        assert_eq!(about(&serde_json::json!({ "handle": "lab" })), None);
    }
}
