//! The training loop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use serde::{Deserialize, Serialize};
use tailfold_data::{Augmenter, DataError, DataSpec, Dataset, Pixels};
use tailfold_sdot::{AffineHead, Options, SolveError, balanced_weights};
use tailfold_spec::artifact::ArtifactError;
use tailfold_spec::{
    Architecture, AtExport, ClassGroups, Group, Logits, Manifest, OffsetsError, OffsetsRecord,
    Preprocess, Prior, RunFiles,
};

use crate::batches::{Batch, BatchPlan, Images};
use crate::config::{ConfigError, LossKind, TrainConfig};
use crate::evaluate::{Answers, answers, input_values, to_host};
use crate::loss::{ot_dynamic_softmax, supervised_contrastive};
use crate::offsets::{OffsetState, record, to_f32};
use crate::products::{Features, Golden, write_run};
use crate::resnet::Network;
use crate::resume::{self, ResumeState};
use crate::schedule::learning_rate;
use crate::weights::{WeightError, named_weights};

/// Class-balanced training images whose features travel with the run, at most this many a class.
const FEATURES_PER_CLASS: usize = 32;
/// Golden images a class, and in all.
const GOLDEN_PER_CLASS: usize = 2;
const GOLDEN_MOST: usize = 64;

/// A run that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Class counts that make no prior.
    #[error(transparent)]
    Prior(#[from] OffsetsError),
    /// A file.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// The transport solver.
    #[error("the offsets could not be solved")]
    Solve(#[from] SolveError),
    /// Weights that are not finite, or do not fit.
    #[error("the network's weights are unusable")]
    Weights(#[from] WeightError),
    /// The loss became NaN or infinite.
    #[error(
        "the loss is {loss} at epoch {epoch}, step {step} (learning rate {learning_rate:.5}); the batch held images {indices:?}"
    )]
    Diverged {
        /// Loss.
        loss: f32,
        /// Epoch, from 1.
        epoch: usize,
        /// Step in the epoch, from 1.
        step: usize,
        /// Learning rate.
        learning_rate: f64,
        /// Indices of the batch's images.
        indices: Vec<usize>,
    },
    /// Images of different sizes without a resize.
    #[error("{id} is {found:?} (channels, height, width) but the first image is {expected:?}")]
    ImageSize {
        /// The image.
        id: String,
        /// Its size.
        found: [usize; 3],
        /// The first image's.
        expected: [usize; 3],
    },
    /// Validation data of other classes.
    #[error("training data has classes {training:?}, validation data {validation:?}")]
    Classes {
        /// Training classes.
        training: Vec<String>,
        /// Validation classes.
        validation: Vec<String>,
    },
    /// A saved state that cannot be used.
    #[error("cannot resume from {}: {why}", path.display())]
    Resume {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The back end.
    #[error("the back end failed: {0}")]
    Device(String),
    /// A tensor file.
    #[error("a tensor file could not be made")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A JSON file.
    #[error("a JSON file could not be made")]
    Json(#[from] serde_json::Error),
    /// `metrics.csv`.
    #[error("metrics.csv could not be made")]
    Metrics(#[from] csv::Error),
}

/// One row of `metrics.csv`. Accuracies are shares of 1; absent without validation data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean total loss.
    pub loss: f64,
    /// Mean of the classifier's loss.
    pub classifier_loss: f64,
    /// Mean of the contrastive loss, before its weight.
    pub contrastive_loss: f64,
    /// Accuracy on the augmented training views, without offsets.
    pub train_top1: f64,
    /// Accuracy on the validation data with the offsets that would be folded now.
    pub val_top1: Option<f64>,
    /// Mean accuracy of the many-shot classes.
    pub val_many: Option<f64>,
    /// Mean accuracy of the medium-shot classes.
    pub val_medium: Option<f64>,
    /// Mean accuracy of the few-shot classes.
    pub val_few: Option<f64>,
    /// Largest absolute offset, logits.
    pub largest_offset: f64,
    /// Chi-square marginal error of the last solution.
    pub offsets_chi_square: f64,
    /// Largest relative cell error of the last solution.
    pub offsets_relative_error: f64,
    /// Training images a second, views not counted.
    pub images_per_second: f64,
}

/// Hears of a run's progress.
pub trait Observer {
    /// Called once, before the first step.
    fn start(&mut self, _manifest: &Manifest, _steps_per_epoch: usize, _epochs_done: usize) {}
    /// Called after each step with the loss.
    fn step(&mut self, _epoch: usize, _step: usize, _loss: f64) {}
    /// Called after each epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    /// As written.
    pub manifest: Manifest,
    /// One row an epoch.
    pub reports: Vec<EpochReport>,
}

/// Trains by `config` on `device` (with autodiff) and writes the run folder `out`.
///
/// # Errors
/// [`TrainError`]; the files of an earlier, finished run in `out` stay whole until they are replaced one by one, the
/// manifest last.
pub fn train(
    config: &TrainConfig,
    out: &Path,
    resume: bool,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    config.validate()?;
    let mut run = Run::prepare(config, device)?;
    let mut reports = Vec::new();
    if resume
        && let Some(saved) = resume::load(out, config, run.network.clone(), sgd(config), device)?
    {
        run.network = saved.network;
        run.optimizer = saved.optimizer;
        run.radius = saved.state.radius;
        reports = saved.state.reports;
        if let Some(offsets) = &mut run.offsets {
            offsets.h = saved.state.h;
            offsets.queue = saved.state.queue.into();
        }
    }
    observer.start(&run.manifest, run.plan.steps(), reports.len());
    for epoch in reports.len()..config.epochs {
        let report = run.epoch(epoch, observer)?;
        observer.epoch(&report);
        reports.push(report);
        write_metrics(out, &reports)?;
        let offsets = run.offsets.as_ref();
        let state = ResumeState {
            config: config.clone(),
            epochs_done: epoch + 1,
            h: offsets.map_or_else(Vec::new, |o| o.h.clone()),
            queue: offsets.map_or_else(Vec::new, |o| o.queue.iter().cloned().collect()),
            radius: run.radius,
            reports: reports.clone(),
            network_sha256: String::new(),
            optimizer_sha256: String::new(),
        };
        resume::save(out, &run.network, &run.optimizer, state)?;
    }
    let manifest = run.finish(out)?;
    resume::clear(out)?;
    Ok(Outcome { manifest, reports })
}

fn sgd(config: &TrainConfig) -> ModuleOptimizer {
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

fn write_metrics(out: &Path, reports: &[EpochReport]) -> Result<(), TrainError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for report in reports {
        writer.serialize(report)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(tailfold_spec::artifact::write(
        &out.join("metrics.csv"),
        &bytes,
    )?)
}

/// A run in progress.
struct Run<'a> {
    config: &'a TrainConfig,
    device: &'a Device,
    plan: BatchPlan,
    validation: Option<Images>,
    /// Class-balanced training images, as indices.
    balanced: Vec<usize>,
    manifest: Manifest,
    network: Network,
    optimizer: ModuleOptimizer,
    offsets: Option<OffsetState>,
    /// Mean length of the features under the head.
    radius: f32,
}

fn parse_spec(text: &str, key: &'static str) -> Result<DataSpec, TrainError> {
    text.parse().map_err(|_| {
        ConfigError::Value {
            key,
            value: text.to_owned(),
            expected: "a data spec such as `embedded`",
        }
        .into()
    })
}

fn size(pixels: &Pixels) -> [usize; 3] {
    [pixels.channels, pixels.height, pixels.width]
}

impl<'a> Run<'a> {
    fn prepare(config: &'a TrainConfig, device: &'a Device) -> Result<Self, TrainError> {
        let data = Dataset::open(&parse_spec(&config.data, "data")?)?;
        let images = Images::load(&data)?;
        let input = size(&images.pixels[0]);
        if let Some(odd) = images.pixels.iter().position(|p| size(p) != input) {
            return Err(TrainError::ImageSize {
                id: data.id(odd),
                found: size(&images.pixels[odd]),
                expected: input,
            });
        }
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
                Some(Images::load(&held_out)?)
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
        let network_config = &config.network;
        let architecture = Architecture {
            depth: network_config.depth,
            width: network_config.width,
            stem_stride: network_config.stem_stride,
            input,
            classes: data.classes().len(),
            head: network_config.head,
        };
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
            config,
            device,
            plan,
            validation,
            manifest,
            network,
            offsets,
        })
    }

    fn epoch(
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
                .map(|recall| overall(recall, self.validation.as_ref())),
            val_many: group(Group::Many),
            val_medium: group(Group::Medium),
            val_few: group(Group::Few),
            largest_offset: self
                .offsets
                .as_ref()
                .map_or(0.0, |o| o.h.iter().fold(0.0, |a: f64, h| a.max(h.abs()))),
            offsets_chi_square: last.map_or(0.0, |s| s.chi_square),
            offsets_relative_error: last.map_or(0.0, |s| s.largest_relative_error),
            images_per_second: images as f64 / seconds,
        })
    }

    /// One step of gradient descent.
    fn step(&mut self, batch: &Batch, rate: f64) -> Result<StepLosses, TrainError> {
        let n = batch.labels.len();
        let views = &self.config.views;
        let spec = &self.manifest.preprocess;
        let shape = [
            n * self.plan.views.len(),
            spec.channels,
            spec.height,
            spec.width,
        ];
        let x = Tensor::<4>::from_data(TensorData::new(batch.values.clone(), shape), self.device);
        let labels = |views: usize| {
            let repeated: Vec<i32> = std::iter::repeat_n(&batch.labels, views)
                .flatten()
                .copied()
                .collect();
            Tensor::<1, Int>::from_ints(repeated.as_slice(), self.device)
        };
        let features = self.network.features(x);
        let rows = n * views.classifier;
        let dim = self.manifest.architecture.feature_dim();
        let classified = features.clone().slice([0..rows, 0..dim]);
        let scores = self.network.head.forward(classified.clone());
        let shift = match &self.offsets {
            Some(offsets) => offsets.shift(),
            None => vec![0.0; self.manifest.classes.len()],
        };
        let shift = Tensor::<1>::from_floats(shift.as_slice(), self.device);
        let classifier = ot_dynamic_softmax(scores.clone(), shift, labels(views.classifier));
        let contrastive = match (&self.config.contrastive, &self.network.projection) {
            (Some(contrastive), Some(projection)) => {
                let (points, count) = if views.contrastive == 0 {
                    (classified.clone(), views.classifier)
                } else {
                    (
                        features.clone().slice([rows..shape[0], 0..dim]),
                        views.contrastive,
                    )
                };
                let loss = supervised_contrastive(
                    projection.forward(points),
                    labels(count),
                    contrastive.temperature,
                );
                Some((loss, contrastive.weight))
            }
            _ => None,
        };
        let (loss, contrastive) = match contrastive {
            Some((loss, weight)) => (
                classifier.clone() + loss.clone().mul_scalar(weight),
                to_host(loss.without_autodiff())?[0],
            ),
            None => (classifier.clone(), 0.0),
        };
        let total = to_host(loss.clone().without_autodiff())?[0];
        let seen = to_host(scores.without_autodiff())?;
        let classes = self.manifest.classes.len();
        let correct = seen
            .chunks_exact(classes)
            .zip(std::iter::repeat_n(&batch.labels, views.classifier).flatten())
            .filter(|(row, label)| {
                Logits::top1(row).is_some_and(|(class, _)| i32::try_from(class) == Ok(**label))
            })
            .count();
        let inputs = to_host(self.network.head.inputs(classified).without_autodiff())?;
        let losses = StepLosses {
            total,
            classifier: to_host(classifier.without_autodiff())?[0],
            contrastive,
            correct,
        };
        if !total.is_finite() {
            return Ok(losses);
        }
        let lengths = inputs
            .chunks_exact(dim)
            .map(|z| z.iter().map(|x| x * x).sum::<f32>().sqrt());
        self.radius = lengths.sum::<f32>() / rows as f32;
        if let Some(offsets) = &mut self.offsets {
            offsets.push(&inputs[..n * dim], &batch.labels, dim);
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(losses)
    }

    fn affine_head(&self, network: &Network) -> Result<AffineHead, TrainError> {
        let (weight, bias) = network.head.affine();
        let weight = to_host(weight.without_autodiff())?;
        let bias = match bias {
            Some(bias) => to_host(bias.without_autodiff())?,
            None => vec![0.0; self.manifest.classes.len()],
        };
        Ok(AffineHead::new(
            &weight,
            &bias,
            self.manifest.architecture.feature_dim(),
        )?)
    }

    fn answers(&self, network: &Network, images: &[&Pixels]) -> Result<Answers, TrainError> {
        answers(
            network,
            images,
            &self.manifest.preprocess,
            &self.device.clone().without_autodiff(),
        )
    }

    fn balanced_images(&self) -> Vec<&Pixels> {
        self.balanced
            .iter()
            .map(|&i| &self.plan.images.pixels[i])
            .collect()
    }

    /// The offsets that the exporter would fold by default.
    fn deployed(&self, network: &Network) -> Result<OffsetsRecord, TrainError> {
        let classes = self.manifest.classes.len();
        let Some(offsets) = &self.offsets else {
            return Ok(OffsetsRecord::zeros(classes));
        };
        match self.manifest.at_export {
            AtExport::Keep => Ok(offsets.record()),
            AtExport::Drop => Ok(OffsetsRecord::zeros(classes)),
            AtExport::Resolve => {
                let features = self.answers(network, &self.balanced_images())?.features;
                let labels: Vec<usize> = self
                    .balanced
                    .iter()
                    .map(|&i| self.plan.images.labels[i])
                    .collect();
                let weights = balanced_weights(&labels, classes)?;
                let target = Prior::Uniform.masses(&self.manifest.train_counts)?;
                let head = self.affine_head(network)?;
                let solution =
                    head.solve(&features, Some(&weights), &target, &Options::default())?;
                let h: Vec<f32> = solution.offsets.iter().map(|&h| to_f32(h)).collect();
                Ok(record(
                    &h,
                    "resolved",
                    "balanced-features",
                    &target,
                    Some(&solution),
                ))
            }
        }
    }

    /// Accuracy of each class on the validation data; `None` without one.
    fn validate(&self) -> Result<Option<Vec<Option<f64>>>, TrainError> {
        let Some(images) = &self.validation else {
            return Ok(None);
        };
        let network = self.network.valid();
        let offsets = self.deployed(&network)?.offsets;
        let pixels: Vec<&Pixels> = images.pixels.iter().collect();
        let scores = self.answers(&network, &pixels)?.scores;
        let classes = offsets.len();
        let (mut hits, mut counts) = (vec![0_u32; classes], vec![0_u32; classes]);
        for (row, &label) in scores.chunks_exact(classes).zip(&images.labels) {
            let moved: Vec<f32> = row.iter().zip(&offsets).map(|(s, h)| s + h).collect();
            counts[label] += 1;
            hits[label] += u32::from(Logits::top1(&moved).is_some_and(|(class, _)| class == label));
        }
        let recall = hits
            .iter()
            .zip(&counts)
            .map(|(&h, &n)| (n > 0).then(|| f64::from(h) / f64::from(n)));
        Ok(Some(recall.collect()))
    }

    fn finish(self, out: &Path) -> Result<Manifest, TrainError> {
        let network = self.network.valid();
        let mut weights = named_weights(&network)?;
        // Only what is deployed: the projection serves the contrastive loss alone.
        weights.retain(|name, _| !name.starts_with("projection."));
        let mut seen = vec![0; self.manifest.classes.len()];
        let golden: Vec<usize> = self
            .balanced
            .iter()
            .copied()
            .filter(|&i| {
                let count = &mut seen[self.plan.images.labels[i]];
                *count += 1;
                *count <= GOLDEN_PER_CLASS
            })
            .take(GOLDEN_MOST)
            .collect();
        let pixels: Vec<&Pixels> = golden
            .iter()
            .map(|&i| &self.plan.images.pixels[i])
            .collect();
        let spec = &self.manifest.preprocess;
        let inputs = input_values(pixels.iter().copied(), spec)?;
        let scores = self.answers(&network, &pixels)?.scores;
        let features = self.answers(&network, &self.balanced_images())?.features;
        let labels = self
            .balanced
            .iter()
            .map(|&i| i64::try_from(self.plan.images.labels[i]).unwrap_or(i64::MAX));
        let (classes, dim) = (
            self.manifest.classes.len(),
            self.manifest.architecture.feature_dim(),
        );
        let offsets = match &self.offsets {
            Some(offsets) => offsets.record(),
            None => OffsetsRecord::zeros(classes),
        };
        write_run(
            out,
            &weights,
            &offsets,
            Golden {
                inputs: (
                    vec![pixels.len(), spec.channels, spec.height, spec.width],
                    inputs,
                ),
                scores: (vec![pixels.len(), classes], scores),
            },
            Features {
                values: (vec![self.balanced.len(), dim], features),
                labels: labels.collect(),
            },
            self.manifest.clone(),
        )
    }
}

#[derive(Default)]
struct StepLosses {
    total: f32,
    classifier: f32,
    contrastive: f32,
    correct: usize,
}

/// Share of right answers over all images, from the classes' shares.
fn overall(recall: &[Option<f64>], images: Option<&Images>) -> f64 {
    let labels = images.map_or(&[][..], |i| &i.labels);
    labels.iter().filter_map(|&y| recall[y]).sum::<f64>() / labels.len().max(1) as f64
}

/// Mean and standard deviation of each channel, on the 0..1 scale.
fn pixel_statistics(images: &[Pixels]) -> (Vec<f32>, Vec<f32>) {
    let channels = images[0].channels;
    let (mut sum, mut square, mut count) =
        (vec![0.0_f64; channels], vec![0.0_f64; channels], 0_u64);
    for image in images {
        for pixel in image.values.chunks_exact(channels) {
            count += 1;
            for (c, &value) in pixel.iter().enumerate() {
                let v = f64::from(value) / 255.0;
                sum[c] += v;
                square[c] += v * v;
            }
        }
    }
    let mean: Vec<f64> = sum.iter().map(|s| s / count as f64).collect();
    // A channel of one single value has no spread; dividing by the smallest step of a byte keeps it finite.
    let std = square
        .iter()
        .zip(&mean)
        .map(|(s, m)| (s / count as f64 - m * m).max(0.0).sqrt().max(1.0 / 255.0));
    (
        mean.iter().map(|&m| to_f32(m)).collect(),
        std.map(to_f32).collect(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of steps, checked to be non-negative; `as` saturates"
)]
fn round_to_usize(value: f64) -> usize {
    value.round() as usize
}
