#![expect(
    clippy::cast_possible_truncation,
    reason = "positions and small numbers, in range"
)]

use proptest::prelude::*;

use super::*;
use crate::affine::ActivationParams;

const KINDS: [ObserverKind; 5] = [
    ObserverKind::MinMax,
    ObserverKind::MovingAverage(0.01),
    ObserverKind::Percentile(99.9),
    ObserverKind::Mse,
    ObserverKind::Entropy,
];

fn seen(images: &[&[f32]]) -> Seen {
    let mut histogram = Histogram::new();
    let mut ranges = Vec::new();
    for values in images {
        let range = Range::of(values).unwrap();
        histogram.add(values, range.magnitude());
        ranges.push(range);
    }
    Seen {
        images: ranges,
        histogram,
    }
}

/// 20,000 products of three uniform numbers, times 4: many small values, few large ones.
fn peaked() -> Vec<f32> {
    // Knuth's 64-bit linear congruential generator, upper bits, in -1..1.
    let mut state = 20_260_301_u64;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut product = || draw() * draw() * draw() * 4.0;
    (0..20_000).map(|_| product()).collect()
}

#[test]
fn observer_name_round_trips_and_unknown_name_is_error() {
    for kind in KINDS {
        assert_eq!(kind.to_string().parse::<ObserverKind>().unwrap(), kind);
    }
    assert_eq!(
        "moving-average".parse::<ObserverKind>().unwrap(),
        ObserverKind::MovingAverage(0.01)
    );
    for bad in [
        "",
        "max",
        "mse:3",
        "percentile",
        "percentile:",
        "percentile:101",
        "percentile:NaN",
        "percentile:50",
        "moving-average:0",
        "moving-average:1.5",
    ] {
        assert!(bad.parse::<ObserverKind>().is_err(), "{bad}");
    }
}

#[test]
fn range_covers_every_lane_and_rejects_non_finite_values() {
    for length in [1, 5, 16, 17, 40] {
        for at in 0..length {
            let mut values = vec![0.5_f32; length];
            values[at] = -2.0;
            let high = if length == 1 { -2.0 } else { 0.5 };
            assert_eq!(Range::of(&values), Some(Range { low: -2.0, high }));
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                values[at] = bad;
                assert_eq!(Range::of(&values), None);
            }
        }
    }
    assert_eq!(Range::of(&[]), Some(Range::NOTHING));
}

#[test]
fn percentile_range_matches_onnx_runtime_within_a_bin() {
    let values = peaked();
    let positive: Vec<f32> = values.iter().map(|v| v.max(0.0)).collect();
    // Expected: HistogramCollector of ONNX Runtime 1.32 with 2,048 bins on the same values. The two
    // definitions differ if a share is a whole number of values, so no share here is.
    for (values, scheme, percent, low, high) in [
        (&values, Scheme::Affine, 99.0025, -2.583_473, 2.587_312),
        (&values, Scheme::Affine, 99.9025, -3.401_125, 3.282_124),
        (&values, Scheme::Affine, 99.9875, -3.623_772, 3.627_611),
        (&positive, Scheme::Affine, 99.0025, 0.0, 2.587_748),
        (&positive, Scheme::Affine, 99.9025, 0.0, 3.282_109),
        (&positive, Scheme::Affine, 99.9875, 0.0, 3.629_289),
        (&values, Scheme::Symmetric, 99.0025, -2.587_312, 2.587_312),
        (&values, Scheme::Symmetric, 99.9025, -3.335_866, 3.335_866),
        (&values, Scheme::Symmetric, 99.9875, -3.629_53, 3.629_53),
    ] {
        let found = seen(&[values]).range(ObserverKind::Percentile(percent), scheme);
        // ONNX Runtime returns the inner edge of the bin with the quantile, tailfold the outer edge: they
        // differ by at most one bin of each.
        let allowed = 2.0 * 3.931 / 2048.0 + 4.0 / 4096.0;
        for (found, expected) in [(found.low, low), (found.high, high)] {
            let off = (found - expected).abs();
            assert!(off <= allowed, "{percent} {scheme:?}: {found} {expected}");
        }
    }
}

#[test]
fn divergence_matches_onnx_runtime() {
    // The windows have multiples of 33 bins, for which both implementations form groups of equal size; ONNX
    // Runtime 1.32 rounds means to integers and adds in f32.
    let counts = |centre: i64| -> Vec<u64> {
        let count = |i: i64| 1_000_000_000 / (1 + (i - centre).pow(2)) + 1000;
        (0..231).map(|i| count(i).unsigned_abs()).collect()
    };
    for (centre, expected) in [
        (115, [0.061_170_15, 0.085_659_73, 0.167_384_3, 0.269_796_7]),
        (100, [0.074_613_6, 0.087_612_97, 0.167_721_2, 0.296_624_4]),
    ] {
        for (half, expected) in [16, 49, 82, 115].into_iter().zip(expected) {
            let found = entropy::divergence(&counts(centre), 115 - half, 116 + half, 33);
            let off = (found - expected).abs() / expected;
            assert!(off < 1e-4, "{centre}, {half}: {found} {expected}");
        }
    }
}

#[test]
fn moving_average_matches_onnx_runtime() {
    let images: [&[f32]; 3] = [&[-1.0, 2.0], &[-3.0, 8.0], &[0.0, 1.0]];
    let found = seen(&images).range(ObserverKind::MovingAverage(0.25), Scheme::Affine);
    // Lower end from -1 to -3: -1.5, then to 0: -1.125; upper end from 2 to 8: 3.5, then to 1: 2.875.
    let expected = Range {
        low: -1.125,
        high: 2.875,
    };
    assert_eq!(found, expected);
}

#[test]
fn percentile_leaves_an_outlier_out_but_min_max_and_mse_do_not() {
    let mut values: Vec<f32> = (0..10_000_u16).map(|i| f32::from(i) / 10_000.0).collect();
    values.push(100.0);
    let seen = seen(&[&values]);
    for scheme in [Scheme::Affine, Scheme::Symmetric] {
        let high = |kind| seen.range(kind, scheme).high;
        assert!((high(ObserverKind::MinMax) - 100.0).abs() < 1e-6);
        assert!(high(ObserverKind::Percentile(99.9)) < 1.1);
        assert!((high(ObserverKind::Percentile(100.0)) - 100.0).abs() < 1e-6);
        // 256 steps up to 100 cost 10,000 values 0.013 each, squared and summed 127; clipping the outlier
        // costs more.
        assert!(high(ObserverKind::Mse) > 50.0);
    }
}

#[test]
fn no_other_window_has_less_divergence() {
    let mut values = peaked();
    values.push(40.0);
    let seen = seen(&[&values]);
    for (scheme, levels) in [(Scheme::Affine, 256), (Scheme::Symmetric, 128)] {
        let high = seen.range(ObserverKind::Entropy, scheme).high;
        let line = match scheme {
            Scheme::Affine => seen.histogram.line(),
            Scheme::Symmetric => seen.histogram.magnitudes(),
        };
        let mut line = line.coarser(1024);
        line.counts[line.zero] = line.counts[line.zero + 1];
        let of = |half: usize| {
            let (from, to) = (line.zero.saturating_sub(half), line.zero + half);
            entropy::divergence(&line.counts, from, to.min(line.counts.len()), levels)
        };
        let found = of((f64::from(high) / line.width).round() as usize);
        for half in (levels..line.counts.len() - line.zero).step_by(97) {
            assert!(found <= of(half), "{scheme:?}: {high}, {half}");
        }
        assert!(high < 20.0, "{scheme:?}: {high}");
    }
}

proptest! {
    #[test]
    fn range_lies_within_observed_values(
        values in prop::collection::vec(-5.0_f32..9.0, 1..400), split in 0.0_f64..1.0,
    ) {
        let (a, b) = values.split_at((values.len() as f64 * split) as usize);
        let parts: Vec<&[f32]> = [a, b].into_iter().filter(|p| !p.is_empty()).collect();
        let seen = seen(&parts);
        let all = Range::of(&values).unwrap();
        for kind in KINDS {
            let range = seen.range(kind, Scheme::Affine);
            prop_assert!(range.low <= range.high, "{kind}: {range:?}");
            prop_assert!(all.low <= range.low && range.high <= all.high, "{kind}: {range:?}");
            let range = seen.range(kind, Scheme::Symmetric);
            prop_assert!((range.low + range.high).abs() < 1e-6 && range.high >= 0.0);
            prop_assert!(range.high <= all.high.max(-all.low));
        }
    }

    #[test]
    fn mse_range_has_at_most_the_error_of_min_max(
        values in prop::collection::vec(-2.0_f32..2.0, 50..400), outlier in 2.0_f32..60.0,
    ) {
        let mut values = values;
        values.push(outlier);
        let error = |range: Range, scheme| -> f64 {
            let params = ActivationParams::of_range(range, scheme);
            let off = |v: &f32| f64::from(params.dequantize(params.quantize(*v)) - v);
            values.iter().map(|v| off(v).powi(2)).sum()
        };
        let seen = seen(&[&values]);
        for scheme in [Scheme::Affine, Scheme::Symmetric] {
            let [mse, all] = [ObserverKind::Mse, ObserverKind::MinMax]
                .map(|kind| error(seen.range(kind, scheme), scheme));
            // The search sees only the centres of bins, at least 8 of which make a step.
            prop_assert!(mse <= all * 1.05 + 1e-9, "{scheme:?}: {mse} {all}");
        }
    }

    #[test]
    fn percentile_range_matches_sorted_values_within_a_bin(
        values in prop::collection::vec(-4.0_f32..7.0, 100..500), percent in 60.0_f64..99.9,
    ) {
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        let outside = values.len() as f64 * (1.0 - percent / 100.0) / 2.0;
        let left_out = outside.floor() as usize;
        let exact = [sorted[left_out], sorted[values.len() - 1 - left_out]];
        let found = seen(&[&values]).range(ObserverKind::Percentile(percent), Scheme::Affine);
        // One bin of 8 / 4096, since ends are rounded outwards.
        let bin = 8.0 / 4096.0;
        prop_assert!(found.low <= exact[0] && exact[0] - found.low <= bin, "{found:?} {exact:?}");
        prop_assert!(found.high >= exact[1] && found.high - exact[1] <= bin, "{found:?} {exact:?}");
    }
}
