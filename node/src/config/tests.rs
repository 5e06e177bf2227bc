//! Tests of the configuration: what is refused, with which words, and that the file explains itself.

use super::*;

const ID_A: &str = "12D3KooWGjMCwTpqkkyqNbcMHYyfEuLeBDE9AAqPuTWoWp3jAMLP";
const ID_B: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("config.toml"))
}

fn peer(host: &str, port: u16, id: &str) -> String {
    format!("{host}/tcp/{port}/p2p/{id}")
}

fn leaves(prefix: &str, value: &toml::Value, into: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                leaves(&path, value, into);
            }
        }
        _ => into.push(prefix.to_owned()),
    }
}

#[test]
fn an_empty_file_is_the_default_configuration() {
    let config = parse("").unwrap();
    assert_eq!(config, Config::try_from(RawConfig::default()).unwrap());
    assert_eq!(config.api_listen(), "127.0.0.1:26680".parse().unwrap());
    assert_eq!(config.consensus().listen.to_string(), "/ip4/127.0.0.1/tcp/26656");
    assert_eq!(config.consensus().heartbeat, Duration::from_secs(5));
    assert_eq!(config.log_format(), LogFormat::Text);
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn every_option_is_explained_and_every_explanation_has_an_option() {
    let mut options = Vec::new();
    leaves("", &toml::Value::try_from(RawConfig::default()).unwrap(), &mut options);
    let mut explained: Vec<String> = option_names().map(str::to_owned).collect();
    options.sort();
    explained.sort();
    assert_eq!(explained, options);
}

#[test]
fn the_rendered_file_has_a_comment_above_every_option_and_section() {
    let text = parse("").unwrap().to_toml_documented();
    let lines: Vec<&str> = text.lines().collect();
    let mut seen = 0;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with('[') || line.contains(" = ") && !line.starts_with('#') {
            assert!(lines[index - 1].starts_with("# "), "no comment above `{line}`");
            seen += 1;
        }
    }
    assert_eq!(seen, option_names().count() + 6, "an option or a section is not in the file");
}

#[test]
fn the_rendered_file_parses_back_to_the_same_configuration() {
    let raw = RawConfig {
        moniker: "exchange \"east\" \\ 1".into(),
        api: RawApi { listen: "[::1]:1".into() },
        consensus: RawConsensus {
            peers: vec![peer("/ip4/192.0.2.1", 1, ID_A), peer("/ip6/2001:db8::2", 2, ID_B)],
            heartbeat_ms: 101,
            timeout_propose_ms: 102,
            timeout_propose_delta_ms: 103,
            timeout_prevote_ms: 104,
            timeout_prevote_delta_ms: 105,
            timeout_precommit_ms: 106,
            timeout_precommit_delta_ms: 107,
            timeout_rebroadcast_ms: 108,
            timeout_max_ms: 1_009,
            ..RawConsensus::default()
        },
        gossip: RawGossip {
            listen: "/ip6/::1/tcp/7".into(),
            peers: vec![peer("/ip4/192.0.2.1", 3, ID_A)],
        },
        mempool: RawMempool {
            max_bytes: 3 << 20,
            max_envelopes: 204,
            max_per_member: 203,
            max_waiting: 202,
        },
        storage: RawStorage {
            snapshot_every_heights: 301,
            archive_every_heights: 304,
            keep_heights_in_memory: 302,
            index_cache_mib: 303,
        },
        log: RawLog { filter: "warn,headwater_node=trace".into(), format: "json".into() },
    };
    let config = Config::try_from(raw).unwrap();
    let text = config.to_toml_documented();
    assert_eq!(parse(&text).unwrap(), config, "{text}");
}

#[test]
fn wrong_options_are_named_with_a_hint() {
    let long = "x".repeat(65);
    let refused: &[(String, &str, &str, &str)] = &[
        // text, option, words of the problem, words of the hint
        ("moniker = ''".into(), "moniker", "has 0 bytes", "1 to 64"),
        (format!("moniker = '{long}'"), "moniker", "has 65 bytes", "1 to 64"),
        ("moniker = \"a\\nb\"".into(), "moniker", "control character", "1 to 64"),
        ("[api]\nlisten = 'localhost:80'".into(), "api.listen", "not an IP address", "127.0.0.1"),
        ("[consensus]\nlisten = 'tcp'".into(), "consensus.listen", "not a multiaddress", "/ip4/"),
        (
            format!("[consensus]\nlisten = '/ip4/127.0.0.1/tcp/1/p2p/{ID_A}'"),
            "consensus.listen",
            "names a peer",
            "leave /p2p/ out",
        ),
        (
            "[gossip]\nlisten = '/ip4/127.0.0.1/udp/1'".into(),
            "gossip.listen",
            "not an IP address with a TCP port",
            "/tcp/",
        ),
        (
            "[gossip]\nlisten = '/ip4/127.0.0.1/tcp/26656'".into(),
            "gossip.listen",
            "same address as `consensus.listen`",
            "own port",
        ),
        (
            format!("[consensus]\npeers = ['/dns4/node.example/tcp/1/p2p/{ID_A}']"),
            "consensus.peers[0]",
            "host name",
            "look the name up",
        ),
        (
            format!(
                "[gossip]\npeers = ['{}', '/ip4/192.0.2.1/tcp/1']",
                peer("/ip4/192.0.2.1", 1, ID_A)
            ),
            "gossip.peers[1]",
            "does not pin",
            "/p2p/",
        ),
        (
            format!("[gossip]\npeers = ['{}']", peer("/ip4/192.0.2.1", 0, ID_A)),
            "gossip.peers[0]",
            "not an IP address with a TCP port",
            "/tcp/",
        ),
        (
            format!("[gossip]\npeers = ['{0}', '{0}']", peer("/ip4/192.0.2.1", 1, ID_A)),
            "gossip.peers[1]",
            "a second time",
            "one address",
        ),
        (
            "[consensus]\nheartbeat_ms = 99".into(),
            "consensus.heartbeat_ms",
            "is 99",
            "from 100 to 600000",
        ),
        (
            "[consensus]\ntimeout_prevote_ms = 0".into(),
            "consensus.timeout_prevote_ms",
            "is 0",
            "from 10 to 60000",
        ),
        (
            "[consensus]\ntimeout_propose_ms = 2000\ntimeout_max_ms = 1000".into(),
            "consensus.timeout_max_ms",
            "less than the first round's",
            "at least the largest",
        ),
        ("[mempool]\nmax_bytes = 5".into(), "mempool.max_bytes", "is 5", "from 2097152"),
        (
            "[mempool]\nmax_envelopes = 10".into(),
            "mempool.max_per_member",
            "is 20000",
            "from 1 to 10",
        ),
        (
            "[storage]\nsnapshot_every_heights = 0".into(),
            "storage.snapshot_every_heights",
            "is 0",
            "from 1",
        ),
        (
            "[storage]\nkeep_heights_in_memory = 1".into(),
            "storage.keep_heights_in_memory",
            "is 1",
            "from 2",
        ),
        ("[storage]\nindex_cache_mib = 1".into(), "storage.index_cache_mib", "is 1", "from 16"),
        ("[log]\nfilter = 'info,=,'".into(), "log.filter", "info,=,", "headwater_node=debug"),
        ("[log]\nformat = 'xml'".into(), "log.format", "is `xml`", "\"json\""),
    ];
    for (text, option, problem, hint) in refused {
        let error = parse(text).expect_err(text);
        assert!(
            matches!(&error, ConfigError::Option { option: o, .. } if o == option),
            "{text}: {error}"
        );
        assert!(error.to_string().contains(problem), "{text}: {error}");
        assert!(error.hint().contains(hint), "{text}: {}", error.hint());
    }
}

#[test]
fn unknown_options_and_wrong_kinds_are_named_with_their_line() {
    for (text, at, words) in [
        ("moniker = 'a'\n\n[api]\nliste = '127.0.0.1:1'\n", 4, "unknown field `liste`"),
        ("[consensus]\nheartbeat_ms = 'soon'\n", 2, "invalid type"),
        ("[mempool]\nmax_bytes = -1\n", 2, "invalid value"),
        ("moniker = \n", 1, ""),
        ("[extra]\n", 1, "unknown field `extra`"),
    ] {
        match parse(text) {
            Err(ConfigError::Syntax { line, message, .. }) => {
                assert_eq!(line, at, "{text}: {message}");
                assert!(message.contains(words), "{text}: {message}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let error = Config::load(&file).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "{error:?}");
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert!(error.hint().contains("--home"));
    std::fs::write(&file, "moniker = 'found'").unwrap();
    assert_eq!(Config::load(&file).unwrap().moniker(), "found");
}

#[test]
fn an_open_api_and_peers_missing_on_one_side_are_warned_of() {
    let open = parse("[api]\nlisten = '0.0.0.0:26680'").unwrap().warnings();
    assert!(matches!(open.as_slice(), [one] if one.contains("0.0.0.0:26680")), "{open:?}");
    let (a, b) = (peer("/ip4/192.0.2.1", 1, ID_A), peer("/ip4/192.0.2.2", 1, ID_B));
    let uneven = format!("[consensus]\npeers = ['{a}']\n[gossip]\npeers = ['{b}']");
    let warnings = parse(&uneven).unwrap().warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains(ID_A) && warnings[0].contains("not in `gossip.peers`"));
    assert!(warnings[1].contains(ID_B) && warnings[1].contains("not in `consensus.peers`"));
    let even = format!("[consensus]\npeers = ['{a}']\n[gossip]\npeers = ['{a}']");
    assert_eq!(parse(&even).unwrap().warnings(), Vec::<String>::new());
}

#[test]
fn peers_keep_their_identity_and_whole_address() {
    let a = peer("/ip4/192.0.2.1", 26656, ID_A);
    let config = parse(&format!("[consensus]\npeers = ['{a}']")).unwrap();
    let [only] = config.consensus().peers.as_slice() else { panic!("one peer expected") };
    assert_eq!(only.id().to_string(), ID_A);
    assert_eq!(only.address().to_string(), a);
}
