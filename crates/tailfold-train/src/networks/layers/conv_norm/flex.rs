//! The operation on the CPU back end, and its gradient.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, ExtensionType, Flex, backend_extension};
use burn_flex::FlexTensor;
use tailfold_conv::{ConvShape, ImageGradients, Isa, Tape, Unit, Weights};

use super::super::buffers::{give, take};
use super::super::channels_last::{
    change, channels_last, dims, image_values, row_major, tensor, values, vector,
};
use super::super::gradients::{accumulate, add, used};

/// What is not a tensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Vertical and horizontal step.
    pub(crate) stride: [usize; 2],
    /// Rows above and below, columns on the left and on the right.
    pub(crate) padding: [usize; 2],
    /// Added to the variance.
    pub(crate) epsilon: f64,
    /// End in a ReLU.
    pub(crate) activate: bool,
}

/// What is added before the activation.
#[derive(ExtensionType)]
pub(crate) enum Residual<B: Backend> {
    /// Images of the result's shape.
    Images(FloatTensor<B>),
    /// Nothing.
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

/// What to normalise with.
#[derive(ExtensionType)]
pub(crate) struct Statistics<B: Backend> {
    /// Mean, `[c_out]`.
    pub(crate) mean: FloatTensor<B>,
    /// Variance, `[c_out]`.
    pub(crate) variance: FloatTensor<B>,
}

/// What training gets.
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
    /// `x`: `[n, c_in, h, w]`, `weight`: `[c_out, c_in, kh, kw]`, `residual`: of the result's shape.
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
    /// As [`FusedTraining::conv_norm`], with the statistics to normalise with.
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

/// What the backward pass needs.
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

/// The forward pass and what it leaves behind.
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

/// The gradient; parents are the input, the weight, gamma, beta and, as a fifth, the residual.
#[derive(Debug)]
struct ConvNormBackward;

impl<const N: usize> Backward<Flex, N> for ConvNormBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        used(ops.node.id);
        let grad = channels_last(grads.consume::<Flex>(&ops.node));
        let saved = ops.state;
        let (unit, _) = unit(&saved.x, &saved.weight, saved.options);
        let (weight, gamma, beta) = (
            values(&saved.weight),
            values(&saved.gamma),
            values(&saved.beta),
        );
        let (mean, variance) = (values(&saved.mean), values(&saved.variance));
        let weights = Weights {
            conv: &weight,
            gamma: &gamma,
            beta: &beta,
            epsilon: epsilon(saved.options),
        };
        let tape = Tape {
            x: image_values(&saved.x),
            u: image_values(&saved.u),
            y: image_values(&saved.y),
            mean: &mean,
            variance: &variance,
        };
        let mut parents = ops.parents.into_iter();
        let mut parent = || parents.next().flatten();
        let (x, conv, of_gamma, of_beta, residual) =
            (parent(), parent(), parent(), parent(), parent());
        let grad_dims = dims(&grad);
        let grad_values = image_values(&grad);
        let mut before = match &residual {
            Some(_) if saved.options.activate => Some(take(grad_values.len())),
            _ => None,
        };
        let mut run = |x: Option<&mut [f32]>, add_x: bool| {
            let images = ImageGradients {
                x,
                add_x,
                residual: before.as_deref_mut(),
            };
            unit.backward(tape, weights, grad_values, images)
        };
        let gradients = match x {
            None => run(None, false),
            Some(x) => {
                let mut gradients = None;
                accumulate(
                    grads,
                    x.id,
                    x.parents.is_empty(),
                    |grads| grads.consume::<Flex>(&x),
                    |old| {
                        let add = old.is_some();
                        let empty = || tensor(take(tape.x.len()), dims(&saved.x));
                        change(old.unwrap_or_else(empty), |out| {
                            gradients = Some(run(Some(out), add));
                        })
                    },
                );
                gradients.expect("the gradient was asked for just now")
            }
        };
        if let Some(residual) = residual {
            let own = match before {
                Some(before) => tensor(before, grad_dims),
                None => grad.clone(),
            };
            accumulate(
                grads,
                residual.id,
                residual.parents.is_empty(),
                |grads| grads.consume::<Flex>(&residual),
                |old| match old {
                    None => own,
                    Some(old) => add(old, own),
                },
            );
        }
        if let Some(conv) = conv {
            let shape = saved.weight.layout().shape().clone();
            grads.register::<Flex>(conv.id, row_major(gradients.conv, shape));
        }
        if let Some(gamma) = of_gamma {
            grads.register::<Flex>(gamma.id, vector(gradients.gamma));
        }
        if let Some(beta) = of_beta {
            grads.register::<Flex>(beta.id, vector(gradients.beta));
        }
        let Saved { u, y, .. } = saved;
        [grad, u, y].into_iter().for_each(give);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> FusedTraining for Autodiff<Flex, C> {
    fn conv_norm(
        x: Tracked<C>,
        weight: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        residual: Residual<Self>,
        options: Options,
    ) -> Output<Self> {
        let nodes = [x.node(), weight.node(), gamma.node(), beta.node()];
        let run = |residual| {
            forward(
                x.into_primitive(),
                weight.into_primitive(),
                gamma.into_primitive(),
                beta.into_primitive(),
                residual,
                options,
            )
        };
        let output = |y, saved: Saved| Output {
            y,
            mean: Tracked::<C>::new(saved.mean),
            variance: Tracked::<C>::new(saved.variance),
        };
        match residual.images() {
            Some(residual) => {
                let [x, weight, gamma, beta] = nodes;
                let nodes = [x, weight, gamma, beta, residual.node()];
                let saved = run(Some(residual.into_primitive()));
                match ConvNormBackward
                    .prepare::<C>(nodes)
                    .compute_bound()
                    .stateful()
                {
                    OpsKind::Tracked(prep) => {
                        output(prep.finish(saved.clone(), saved.y.clone()), saved)
                    }
                    OpsKind::UnTracked(prep) => output(prep.finish(saved.y.clone()), saved),
                }
            }
            None => {
                let saved = run(None);
                match ConvNormBackward
                    .prepare::<C>(nodes)
                    .compute_bound()
                    .stateful()
                {
                    OpsKind::Tracked(prep) => {
                        output(prep.finish(saved.clone(), saved.y.clone()), saved)
                    }
                    OpsKind::UnTracked(prep) => output(prep.finish(saved.y.clone()), saved),
                }
            }
        }
    }
}
