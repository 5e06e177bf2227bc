//! The demonstration as anyone runs it, and every figure that it must give.

use std::process::Command;

use anyhow::{Result, ensure};
use headwater_tests::program;
use serde_json::{Value, json};

#[test]
fn the_demonstration_gives_the_agreed_figures() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("result.json");
    let output = Command::new(program("headwater-demo")?).arg("--json").arg(&file).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&std::fs::read(&file)?)?;

    let statement = |paid: [u64; 5], residue: u64, fee: u64, tax: u64, net: u64| {
        json!({
            "chest-hospital": paid[0], "patients-fund": paid[1], "county-hospital": paid[2],
            "clean-lab": paid[3], "insight-co": paid[4],
            "residue": residue, "fee": fee, "tax": tax, "net": net,
        })
    };
    let first = [31_747_852, 3_527_539, 31_630_268, 44_603_773, 74_339_622];
    let second = [31_763_726, 3_529_302, 31_646_083, 44_626_075, 74_376_792];
    let after_first = statement(first, 3, 2_830_188, 11_320_755, 185_849_057);
    // 1 000.00 gross, 56.60 tax: fee floor(94 340 · 150 / 10 000) = 1 415, net 92 925.
    let after_second = statement(second, 4, 2_831_603, 11_326_415, 185_941_982);
    assert_eq!(result["statements"], json!([after_first, after_second, after_first]));

    let mut shares: Vec<(String, String, String)> = Vec::new();
    for share in result["shares"].as_array().into_iter().flatten() {
        let text = |key: &str| share[key].as_str().unwrap_or_default().to_owned();
        shares.push((text("asset"), text("right"), text("units")));
    }
    shares.sort();
    let expected = [
        ("chest-hospital/fna-2026", "holding", "189806678383128295"),
        ("clean-lab/fna-cleaned", "processing", "240000000000000000"),
        ("county-hospital/fna-2026", "holding", "170193321616871705"),
        ("insight-co/breast-cancer-report", "operation", "250000000000000000"),
        ("insight-co/breast-cancer-report", "processing", "150000000000000000"),
    ];
    assert_eq!(shares, expected.map(|(a, r, u)| (a.into(), r.into(), u.into())));

    let edges = |value: &Value| {
        let mut edges: Vec<String> =
            value["edges"].as_array().into_iter().flatten().map(Value::to_string).collect();
        edges.sort();
        edges
    };
    let (chest, county) = ("chest-hospital/fna-2026", "county-hospital/fna-2026");
    let (cleaned, report) = ("clean-lab/fna-cleaned", "insight-co/breast-cancer-report");
    let edge = |from: &str, to: &str| json!([from, to]).to_string();
    assert_eq!(
        edges(&result["trace_up"]),
        [edge(chest, cleaned), edge(cleaned, report), edge(county, cleaned)]
    );
    for raw in [chest, county] {
        let down = edges(&result["trace_down"][raw]);
        let mut expected = [edge(raw, cleaned), edge(cleaned, report)];
        expected.sort();
        assert_eq!(down, expected);
    }
    let roots = result["state_roots"].as_array().cloned().unwrap_or_default();
    ensure!(roots.len() == 4 && roots.iter().all(|r| r == &roots[0]), "state roots {roots:?}");
    ensure!(result["height"].as_u64() > Some(20), "height {}", result["height"]);
    Ok(())
}
