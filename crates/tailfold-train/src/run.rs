//! A run in progress: its data, network, optimizer and offsets, epoch by epoch.

use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use tailfold_data::{Augmenter, DataSpec, Dataset, Pixels};
use tailfold_spec::{AtExport, ClassGroups, Group, Manifest, Preprocess, RunFiles};

use crate::batches::{BatchPlan, Images, pixel_statistics};
use crate::config::{ConfigError, ContrastiveKind, TrainConfig};
use crate::error::TrainError;
use crate::networks::Network;
use crate::objective::ClassifierLoss;
use crate::offsets::{OffsetState, to_f32};
use crate::pretrained::{Pretrained, load_pretrained};
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
    /// What the weights were before the first step, if not drawn.
    pub(crate) pretrained: Option<Pretrained>,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) classifier_loss: ClassifierLoss,
    pub(crate) offsets: Option<OffsetState>,
    /// Share of the run's epochs that are finished.
    pub(crate) progress: f64,
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

/// Decodes every image of `data` and checks that all have the size `expected`, or that of the first.
fn load_images(
    data: &Dataset,
    expected: Option<[usize; 3]>,
) -> Result<(Images, [usize; 3]), TrainError> {
    let size = |pixels: &Pixels| [pixels.channels, pixels.height, pixels.width];
    let images = Images::load(data)?;
    let Some(first) = images.pixels.first() else {
        return Err(TrainError::NoImages(data.spec().to_string()));
    };
    let expected = expected.unwrap_or(size(first));
    match images.pixels.iter().position(|p| size(p) != expected) {
        None => Ok((images, expected)),
        Some(odd) => Err(TrainError::ImageSize {
            id: data.id(odd),
            found: size(&images.pixels[odd]),
            expected,
        }),
    }
}

impl<'a> Run<'a> {
    /// Opens the data and draws the weights.
    pub(crate) fn prepare(config: &'a TrainConfig, device: &'a Device) -> Result<Self, TrainError> {
        let data = Dataset::open(&parse_spec(&config.data, "data")?)?;
        let (images, input) = load_images(&data, None)?;
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
                Some(load_images(&held_out, Some(input))?.0)
            }
        };
        let (mean, std) = match &config.normalisation {
            Some(given) => (given.mean.clone(), given.std.clone()),
            None => pixel_statistics(&images.pixels),
        };
        let [channels, height, width] = input;
        let preprocess = Preprocess {
            channels,
            height,
            width,
            resize: None,
            mean,
            std,
        };
        preprocess.validate().map_err(ConfigError::from)?;
        let architecture = config.network.architecture(input, data.classes().len());
        let architecture = architecture.map_err(ConfigError::from)?;

        // The generator is the device's and process-wide: weights are drawn here, before anything else can draw.
        device.seed(config.seed);
        let contrastive = config.contrastive.as_ref();
        let mut network = Network::new(
            &architecture,
            contrastive.map(|c| (c.hidden, c.out)),
            device,
        );
        if let Some(c) = contrastive.filter(|c| c.kind == ContrastiveKind::Balanced) {
            network = network.with_prototypes((c.hidden, c.out), device);
        }
        let network = network.materialize();
        let (network, pretrained) = match &config.network.pretrained {
            None => (network, None),
            Some(path) => {
                let (network, loaded) = load_pretrained(network, &architecture, path)?;
                (network, Some(loaded))
            }
        };

        let train_counts = data.class_counts();
        let offsets = match &config.offsets {
            Some(offsets) => {
                let target = offsets
                    .target
                    .prior(data.classes())?
                    .masses(&train_counts)?;
                Some(OffsetState::new(offsets.clone(), target, config.seed))
            }
            None => None,
        };
        let views = &config.views;
        let plan = BatchPlan {
            images: Arc::new(images),
            preprocess: preprocess.clone(),
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
            progress: 0.0,
            classifier_loss: ClassifierLoss::new(
                config,
                &manifest.train_counts,
                &manifest.classes,
            )?,
            config,
            device,
            plan,
            validation,
            manifest,
            network,
            pretrained,
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
        self.progress = epoch as f64 / self.config.epochs as f64;
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
        let effort = self.offsets.as_mut().map(OffsetState::take_effort);
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
            offsets_stop: last.map(|s| s.stop.clone()),
            offsets_updates: effort.map(|e| e.updates),
            offsets_iterations: effort.map(|e| e.iterations),
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
