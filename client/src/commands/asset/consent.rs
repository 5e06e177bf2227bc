//! `headwater asset`: consent that patients withdraw, and attested de-identification.

use clap::Args;
use headwater_ledger::event::{AttestDeidentification, Event, WithdrawConsent};

use crate::build::{Acting, ActingArgs};
use crate::commands::common::DocumentArgs;
use crate::failure::Failure;
use crate::remote::resolve::AssetRef;
use crate::session::Session;

/// Arguments of `headwater asset withdraw-consent`.
#[derive(Debug, Args)]
pub struct WithdrawConsentArgs {
    /// The raw resource: HANDLE/NAME or an id
    asset: AssetRef,
    /// Number of patients
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    patients: u32,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater asset attest`.
#[derive(Debug, Args)]
pub struct AttestArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

impl WithdrawConsentArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let commitment = self.document.commit(&acting, "patients", asset.digest())?;
        let patients = self.patients;
        acting.act(Event::WithdrawConsent(WithdrawConsent { asset, patients, commitment }))
    }
}

impl AttestArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        let report = self.document.commit(&acting, "attestation", asset.digest())?;
        acting.act(Event::AttestDeidentification(AttestDeidentification { asset, report }))
    }
}
