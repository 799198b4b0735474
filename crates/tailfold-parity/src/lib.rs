//! Float against candidate, per class and per group, with statistics.
//!
//! [`compare`] takes the logits of a reference and a candidate on the same labelled images and says whether the
//! candidate is as accurate as a [`Policy`] asks: overall, and in each of the groups many, medium and few. Every
//! statement is about the *paired* difference (the same image before and after), which is far sharper than the
//! difference of two accuracies. What the data cannot decide is [`Verdict::Inconclusive`], never a pass.
//!
//! ```
//! use tailfold_parity::{ComparedModel, Policy, Verdict, compare};
//! use tailfold_spec::Logits;
//!
//! let card = ComparedModel { classes: vec!["cat".into(), "lynx".into()], train_counts: vec![500, 5], ..ComparedModel::default() };
//! let labels: Vec<usize> = (0..2000).map(|image| image % 2).collect();
//! let values = labels.iter().flat_map(|&label| if label == 0 { [2.0, 1.0] } else { [0.5, 3.0] }).collect();
//! let logits = Logits::new(values, 2)?;
//!
//! let report = compare(&logits, &logits, &labels, &card, &Policy::default())?;
//! assert_eq!(report.verdict, Verdict::Pass);
//! assert_eq!(report.flips, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accuracy;
mod binomial;
mod bootstrap;
mod chance;
mod classes;
mod compare;
mod comparer;
mod decisions;
mod diff;
mod error;
mod exact;
mod flips;
mod groups;
mod html;
mod image;
mod judge;
mod junit;
mod markdown;
mod pair;
mod paired;
mod policy;
mod reasons;
mod render;
mod report;
mod rules;
#[cfg(test)]
mod sample;
mod sentence;
mod sums;
mod tally;
mod unchecked;
mod verdict;
mod warnings;

pub use accuracy::Accuracy;
pub use compare::ComparedModel;
pub use comparer::{Comparer, compare_logits as compare};
pub use diff::{ClassChange, Diff, PartChange, Regression};
pub use error::{ParityError, ParityErrorKind};
pub use exact::{ClassCounts, ExactTest};
pub use html::Picture;
pub use pair::{Allowed, Carded, check_pair};
pub use policy::{BackendPolicy, GroupImages, GroupMargins, GroupRule, Grouping, Policy};
pub use report::{
    Bootstrap, ClassComparison, Comparison, Flip, FlipPair, GroupFlip, Groups, Latency,
    LogitDistance, Masses, Report, Run, RunSide, Sides, TieBracket, WorstClass,
};
pub use rules::Rule;
pub use unchecked::Unchecked;
pub use verdict::Verdict;
