//! The rules in words: one sentence for each that does not hold, or for the one that came nearest.

use crate::report::{ClassComparison, Comparison, Groups, Sides, parts};
use crate::{Policy, Verdict};

/// What a rule says.
pub(crate) struct Reason {
    /// Name of the rule.
    pub(crate) rule: &'static str,
    /// Its verdict.
    pub(crate) verdict: Verdict,
    /// Why.
    pub(crate) sentence: String,
}

/// What the rules look at.
pub(crate) struct Facts<'a> {
    pub(crate) images: usize,
    pub(crate) overall: &'a Comparison,
    pub(crate) groups: &'a Groups<Comparison>,
    pub(crate) classes: &'a [ClassComparison],
    pub(crate) ties: Sides<usize>,
    /// Images without a decision, and the first of them.
    pub(crate) non_finite: Sides<(usize, Option<usize>)>,
    pub(crate) agreement: f64,
    pub(crate) max_abs_logit_diff: Option<f64>,
}

/// The rules that do not hold, worst first; when all hold, the set nearest to its margin. Never empty.
pub(crate) fn reasons(facts: &Facts<'_>, policy: &Policy) -> Vec<Reason> {
    let fail = |rule, sentence| Reason {
        rule,
        verdict: Verdict::Fail,
        sentence,
    };
    let mut reasons = Vec::new();
    // First, because no accuracy means anything after it.
    for (side, (count, first)) in [
        ("reference", facts.non_finite.reference),
        ("candidate", facts.non_finite.candidate),
    ] {
        if let Some(first) = first {
            let images = facts.images;
            reasons.push(fail(
                "non_finite",
                format!("{count} of {images} images have a NaN or infinite logit in the {side}, the first is image {first}"),
            ));
        }
    }
    for (name, part) in parts(facts.overall, facts.groups) {
        if part.verdict != Verdict::Pass {
            let sentence = sentence(name, part, policy);
            reasons.push(Reason {
                rule: name,
                verdict: part.verdict,
                sentence,
            });
        }
    }
    let tie_rate = facts.ties.candidate as f64 / facts.images as f64;
    if tie_rate > policy.max_tie_rate {
        reasons.push(fail(
            "ties",
            format!(
                "{} of {} images have a tie at the top of the candidate's logits ({:.2} %, {:.2} % is accepted)",
                facts.ties.candidate,
                facts.images,
                100.0 * tie_rate,
                100.0 * policy.max_tie_rate
            ),
        ));
    }
    if let Some(least) = policy
        .min_agreement
        .filter(|&least| facts.agreement < least)
    {
        let (agreement, least) = (100.0 * facts.agreement, 100.0 * least);
        reasons.push(fail(
            "agreement",
            format!(
                "both give the same class to {agreement:.2} % of the images, {least:.2} % is asked"
            ),
        ));
    }
    if let (Some(most), Some(diff)) = (policy.max_abs_logit_diff, facts.max_abs_logit_diff)
        && diff > most
    {
        reasons.push(fail(
            "max_abs_logit_diff",
            format!("a logit differs by {diff:.3e}, {most:.3e} is accepted"),
        ));
    }
    // Stable: among equals the order above stays.
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    if reasons.is_empty() {
        let slack = |part: &Comparison| 1.0 + part.lower_bound_pp / part.margin_pp;
        let (rule, nearest) = parts(facts.overall, facts.groups)
            .min_by(|(_, a), (_, b)| slack(a).total_cmp(&slack(b)))
            .unwrap_or(("overall", facts.overall));
        reasons.push(Reason {
            rule,
            verdict: Verdict::Pass,
            sentence: sentence(rule, nearest, policy),
        });
    }
    reasons
}

/// One set of classes in words.
fn sentence(name: &str, part: &Comparison, policy: &Policy) -> String {
    let confidence = trimmed(100.0 * (1.0 - policy.level));
    let against = format!(
        "{:.1} % against {:.1} %",
        100.0 * part.candidate_top1,
        100.0 * part.reference_top1
    );
    let delta = signed(part.delta_pp);
    let (lower, upper) = (plain(part.lower_bound_pp), plain(part.upper_bound_pp));
    let margin = plain(part.margin_pp);
    let share = format!(
        "{name} keeps {:.1} % of the reference's accuracy, {} % is asked",
        100.0 * part.retained.unwrap_or(1.0),
        trimmed(100.0 * policy.min_retained)
    );
    let open = match part.images_needed {
        Some(needed) if needed > part.images => format!(
            "{} images cannot tell, about {} more of {name} would at these rates",
            part.images,
            needed - part.images
        ),
        _ => format!("{} images cannot tell", part.images),
    };
    let below = part.upper_bound_pp < -part.margin_pp;
    match part.verdict {
        Verdict::Fail if below => {
            format!(
                "{name}: {against} ({delta} pp, {confidence} % upper bound {upper}, margin {margin})"
            )
        }
        Verdict::Fail => {
            format!("{share}: {against} ({delta} pp, {confidence} % upper bound {upper})")
        }
        Verdict::Inconclusive if !part.keeps_min_retained => {
            format!("{share}: {against} ({delta} pp, {confidence} % upper bound {upper}); {open}")
        }
        Verdict::Inconclusive => {
            format!(
                "{name}: {against} ({delta} pp, {confidence} % lower bound {lower}, margin {margin}); {open}"
            )
        }
        _ => format!(
            "{name}: {against} ({delta} pp, {confidence} % lower bound {lower}, margin {margin})"
        ),
    }
}

/// What a reader should know and no rule covers.
pub(crate) fn warnings(facts: &Facts<'_>, policy: &Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    let chance = 1.0 / facts.classes.len() as f64;
    if facts.overall.reference_top1 <= chance {
        warnings.push(format!(
            "the reference is right on {:.1} % of the images, no better than chance: check labels and preprocessing",
            100.0 * facts.overall.reference_top1
        ));
    }
    for (name, part) in parts(facts.overall, facts.groups) {
        if name != "overall" && part.reference_top1 <= 0.0 {
            warnings.push(format!(
                "{name}: the reference gets no image right, so nothing can be lost"
            ));
        }
        // Far from equal: the bounds then rest on flips being spread over the classes with few images too.
        if part.effective_images < 0.9 * part.images as f64 {
            warnings.push(format!(
                "{name}: its classes have unequal numbers of images, so {} count as {:.0} and its bounds are approximate",
                part.images, part.effective_images
            ));
        }
        if name != "overall" && part.unseen_classes > 0 {
            let all = part.classes + part.unseen_classes;
            warnings.push(format!(
                "{name}: {} of {all} classes have no image and are left out",
                part.unseen_classes
            ));
        }
    }
    for class in facts.classes {
        if class.loss_p_holm <= policy.level {
            warnings.push(format!(
                "class {} {}: recall {:.1} % against {:.1} %, more lost than gained (p {:.1e}, of {} classes by Holm)",
                class.class,
                class.name,
                100.0 * class.candidate_recall,
                100.0 * class.reference_recall,
                class.loss_p_holm,
                facts.classes.len()
            ));
        }
        if class.candidate_decisions == 0 && class.reference_decisions > 0 {
            warnings.push(format!(
                "class {} {}: the candidate never gives it, the reference did {} times",
                class.class, class.name, class.reference_decisions
            ));
        }
    }
    if facts.ties.reference > 0 {
        let (ties, images) = (facts.ties.reference, facts.images);
        warnings.push(format!(
            "{ties} of {images} images have a tie at the top of the reference's logits"
        ));
    }
    warnings
}

/// Two decimals with a sign, and no minus before a zero.
pub(crate) fn signed(value: f64) -> String {
    format!("{:+.2}", rounded(value))
}

/// Two decimals, and no minus before a zero.
pub(crate) fn plain(value: f64) -> String {
    format!("{:.2}", rounded(value))
}

fn rounded(value: f64) -> f64 {
    // Adding a positive zero turns a negative zero into a positive one.
    (value * 100.0).round() / 100.0 + 0.0
}

/// Up to four decimals, without trailing zeros.
fn trimmed(value: f64) -> String {
    format!("{value:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}
