//! Execution: envelopes applied to a state, one by one, each wholly or not at all.
//!
//! Deterministic: the same state, context and envelopes give the same state on every machine.
//! Implements [LED-EXE-1] to [LED-EXE-4].

use std::collections::{BTreeMap, BTreeSet};

use crate::block::Header;
use crate::codec::{self, CodecError};
use crate::envelope::{VerifiedEnvelope, event_id};
use crate::event::Event;
use crate::event::governance::Rulebook;
use crate::event::member::{Role, Scope, TwoKeyAct};
use crate::hash::{
    AssetId, BlockId, ChainId, Context, Digest, EnvelopeId, EventId, ValidatorAddress,
};
use crate::keys::PublicKey;
use crate::limits::{
    MAX_BLOCK_ENVELOPES, MAX_BLOCK_WEIGHT, MAX_ENVELOPE_WEIGHT, MAX_EVENT_WEIGHT,
    MAX_NOT_AFTER_AHEAD_MS, MAX_PRUNED_PER_BLOCK,
};
use crate::merkle::tree;
use crate::reject::{Code, Fault, Missing, Refusal, Reject};
use crate::state::record::{MemberRecord, PruneList};
use crate::state::{Key, Records, Relation, State, View};
use crate::text::Handle;
use crate::validator::ValidatorSet;

/// What an edge and the asset at its end add to the weight of a walk of the ancestry.
const EDGE_WEIGHT: u64 = 3;
/// Longest walk over hours without recorded ids in one block.
const MAX_HOURS_PER_BLOCK: u64 = 1_000;

/// The hour bucket in which an envelope id is forgotten.
pub fn expiry_hour(time_ms: u64) -> u64 {
    time_ms / 3_600_000
}

/// Where and when an envelope is executed. The only clock a rule ever sees is the block's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// The chain.
    pub chain_id: ChainId,
    /// Height of the block being made.
    pub height: u64,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
}

/// An entry that execution appended to a list of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The list.
    pub relation: Relation,
    /// The entry's place, from 0.
    pub index: u64,
    /// The entry: height and identifier, see [`Relation`].
    pub entry: [u8; 41],
}

/// What the execution of one envelope did besides changing the state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Entries appended to lists.
    pub appended: Vec<Appended>,
    /// Objects that envelopes may have waited for.
    pub created: Vec<Missing>,
    /// Weight used.
    pub weight: u64,
}

/// One event being applied: the state it changes and what it may know.
pub(crate) struct Act<'a> {
    pub state: &'a mut State,
    pub context: &'a BlockContext,
    pub author: &'a Handle,
    pub member: &'a MemberRecord,
    /// The key of the envelope's first signature.
    pub signer: PublicKey,
    /// The rulebook in force.
    pub rulebook: &'a Rulebook,
    /// The protocol version in force.
    pub protocol: u32,
    /// What is applied.
    pub source: &'a Event,
    pub event: EventId,
    pub seq: u64,
    /// The assets whose owners' approvals of this act were looked at.
    pub spent: BTreeSet<AssetId>,
    /// The weight that the envelope must not exceed during this event.
    pub most_weight: u64,
    pub effects: &'a mut Effects,
}

impl Act<'_> {
    /// Appends an identifier to a list.
    pub fn append(&mut self, relation: Relation, id: &Digest) -> Result<(), Fault> {
        let entry = list_entry(self.context.height, id);
        let key = Key::Range(relation);
        let Key::Range(relation) = &key else { return Err(Fault("not a range key".into())) };
        let mut range = self.state.range(relation)?;
        let index = range.count();
        range.push(&entry);
        self.state.put(&key, &range)?;
        self.effects.appended.push(Appended { relation: relation.clone(), index, entry });
        Ok(())
    }

    /// Adds the weight of a walk; fails as soon as the event or the envelope is too heavy.
    /// Implements [LED-LIM-2].
    pub fn weigh(&mut self, weight: u64) -> Result<(), Reject> {
        self.effects.weight = self.effects.weight.saturating_add(weight);
        if self.effects.weight > self.most_weight {
            let text = "the event looks at more than one event may";
            return Err(Reject::new(Code::OverWeight, text));
        }
        check_envelope_weight(self.effects.weight)
    }

    /// How much weight the event has left.
    pub fn weight_left(&self) -> u64 {
        self.most_weight.saturating_sub(self.effects.weight)
    }

    /// Fails unless the author has the role.
    pub fn require_role(&self, role: Role) -> Result<(), Reject> {
        if self.member.has_role(role) {
            return Ok(());
        }
        Err(Reject::new(
            Code::RoleRequired,
            format!("{} does not have the role {role:?}", self.author),
        ))
    }

    /// Who acts for a member: itself, or the last of its successors. Implements [LED-MEM-10].
    pub fn acting(&self, handle: &Handle) -> Result<Handle, Fault> {
        acting(self.state, handle)
    }

    /// Whether the author acts for this member.
    pub fn is(&self, handle: &Handle) -> Result<bool, Fault> {
        Ok(self.author == handle || self.acting(handle)? == *self.author)
    }

    /// Whether the same member acts for both.
    pub fn same(&self, a: &Handle, b: &Handle) -> Result<bool, Fault> {
        Ok(a == b || self.acting(a)? == self.acting(b)?)
    }

    /// Whether two members are the same or belong together. Implements [LED-MEM-9].
    pub fn related(&self, a: &Handle, b: &Handle) -> Result<bool, Fault> {
        crate::member::related(self.state, a, b)
    }

    /// The hash under which owners approve this act ahead. Implements [LED-RGT-4].
    pub fn hash(&self) -> Result<Digest, Fault> {
        Ok(act_hash(self.source)?)
    }

    /// Records that the event waits for a member's decision.
    pub fn wait_for(&mut self, handle: &Handle) -> Result<(), Fault> {
        let decides = self.acting(handle)?;
        let id = *self.event.digest();
        self.append(Relation::MemberInbox(decides), &id)
    }

    /// A member that the event names.
    pub fn named_member(&self, handle: &Handle) -> Result<MemberRecord, Refusal> {
        Ok(self.state.member(handle)?.ok_or_else(|| {
            Reject::missing(
                Code::UnknownMember,
                Missing::Member(handle.clone()),
                format!("member {handle} is not recorded"),
            )
        })?)
    }
}

/// Who acts for a member: itself, or the last of its successors.
pub fn acting<V: View>(view: &V, handle: &Handle) -> Result<Handle, Fault> {
    let last = crate::succession::line(view, handle)?.pop();
    last.ok_or_else(|| Fault("a line of successors is empty".into()))
}

/// The hash of an event's canonical bytes, under which owners approve it.
pub fn act_hash(event: &Event) -> Result<Digest, CodecError> {
    Ok(Context::ACT.hash(&[&codec::encode(event)?]))
}

/// The bytes of a list entry.
pub fn list_entry(height: u64, id: &Digest) -> [u8; 41] {
    let mut entry = [0; 41];
    let (h, d) = entry.split_at_mut(8);
    h.copy_from_slice(&height.to_le_bytes());
    d.copy_from_slice(&id.to_bytes());
    entry
}

/// A block being executed on top of a state: envelopes are tried one after the other.
#[derive(Debug, Clone)]
pub struct Execution {
    context: BlockContext,
    state: State,
    seq: u64,
    weight: u64,
    envelopes: Vec<(EnvelopeId, tree::Leaf)>,
    events: u32,
    /// Ids by the hour in which they are forgotten.
    expiries: BTreeMap<u64, Vec<EnvelopeId>>,
    effects: Vec<Effects>,
    validators: Digest,
    next_validators: ValidatorSet,
    protocol: u32,
    rulebook_version: u32,
    rulebook: Rulebook,
}

/// A block executed to the end.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The state after it.
    pub state: State,
    /// Its root.
    pub state_root: Digest,
    /// Root of the envelopes' leaves.
    pub envelope_root: Digest,
    /// Number of envelopes.
    pub envelopes: u32,
    /// Number of events.
    pub events: u32,
    /// Hash of the set that decides this height.
    pub validators: Digest,
    /// Hash of the set that decides the next height.
    pub next_validators: Digest,
    /// Protocol version in force.
    pub protocol: u32,
    /// Version of the rulebook in force.
    pub rulebook: u32,
    /// What each envelope did, in order.
    pub effects: Vec<Effects>,
}

impl Execution {
    /// Begins a block on top of `parent`: forgets expired ids. Implements [LED-EXE-1].
    pub fn begin(parent: &State, context: BlockContext) -> Result<Self, Fault> {
        let mut state = parent.clone();
        let seq = state.get(&Key::Ordinal)?;
        let seq = seq.ok_or_else(|| Fault("the state holds no ordinal".into()))?;
        let validators = state.validators()?.hash()?;
        let next_validators = state.next_validators()?;
        crate::governance::activate(&mut state, &context)?;
        let protocol = state.protocol()?;
        let (rulebook_version, rulebook) = state.rulebook()?;
        prune(&mut state, context.time_ms)?;
        Ok(Execution {
            protocol,
            rulebook_version,
            rulebook,
            validators,
            next_validators,
            context,
            state,
            seq,
            weight: 0,
            envelopes: Vec::new(),
            events: 0,
            expiries: BTreeMap::new(),
            effects: Vec::new(),
        })
    }

    /// Weight used so far.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Number of envelopes so far.
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether no envelope was applied yet.
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// Applies one envelope wholly, or leaves everything as it was. Implements [LED-EXE-2].
    pub fn apply(&mut self, envelope: &VerifiedEnvelope) -> Result<&Effects, Refusal> {
        let member = admit(&self.state, &self.context, envelope)?;
        let mut state = self.state.clone();
        let mut effects = Effects::default();
        let id = envelope.id();
        let author = &envelope.header().author;
        let signer = envelope.signatures().first().map(|s| s.key);
        let signer = signer.ok_or_else(|| Fault("a verified envelope has no signature".into()))?;
        let mut seq = self.seq;
        let most_weight = event_weight(&self.rulebook);
        for (index, event) in (0u32..).zip(envelope.events()) {
            let mut act = Act {
                state: &mut state,
                context: &self.context,
                author,
                member: &member,
                signer,
                rulebook: &self.rulebook,
                protocol: self.protocol,
                source: event,
                event: event_id(&id, index),
                seq,
                spent: BTreeSet::new(),
                most_weight: effects.weight.saturating_add(most_weight),
                effects: &mut effects,
            };
            act.weigh(event.base_weight())?;
            apply_event(&mut act, event)?;
            crate::approval::spend(&mut act)?;
            let event_id = *act.event.digest();
            act.append(Relation::MemberEvents(author.clone()), &event_id)?;
            seq = seq.checked_add(1).ok_or_else(|| Fault("event ordinals are exhausted".into()))?;
        }
        let weight = self.weight.saturating_add(effects.weight);
        if weight > MAX_BLOCK_WEIGHT || self.envelopes.len() >= MAX_BLOCK_ENVELOPES {
            return Err(Reject::new(
                Code::BlockFull,
                format!("the block would weigh {weight}, at most {MAX_BLOCK_WEIGHT}"),
            )
            .into());
        }
        let not_after = envelope.header().not_after_ms;
        state.put(&Key::Recorded(id), &not_after)?;
        self.expiries.entry(expiry_hour(not_after)).or_default().push(id);
        let events = u32::try_from(envelope.events().len()).unwrap_or(u32::MAX);
        self.events = self.events.saturating_add(events);
        self.state = state;
        self.seq = seq;
        self.weight = weight;
        self.envelopes.push((id, envelope.leaf()));
        self.effects.push(effects);
        self.effects.last().ok_or_else(|| Fault("no effects".into()).into())
    }

    /// Ends the block. Implements [LED-EXE-3].
    pub fn finish(mut self) -> Result<Executed, Fault> {
        self.state.put(&Key::Ordinal, &self.seq)?;
        for (hour, ids) in std::mem::take(&mut self.expiries) {
            let previous = self.state.get(&Key::PruneHead(hour))?.unwrap_or(0);
            let height = self.context.height;
            self.state.put(&Key::PruneList(hour, height), &PruneList { previous, ids })?;
            self.state.put(&Key::PruneHead(hour), &height)?;
        }
        let next = self.next_validators.validators().to_vec();
        self.state.put(&Key::Validators, &next)?;
        let leaves: Vec<tree::Leaf> = self.envelopes.iter().map(|(_, leaf)| *leaf).collect();
        Ok(Executed {
            state_root: self.state.root(),
            state: self.state,
            envelope_root: tree::root(&leaves),
            envelopes: u32::try_from(leaves.len()).unwrap_or(u32::MAX),
            events: self.events,
            validators: self.validators,
            next_validators: self.next_validators.hash()?,
            protocol: self.protocol,
            rulebook: self.rulebook_version,
            effects: self.effects,
        })
    }
}

/// What must hold of the envelope itself, in order of precedence; gives its author's record.
///
/// Implements [LED-ENV-2].
pub fn admit(
    state: &State,
    context: &BlockContext,
    envelope: &VerifiedEnvelope,
) -> Result<MemberRecord, Refusal> {
    let header = envelope.header();
    let reject = |code, message| Err(Refusal::from(Reject::new(code, message)));
    if header.chain_id != context.chain_id {
        return reject(
            Code::WrongChain,
            format!("signed for chain {}, this is {}", header.chain_id, context.chain_id),
        );
    }
    if header.not_after_ms < context.time_ms {
        return reject(
            Code::Expired,
            format!(
                "not_after {} is before the block's time {}",
                header.not_after_ms, context.time_ms
            ),
        );
    }
    if header.not_after_ms > context.time_ms.saturating_add(MAX_NOT_AFTER_AHEAD_MS) {
        return reject(
            Code::NotAfterTooFar,
            format!(
                "not_after {} is more than 24 hours after the block's time {}",
                header.not_after_ms, context.time_ms
            ),
        );
    }
    let id = envelope.id();
    if state.value(&Key::Recorded(id))?.is_some() {
        return reject(Code::DuplicateEnvelope, format!("envelope {id} is recorded already"));
    }
    let Some(member) = state.member(&header.author)? else {
        return Err(Reject::missing(
            Code::UnknownAuthor,
            Missing::Member(header.author.clone()),
            format!("author {} is not a member", header.author),
        )
        .into());
    };
    if member.suspended {
        return reject(Code::AuthorSuspended, format!("{} is suspended", header.author));
    }
    if let Some(successor) = &member.successor {
        let text = format!("{} was succeeded by {successor}", header.author);
        return reject(Code::AuthorSucceeded, text);
    }
    check_keys(state, &member, envelope)?;
    Ok(member)
}

/// Whether an event changes which keys its author needs. Implements [LED-MEM-8].
fn changes_keys(event: &Event) -> bool {
    matches!(event, Event::AddKey(_) | Event::SetTwoKeys(_))
}

/// The keys that signed are the author's, and suffice for every event. Implements [LED-ENV-3],
/// [LED-MEM-3] and [LED-MEM-8].
fn check_keys(
    state: &State,
    member: &MemberRecord,
    envelope: &VerifiedEnvelope,
) -> Result<(), Refusal> {
    let mut signed: Vec<&[Scope]> = Vec::new();
    for s in envelope.signatures() {
        match member.scopes_of(&s.key) {
            Some(scopes) => signed.push(scopes),
            None => {
                return Err(crate::member::no_key(state, &envelope.header().author, &s.key)?.into());
            }
        }
    }
    // No key signs twice: a verified envelope has each at most once.
    let with_scope = |event: &Event| signed.iter().filter(|s| s.contains(&event.scope())).count();
    for event in envelope.events() {
        if with_scope(event) == 0 {
            let text = format!("{} needs a key with the scope {:?}", event.name(), event.scope());
            return Err(Reject::new(Code::KeyOutOfScope, text).into());
        }
    }
    let mut required: BTreeSet<TwoKeyAct> = member.two_keys.iter().copied().collect();
    // Who has chosen two keys for some act neither takes that back nor adds a key with one.
    let keeps_two = !required.is_empty();
    if envelope.events().iter().any(|event| event.two_key_act().is_some()) {
        required.extend(state.rulebook()?.1.two_keys.iter().copied());
    }
    for event in envelope.events() {
        let needs_two = event.two_key_act().is_some_and(|act| required.contains(&act))
            || (keeps_two && changes_keys(event));
        if needs_two && with_scope(event) < 2 {
            let text =
                format!("{} needs two keys with the scope {:?}", event.name(), event.scope());
            return Err(Reject::new(Code::TwoKeysRequired, text).into());
        }
    }
    Ok(())
}

impl Executed {
    /// The header of the block executed on top of `parent`.
    pub fn header(
        &self,
        context: &BlockContext,
        parent: BlockId,
        proposer: ValidatorAddress,
    ) -> Header {
        Header {
            protocol: self.protocol,
            rulebook: self.rulebook,
            chain_id: context.chain_id,
            height: context.height,
            time_ms: context.time_ms,
            parent,
            envelope_root: self.envelope_root,
            envelopes: self.envelopes,
            events: self.events,
            state_root: self.state_root,
            validators: self.validators,
            next_validators: self.next_validators,
            proposer,
        }
    }
}

/// The parent of the block at height 1.
pub fn genesis_parent(chain_id: &ChainId) -> BlockId {
    BlockId::from_digest(*chain_id.digest())
}

/// Most weight of one event: more where the rulebook allows larger ancestries than the standard
/// one, by what it costs to walk them. Implements [LED-LIM-2].
fn event_weight(rulebook: &Rulebook) -> u64 {
    let standard = Rulebook::standard().max_ancestry_edges;
    let more = u64::from(rulebook.max_ancestry_edges.saturating_sub(standard));
    MAX_EVENT_WEIGHT.saturating_add(more.saturating_mul(EDGE_WEIGHT))
}

/// Fails when an envelope is heavier than any may be. Implements [LED-LIM-2].
fn check_envelope_weight(weight: u64) -> Result<(), Reject> {
    if weight <= MAX_ENVELOPE_WEIGHT {
        return Ok(());
    }
    let text = format!("the envelope weighs at least {weight}, at most {MAX_ENVELOPE_WEIGHT}");
    Err(Reject::new(Code::OverWeight, text))
}

fn apply_event(act: &mut Act<'_>, event: &Event) -> Result<(), Refusal> {
    match event {
        Event::AdmitMember(e) => crate::member::admit_member(act, e),
        Event::SuspendMember(e) => crate::member::set_suspended(act, &e.member, true),
        Event::ReinstateMember(e) => crate::member::set_suspended(act, &e.member, false),
        Event::RegisterAsset(e) => crate::asset::register(act, e),
        Event::TransferRight(e) => crate::rights::transfer(act, e),
        Event::AcceptTransfer(e) => crate::rights::accept_transfer(act, e),
        Event::OfferGrant(e) => crate::grant::offer(act, e),
        Event::AcceptGrant(e) => crate::grant::accept(act, e),
        Event::DeclineGrant(e) => crate::grant::decline(act, e),
        Event::RevokeGrant(e) => crate::grant::revoke(act, e),
        Event::VoidAsset(e) => crate::asset::void(act, e),
        Event::ListProduct(e) => crate::listing::list(act, e),
        Event::ReviewListing(e) => crate::listing::review(act, e),
        Event::ProposeContract(e) => crate::contract::propose(act, e),
        Event::SignContract(e) => crate::contract::sign(act, e),
        Event::RecordPayment(e) => crate::payment::record(act, e),
        Event::RecordDelivery(e) => crate::delivery::record(act, e),
        Event::ConfirmDelivery(e) => crate::delivery::confirm(act, e),
        Event::RefundPayment(e) => crate::payment::refund(act, e),
        Event::SetRoles(e) => crate::member::set_roles(act, e),
        Event::AddKey(e) => crate::member::add_key(act, e),
        Event::RevokeKey(e) => crate::member::revoke_key(act, e),
        Event::SetTwoKeys(e) => crate::member::set_two_keys(act, e),
        Event::RelateMembers(e) => crate::member::relate(act, e),
        Event::ProposeSuccession(e) => crate::succession::propose(act, e),
        Event::AcceptSuccession(e) => crate::succession::accept(act, e),
        Event::ProposeChange(e) => crate::governance::propose(act, e),
        Event::ApproveChange(e) => crate::governance::approve(act, e),
        Event::WithdrawConsent(e) => crate::consent::withdraw(act, e),
        Event::AttestDeidentification(e) => crate::consent::attest(act, e),
        Event::FileRegistration(e) => crate::registration::file(act, e),
        Event::ObjectRegistration(e) => crate::registration::object(act, e),
        Event::DecideRegistration(e) => crate::registration::decide(act, e),
        Event::ChangeRegistration(e) => crate::registration::change(act, e),
        Event::RenewRegistration(e) => crate::registration::renew(act, e),
        Event::CancelRegistration(e) => crate::registration::cancel(act, e),
        Event::ApproveAct(e) => crate::approval::approve(act, e),
        Event::RequestGrant(e) => crate::request::request(act, e),
        Event::ApproveRequests(e) => crate::request::approve(act, e),
        Event::DeclineRequests(e) => crate::request::decline(act, e),
        Event::OfferStanding(e) => crate::request::offer(act, e),
        Event::TakeOffer(e) => crate::request::take(act, e),
        Event::WithdrawOffer(e) => crate::request::withdraw(act, e),
        Event::RenewGrant(e) => crate::grant::renew(act, e),
        Event::SurrenderGrant(e) => crate::grant::surrender(act, e),
        Event::ConsentFiling(e) => crate::grant::consent_filing(act, e),
        Event::RequestAccess(e) => crate::access::request(act, e),
        Event::DecideAccess(e) => crate::access::decide(act, e),
        Event::RecordUsage(e) => crate::access::record_usage(act, e),
        Event::ReviewCompliance(e) => crate::review::compliance(act, e),
        Event::RecordValuation(e) => crate::review::valuation(act, e),
        Event::DelistProduct(e) => crate::listing::delist(act, e),
        Event::DeclineContract(e) => crate::contract::decline(act, e),
        Event::WithdrawContract(e) => crate::contract::withdraw(act, e),
        Event::TerminateContract(e) => crate::contract::terminate(act, e),
        Event::VoidPayment(e) => crate::payment::void(act, e),
        Event::RecordPayout(e) => crate::payout::record(act, e),
        Event::ContestPayout(e) => crate::payout::contest(act, e),
        Event::CloseAccount(e) => crate::closing::close(act, e),
        Event::IssueCertificate(e) => crate::trade_certificate::issue(act, e),
        Event::VoidCertificate(e) => crate::trade_certificate::void(act, e),
        Event::SealSources(e) => crate::aggregate::seal(act, e),
        Event::PaySource(e) => crate::aggregate::pay(act, e),
        Event::OpenDispute(e) => crate::dispute::open(act, e),
        Event::OrderFreeze(e) => crate::dispute::freeze(act, e),
        Event::FileEvidence(e) => crate::dispute::evidence(act, e),
        Event::RuleDispute(e) => crate::dispute::rule(act, e),
        Event::AppealRuling(e) => crate::dispute::appeal(act, e),
        Event::SetOffOverpayment(e) => crate::payout::set_off(act, e),
    }
}

/// Forgets recorded ids whose hour is over, a bounded number at a time. Implements [LED-ENV-5].
fn prune(state: &mut State, time_ms: u64) -> Result<(), Fault> {
    let cursor: Option<u64> = state.get(&Key::PruneCursor)?;
    let mut hour = cursor.ok_or_else(|| Fault("the state holds no prune cursor".into()))?;
    let (begin, now) = (hour, expiry_hour(time_ms));
    let mut pruned = 0usize;
    while hour < now
        && pruned < MAX_PRUNED_PER_BLOCK
        && hour.saturating_sub(begin) < MAX_HOURS_PER_BLOCK
    {
        let head: Option<u64> = state.get(&Key::PruneHead(hour))?;
        let Some(height) = head.filter(|h| *h > 0) else {
            state.delete(&Key::PruneHead(hour))?;
            hour = hour.saturating_add(1);
            continue;
        };
        let list: Option<PruneList> = state.get(&Key::PruneList(hour, height))?;
        let list = list.ok_or_else(|| Fault(format!("prune list {hour}/{height} is missing")))?;
        for id in &list.ids {
            state.delete(&Key::Recorded(*id))?;
        }
        pruned = pruned.saturating_add(list.ids.len());
        state.delete(&Key::PruneList(hour, height))?;
        state.put(&Key::PruneHead(hour), &list.previous)?;
    }
    if hour != begin {
        state.put(&Key::PruneCursor, &hour)?;
    }
    Ok(())
}
