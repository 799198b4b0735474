//! Faults of preprocessing: another normalisation, another filter, another order of channels.

use tailfold_data::Pixels;
use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, Dimension, ValueInfoProto};
use tailfold_spec::{Filter, ModelCard, Resize};

use super::trial::{Bench, Caught, Fault, Trial, Way};
use crate::fixture::embedded;
use crate::ties::shipped;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "wrong mean and std, form of the same checkpoint",
        caught: Caught::Refused("preprocessing", "preprocess.mean is"),
        plant: |bench, way| Some(normalized(bench, way, true)),
    },
    Fault {
        name: "wrong mean and std, another checkpoint",
        caught: Caught::Fails("few"),
        plant: |bench, way| Some(normalized(bench, way, false)),
    },
    Fault {
        name: "resize by another filter, form of the same checkpoint",
        caught: Caught::Refused("preprocessing", "preprocess.resize is"),
        plant: |bench, way| Some(resized(bench, way, true)),
    },
    Fault {
        name: "resize by another filter, another checkpoint",
        caught: Caught::Fails("medium"),
        plant: |bench, way| Some(resized(bench, way, false)),
    },
    Fault {
        name: "BGR for RGB, pictures of one colour",
        caught: Caught::Fails("few"),
        plant: blue_first,
    },
];

/// Red, green and blue of the orange images, as shares of the grey value.
const COLOUR: [f32; 3] = [1.0, 0.3, 0.0];
/// Weights of red, green and blue in the coloured network. For orange images, the weighted sum is the grey value.
const WEIGHTS: [f32; 3] = [0.9, 1.0 / 3.0, 0.2];

/// Edits the card of `model`, and changes the hash of the checkpoint unless `same`.
fn recarded(model: &mut Model, same: bool, edit: impl FnOnce(&mut ModelCard)) {
    let mut card = model.card().unwrap();
    edit(&mut card);
    if !same {
        card.checkpoint_sha256 = "0".repeat(64);
    }
    model.set_card(&card);
}

/// Replaces mean and standard deviation of the data by values from a tutorial.
fn normalized(bench: &Bench, way: Way, same: bool) -> Trial {
    let candidate = bench.edited(|model| {
        recarded(model, same, |card| {
            if way.is_faulty() {
                (card.preprocess.mean, card.preprocess.std) = (vec![0.5], vec![0.5]);
            }
        });
    });
    Trial::of(candidate).alone(&["--allow-other-preprocessing"])
}

/// Resizes images of twice the size bilinearly in the reference, but to the nearest pixel in the candidate.
fn resized(bench: &Bench, way: Way, same: bool) -> Trial {
    let with_filter = |name: &str, same: bool, filter: Filter| {
        let mut model = shipped("fashion-lt.onnx");
        recarded(&mut model, same, |card| {
            card.preprocess.resize = Some(Resize {
                short_side: 28,
                filter,
            });
        });
        bench.write(name, model.to_bytes())
    };
    let filter = match way {
        Way::Faulty => Filter::Nearest,
        Way::Sound => Filter::Bilinear,
    };
    let test = embedded("split=test");
    let images = (0..test.len()).map(|i| (woven(&test.image(i).unwrap()), test.labels()[i]));
    Trial {
        reference: with_filter("reference.onnx", true, Filter::Bilinear),
        data: bench.data("woven", images),
        ..Trial::of(with_filter("candidate.onnx", same, filter))
    }
    .alone(&["--allow-other-preprocessing"])
}

/// Enlarges an image twofold with a weave of light and dark threads that averages to the image. Photographs have such
/// fine structure, but the embedded images are too small for it.
fn woven(image: &Pixels) -> Pixels {
    let (height, width) = (2 * image.height, 2 * image.width);
    let value = |y: usize, x: usize| {
        let v = image.values[y / 2 * image.width + x / 2];
        let thread = v.min(255 - v);
        if (y + x).is_multiple_of(2) {
            v + thread
        } else {
            v - thread
        }
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| value(y, x)));
    Pixels {
        height,
        width,
        channels: 1,
        values: rows.collect(),
    }
}

/// Makes a network for coloured images with the accuracy of the shipped network on grey images. In the candidate, the
/// first convolution has its weights in BGR order.
fn blue_first(bench: &Bench, way: Way) -> Option<Trial> {
    let coloured = |name: &str, order: [usize; 3]| {
        let mut model = shipped("fashion-lt.onnx");
        let (_, stem) = model.initializer_f32("stem.conv.weight").unwrap();
        let filters = stem.chunks_exact(9).flat_map(|filter| {
            let channel = move |c: usize| filter.iter().map(move |w| w * WEIGHTS[c]);
            order.into_iter().flat_map(channel)
        });
        let filters: Vec<f32> = filters.collect();
        model.set_initializer_f32("stem.conv.weight", &[stem.len() / 9, 3, 3, 3], &filters);
        let dims = [3, 28, 28].map(Dimension::fixed);
        let dims = [vec![Dimension::symbol("N")], dims.to_vec()].concat();
        let input = model.graph().input[0].name().to_owned();
        model.graph_mut().input[0] = ValueInfoProto::tensor(input, DataType::Float, dims);
        recarded(&mut model, true, |card| {
            let p = &mut card.preprocess;
            p.channels = 3;
            // Each channel has its own mean, so that zero padding still means the mean grey value.
            p.mean = COLOUR.map(|share| share * p.mean[0]).to_vec();
            p.std = vec![p.std[0]; 3];
        });
        bench.write(name, model.to_bytes())
    };
    let order = match way {
        Way::Faulty => [2, 1, 0],
        Way::Sound => [0, 1, 2],
    };
    let test = embedded("split=test");
    let images = (0..test.len()).map(|i| (orange(&test.image(i).unwrap()), test.labels()[i]));
    Some(Trial {
        reference: coloured("reference.onnx", [0, 1, 2]),
        data: bench.data("orange", images),
        ..Trial::of(coloured("candidate.onnx", order))
    })
}

fn orange(image: &Pixels) -> Pixels {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a byte"
    )]
    let pixel = |&v: &u8| COLOUR.map(|share| (share * f32::from(v)).round() as u8);
    Pixels {
        height: image.height,
        width: image.width,
        channels: 3,
        values: image.values.iter().flat_map(pixel).collect(),
    }
}
