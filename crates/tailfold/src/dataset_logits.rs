//! Logits of one or more models over a data set, on all cores, each image decoded once.

use rayon::prelude::*;
use tailfold_data::{Dataset, preprocess};
use tailfold_spec::{Classifier, ImageBatch, Logits, repeated_names};

use crate::{LoadedModel, RuntimeError, RuntimeErrorKind};

/// Images per task, enough to hide the cost of setting up a task.
const CHUNK: usize = 64;

/// Checks that the data has the model's classes, in the model's order.
///
/// # Errors
/// [`RuntimeErrorKind::Classes`], naming the data and the first class that differs.
pub fn check_classes(model: &LoadedModel, data: &Dataset) -> Result<(), RuntimeError> {
    let name = data.spec().to_string();
    same_classes(&model.card.classes, data.classes(), &name)
        .map_err(|difference| RuntimeErrorKind::Classes.error(difference))
}

/// Checks that both lists of class names are equal; `data` is the data in the message.
fn same_classes(model: &[String], found: &[String], data: &str) -> Result<(), String> {
    if model.len() != found.len() {
        return Err(format!(
            "the model has {} classes but {data} has {}",
            model.len(),
            found.len()
        ));
    }
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
    Err(format!(
        "class {class} is `{}` in the model{ambiguous} but `{}` in {data}",
        model[class], found[class]
    ))
}

/// Returns the logits of each of `models` on the images of `data`: row `i` for image `i`. `progress` is called once per
/// image.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tailfold::{Backend, Dataset, LoadedModel, Options, dataset_logits};
///
/// # let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
/// # let file = models.join("fashion-lt/fashion-lt.int8.onnx");
/// let model = LoadedModel::open(&file, Backend::Integer, &Options::default())?;
/// let data = Dataset::open(&"embedded?split=test&limit=20".parse()?)?;
/// let logits = dataset_logits(&[&model], &data, &|| ())?;
/// assert_eq!(logits[0].len(), 20);
/// assert_eq!(logits[0].num_classes(), 10);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`RuntimeErrorKind::Classes`] as [`check_classes`]; [`RuntimeErrorKind::Image`] naming the image that cannot be read or
/// prepared; [`RuntimeErrorKind::Run`] of the back end.
pub fn dataset_logits(
    models: &[&LoadedModel],
    data: &Dataset,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Logits>, RuntimeError> {
    for model in models {
        check_classes(model, data)?;
    }
    let indices: Vec<usize> = (0..data.len()).collect();
    let parts = indices
        .par_chunks(CHUNK)
        .map(|chunk| rows(models, data, chunk, progress))
        .collect::<Result<Vec<_>, _>>()?;
    let mut all: Vec<Vec<f32>> = vec![Vec::new(); models.len()];
    for part in parts {
        all.iter_mut()
            .zip(part)
            .for_each(|(all, rows)| all.extend(rows));
    }
    let classes = data.classes().len();
    let logits = all.into_iter().map(|values| Logits::new(values, classes));
    Ok(logits.collect::<Result<_, _>>()?)
}

/// Returns the logits of each model on the images `indices`, row-major.
fn rows(
    models: &[&LoadedModel],
    data: &Dataset,
    indices: &[usize],
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Vec<f32>>, RuntimeError> {
    let mut classifiers: Vec<Box<dyn Classifier>> =
        models.iter().map(|m| m.classifier.fork()).collect();
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); models.len()];
    for &index in indices {
        let pixels = data.image(index)?;
        for ((model, classifier), rows) in models.iter().zip(&mut classifiers).zip(&mut rows) {
            let spec = &model.card.preprocess;
            let values = preprocess(&pixels, spec).map_err(|source| {
                RuntimeError::of(RuntimeErrorKind::Image, source).at(data.id(index))
            })?;
            let batch = ImageBatch::new(values, [1, spec.channels, spec.height, spec.width])?;
            rows.extend_from_slice(classifier.logits(&batch)?.values());
        }
        progress();
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_class_with_another_name_is_error() {
        let error = |model: &[&str], data: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
            same_classes(&owned(model), &owned(data), "DATA").err()
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
