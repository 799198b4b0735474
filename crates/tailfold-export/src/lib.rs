//! Export of classifiers: class offsets are solved for a deployment prior and folded into the last bias.
//!
//! Internal to tailfold, no stability promise.
//!
//! [`Unfolded`] is a classifier without offsets, from a run folder or from an ONNX file of any exporter. [`export()`]
//! chooses its [`Offsets`], folds them, compares the file with the expected logits and writes it. Offsets are solved by
//! semi-discrete optimal transport ([`tailfold_sdot`]) on labelled images ([`Scored`]) or on the training features of a
//! run, so that each class gets the mass that the prior gives it.

mod choice;
mod error;
mod expected;
mod exported;
mod prior;
mod priors;
mod progress;
mod report;
mod resolve;
mod rows;
mod sample;
mod scored;
mod unfolded;
mod warning;

pub use choice::{Offsets, Solve, plain};
pub use error::{ErrorKind, ExportError};
pub use exported::{Exported, export};
pub use prior::AskedPrior;
pub use priors::{
    ArmReport, Difference, Drawn, PriorReport, PriorsOptions, PriorsReport, SampleRow,
    compare_priors,
};
pub use progress::Progress;
pub use report::{Retarget, SampleReport, refuse_training_images};
pub use resolve::{Resolved, resolve};
pub use rows::{ClassRow, Expected, ExpectedClass};
pub use sample::Sample;
pub use scored::Scored;
pub use tailfold_sdot::{MassMeasure, Weighing};
pub use unfolded::Unfolded;
pub use warning::{Told, Warning};
