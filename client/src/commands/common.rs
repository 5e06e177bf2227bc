//! What several commands take: the id of one object, and a document that is committed to.

use std::path::PathBuf;

use clap::Args;
use headwater_ledger::event::Event;
use headwater_ledger::hash::Digest;

use crate::build::{Acting, ActingArgs};
use crate::commitment::Lines;
use crate::failure::{Failure, Kind};
use crate::lookup::{Object, ObjectRef};
use crate::salts::Salts;
use crate::session::Session;

/// Arguments of a command about one object.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// Its id, or at least 8 of its digits
    id: ObjectRef,
    #[command(flatten)]
    acting: ActingArgs,
}

impl OneArgs {
    /// Does the act that `event` makes of the object.
    pub fn act<I: Object>(
        self,
        session: &Session,
        event: impl FnOnce(I) -> Event,
    ) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        acting.act(event(acting.id(&self.id)?))
    }
}

/// A document of which only a salted commitment is recorded.
#[derive(Debug, Args)]
pub struct DocumentArgs {
    /// File or folder with the document; only a salted commitment to it is recorded
    #[arg(long, value_name = "PATH", required_unless_present = "document_root")]
    #[arg(conflicts_with = "document_root")]
    document: Option<PathBuf>,
    /// Commitment to the document made before with `headwater hash`
    #[arg(long, value_name = "ROOT")]
    document_root: Option<Digest>,
}

impl DocumentArgs {
    /// The commitment. Its salt is kept as that of `what` about `subject`, such as `evidence` about
    /// a dispute, by the file's name, so that one subject can have many documents.
    pub fn commit(
        &self,
        acting: &Acting<'_>,
        what: &str,
        subject: &Digest,
    ) -> Result<Digest, Failure> {
        let path = match (self.document_root, &self.document) {
            (Some(root), _) => return Ok(root),
            (None, Some(path)) => path,
            (None, None) => return Err(Failure::new(Kind::Usage, "no document is given")),
        };
        let session = acting.session();
        let subject = format!("{what}-{}", hex::encode(subject.raw()));
        let mut salts = Salts::open(&session.home, &subject)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let root = salts.commit(&name, path, Lines::Ignore, &session.output)?.root;
        if !acting.is_dry_run() {
            salts.save()?;
        }
        Ok(root)
    }
}

/// The decision of a command that has `--accept` and `--reject`.
#[derive(Debug, Args)]
pub struct DecisionArgs {
    /// Accept it
    #[arg(long, required_unless_present = "reject", conflicts_with = "reject")]
    accept: bool,
    /// Reject it
    #[arg(long)]
    reject: bool,
}

impl DecisionArgs {
    /// The decision.
    pub fn decision(&self) -> headwater_ledger::event::market::Decision {
        use headwater_ledger::event::market::Decision;
        if self.reject { Decision::Reject } else { Decision::Accept }
    }
}
