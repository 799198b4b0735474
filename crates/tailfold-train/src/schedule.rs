//! Learning rate by step: linear warm-up, then a cosine or multi-step schedule.

use crate::config::ScheduleConfig;

/// Learning rate of `step` (from 0) out of `total`, with `warmup` steps of linear increase from `peak / warmup`.
///
/// The cosine falls to 0 at `total`; multi-step multiplies by `gamma` at each milestone, given as a fraction of
/// `total`.
pub fn learning_rate(
    schedule: &ScheduleConfig,
    peak: f64,
    step: usize,
    warmup: usize,
    total: usize,
) -> f64 {
    if step < warmup {
        return peak * (step + 1) as f64 / warmup as f64;
    }
    match schedule {
        ScheduleConfig::Cosine => {
            let done = (step - warmup) as f64 / (total.saturating_sub(warmup)).max(1) as f64;
            peak * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
        }
        ScheduleConfig::MultiStep { milestones, gamma } => {
            let passed = milestones
                .iter()
                .filter(|&&m| step as f64 >= m * total as f64)
                .count();
            peak * gamma.powi(i32::try_from(passed).unwrap_or(i32::MAX))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_warms_up_and_decays() {
        let check = |schedule: &ScheduleConfig, step, expect: f64| {
            let rate = learning_rate(schedule, 0.2, step, 4, 104);
            assert!((rate - expect).abs() < 1e-12, "{step}: {rate}");
        };
        check(&ScheduleConfig::Cosine, 0, 0.05);
        check(&ScheduleConfig::Cosine, 3, 0.2);
        check(&ScheduleConfig::Cosine, 4, 0.2);
        check(&ScheduleConfig::Cosine, 54, 0.1);
        check(&ScheduleConfig::Cosine, 104, 0.0);
        let steps = ScheduleConfig::MultiStep {
            milestones: vec![0.5, 0.75],
            gamma: 0.1,
        };
        check(&steps, 51, 0.2);
        check(&steps, 52, 0.02);
        check(&steps, 78, 0.002);
    }
}
