//! The one loader: a file of any exporter as a classifier in canonical form.
//!
//! [`open`] is what every command and back end goes through. It reads values from other files, checks the structure,
//! rewrites the graph ([`crate::canonical()`]), and separates the network from its [`Ports`]: the graph that comes back
//! takes f32 images `[N, channels, height, width]` and ends in logits. [`Ports::restore`] gives a graph the ports of the
//! file again.

mod description;
mod input;
mod output;

use std::path::Path;

pub use description::{Description, DescriptionError};
pub use input::{InputPort, Layout};
pub use output::OutputPort;

use crate::canonical::canonical_with;
use crate::{
    CanonicalError, CheckError, ExternalError, Model, OnnxError, Shapes, check, check_structure,
    load_external,
};

/// What the caller knows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The output with the scores, for a file with several.
    pub output: Option<String>,
    /// Where the channels are.
    pub layout: Layout,
}

/// A classifier in canonical form, and the ports of its file.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The network: one f32 input `[N, channels, height, width]`, one output of logits.
    pub model: Model,
    /// The input and the output of the file.
    pub ports: Ports,
}

/// The input and the output of a file, as they were before the network was separated from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Ports {
    /// The input.
    pub input: InputPort,
    /// The output.
    pub output: OutputPort,
}

impl Ports {
    /// Gives `model`, a form of the network, the input and output of the file again: its element type, its layout, and the
    /// softmax or sigmoid at its end.
    pub fn restore(&self, model: &mut Model) {
        self.output.restore(model);
        self.input.restore(model);
    }
}

/// A file that is no classifier, or that no back end should be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Values in another file.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// The structure of the graph.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A graph that has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// An input that is no image.
    #[error(
        "input `{name}` has the shape {shape}, expected images [N, channels, height, width] or [N, height, width, channels]"
    )]
    NotImage {
        /// Name of the input.
        name: String,
        /// Its shape, `?` for what is open.
        shape: String,
    },
    /// An input of a type that no image has.
    #[error("input `{name}` has elements of type {found}; images are f32, f16, f64 or uint8")]
    InputType {
        /// Name of the input.
        name: String,
        /// Its type.
        found: String,
    },
}

/// Brings `model` into canonical form; values in other files are read from `folder`, and are an error without one. `infer`
/// tells the shapes of a graph's values for one image; it is asked only where the graph's form depends on them, and may know
/// none.
///
/// # Errors
/// [`OpenError`], naming the node, tensor or port and both sides of a mismatch.
pub fn open(
    mut model: Model,
    folder: Option<&Path>,
    options: &OpenOptions,
    infer: &dyn Fn(&Model) -> Shapes,
) -> Result<Opened, OpenError> {
    if let Some(folder) = folder {
        load_external(&mut model, folder)?;
    }
    check_structure(&model)?;
    canonical_with(&mut model, options.output.as_deref(), infer)?;
    check(&model)?;
    let output = OutputPort::detach(&mut model)?;
    let input = InputPort::detach(&mut model, options.layout)?;
    Ok(Opened {
        model,
        ports: Ports { input, output },
    })
}

/// The folder of the file `path`, where values in other files have to be.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
