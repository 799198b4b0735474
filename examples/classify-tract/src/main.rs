//! One image, one answer: `cargo run --package classify-tract -- MODEL.onnx IMAGE`.

use std::path::Path;

use anyhow::Context as _;
use tailfold_data::{decode_file, preprocess};
use tailfold_onnx::Model;
use tailfold_spec::{Classifier as _, ImageBatch, Logits, artifact};
use tailfold_tract::TractClassifier;

#[expect(clippy::print_stdout, reason = "an example shows its answer")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().context("give MODEL.onnx and IMAGE")?;
    let image = arguments.next().context("give MODEL.onnx and IMAGE")?;

    // The file has the preprocessing and the class names.
    let bytes = artifact::read(Path::new(&model))?;
    let card = Model::from_bytes(&bytes, &model)?.card()?;
    let mut classifier = TractClassifier::from_onnx(&bytes, &model)?;

    let spec = &card.preprocess;
    let values = preprocess(&decode_file(Path::new(&image))?, spec)?;
    let batch = ImageBatch::new(values, [1, spec.channels, spec.height, spec.width])?;
    let logits = classifier.logits(&batch)?;
    let (class, _) = Logits::top1(logits.values()).context("a logit is not a number")?;
    println!("{}", card.classes[class]);
    Ok(())
}
