//! Chart of the differences of all sets, with their bounds, their margins and a line at zero.

use maud::{Markup, html};

use super::numbers::{length, plain, signed};
use super::pill;
use super::scale::Scale;
use crate::{Comparison, Report};

/// One row per set over a common axis.
pub(super) fn chart(report: &Report) -> Markup {
    let scale = common(report);
    html! {
        div.intervals {
            @for (name, part) in report.parts() {
                div.interval {
                    p {
                        strong { (name) } " " (pill(part.verdict))
                        span.numbers {
                            (signed(part.delta_pp)) " pp, " (signed(part.lower_bound_pp)) " to " (signed(part.upper_bound_pp))
                            ", margin " (plain(part.margin_pp))
                        }
                    }
                    (row(name, part, scale))
                }
            }
            (axis(scale))
            p.axis-title { "percentage points" }
        }
    }
}

/// An axis that covers zero, all bounds and all margins.
fn common(report: &Report) -> Scale {
    let values = report.parts().flat_map(|(_, part)| {
        [
            0.0,
            -1.15 * part.margin_pp,
            part.lower_bound_pp,
            part.upper_bound_pp,
            part.bootstrap.lower_bound_pp,
            part.bootstrap.upper_bound_pp,
        ]
    });
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = 0.06 * (high - low).max(0.1);
    Scale::linear(low - room, high + room)
}

fn row(name: &str, part: &Comparison, scale: Scale) -> Markup {
    let at = |value: f64| length(scale.at(value));
    let between = |low: f64, high: f64| length(scale.at(high) - scale.at(low));
    let margin = -part.margin_pp;
    let told = format!(
        "{name}: difference {} percentage points, bounds {} to {}, resampled {} to {}, margin {}",
        signed(part.delta_pp),
        signed(part.lower_bound_pp),
        signed(part.upper_bound_pp),
        signed(part.bootstrap.lower_bound_pp),
        signed(part.bootstrap.upper_bound_pp),
        signed(margin),
    );
    html! {
        svg width="100%" height="44" role="img" aria-label=(told) {
            title { (told) }
            rect.beyond x="0" y="0" width=(at(margin)) height="44" {}
            line.zero x1=(at(0.0)) x2=(at(0.0)) y1="0" y2="44" {}
            line.margin x1=(at(margin)) x2=(at(margin)) y1="0" y2="44" {}
            rect class={ "exact " (part.verdict) } x=(at(part.lower_bound_pp)) y="10" rx="3" height="12"
                width=(between(part.lower_bound_pp, part.upper_bound_pp)) {}
            @for end in [part.lower_bound_pp, part.upper_bound_pp] {
                line class={ "end " (part.verdict) } x1=(at(end)) x2=(at(end)) y1="7" y2="25" {}
            }
            circle class={ "point " (part.verdict) } cx=(at(part.delta_pp)) cy="16" r="5" {}
            line.resampled y1="34" y2="34" x1=(at(part.bootstrap.lower_bound_pp)) x2=(at(part.bootstrap.upper_bound_pp)) {}
            @for end in [part.bootstrap.lower_bound_pp, part.bootstrap.upper_bound_pp] {
                line.resampled x1=(at(end)) x2=(at(end)) y1="30" y2="38" {}
            }
        }
    }
}

fn axis(scale: Scale) -> Markup {
    html! {
        svg.axis width="100%" height="24" aria-hidden="true" {
            @for tick in scale.ticks(9.0) {
                line x1=(length(scale.at(tick))) x2=(length(scale.at(tick))) y1="0" y2="5" {}
                text x=(length(scale.at(tick))) y="18" text-anchor="middle" { (short(tick)) }
            }
        }
    }
}

/// Formats a tick without trailing zeros.
fn short(tick: f64) -> String {
    let text = format!("{tick:+.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "+0" | "-0" | "+" | "-" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn ticks_have_no_trailing_zeros() {
        for (tick, text) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (10.0, "+10"),
            (-0.25, "-0.25"),
            (20.0, "+20"),
        ] {
            assert_eq!(short(tick), text);
        }
    }
}
