//! Logits of one or more models over a data set, on all cores, each image decoded once.

use anyhow::{Context as _, ensure};
use rayon::prelude::*;
use tailfold_data::{Dataset, preprocess};
use tailfold_runtime::LoadedModel;
use tailfold_spec::{Classifier, ImageBatch, Logits};

use crate::output;

/// Images a task: large enough that a task's set-up does not show.
const CHUNK: usize = 64;

/// Checks that the data has the model's classes, in its order.
pub(crate) fn check_classes(model: &LoadedModel, data: &Dataset) -> anyhow::Result<()> {
    ensure!(
        model.card.classes == data.classes(),
        "{} has classes {:?} but the model was trained on {:?}",
        data.spec(),
        data.classes(),
        model.card.classes,
    );
    Ok(())
}

/// The logits of every model, row `i` for image `i`.
pub(crate) fn logits(models: &[&LoadedModel], data: &Dataset) -> anyhow::Result<Vec<Logits>> {
    for model in models {
        check_classes(model, data)?;
    }
    let bar = output::bar("scoring", data.len());
    let indices: Vec<usize> = (0..data.len()).collect();
    let parts = indices
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut classifiers: Vec<Box<dyn Classifier>> =
                models.iter().map(|m| m.classifier.fork()).collect();
            let mut rows: Vec<Vec<f32>> = vec![Vec::new(); models.len()];
            for &index in chunk {
                let pixels = data.image(index)?;
                for ((model, classifier), rows) in
                    models.iter().zip(&mut classifiers).zip(&mut rows)
                {
                    let spec = &model.card.preprocess;
                    let values = preprocess(&pixels, spec).with_context(|| data.id(index))?;
                    let batch =
                        ImageBatch::new(values, [1, spec.channels, spec.height, spec.width])?;
                    rows.extend_from_slice(classifier.logits(&batch)?.values());
                }
                bar.inc(1);
            }
            anyhow::Ok(rows)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    bar.finish_and_clear();
    let mut all: Vec<Vec<f32>> = vec![Vec::new(); models.len()];
    for part in parts {
        all.iter_mut()
            .zip(part)
            .for_each(|(all, rows)| all.extend(rows));
    }
    let classes = data.classes().len();
    Ok(all
        .into_iter()
        .map(|values| Logits::new(values, classes))
        .collect::<Result<_, _>>()?)
}
