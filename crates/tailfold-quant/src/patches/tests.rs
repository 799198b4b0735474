use tailfold_onnx::proto::NodeProto;

use super::*;
use crate::affine::{ActivationParams, Scheme};

const PARAMS: ActivationParams = ActivationParams {
    scale: 0.1,
    zero_point: 20,
    scheme: Scheme::Affine,
};

fn conv() -> NodeProto {
    NodeProto::new("Conv", "conv", ["x", "w"], ["y"])
        .attr_ints("strides", &[2, 1])
        .attr_ints("pads", &[1, 0, 0, 1])
        .attr_ints("dilations", &[1, 2])
        .attr_int("group", 2)
}

/// Returns every value of a window at output `[row, column]` of an input `[4, 5, 6]`, by the definition of
/// Conv.
fn window_at(values: &[f32], group: usize, row: usize, column: usize) -> Vec<f32> {
    let mut window = Vec::new();
    for channel in 2 * group..2 * group + 2 {
        for (ky, kx) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
            let (y, x) = (row * 2 + ky, column + kx * 2);
            let inside = (1..6).contains(&y) && x < 6;
            window.push(if inside {
                values[(channel * 5 + y - 1) * 6 + x]
            } else {
                0.0
            });
        }
    }
    window
}

#[test]
fn sampled_windows_match_the_convolution() {
    let values: Vec<f32> = (0..120_u8).map(|i| f32::from(i % 31) * 0.1 - 1.5).collect();
    let windows = Windows::of(&conv(), &[6, 2, 3, 2], &[1, 4, 5, 6], PARAMS, 1).unwrap();
    assert_eq!((windows.groups, windows.dim), (2, 12));
    // Rows: (1 + 5 + 0 - 3) / 2 + 1; columns: (6 + 1 - 3) / 1 + 1.
    assert_eq!(windows.per_image, 10);
    let taken = windows.take(0, &values);
    let all: Vec<Vec<f32>> = (0..2)
        .flat_map(|row| (0..5).map(move |column| (row, column)))
        .map(|(row, column)| {
            [
                window_at(&values, 0, row, column),
                window_at(&values, 1, row, column),
            ]
            .concat()
        })
        .collect();
    assert_eq!(taken.codes.len(), 10 * 24);
    for window in taken.codes.chunks(24) {
        let seen: Vec<f64> = window.iter().map(|&byte| windows.value(byte)).collect();
        let same = |w: &&Vec<f32>| {
            w.iter()
                .zip(&seen)
                .all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5)
        };
        assert!(
            all.iter().find(same).is_some(),
            "no window of the convolution is {seen:?}"
        );
    }
}

#[test]
fn clipped_values_count_in_the_float_mean() {
    let node = NodeProto::new("Gemm", "head", ["x", "w"], ["y"]).attr_int("transB", 1);
    let windows = Windows::of(&node, &[3, 2], &[1, 2], PARAMS, 2).unwrap();
    // 30 and -4 lie outside the quantized range, which ends at 23.5 and -2.
    let images = [[30.0_f32, 0.31], [1.0, -4.0]];
    let taken: Vec<Taken> = images
        .iter()
        .enumerate()
        .map(|(i, x)| windows.take(i, x))
        .collect();
    let patches = Patches::join(windows, taken);
    let means = patches.means(0);
    let near = |a: &[f64], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(
        near(&means.quantized, [(23.5 + 1.0) / 2.0, (0.3 - 2.0) / 2.0]),
        "{means:?}"
    );
    assert!(
        near(&means.float, [(30.0 + 1.0) / 2.0, (0.31 - 4.0) / 2.0]),
        "{means:?}"
    );
    // Mean sums: 1 * 15.5 + 2 * -1.845, minus 1.5 * 12.25 + 2 * -0.85.
    let error = means.error(&[1.0, 2.0], &[1.5, 2.0]);
    assert!(
        (error - (15.5 - 3.69 - 18.375 + 1.7)).abs() < 1e-4,
        "{error}"
    );
    let second = patches.second_moments(0).remove(0);
    assert!((second[(0, 1)] - (23.5 * 0.3 - 2.0) / 2.0).abs() < 1e-5);
    let covariance = patches.covariance(0).remove(0);
    assert!((covariance[(0, 1)] - (second[(0, 1)] - 12.25 * -0.85)).abs() < 1e-5);
}

#[test]
fn mismatched_weights_name_the_layer() {
    let error = Windows::of(&conv(), &[6, 3, 3, 2], &[1, 4, 5, 6], PARAMS, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv has weights [6, 3, 3, 2] over an input [1, 4, 5, 6]: no sample of its input can be taken"
    );
}

#[test]
fn wide_layer_has_blocks_along_the_diagonal() {
    let dim = WIDE + 3;
    let values = |rows: usize| DMatrix::from_fn(rows, 2, |row, window| (row * (window + 2)) as f64);
    assert_eq!(blocks(values(WIDE / 1024)).len(), 1);
    let found = blocks(values(dim));
    let sizes: Vec<usize> = found.iter().map(DMatrix::nrows).collect();
    assert_eq!(sizes.iter().sum::<usize>(), dim);
    assert_eq!(sizes.last(), Some(&3));
    // Rows 8192 and 8194: the mean of 2 * 2 and 3 * 3, times their product.
    let expect = 6.5 * 8192.0 * 8194.0;
    assert!((found[WIDE / BLOCK][(0, 2)] - expect).abs() < 1e-3);
}
