//! Checks by their model cards whether two models may be compared, which finds faults that accuracy does not show.

use tailfold_spec::{Group, ModelCard, QuantizationRecord};

use crate::groups::ModelGroups;
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy};

mod preprocess;

/// The card of a model, and the hash of its file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Carded<'a> {
    /// The model card.
    pub card: &'a ModelCard,
    /// SHA-256 of the model file.
    pub sha256: &'a str,
}

impl<'a> Carded<'a> {
    /// Creates a model from its card and the SHA-256 of its file.
    pub fn new(card: &'a ModelCard, sha256: &'a str) -> Self {
        Self { card, sha256 }
    }
}

/// Rules of [`check_pair`] that the caller explicitly turns off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowed {
    /// Allows two models from one checkpoint to prepare images differently.
    pub other_preprocessing: bool,
    /// Allows a candidate that was quantized from a file other than the reference.
    pub other_float: bool,
    /// Allows a group without calibration images.
    pub uncalibrated: bool,
}

/// Checks that `candidate` is a form of `reference`, or another model for the same task. Returns notes on differences
/// that are not errors.
///
/// - Both models have the same classes, in the same order, with the same training counts.
/// - Two models from one checkpoint prepare images in the same way. Models from different checkpoints may differ:
///   accuracy decides about them, and the difference is a note.
/// - A quantized candidate was made from the reference's file, unless the reference is quantized itself.
/// - A candidate that was calibrated on labelled images has calibration images of each of the policy's groups. Single
///   classes without calibration images are a note.
///
/// # Errors
/// [`ParityError`] naming the class or field and both values.
pub fn check_pair(
    reference: Carded<'_>,
    candidate: Carded<'_>,
    policy: &Policy,
    allowed: Allowed,
) -> Result<Vec<String>, ParityError> {
    same_classes(reference.card, candidate.card)?;
    let mut notes = Vec::new();
    let made_of = made_of(&candidate);
    let one_checkpoint = reference.card.checkpoint_sha256 == candidate.card.checkpoint_sha256
        && !candidate.card.checkpoint_sha256.is_empty();
    if let Some(difference) = preprocess::difference(reference.card, candidate.card) {
        if (one_checkpoint || made_of == Some(reference.sha256)) && !allowed.other_preprocessing {
            return Err(ParityErrorKind::Preprocessing.error(format!(
                "both are forms of one checkpoint, but {difference}"
            )));
        }
        notes.push(format!(
            "reference and candidate prepare images differently: {difference}"
        ));
    }
    if let Some(made_of) = made_of
        && made_of != reference.sha256
        && reference.card.quantization.is_none()
        && !allowed.other_float
    {
        return Err(ParityErrorKind::OtherFloat.error(format!(
            "the candidate was quantized from the file with SHA-256 {made_of}, but the reference's \
             is {reference}",
            reference = reference.sha256
        )));
    }
    if let Some(record) = &candidate.card.quantization {
        notes.extend(calibrated(candidate.card, record, policy, allowed)?);
    }
    Ok(notes)
}

/// SHA-256 of the float file from which a quantized model was made; `None` if the card has none.
fn made_of<'a>(model: &Carded<'a>) -> Option<&'a str> {
    let record = model.card.quantization.as_ref()?;
    Some(record.float_sha256.as_str()).filter(|hash| !hash.is_empty())
}

fn same_classes(reference: &ModelCard, candidate: &ModelCard) -> Result<(), ParityError> {
    let (a, b) = (&reference.classes, &candidate.classes);
    if a.len() != b.len() {
        return Err(ParityErrorKind::Mismatch.error(format!(
            "the reference has {reference} classes but the candidate has {candidate}",
            reference = a.len(),
            candidate = b.len()
        )));
    }
    if let Some(class) = (0..a.len()).find(|&class| a[class] != b[class]) {
        let order = match is_reordered(a, b) {
            true => ": the same classes in another order",
            false => "",
        };
        return Err(ParityErrorKind::Classes.error(format!(
            "class {class} is `{reference}` in the reference but `{candidate}` in the \
             candidate{order}",
            reference = a[class],
            candidate = b[class]
        )));
    }
    let (counts, others) = (&reference.train_counts, &candidate.train_counts);
    match (0..a.len()).find(|&class| counts.get(class) != others.get(class)) {
        Some(class) => Err(ParityErrorKind::Classes.error(format!(
            "class {class} `{name}` has {reference} training images in the reference but \
             {candidate} in the candidate",
            name = a[class],
            reference = counts.get(class).copied().unwrap_or(0),
            candidate = others.get(class).copied().unwrap_or(0)
        ))),
        None => Ok(()),
    }
}

fn is_reordered(a: &[String], b: &[String]) -> bool {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

/// Fails for a group without calibration images; returns a note if single classes have none.
fn calibrated(
    card: &ModelCard,
    record: &QuantizationRecord,
    policy: &Policy,
    allowed: Allowed,
) -> Result<Option<String>, ParityError> {
    let counts = &record.calibration_counts;
    // Half-precision models and unlabelled images have no counts, and counts of another length do not apply to these
    // classes.
    if counts.len() != card.classes.len() || counts.iter().all(|&images| images == 0) {
        return Ok(None);
    }
    let missing: Vec<usize> = (0..counts.len()).filter(|&c| counts[c] == 0).collect();
    let Some(&first) = missing.first() else {
        return Ok(None);
    };
    let groups = groups(card, policy)?;
    for group in Group::ALL {
        let classes: Vec<usize> = groups.of_class.classes(group).collect();
        if let Some(&first) = classes.first()
            && classes.iter().all(|&class| counts[class] == 0)
            && !allowed.uncalibrated
        {
            return Err(ParityErrorKind::Uncalibrated.error(format!(
                "the candidate was calibrated on {calibration} without an image of group {group} \
                 ({classes} classes, the first {first} `{name}`)",
                calibration = record.calibration,
                classes = classes.len(),
                name = card.classes[first]
            )));
        }
    }
    Ok(Some(format!(
        "the candidate was calibrated without an image of {} of {} classes, the first {first} `{}`",
        missing.len(),
        counts.len(),
        card.classes[first]
    )))
}

fn groups(card: &ModelCard, policy: &Policy) -> Result<ModelGroups, ParityError> {
    ModelGroups::of(&ComparedModel::from(card), policy)
}

#[cfg(test)]
mod tests;
