//! A run in progress: its data, network, optimizer and offsets, epoch by epoch.

use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use tailfold_data::{Augmenter, DataSpec, Dataset, ImageStore, Normaliser};
use tailfold_spec::{AtExport, ClassGroups, Group, Manifest, Preprocess, Prior, RunFiles};

use crate::batches::{BatchPlan, Images, pixel_statistics};
use crate::config::{ConfigError, ImagesConfig, LossKind, TrainConfig};
use crate::error::TrainError;
use crate::networks::Network;
use crate::offsets::{OffsetState, to_f32};
use crate::report::{EpochReport, Observer};
use crate::schedule::learning_rate;
use crate::step::StepLosses;

/// Class-balanced training images whose features travel with the run, at most this many a class.
const FEATURES_PER_CLASS: usize = 32;

/// A run in progress.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a TrainConfig,
    pub(crate) device: &'a Device,
    pub(crate) plan: BatchPlan,
    pub(crate) validation: Option<Images>,
    /// Class-balanced training images, as indices.
    pub(crate) balanced: Vec<usize>,
    pub(crate) manifest: Manifest,
    pub(crate) network: Network,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) offsets: Option<OffsetState>,
    /// Mean length of the last step's features under the head; 1 before the first.
    pub(crate) radius: f32,
}

/// The optimizer that `config` asks for.
pub(crate) fn sgd(config: &TrainConfig) -> ModuleOptimizer {
    let o = &config.optimizer;
    // Dampening is 0 as in the published recipes; burn's own default is 0.1.
    let momentum = MomentumConfig::new()
        .with_momentum(o.momentum)
        .with_dampening(0.0)
        .with_nesterov(o.nesterov);
    SgdConfig::new()
        .with_momentum((o.momentum > 0.0).then_some(momentum))
        .with_weight_decay(
            (o.weight_decay > 0.0).then(|| WeightDecayConfig::new(to_f32(o.weight_decay))),
        )
        .init()
}

fn parse_spec(text: &str, key: &'static str) -> Result<DataSpec, TrainError> {
    Ok(text
        .parse()
        .map_err(|source| ConfigError::Spec { key, source })?)
}

/// Decodes the images of `data` and leaves out those that may be; with the size of the network's input: the configured
/// one, or else the one size that all images have (`expected`, or that of the first).
fn load_images(
    data: Dataset,
    config: &ImagesConfig,
    expected: Option<[usize; 3]>,
    observer: &mut dyn Observer,
) -> Result<(Dataset, Images, [usize; 3]), TrainError> {
    let count = data.len();
    let store = {
        let observer = &*observer;
        ImageStore::open(&data, &config.store(), &|ready| {
            observer.decoded(ready, count);
        })?
    };
    if !store.skipped().is_empty() {
        observer.skipped(store.skipped());
    }
    let data = data.subset(store.kept());
    if store.is_empty() {
        return Err(TrainError::NoImages(data.spec().to_string()));
    }
    let input = match config.input() {
        Some(input) => input,
        None => {
            let expected = expected.unwrap_or(store.shape(0));
            if let Some(odd) = (0..store.len()).find(|&i| store.shape(i) != expected) {
                return Err(TrainError::ImageSize {
                    id: data.id(odd),
                    found: store.shape(odd),
                    expected,
                });
            }
            expected
        }
    };
    let labels = data.labels().to_vec();
    Ok((data, Images { store, labels }, input))
}

impl<'a> Run<'a> {
    /// Opens the data and draws the weights.
    pub(crate) fn prepare(
        config: &'a TrainConfig,
        device: &'a Device,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let data = Dataset::open(&parse_spec(&config.data, "data")?)?;
        let (data, images, input) = load_images(data, &config.images, None, observer)?;
        let validation = match &config.validation {
            None => None,
            Some(text) => {
                let held_out = Dataset::open(&parse_spec(text, "validation")?)?;
                if held_out.classes() != data.classes() {
                    let (training, validation) =
                        (data.classes().to_vec(), held_out.classes().to_vec());
                    return Err(TrainError::Classes {
                        training,
                        validation,
                    });
                }
                Some(load_images(held_out, &config.images, Some(input), observer)?.1)
            }
        };
        let (mean, std) = match &config.normalisation {
            Some(given) => (given.mean.clone(), given.std.clone()),
            None => pixel_statistics(&images.store)?,
        };
        let [channels, height, width] = input;
        let preprocess = Preprocess {
            channels,
            height,
            width,
            resize: config.images.resize(),
            mean,
            std,
        };
        preprocess.validate().map_err(ConfigError::from)?;
        let architecture = config.network.architecture(input, data.classes().len());
        architecture.validate().map_err(ConfigError::from)?;

        // The generator is the device's and process-wide: weights are drawn here, before anything else can draw.
        device.seed(config.seed);
        let projection = config.contrastive.as_ref().map(|c| (c.hidden, c.out));
        let network = Network::new(&architecture, projection, device).materialize();

        let train_counts = data.class_counts();
        let offsets = match &config.offsets {
            Some(offsets) if config.loss == LossKind::Sdot => {
                let target = Prior::from(offsets.target).masses(&train_counts)?;
                Some(OffsetState::new(offsets.clone(), target, config.seed))
            }
            _ => None,
        };
        let views = &config.views;
        let plan = BatchPlan {
            images: Arc::new(images),
            normaliser: Normaliser::new(&preprocess)?,
            input,
            views: std::iter::repeat_n(&views.augment, views.classifier)
                .chain(std::iter::repeat_n(
                    &views.contrastive_augment,
                    views.contrastive,
                ))
                .map(|augment| Augmenter::new(augment.clone()))
                .collect::<Result<_, _>>()?,
            batch: config.batch.min(data.len()),
            seed: config.seed,
        };
        let manifest = Manifest {
            schema: Manifest::SCHEMA.to_owned(),
            name: config.name.clone(),
            loss: config.loss.as_str().to_owned(),
            data: config.data.clone(),
            seed: config.seed,
            epochs: config.epochs,
            apply: config.offsets.as_ref().map(|o| o.apply).unwrap_or_default(),
            at_export: config
                .offsets
                .as_ref()
                .map_or(AtExport::Drop, |o| o.at_export),
            classes: data.classes().to_vec(),
            train_counts,
            architecture,
            preprocess,
            files: RunFiles {
                checkpoint_sha256: String::new(),
                offsets_sha256: String::new(),
                golden_sha256: String::new(),
                features_sha256: String::new(),
            },
        };
        Ok(Self {
            balanced: data.balanced_indices(FEATURES_PER_CLASS, config.seed)?,
            optimizer: sgd(config),
            radius: 1.0,
            config,
            device,
            plan,
            validation,
            manifest,
            network,
            offsets,
        })
    }

    /// Checks that a run with offsets had some.
    pub(crate) fn check_solved(&self) -> Result<(), TrainError> {
        match (&self.config.offsets, &self.offsets) {
            (Some(config), Some(state)) if state.last.is_none() => Err(TrainError::NeverSolved {
                samples: config.samples,
                classes: self.manifest.classes.len(),
            }),
            _ => Ok(()),
        }
    }

    /// Trains one epoch (from 0) and measures it.
    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        observer: &mut dyn Observer,
    ) -> Result<EpochReport, TrainError> {
        let started = Instant::now();
        let steps = self.plan.steps();
        let warmup_steps = round_to_usize(self.config.optimizer.warmup_epochs * steps as f64);
        let total = steps * self.config.epochs;
        let mut sums = StepLosses::default();
        let (mut correct, mut views, mut images) = (0, 0, 0);
        let mut rate = 0.0;
        let mut done = 0;
        for (step, batch) in self.plan.start(epoch).into_iter().enumerate() {
            let batch = batch?;
            if self.offsets.as_ref().is_some_and(|o| o.is_due(epoch, step)) {
                let head = self.affine_head(&self.network)?;
                let radius = self.radius;
                if let Some(offsets) = &mut self.offsets {
                    offsets.update(&head, radius)?;
                }
            }
            let schedule = &self.config.schedule;
            rate = learning_rate(
                schedule,
                self.config.optimizer.learning_rate,
                epoch * steps + step,
                warmup_steps,
                total,
            );
            images += batch.labels.len();
            views += batch.labels.len() * self.config.views.classifier;
            let losses = self.step(&batch, rate)?;
            if !losses.total.is_finite() {
                return Err(TrainError::Diverged {
                    loss: losses.total,
                    epoch: epoch + 1,
                    step: step + 1,
                    learning_rate: rate,
                    indices: batch.indices,
                });
            }
            correct += losses.correct;
            sums.total += losses.total;
            sums.classifier += losses.classifier;
            sums.contrastive += losses.contrastive;
            observer.step(epoch + 1, step + 1, losses.total.into());
            done = step + 1;
        }
        if done < steps {
            return Err(TrainError::Loader {
                done,
                steps,
                epoch: epoch + 1,
            });
        }
        let seconds = started.elapsed().as_secs_f64();
        let validation = self.validate()?;
        let last = self.offsets.as_ref().and_then(|o| o.last.as_ref());
        let mean = |sum: f32| f64::from(sum) / steps as f64;
        let group = |group| {
            validation.as_ref().and_then(|recall| {
                ClassGroups::from_counts(&self.manifest.train_counts).mean(group, recall)
            })
        };
        Ok(EpochReport {
            epoch: epoch + 1,
            learning_rate: rate,
            loss: mean(sums.total),
            classifier_loss: mean(sums.classifier),
            contrastive_loss: mean(sums.contrastive),
            train_top1: correct as f64 / views.max(1) as f64,
            val_top1: validation
                .as_ref()
                .map(|recall| crate::evaluate::overall(recall, self.validation.as_ref())),
            val_many: group(Group::Many),
            val_medium: group(Group::Medium),
            val_few: group(Group::Few),
            largest_offset: self
                .offsets
                .as_ref()
                .map_or(0.0, |o| o.h.iter().fold(0.0, |a: f64, h| a.max(h.abs()))),
            offsets_chi_square: last.map(|s| s.chi_square),
            offsets_relative_error: last.map(|s| s.largest_relative_error),
            images_per_second: images as f64 / seconds,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of steps, checked to be non-negative; `as` saturates"
)]
fn round_to_usize(value: f64) -> usize {
    value.round() as usize
}
