//! Preparation of a run: its data, network, optimizer and offsets.

use std::sync::Arc;

use burn::module::Module as _;
use burn::prelude::*;
use burn::tensor::DType;
use tailfold_data::{Augmenter, Dataset, Normaliser};
use tailfold_spec::{AtExport, Manifest, Preprocess, RunFiles};

use crate::batches::BatchPlan;
use crate::config::{ContrastiveKind, Precision, TrainConfig, data_spec};
use crate::epoch_sums::EpochSums;
use crate::error::{TrainError, TrainErrorKind};
use crate::images::{load_images, pixel_statistics};
use crate::networks::Network;
use crate::objective::ClassifierLoss;
use crate::offsets::OffsetState;
use crate::optimizer::descent;
use crate::plan::RunPlan;
use crate::pretrained::{Pretrained, load_pretrained};
use crate::report::Observer;
use crate::state::RunState;

/// Largest number of class-balanced training images per class whose features are stored with the run.
const FEATURES_PER_CLASS: usize = 32;

/// A run before its first step.
pub(crate) struct Prepared<'a> {
    pub(crate) plan: RunPlan<'a>,
    pub(crate) state: RunState,
    /// Origin of the initial weights, if they are not random.
    pub(crate) pretrained: Option<Pretrained>,
}

/// Opens the data and initializes the weights.
pub(crate) fn prepare<'a>(
    config: &'a TrainConfig,
    device: &'a Device,
    observer: &mut dyn Observer,
) -> Result<Prepared<'a>, TrainError> {
    let data = Dataset::open(&data_spec(&config.data, "data")?)?;
    let (data, images, input) = load_images(data, &config.images, None, observer)?;
    let validation = match &config.validation {
        None => None,
        Some(text) => {
            let held_out = Dataset::open(&data_spec(text, "validation")?)?;
            if held_out.classes() != data.classes() {
                return Err(TrainErrorKind::Images.error(format!(
                    "training data has classes {:?}, validation data {:?}",
                    data.classes(),
                    held_out.classes()
                )));
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
        bgr: false,
        resize: config.images.resize(),
        mean,
        std,
    };
    preprocess.validate()?;
    let architecture = config.network.architecture(input, data.classes().len())?;

    if config.precision == Precision::Bf16 && !device.supports_dtype(DType::BF16) {
        return Err(TrainErrorKind::Config
            .error("this device does not compute in bfloat16: leave `precision` at \"f32\""));
    }
    // The random generator belongs to the device and the whole process, so the weights are drawn before other code can
    // use it.
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
            let loaded = load_pretrained(network, &architecture, path);
            let (network, loaded) = loaded.map_err(|error| {
                TrainErrorKind::Weights
                    .error("the pretrained weights do not fit the network")
                    .caused_by(error)
            })?;
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
            Some(OffsetState::new(
                offsets.clone(),
                target,
                config.seed,
                device,
            )?)
        }
        None => None,
    };
    let views = &config.views;
    let batches = BatchPlan {
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
    let plan = RunPlan {
        balanced: data.balanced_indices(FEATURES_PER_CLASS, config.seed)?,
        classifier_loss: ClassifierLoss::new(config, &manifest.train_counts, &manifest.classes)?,
        config,
        device,
        batches,
        validation,
        manifest,
    };
    let state = RunState {
        optimizer: descent(&config.optimizer),
        radius: 1.0,
        reports: Vec::new(),
        sums: EpochSums::default(),
        network,
        offsets,
    };
    Ok(Prepared {
        plan,
        state,
        pretrained,
    })
}
