//! Training that starts from published weights.

use tailfold_onnx::Checkpoint;
use tailfold_spec::Manifest;

use super::*;
use crate::fixture::safetensors;
use crate::programs::run;
use crate::scratch::Scratch;

/// A configuration with a learning rate so small that no f32 weight changes.
const CONFIG: &str = r#"
name = "started"
data = "embedded?split=train&per-class=2"
epochs = 1
batch = 10
loss = "ce"
network = { depth = 8, head = { kind = "linear" }, pretrained = "PRETRAINED" }
optimizer = { learning_rate = 1e-30, weight_decay = 0.0 }
views = { classifier = 1 }
"#;

#[test]
fn training_starts_from_published_weights() {
    let scratch = Scratch::new();
    for classes in [10, 7] {
        let arch = Architecture {
            body: Body::cifar_resnet(8),
            input: [1, 28, 28],
            classes,
            head: Head::Linear,
        };
        let file = golden::file(&arch);
        let path = scratch.write("published.safetensors", safetensors(&file));
        let config = CONFIG.replace("PRETRAINED", &path);
        let config = scratch.write("config.toml", config);
        let out = scratch.at(&format!("run-{classes}"));
        let answer = run("tailfold-train", &["--config", &config, "--out", &out]).ended_with(0);
        let kept = classes == 10;
        let expect = if kept {
            format!("starts from 37 tensors of {path}\n")
        } else {
            format!("starts from 35 tensors of {path}, without its classifier of 7 classes\n")
        };
        assert!(answer.stderr.contains(&expect), "{}", answer.stderr);
        let path = Path::new(&out).join(Manifest::CHECKPOINT);
        let checkpoint = Checkpoint::from_safetensors(&std::fs::read(&path).unwrap(), &path);
        let checkpoint = checkpoint.unwrap();
        let conv = &file["layer3.0.conv2.weight"];
        let found = checkpoint.tensor("blocks.2.conv2.weight", &conv.0).unwrap();
        assert_eq!(found, conv.1);
        let head = checkpoint.tensor("head.weight", &[10, 64]).unwrap();
        assert_eq!(head == file["fc.weight"].1, kept);
    }
}
