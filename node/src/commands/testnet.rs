//! `testnet`: the folders of a whole network on one machine.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use headwater_ledger::codec::List;
use headwater_ledger::event::member::{AdmitMember, MemberKey, Role, Scope};
use headwater_ledger::genesis::{Genesis, PROTOCOL_VERSION};
use headwater_ledger::keys::SigningKey;
use headwater_ledger::state::State;
use headwater_ledger::text::{Code, Handle};
use headwater_ledger::validator::Validator;
use serde_json::json;

use super::print_json;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, RawConfig};
use crate::hint::hinted;
use crate::home::{Home, NodeKeys, fresh_seed, write_secret};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  headwater-node testnet --output net --validators gz-exchange,bj-exchange,sd-exchange,fj-exchange\n\nEvery validator is run by a member with the role exchange. Members given with --members (a JSON\nlist as `headwater member describe` prints) keep their own keys; for validators not among them a\nkey is made and its seed written to NODE/member.seed, for `headwater key import`.\nEach node listens on 127.0.0.1 only."
)]
pub(super) struct Args {
    /// Folder for the nodes' folders
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Handles of the members that run the validators
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "exchange-1,exchange-2,exchange-3,exchange-4"
    )]
    validators: Vec<Handle>,
    /// Members of the genesis: a JSON list
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    /// Name of the network
    #[arg(long, default_value = "testnet")]
    name: Code,
    /// First port: each node takes three, for the API, consensus and gossip
    #[arg(long, default_value_t = 26_680)]
    base_port: u16,
    /// Longest pause between blocks, in milliseconds
    #[arg(long)]
    heartbeat_ms: Option<u64>,
    /// Heights between two state snapshots
    #[arg(long)]
    snapshot_every_heights: Option<u64>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let entries =
        || args.output.read_dir().with_context(|| format!("cannot read {}", args.output.display()));
    if args.output.exists() && entries()?.next().is_some() {
        let text = format!("{} is not empty", args.output.display());
        return Err(hinted(text, "choose a folder that does not exist yet"));
    }
    let distinct: BTreeSet<&Handle> = args.validators.iter().collect();
    if distinct.len() != args.validators.len() {
        return Err(hinted("a validator is named twice", "name each member once in --validators"));
    }
    let mut members: Vec<AdmitMember> = match &args.members {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not a list of members", path.display()))?
        }
    };
    let ports = |place: usize| -> Result<[u16; 3]> {
        let first = usize::from(args.base_port) + 3 * place;
        let port = |n: usize| u16::try_from(first + n).context("the ports end at 65535");
        Ok([port(0)?, port(1)?, port(2)?])
    };
    // All of them before anything is written.
    ports(args.validators.len().saturating_sub(1))?;
    let mut homes: Vec<(Handle, Home, NodeKeys, [u8; 32])> = Vec::new();
    for handle in &args.validators {
        let keys = NodeKeys { consensus: fresh_seed()?, network: fresh_seed()? };
        let home = Home::at(args.output.join(handle.as_str()));
        homes.push((handle.clone(), home, keys, fresh_seed()?));
    }
    let validators = homes.iter().map(|(member, _, keys, _)| Validator {
        member: member.clone(),
        key: keys.signing_key().public_key(),
        power: 1,
    });
    let validators: Vec<Validator> = validators.collect();
    for (handle, _, _, seed) in &homes {
        if members.iter().all(|m| m.handle != *handle) {
            let roles = [Role::Exchange, Role::Regulator];
            members.push(admission(handle, &roles, &SigningKey::from_seed(seed))?);
        }
    }
    let generated = |handle: &Handle, seed: &[u8; 32]| {
        let key = SigningKey::from_seed(seed).public_key();
        members.iter().any(|m| m.handle == *handle && m.keys.iter().any(|k| k.key == key))
    };
    let genesis = Genesis {
        rulebook: Default::default(),
        name: args.name.clone(),
        protocol: PROTOCOL_VERSION,
        time_ms: SystemClock.now_ms(),
        members: List::new(members.clone()).map_err(|_| anyhow::anyhow!("too many members"))?,
        validators: List::new(validators).map_err(|_| anyhow::anyhow!("too many validators"))?,
    };
    State::genesis(&genesis)?;
    let mut nodes = Vec::new();
    for (place, (handle, home, keys, seed)) in homes.iter().enumerate() {
        let [api, consensus, gossip] = ports(place)?;
        let mut raw = RawConfig { moniker: handle.to_string(), ..RawConfig::default() };
        raw.api.listen = format!("127.0.0.1:{api}");
        raw.consensus.listen = format!("/ip4/127.0.0.1/tcp/{consensus}");
        raw.gossip.listen = format!("/ip4/127.0.0.1/tcp/{gossip}");
        if let Some(ms) = args.heartbeat_ms {
            raw.consensus.heartbeat_ms = ms;
        }
        if let Some(heights) = args.snapshot_every_heights {
            raw.storage.snapshot_every_heights = heights;
        }
        for (other, (_, _, peer, _)) in homes.iter().enumerate() {
            if other != place {
                let [_, consensus, gossip] = ports(other)?;
                let id = peer.peer_id();
                raw.consensus.peers.push(format!("/ip4/127.0.0.1/tcp/{consensus}/p2p/{id}"));
                raw.gossip.peers.push(format!("/ip4/127.0.0.1/tcp/{gossip}/p2p/{id}"));
            }
        }
        home.create_with(&Config::try_from(raw)?, keys)?;
        home.write_genesis(&genesis)?;
        if generated(handle, seed) {
            write_secret(&home.folder().join("member.seed"), seed)?;
        }
        nodes.push(json!({
            "member": handle,
            "home": home.folder(),
            "api": format!("http://127.0.0.1:{api}"),
        }));
    }
    print_json(&json!({ "chain_id": genesis.chain_id()?, "nodes": nodes }))
}

/// The admission of a member with one key for everything.
pub(super) fn admission(handle: &Handle, roles: &[Role], key: &SigningKey) -> Result<AdmitMember> {
    let too_many = || anyhow::anyhow!("too many roles or scopes");
    let key = MemberKey {
        key: key.public_key(),
        scopes: List::new(Scope::ALL.to_vec()).map_err(|_| too_many())?,
    };
    Ok(AdmitMember {
        handle: handle.clone(),
        name: handle.as_str().parse()?,
        roles: List::new(roles.to_vec()).map_err(|_| too_many())?,
        keys: List::new(vec![key]).map_err(|_| too_many())?,
    })
}
