//! The facts below a report's table, one per line.

use crate::page::printable;

use super::percent;
use crate::Report;

impl Report {
    /// One line per fact.
    pub(crate) fn facts(&self) -> Vec<String> {
        let mut facts = vec![
            format!(
                "flips: {} of {} images, {} toward more frequent classes, {} toward rarer ones",
                self.flips, self.images, self.flips_toward_frequent, self.flips_toward_rare
            ),
            format!(
                "ties at the top: {} in the reference, {} in the candidate",
                self.ties.reference, self.ties.candidate
            ),
            format!(
                "NaN or infinite: {} in the reference, {} in the candidate",
                self.non_finite.reference, self.non_finite.candidate
            ),
            match (self.max_abs_logit_diff, self.logit_distance) {
                (Some(diff), Some(distance)) => format!(
                    "logits differ by {diff:.3e} at most, {:.3e} on average (root mean square){}; mean divergence {:.2e} nats",
                    distance.rms,
                    distance
                        .signal_to_noise_db
                        .map_or(String::new(), |db| format!(", {db:.1} dB signal to noise")),
                    distance.mean_kl
                ),
                _ => "largest difference of a logit: none, because a logit is NaN or infinite"
                    .to_owned(),
            },
            format!(
                "calibration error: {:.2} % in the reference, {:.2} % in the candidate",
                100.0 * self.calibration_error.reference,
                100.0 * self.calibration_error.candidate
            ),
        ];
        for (group, mass) in self.masses.iter().rev() {
            facts.push(format!(
                "{group}: label of {:.2} % of the images, decision for {:.2} -> {:.2} %, mean probability {:.2} -> {:.2} %",
                100.0 * mass.labels,
                100.0 * mass.decisions.reference,
                100.0 * mass.decisions.candidate,
                100.0 * mass.probability.reference,
                100.0 * mass.probability.candidate
            ));
        }
        for (name, part) in self.parts().filter(|(_, part)| part.ties.images > 0) {
            facts.push(format!(
                "{name}: the lowest class wins ties; with another rule, the accuracy is between {} and {}",
                percent(part.ties.least_top1),
                percent(part.ties.most_top1)
            ));
        }
        for (name, sides) in [
            ("back ends", &self.backends),
            ("sha256", &self.model_sha256),
        ] {
            if !sides.reference.is_empty() || !sides.candidate.is_empty() {
                let (reference, candidate) =
                    (printable(&sides.reference), printable(&sides.candidate));
                facts.push(format!("{name}: {reference} against {candidate}"));
            }
        }
        facts
    }
}
