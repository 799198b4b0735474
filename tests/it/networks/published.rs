//! Published weights, if available: the loaded network gives the logits of the published graph.

use std::io::Read as _;

use ruzstd::decoding::StreamingDecoder;

use super::*;
use crate::fixture::{Tensors, safetensors};
use crate::scratch::Scratch;
use crate::shared_data::shared_data;

/// `count` images without symmetry and with values in -2..2.
fn images(count: usize, [c, h, w]: [usize; 3]) -> ImageBatch {
    let values = (0..count * c * h * w).map(|i| ((i * 37 + i / 501) % 1009) as f32 / 252.0 - 2.0);
    ImageBatch::new(values.collect(), [count, c, h, w]).unwrap()
}

fn compare(arch: &Architecture, file: &str, graph: &[u8]) {
    let device = Device::flex();
    let network = loaded(arch, file, &device);
    let images = images(2, arch.input);
    let mut judge = TractClassifier::from_onnx(graph, "published").unwrap();
    let expect = judge.logits(&images).unwrap().values().to_vec();
    close("burn", &scores(&network, &images, &device), &expect, 1e-4);
    close(
        "tract",
        &logits(&exported(&network, arch), &images),
        &expect,
        1e-4,
    );
}

#[test]
fn resnet20_matches_published_graph() {
    let Some(data) = shared_data() else { return };
    let models = data.join("models");
    let arch = Architecture {
        body: Body::cifar_resnet(20),
        input: [3, 32, 32],
        classes: 10,
        head: Head::Linear,
    };
    let file = models.join("cifar10_resnet20.safetensors");
    let graph = std::fs::read(models.join("cifar10_resnet20_op13.onnx")).unwrap();
    compare(&arch, file.to_str().unwrap(), &graph);
}

/// The published graph keeps its BatchNorms, so its tensors make a weight file with timm's names.
#[test]
fn efficientnet_lite0_matches_published_graph() {
    let Some(data) = shared_data() else { return };
    let path = data.join("models/efficientnet_lite0_imagenet_bn_op13.onnx.zst");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).unwrap();
    let mut decoder = StreamingDecoder::new(file).unwrap();
    decoder.read_to_end(&mut bytes).unwrap();
    let model = Model::from_bytes(&bytes, "published").unwrap();

    let arch = Architecture {
        body: Body::EfficientnetLite0,
        input: [3, 224, 224],
        classes: 1000,
        head: Head::Linear,
    };
    let plan = arch.plan();
    let nodes = |op: &'static str| model.nodes().iter().filter(move |node| node.is(op));
    assert_eq!(nodes("Conv").count(), plan.layers().count());
    let mut tensors = Tensors::new();
    let mut take = |name: String, initializer: &str| {
        tensors.insert(name, model.initializer_f32(initializer).unwrap());
    };
    let layers = nodes("Conv").zip(nodes("BatchNormalization"));
    for (layer, (convolution, batch)) in plan.layers().zip(layers) {
        let [conv, norm] = &layer.published;
        let pads: Vec<i64> = layer.pads.iter().map(|&zeros| zeros as i64).collect();
        assert_eq!(convolution.ints("pads"), Some(&pads[..]), "{conv}");
        take(format!("{conv}.weight"), &convolution.input[1]);
        for (part, input) in ["weight", "bias", "running_mean", "running_var"]
            .iter()
            .zip(&batch.input[1..])
        {
            take(format!("{norm}.{part}"), input);
        }
    }
    let head = nodes("Gemm").next().unwrap();
    take("classifier.weight".to_owned(), &head.input[1]);
    take("classifier.bias".to_owned(), &head.input[2]);
    let scratch = Scratch::new();
    let file = scratch.write("published.safetensors", safetensors(&tensors));
    compare(&arch, &file, &bytes);
}
