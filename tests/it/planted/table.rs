//! The table of faults, which every run makes and compares with the committed one.

use std::fs;

use serde_json::Value;

use super::trial::{Bench, Caught, Fault, Way};
use crate::programs::root;

/// The committed table.
pub(super) const COMMITTED: &str = "docs/bench/planted.md";
/// The table that a run writes.
pub(super) const WRITTEN: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/planted.md");

const HEAD: &str = "| fault | verdict | rule | by accuracy alone | set | reference | candidate | p at the margin | McNemar's p | flips | reason |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n";
/// Image sets of a report, rarest classes first.
const SETS: [&str; 4] = ["few", "medium", "many", "overall"];
/// Verdicts on accuracy, from best to worst.
const VERDICTS: [&str; 3] = ["pass", "inconclusive", "fail"];

/// The result of a fault.
pub(super) struct Row {
    pub(super) fault: &'static str,
    pub(super) verdict: String,
    pub(super) rule: String,
    /// The verdict by the accuracies of all sets, without other rules.
    pub(super) alone: String,
    figures: [String; 6],
    reason: String,
    caught: Caught,
    code: Option<i32>,
}

impl Row {
    /// Plants `fault` and compares the models; `None` if its images are not available.
    pub(super) fn of(fault: &Fault, bench: &Bench) -> Option<Self> {
        let mut trial = (fault.plant)(bench, Way::Faulty)?;
        let answer = bench.parity(&trial);
        let report = answer.json();
        let reason = bench.plain(report["reasons"][0].as_str().unwrap());
        let rule = match (report["decided_by"].as_str(), fault.caught) {
            (Some(rule), _) => rule.to_owned(),
            (None, Caught::Refused(rule, says)) if reason.contains(says) => rule.to_owned(),
            (None, _) => "?".to_owned(),
        };
        let bare = trial.alone.take().and_then(|options| {
            let same = options == trial.options;
            trial.options = options;
            let answer = if same {
                answer.clone()
            } else {
                bench.parity(&trial)
            };
            Some(answer.json()).filter(|report| report.get("overall").is_some())
        });
        let set = bare.as_ref().map(|bare| deciding(bare, &rule));
        Some(Self {
            fault: fault.name,
            verdict: report["verdict"].as_str().unwrap().to_owned(),
            alone: bare.as_ref().map_or("cannot run".to_owned(), by_accuracy),
            figures: bare
                .zip(set)
                .map_or_else(Default::default, |(bare, set)| figures(&bare, set)),
            rule,
            reason,
            caught: fault.caught,
            code: answer.code,
        })
    }

    /// Describes the difference from the expected result; `None` for a caught fault.
    pub(super) fn missed(&self) -> Option<String> {
        let (code, verdict, rule) = match self.caught {
            Caught::Fails(rule) => (1, "fail", rule),
            Caught::Refused(rule, _) => (2, "error", rule),
        };
        let held =
            (self.code, self.verdict.as_str(), self.rule.as_str()) == (Some(code), verdict, rule);
        (!held).then(|| {
            let (found, by, reason) = (&self.verdict, &self.rule, &self.reason);
            format!("{found} by {by}, expected {verdict} by {rule}: {reason}")
        })
    }

    fn line(&self) -> String {
        let cells = [self.fault, &self.verdict, &self.rule, &self.alone];
        let figures = self.figures.each_ref().map(String::as_str);
        let cells = [&cells[..], &figures, &[&self.reason]].concat();
        format!("| {} |\n", cells.join(" | "))
    }
}

fn part<'a>(report: &'a Value, set: &str) -> &'a Value {
    let groups = &report["groups"];
    if set == "overall" {
        &report[set]
    } else {
        &groups[set]
    }
}

/// The worst verdict of any set.
fn by_accuracy(report: &Value) -> String {
    let rank = |set: &&str| {
        let verdict = part(report, set)["verdict"].as_str();
        VERDICTS.iter().position(|v| Some(*v) == verdict)
    };
    let worst = SETS.iter().filter_map(rank).max();
    worst.map_or("?", |rank| VERDICTS[rank]).to_owned()
}

/// The set that `rule` names or, for a rule without a set, the set that is nearest to failing.
fn deciding(report: &Value, rule: &str) -> &'static str {
    let p = |set: &str| part(report, set)["margin_p"].as_f64().unwrap_or(-1.0);
    let named = SETS.into_iter().find(|set| *set == rule);
    named.unwrap_or_else(|| {
        let nearest = SETS.into_iter().max_by(|a, b| p(a).total_cmp(&p(b)));
        nearest.expect("there are sets")
    })
}

fn figures(report: &Value, set: &str) -> [String; 6] {
    let number = |key: &str| part(report, set)[key].as_f64().unwrap();
    let percent = |key: &str| format!("{:.1} %", 100.0 * number(key));
    let p = |key: &str| match number(key) {
        p if p < 1e-300 => "< 1e-300".to_owned(),
        p if p < 0.001 => format!("{p:.0e}"),
        p => format!("{p:.3}"),
    };
    [
        set.to_owned(),
        percent("reference_top1"),
        percent("candidate_top1"),
        p("margin_p"),
        p("mcnemar_p"),
        report["flips"].to_string(),
    ]
}

/// Writes the table of this run.
pub(super) fn write(rows: &[Row]) {
    let lines: String = rows.iter().map(Row::line).collect();
    fs::write(WRITTEN, format!("{HEAD}{lines}")).unwrap();
}

/// The cells of each row of the committed table.
pub(super) fn committed() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(COMMITTED)).unwrap();
    let (_, table) = text.split_once(HEAD).expect("the table has this head");
    let rows = table.lines().map_while(|line| line.strip_prefix("| "));
    rows.map(|row| {
        row.trim_end_matches(" |")
            .split(" | ")
            .map(str::to_owned)
            .collect()
    })
    .collect()
}
