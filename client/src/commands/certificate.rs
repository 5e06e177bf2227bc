//! `headwater certificate`: transaction certificates.

use clap::{Args, Subcommand};
use headwater_ledger::event::{Event, IssueCertificate, VoidCertificate};
use headwater_ledger::hash::CertificateId;

use super::common::{DocumentArgs, OneArgs};
use super::explain::ExplainArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::session::Session;

/// Issue, void and show transaction certificates.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Certify a trade that is signed, wholly paid, delivered and confirmed, as its exchange
    #[command(after_help = "\
Examples:
  headwater certificate issue 01234567 --as first-exchange

The id is that of the contract. The certificate gets the exchange's next number.")]
    Issue(OneArgs),
    /// Void a certificate, as its exchange; its number is not used again
    #[command(after_help = "\
Examples:
  headwater certificate void 01234567 --document reason.pdf --as first-exchange")]
    Void(VoidArgs),
    /// Show a certificate and the trade it is about, proved
    #[command(after_help = "\
Examples:
  headwater certificate show 01234567")]
    Show(ExplainArgs),
}

/// Arguments of `headwater certificate void`.
#[derive(Debug, Args)]
pub struct VoidArgs {
    /// The certificate's id, or at least 8 of its digits
    certificate: ObjectRef,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl CertificateCommand {
    /// Runs the command.
    pub fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            CertificateCommand::Issue(args) => {
                args.act(session, |contract| Event::IssueCertificate(IssueCertificate { contract }))
            }
            CertificateCommand::Void(args) => {
                let acting = Acting::begin(session, &args.acting)?;
                let certificate: CertificateId = acting.id(&args.certificate)?;
                let reason = args.document.commit(&acting, "reason", certificate.digest())?;
                acting.act(Event::VoidCertificate(VoidCertificate { certificate, reason }))
            }
            CertificateCommand::Show(args) => args.run(session),
        }
    }
}
