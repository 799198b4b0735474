//! Limits the shifts to the measured error of each logit.

/// Number of bisections of the interval of the common value: more than the 53 bits of precision of an f64.
const HALVINGS: usize = 60;

/// Clamps each of `shifts` `[classes]`, sum 0, to its limit in `limits` `[classes]`, after subtracting a common value
/// that keeps the sum 0.
///
/// Shifts within their limits are returned unchanged.
pub(super) fn limited(shifts: Vec<f64>, limits: &[f64]) -> Vec<f64> {
    let cut = |common: f64| -> Vec<f64> {
        let pairs = shifts.iter().zip(limits);
        pairs
            .map(|(h, limit)| (h - common).clamp(-limit, *limit))
            .collect()
    };
    if shifts
        .iter()
        .zip(limits)
        .all(|(h, limit)| h.abs() <= *limit)
    {
        return shifts;
    }
    // The sum falls from the sum of the limits to its negative as the common value rises.
    let ends = shifts.iter().zip(limits).map(|(h, limit)| h.abs() + limit);
    let mut high = ends.fold(0.0, f64::max);
    let mut low = -high;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if cut(middle).iter().sum::<f64>() > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    cut(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn limited_shifts_stay_within_limits_and_sum_to_zero(
            pairs in prop::collection::vec((-20.0_f64..20.0, 0.0_f64..2.0), 2..12)
        ) {
            let (mut shifts, limits): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let mean = shifts.iter().sum::<f64>() / shifts.len() as f64;
            shifts.iter_mut().for_each(|h| *h -= mean);
            let cut = limited(shifts, &limits);
            prop_assert!(cut.iter().zip(&limits).all(|(h, limit)| h.abs() <= *limit), "{cut:?}");
            prop_assert!(cut.iter().sum::<f64>().abs() < 1e-9, "{cut:?}");
        }
    }

    #[test]
    fn shifts_within_limits_are_unchanged() {
        assert_eq!(limited(vec![0.5, -0.5], &[0.5, 0.75]), [0.5, -0.5]);
        assert_eq!(limited(vec![3.0, -3.0], &[0.5, 9.0]), [0.5, -0.5]);
        assert_eq!(limited(vec![3.0, -3.0], &[0.0, 0.0]), [0.0, 0.0]);
    }
}
