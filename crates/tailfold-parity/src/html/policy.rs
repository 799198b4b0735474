//! The policy, and the result of each rule.

use crate::page::{Text, scrolled};
use maud::{Markup, html};
use tailfold_spec::Group;

use super::baseline;
use super::names::name;
use super::numbers::plain;
use super::pill;
use crate::sentence::trimmed;
use crate::{BackendPolicy, GroupMargins, GroupRule, Policy, Report};

/// Lists every rule with its verdict.
pub(super) fn rules(report: &Report) -> Markup {
    html! {
        p.muted { "The worst of these is the verdict." }
        ul.rules {
            @for rule in report.rules() {
                li {
                    code { (rule.name) }
                    div { (pill(rule.verdict)) }
                    p { (Text(&rule.sentence)) }
                }
            }
        }
        @if let Some(diff) = &report.baseline { (baseline::of(diff)) }
    }
}

/// Lists the fields of the applied policy.
pub(super) fn section(policy: &Policy) -> Markup {
    let table = html! {
        table {
            caption { "Requirements on the candidate." }
            thead { tr { th scope="col" { "Field" } th scope="col" { "Value" } th scope="col" { "Meaning" } } }
            tbody {
                @for (field, value, meaning) in fields(policy) {
                    tr { th scope="row" { code { (field) } } td { (Text(&value)) } td.sentence { (meaning) } }
                }
            }
        }
    };
    html! {
        (scrolled("Table of the policy", table))
        @if !policy.backends.is_empty() { (scrolled("Table of the back ends' tolerances", backends(policy))) }
    }
}

fn fields(policy: &Policy) -> Vec<(&'static str, String, &'static str)> {
    let percent = |share: f64| format!("{} %", trimmed(100.0 * share));
    let mut fields = Vec::new();
    let mut field = |name, value: Option<String>, meaning| {
        if let Some(value) = value {
            fields.push((name, value, meaning));
        }
    };
    field(
        "model",
        policy.model.clone(),
        "the only model that the policy applies to",
    );
    field(
        "level",
        Some(trimmed(policy.level)),
        "error level of each one-sided bound",
    );
    let overall = format!("{} pp", plain(policy.overall_margin_pp));
    field(
        "overall_margin_pp",
        Some(overall),
        "accepted loss over all images",
    );
    field(
        "group_margin_pp",
        Some(margins(policy.group_margin_pp)),
        "accepted loss in each group",
    );
    field(
        "min_retained",
        Some(percent(policy.min_retained)),
        "smallest share of the reference's accuracy that the candidate must retain, in each set",
    );
    field(
        "max_tie_rate",
        Some(percent(policy.max_tie_rate)),
        "share of images on which the candidate may have a tie at the top",
    );
    field(
        "min_agreement",
        policy.min_agreement.map(percent),
        "smallest top-1 agreement with the reference",
    );
    field(
        "max_abs_logit_diff",
        policy.max_abs_logit_diff.map(|d| format!("{d:.3e}")),
        "largest accepted difference of a logit",
    );
    field(
        "expected_images",
        policy.expected_images.map(|n| n.to_string()),
        "required number of images",
    );
    let of = policy.expected_group_images;
    let images: Vec<String> = Group::ALL
        .into_iter()
        .filter_map(|group| Some(format!("{group} {}", of.get(group)?)))
        .collect();
    field(
        "expected_group_images",
        (!images.is_empty()).then(|| images.join(", ")),
        "required number of images of each group",
    );
    let groups = match policy.groups.by {
        GroupRule::Thirds => "thirds of the classes".to_owned(),
        GroupRule::Counts => format!(
            "few below {}, many above {} training images",
            policy.groups.few_below, policy.groups.many_above
        ),
    };
    field("groups", Some(groups), "how classes are assigned to groups");
    fields
}

fn margins(margins: GroupMargins) -> String {
    let [few, medium, many] = [margins.few, margins.medium, margins.many].map(plain);
    format!("few {few}, medium {medium}, many {many} pp")
}

fn backends(policy: &Policy) -> Markup {
    html! {
        table {
            caption { "Back ends with their own tolerances, and the reasons." }
            thead { tr { th scope="col" { "Back end" } th scope="col" { "Instead" } th scope="col" { "Reason" } } }
            tbody {
                @for (backend, own) in &policy.backends {
                    tr {
                        th scope="row" { (name(backend)) }
                        td { @for line in instead(own) { div { (line) } } }
                        td.sentence { (Text(&own.reason)) }
                    }
                }
            }
        }
    }
}

fn instead(own: &BackendPolicy) -> Vec<String> {
    [
        own.overall_margin_pp
            .map(|v| format!("overall_margin_pp {}", plain(v))),
        own.group_margin_pp
            .map(|v| format!("group_margin_pp {}", margins(v))),
        own.min_retained
            .map(|v| format!("min_retained {}", trimmed(v))),
        own.max_tie_rate
            .map(|v| format!("max_tie_rate {}", trimmed(v))),
        own.min_agreement
            .map(|v| format!("min_agreement {}", trimmed(v))),
        own.max_abs_logit_diff
            .map(|v| format!("max_abs_logit_diff {v:.3e}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
