//! The questions that can be asked, in the order of the documentation.

use super::{Row, contest, key, ledger, market, money, object};
use crate::state::Relation;

macro_rules! rows {
    ($($words:literal, $form:literal, $example:literal => $answer:expr;)*) => {
        /// Every question.
        pub(super) static QUERIES: &[Row] =
            &[$(Row { words: $words, form: $form, example: $example, answer: $answer }),*];
    };
}

rows! {
    "entitled", "MEMBER, or source SOURCE of AGGREGATE, on ACCOUNT [for RIGHT of ASSET] = AMOUNT",
        "expect entitled insight-co on insight-co/report at gz-exchange in CNY = 743396.22"
        => |a| a.share(|b| b.entitled.into(), |s| s.entitled);
    "held", "MEMBER on ACCOUNT [for RIGHT of ASSET] = AMOUNT (until a delivery is confirmed)",
        "expect held clean-lab on insight-co/report at gz-exchange in CNY = 0.00"
        => |a| a.lines(|b| b.held.into());
    "frozen", "MEMBER on ACCOUNT [for RIGHT of ASSET] = AMOUNT (by a dispute)",
        "expect frozen county-hospital on insight-co/report at gz-exchange in CNY = 79075.67"
        => |a| a.lines(|b| b.frozen.into());
    "payable", "MEMBER, or source SOURCE of AGGREGATE, on ACCOUNT [for RIGHT of ASSET] = AMOUNT",
        "expect payable patients-fund on insight-co/report at gz-exchange in CNY = 35275.39"
        => |a| a.share(|b| b.payable.into(), |s| s.payable);
    "paid", "MEMBER, or source SOURCE of AGGREGATE, on ACCOUNT [for RIGHT of ASSET] = AMOUNT",
        "expect paid chest-hospital on insight-co/report at gz-exchange in CNY for holding of chest-hospital/fna-2026 = 100000.00"
        => |a| a.share(|b| b.paid.into(), |s| s.paid);
    "overpaid", "MEMBER on ACCOUNT [for RIGHT of ASSET] = AMOUNT (paid beyond what is due)",
        "expect overpaid chest-hospital on insight-co/report at gz-exchange in CNY = 0.00"
        => |a| a.lines(|b| b.overpaid.into());
    "adjusted", "MEMBER on ACCOUNT [for RIGHT of ASSET] = AMOUNT (moved here by rulings; below 0 when moved away)",
        "expect adjusted clean-lab on insight-co/report at gz-exchange in CNY = 0.00"
        => |a| a.lines(|b| b.adjusted.into());
    "set-off", "MEMBER on ACCOUNT [for RIGHT of ASSET] = AMOUNT (set off with what was overpaid; below 0 where it was payable)",
        "expect set-off chest-hospital on insight-co/report at gz-exchange in CNY = 0.00"
        => |a| a.lines(|b| b.set_off.into());
    "total", "MEMBER in CURRENCY = AMOUNT (entitled in all accounts)",
        "expect total county-hospital in CNY = 316302.68" => money::total;
    "fees", "EXCHANGE in CURRENCY = AMOUNT (of all accounts it clears, less those given back)",
        "expect fees gz-exchange in CNY = 28301.88" => money::fees;
    "gross", "ACCOUNT = AMOUNT (less refunds)",
        "expect gross insight-co/report at gz-exchange in CNY = 2000000.00"
        => |a| a.account(|s| s.remaining.gross);
    "tax", "ACCOUNT = AMOUNT (less refunds)",
        "expect tax insight-co/report at gz-exchange in CNY = 113207.55"
        => |a| a.account(|s| s.remaining.tax);
    "fee", "ACCOUNT = AMOUNT (less refunds)",
        "expect fee insight-co/report at gz-exchange in CNY = 28301.88"
        => |a| a.account(|s| s.remaining.fee);
    "net", "ACCOUNT = AMOUNT (gross less tax and fee, less refunds)",
        "expect net insight-co/report at gz-exchange in CNY = 1858490.57"
        => |a| a.account(|s| s.remaining.net);
    "refunded", "ACCOUNT = AMOUNT (gross)",
        "expect refunded insight-co/report at gz-exchange in CNY = 0"
        => |a| a.account(|s| s.refunded.gross);
    "residue", "ACCOUNT = AMOUNT (what rounding leaves)",
        "expect residue insight-co/report at gz-exchange in CNY = 0.03"
        => |a| a.account(|s| s.residue);
    "closed", "ACCOUNT [= yes or no]",
        "expect closed insight-co/report at gz-exchange in CNY = no" => money::closed;
    "claim", "RIGHT of ASSET in PRODUCT = N units (of 10^18)",
        "expect claim operation of insight-co/report in insight-co/report = 250000000000000000 units"
        => money::claim;
    "claims", "PRODUCT = NUMBER (of its schedule)",
        "expect claims insight-co/report = 5" => money::claims;

    "status", "of NAME = WORD", "expect status of sale = confirmed" => object::status;
    "standing", "of NAME = WORD (of a registration or a grant now, the clock considered)",
        "expect standing of chest-grant = in-force" => object::standing;
    "objections", "of NAME = MEMBER, … or none (to a registration)",
        "expect objections of entry = none" => object::objections;
    "approvals", "of NAME = MEMBER, … (of a change by governance)",
        "expect approvals of raise = gz-exchange" => object::approvals;
    "instalments", "of CONTRACT = AMOUNT by TIME paid, due or overdue, … or none (in order)",
        "expect instalments of sale = 1200000.00 CNY by 2027-03-01 paid, 800000.00 CNY by 2027-06-01 paid"
        => market::instalments;
    "holds", "of DISPUTE or RIGHT of ASSET = MEMBER PART cooling, frozen or awarded until TIME by DISPUTE, … or none (parts held now)",
        "expect holds of case = county-hospital 25% frozen until 2027-03-01 by case"
        => contest::holds;
    "certificate", "number of NAME = NUMBER (for each exchange from 1)",
        "expect certificate number of cert-1 = 1" => object::certificate;
    "used", "GRANT = NUMBER (of derivations)", "expect used chest-grant = 1" => object::used;
    "inbox", "MEMBER has or lacks NAME (waits for this member to decide)",
        "expect inbox gz-exchange has entry" => object::inbox;
    "explain", "ASSET or NAME mentions TAG or \"TEXT\" (among the reasons given)",
        "expect explain clean-lab/fna-cleaned mentions LED-LIN-4" => object::explains;

    "registered", "ASSET [= yes or no]", "expect registered clean-lab/fna-cleaned"
        => ledger::registered;
    "void", "ASSET [= yes or no]", "expect not void clean-lab/fna-cleaned"
        => |a| a.flag(|r| r.void);
    "late", "ASSET [= yes or no] (filed in a filing window)", "expect not late clean-lab/fna-cleaned"
        => |a| a.flag(|r| r.late);
    "usable", "ASSET = yes or CODE (whether it may serve for anything new, else why not)",
        "expect usable chest-hospital/fna-2026 = yes" => ledger::usable;
    "contested", "ASSET, GRANT, CONTRACT, PAYMENT, TRANSFER or RIGHT of ASSET [by duplicate, key, dispute or DISPUTE] [= yes or no] (by a dispute until it is ruled)",
        "expect contested holding of county-hospital/fna by case" => contest::contested;
    "compliance", "of ASSET at EXCHANGE = passed, failed or none (what counts there of its reviews)",
        "expect compliance of insight-co/report at gz-exchange = passed" => market::compliance;
    "valuation", "of ASSET = AMOUNT by METHOD or none (the newest)",
        "expect valuation of insight-co/report = 1000000.00 CNY by income" => market::valuation;
    "duplicate", "of ASSET = ASSET or none", "expect duplicate of county-hospital/fna = none"
        => ledger::duplicate;
    "version", "of ASSET = NUMBER", "expect version of chest-hospital/fna-2026 = 1"
        => ledger::version;
    "owners", "of RIGHT of ASSET = MEMBER PART, …",
        "expect owners of holding of chest-hospital/fna-2026 = chest-hospital 90%, patients-fund 10%"
        => ledger::owners;
    "manager", "of RIGHT of ASSET = MEMBER",
        "expect manager of holding of chest-hospital/fna-2026 = chest-hospital" => ledger::manager;
    "derivations", "of ASSET = NUMBER", "expect derivations of chest-hospital/fna-2026 = 1"
        => |a| a.count(Relation::AssetDerivations);
    "grants", "of ASSET = NUMBER (offered, whatever became of them)",
        "expect grants of chest-hospital/fna-2026 = 2" => |a| a.count(Relation::AssetGrants);
    "listings", "of ASSET = NUMBER", "expect listings of insight-co/report = 1"
        => |a| a.count(Relation::AssetListings);
    "duplicates", "of ASSET = NUMBER (assets of others with its content)",
        "expect duplicates of chest-hospital/fna-2026 = 0" => |a| a.count(Relation::AssetDuplicates);
    "findings", "of ASSET = NUMBER (reviews, valuations, attestations, withdrawals)",
        "expect findings of insight-co/report = 2" => |a| a.count(Relation::AssetFindings);
    "usage", "of ASSET = NUMBER (requests for access, decisions and jobs logged)",
        "expect usage of chest-hospital/fna-2026 = 3" => |a| a.count(Relation::AssetUsage);
    "disputes", "of ASSET = NUMBER (about it, its rights and grants)",
        "expect disputes of county-hospital/fna = 1" => |a| a.count(Relation::AssetDisputes);

    "roles", "of MEMBER = ROLE, …", "expect roles of insight-co = processor, operator"
        => ledger::roles;
    "keys", "of MEMBER = KEY[SCOPES], … or none (those that are valid; without brackets with all scopes)",
        "expect keys of clean-lab = main, pipeline[register]" => key::keys;
    "key", "KEY of MEMBER = valid, revoked, compromised [since TIME] or none (it never was one)",
        "expect key spare of clean-lab = compromised since 2027-01-01" => key::key;
    "suspended", "MEMBER [= yes or no]", "expect not suspended clean-lab" => ledger::suspended;
    "successor", "of MEMBER = MEMBER or none", "expect successor of clean-lab = none"
        => ledger::successor;
    "related", "MEMBER to MEMBER [= yes or no]", "expect not related clean-lab to insight-co"
        => ledger::related;
    "validators", "= MEMBER POWER, … (the next set)",
        "expect validators = gz-exchange 10, bj-exchange 10" => ledger::validators;
    "rulebook", "[RULE] = VERSION (from 1), or what is in force of a rule, as in propose rulebook",
        "expect rulebook fee-cap = 30%" => ledger::rulebook;
    "protocol", "= VERSION", "expect protocol = 1" => ledger::protocol;
    "height", "= NUMBER (of the newest block)", "expect height = 1 as of height 1" => ledger::height;
    "time", "= TIME (of the newest block)", "expect time = 2027-01-01T00:00:01 as of height 1"
        => ledger::time;
}
