//! Trains long-tailed classifiers with burn: networks, losses, offsets, the training loop, checkpoints and golden
//! outputs.
//!
//! Internal to tailfold, no stability promise.
//!
//! Only this crate depends on burn. Its output is a run folder of plain files (`tailfold_spec::Manifest`).

mod batches;
mod casts;
mod config;
mod device;
mod epoch;
mod epoch_sums;
mod error;
mod evaluate;
mod head;
mod images;
mod loss;
mod networks;
mod objective;
mod offsets;
mod optimizer;
mod plan;
mod prepare;
mod pretrained;
mod products;
mod report;
mod resume;
mod sam;
mod schedule;
mod state;
mod step;
mod trainer;
mod validation;
mod weights;

pub use config::{
    ContrastiveConfig, ContrastiveKind, Decay, FocalConfig, ImagesConfig, LdamConfig,
    LogitAdjustmentConfig, LossKind, NetworkConfig, NormalisationConfig, OffsetConfig,
    OffsetSolver, OptimizerConfig, Precision, ScheduleConfig, SourceMeasure, TargetMeasure,
    TrainConfig, ViewsConfig, keys_json_schema, keys_markdown,
};
pub use device::{BackEnd, is_cpu};
pub use error::{TrainError, TrainErrorKind};
pub use head::{Affine, ClassifierHead, Projection, normalise_rows};
pub use loss::{
    balanced_contrastive, cross_entropy, effective_number_weights, focal, ldam, ldam_margins,
    log_prior, logit_adjusted, ot_dynamic_softmax, supervised_contrastive,
};
pub use networks::{LayerTime, Milliseconds, Network, layer_times};
pub use pretrained::{Pretrained, load_pretrained};
pub use report::{EpochReport, Observer, StepReport};
pub use schedule::learning_rate;
pub use trainer::{Outcome, train};
pub use weights::{load_weights, named_weights};
