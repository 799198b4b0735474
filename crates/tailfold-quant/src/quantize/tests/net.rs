//! Random float networks, in the forms that exporters write.

mod builder;

use proptest::prelude::*;
use proptest::sample::Index;

/// One operator. `read` chooses its input among all previous images; `None` is the previous one.
#[derive(Clone, Debug)]
pub(super) struct Step {
    read: Option<Index>,
    op: Op,
}

#[derive(Clone, Debug)]
enum Op {
    Conv(Conv),
    Relu,
    /// Clip with these ends, one of which may be missing.
    Clip(Option<f32>, Option<f32>),
    /// Addition of another image of the same shape, or of the input itself.
    Add(Index),
    AddConstant,
    /// Side of the window, and stride.
    MaxPool(usize, usize),
}

#[derive(Clone, Debug)]
struct Conv {
    filters: usize,
    kernel: [usize; 2],
    stride: usize,
    depthwise: bool,
    biased: bool,
    /// The weights of the first filter are zero.
    dead: bool,
    /// Reuses the weights of an earlier convolution of the same shape, if there is one.
    shared: bool,
}

/// A whole network.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) image: [usize; 3],
    steps: Vec<Step>,
    pooled: bool,
    hidden: Option<usize>,
    classes: usize,
    /// Shape of the head's bias, if it has one: ONNX allows fewer values than logits.
    bias: Bias,
    pub(super) seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Bias {
    Absent,
    Scalar,
    One,
    Row,
    Matrix,
}

fn conv() -> impl Strategy<Value = Conv> {
    let side = prop_oneof![Just(1_usize), Just(3)];
    let shape = (1_usize..7, [side.clone(), side], 1_usize..3);
    let kind = (
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.4),
    );
    (shape, kind).prop_map(
        |((filters, kernel, stride), (depthwise, biased, dead, shared))| Conv {
            filters,
            kernel,
            stride,
            depthwise,
            biased,
            dead,
            shared,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let op = prop_oneof![
        5 => conv().prop_map(Op::Conv),
        2 => Just(Op::Relu),
        1 => Just(Op::Clip(Some(0.0), Some(0.75))),
        1 => Just(Op::Clip(Some(-0.25), None)),
        1 => Just(Op::Clip(None, Some(0.5))),
        3 => any::<Index>().prop_map(Op::Add),
        1 => Just(Op::AddConstant),
        1 => (1_usize..4, 1_usize..3).prop_map(|(side, stride)| Op::MaxPool(side, stride)),
    ];
    let read = prop::option::weighted(0.25, any::<Index>());
    (read, op).prop_map(|(read, op)| Step { read, op })
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let bias = prop_oneof![
        Just(Bias::Absent),
        Just(Bias::Scalar),
        Just(Bias::One),
        Just(Bias::Row),
        Just(Bias::Matrix)
    ];
    let image = (1_usize..4, 3_usize..9, 3_usize..9).prop_map(|(c, h, w)| [c, h, w]);
    let steps = prop::collection::vec(step(), 0..8);
    let hidden = prop::option::of(2_usize..6);
    (
        image,
        steps,
        any::<bool>(),
        hidden,
        2_usize..6,
        bias,
        any::<u64>(),
    )
        .prop_map(|(image, steps, pooled, hidden, classes, bias, seed)| Plan {
            image,
            steps,
            pooled,
            hidden,
            classes,
            bias,
            seed,
        })
}
