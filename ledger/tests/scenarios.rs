//! The stories in `tests/scenarios`, and the language they are written in.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use headwater_ledger::codec::{decode, encode};
use headwater_ledger::event::Event;
use headwater_ledger::hash::{ChainId, Digest};
use headwater_ledger::reject::Code;
use headwater_ledger::scenario::form::{Form, divide};
use headwater_ledger::scenario::names::{Context, Names, Seen};
use headwater_ledger::scenario::token::tokens;
use headwater_ledger::scenario::verbs::{VERBS, fields, is_word, verb_at, verb_of};
use headwater_ledger::scenario::{Scenario, render};

const WORLD: &str = "member gz-exchange: exchange\nmember bj-exchange: exchange\n\
    members chest-hospital, county-hospital: holder\nmember clean-lab: processor\n";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "scenario") {
            found.push(path);
        }
    }
}

#[test]
fn every_story_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut found = Vec::new();
    files(&folder, &mut found);
    found.sort();
    let (mut steps, mut wrong) = (0, Vec::new());
    for path in &found {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        match Scenario::parse(&name, &std::fs::read_to_string(path).unwrap()) {
            Err(mistakes) => wrong.extend(mistakes.iter().map(|m| m.to_string())),
            Ok(story) => {
                let report = story.run();
                steps += report.steps;
                assert_eq!(report.steps, report.as_expected + report.failures.len());
                wrong.extend(report.failures.iter().map(|f| format!("{name}: {f}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {steps} steps:\n{}", wrong.len(), wrong.join("\n"));
    assert!(found.len() >= 60 && steps >= 3_000, "{} stories, {steps} steps", found.len());
}

/// Codes that no story brings about, and why. Each has its row in the tests of rejections or of
/// blocks.
const BEYOND_STORIES: &[(&[Code], &str)] = &[
    (
        &[Code::NonCanonical, Code::TrailingBytes, Code::NoEvents, Code::RequestsEmpty],
        "the language writes whole envelopes only, with acts in them, and answers to something",
    ),
    (
        &[Code::UnsupportedVersion, Code::WrongChain],
        "a story has one chain and the newest version of envelopes",
    ),
    (
        &[Code::OverWeight, Code::BlockFull],
        "thousands of acts: a story has one envelope a block, for people to read",
    ),
    (
        &[
            Code::WatchesFull,
            Code::FloorsFull,
            Code::InForceFull,
            Code::TooManyPayments,
            Code::ClosingTooLarge,
            Code::CutsFull,
            Code::RefundOrdersFull,
        ],
        "more than a hundred acts to fill what is bounded",
    ),
];

/// Every reason to refuse an act is shown by a step that is refused for this reason alone.
#[test]
fn every_code_that_a_story_can_bring_about_occurs_in_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut found = Vec::new();
    files(&folder, &mut found);
    let mut occurs = BTreeSet::new();
    for path in &found {
        let text = std::fs::read_to_string(path).unwrap();
        for step in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let Some((_, code)) = step.split_once("-> reject ") else { continue };
            let code = code.split('#').next().unwrap_or_default().trim();
            occurs.extend(Code::from_name(code));
        }
    }
    let beyond: BTreeSet<_> =
        BEYOND_STORIES.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
    let named = |codes: Vec<&Code>| codes.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ");
    let shown = |code: &&Code| occurs.contains(*code) || beyond.contains(*code);
    let missing: Vec<_> = Code::ALL.iter().filter(|code| !shown(code)).collect();
    assert!(missing.is_empty(), "no story is refused with {}", named(missing));
    let listed: Vec<_> = beyond.intersection(&occurs).collect();
    assert!(listed.is_empty(), "listed as beyond stories, but occurs: {}", named(listed));
}

fn mistakes(text: &str) -> Vec<String> {
    match Scenario::parse("f", &format!("{WORLD}{text}")) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|m| m.to_string()).collect(),
    }
}

/// What is wrong is said with its line, what was understood, and what was expected.
#[test]
fn mistakes_in_a_file_are_told_with_line_and_remedy() {
    for (text, told) in [
        ("as clean-lab: regster raw x", "f:5: `regster raw` is no verb; did you mean `register`?"),
        ("as clean-lab: register row x", "did you mean `raw`?"),
        ("as clean-lab accept grant g", "after the member stands `:`"),
        ("as clean-lab: accept grant g", "no step before has named a grant `g`"),
        ("as clean-lab: register raw x splt 60/20/20/0", "did you mean `split`?"),
        ("as clean-lab: register raw x split 60/20/20", "is not a split"),
        ("as clean-lab: register raw x split 60/20/20/0 split 60/20/20/0", "stands twice"),
        ("as clean-lab: register raw x by cleaning", "has no meaning without the others"),
        ("as clean-lab: offer grant processing of x", "`to MEMBER` is missing"),
        ("as clean-lab: offer grant holding of x to gz-exchange", "processing, operation"),
        ("as clean-lab: register raw x -> reject GRANT_EXPIRD", "did you mean GRANT_EXPIRED?"),
        ("as clean-lab: register raw x ->", "after `->` stands `ok` or `reject CODE`"),
        ("as clean-lab: register raw x as grant", "choose another name"),
        ("as clean-lab: suspend gz-exchange as n", "makes nothing that a later step could name"),
        ("as clean-lab: register raw X", "`X` is not an asset name"),
        ("as clean-lab: value x at 10.123 CNY", "at most 2 decimal places"),
        ("as clean-lab: value x at 10.12", "expected a currency"),
        ("as clean-lab: set roles gz-exchange to bayer", "did you mean `buyer`?"),
        ("as clean-lab: { register raw a", "ends with `}`"),
        ("expect entitle x", "did you mean `entitled`?"),
        ("expct height = 1", "did you mean `expect`?"),
        ("and register raw x", "there is none"),
        ("as clean-lab: register raw \"x", "a quoted text does not end"),
        ("as clean-lab: register raw x as a\nas clean-lab: register raw y as a", "f:6: `a` is the"),
        ("as clean-lab: register raw x\nmember z: buyer", "stands after the first step"),
        ("as clean-lab: register raw x until 3000", "`until 3000` is not understood"),
        ("at 2027-02-30\nas clean-lab: renew grant \"g\" until 2027-02-30", "is not a time"),
        ("as gz-exchange: record payment \"c\" gross 1.00 CNY tax 1.00 USD", "in one act"),
    ] {
        let found = mistakes(text).join("\n");
        assert!(found.contains(told), "{text}\n  told: {found}\n  expected: {told}");
    }
    assert_eq!(mistakes("as clean-lab: register raw x"), Vec::<String>::new());
    let nobody = Scenario::parse("f", "member a: buyer").unwrap_err();
    assert!(nobody[0].to_string().contains("no member has the role exchange"));
}

/// A step that comes out otherwise is told with code, sentence and hint.
#[test]
fn what_comes_out_otherwise_is_told_with_code_sentence_and_hint() {
    let text = format!(
        "{WORLD}as clean-lab: suspend gz-exchange\nas clean-lab: register raw x -> reject NAME_TAKEN\n\
         expect derivations of clean-lab/x = 3\nexpect not void clean-lab/x\n\
         as clean-lab: revoke key spare\nas chest-hospital: transfer holding of y to chest-hospital 100%\n"
    );
    let report = Scenario::parse("f", &text).unwrap().run();
    assert_eq!((report.steps, report.as_expected), (6, 1));
    let told: Vec<_> =
        report.failures.iter().map(|f| (f.line, f.expected.as_str(), f.came.as_str())).collect();
    assert_eq!(told[0].0, 5);
    assert!(told[0].2.starts_with("reject ROLE_REQUIRED: clean-lab does not have"), "{told:?}");
    assert!(report.failures[0].hint.is_some());
    assert_eq!(told[1], (6, "reject NAME_TAKEN", "ok"));
    assert_eq!(told[2], (7, "3", "0"));
    // Keys and assets are called as the story calls them.
    assert_eq!(told[3].2, "reject KEY_UNKNOWN: clean-lab/spare is not a key of clean-lab");
    assert_eq!(told[4].2, "reject UNKNOWN_ASSET: asset chest-hospital/y is not recorded");
}

/// A question with a word that nothing bears holds neither as asked nor denied, and says which.
#[test]
fn a_slip_in_a_question_never_passes() {
    let story = "as chest-hospital: register raw r\n\
                 as chest-hospital: offer grant processing of r to clean-lab as wish\n\
                 as gz-exchange: suspend clean-lab -> reject ROLE_REQUIRED\n\
                 as county-hospital: dispute share chest-hospital in holding of chest-hospital/r \
                 parts 5% as case\n";
    for (question, told) in [
        ("status of wish is{} acepted", "did you mean `accepted`?"),
        ("status of wihs is{} offered", "did you mean `wish`?"),
        ("status of r is{} registered", "no such asset is recorded"),
        ("standing of wish is{} in-froce", "did you mean `in-force`?"),
        ("usable chest-hospital/r is{} CONTESTD", "did you mean `CONTESTED`?"),
        ("inbox clean-lab {} wihs", "did you mean `wish`?"),
        ("related clean-lab to nobody is{} yes", "member nobody is not recorded"),
        ("explain wish {} LED-XYZ-one", "is no rule's tag"),
        ("explain wish {} LED-GRT", "is no rule's tag"),
        ("compliance of chest-hospital/r at gz-exchange is{} pased", "did you mean `passed`?"),
        ("compliance of chest-hospital/r at gz-exchang is{} none", "gz-exchang is not recorded"),
        ("valuation of chest-hospital/r is{} 1.00 CNY by incme", "did you mean `income`?"),
        ("instalments of wish is{} none", "a grant has no instalments"),
        ("instalments of wihs is{} none", "did you mean `wish`?"),
        ("keys of clean-lab is{} mian", "did you mean `main`?"),
        ("keys of clean-lab is{} main[registr]", "did you mean `register`?"),
        ("key mian of clean-lab is{} valid", "did you mean `main`?"),
        ("key main of clean-lab is{} revokd", "did you mean `revoked`?"),
        ("rulebook fee-cup is{} 30%", "did you mean `fee-cap`?"),
        ("rulebook fee-cap is{} lots", "`lots` is not a part"),
        ("contested chest-hospital/r by wihs is{} yes", "names no dispute; did you mean `wish`?"),
        ("contested chest-hospital/r by wish is{} yes", "names a grant, expected a dispute"),
        ("holds of wish is{} none", "a grant holds nothing"),
        ("holds of case is{} chest-hospital 5% frozn until 2028-01-01 by case", "mean `frozen`?"),
        ("holds of case is{} chest-hospital 5% frozen until 2028-01-01 by csae", "mean `case`?"),
        ("holds of case is{} nobody 5% frozen until 2028-01-01 by case", "nobody is not recorded"),
        ("owners of holding of chest-hospital/r is{} nobody 100%", "nobody is not recorded"),
        ("manager of holding of chest-hospital/r is{} nobody", "nobody is not recorded"),
        ("successor of clean-lab is{} nobody", "nobody is not recorded"),
    ] {
        let denials = if question.contains("is{}") { ["", " not"] } else { ["has", "lacks"] };
        for denial in denials {
            let question = question.replace("{}", denial);
            let text = format!("{WORLD}{story}expect {question}\n");
            let report = Scenario::parse("f", &text).unwrap().run();
            assert_eq!((report.steps, report.failures.len()), (5, 1), "{question}");
            let came = &report.failures[0].came;
            assert!(came.contains(told), "{question}\n  told: {came}\n  expected: {told}");
        }
    }
    let right = format!(
        "{WORLD}{story}expect usable chest-hospital/r is not no\nexpect inbox clean-lab has wish\n"
    );
    assert!(Scenario::parse("f", &right).unwrap().run().failures.is_empty());
}

/// Nothing in a foreign file is worse than a mistake.
#[test]
fn no_text_panics() {
    let story = "member gz-exchange: exchange\nmember clean-lab: processor\n\
                 as clean-lab: register processed x from chest-hospital/y weight 3 split 1/2/3/4\n\
                 at 2027-03-01\nexpect owners of holding of clean-lab/x = clean-lab 100%\n";
    for (end, times) in (0..story.len()).step_by(3).zip((0..7).cycle()) {
        for insert in ["\"", "-> ", "{", "é", " as ", "99999999999999999999 "] {
            let text = format!("{}{insert}{}", &story[..end], &story[end..]);
            if let (Ok(story), 0) = (Scenario::parse("f", &text), times) {
                story.run();
            }
        }
    }
    for text in
        ["after forever", "at forever", "wait 18446744073709551615 blocks", "again", "at height 0"]
    {
        let text = format!("{WORLD}{text}\nas clean-lab: register raw x\n{text}");
        Scenario::parse("f", &text).map(|story| story.run()).ok();
    }
}

fn context(names: &Names) -> Context<'_> {
    Context {
        chain: ChainId::from_digest(Digest::Blake3([7; 32])),
        author: "chest-hospital".parse().unwrap(),
        start_ms: 1_800_000_000_000,
        now_ms: 1_800_000_100_000,
        height: 5,
        names,
        seen: Seen(None),
        keys_of: RefCell::new(None),
    }
}

fn named() -> Names {
    let mut names = Names::default();
    for (number, (name, what)) in (1..).zip([
        ("chest-grant", "grant"),
        ("county-grant", "grant"),
        ("merger", "succession"),
        ("upgrade", "change"),
        ("entry", "registration"),
        ("visit", "access"),
        ("patients-part", "transfer"),
        ("wish", "request"),
        ("open-offer", "offer"),
        ("report-listing", "listing"),
        ("sale", "contract"),
        ("first-payment", "payment"),
        ("chest-payout", "payout"),
        ("cert-1", "certificate"),
        ("patient-list", "aggregate"),
        ("case", "dispute"),
    ]) {
        names.give(name, what, Digest::Blake3([number; 32]));
    }
    names
}

/// The act of an example, without its author and the name it gives.
fn act_of(example: &str) -> (String, String) {
    let (author, act) = example.split_once(": ").unwrap();
    let act = act.rsplit_once(" as ").map_or(act, |(act, _)| act);
    (author.strip_prefix("as ").unwrap().into(), act.into())
}

fn read(act: &str, context: &Context<'_>) -> Event {
    *context.keys_of.borrow_mut() = None;
    let words = tokens(act).unwrap();
    let words: Vec<_> = words.into_iter().filter(|t| !t.is("=")).collect();
    let (verb, taken) = verb_at(&words).unwrap_or_else(|| panic!("no verb: {act}"));
    let words = divide(&words[taken..], fields(verb)).unwrap();
    let mut form = Form::read(&words, context);
    let event = (verb.visit)(&mut form, None).unwrap_or_else(|e| panic!("{act}: {e}"));
    form.finish().unwrap_or_else(|e| panic!("{act}: {e}"));
    event
}

/// Every event has a verb, every verb an example, and what is written reads as the same event.
#[test]
fn every_event_is_written_and_read_back() {
    let names = named();
    let mut tags = BTreeSet::new();
    for verb in VERBS {
        assert!(!fields(verb).is_empty(), "{}: its own examples cannot be read", verb.name());
        if let Some((_, name)) = verb.example.rsplit_once(" as ") {
            assert!(!is_word(name), "{}: nothing can have the name `{name}`", verb.name());
        }
        let (author, act) = act_of(verb.example);
        let mut here = context(&names);
        here.author = author.parse().unwrap();
        if act.starts_with("approve for") {
            continue;
        }
        let event = read(&act, &here);
        assert_eq!(verb_of(&event), verb.name());
        assert_eq!(event.name(), verb.event, "{}", verb.name());
        let written = render::act(&event, &here).unwrap();
        assert_eq!(read(&written, &here), event, "{written}");
        let bytes = encode(&event).unwrap();
        assert_eq!(decode::<Event>(&bytes, 1 << 16).unwrap(), event);
        tags.insert(u32::from_le_bytes(bytes[..4].try_into().unwrap()));
    }
    let approval = read("approve \"act\" about fna", &context(&names));
    tags.insert(u32::from_le_bytes(encode(&approval).unwrap()[..4].try_into().unwrap()));
    let count = u32::try_from(tags.len()).unwrap();
    assert!((0..count).all(|tag| tags.contains(&tag)), "events without a verb: {tags:?}");
    let mut next = count.to_le_bytes().to_vec();
    next.resize(4_096, 0);
    let unknown = decode::<Event>(&next, 1 << 16).unwrap_err().to_string();
    assert!(unknown.contains("UnexpectedVariant"), "an event without a verb: {unknown}");
}

/// Each field at its sample, and each left out, is written and read back.
#[test]
fn every_clause_is_written_and_read_back() {
    let names = named();
    for verb in VERBS {
        let here = context(&names);
        let first: Vec<_> = fields(verb).iter().filter(|f| f.keyword.is_empty()).collect();
        let base: String = first.iter().map(|f| format!(" {}", f.sample)).collect();
        let clauses: Vec<_> = fields(verb).iter().filter(|f| !f.keyword.is_empty()).collect();
        let keyword = |k: &'static str| k.split('|').next().unwrap();
        let needed: String = clauses
            .iter()
            .filter(|f| f.absent.is_empty() || f.keyword == "from")
            .map(|f| format!(" {} {}", keyword(f.keyword), f.sample))
            .collect();
        for field in clauses {
            for spelling in field.keyword.split('|') {
                let mut act = format!("{}{base}{needed}", verb.name());
                if !field.absent.is_empty() && field.keyword != "from" {
                    act = format!("{act} {spelling} {}", field.sample);
                }
                let event = read(&act, &here);
                let written = render::act(&event, &here).unwrap();
                assert_eq!(read(&written, &here), event, "{act}\n{written}");
            }
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The reference of the documentation, made of the descriptions themselves.
fn reference() -> (String, String) {
    let mut verbs = String::new();
    for verb in VERBS {
        let also: Vec<_> = verb.words.split('|').skip(1).map(|w| format!("`{w}`")).collect();
        let also =
            if also.is_empty() { String::new() } else { format!("Also {}. ", also.join(", ")) };
        verbs += &format!("#### {}\n\n{also}Records `{}`.\n\n", verb.name(), verb.event);
        verbs += &format!("```\n{}\n```\n\n", verb.example);
        verbs += "| clause | value | when left out |\n|---|---|---|\n";
        for field in fields(verb) {
            let spellings: Vec<_> =
                field.keyword.split('|').map(|k| format!("`{}`", k.replace('-', " "))).collect();
            let clause = match field.keyword {
                "" => format!("first: {}", field.what),
                _ => spellings.join(" or "),
            };
            let absent = match field.absent.as_str() {
                "" => "must be there".into(),
                told if told.contains(" of ") || told.starts_with("that ") => told.to_owned(),
                told => format!("`{told}`"),
            };
            let (kind, sample) = (&field.kind, &field.sample);
            verbs += &format!("| {clause} | {}, as `{}` | {absent} |\n", cell(kind), cell(sample));
        }
        verbs += "\n";
    }
    let mut questions = String::from("| question | for example |\n|---|---|\n");
    for (words, form, example) in headwater_ledger::scenario::questions() {
        questions += &format!("| `{words} {}` | `{example}` |\n", cell(form));
    }
    (verbs, questions)
}

/// The text between two markers, replaced.
fn between(text: &str, name: &str, inside: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&begin).expect("the begin marker");
    let (_, after) = rest.split_once(&end).expect("the end marker");
    format!("{before}{begin}\n{inside}\n{end}{after}")
}

/// `HEADWATER_WRITE_SPEC=1` writes the reference.
#[expect(clippy::disallowed_methods, reason = "a page is written anew when asked for")]
#[test]
fn the_documentation_has_every_verb_clause_and_question() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenarios.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (verbs, questions) = reference();
    let wanted = between(&text, "verbs", verbs.trim_end());
    let wanted = between(&wanted, "questions", questions.trim_end());
    if std::env::var_os("HEADWATER_WRITE_SPEC").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(text == wanted, "run with HEADWATER_WRITE_SPEC=1 and read the difference");
}

/// The documentation is all there is to know: what it shows can be run as it stands.
#[test]
fn every_story_and_question_of_the_documentation_comes_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/scenarios.md")).unwrap();
    let (verbs, _) = reference();
    let mut stories = 0;
    let fenced: Vec<&str> = text.split("```").collect();
    for block in fenced.iter().skip(1).step_by(2) {
        let Some(story) = block.strip_prefix('\n') else { continue };
        if verbs.contains(block) || story.starts_with("story.scenario:") {
            continue;
        }
        let report = Scenario::parse("docs/scenarios.md", story).unwrap().run();
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        stories += 1;
    }
    assert!(stories >= 2, "{stories} stories");
    let questions = root.join("tests/scenarios/language/questions.scenario");
    let asked = std::fs::read_to_string(questions).unwrap();
    for (words, _, example) in headwater_ledger::scenario::questions() {
        assert!(example.contains(&format!(" {words} ")), "{words}: {example}");
        assert!(asked.lines().any(|line| line == example), "not asked: {example}");
    }
}
