//! Loads published weights of other frameworks into a network, from safetensors files with PyTorch's names.

use std::path::{Path, PathBuf};

use tailfold_spec::{Architecture, Head, NamedTensors, Tensors, artifact};

use crate::error::{TrainError, TrainErrorKind};
use crate::networks::Network;
use crate::weights::{load_weights, named_weights};

/// Parts of a BatchNorm: the name in tailfold's checkpoints, and PyTorch's name.
const NORM: [(&str, &str); 4] = [
    ("gamma", "weight"),
    ("beta", "bias"),
    ("running_mean", "running_mean"),
    ("running_var", "running_var"),
];

/// Suffix of a counter that PyTorch stores in each BatchNorm and that is not used here.
const IGNORED: &str = ".num_batches_tracked";

/// A report of the loaded weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pretrained {
    /// The file.
    pub path: PathBuf,
    /// Number of tensors loaded.
    pub tensors: usize,
    /// Number of classes of the file's classifier if it was left out, because the network has another number of classes
    /// or a cosine head.
    pub dropped: Option<usize>,
}

/// Returns `network` of `arch` with the weights and running statistics in the safetensors file `path`, under the names
/// of torchvision (timm for EfficientNet-Lite0): every tensor of the body, and the classifier if it is linear and has
/// as many classes.
///
/// # Errors
/// [`TrainErrorKind::Weights`], naming the file and a tensor that is missing, has another shape or type, has a NaN or
/// infinite value, or has no place in the network; [`TrainErrorKind::File`] when the file cannot be read.
pub fn load_pretrained(
    network: Network,
    arch: &Architecture,
    path: &Path,
) -> Result<(Network, Pretrained), TrainError> {
    let bytes = artifact::read(path)?;
    let mut file = Published::parse(&bytes, path)?;
    let mut weights = named_weights(&network)?;
    let plan = arch.plan();
    let mut tensors = 0;
    let mut put = |ours: String, value: (Vec<usize>, Vec<f32>)| {
        weights.insert(ours, value);
        tensors += 1;
    };
    for layer in plan.layers() {
        let [conv, norm] = &layer.published;
        let weight = file.take(&format!("{conv}.weight"), &layer.weight_shape())?;
        put(format!("{}.weight", layer.part("conv")), weight);
        for (ours, theirs) in NORM {
            let value = file.take(&format!("{norm}.{theirs}"), &[layer.to])?;
            if ours == "running_var"
                && let Some(index) = value.1.iter().position(|v| *v < 0.0)
            {
                return Err(file.bad_value(&format!("{norm}.{theirs}"), index, value.1[index]));
            }
            put(format!("{}.{ours}", layer.part("norm")), value);
        }
    }
    let (classes, dim) = (arch.classes, plan.feature_dim());
    let classifier = file.classifier(plan.classifiers);
    let (weight, bias) = (format!("{classifier}.weight"), format!("{classifier}.bias"));
    let found = file.rows(&weight).unwrap_or(classes);
    let (weight, bias) = (
        file.take(&weight, &[found, dim])?,
        file.take(&bias, &[found])?,
    );
    let dropped = (found != classes || arch.head != Head::Linear).then_some(found);
    if dropped.is_none() {
        put("head.weight".to_owned(), weight);
        put("head.bias".to_owned(), bias);
    }
    file.nothing_left()?;
    let network = load_weights(network, &weights)?;
    let report = Pretrained {
        path: path.to_owned(),
        tensors,
        dropped,
    };
    Ok((network, report))
}

/// The tensors of a file that are not used yet.
struct Published<'a> {
    path: &'a Path,
    tensors: NamedTensors,
}

impl<'a> Published<'a> {
    fn parse(bytes: &[u8], path: &'a Path) -> Result<Self, TrainError> {
        let file = Tensors::read(bytes, &path.display().to_string())?;
        let names = file.names().into_iter();
        let tensors = file.all_f32(names.filter(|name| !name.ends_with(IGNORED)))?;
        Ok(Self { path, tensors })
    }

    /// Removes `tensor` from the file's tensors and returns its values.
    fn take(
        &mut self,
        tensor: &str,
        expected: &[usize],
    ) -> Result<(Vec<usize>, Vec<f32>), TrainError> {
        match self.tensors.remove(tensor) {
            None => Err(self.unfit(format!(
                "there is no tensor `{tensor}`, expected one of shape {expected:?}"
            ))),
            Some((found, _)) if found != expected => Err(self.unfit(format!(
                "tensor `{tensor}` has the shape {found:?}, expected {expected:?}"
            ))),
            Some((shape, values)) => match values.iter().position(|v| !v.is_finite()) {
                Some(index) => Err(self.bad_value(tensor, index, values[index])),
                None => Ok((shape, values)),
            },
        }
    }

    /// Returns the first of `names` whose weight is in the file, or else the first name.
    fn classifier(&self, names: &[&'static str]) -> &'static str {
        let there = |name: &&&str| self.tensors.contains_key(&format!("{name}.weight"));
        let found = names.iter().find(there).or(names.first());
        found.copied().unwrap_or_default()
    }

    /// Returns the length of the first axis of `tensor`.
    fn rows(&self, tensor: &str) -> Option<usize> {
        self.tensors.get(tensor)?.0.first().copied()
    }

    fn bad_value(&self, tensor: &str, index: usize, value: f32) -> TrainError {
        self.unfit(format!("tensor `{tensor}` has {value} at index {index}"))
    }

    /// Returns an error about the file.
    fn unfit(&self, text: String) -> TrainError {
        TrainErrorKind::Weights.error(text).at(self.path.display())
    }

    fn nothing_left(&self) -> Result<(), TrainError> {
        match self.tensors.first_key_value() {
            None => Ok(()),
            Some((tensor, (shape, _))) => Err(self.unfit(format!(
                "the network has no place for tensor `{tensor}` of shape {shape:?} ({} such tensors in all)",
                self.tensors.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
