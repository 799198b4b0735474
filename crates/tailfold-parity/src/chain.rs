//! A chain of steps from the training framework to INT8, each compared with the step before and with the first step.
//!
//! The caller runs the models; this module judges each step by its logits and names the first step that breaks. Float
//! against float must stay within a hard tolerance and keep all decisions ([`Closeness`]); FP16 and INT8 must meet a
//! [`Policy`](crate::Policy). [`bisect`] then searches for the layer that makes decisions flip.
//!
//! ```
//! use tailfold_parity::chain::{Evidence, Outcome, Checked, Stage, StepLogits};
//! use tailfold_parity::{ComparedModel, Policy, Verdict};
//! use tailfold_spec::Logits;
//!
//! let model = ComparedModel::new(vec!["cat".into(), "lynx".into()], vec![500, 5]);
//! let labels: Vec<usize> = (0..2000).map(|image| image % 2).collect();
//! let logits = |wrong: f32| {
//!     let values = labels.iter().flat_map(|&label| if label == 0 { [2.0, 1.0] } else { [0.5, wrong] });
//!     Logits::new(values.collect(), 2)
//! };
//! let (float, int8) = (logits(3.0)?, logits(0.0)?);
//!
//! let step = |stage, backend, logits| StepLogits { stage, backend, model: &model, logits };
//! let steps = [step(Stage::Float, "tract-stock", &float), step(Stage::Int8, "integer", &int8)];
//! let policy = Policy::default();
//! let evidence = Evidence { steps: &steps, labels: &labels, policy: &policy, float_tolerance: 1e-4 };
//! let outcome = Outcome::of(evidence.judge(None)?, Checked { images: labels.len(), policy: policy.clone(), ..Checked::default() })?;
//!
//! assert_eq!(outcome.verdict, Verdict::Fail);
//! assert_eq!(outcome.first_break.map(|found| found.step), Some(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bisect;
mod closeness;
mod evidence;
mod outcome;
mod render;
mod stage;
mod table;
#[cfg(test)]
mod tests;

pub use closeness::Closeness;
pub use evidence::{Evidence, StepLogits};
pub use outcome::{Absent, Break, Checked, ModelFile, Outcome};
pub use stage::{Against, Stage, Step};
