//! Time of [`TractClassifier`] relative to tract: interleaved runs of the same network on the same image, in
//! one process.
//!
//! `cargo run --package tailfold-tract --example overhead -- MODEL.onnx [ROUNDS]`

use std::error::Error;
use std::time::Instant;

use tailfold_onnx::Model;
use tailfold_spec::{Classifier as _, ImageBatch};
use tailfold_tract::TractClassifier;
use tract_onnx::prelude::*;

/// Number of images per turn.
const TURN: usize = 10;

#[expect(clippy::print_stdout, reason = "a benchmark shows its figures")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("give MODEL.onnx and, perhaps, a number of rounds")?;
    let rounds: usize = arguments.next().map_or(Ok(200), |n| n.parse())?.max(1);
    let bytes = std::fs::read(&path)?;
    let mut classifier = TractClassifier::stock(&Model::from_bytes(&bytes, &path)?, &path)?;
    let [c, h, w] = classifier.input_shape();
    let plan = tract_onnx::onnx()
        .with_ignore_value_info(true)
        .model_for_read(&mut &bytes[..])?
        .with_input_fact(0, f32::fact([1, c, h, w]).into())?
        .into_optimized()?
        .into_runnable()?;
    let values: Vec<f32> = (0..c * h * w)
        .map(|i| (i * 37 % 255) as f32 / 255.0)
        .collect();
    let batch = ImageBatch::new(values.clone(), [1, c, h, w])?;
    let tensor = Tensor::from_shape(&[1, c, h, w], &values)?;
    let bare = plan.run(tvec!(tensor.clone().into()))?[0]
        .to_plain_array_view::<f32>()?
        .iter()
        .copied()
        .collect::<Vec<f32>>();
    if bare != classifier.logits(&batch)?.values() {
        return Err("the logits of tract and TractClassifier differ".into());
    }
    let mut ratios = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let mut times = [0.0; 2];
        for turn in 0..2 {
            // tract and TractClassifier alternate in running first.
            let which = (round + turn) % 2;
            let begin = Instant::now();
            for _ in 0..TURN {
                match which {
                    0 => drop(plan.run(tvec!(tensor.clone().into()))?),
                    _ => drop(classifier.logits(&batch)?),
                }
            }
            times[which] = begin.elapsed().as_secs_f64();
        }
        ratios.push(times[1] / times[0]);
    }
    ratios.sort_by(f64::total_cmp);
    let at = |quarter: usize| ratios[(rounds - 1) * quarter / 4];
    println!(
        "{path}: TractClassifier over tract, {rounds} rounds of {TURN} images: median {:.4}, quartiles {:.4} to {:.4}",
        at(2),
        at(1),
        at(3)
    );
    Ok(())
}
