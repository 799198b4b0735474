use super::*;

use tailfold_spec::{Architecture, Body, Head};

use crate::casts::to_host;
use crate::trainer::tests::generator;

const INPUT: [usize; 3] = [3, 12, 10];

fn network(head: Head, projection: Option<(usize, usize)>, device: &Device) -> Network {
    let arch = Architecture {
        body: Body::CifarResnet {
            depth: 8,
            width: 4,
            stem_stride: 1,
        },
        input: INPUT,
        classes: 7,
        head,
    };
    arch.validate().unwrap();
    Network::new(&arch, projection, device).materialize()
}

/// Returns `n` images without symmetry.
fn images(n: usize) -> Vec<f32> {
    let [c, h, w] = INPUT;
    (0..n * c * h * w)
        .map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
        .collect()
}

fn scores(network: &Network, n: usize, device: &Device) -> Vec<f32> {
    let [c, h, w] = INPUT;
    let x = Tensor::<4>::from_data(TensorData::new(images(n), [n, c, h, w]), device);
    to_host(network.scores(x).without_autodiff()).unwrap()
}

fn message<T>(result: Result<T, TrainError>) -> String {
    result.err().expect("an error").to_string()
}

/// The names and shapes of the checkpoint contract, which the exporter reads.
#[test]
fn names_match_checkpoint_contract() {
    let _generator = generator();
    let device = Device::flex();
    let mut expect: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut convolution = |conv: String, norm: String, from: usize, to: usize| {
        expect.insert(format!("{conv}.weight"), vec![to, from, 3, 3]);
        for part in ["gamma", "beta", "running_mean", "running_var"] {
            expect.insert(format!("{norm}.{part}"), vec![to]);
        }
    };
    convolution("stem.conv".into(), "stem.norm".into(), 3, 4);
    for (i, (from, to)) in [(4, 4), (4, 8), (8, 16)].into_iter().enumerate() {
        let block = format!("blocks.{i}");
        convolution(format!("{block}.conv1"), format!("{block}.norm1"), from, to);
        convolution(format!("{block}.conv2"), format!("{block}.norm2"), to, to);
    }
    expect.insert("head.weight".into(), vec![7, 16]);
    let shapes = |network: &Network| -> BTreeMap<String, Vec<usize>> {
        let named = named_weights(network).unwrap();
        let shapes = named.into_iter().map(|(name, (shape, values))| {
            assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
            (name, shape)
        });
        shapes.collect()
    };
    let cosine = Head::Cosine { scale: 10.0 };
    assert_eq!(shapes(&network(cosine, None, &device)), expect);
    expect.insert("head.bias".into(), vec![7]);
    assert_eq!(shapes(&network(Head::Linear, None, &device)), expect);

    // All tensors added by a contrastive run share one prefix.
    let all = shapes(&network(Head::Linear, Some((6, 5)), &device));
    let added: Vec<&str> = all
        .keys()
        .filter(|name| !expect.contains_key(*name))
        .map(|name| name.strip_prefix("projection.").unwrap())
        .collect();
    let norm = ["beta", "gamma", "running_mean", "running_var"].map(|part| format!("norm.{part}"));
    let mut names = vec!["hidden.weight"];
    names.extend(norm.iter().map(String::as_str));
    names.extend(["out.bias", "out.weight"]);
    assert_eq!(added, names);
}

#[test]
fn named_weights_load_back_unchanged() {
    let _generator = generator();
    for device in [Device::flex(), Device::flex().autodiff()] {
        let plain = device.clone().without_autodiff();
        for head in [Head::Linear, Head::Cosine { scale: 10.0 }] {
            let original = network(head, None, &device);
            // Gives the running statistics other values than in a fresh network.
            if device.is_autodiff() {
                scores(&original, 3, &device);
            }
            let weights = named_weights(&original).unwrap();
            let other = network(head, None, &device);
            let expect = scores(&original.valid(), 2, &plain);
            assert_ne!(scores(&other.valid(), 2, &plain), expect);
            let loaded = load_weights(other, &weights).unwrap();
            assert_eq!(scores(&loaded.valid(), 2, &plain), expect);
            assert_eq!(named_weights(&loaded).unwrap(), weights);
        }
    }
}

#[test]
fn loaded_network_still_learns() {
    let _generator = generator();
    let device = Device::flex().autodiff();
    let weights = named_weights(&network(Head::Linear, None, &device)).unwrap();
    let loaded = load_weights(network(Head::Linear, None, &device), &weights).unwrap();
    let [c, h, w] = INPUT;
    let x = Tensor::<4>::from_data(TensorData::new(images(2), [2, c, h, w]), &device);
    let loss = loaded.scores(x).square().sum();
    let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &loaded);
    // 7 convolutions with gamma and beta, and the head's weight and bias.
    assert_eq!(gradients.len(), 23);
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let _generator = generator();
    let device = Device::flex();
    let weights = named_weights(&network(Head::Linear, None, &device)).unwrap();
    let load = |change: &dyn Fn(&mut NamedTensors)| {
        let mut weights = weights.clone();
        change(&mut weights);
        load_weights(network(Head::Linear, None, &device), &weights)
    };
    assert_eq!(
        message(load(&|weights| {
            weights.remove("blocks.1.norm2.running_var");
        })),
        "the checkpoint has no tensor `blocks.1.norm2.running_var`",
    );
    assert_eq!(
        message(load(&|weights| {
            // The same number of values, but transposed.
            weights.get_mut("head.weight").unwrap().0 = vec![16, 7];
        })),
        "tensor `head.weight` has shape [16, 7], the network expects [7, 16]",
    );
    assert_eq!(
        message(load(&|weights| {
            weights.get_mut("stem.conv.weight").unwrap().0 = vec![4, 3, 9];
        })),
        "tensor `stem.conv.weight` has shape [4, 3, 9], the network expects [4, 3, 3, 3]",
    );
    assert_eq!(
        message(load(&|weights| {
            weights.get_mut("head.bias").unwrap().1.pop();
        })),
        "tensor `head.bias` has shape [7] but 6 values",
    );
    // More tensors than the network needs are accepted.
    let load_more = load(&|weights| {
        weights.insert("projection.out.bias".into(), (vec![1], vec![0.0]));
    });
    assert!(load_more.is_ok());
}

#[test]
fn values_that_are_not_finite_are_named() {
    let _generator = generator();
    let device = Device::flex();
    let weights = named_weights(&network(Head::Linear, None, &device)).unwrap();
    for (name, index, value) in [
        ("stem.norm.beta", 3, f32::NAN),
        ("blocks.2.conv1.weight", 575, f32::NEG_INFINITY),
        ("blocks.0.norm1.running_mean", 0, f32::INFINITY),
    ] {
        let mut broken = weights.clone();
        broken.get_mut(name).unwrap().1[index] = value;
        let network = load_weights(network(Head::Linear, None, &device), &broken).unwrap();
        assert_eq!(
            message(named_weights(&network)),
            format!("tensor `{name}` is {value} at index {index}"),
        );
    }
}

/// The stem copies channel 0 times (channel + 1), so its output's statistics follow from the statistics of the images.
#[test]
fn named_running_statistics_are_up_to_date() {
    let _generator = generator();
    let device = Device::flex().autodiff();
    let mut weights = named_weights(&network(Head::Linear, None, &device)).unwrap();
    let kernel = &mut weights.get_mut("stem.conv.weight").unwrap().1;
    kernel.fill(0.0);
    for (channel, taps) in kernel.chunks_exact_mut(3 * 3 * 3).enumerate() {
        taps[4] = (channel + 1) as f32;
    }
    let network = load_weights(network(Head::Linear, None, &device), &weights).unwrap();
    let n = 2;
    scores(&network, n, &device);
    let updated = named_weights(&network).unwrap();

    let pixels: Vec<f64> = images(n)
        .chunks_exact(12 * 10)
        .step_by(3)
        .flatten()
        .map(|&v| v.into())
        .collect();
    let mean = pixels.iter().sum::<f64>() / pixels.len() as f64;
    // burn's running variance is the biased one.
    let variance = pixels.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / pixels.len() as f64;
    let (means, variances) = (
        &updated["stem.norm.running_mean"].1,
        &updated["stem.norm.running_var"].1,
    );
    for channel in 0..4 {
        let factor = (channel + 1) as f64;
        // Momentum 0.1, from mean 0 and variance 1.
        let (mean, variance) = (0.1 * factor * mean, 0.9 + 0.1 * factor * factor * variance);
        let found = [means[channel], variances[channel]].map(f64::from);
        assert!((found[0] - mean).abs() < 1e-6, "{found:?}, expected {mean}");
        assert!(
            (found[1] - variance).abs() < 1e-6,
            "{found:?}, expected {variance}"
        );
    }
    for name in updated.keys().filter(|name| name.contains("running")) {
        assert_ne!(updated[name], weights[name], "{name}");
    }

    // Neither naming the weights nor a validation pass changes the weights.
    scores(&network.valid(), n, &device.clone().without_autodiff());
    assert_eq!(named_weights(&network).unwrap(), updated);
}

/// Weights depend only on the seed, not on the order of their first use.
#[test]
fn weights_are_drawn_when_network_is_created() {
    let _generator = generator();
    let device = Device::flex();
    let made = |after: &dyn Fn(&Network)| {
        device.seed(3);
        let network = network(Head::Linear, None, &device);
        after(&network);
        named_weights(&network).unwrap()
    };
    let weights = made(&|_| {});
    assert_eq!(made(&|network| drop(network.head.affine())), weights);
    assert_eq!(made(&|_| device.seed(4)), weights);
}
