//! Times the two models on single images, in interleaved runs.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use tailfold::LoadedModel;
use tailfold_data::{Dataset, preprocess};
use tailfold_parity::{Latency, Report};
use tailfold_spec::ImageBatch;

use crate::bench::report::Spread;

/// Number of timed images.
const IMAGES: usize = 100;
/// Number of untimed images before them, which warm up caches and clocks.
const WARM_UP: usize = 10;

/// Adds the times of both models to the run of `report`: wall time per image on one thread, without preprocessing. The
/// two models swap places after every image, so other load on the machine affects both alike.
pub(super) fn measure(
    report: &mut Report,
    models: [&LoadedModel; 2],
    data: &Dataset,
) -> anyhow::Result<()> {
    ensure!(!data.is_empty(), "there are no images to time");
    let mut classifiers = models.map(|model| model.classifier.fork());
    let mut ms = [Vec::new(), Vec::new()];
    for turn in 0..WARM_UP + IMAGES {
        let index = turn % data.len();
        let pixels = data.image(index)?;
        for side in [turn % 2, 1 - turn % 2] {
            let spec = &models[side].card.preprocess;
            let values = preprocess(&pixels, spec).with_context(|| data.id(index))?;
            let batch = ImageBatch::new(values, [1, spec.channels, spec.height, spec.width])?;
            let start = Instant::now();
            classifiers[side].logits(&batch)?;
            if turn >= WARM_UP {
                ms[side].push(1e3 * start.elapsed().as_secs_f64());
            }
        }
    }
    let [reference, candidate] = ms.map(|ms| {
        let spread = Spread::of(ms);
        Some(Latency::new(IMAGES, spread.median, spread.p95))
    });
    if let Some(run) = &mut report.run {
        run.sides.reference.latency = reference;
        run.sides.candidate.latency = candidate;
    }
    Ok(())
}
