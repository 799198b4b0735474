use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec};

use super::*;

struct Case {
    image: [usize; 3],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    before: [usize; 2],
    after: [usize; 2],
}

/// Returns distinct numbers of both signs that are not round.
fn values(count: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 / 317.0 - 1.4;
    (0..count).map(number).collect()
}

fn convolution(case: &Case, filters: usize) -> TractResult<TypedModel> {
    let [channels, height, width] = case.image;
    let mut model = TypedModel::default();
    let image = model.add_source("image", f32::fact([1, channels, height, width]))?;
    let [kh, kw] = case.kernel;
    let shape = [channels * filters, 1, kh, kw];
    let kernel = Tensor::from_shape(&shape, &values(shape.iter().product(), 1))?;
    let bias = Tensor::from_shape(&shape[..1], &values(shape[0], 2))?;
    let wires = [
        image,
        model.add_const("kernel", kernel)?,
        model.add_const("bias", bias)?,
    ];
    let spec = PoolSpec {
        data_format: DataFormat::NCHW,
        kernel_shape: TVec::from_slice(&case.kernel),
        padding: PaddingSpec::Explicit(
            TVec::from_slice(&case.before),
            TVec::from_slice(&case.after),
        ),
        dilations: Some(TVec::from_slice(&case.dilations)),
        strides: Some(TVec::from_slice(&case.strides)),
        input_channels: channels,
        output_channels: shape[0],
    };
    let conv = Conv::new(spec, KernelFormat::OIHW, channels, None);
    let output = model.wire_node("conv", conv, &wires)?;
    model.select_output_outlets(&output)?;
    model.into_decluttered()
}

fn answer(model: TypedModel, case: &Case) -> TractResult<Tensor> {
    let [channels, height, width] = case.image;
    let shape = [1, channels, height, width];
    let image = Tensor::from_shape(&shape, &values(shape.iter().product(), 3))?;
    let outputs = model
        .into_optimized()?
        .into_runnable()?
        .run(tvec!(image.into()))?;
    Ok(outputs[0].clone().into_tensor())
}

fn replaced(model: &TypedModel) -> bool {
    model.nodes().iter().any(|node| node.op_is::<Depthwise>())
}

fn check(case: &Case) {
    let model = convolution(case, 1).unwrap();
    let mut ours = model.clone();
    replace(&mut ours).unwrap();
    assert!(replaced(&ours));
    let expected = answer(model, case).unwrap();
    let found = answer(ours, case).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn replaced_convolution_equals_tract() {
    let plain = Case {
        image: [3, 9, 11],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        before: [1, 1],
        after: [1, 1],
    };
    check(&plain);
    // Rows are processed in several parts.
    check(&Case {
        image: [2, 61, 70],
        kernel: [5, 5],
        before: [2, 2],
        after: [2, 2],
        ..plain
    });
    // Phases of images with even and odd sizes, padded on one side only.
    for image in [[2, 14, 15], [2, 7, 8]] {
        check(&Case {
            image,
            strides: [2, 2],
            before: [0, 0],
            ..plain
        });
    }
    check(&Case {
        image: [2, 13, 17],
        kernel: [5, 3],
        strides: [3, 2],
        before: [4, 1],
        after: [0, 2],
        ..plain
    });
    check(&Case {
        dilations: [2, 3],
        before: [2, 3],
        after: [2, 3],
        strides: [1, 2],
        ..plain
    });
    // A row is longer than the buffer of sums.
    check(&Case {
        image: [1, 3, 1500],
        ..plain
    });
}

#[test]
fn several_filters_per_channel_are_not_replaced() {
    let case = Case {
        image: [3, 6, 6],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        before: [1, 1],
        after: [1, 1],
    };
    let mut model = convolution(&case, 2).unwrap();
    replace(&mut model).unwrap();
    assert!(!replaced(&model));
}
