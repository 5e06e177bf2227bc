//! The verbs: for each act its words, what it records, and its one description.

mod asset;
mod dispute;
mod market;
mod member;
mod rights;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::form::{Field, Form, Wrong, joined};
use super::names::{Context, Names, Seen};
use super::token::{Token, plain};
use crate::event::Event;
use crate::event::asset::ChangeKind;
use crate::event::governance::Change;
use crate::event::market::Decision;
use crate::hash::ChainId;
pub(super) use member::rulebook;

/// What distinguishes verbs for the same event.
pub(crate) struct Shape<T>(pub T);

/// A verb.
pub struct Verb {
    /// Its words, other spellings after `|`.
    pub words: &'static str,
    /// The event's name in JSON and in the spec.
    pub event: &'static str,
    /// An example.
    pub example: &'static str,
    /// Reads, writes or describes its act.
    pub visit: fn(&mut Form<'_>, Option<&Event>) -> Result<Event, Wrong>,
}

impl std::fmt::Debug for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words)
    }
}

impl Verb {
    /// The words as written.
    pub fn name(&self) -> &'static str {
        self.words.split('|').next().unwrap_or(self.words)
    }
}

macro_rules! verbs {
    ($($words:literal => $variant:ident, $event:literal, $visit:expr, $example:literal;)*) => {
        /// Every verb, in the order of the documentation.
        pub static VERBS: &[Verb] = &[$(Verb {
            words: $words,
            event: $event,
            example: $example,
            visit: |f, e| {
                let mut old = None;
                if let Some(Event::$variant(e)) = e {
                    old = Some(e);
                }
                Ok(Event::$variant($visit(f, old)?))
            },
        }),*];
    };
}

macro_rules! shaped {
    ($visit:path, $shape:expr) => {
        |f: &mut Form<'_>, e| $visit(f, e, Shape($shape))
    };
}

verbs! {
    "admit|admit member" => AdmitMember, "admit_member", member::admit_member,
        "as gz-exchange: admit clean-lab name \"Clean Lab Ltd\" roles processor, operator keys main, pipeline[register]";
    "suspend|suspend member" => SuspendMember, "suspend_member", member::suspend_member,
        "as health-regulator: suspend clean-lab";
    "reinstate|reinstate member" => ReinstateMember, "reinstate_member", member::reinstate_member,
        "as health-regulator: reinstate clean-lab";
    "set roles" => SetRoles, "set_roles", member::set_roles,
        "as gz-exchange: set roles clean-lab to processor, appraiser";
    "add key" => AddKey, "add_key", member::add_key,
        "as clean-lab: add key pipeline[register]";
    "revoke key" => RevokeKey, "revoke_key", member::revoke_key,
        "as health-regulator: revoke key pipeline of clean-lab compromised since now-2d";
    "require two keys|set two keys" => SetTwoKeys, "set_two_keys", member::set_two_keys,
        "as gz-exchange: require two keys for money, transfers";
    "relate|relate members" => RelateMembers, "relate_members",
        shaped!(member::relate_members, true),
        "as clean-lab: relate clean-lab to insight-co";
    "unrelate" => RelateMembers, "relate_members", shaped!(member::relate_members, false),
        "as health-regulator: unrelate clean-lab from insight-co";
    "propose successor|propose succession" => ProposeSuccession, "propose_succession",
        member::propose_succession,
        "as health-regulator: propose successor insight-co of clean-lab as merger";
    "accept succession" => AcceptSuccession, "accept_succession", member::accept_succession,
        "as insight-co: accept succession merger";

    "propose validator" => ProposeChange, "propose_change", member::propose_validator,
        "as gz-exchange: propose validator bj-exchange power 10 at height 40 as joining";
    "propose rulebook" => ProposeChange, "propose_change", member::propose_rulebook,
        "as gz-exchange: propose rulebook fee-cap 5% deemed-delivery 10d as new-rules";
    "propose protocol" => ProposeChange, "propose_change", member::propose_protocol,
        "as gz-exchange: propose protocol 2 as upgrade";
    "propose roles" => ProposeChange, "propose_change", member::propose_roles,
        "as gz-exchange: propose roles clean-lab to exchange as promotion";
    "propose key" => ProposeChange, "propose_change", member::propose_key,
        "as gz-exchange: propose key spare for clean-lab as restoration";
    "approve change" => ApproveChange, "approve_change", member::approve_change,
        "as bj-exchange: approve change upgrade";

    "register|register asset" => RegisterAsset, "register_asset", asset::register_asset,
        "as clean-lab: register processed fna-cleaned from chest-hospital/fna-2026 weight 300 under chest-grant, county-hospital/fna weight 269 under county-grant by cleaning split 0/20/20/60";
    "void asset" => VoidAsset, "void_asset", asset::void_asset,
        "as county-hospital: void asset fna reason \"the wrong file\"";
    "withdraw consent" => WithdrawConsent, "withdraw_consent", asset::withdraw_consent,
        "as chest-hospital: withdraw consent fna-2026 patients 3";
    "attest deidentification" => AttestDeidentification, "attest_deidentification",
        asset::attest_deidentification,
        "as auditor: attest deidentification clean-lab/fna-cleaned report \"report 7\"";
    "file registration" => FileRegistration, "file_registration", asset::file_registration,
        "as chest-hospital: file registration fna-2026 with gz-exchange term 365d as entry";
    "object registration|object to registration" => ObjectRegistration, "object_registration",
        asset::object_registration,
        "as county-hospital: object registration entry grounds \"ours\"";
    "accept registration" => DecideRegistration, "decide_registration",
        shaped!(asset::decide_registration, Decision::Accept),
        "as gz-exchange: accept registration entry";
    "reject registration" => DecideRegistration, "decide_registration",
        shaped!(asset::decide_registration, Decision::Reject),
        "as gz-exchange: reject registration entry";
    "amend registration" => ChangeRegistration, "change_registration",
        shaped!(asset::change_registration, ChangeKind::Amendment),
        "as chest-hospital: amend registration entry sensitivity 4";
    "correct registration" => ChangeRegistration, "change_registration",
        shaped!(asset::change_registration, ChangeKind::Correction),
        "as gz-exchange: correct registration entry region CN-GD";
    "renew registration" => RenewRegistration, "renew_registration", asset::renew_registration,
        "as gz-exchange: renew registration entry term 365d";
    "cancel registration" => CancelRegistration, "cancel_registration",
        asset::cancel_registration,
        "as chest-hospital: cancel registration entry reason \"merged\"";
    "request access" => RequestAccess, "request_access", asset::request_access,
        "as clean-lab: request access chest-hospital/fna-2026 in gz-exchange for health-research until 2027-06-30 as visit";
    "grant access|accept access" => DecideAccess, "decide_access",
        shaped!(asset::decide_access, Decision::Accept),
        "as chest-hospital: grant access visit";
    "refuse access|reject access" => DecideAccess, "decide_access",
        shaped!(asset::decide_access, Decision::Reject),
        "as chest-hospital: refuse access visit";
    "record usage" => RecordUsage, "record_usage", asset::record_usage,
        "as gz-exchange: record usage visit job \"model 1\" rows 300 output \"weights 1\"";

    "transfer|transfer right" => TransferRight, "transfer_right", rights::transfer_right,
        "as chest-hospital: transfer holding of fna-2026 to chest-hospital 90%, patients-fund 10% threshold 60% as patients-part";
    "accept transfer" => AcceptTransfer, "accept_transfer", rights::accept_transfer,
        "as patients-fund: accept transfer patients-part";
    "approve|approve act" => ApproveAct, "approve_act", rights::approve_act,
        "as patients-fund: approve for chest-hospital: offer grant processing of fna-2026 to clean-lab floor 15%";
    "offer grant" => OfferGrant, "offer_grant", rights::offer_grant,
        "as chest-hospital: offer grant processing of fna-2026 to clean-lab until 2027-12-31 floor 15% as chest-grant";
    "accept grant" => AcceptGrant, "accept_grant", rights::accept_grant,
        "as clean-lab: accept grant chest-grant";
    "decline grant" => DeclineGrant, "decline_grant", rights::decline_grant,
        "as clean-lab: decline grant chest-grant";
    "revoke grant" => RevokeGrant, "revoke_grant", rights::revoke_grant,
        "as chest-hospital: revoke grant chest-grant";
    "renew grant" => RenewGrant, "renew_grant", rights::renew_grant,
        "as chest-hospital: renew grant chest-grant until 2028-12-31";
    "surrender grant" => SurrenderGrant, "surrender_grant", rights::surrender_grant,
        "as clean-lab: surrender grant chest-grant";
    "consent filing|consent to filing" => ConsentFiling, "consent_filing",
        rights::consent_filing,
        "as chest-hospital: consent filing chest-grant until now+30d";
    "request grant" => RequestGrant, "request_grant", rights::request_grant,
        "as clean-lab: request grant processing of chest-hospital/fna-2026 until 2027-12-31 as wish";
    "approve requests|approve request" => ApproveRequests, "approve_requests",
        rights::approve_requests,
        "as chest-hospital: approve requests wish";
    "decline requests|decline request|withdraw requests|withdraw request" => DeclineRequests, "decline_requests",
        rights::decline_requests,
        "as chest-hospital: decline requests wish";
    "offer standing|offer standing grant" => OfferStanding, "offer_standing",
        rights::offer_standing,
        "as chest-hospital: offer standing processing of fna-2026 take by 2027-06-30 as open-offer";
    "take offer" => TakeOffer, "take_offer", rights::take_offer,
        "as clean-lab: take offer open-offer as chest-grant-2";
    "withdraw offer" => WithdrawOffer, "withdraw_offer", rights::withdraw_offer,
        "as chest-hospital: withdraw offer open-offer";

    "pass compliance" => ReviewCompliance, "review_compliance",
        shaped!(market::review_compliance, Decision::Accept),
        "as gz-exchange: pass compliance insight-co/report level 2";
    "fail compliance" => ReviewCompliance, "review_compliance",
        shaped!(market::review_compliance, Decision::Reject),
        "as gz-exchange: fail compliance insight-co/report level 5";
    "value|record valuation" => RecordValuation, "record_valuation", market::record_valuation,
        "as appraiser: value insight-co/report at 1000000.00 CNY by income";
    "list|list product" => ListProduct, "list_product", market::list_product,
        "as insight-co: list report at gz-exchange fee 1.5% under chest-grant as report-listing";
    "accept listing" => ReviewListing, "review_listing",
        shaped!(market::review_listing, Decision::Accept),
        "as gz-exchange: accept listing report-listing";
    "reject listing" => ReviewListing, "review_listing",
        shaped!(market::review_listing, Decision::Reject),
        "as gz-exchange: reject listing report-listing";
    "delist|delist product" => DelistProduct, "delist_product", market::delist_product,
        "as insight-co: delist report-listing";
    "propose contract" => ProposeContract, "propose_contract", market::propose_contract,
        "as insight-co: propose contract report-listing to cover-insurance price 2000000.00 CNY for health-research sign by 2027-02-01 instalments 1000000.00 CNY by 2027-03-01, 1000000.00 CNY by 2027-06-01 as sale";
    "sign|sign contract" => SignContract, "sign_contract", market::sign_contract,
        "as cover-insurance: sign sale";
    "decline contract" => DeclineContract, "decline_contract", market::decline_contract,
        "as cover-insurance: decline contract sale";
    "withdraw contract" => WithdrawContract, "withdraw_contract", market::withdraw_contract,
        "as insight-co: withdraw contract sale";
    "terminate|terminate contract" => TerminateContract, "terminate_contract",
        market::terminate_contract,
        "as insight-co: terminate sale";
    "record payment" => RecordPayment, "record_payment", market::record_payment,
        "as gz-exchange: record payment sale gross 2000000.00 CNY tax 113207.55 CNY ref B-1 as first-payment";
    "void payment" => VoidPayment, "void_payment", market::void_payment,
        "as gz-exchange: void payment first-payment";
    "refund|refund payment" => RefundPayment, "refund_payment", market::refund_payment,
        "as gz-exchange: refund first-payment net 100.00 CNY fee 1.52 CNY tax 6.10 CNY ref B-2";
    "record delivery" => RecordDelivery, "record_delivery", market::record_delivery,
        "as insight-co: record delivery sale delivered \"report v1\"";
    "confirm delivery" => ConfirmDelivery, "confirm_delivery", market::confirm_delivery,
        "as cover-insurance: confirm delivery sale";
    "pay out|record payout" => RecordPayout, "record_payout", market::record_payout,
        "as gz-exchange: pay out to chest-hospital amount 100000.00 CNY for holding of chest-hospital/fna-2026 from insight-co/report at gz-exchange in CNY ref P-1 as chest-payout";
    "contest payout" => ContestPayout, "contest_payout", market::contest_payout,
        "as chest-hospital: contest payout chest-payout evidence \"statement\" as complaint";
    "set off|set off overpayment" => SetOffOverpayment, "set_off_overpayment",
        market::set_off_overpayment,
        "as gz-exchange: set off amount 100.00 CNY for chest-hospital from holding of chest-hospital/mr-2026 to holding of chest-hospital/fna-2026 on insight-co/report at gz-exchange in CNY as netting";
    "close account" => CloseAccount, "close_account", market::close_account,
        "as gz-exchange: close account insight-co/report at gz-exchange in CNY";
    "issue certificate" => IssueCertificate, "issue_certificate", market::issue_certificate,
        "as gz-exchange: issue certificate for sale as cert-1";
    "void certificate" => VoidCertificate, "void_certificate", market::void_certificate,
        "as gz-exchange: void certificate cert-1 reason \"error\"";
    "seal sources" => SealSources, "seal_sources", market::seal_sources,
        "as patients-fund: seal sources holding of chest-hospital/fna-2026 sources p1=3, p2=5 as patient-list";
    "pay source" => PaySource, "pay_source", market::pay_source,
        "as patients-fund: pay source p1 of patient-list amount 10.00 CNY from insight-co/report at gz-exchange in CNY ref S-1";

    "dispute asset" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Asset),
        "as county-hospital: dispute asset chest-hospital/fna-2026 ground ownership as case";
    "dispute grant" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Grant),
        "as chest-hospital: dispute grant chest-grant ground misuse evidence \"logs\" as case";
    "dispute share" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Share),
        "as county-hospital: dispute share chest-hospital in holding of chest-hospital/fna-2026 parts 20% as case";
    "dispute payment" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Payment),
        "as cover-insurance: dispute payment first-payment ground performance as case";
    "dispute payout" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Payout),
        "as chest-hospital: dispute payout chest-payout ground performance as case";
    "dispute contract" => OpenDispute, "open_dispute",
        shaped!(dispute::open_dispute, dispute::About::Contract),
        "as cover-insurance: dispute contract sale ground performance as case";
    "freeze|order freeze" => OrderFreeze, "order_freeze", dispute::order_freeze,
        "as health-regulator: freeze case until now+60d";
    "file evidence" => FileEvidence, "file_evidence", dispute::file_evidence,
        "as chest-hospital: file evidence in case evidence \"consent forms\"";
    "rule dismiss|dismiss" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::Dismiss),
        "as health-regulator: rule dismiss case";
    "rule void grant" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::VoidGrant),
        "as health-regulator: rule void grant case";
    "rule void asset" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::VoidAsset),
        "as health-regulator: rule void asset case";
    "rule redirect" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::Redirect),
        "as health-regulator: rule redirect case to county-hospital adjusting holding of chest-hospital/fna-2026 from insight-co/report at gz-exchange in CNY";
    "rule refund" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::Refund),
        "as health-regulator: rule refund case net 100.00 CNY";
    "rule reverse payout" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::ReversePayout),
        "as health-regulator: rule reverse payout case";
    "rule end contract" => RuleDispute, "rule_dispute",
        shaped!(dispute::rule_dispute, dispute::Rules::EndContract),
        "as health-regulator: rule end contract case reasons \"award 3\"";
    "appeal|appeal ruling" => AppealRuling, "appeal_ruling", dispute::appeal_ruling,
        "as chest-hospital: appeal case grounds \"brief\"";
}

fn by_decision(decision: Decision, accept: &'static str, reject: &'static str) -> &'static str {
    match decision {
        Decision::Accept => accept,
        Decision::Reject => reject,
    }
}

/// The verb that writes an event.
pub fn verb_of(event: &Event) -> &'static str {
    match event {
        Event::AdmitMember(_) => "admit",
        Event::SuspendMember(_) => "suspend",
        Event::ReinstateMember(_) => "reinstate",
        Event::RegisterAsset(_) => "register",
        Event::TransferRight(_) => "transfer",
        Event::AcceptTransfer(_) => "accept transfer",
        Event::OfferGrant(_) => "offer grant",
        Event::AcceptGrant(_) => "accept grant",
        Event::DeclineGrant(_) => "decline grant",
        Event::RevokeGrant(_) => "revoke grant",
        Event::VoidAsset(_) => "void asset",
        Event::ListProduct(_) => "list",
        Event::ReviewListing(e) => by_decision(e.decision, "accept listing", "reject listing"),
        Event::ProposeContract(_) => "propose contract",
        Event::SignContract(_) => "sign",
        Event::RecordPayment(_) => "record payment",
        Event::RecordDelivery(_) => "record delivery",
        Event::ConfirmDelivery(_) => "confirm delivery",
        Event::RefundPayment(_) => "refund",
        Event::SetRoles(_) => "set roles",
        Event::AddKey(_) => "add key",
        Event::RevokeKey(_) => "revoke key",
        Event::SetTwoKeys(_) => "require two keys",
        Event::RelateMembers(e) => {
            if e.related {
                "relate"
            } else {
                "unrelate"
            }
        }
        Event::ProposeSuccession(_) => "propose successor",
        Event::AcceptSuccession(_) => "accept succession",
        Event::ProposeChange(e) => match e.change {
            Change::SetValidator(_) => "propose validator",
            Change::SetRulebook(_) => "propose rulebook",
            Change::SetProtocol(_) => "propose protocol",
            Change::ConferRoles(_) => "propose roles",
            Change::RestoreKey(_) => "propose key",
        },
        Event::ApproveChange(_) => "approve change",
        Event::WithdrawConsent(_) => "withdraw consent",
        Event::AttestDeidentification(_) => "attest deidentification",
        Event::FileRegistration(_) => "file registration",
        Event::ObjectRegistration(_) => "object registration",
        Event::DecideRegistration(e) => {
            by_decision(e.decision, "accept registration", "reject registration")
        }
        Event::ChangeRegistration(e) => match e.kind {
            ChangeKind::Amendment => "amend registration",
            ChangeKind::Correction => "correct registration",
        },
        Event::RenewRegistration(_) => "renew registration",
        Event::CancelRegistration(_) => "cancel registration",
        Event::ApproveAct(_) => "approve",
        Event::RequestGrant(_) => "request grant",
        Event::ApproveRequests(_) => "approve requests",
        Event::DeclineRequests(_) => "decline requests",
        Event::OfferStanding(_) => "offer standing",
        Event::TakeOffer(_) => "take offer",
        Event::WithdrawOffer(_) => "withdraw offer",
        Event::RenewGrant(_) => "renew grant",
        Event::SurrenderGrant(_) => "surrender grant",
        Event::ConsentFiling(_) => "consent filing",
        Event::RequestAccess(_) => "request access",
        Event::DecideAccess(e) => by_decision(e.decision, "grant access", "refuse access"),
        Event::RecordUsage(_) => "record usage",
        Event::ReviewCompliance(e) => by_decision(e.decision, "pass compliance", "fail compliance"),
        Event::RecordValuation(_) => "value",
        Event::DelistProduct(_) => "delist",
        Event::DeclineContract(_) => "decline contract",
        Event::WithdrawContract(_) => "withdraw contract",
        Event::TerminateContract(_) => "terminate",
        Event::VoidPayment(_) => "void payment",
        Event::RecordPayout(_) => "pay out",
        Event::ContestPayout(_) => "contest payout",
        Event::CloseAccount(_) => "close account",
        Event::IssueCertificate(_) => "issue certificate",
        Event::VoidCertificate(_) => "void certificate",
        Event::SealSources(_) => "seal sources",
        Event::PaySource(_) => "pay source",
        Event::OpenDispute(e) => match dispute::about(&e.subject) {
            dispute::About::Asset => "dispute asset",
            dispute::About::Grant => "dispute grant",
            dispute::About::Share => "dispute share",
            dispute::About::Payment => "dispute payment",
            dispute::About::Payout => "dispute payout",
            dispute::About::Contract => "dispute contract",
        },
        Event::OrderFreeze(_) => "freeze",
        Event::FileEvidence(_) => "file evidence",
        Event::RuleDispute(e) => match dispute::rules(&e.ruling) {
            dispute::Rules::Dismiss => "rule dismiss",
            dispute::Rules::VoidGrant => "rule void grant",
            dispute::Rules::VoidAsset => "rule void asset",
            dispute::Rules::Redirect => "rule redirect",
            dispute::Rules::Refund => "rule refund",
            dispute::Rules::ReversePayout => "rule reverse payout",
            dispute::Rules::EndContract => "rule end contract",
        },
        Event::AppealRuling(_) => "appeal",
        Event::SetOffOverpayment(_) => "set off",
    }
}

/// The verb with these words.
pub fn named(words: &str) -> Option<&'static Verb> {
    table().by_words.get(words).map(|(verb, _)| *verb)
}

/// The fields of the verb with these words.
pub fn fields(verb: &Verb) -> &'static [Field] {
    table().by_words.get(&plain(verb.name())).map_or(&[], |(_, fields)| fields)
}

/// The verb at the begin of some words, and of how many words it is.
pub fn verb_at(tokens: &[Token]) -> Option<(&'static Verb, usize)> {
    (1..=4).rev().find_map(|count| Some((named(&joined(tokens, count)?)?, count)))
}

/// Whether a word is part of a keyword somewhere, so that as a value it is written in quotes.
pub fn is_keyword(word: &str) -> bool {
    table().keywords.contains(plain(word).as_str())
}

/// Whether a word is one of the language's, so that nothing can be named so.
pub fn is_word(word: &str) -> bool {
    is_keyword(word) || table().words.contains(plain(word).as_str())
}

/// Words with a meaning of their own besides the keywords of clauses.
const RESERVED: &str = "as and none nothing call called me same to at in of by from under over \
    weight units index proof for right minor yes no now start always never forever it ok reject";

/// Verbs by every spelling, with their fields, and all keywords.
struct Table {
    by_words: BTreeMap<String, (&'static Verb, Vec<Field>)>,
    keywords: BTreeSet<&'static str>,
    words: BTreeSet<&'static str>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table {
            by_words: BTreeMap::new(),
            keywords: RESERVED.split_whitespace().collect(),
            words: BTreeSet::new(),
        };
        for verb in VERBS {
            let fields = describe(verb.visit);
            for keyword in fields.iter().flat_map(|f| f.keyword.split('|')) {
                table.keywords.insert(keyword);
                table.keywords.extend(keyword.split('-'));
            }
            for words in verb.words.split('|') {
                table.by_words.insert(plain(words), (verb, fields.clone()));
            }
            let same = VERBS.iter().filter(|v| v.event == verb.event).count();
            if same == 1 {
                table.by_words.entry(plain(verb.event)).or_insert((verb, fields));
            }
            table.words.extend(verb.words.split(['|', ' ']));
        }
        table
    })
}

/// The fields of a description.
pub(super) fn describe<T>(
    visit: impl FnOnce(&mut Form<'_>, Option<&Event>) -> Result<T, Wrong>,
) -> Vec<Field> {
    let Ok(author) = "example".parse() else { return Vec::new() };
    let names = Names::default();
    let chain = ChainId::from_digest(super::derive::label("example"));
    let context = Context {
        chain,
        author,
        start_ms: 0,
        now_ms: 0,
        height: 1,
        names: &names,
        seen: Seen(None),
        keys_of: std::cell::RefCell::new(None),
    };
    let mut form = Form::describe(&context);
    match visit(&mut form, None) {
        Ok(_) => form.into_fields(),
        // A description whose examples cannot be read is a mistake that a test finds.
        Err(_) => Vec::new(),
    }
}
