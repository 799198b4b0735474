mod bound;
mod harmless;
mod net;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tailfold_onnx::proto::NodeProto;
use tailfold_spec::{Classifier as _, ImageBatch};
use tailfold_tract::TractClassifier;

use super::*;
use crate::affine::Scheme;
use crate::prepared::PreparedImages;
use crate::rounding::Rounding;
use crate::target::Target;
use crate::weights::WeightBits;
use net::{Plan, plan};

/// Number of images, for calibration and comparison.
const IMAGES: usize = 3;

fn images(plan: &Plan) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 1);
    let values = IMAGES * plan.image.iter().product::<usize>();
    (0..values).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// Returns options for which the bound holds: only rounding to nearest changes values.
fn plain(target: Target) -> Options {
    Options {
        target,
        rounding: Rounding::Nearest,
        correct_bias: false,
        rebalance: false,
        ..Options::default()
    }
}

fn quantized(float: &FloatModel, images: &[f32], options: &Options) -> Result<Model, QuantError> {
    let folder = tempfile::tempdir().unwrap();
    // The file's name becomes part of the model's record.
    let file = folder.path().join("images.f32");
    let bytes: Vec<u8> = images.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&file, bytes).unwrap();
    let prepared = PreparedImages::open(&file, float.input_shape()).unwrap();
    let set = CalibrationSet::prepared(prepared);
    quantize(float, &set, options, &|| {}).map(|q| q.model)
}

/// Panics unless the Q or DQ node `node` has the form that `target` needs, with constant parameters.
fn check_pair(model: &Model, node: &NodeProto, target: Target) {
    let label = node.label();
    let (_, scales) = model.initializer_f32(&node.input[1]).unwrap();
    assert!(scales.iter().all(|s| s.is_finite() && *s > 0.0), "{label}");
    let zeros = model.graph().find_initializer(&node.input[2]).unwrap();
    assert_eq!(
        zeros.shape().unwrap().iter().product::<usize>(),
        scales.len()
    );
    let activation =
        node.is("QuantizeLinear") || model.graph().find_initializer(&node.input[0]).is_none();
    if activation && target.scheme() == Scheme::Affine {
        assert_eq!(zeros.values::<u8>().unwrap().len(), 1, "{label}");
        return;
    }
    let (weights, bias) = (zeros.values::<i8>(), zeros.values::<i32>());
    if let Ok(zeros) = weights {
        assert!(zeros.iter().all(|z| *z == 0), "{label}");
    } else {
        assert!(target == Target::OrtX86 && !activation, "{label}");
        assert!(bias.unwrap().iter().all(|z| *z == 0), "{label}");
    }
}

/// Panics unless layers read quantized values, and no node or constant is unused.
fn check_graph(model: &Model, target: Target) {
    // Checks the names and the order of nodes.
    tailfold_onnx::check(model).unwrap();
    let graph = model.graph();
    for node in &graph.node {
        if node.is("QuantizeLinear") || node.is("DequantizeLinear") {
            check_pair(model, node, target);
        }
        if node.is("Conv") || node.is("Gemm") {
            for input in &node.input[..2] {
                let source = graph.producer(input).unwrap();
                assert!(source.is("DequantizeLinear"), "{}", node.label());
            }
        }
        let output = node.output[0].as_str();
        let read = graph.consumers(output).count();
        assert!(read > 0 || output == "logits", "nothing reads `{output}`");
    }
    for constant in &graph.initializer {
        let name = constant.name();
        assert!(graph.consumers(name).next().is_some(), "`{name}` is unused");
    }
    assert!(graph.producer("logits").unwrap().is("Gemm"), "float logits");
}

fn logits(mut classifier: TractClassifier, images: &[f32]) -> Vec<f32> {
    let [c, h, w] = classifier.input_shape();
    let batch = ImageBatch::new(images.to_vec(), [IMAGES, c, h, w]).unwrap();
    classifier.logits(&batch).unwrap().values().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_network_is_valid_and_within_bound_for_every_target(plan in plan(), bits in 4_u8..=8) {
        let float = FloatModel::from_bytes(&plan.model().to_bytes(), "random").unwrap();
        let images = images(&plan);
        let expected = logits(TractClassifier::stock(&plan.model(), "float").unwrap(), &images);
        for target in Target::ALL {
            let model = match quantized(&float, &images, &plain(target)) {
                Ok(model) => model,
                // A tensor that is always 0, such as a ReLU of negative values only, is an error that names
                // the tensor.
                Err(error) if error.kind() == crate::QuantErrorKind::AllZero => {
                    return Err(TestCaseError::reject(error.to_string()));
                }
                Err(error) => panic!("{target}: {error}"),
            };
            let bytes = model.to_bytes();
            let twice = quantized(&float, &images, &plain(target)).unwrap().to_bytes();
            prop_assert!(bytes == twice, "{target}: two runs differ");
            check_graph(&model, target);
            let bound = bound::logit_error(&model);
            for classifier in [TractClassifier::from_onnx(&bytes, "integer"), TractClassifier::stock(&Model::from_bytes(&bytes, "stock").unwrap(), "stock")] {
                for (found, expected) in logits(classifier.unwrap(), &images).iter().zip(&expected) {
                    let distance = f64::from((found - expected).abs());
                    prop_assert!(distance <= bound, "{target}: {found} is not {expected} +- {bound}");
                }
            }
            let options = Options {
                target,
                equalize: true,
                weight_bits: WeightBits::new(bits).unwrap(),
                ..Options::default()
            };
            let corrected = quantized(&float, &images, &options).unwrap();
            check_graph(&corrected, target);
            prop_assert!(corrected.to_bytes() == quantized(&float, &images, &options).unwrap().to_bytes());
            let found = logits(TractClassifier::from_onnx(&corrected.to_bytes(), "corrected").unwrap(), &images);
            prop_assert!(found.iter().all(|v| v.is_finite()));
            let again = FloatModel::from_bytes(&bytes, "again").unwrap();
            let again = quantized(&again, &images, &plain(target));
            let kind = again.as_ref().err().map(QuantError::kind);
            prop_assert_eq!(kind, Some(crate::QuantErrorKind::AlreadyConverted), "{:?}", again);
        }
    }
}
