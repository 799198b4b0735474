//! Calibration passes that are split into shards: computes one part per shard, and continues from all parts.
//!
//! There are three passes: ranges of all activations, windows of every layer's input, and logits of the
//! quantized network. Each pass needs the results of the previous pass on all images; within a pass, images
//! are independent. Parts combine to exactly the result of one machine: they hold ranges of single images,
//! counts, quantized values, sums of integers, and logits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tailfold_data::{DataError, Dataset};
use tailfold_part::{Kind, Part, Parts};
use tailfold_spec::Shard;

use crate::draft::{Draft, Graph, Ranged};
use crate::error::{QuantError, QuantErrorKind};
use crate::float::FloatModel;
use crate::images::{CalibrationSet, Draw};
use crate::options::Options;

mod answers;
mod asked;
mod ranges;
mod windows;

use asked::SetAsked;

/// Passes that were computed in shards, with all parts of each.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    ranges: Option<Parts>,
    windows: Option<Parts>,
    answers: Option<Parts>,
}

impl Passes {
    /// Reads the parts `paths` of one or more passes, in any order.
    ///
    /// # Errors
    /// [`QuantErrorKind::Part`], which names a file that does not belong to a pass, or when the files of a
    /// pass are not all parts of one run.
    pub fn read(paths: &[PathBuf]) -> Result<Self, QuantError> {
        let [mut ranges, mut windows, mut answers] = [const { Vec::new() }; 3];
        for path in paths {
            let part = Part::read(path)?;
            let of_kind = match part.kind() {
                Kind::Ranges => &mut ranges,
                Kind::Windows => &mut windows,
                Kind::Answers => &mut answers,
                kind => {
                    return Err(QuantErrorKind::Part.error(format!(
                        "{file} is a part of `{kind}`, which is not a calibration pass",
                        file = path.display()
                    )));
                }
            };
            of_kind.push((path.clone(), part));
        }
        let parts = |of_kind: Vec<_>| {
            let some = (!of_kind.is_empty()).then(|| Parts::of(of_kind));
            some.transpose()
        };
        Ok(Self {
            ranges: parts(ranges)?,
            windows: parts(windows)?,
            answers: parts(answers)?,
        })
    }

    /// Returns the first missing pass of a quantization with `options`; `None` when none is missing.
    pub fn next(&self, options: &Options) -> Option<Kind> {
        [
            (Kind::Ranges, true, &self.ranges),
            (Kind::Windows, options.samples_windows(), &self.windows),
            (Kind::Answers, options.rebalance, &self.answers),
        ]
        .into_iter()
        .find(|(_, needed, parts)| *needed && parts.is_none())
        .map(|(kind, ..)| kind)
    }

    /// Returns how often this machine still has to process each image, in the form of [`Options::passes`].
    pub fn left(&self, options: &Options) -> [usize; 2] {
        let [mut choosing, mut finishing] = options.passes();
        choosing -= usize::from(self.ranges.is_some());
        choosing -= usize::from(options.samples_windows() && self.windows.is_some());
        if self.answers.is_some() {
            finishing = 0;
        }
        [choosing, finishing]
    }

    /// Draws calibration images as [`CalibrationSet::draw`] does; an image whose hash is in the parts is not
    /// decoded again.
    ///
    /// # Errors
    /// As [`CalibrationSet::draw`], and [`QuantErrorKind::Part`] when the parts belong to another draw.
    pub fn draw(
        &self,
        data: &Dataset,
        model: &FloatModel,
        draw: &Draw<'_>,
    ) -> Result<CalibrationSet, QuantError> {
        let unread = CalibrationSet::unread(data, model, draw)?;
        let hashes = match self.hashes(&unread)? {
            None => unread.hash_all(),
            Some(known) => known,
        };
        unread.keep(hashes, draw.allow_missing)
    }

    /// Observes ranges and quantizes weights as [`Draft::new`] does, but takes the results of passes with
    /// parts from the parts.
    ///
    /// # Errors
    /// As [`Draft::new`], and [`QuantErrorKind::Part`] when the parts belong to another run.
    pub fn draft<'a>(
        &self,
        float: &'a FloatModel,
        set: &CalibrationSet,
        options: &Options,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Draft<'a>, QuantError> {
        let ranged = self.ranged(float, set, options, progress)?;
        let sampled = if options.samples_windows() {
            self.sampled(float, set, options, &ranged)?
        } else {
            None
        };
        let mut draft = Draft::of_ranges(float, set, options, ranged, sampled, progress)?;
        draft.answers = self.answers(float, set, options)?;
        Ok(draft)
    }

    /// Chooses the quantization parameters of the activations, from the parts of the first pass if they
    /// exist.
    fn ranged(
        &self,
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
        progress: &(dyn Fn() + Sync),
    ) -> Result<Ranged, QuantError> {
        let graph = Graph::of(float, options)?;
        let known = self.seen(float, set, options, &graph.region)?;
        graph.ranged(float, set, options, known, progress)
    }

    /// Returns the hash of each image of `unread`, or its decoding error; `None` when the parts contain no
    /// hashes.
    fn hashes(
        &self,
        unread: &CalibrationSet,
    ) -> Result<Option<Vec<Result<String, DataError>>>, QuantError> {
        let Some(parts) = self.ranges.as_ref().filter(|_| unread.data().is_some()) else {
            return Ok(None);
        };
        parts.check_asked(&SetAsked::of(unread))?;
        let (_, hashes) = parts.rows::<u64>("hashes", 1)?;
        let known: BTreeMap<usize, u64> = parts.covered().iter().copied().zip(hashes).collect();
        let hash = |image: usize| match known.get(&image) {
            Some(hash) => Ok(Ok(format!("{hash:016x}"))),
            // No shard could decode the image, and the error must be reported here.
            None => match unread.hash(&[image]).pop() {
                Some(Err(error)) => Ok(Err(error)),
                _ => Err(QuantErrorKind::Part.error(format!(
                    "no part contains {}, although it can be decoded here: {} belongs to other \
                     images",
                    unread.id(image),
                    parts.file_of(image).display()
                ))),
            },
        };
        let hashes = (0..unread.len()).map(hash);
        Ok(Some(hashes.collect::<Result<_, QuantError>>()?))
    }
}

/// Computes shard `shard` of the first pass that `passes` lacks. The pass over ranges needs a `set` that is
/// not decoded yet ([`CalibrationSet::unread`]). `progress` is called once per image.
///
/// # Errors
/// [`QuantErrorKind::NoPass`] when all passes are done, and the errors of [`Passes::draft`].
pub fn share(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    passes: &Passes,
    shard: Shard,
    progress: &(dyn Fn() + Sync),
) -> Result<Part, QuantError> {
    match passes.next(options) {
        Some(Kind::Ranges) => ranges::share(float, set, options, shard, progress),
        Some(Kind::Windows) => windows::share(float, set, options, passes, shard, progress),
        Some(Kind::Answers) => answers::share(float, set, options, passes, shard, progress),
        _ => Err(QuantErrorKind::NoPass.error("all passes of the calibration are done already")),
    }
}
