use super::*;
use std::collections::BTreeMap;

use burn::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tailfold_spec::Body;

use crate::trainer::tests::generator;

fn arch(classes: usize, head: Head) -> Architecture {
    Architecture {
        body: Body::cifar_resnet(8),
        input: [3, 12, 10],
        classes,
        head,
    }
}

/// A file as PyTorch's tools write it: all values differ, and each BatchNorm has a counter.
struct File {
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl File {
    /// Creates the file of a network with `classes` classes.
    fn new(classes: usize) -> Self {
        let mut file = Self {
            tensors: BTreeMap::new(),
        };
        let arch = arch(classes, Head::Linear);
        for layer in arch.plan().layers() {
            let [conv, norm] = &layer.published;
            file.floats(&format!("{conv}.weight"), &layer.weight_shape());
            for part in ["weight", "bias", "running_mean", "running_var"] {
                file.floats(&format!("{norm}.{part}"), &[layer.to]);
            }
            let count = (Dtype::I64, vec![], vec![7; 8]);
            file.tensors
                .insert(format!("{norm}.num_batches_tracked"), count);
        }
        file.floats("linear.weight", &[classes, arch.feature_dim()]);
        file.floats("linear.bias", &[classes]);
        file
    }

    fn floats(&mut self, name: &str, shape: &[usize]) {
        let count: usize = shape.iter().product();
        let seed = self.tensors.len() * 1000;
        let values = (0..count).map(|i| ((seed + i) as f32).sqrt());
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        self.tensors
            .insert(name.to_owned(), (Dtype::F32, shape.to_vec(), bytes));
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let (bytes, _) = self.tensors[name].2.as_chunks();
        bytes.iter().map(|&b| f32::from_le_bytes(b)).collect()
    }

    /// Loads the file into a network of `arch`.
    fn load(&self, arch: &Architecture) -> Result<(Network, Pretrained), TrainError> {
        let views = self.tensors.iter().map(|(name, (dtype, shape, bytes))| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        let bytes = safetensors::serialize(views, None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("published.safetensors");
        artifact::write(&path, &bytes).unwrap();
        load_pretrained(fresh(arch), arch, &path)
    }
}

fn fresh(arch: &Architecture) -> Network {
    Network::new(arch, Some((4, 3)), &Device::flex()).materialize()
}

#[test]
fn every_tensor_is_loaded_by_its_name() {
    let _generator = generator();
    let arch = arch(10, Head::Linear);
    let file = File::new(10);
    let (network, report) = file.load(&arch).unwrap();
    let weights = named_weights(&network).unwrap();
    for (ours, theirs) in [
        ("stem.conv.weight", "conv1.weight"),
        ("stem.norm.gamma", "bn1.weight"),
        ("blocks.2.conv1.weight", "layer3.0.conv1.weight"),
        ("blocks.1.norm2.beta", "layer2.0.bn2.bias"),
        ("blocks.1.norm2.running_mean", "layer2.0.bn2.running_mean"),
        ("blocks.0.norm1.running_var", "layer1.0.bn1.running_var"),
        ("head.weight", "linear.weight"),
        ("head.bias", "linear.bias"),
    ] {
        assert_eq!(weights[ours].1, file.values(theirs), "{ours}");
    }
    // 7 convolutions with their BatchNorms, and the classifier.
    assert_eq!((report.tensors, report.dropped), (7 * 5 + 2, None));
}

#[test]
fn classifier_that_does_not_fit_is_left_out() {
    let _generator = generator();
    let file = File::new(10);
    for arch in [
        arch(7, Head::Linear),
        arch(10, Head::Cosine { scale: 16.0 }),
    ] {
        let (network, report) = file.load(&arch).unwrap();
        assert_eq!((report.tensors, report.dropped), (7 * 5, Some(10)));
        let weights = named_weights(&network).unwrap();
        assert_eq!(weights["stem.conv.weight"].1, file.values("conv1.weight"));
        assert_eq!(weights["head.weight"].0, [arch.classes, 64]);
        assert_ne!(weights["head.weight"].1, file.values("linear.weight"));
    }
}

#[test]
fn file_that_does_not_fit_is_refused() {
    let _generator = generator();
    let check = |edit: &dyn Fn(&mut File), expect: &str| {
        let mut file = File::new(10);
        edit(&mut file);
        let error = file.load(&arch(10, Head::Linear)).err().unwrap();
        let message = error.to_string();
        assert!(message.ends_with(expect), "{message}");
        assert!(message.contains("published.safetensors"), "{message}");
    };
    let remove = |name: &'static str| move |file: &mut File| drop(file.tensors.remove(name));
    check(
        &remove("layer2.0.bn2.running_var"),
        "there is no tensor `layer2.0.bn2.running_var`, expected one of shape [32]",
    );
    check(
        &remove("linear.bias"),
        "there is no tensor `linear.bias`, expected one of shape [10]",
    );
    // Without any classifier, the error names the most common name.
    check(
        &|file| {
            file.tensors.remove("linear.weight");
        },
        "there is no tensor `fc.weight`, expected one of shape [10, 64]",
    );
    check(
        &|file| file.floats("layer3.0.conv1.weight", &[64, 64, 3, 3]),
        "tensor `layer3.0.conv1.weight` has the shape [64, 64, 3, 3], expected [64, 32, 3, 3]",
    );
    check(
        &|file| {
            file.floats("layer2.0.downsample.0.weight", &[32, 16, 1, 1]);
            file.floats("layer3.0.downsample.0.weight", &[64, 32, 1, 1]);
        },
        "the network has no place for tensor `layer2.0.downsample.0.weight` of shape [32, 16, 1, 1] \
         (2 such tensors in all)",
    );
    let value = |name: &'static str, index: usize, value: f32| {
        move |file: &mut File| {
            let bytes = &mut file.tensors.get_mut(name).unwrap().2;
            bytes[4 * index..][..4].copy_from_slice(&value.to_le_bytes());
        }
    };
    check(
        &value("conv1.weight", 5, f32::NAN),
        "tensor `conv1.weight` has NaN at index 5",
    );
    check(
        &value("bn1.running_var", 3, -0.5),
        "tensor `bn1.running_var` has -0.5 at index 3",
    );
    check(
        &|file| {
            let (dtype, shape, bytes) = file.tensors.get_mut("bn1.bias").unwrap();
            (*dtype, *shape) = (Dtype::F16, vec![bytes.len() / 2]);
        },
        "tensor `bn1.bias` holds F16, expected F32",
    );
    let error = load_pretrained(
        fresh(&arch(10, Head::Linear)),
        &arch(10, Head::Linear),
        Path::new("Cargo.toml"),
    );
    let message = error.err().unwrap().to_string();
    assert_eq!(
        message,
        "Cargo.toml is not a safetensors file, or is damaged or cut short"
    );
}
