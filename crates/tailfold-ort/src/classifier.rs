//! A classifier on ONNX Runtime, one image at a time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ort::session::Session;
use ort::value::TensorRef;
use tailfold_onnx::Model;
use tailfold_spec::{Classifier, ImageBatch, Logits, RunError};

use crate::graph::Graph;
use crate::pool::Pool;
use crate::session::Recipe;
use crate::{Library, OrtError, OrtErrorKind, Placement, Setup, placement};

/// An ONNX classifier on an execution provider of ONNX Runtime, for batches of one image, so that the logits
/// of an image do not depend on the other images of a batch.
#[derive(Clone)]
pub struct OrtClassifier {
    pool: Arc<Pool>,
    input: [usize; 3],
    num_classes: usize,
    placements: Arc<[Placement]>,
}

impl OrtClassifier {
    /// Prepares `model`, a classifier in canonical form ([`tailfold_onnx::open()`]), and runs one image of zeros;
    /// `name` is the file in messages.
    ///
    /// # Errors
    /// [`OrtError`] when the library, the provider, a library of the provider or the GPU is missing, or when
    /// the provider cannot run the whole model.
    pub fn from_model(model: &Model, name: &str, setup: &Setup) -> Result<Self, OrtError> {
        let library = Library::load(setup.library.as_deref()).map_err(|cause| {
            cause
                .kind()
                .error(format!(
                    "the back end `{}` needs ONNX Runtime",
                    setup.provider.name()
                ))
                .caused_by(cause)
        })?;
        let graph = Graph::of(model, name)?;
        let recipe = Recipe {
            setup: setup.clone(),
            library,
            graph: graph.clone(),
            bytes: model.to_bytes(),
            name: name.to_owned(),
            saturates: AtomicBool::new(false),
        };
        let mut session = recipe.open()?;
        let failed = |message: String| {
            OrtErrorKind::Session.error(format!(
                "{provider} cannot run {name}: {message}",
                provider = setup.provider.name()
            ))
        };
        let placements = placement::placements(&session).map_err(failed)?;
        // This run warms up a GPU, and gives the number of classes, which the graph may leave open.
        let [c, h, w] = graph.input;
        let zeros = vec![0.0; c * h * w];
        let shape = run(&mut session, &zeros, graph.input, &mut Vec::new()).map_err(failed)?;
        let num_classes = classes_of_row(&shape).ok_or_else(|| {
            OrtErrorKind::Model
                .error(format!(
                    "its output has the shape {shape:?} for one image, expected one float tensor \
                     [N, classes], [N, classes, 1, 1] or [N, 1, classes]"
                ))
                .at(name)
        })?;
        Ok(Self {
            pool: Arc::new(Pool::new(recipe, session)),
            input: graph.input,
            num_classes,
            placements: placements.into(),
        })
    }

    /// Returns the provider of each node, after ONNX Runtime's graph optimizations.
    pub fn placements(&self) -> &[Placement] {
        &self.placements
    }
}

/// Appends the logits of one image to `logits`; returns the shape of the output.
fn run(
    session: &mut Session,
    image: &[f32],
    [c, h, w]: [usize; 3],
    logits: &mut Vec<f32>,
) -> Result<Vec<i64>, String> {
    let outputs = TensorRef::from_array_view(([1, c, h, w], image))
        .and_then(|input| session.run(ort::inputs![input]))
        .map_err(|error| error.to_string())?;
    let first = outputs.values().next().ok_or("it has no output")?;
    let (shape, values) = first
        .try_extract_tensor::<f32>()
        .map_err(|error| error.to_string())?;
    logits.extend(values);
    Ok(shape.to_vec())
}

/// Returns the number of classes of an output of this shape for one image; `None` if two dimensions are longer than 1.
fn classes_of_row(shape: &[i64]) -> Option<usize> {
    let [1, rest @ ..] = shape else { return None };
    let mut long = rest.iter().copied().filter(|&d| d != 1);
    let classes = match (rest.is_empty(), long.next(), long.next()) {
        (false, classes, None) => classes.unwrap_or(1),
        _ => return None,
    };
    usize::try_from(classes).ok().filter(|&classes| classes > 0)
}

impl Classifier for OrtClassifier {
    fn name(&self) -> &'static str {
        self.pool.provider().name()
    }

    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    fn logits(&mut self, batch: &ImageBatch) -> Result<Logits, RunError> {
        let images = batch.images(self.input)?;
        let values = self.pool.with(|session| {
            let mut values = Vec::with_capacity(batch.len() * self.num_classes);
            for image in images {
                run(session, image, self.input, &mut values).map_err(|message| {
                    RunError::Backend {
                        backend: self.pool.provider().name(),
                        message,
                    }
                })?;
            }
            Ok(values)
        })?;
        Logits::answer(values, batch.len(), self.num_classes)
    }

    fn fork(&self) -> Box<dyn Classifier> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_classes_needs_one_long_dimension() {
        let check = |shape: &[i64], expect| {
            assert_eq!(classes_of_row(shape), expect, "{shape:?}");
        };
        check(&[1, 10], Some(10));
        check(&[1, 10, 1, 1], Some(10));
        check(&[1, 1, 10], Some(10));
        check(&[1, 1], Some(1));
        check(&[1, 10, 7, 7], None);
        check(&[10], None);
        check(&[1], None);
        check(&[1, 0], None);
        check(&[], None);
    }
}
