//! Logits of one or more models over a data set, on all cores, each image decoded once.

use anyhow::{Context as _, bail, ensure};
use rayon::prelude::*;
use tailfold_data::{Dataset, preprocess};
use tailfold_runtime::LoadedModel;
use tailfold_spec::{Classifier, ImageBatch, Logits, repeated_names};

use crate::output;

/// Images a task: large enough that a task's set-up does not show.
const CHUNK: usize = 64;

/// Checks that the data has the model's classes, in its order.
pub(crate) fn check_classes(model: &LoadedModel, data: &Dataset) -> anyhow::Result<()> {
    same_classes(
        &model.card.classes,
        data.classes(),
        &data.spec().to_string(),
    )
}

/// Checks that both lists of class names are equal; `data` is the data in messages.
fn same_classes(model: &[String], found: &[String], data: &str) -> anyhow::Result<()> {
    ensure!(
        model.len() == found.len(),
        "the model has {} classes but {data} has {}",
        model.len(),
        found.len()
    );
    let Some(class) = (0..model.len()).find(|&class| model[class] != found[class]) else {
        return Ok(());
    };
    let ambiguous = match repeated_names(model).first() {
        Some(&(first, second)) => format!(
            " (the model's classes {first} and {second} are both `{}`)",
            model[first]
        ),
        None => String::new(),
    };
    bail!(
        "class {class} is `{}` in the model{ambiguous} but `{}` in {data}",
        model[class],
        found[class]
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_class_of_another_name_is_an_error() {
        let error = |model: &[&str], data: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
            let checked = same_classes(&owned(model), &owned(data), "DATA");
            checked.err().map(|e| e.to_string())
        };
        assert_eq!(error(&["crane", "crane"], &["crane", "crane"]), None);
        assert_eq!(
            error(&["ant", "bee"], &["ant"]).unwrap(),
            "the model has 2 classes but DATA has 1"
        );
        assert_eq!(
            error(&["ant", "bee"], &["ant", "wasp"]).unwrap(),
            "class 1 is `bee` in the model but `wasp` in DATA"
        );
        assert_eq!(
            error(&["crane", "crane"], &["crane", "crane (bird)"]).unwrap(),
            "class 1 is `crane` in the model (the model's classes 0 and 1 are both `crane`) but `crane (bird)` in DATA"
        );
    }
}
