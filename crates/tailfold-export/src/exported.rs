//! The export: offsets are chosen and folded, and the file is compared with the expected logits before it gets its name.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tailfold::{Backend, Golden, LoadedModel, Options, RuntimeError, Verification, dataset_logits};
use tailfold_spec::{Logits, OffsetsRecord, artifact};

use crate::choice::Chosen;
use crate::{ErrorKind, ExportError, Offsets, Progress, Retarget, Scored, Unfolded};

/// The result of an export; schema `tailfold.export/1`.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Exported {
    /// `tailfold.export/1`.
    pub schema: &'static str,
    /// The file.
    pub model: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size of the file.
    pub bytes: usize,
    /// The offsets that were folded.
    pub offsets: OffsetsRecord,
    /// For solved offsets: the prior mass and the reached mass of each class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retarget: Option<Retarget>,
    /// The comparison of the file with the expected logits.
    pub verification: Verification,
}

/// Folds `offsets` into `model` and writes the file `out`.
///
/// The runtime opens the finished file before the file gets its name. An exported run must give the training
/// framework's scores plus the offsets. An exported model file must give its raw scores plus the offsets, on the
/// calibration images.
///
/// # Errors
/// [`ExportError`]; nothing is written.
pub fn export(
    model: &Unfolded,
    out: &Path,
    offsets: &Offsets,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Exported, ExportError> {
    let Chosen {
        offsets,
        retarget,
        calibration,
    } = offsets.choose(model, progress)?;
    let bytes = model.folded(&offsets)?.to_bytes();
    let mut verification = None;
    artifact::write_checked(out, &bytes, |file| -> Result<(), ExportError> {
        let mut written = LoadedModel::open(file, Backend::default(), &Options::default())?;
        let found = match (model.run(), &calibration) {
            (Some(_), _) => {
                Verification::with_golden(&mut written, &Golden::of_run(model.path())?)?
            }
            (None, Some(scored)) => with_scores(&written, scored, &offsets)?,
            (None, None) => {
                let text = "a model file is compared on labelled images, and none were given";
                return Err(ErrorKind::Data.error(text));
            }
        };
        verification = Some(held(found)?);
        Ok(())
    })?;
    let unverified = || ErrorKind::Verify.error("the file was not compared");
    Ok(Exported {
        schema: "tailfold.export/1",
        model: out.to_owned(),
        sha256: artifact::sha256(&bytes),
        bytes: bytes.len(),
        offsets,
        retarget,
        verification: verification.ok_or_else(unverified)?,
    })
}

/// Largest number of images that a written file is compared on.
const MOST_COMPARED: usize = 256;

/// Compares `model` with the raw scores plus `offsets`, on some of the images.
fn with_scores(
    model: &LoadedModel,
    scored: &Scored,
    offsets: &OffsetsRecord,
) -> Result<Verification, ExportError> {
    let images = scored.images();
    let step = images.len().div_ceil(MOST_COMPARED).max(1);
    let some: Vec<usize> = (0..images.len()).step_by(step).collect();
    let found = dataset_logits(&[model], &images.subset(&some), &|| {})?;
    let rows: Vec<&[f32]> = scored.scores.rows().collect();
    let sums = some.iter().flat_map(|&image| {
        let pairs = rows[image].iter().zip(&offsets.offsets);
        pairs.map(|(s, h)| s + h)
    });
    let expected = Logits::new(sums.collect(), scored.classes());
    let expected = expected.map_err(RuntimeError::from)?;
    let [found] = &found[..] else {
        let text = "the written file gave no logits";
        return Err(ErrorKind::Verify.error(text));
    };
    Ok(Verification::of("scores plus offsets", &expected, found)?)
}

fn held(found: Verification) -> Result<Verification, ExportError> {
    if found.holds {
        return Ok(found);
    }
    let text = format!(
        "the exported graph does not answer as {}: {} of {} images have another top-1 class, a logit differs by {:.2e}, tolerance {:.2e}",
        match found.against {
            "the training framework" => "the training framework did",
            other => other,
        },
        found.changed_decisions,
        found.images,
        found.max_abs_logit_diff,
        found.tolerance
    );
    Err(ErrorKind::Verify.error(text))
}
