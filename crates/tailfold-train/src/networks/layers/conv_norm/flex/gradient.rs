//! The gradient of the operation, registered in burn's graph.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use tailfold_conv::{ImageGradients, Tape, Weights};

use super::super::super::buffers::{give, take};
use super::super::super::channels_last::{
    change, channels_last, dims, image_values, row_major, tensor, values, vector,
};
use super::super::super::gradients::{accumulate, add, used};
use super::{FusedTraining, Options, Output, Residual, Saved, epsilon, forward, unit};

/// The gradient; the parents are the input, the weight, gamma, beta and, if present, the residual.
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
                gradients.expect("the gradient was just requested")
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
