//! The single loader: it brings an ONNX classifier of any exporter into canonical form.
//!
//! Every command and back end calls [`open`]. It reads external data, checks the structure, rewrites the graph
//! ([`crate::canonical()`]) and separates the network from its [`Ports`]: the returned graph takes f32 images
//! `[N, channels, height, width]` and ends in logits. [`Ports::restore`] gives a graph the input and output of the file
//! back.

mod description;
mod input;
mod output;

use std::path::Path;

pub use description::Description;
pub use input::{InputPort, Layout};
pub use output::OutputPort;

use crate::canonical::canonical_with;
use crate::{Model, OnnxError, Shapes, check, check_structure, load_external};

/// Choices of the caller where the file leaves them open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Name of the output with the scores, for a file with several outputs.
    pub output: Option<String>,
    /// Layout of the input.
    pub layout: Layout,
}

/// A classifier in canonical form, with the ports of its file.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The network: one f32 input `[N, channels, height, width]`, one output of logits.
    pub model: Model,
    /// The input and the output of the file.
    pub ports: Ports,
}

/// The input and the output of a file, as they were before [`open()`] separated the network from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Ports {
    /// The input.
    pub input: InputPort,
    /// The output.
    pub output: OutputPort,
}

impl Ports {
    /// Gives `model`, a rewritten form of the network, the input and output of the file back: element types, layout,
    /// and the Softmax or Sigmoid at the end.
    pub fn restore(&self, model: &mut Model) {
        self.output.restore(model);
        self.input.restore(model);
    }
}

/// Brings `model` into canonical form and separates the network from its ports.
///
/// External data is read from `folder`; without a folder it is an error. `infer` returns the shapes of a graph's values
/// for one image. It is called only where a rewrite depends on shapes, and may return none.
///
/// # Errors
/// [`OnnxError`] with the node, tensor or port, and both values of a mismatch.
pub fn open(
    mut model: Model,
    folder: Option<&Path>,
    options: &OpenOptions,
    infer: &dyn Fn(&Model) -> Shapes,
) -> Result<Opened, OnnxError> {
    if let Some(folder) = folder {
        load_external(&mut model, folder)?;
    }
    check_structure(&model)?;
    canonical_with(&mut model, options.output.as_deref(), infer)?;
    check(&model)?;
    let output = OutputPort::detach(&mut model, infer)?;
    let input = InputPort::detach(&mut model, options.layout)?;
    Ok(Opened {
        model,
        ports: Ports { input, output },
    })
}

/// The folder of the file `path`. External data must lie inside it.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
