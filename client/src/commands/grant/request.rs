//! `headwater grant`: requests, standing offers, and what becomes of grants later.

use clap::Args;
use headwater_ledger::event::{
    ApproveRequests, ConsentFiling, DeclineRequests, Event, OfferStanding, RenewGrant, RequestGrant,
};

use super::terms::TermsArgs;
use crate::build::{Acting, ActingArgs};
use crate::failure::Failure;
use crate::lookup::ObjectRef;
use crate::remote::resolve::AssetRef;
use crate::session::Session;
use crate::value::moment::Moment;

/// Arguments of `headwater grant request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater grant approve-requests`.
#[derive(Debug, Args)]
pub struct ApproveRequestsArgs {
    /// The requests' ids, or at least 8 digits of each
    #[arg(value_name = "REQUEST", required = true)]
    requests: Vec<ObjectRef>,
    /// For operation of derived assets: operation grants on their inputs that allow it
    #[arg(long, value_name = "GRANT", value_delimiter = ',')]
    under: Vec<ObjectRef>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater grant decline-requests`.
#[derive(Debug, Args)]
pub struct DeclineRequestsArgs {
    /// The requests' ids, or at least 8 digits of each
    #[arg(value_name = "REQUEST", required = true)]
    requests: Vec<ObjectRef>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater grant offer-standing`.
#[derive(Debug, Args)]
pub struct OfferStandingArgs {
    /// The asset: HANDLE/NAME or an id
    asset: AssetRef,
    /// Until when it can be taken
    #[arg(long, value_name = "TIME")]
    take_by: Moment,
    /// For operation of a derived asset: operation grants on its inputs that allow this one
    #[arg(long, value_name = "GRANT", value_delimiter = ',')]
    under: Vec<ObjectRef>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Arguments of `headwater grant renew` and `consent-filing`.
#[derive(Debug, Args)]
pub struct UntilArgs {
    /// The grant's id, or at least 8 of its digits
    grant: ObjectRef,
    /// Until when
    #[arg(long, value_name = "TIME")]
    until: Moment,
    #[command(flatten)]
    acting: ActingArgs,
}

impl RequestArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let terms = self.terms.terms(self.acting.approve)?;
        let acting = Acting::begin(session, &self.acting)?;
        let asset = acting.asset(&self.asset);
        acting.act(Event::RequestGrant(RequestGrant { asset, right: self.terms.right, terms }))
    }
}

impl ApproveRequestsArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let (requests, under) = (acting.ids(&self.requests)?, acting.ids(&self.under)?);
        acting.act(Event::ApproveRequests(ApproveRequests { requests, under }))
    }
}

impl DeclineRequestsArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let requests = acting.ids(&self.requests)?;
        acting.act(Event::DeclineRequests(DeclineRequests { requests }))
    }
}

impl OfferStandingArgs {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let terms = self.terms.terms(self.acting.approve)?;
        let acting = Acting::begin(session, &self.acting)?;
        acting.act(Event::OfferStanding(OfferStanding {
            asset: acting.asset(&self.asset),
            right: self.terms.right,
            terms,
            take_by_ms: self.take_by.end_ms(),
            under: acting.ids(&self.under)?,
        }))
    }
}

impl UntilArgs {
    pub(super) fn renew(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let (grant, not_after_ms) = (acting.id(&self.grant)?, self.until.end_ms());
        acting.act(Event::RenewGrant(RenewGrant { grant, not_after_ms }))
    }

    pub(super) fn consent_filing(self, session: &Session) -> Result<(), Failure> {
        let acting = Acting::begin(session, &self.acting)?;
        let (grant, file_by_ms) = (acting.id(&self.grant)?, self.until.end_ms());
        acting.act(Event::ConsentFiling(ConsentFiling { grant, file_by_ms }))
    }
}
