//! Operators at the border between integer and float.

use super::*;

#[test]
fn quantized_tensors_other_than_images_and_rows_stay_float() {
    for dims in [&[1, 7, 12][..], &[1, 2, 3, 2, 7]] {
        let mut net = Net::new(8, [2, 6, 7]);
        let x = net.quantized("image", 0.02);
        let to: Vec<i64> = dims.iter().map(|&d| i64::try_from(d).unwrap()).collect();
        let shape = net.constant("shape", &[to.len()], &to);
        let tokens = net.push("Reshape", &[&x, &shape]);
        let tokens = net.quantized(&tokens, 0.02);
        let both = net.push("Add", &[&tokens, &tokens]);
        let both = net.quantized(&both, 0.04);
        let model = net.model(&both, dims);
        let shapes = Shapes::from([tokens, both.clone()].map(|name| (name, dims.to_vec())));
        let lowered = lower(model, Isa::detect().unwrap(), &shapes).unwrap();
        let left = lowered.nodes.iter().filter(|n| n.kernel.is_none());
        let left: Vec<&str> = left.map(|n| n.operator.as_str()).collect();
        assert_eq!(left, ["Reshape", "Add"]);
        assert_eq!(lowered.regions.len(), 1);
    }
}

#[test]
fn squeeze_and_unsqueeze_are_part_of_the_integer_classifier() {
    for input in [false, true] {
        let mut net = Net::new(9, [12, 3, 4]);
        let x = net.quantized("image", 0.02);
        let mean = net.push("GlobalAveragePool", &[&x]);
        let mean = net.quantized(&mean, 0.02);
        let with_axes = |net: &mut Net, op: &str, x: &str| {
            if input {
                let axes = net.constant("axes", &[2], &[-1_i64, 2]);
                net.push(op, &[x, &axes])
            } else {
                net.push_with(op, &[x], |n| n.attr_ints("axes", &[2, 3]))
            }
        };
        let row = with_axes(&mut net, "Squeeze", &mean);
        let row = net.quantized(&row, 0.02);
        let image = with_axes(&mut net, "Unsqueeze", &row);
        let image = net.quantized(&image, 0.02);
        let out = net.conv(&image, [12, 5], 1, [1, 1]);
        let model = net.model(&out, &[1, 5, 1, 1]);
        let classifier = IntegerClassifier::from_model(model).unwrap();
        assert_eq!(classifier.num_classes(), 5);
        assert_eq!(classifier.region().outputs[0].1, [1, 5, 1, 1]);
    }
}

#[test]
fn average_pool_matches_the_onnx_specification() {
    let mut integer = 0;
    for seed in 0..400 {
        let mut net = Net::new(seed, [5, 7, 9]);
        let mut below = |n: i64| net.rng.random_range(0..n);
        let kernel = [1 + below(4), 1 + below(4)];
        let strides = [1 + below(3), 1 + below(4)];
        let dilations = if below(3) == 0 { [2, 1] } else { [1, 1] };
        let pads = [below(3), below(3), below(3), below(3)];
        let (counts, ceil) = (below(2), below(2));
        let x = net.quantized("image", 0.02);
        let y = net.push_with("AveragePool", &[&x], |n| {
            n.attr_ints("kernel_shape", &kernel)
                .attr_ints("strides", &strides)
                .attr_ints("dilations", &dilations)
                .attr_ints("pads", &pads)
                .attr_int("count_include_pad", counts)
                .attr_int("ceil_mode", ceil)
        });
        let out = net.quantized(&y, 0.01);
        let image: Vec<f32> = (0..5 * 63)
            .map(|_| net.rng.random_range(-2.0..2.0))
            .collect();
        let model = net.model(&out, &[1, 5, 0, 0]);
        let means = exact::evaluate(&model, &image);
        for isa in Isa::available() {
            let lowered = lower(model.clone(), isa, &Shapes::new()).unwrap();
            if lowered.nodes[0].kernel.is_none() {
                let alone = (0..4).any(|i| pads[i] >= kernel[i % 2]);
                let dilated = counts == 0 && dilations != [1, 1];
                assert!(alone || dilated, "seed {seed}");
                continue;
            }
            integer += 1;
            let [region] = &lowered.regions[..] else {
                panic!("seed {seed}")
            };
            assert_eq!(region.outputs[0].1, means[&out].shape, "seed {seed}");
            let found = run(region, &image);
            let expected: Vec<f32> = means[&out].values.iter().map(|&v| v as f32).collect();
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-7 * b.abs();
            assert!(
                found.iter().zip(&expected).all(close),
                "seed {seed}, {isa:?}"
            );
        }
    }
    let networks = integer / Isa::available().len();
    assert!(networks > 100, "{networks} of 400 have an integer kernel");
}

#[test]
fn average_pool_with_valid_padding_stays_float_where_runtimes_disagree_on_ceil_mode() {
    for (size, kernel) in [(5, None), (6, Some("average"))] {
        let mut net = Net::new(5, [6, size, size]);
        let x = net.quantized("image", 0.02);
        let y = net.push_with("AveragePool", &[&x], |n| {
            n.attr_ints("kernel_shape", &[2, 2])
                .attr_ints("strides", &[2, 2])
                .attr_str("auto_pad", "VALID")
                .attr_int("ceil_mode", 1)
        });
        let out = net.quantized(&y, 0.02);
        let model = net.model(&out, &[1, 6, size / 2, size / 2]);
        let lowered = lower(model, Isa::detect().unwrap(), &Shapes::new()).unwrap();
        assert_eq!(lowered.nodes[0].kernel, kernel, "{size}");
    }
}

#[test]
fn function_behind_dilated_max_pool_is_table_without_padding_and_float_with_padding() {
    for pads in [[0; 4], [1; 4]] {
        let found = function(|net, x| {
            let y = net.push_with("MaxPool", &[x], |n| {
                n.attr_ints("kernel_shape", &[2, 2])
                    .attr_ints("dilations", &[2, 2])
                    .attr_ints("pads", &pads)
            });
            let y = net.quantized(&y, 0.02);
            net.push("Tanh", &[&y])
        });
        let whole = found.iter().all(|(_, kernel)| kernel.is_some());
        assert_eq!(whole, pads == [0; 4], "{found:?}");
    }
}

/// Returns operator and kernel of each node of a network in which `write` adds float nodes between two quantizations.
fn function(write: impl FnOnce(&mut Net, &str) -> String) -> Vec<(String, Option<&'static str>)> {
    let mut net = Net::new(5, [6, 3, 4]);
    let x = net.quantized("image", 0.02);
    let y = write(&mut net, &x);
    let out = net.quantized(&y, 0.02);
    let model = net.model(&out, &[1, 6, 3, 4]);
    let lowered = lower(model, Isa::detect().unwrap(), &Shapes::new()).unwrap();
    let kernels = lowered.nodes.into_iter();
    kernels.map(|n| (n.operator, n.kernel)).collect()
}

#[test]
fn functions_of_several_values_or_with_other_readers_stay_float() {
    type Write = fn(&mut Net, &str) -> String;
    let tables: [Write; 3] = [
        |net, x| net.push("Tanh", &[x]),
        |net, x| {
            let zero = net.push("Sub", &[x, x]);
            net.push("Exp", &[&zero])
        },
        // Infinity saturates to the smallest or largest code.
        |net, x| {
            let size = net.push("Abs", &[x]);
            net.push("Log", &[&size])
        },
    ];
    for write in tables {
        let found = function(write);
        assert!(found.iter().all(|(_, k)| *k == Some("table")), "{found:?}");
    }
    let float: [Write; 9] = [
        // The result has the type of the base.
        |net, x| {
            let two = net.constant("two", &[], &[2_i32]);
            net.push("Pow", &[&two, x])
        },
        // NaN for negative codes.
        |net, x| net.push("Sqrt", &[x]),
        |net, x| net.push("Log", &[x]),
        |net, x| {
            let slopes = net.constant("slopes", &[6, 1, 1], &[0.5_f32; 6]);
            net.push("PRelu", &[x, &slopes])
        },
        |net, x| {
            let more = net.constant("more", &[1, 1, 1, 1, 1], &[0.5_f32]);
            net.push("Mul", &[x, &more])
        },
        |net, x| {
            let words = net.constant("words", &[], &[1_u8]);
            net.push("Mul", &[x, &words])
        },
        |net, x| {
            let y = net.push("Tanh", &[x]);
            net.push("Softmax", &[&y]);
            y
        },
        |net, x| {
            let y = net.push("Tanh", &[x]);
            net.push("Mul", &[&y, "image"])
        },
        |net, x| {
            let other = net.quantized("image", 0.5);
            let y = net.push("Tanh", &[x]);
            net.push("Mul", &[&y, &other])
        },
    ];
    for write in float {
        let found = function(write);
        assert!(found.iter().all(|(_, k)| k.is_none()), "{found:?}");
    }
    // More operators than a function may have.
    let found = function(|net, x| (0..70).fold(x.to_owned(), |y, _| net.push("Tanh", &[&y])));
    assert!(found.iter().all(|(_, k)| k.is_none()));
}

#[test]
fn concat_of_other_axes_float_tensors_flattened_images_or_too_many_inputs_stays_float() {
    type Write = fn(&mut Net, &str) -> String;
    let join = |net: &mut Net, terms: &[&str], axis| {
        let joined = net.push_with("Concat", terms, |n| n.attr_int("axis", axis));
        net.turned(&joined)
    };
    let cases: [Write; 3] = [
        |net, x| net.push_with("Concat", &[x, x], |n| n.attr_int("axis", 2)),
        |net, x| net.push_with("Concat", &[x, "image"], |n| n.attr_int("axis", 1)),
        |net, x| {
            let row = net.push("Flatten", &[x]);
            let row = net.quantized(&row, 0.1);
            net.push_with("Concat", &[&row, &row], |n| n.attr_int("axis", 1))
        },
    ];
    for write in cases {
        let found = function(write);
        let concat = found.iter().find(|(op, _)| op == "Concat").unwrap();
        assert_eq!(concat.1, None);
    }
    for (count, kernel) in [(256, Some("concat")), (257, None)] {
        let found =
            function(|net, x| net.push_with("Concat", &vec![x; count], |n| n.attr_int("axis", 1)));
        assert_eq!(found[0], ("Concat".to_owned(), kernel));
    }
    // The result is not quantized.
    let found = function(|net, x| join(net, &[x, x], 1));
    assert_eq!(found[0], ("Concat".to_owned(), None));
}
