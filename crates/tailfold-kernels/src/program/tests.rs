#![expect(
    clippy::cast_possible_truncation,
    reason = "small whole numbers, and a reference in double precision"
)]

use super::*;
use crate::blend::Blend;
use crate::conv::Epilogue;
use crate::frame::Border;
use crate::ports::Steps;
use crate::requantize::Requantize;
use crate::shape::Window;

fn steps() -> Steps {
    Steps::new(0.5, 0, [-128, 127]).unwrap()
}

fn quantize(output: usize) -> Layer {
    Layer {
        name: "in".to_owned(),
        operation: Operation::Quantize {
            input: 0,
            steps: steps(),
            output,
        },
    }
}

fn add(inputs: [usize; 2], output: usize) -> Layer {
    Layer {
        name: "sum".to_owned(),
        operation: Operation::Add {
            inputs,
            weights: [1.0, 1.0],
            clamp: [-128, 127],
            output,
        },
    }
}

fn dequantize(input: usize) -> Layer {
    Layer {
        name: "out".to_owned(),
        operation: Operation::Dequantize {
            input,
            steps: steps(),
            output: 0,
        },
    }
}

#[test]
fn tensor_can_be_added_to_itself_and_read_again() {
    let isa = Isa::detect().unwrap();
    let layers = vec![quantize(0), add([0, 0], 1), add([0, 1], 2), dequantize(2)];
    let program = Program::new(isa, &[[3, 2, 5]; 3], layers).unwrap();
    let image: Vec<f32> = (0..30).map(|i| i as f32 * 0.5 - 7.0).collect();
    let mut out = vec![0.0; 30];
    let mut workspace = program.workspace();
    for _ in 0..2 {
        program
            .run(&mut workspace, &[&image], &mut [&mut out])
            .unwrap();
        let expected: Vec<f32> = image.iter().map(|v| v * 3.0).collect();
        assert_eq!(out, expected);
    }
    let short = program.run(&mut workspace, &[&image[1..]], &mut [&mut out]);
    assert!(
        matches!(short, Err(KernelError::Length { found: 29, .. })),
        "{short:?}"
    );
    assert!(workspace.bytes() >= 3 * 30 * 2);
}

#[test]
fn sums_are_exact_on_every_isa_and_at_ties() {
    let blend = |isa| Blend::new(isa, [0.25, -0.75], [-100, 100]).unwrap();
    let frame = Frame::new(7, 3, 11);
    let codes = |seed: usize| -> Vec<i16> {
        (0..frame.len())
            .map(|i| i16::try_from((i * seed) % 511).unwrap() - 255)
            .collect()
    };
    let (a, b) = (codes(37), codes(101));
    for isa in Isa::available() {
        let mut out = vec![0; frame.len()];
        blend(isa).run([(&frame, &a), (&frame, &b)], &frame, &mut out);
        for (i, &code) in out[..frame.image()].iter().enumerate() {
            let exact = (f64::from(a[i]) * 0.25 - f64::from(b[i]) * 0.75).round_ties_even();
            let apart = f64::from(code) - exact.clamp(-100.0, 100.0);
            assert!(apart.abs() < 0.5, "{isa:?} at {i}: {apart} apart");
        }
    }
}

/// Returns a Quantize layer per tensor of `sizes`, each with a port of its own, and an image of test codes for each
/// port.
fn ported(sizes: &[[usize; 3]]) -> (Vec<Layer>, Vec<Vec<f32>>) {
    let layers = (0..sizes.len()).map(|port| Layer {
        name: format!("in {port}"),
        operation: Operation::Quantize {
            input: port,
            steps: Steps::new(1.0, 0, [-128, 127]).unwrap(),
            output: port,
        },
    });
    let images = sizes.iter().enumerate().map(|(port, size)| {
        let values = 0..size.iter().product();
        let code = |i: usize| ((i * 37 + port * 11) % 256) as f32 - 128.0;
        values.map(code).collect()
    });
    (layers.collect(), images.collect())
}

/// Runs `layers` with every instruction set, twice, and passes the dequantized result of the last layer to `check`.
fn on_every_isa(
    tensors: &[[usize; 3]],
    mut layers: Vec<Layer>,
    images: &[Vec<f32>],
    check: impl Fn(Isa, &[f32]),
) {
    let last = layers.last().and_then(|l| l.operation.writes()).unwrap();
    layers.push(Layer {
        name: "out".to_owned(),
        operation: Operation::Dequantize {
            input: last,
            steps: Steps::new(1.0, 0, [-128, 127]).unwrap(),
            output: 0,
        },
    });
    let images: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
    for isa in Isa::available() {
        let program = Program::new(isa, tensors, layers.clone()).unwrap();
        let mut out = vec![f32::NAN; program.outputs()[0]];
        let mut workspace = program.workspace();
        for _ in 0..2 {
            program
                .run(&mut workspace, &images, &mut [&mut out])
                .unwrap();
            check(isa, &out);
        }
    }
}

#[test]
fn table_gives_the_result_of_each_code_on_every_isa() {
    for channels in [1, 3, 8, 21] {
        let sizes = [[channels, 5, 7]];
        let (mut layers, images) = ported(&sizes);
        let result = |code: i16| (code * 7).rem_euclid(511) - 255;
        layers.push(Layer {
            name: "table".to_owned(),
            operation: Operation::Table {
                input: 0,
                first: -128,
                table: (-128..128).map(result).collect(),
                output: 1,
            },
        });
        on_every_isa(&[sizes[0]; 2], layers, &images, |isa, found| {
            for (&found, &code) in found.iter().zip(&images[0]) {
                assert_eq!(found as i16, result(code as i16), "{isa:?}");
            }
        });
    }
}

#[test]
fn concat_requantizes_each_input_to_its_channels_on_every_isa() {
    let weights = [0.5, 1.0, 0.3, 1.7];
    for channels in [
        [1, 3, 4, 2],
        [16, 32, 5, 16],
        [7, 40, 17, 1],
        [3, 8, 33, 15],
    ] {
        let sizes = channels.map(|c| [c, 3, 5]);
        let (mut layers, images) = ported(&sizes);
        layers.push(Layer {
            name: "concat".to_owned(),
            operation: Operation::Concat {
                inputs: vec![0, 1, 2, 3],
                weights: weights.to_vec(),
                clamp: [-100, 110],
                output: 4,
            },
        });
        let all = [channels.iter().sum(), 3, 5];
        let tensors = [&sizes[..], &[all]].concat();
        let expected = images.iter().zip(weights).flat_map(|(image, weight)| {
            let step = move |&code: &f32| f64::from(code) * weight;
            let codes = image.iter().map(step);
            codes.map(|s| s.round_ties_even().clamp(-100.0, 110.0) as f32)
        });
        let expected: Vec<f32> = expected.collect();
        on_every_isa(&tensors, layers, &images, |isa, found| {
            assert!(found == expected, "{isa:?}, {channels:?}");
        });
    }
}

#[test]
fn invalid_sizes_and_scales_are_errors() {
    let refused = |tensors: &[[usize; 3]], operation| {
        let layers = vec![
            quantize(0),
            Layer {
                name: "it".to_owned(),
                operation,
            },
        ];
        let error = Program::new(Isa::Portable, tensors, layers).unwrap_err();
        error.to_string()
    };
    let table = |first, codes: &[i16]| Operation::Table {
        input: 0,
        first,
        table: codes.to_vec(),
        output: 1,
    };
    let one = [[1, 2, 2]; 2];
    assert_eq!(
        refused(&one, table(-128, &[0; 255])),
        "layer `it`: the table has codes from -128 to 126, but the input has codes from -128 to 127"
    );
    assert!(refused(&one, table(i16::MAX, &[0; 9])).contains("the table has codes from"));
    assert!(refused(&one, table(-128, &[])).contains("the table has codes from"));
    assert_eq!(
        refused(&one, table(-128, &[300; 256])),
        "layer `it`: codes cannot lie between 300 and 300"
    );
    let concat = |inputs: &[usize], weights: &[f64]| Operation::Concat {
        inputs: inputs.to_vec(),
        weights: weights.to_vec(),
        clamp: [-128, 127],
        output: 1,
    };
    let two = [[1, 2, 2], [2, 2, 2]];
    assert_eq!(
        refused(&two, concat(&[0], &[1.0])),
        "layer `it`: the shape of all terms together is [1, 2, 2], expected [2, 2, 2]"
    );
    assert!(refused(&two, concat(&[0, 0], &[1.0])).contains("1 weights, expected 2"));
    assert!(refused(&two, concat(&[0, 0], &[1.0, f64::NAN])).contains("ratio"));
    assert!(refused(&two, concat(&[], &[])).contains("all terms"));
    let average = |stride, scale| Operation::AveragePool {
        input: 0,
        window: Window {
            kernel: [2, 2],
            stride: [stride, 1],
            ..Window::point()
        },
        counts_padding: false,
        scales: [scale, 1.0],
        clamp: [-128, 127],
        output: 1,
    };
    assert!(refused(&one, average(2, 1.0)).contains("do not give"));
    assert!(refused(&one, average(1, f32::NAN)).contains("ratio"));
    let product = |weight| Operation::Product {
        inputs: [0, 0],
        weight,
        clamp: [-128, 127],
        output: 1,
    };
    assert!(refused(&two, product(1.0)).contains("the shape of a product is"));
    assert!(refused(&one, product(f64::INFINITY)).contains("ratio"));
}

#[test]
fn ranges_of_codes_follow_the_operations() {
    let range = |operation: Operation| operation.range(&[[-5, 100], [3, 9], [-200, -7]]);
    let conv = |epilogue| Operation::Mean {
        input: 0,
        epilogue,
        output: Place::Tensor(3),
    };
    let requantize = Requantize::new(vec![1.0], vec![0.0], [-4, 251]).unwrap();
    let subsample = |input| Operation::Subsample {
        input,
        start: [0, 0],
        stride: [2, 2],
        first: 1,
        output: 3,
    };
    let pool = |window| Operation::MaxPool {
        input: 2,
        window,
        output: 3,
    };
    let two = Window {
        kernel: [2, 2],
        ..Window::point()
    };
    let padded = |top| Window {
        pads: Border {
            top,
            ..Border::default()
        },
        ..two
    };
    let dilated = |top| Window {
        dilation: [1, 2],
        ..padded(top)
    };
    assert_eq!(range(quantize(3).operation), [-128, 127]);
    assert_eq!(range(add([0, 1], 3).operation), [-128, 127]);
    assert_eq!(range(conv(Epilogue::Codes(requantize))), [-4, 251]);
    assert_eq!(
        [0, 1, 2].map(|i| range(subsample(i))),
        [[-5, 100], [0, 9], [-200, 0]]
    );
    assert_eq!(range(pool(two)), [-200, -7]);
    assert_eq!(range(pool(padded(1))), [-200, -7]);
    assert_eq!(range(pool(dilated(0))), [-200, -7]);
    // Some windows contain no pixel.
    assert_eq!(range(pool(padded(2))), [-255, -7]);
    assert_eq!(range(pool(dilated(1))), [-255, -7]);
}

#[test]
fn invalid_program_is_error_that_names_the_layer() {
    let isa = Isa::Portable;
    let refused = |tensors: &[[usize; 3]], layers| {
        Program::new(isa, tensors, layers).unwrap_err().to_string()
    };
    let unwritten = refused(&[[1, 2, 2]; 2], vec![add([0, 0], 1)]);
    assert_eq!(
        unwritten,
        "layer `sum`: it reads tensor 0, which no earlier layer writes"
    );
    let twice = refused(&[[1, 2, 2]], vec![quantize(0), quantize(0)]);
    assert_eq!(
        twice,
        "layer `in`: tensor 0 is missing or already written by another layer"
    );
    let sizes = refused(&[[1, 2, 2], [1, 2, 3]], vec![quantize(0), add([0, 0], 1)]);
    assert_eq!(
        sizes,
        "layer `sum`: the shape of a term is [1, 2, 2], expected [1, 2, 3]"
    );
    let empty = refused(&[[0, 2, 2]], vec![quantize(0)]);
    assert_eq!(empty, "layer `in`: [0, 2, 2] is too large, or empty");
    let conv = Layer {
        name: "conv".to_owned(),
        operation: Operation::Conv {
            input: 0,
            window: Window::point(),
            weights: vec![1; 4],
            filters: 4,
            groups: 1,
            epilogue: Epilogue::Real {
                scale: vec![1.0; 4],
                bias: vec![0.0; 3],
            },
            residual: None,
            output: Place::Port(0),
        },
    };
    let biases = refused(&[[1, 2, 2]], vec![quantize(0), conv]);
    assert_eq!(biases, "layer `conv`: 3 biases, expected 4");
}

#[test]
fn thread_count_follows_work_and_does_not_change_results() {
    let conv = |input, output, weights: usize| Layer {
        name: "conv".to_owned(),
        operation: Operation::Conv {
            input,
            window: Window::point(),
            weights: (-127..128).cycle().take(weights).collect(),
            filters: 64,
            groups: 1,
            epilogue: Epilogue::Codes(
                Requantize::new(vec![1e-3; 64], vec![0.25; 64], [-128, 127]).unwrap(),
            ),
            residual: None,
            output: Place::Tensor(output),
        },
    };
    let dequantize = |input| Layer {
        name: "out".to_owned(),
        operation: Operation::Dequantize {
            input,
            steps: steps(),
            output: 0,
        },
    };
    let program = |height| {
        let layers = vec![
            quantize(0),
            conv(0, 1, 64 * 64),
            conv(1, 2, 64 * 64),
            dequantize(2),
        ];
        let isa = Isa::detect().unwrap();
        Program::new(isa, &[[64, height, 30]; 3], layers).unwrap()
    };
    assert_eq!(program(30).workspace_on(8).unwrap().threads(), 1);
    let program = program(53);
    let values: Vec<f32> = (0..64 * 53 * 30).map(|i| (i % 97) as f32 - 48.0).collect();
    let run = |threads: usize| {
        let mut workspace = program.workspace_on(threads).unwrap();
        let mut out = vec![0.0; values.len()];
        program
            .run(&mut workspace, &[&values], &mut [&mut out])
            .unwrap();
        (workspace.threads(), out)
    };
    let (one, expected) = run(1);
    assert_eq!(one, 1);
    for threads in [2, 3, 8] {
        let (found, codes) = run(threads);
        // 64 * 64 * 53 * 30 products are enough for three threads.
        assert_eq!(found, threads.min(3));
        assert!(codes == expected, "{threads} threads");
    }
}
