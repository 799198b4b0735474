//! The rules of a policy, each with its verdict in words.

use crate::report::{ClassComparison, Comparison, Groups, Report, Sides, parts};
use crate::sentence::sentence;
use crate::{Diff, Policy, Verdict};

/// Name of the rule that refuses a reference at chance level.
pub(crate) const CHANCE: &str = "chance";

/// The result of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Name of the rule, as in [`Report::decided_by`].
    pub name: &'static str,
    /// Verdict of this rule alone.
    pub verdict: Verdict,
    /// The measured and the required value, in a sentence.
    pub sentence: String,
}

/// The values that the rules check.
pub(crate) struct Facts<'a> {
    pub(crate) images: usize,
    pub(crate) overall: &'a Comparison,
    pub(crate) groups: &'a Groups<Comparison>,
    pub(crate) classes: &'a [ClassComparison],
    pub(crate) ties: Sides<usize>,
    /// Number of images without a decision, and the first of them if it is known.
    pub(crate) non_finite: Sides<(usize, Option<usize>)>,
    pub(crate) agreement: f64,
    pub(crate) max_abs_logit_diff: Option<f64>,
}

impl Report {
    /// Returns the result of every rule of the policy, including rules that pass: first the check for non-finite
    /// logits, then the groups from the rarest on, then the other rules.
    pub fn rules(&self) -> Vec<Rule> {
        let facts = Facts {
            images: self.images,
            overall: &self.overall,
            groups: &self.groups,
            classes: &self.classes,
            ties: self.ties,
            non_finite: Sides {
                reference: (self.non_finite.reference, None),
                candidate: (self.non_finite.candidate, None),
            },
            agreement: self.agreement,
            max_abs_logit_diff: self.max_abs_logit_diff,
        };
        let mut rules = rules(&facts, &self.policy);
        // The rule on chance needs the single images, which a report does not have, so only a refusal is listed.
        if self.decided_by == CHANCE {
            rules.insert(
                0,
                Rule {
                    name: CHANCE,
                    verdict: self.verdict,
                    sentence: self.reasons.first().cloned().unwrap_or_default(),
                },
            );
        }
        rules.extend(self.baseline.as_ref().map(baseline));
        rules
    }
}

/// Evaluates every rule of `policy`, in the order for a reader.
pub(crate) fn rules(facts: &Facts<'_>, policy: &Policy) -> Vec<Rule> {
    // This rule comes first, because no accuracy is meaningful if it fails.
    let mut rules = vec![non_finite(facts)];
    rules.extend(parts(facts.overall, facts.groups).map(|(name, part)| Rule {
        name,
        verdict: part.verdict,
        sentence: sentence(name, part, policy),
    }));
    let holds = |ok| if ok { Verdict::Pass } else { Verdict::Fail };
    let tie_rate = facts.ties.candidate as f64 / facts.images as f64;
    rules.push(Rule {
        name: "ties",
        verdict: holds(tie_rate <= policy.max_tie_rate),
        sentence: format!(
            "{} of {} images have a tie at the top of the candidate's logits ({:.2} %, {:.2} % is accepted)",
            facts.ties.candidate,
            facts.images,
            100.0 * tie_rate,
            100.0 * policy.max_tie_rate
        ),
    });
    if let Some(least) = policy.min_agreement {
        let (agreement, required) = (100.0 * facts.agreement, 100.0 * least);
        rules.push(Rule {
            name: "agreement",
            verdict: holds(facts.agreement >= least),
            sentence: format!(
                "both give the same class to {agreement:.2} % of the images, {required:.2} % is required"
            ),
        });
    }
    if let (Some(most), Some(diff)) = (policy.max_abs_logit_diff, facts.max_abs_logit_diff) {
        rules.push(Rule {
            name: "max_abs_logit_diff",
            verdict: holds(diff <= most),
            sentence: format!("a logit differs by {diff:.3e}, {most:.3e} is accepted"),
        });
    }
    rules
}

/// The rule that no value is worse than in an accepted run.
fn baseline(diff: &Diff) -> Rule {
    let (verdict, sentence) = match diff.regressions.as_slice() {
        [] => (
            Verdict::Pass,
            "no regression against the baseline".to_owned(),
        ),
        found => (Verdict::Fail, found.join("; ")),
    };
    Rule {
        name: "baseline",
        verdict,
        sentence,
    }
}

/// The rule that every logit is finite.
fn non_finite(facts: &Facts<'_>) -> Rule {
    let sides = [
        ("reference", facts.non_finite.reference),
        ("candidate", facts.non_finite.candidate),
    ];
    let broken: Vec<String> = sides
        .into_iter()
        .filter(|(_, (count, _))| *count > 0)
        .map(|(side, (count, first))| {
            let first = first.map_or(String::new(), |first| {
                format!(", the first is image {first}")
            });
            let images = facts.images;
            format!("{count} of {images} images have a NaN or infinite logit in the {side}{first}")
        })
        .collect();
    if broken.is_empty() {
        return Rule {
            name: "non_finite",
            verdict: Verdict::Pass,
            sentence: "every logit is finite".to_owned(),
        };
    }
    Rule {
        name: "non_finite",
        verdict: Verdict::Fail,
        sentence: broken.join("; "),
    }
}

#[cfg(test)]
mod tests;
