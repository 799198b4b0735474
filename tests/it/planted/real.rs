//! A fault of a published network on photographs, if they are available.

use tailfold_data::{DataSpec, Dataset};
use tailfold_onnx::Model;
use tailfold_spec::{ModelCard, Preprocess};

use super::trial::{Bench, Caught, Fault, Trial, Way};
use crate::shared_data::shared_data;

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "BGR for RGB, ResNet-20 on CIFAR-10",
    caught: Caught::Fails("medium"),
    plant: blue_first,
}];

/// Puts the first convolution's weights in BGR order, as in a file for OpenCV.
fn blue_first(bench: &Bench, way: Way) -> Option<Trial> {
    let folder = shared_data()?;
    let data = format!(
        "cifar10:{}?split=test&limit=3000",
        folder.join("cifar10-lt").display()
    );
    let spec: DataSpec = data.parse().unwrap();
    let classes = Dataset::open(&spec).unwrap().classes().to_vec();
    let file = folder.join("models/cifar10_resnet20_op13.onnx");
    let mut model = Model::read(&file).unwrap();
    model.set_card(&ModelCard {
        name: "resnet20".to_owned(),
        architecture: "resnet20".to_owned(),
        classes,
        // The counts of CIFAR-10-LT with imbalance 100 only define the groups; the network was trained on all images.
        train_counts: vec![5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50],
        preprocess: Preprocess {
            channels: 3,
            height: 32,
            width: 32,
            bgr: false,
            resize: None,
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
        },
        offsets: None,
        checkpoint_sha256: String::new(),
        quantization: None,
    });
    let reference = bench.write("reference.onnx", model.to_bytes());
    let stem = model
        .nodes()
        .iter()
        .find(|node| node.is("Conv"))
        .unwrap()
        .input[1]
        .clone();
    super::trial::with(&mut model, &stem, |shape, weights| {
        assert_eq!(shape[1], 3);
        let channel = shape[2] * shape[3];
        for filter in weights.chunks_exact_mut(3 * channel) {
            if way.is_faulty() {
                let (red, rest) = filter.split_at_mut(channel);
                red.swap_with_slice(&mut rest[channel..]);
            }
        }
    });
    Some(Trial {
        reference,
        data,
        policy: None,
        ..Trial::of(bench.write("candidate.onnx", model.to_bytes()))
    })
}
