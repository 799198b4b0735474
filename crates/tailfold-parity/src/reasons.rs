//! The reasons for a verdict: the rules that do not pass, or the set nearest to its margin.

use crate::Policy;
use crate::report::{Comparison, parts};
use crate::rules::{Facts, Rule, rules};
use crate::{Verdict, sentence::sentence};

/// The rules that do not pass, worst first; if all pass, the set nearest to its margin. Never empty.
pub(crate) fn reasons(facts: &Facts<'_>, policy: &Policy) -> Vec<Rule> {
    let mut reasons = rules(facts, policy);
    reasons.retain(|rule| rule.verdict != Verdict::Pass);
    // The sort is stable, so equal verdicts stay in the order of the rules.
    reasons.sort_by_key(|rule| std::cmp::Reverse(rule.verdict));
    if reasons.is_empty() {
        let slack = |part: &Comparison| 1.0 + part.lower_bound_pp / part.margin_pp;
        let (name, nearest) = parts(facts.overall, facts.groups)
            .min_by(|(_, a), (_, b)| slack(a).total_cmp(&slack(b)))
            .unwrap_or(("overall", facts.overall));
        reasons.push(Rule {
            name,
            verdict: Verdict::Pass,
            sentence: sentence(name, nearest, policy),
        });
    }
    reasons
}
