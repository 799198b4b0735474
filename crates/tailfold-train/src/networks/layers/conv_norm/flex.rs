//! The fused operation on the CPU back end.

mod gradient;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex, backend_extension};
use burn_flex::FlexTensor;
use tailfold_conv::{ConvShape, Isa, Unit, Weights};

use super::super::buffers::{give, take};
use super::super::channels_last::{channels_last, dims, image_values, tensor, values, vector};

/// The settings of the operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Vertical and horizontal stride.
    pub(crate) stride: [usize; 2],
    /// Rows above and below, and columns on the left and on the right.
    pub(crate) padding: [usize; 2],
    /// Epsilon added to the variance.
    pub(crate) epsilon: f64,
    /// Whether the operation ends with a ReLU.
    pub(crate) activate: bool,
}

/// The term added before the activation.
#[derive(ExtensionType)]
pub(crate) enum Residual<B: Backend> {
    /// Images of the result's shape.
    Images(FloatTensor<B>),
    /// No residual.
    Absent,
}

impl<B: Backend> Residual<B> {
    fn images(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Images(images) => Some(images),
            Self::Absent => None,
        }
    }
}

/// The statistics for the normalization.
#[derive(ExtensionType)]
pub(crate) struct Statistics<B: Backend> {
    /// Mean, `[c_out]`.
    pub(crate) mean: FloatTensor<B>,
    /// Variance, `[c_out]`.
    pub(crate) variance: FloatTensor<B>,
}

/// The result of the operation in training.
#[derive(ExtensionType)]
pub(crate) struct Output<B: Backend> {
    /// The result, `[n, c_out, h', w']`.
    pub(crate) y: FloatTensor<B>,
    /// Mean over the batch, `[c_out]`, outside the graph.
    pub(crate) mean: FloatTensor<B>,
    /// Biased variance over the batch, `[c_out]`, outside the graph.
    pub(crate) variance: FloatTensor<B>,
}

/// The operation with the batch's own statistics.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait FusedTraining: Backend {
    /// `x` is `[n, c_in, h, w]`, `weight` is `[c_out, c_in, kh, kw]`, and `residual` has the result's shape.
    fn conv_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: Residual<Self>,
        options: Options,
    ) -> Output<Self>;
}

/// The operation with given statistics.
#[backend_extension(Flex)]
pub(crate) trait FusedInference: Backend {
    /// Like [`FusedTraining::conv_norm`], with the given statistics.
    fn conv_norm_inference(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] statistics: Statistics<Self>,
        #[extension_type] residual: Residual<Self>,
        options: Options,
    ) -> FloatTensor<Self>;
}

/// The tensors that the backward pass needs.
#[derive(Debug, Clone)]
struct Saved {
    x: FlexTensor,
    weight: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    u: FlexTensor,
    y: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
    options: Options,
}

fn unit(x: &FlexTensor, weight: &FlexTensor, options: Options) -> (Unit, [usize; 4]) {
    let [n, c_in, h, w] = dims(x);
    let [c_out, _, kh, kw] = dims(weight);
    let shape = ConvShape {
        n,
        input: [h, w],
        c_in,
        c_out,
        kernel: [kh, kw],
        stride: options.stride,
        padding: options.padding,
    };
    let fitting = "a network's layers fit its images";
    let [height, width] = shape.output().expect(fitting);
    let unit = Unit::new(Isa::detect(), shape, options.activate).expect(fitting);
    (unit, [n, c_out, height, width])
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the variance it is added to is in single precision"
)]
fn epsilon(options: Options) -> f32 {
    options.epsilon as f32
}

/// Runs the forward pass and returns its result with the tensors for the backward pass.
fn forward(
    x: FlexTensor,
    weight: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    residual: Option<FlexTensor>,
    options: Options,
) -> Saved {
    let x = channels_last(x);
    let residual = residual.map(channels_last);
    let (unit, dims) = unit(&x, &weight, options);
    let len = dims.iter().product();
    let trained = unit.forward(
        image_values(&x),
        Weights {
            conv: &values(&weight),
            gamma: &values(&gamma),
            beta: &values(&beta),
            epsilon: epsilon(options),
        },
        residual.as_ref().map(image_values),
        [take(len), take(len)],
    );
    Saved {
        x,
        weight,
        gamma,
        beta,
        u: tensor(trained.u, dims),
        y: tensor(trained.y, dims),
        mean: vector(trained.mean),
        variance: vector(trained.variance),
        options,
    }
}

impl FusedTraining for Flex {
    fn conv_norm(
        x: FlexTensor,
        weight: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: Residual<Self>,
        options: Options,
    ) -> Output<Self> {
        let saved = forward(x, weight, gamma, beta, residual.images(), options);
        Output {
            y: saved.y,
            mean: saved.mean,
            variance: saved.variance,
        }
    }
}

impl FusedInference for Flex {
    fn conv_norm_inference(
        x: FlexTensor,
        weight: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        statistics: Statistics<Self>,
        residual: Residual<Self>,
        options: Options,
    ) -> FlexTensor {
        let x = channels_last(x);
        let residual = residual.images().map(channels_last);
        let (unit, dims) = unit(&x, &weight, options);
        let y = unit.infer(
            image_values(&x),
            Weights {
                conv: &values(&weight),
                gamma: &values(&gamma),
                beta: &values(&beta),
                epsilon: epsilon(options),
            },
            [&values(&statistics.mean), &values(&statistics.variance)],
            residual.as_ref().map(image_values),
            take(dims.iter().product()),
        );
        give(x);
        residual.into_iter().for_each(give);
        tensor(y, dims)
    }
}
