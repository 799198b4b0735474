//! Statistical comparison of two classifiers, overall and per class group.
//!
#![doc = include_str!("../README.md")]

mod accuracy;
mod binomial;
mod bootstrap;
pub mod chain;
mod chance;
mod change;
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
mod model;
pub mod page;
mod pair;
mod paired;
mod policy;
mod reasons;
mod regression;
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
pub use change::{ClassChange, Diff, PartChange};
pub use comparer::{Comparer, compare_logits as compare};
pub use error::{ParityError, ParityErrorKind};
pub use exact::{ClassCounts, ExactTest};
pub use html::Picture;
pub use model::ComparedModel;
pub use pair::{Allowed, Carded, check_pair};
pub use policy::{BackendPolicy, GroupImages, GroupMargins, GroupRule, Grouping, Policy};
pub use regression::Regression;
pub use report::{
    Bootstrap, ClassComparison, Comparison, Flip, FlipPair, GroupFlip, Groups, Latency,
    LogitDistance, Masses, Report, Run, RunSide, Sides, TieBracket, WorstClass,
};
pub use rules::Rule;
pub use tailfold_spec::{Group, Logits, ModelCard, ShapeError};
pub use unchecked::Unchecked;
pub use verdict::Verdict;
