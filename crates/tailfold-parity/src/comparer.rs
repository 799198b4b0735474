//! A comparison that takes images incrementally. It keeps a few bytes per image, independent of the number of
//! classes.

use rayon::prelude::*;
use tailfold_spec::Logits;

use crate::groups::ModelGroups;
use crate::image::{Image, Side, Softmax};
use crate::report::Report;
use crate::sums::Sums;
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy, compare};

/// Images per block of sums. The size is fixed, so that the sums do not depend on the number of threads.
const PIECE: usize = 128;

/// An incremental comparison of a reference and a candidate.
///
/// ```
/// use tailfold_parity::{ComparedModel, Comparer, Policy, Verdict};
///
/// let model = ComparedModel::new(vec!["cat".into(), "lynx".into()], vec![500, 5]);
/// let mut comparer = Comparer::new(model, Policy::default())?;
/// for _ in 0..1000 {
///     // Two images with one row of logits each, a cat and a lynx.
///     comparer.push(&[2.0, 1.0, 0.5, 3.0], &[2.1, 0.9, 0.4, 3.1], &[0, 1])?;
/// }
/// assert_eq!(comparer.finish()?.verdict, Verdict::Pass);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Comparer {
    model: ComparedModel,
    groups: ModelGroups,
    policy: Policy,
    images: Vec<Image>,
    /// Rows that do not fill a block yet.
    waiting: Waiting,
    sums: Sums,
}

#[derive(Default)]
struct Waiting {
    reference: Vec<f32>,
    candidate: Vec<f32>,
    labels: Vec<usize>,
}

impl Comparer {
    /// Creates a comparison of two classifiers for the classes of `model`.
    ///
    /// # Errors
    /// [`ParityError`] when the policy cannot be applied, or is for another model.
    pub fn new(model: ComparedModel, policy: Policy) -> Result<Self, ParityError> {
        policy.validate().map_err(unusable)?;
        policy.fits(&model)?;
        let groups = ModelGroups::of(&model, &policy)?;
        let classes = model.classes.len();
        if classes == 0 {
            return Err(ParityErrorKind::Empty.error("the model has no classes"));
        }
        Ok(Self {
            groups,
            policy,
            images: Vec::new(),
            waiting: Waiting::default(),
            sums: Sums::new(classes),
            model,
        })
    }

    /// Returns the number of images so far.
    pub fn len(&self) -> usize {
        self.images.len() + self.waiting.labels.len()
    }

    /// Returns true before the first image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds images: `labels` is `[images]`, `reference` and `candidate` are `[images, classes]`, row-major.
    ///
    /// # Errors
    /// [`ParityError`] when lengths do not match or a label is out of range. The error counts images from the first
    /// call on.
    pub fn push(
        &mut self,
        reference: &[f32],
        candidate: &[f32],
        labels: &[usize],
    ) -> Result<(), ParityError> {
        let classes = self.model.classes.len();
        for (side, values) in [("reference", reference), ("candidate", candidate)] {
            if values.len() != labels.len() * classes {
                return Err(ParityErrorKind::Mismatch.error(format!(
                    "the {side} has {found} logits for {images} images of {classes} classes",
                    found = values.len(),
                    images = labels.len()
                )));
            }
        }
        if let Some((row, &label)) = labels.iter().enumerate().find(|(_, l)| **l >= classes) {
            return Err(ParityErrorKind::Mismatch.error(format!(
                "image {row} has label {label} but the model has {classes} classes",
                row = self.len() + row
            )));
        }
        // Blocks begin at multiples of `PIECE`, independent of the number of images per call.
        let fill = (PIECE - self.waiting.labels.len()).min(labels.len());
        let (head, rest) = labels.split_at(if self.waiting.labels.is_empty() {
            0
        } else {
            fill
        });
        let at = head.len() * classes;
        self.waiting.labels.extend_from_slice(head);
        self.waiting.reference.extend_from_slice(&reference[..at]);
        self.waiting.candidate.extend_from_slice(&candidate[..at]);
        if self.waiting.labels.len() == PIECE {
            self.flush();
        }
        let whole = rest.len() / PIECE * PIECE;
        let (reference, candidate) = (&reference[at..], &candidate[at..]);
        let pieces: Vec<(Vec<Image>, Sums)> = rest[..whole]
            .par_chunks(PIECE)
            .zip(reference.par_chunks(PIECE * classes))
            .zip(candidate.par_chunks(PIECE * classes))
            .map(|((labels, a), b)| piece(a, b, labels, classes))
            .collect();
        for (images, sums) in pieces {
            self.images.extend(images);
            self.sums.merge(&sums);
        }
        self.waiting.labels.extend_from_slice(&rest[whole..]);
        self.waiting
            .reference
            .extend_from_slice(&reference[whole * classes..]);
        self.waiting
            .candidate
            .extend_from_slice(&candidate[whole * classes..]);
        Ok(())
    }

    fn flush(&mut self) {
        let Waiting {
            reference,
            candidate,
            labels,
        } = std::mem::take(&mut self.waiting);
        let (images, sums) = piece(&reference, &candidate, &labels, self.model.classes.len());
        self.images.extend(images);
        self.sums.merge(&sums);
    }

    /// Returns the report on all images.
    ///
    /// # Errors
    /// [`ParityError`] when there are no images, a group has none, or the policy expects another number.
    pub fn finish(mut self) -> Result<Report, ParityError> {
        if !self.waiting.labels.is_empty() {
            self.flush();
        }
        compare::report(
            &self.model,
            &self.groups,
            self.policy,
            &self.images,
            &self.sums,
        )
    }
}

/// Computes the results on one block of images, and their sums.
fn piece(
    reference: &[f32],
    candidate: &[f32],
    labels: &[usize],
    classes: usize,
) -> (Vec<Image>, Sums) {
    let mut sums = Sums::new(classes);
    let (mut p, mut q) = (Softmax::default(), Softmax::default());
    let rows = reference
        .chunks_exact(classes)
        .zip(candidate.chunks_exact(classes));
    let images = rows
        .zip(labels)
        .map(|((a, b), &label)| {
            let image = Image {
                // Labels are below the number of classes, and the class list fits in memory.
                label: u32::try_from(label).unwrap_or(u32::MAX),
                before: Side::of(a, label, &mut p),
                after: Side::of(b, label, &mut q),
            };
            sums.add(&image, [a, b], [&p, &q]);
            image
        })
        .collect();
    (images, sums)
}

/// Compares the logits of `reference` and `candidate` on the same images, in the same order.
///
/// `labels` is `[images]`. An image with a NaN or infinite logit counts as wrong, and a single such image on either
/// side fails the comparison. A group without classes is absent from the report. The caller fills in `backends`,
/// `model_sha256` and `run`.
///
/// # Errors
/// [`ParityError`] when there are no images or the inputs do not match. Such a comparison has no verdict, and its
/// exit code is 2.
pub fn compare_logits(
    reference: &Logits,
    candidate: &Logits,
    labels: &[usize],
    model: &ComparedModel,
    policy: &Policy,
) -> Result<Report, ParityError> {
    policy.validate().map_err(unusable)?;
    if reference.num_classes() != candidate.num_classes() {
        return Err(ParityErrorKind::Mismatch.error(format!(
            "the reference has {reference} classes but the candidate has {candidate}",
            reference = reference.num_classes(),
            candidate = candidate.num_classes()
        )));
    }
    crate::accuracy::check_card(reference, "class names", model.classes.len())?;
    crate::accuracy::check_card(reference, "training counts", model.train_counts.len())?;
    if reference.len() != candidate.len() {
        return Err(ParityErrorKind::Mismatch.error(format!(
            "the reference scored {reference} images but the candidate scored {candidate}",
            reference = reference.len(),
            candidate = candidate.len()
        )));
    }
    crate::accuracy::check_labels(reference, labels)?;
    let mut comparer = Comparer::new(model.clone(), policy.clone())?;
    comparer.push(reference.values(), candidate.values(), labels)?;
    comparer.finish()
}

fn unusable(cause: ParityError) -> ParityError {
    ParityErrorKind::Policy
        .error("the policy is unusable")
        .caused_by(cause)
}
