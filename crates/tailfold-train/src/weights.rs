//! Conversion between networks and named weight tensors.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use tailfold_spec::NamedTensors;

use crate::error::{TrainError, TrainErrorKind};
use crate::networks::Network;

/// Returns the deployed and training tensors of `network`, under the names of the checkpoint (`stem.conv.weight`,
/// `blocks.0.norm1.gamma`, `head.weight`, `projection.hidden.weight`, ...).
///
/// # Errors
/// [`TrainErrorKind::Weights`], naming the tensor, when a value is NaN or infinite: such a network must not be saved.
pub fn named_weights(network: &Network) -> Result<NamedTensors, TrainError> {
    // `valid` synchronizes the running statistics, which lag one update behind in the training module.
    let mut visitor = Collect {
        path: Vec::new(),
        found: BTreeMap::new(),
        error: None,
    };
    network.valid().visit(&mut visitor);
    match visitor.error {
        Some(error) => Err(error),
        None => Ok(visitor.found),
    }
}

/// Returns the [`named_weights`] of a network that is about to be saved, with a matching error message.
pub(crate) fn finite_weights(network: &Network) -> Result<NamedTensors, TrainError> {
    named_weights(network).map_err(|error| {
        TrainErrorKind::Weights
            .error("the network's weights are unusable")
            .caused_by(error)
    })
}

/// Returns `network` with every tensor replaced by the tensor of the same name in `weights`.
///
/// # Errors
/// [`TrainErrorKind::Weights`], naming the tensor; `weights` may contain more tensors than the network needs.
pub fn load_weights(network: Network, weights: &NamedTensors) -> Result<Network, TrainError> {
    let mut mapper = Replace {
        path: Vec::new(),
        weights,
        error: None,
    };
    let network = network.map(&mut mapper);
    match mapper.error {
        Some(error) => Err(error),
        None => Ok(network),
    }
}

/// Returns the tensor's name: the module path without the name of the body.
fn name_of(path: &[String]) -> String {
    let path = if path.first().is_some_and(|p| p == "body") {
        &path[1..]
    } else {
        path
    };
    path.join(".")
}

struct Collect {
    path: Vec<String>,
    found: NamedTensors,
    error: Option<TrainError>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = name_of(&self.path);
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        match tensor.into_data().convert::<f32>().try_to_vec::<f32>() {
            Ok(values) => {
                if let Some((index, &value)) =
                    values.iter().enumerate().find(|(_, v)| !v.is_finite())
                {
                    self.error.get_or_insert_with(|| {
                        TrainErrorKind::Weights
                            .error(format!("tensor `{name}` is {value} at index {index}"))
                    });
                } else {
                    self.found.insert(name, (shape, values));
                }
            }
            Err(e) => {
                self.error.get_or_insert_with(|| {
                    TrainErrorKind::Device.error(format!(
                        "tensor `{name}` could not be read from the device: {e:?}"
                    ))
                });
            }
        }
    }
}

struct Replace<'a> {
    path: Vec<String>,
    weights: &'a NamedTensors,
    error: Option<TrainError>,
}

impl Replace<'_> {
    /// Records the first error and returns `param` unchanged.
    fn refuse<T>(&mut self, param: T, text: String) -> T {
        self.error
            .get_or_insert_with(|| TrainErrorKind::Weights.error(text));
        param
    }
}

impl ModuleMapper for Replace<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = name_of(&self.path);
        let expected = param.val().dims().to_vec();
        let Some((shape, values)) = self.weights.get(&name) else {
            return self.refuse(param, format!("the checkpoint has no tensor `{name}`"));
        };
        if *shape != expected {
            return self.refuse(
                param,
                format!("tensor `{name}` has shape {shape:?}, the network expects {expected:?}"),
            );
        }
        if values.len() != shape.iter().product::<usize>() {
            let count = values.len();
            return self.refuse(
                param,
                format!("tensor `{name}` has shape {expected:?} but {count} values"),
            );
        }
        let data = TensorData::new(values.clone(), shape.clone());
        param.map(|old| {
            Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
        })
    }
}

#[cfg(test)]
mod tests;
