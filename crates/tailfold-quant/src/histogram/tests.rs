#![expect(
    clippy::cast_possible_truncation,
    reason = "positions and small numbers, in range"
)]

use proptest::prelude::*;

use super::*;

/// Reference for the line of `values`, counted with the final width from the start.
fn naive(values: &[f32]) -> Line {
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let mut width = f64::from(FINEST).exp2();
    while f64::from(largest) >= width * BINS as f64 {
        width *= 2.0;
    }
    let place = |v: &&f32| (f64::from(v.abs()) / width) as usize;
    let side = |negative: bool| {
        let mut counts = Vec::new();
        for value in values.iter().filter(|v| (**v < 0.0) == negative) {
            let at = place(&value);
            if counts.len() <= at {
                counts.resize(at + 1, 0);
            }
            counts[at] += 1;
        }
        counts
    };
    let (below, above) = (side(true), side(false));
    Line {
        zero: below.len(),
        counts: below.into_iter().rev().chain(above).collect(),
        width,
    }
}

fn add(histogram: &mut Histogram, values: &[f32]) {
    let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    histogram.add(values, largest);
}

fn of(values: &[f32]) -> Histogram {
    let mut histogram = Histogram::new();
    add(&mut histogram, values);
    histogram
}

/// Values of very different magnitudes, zeros and subnormal numbers included.
fn any_size() -> impl Strategy<Value = f32> {
    (-1.0_f32..1.0, -45_i32..38).prop_map(|(v, e)| (f64::from(v) * 10_f64.powi(e)) as f32)
}

proptest! {
    #[test]
    fn doubled_histogram_equals_one_with_final_width(values in prop::collection::vec(any_size(), 1..40)) {
        let mut one_by_one = Histogram::new();
        values.iter().for_each(|&v| add(&mut one_by_one, &[v]));
        prop_assert_eq!(one_by_one.line(), naive(&values));
    }

    #[test]
    fn histogram_is_independent_of_order_and_merges(
        values in prop::collection::vec(any_size(), 3..60), cut in 0.0_f64..1.0,
    ) {
        let whole = of(&values);
        let (a, b) = values.split_at((values.len() as f64 * cut) as usize);
        prop_assert_eq!(&of(a).merge(of(b)), &whole);
        prop_assert_eq!(&of(b).merge(of(a)), &whole);
        let backwards: Vec<f32> = values.iter().rev().copied().collect();
        prop_assert_eq!(&of(&backwards), &whole);
    }

    #[test]
    fn every_value_is_counted(values in prop::collection::vec(-9.0_f32..5.0, 1..500)) {
        let histogram = of(&values);
        for line in [histogram.line(), histogram.magnitudes(), histogram.line().coarser(64)] {
            prop_assert_eq!(line.counts.iter().sum::<u64>(), values.len() as u64);
            prop_assert!(line.counts.len() <= 2 * BINS);
        }
    }
}

#[test]
fn histogram_round_trips_through_its_parts() {
    let (a, b) = ([-3.0, 0.25, 1e-40, 0.0], [700.0, -0.0, 0.5]);
    let travelled = |histogram: Histogram| {
        let (exponent, counts) = histogram.to_parts();
        Histogram::from_parts(exponent.into(), &counts).unwrap()
    };
    let merged = travelled(of(&a))
        .merge(travelled(Histogram::new()))
        .merge(travelled(of(&b)));
    assert_eq!(merged.line(), of(&[&a[..], &b].concat()).line());
    assert_eq!(Histogram::from_parts(0, &[0; 3]), None);
    assert_eq!(Histogram::from_parts(i64::MAX, &[0; 2 * BINS]), None);
}

#[test]
fn magnitudes_equal_histogram_of_absolute_values() {
    let values = [-3.0, 0.25, 1.5, -0.25, 0.0, 2.99];
    let absolute: Vec<f32> = values.iter().map(|v: &f32| v.abs()).collect();
    assert_eq!(of(&values).magnitudes(), of(&absolute).line());
}

#[test]
fn coarser_line_keeps_bin_edges() {
    let line = of(&[-1.0, 3.0]).line();
    let coarse = line.coarser(100);
    assert!(coarse.counts.len() <= 200);
    assert!(coarse.edge(0) <= line.edge(0));
    assert!(coarse.edge(coarse.counts.len()) >= line.edge(line.counts.len()));
    assert!(coarse.edge(coarse.zero).abs() < f64::MIN_POSITIVE);
}

#[test]
fn negative_zero_counts_as_zero() {
    let values: Vec<f32> = [0.0, -0.0, 1.0, -0.0].repeat(CHUNK);
    let line = of(&values).line();
    assert_eq!((line.zero, line.counts[0]), (0, 3 * CHUNK as u64));
}

#[test]
fn values_beside_bin_edges_are_counted_in_the_right_bin() {
    // Each edge of a bin, its two neighbouring floats, and their negatives: rounding to nearest would move
    // them.
    let edges = (0..BINS).map(|bin| bin as f32 / 4.0);
    let near = edges.flat_map(|edge| [edge, edge.next_down(), edge.next_up()]);
    let values: Vec<f32> = near.flat_map(|v| [v, -v]).collect();
    assert_eq!(of(&values).line(), naive(&values));
}
