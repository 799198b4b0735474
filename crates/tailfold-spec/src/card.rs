//! The model card, which tailfold stores in the `metadata_props` of its ONNX files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{ClassGroups, OffsetsError, OffsetsRecord, Preprocess, PreprocessError};

/// How a model was quantized.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationRecord {
    /// Precision of the model: `int8` or `fp16`.
    pub precision: String,
    /// Observer of the activation ranges, such as `minmax` or `percentile:99.99`.
    pub observer: String,
    /// Calibration data, as given by the user.
    pub calibration: String,
    /// Number of calibration images per class, label order.
    pub calibration_counts: Vec<u64>,
    /// First 16 hexadecimal digits of the SHA-256 of each calibration image's pixels, ascending: a later evaluation
    /// can prove that it shares no image with the calibration.
    pub calibration_images: Vec<String>,
    /// SHA-256 of the float file.
    pub float_sha256: String,
    /// Target runtime: `tract`, `ort-x86` or `tensorrt`; empty where the precision has only one form.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Number of bits per quantized weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_bits: Option<u8>,
    /// Rounding of the weights: `nearest` or `adaptive`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rounding: String,
    /// Further accuracy corrections: `equalize`, `correct-bias`, `rebalance`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<String>,
    /// Node names of the layers kept in float on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_in_float: Vec<String>,
}

/// The metadata of an exported model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCard {
    /// Name of the model.
    pub name: String,
    /// Name of the network.
    pub architecture: String,
    /// Class names, label order.
    pub classes: Vec<String>,
    /// Number of training images per class, label order.
    pub train_counts: Vec<u64>,
    /// Preprocessing from image to network input.
    pub preprocess: Preprocess,
    /// Offsets folded into the head's bias; they cannot be folded a second time.
    pub offsets: Option<OffsetsRecord>,
    /// SHA-256 of the checkpoint.
    pub checkpoint_sha256: String,
    /// Quantization settings; `None` for a float model.
    pub quantization: Option<QuantizationRecord>,
}

/// Metadata that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CardError {
    /// A key is missing, so tailfold did not write the model.
    #[error("the model has no metadata `{0}`: it was not written by tailfold")]
    Missing(&'static str),
    /// A key cannot be parsed.
    #[error("the model's metadata `{key}` is damaged")]
    Parse {
        /// The key.
        key: &'static str,
        /// The underlying error.
        #[source]
        source: serde_json::Error,
    },
    /// The card's lists have different lengths.
    #[error("the model names {classes} classes but has {found} training counts")]
    ClassCount {
        /// Class names.
        classes: usize,
        /// Training counts.
        found: usize,
    },
    /// The number of class names or training counts differs from the number of classes of the network.
    #[error("{found} {quantity} for {classes} classes")]
    Length {
        /// Kind of list: `class names` or `training counts`.
        quantity: &'static str,
        /// Length of the list.
        found: usize,
        /// Number of classes of the network.
        classes: usize,
    },
    /// The offsets do not fit the classes.
    #[error("the model's metadata `tailfold.offsets` is unusable")]
    Offsets(#[from] OffsetsError),
    /// The preprocessing is invalid.
    #[error("the model's metadata is unusable")]
    Preprocess(#[from] PreprocessError),
}

/// The parts of a model card that the metadata of a third-party model may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CardParts {
    /// Class names, label order.
    pub classes: Option<Vec<String>>,
    /// Number of training images per class, label order.
    pub train_counts: Option<Vec<u64>>,
    /// Preprocessing from image to network input.
    pub preprocess: Option<Preprocess>,
    /// Offsets folded into the last bias.
    pub offsets: Option<OffsetsRecord>,
    /// Quantization settings; `None` for a float model.
    pub quantization: Option<QuantizationRecord>,
}

const NAME: &str = "tailfold.name";
const ARCHITECTURE: &str = "tailfold.architecture";
const CLASSES: &str = "tailfold.classes";
const TRAIN_COUNTS: &str = "tailfold.train_counts";
const PREPROCESS: &str = "tailfold.preprocess";
const OFFSETS: &str = "tailfold.offsets";
const CHECKPOINT: &str = "tailfold.checkpoint_sha256";
const QUANTIZATION: &str = "tailfold.quantization";

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a card has only fields that JSON can hold")
}

fn optional<T: DeserializeOwned>(
    props: &BTreeMap<String, String>,
    key: &'static str,
) -> Result<Option<T>, CardError> {
    let parse = |text: &String| {
        serde_json::from_str(text).map_err(|source| CardError::Parse { key, source })
    };
    props.get(key).map(parse).transpose()
}

impl CardParts {
    /// Reads the parts that are present.
    ///
    /// # Errors
    /// [`CardError`] naming the key of a damaged part.
    pub fn from_props(props: &BTreeMap<String, String>) -> Result<Self, CardError> {
        let parts = Self {
            classes: optional(props, CLASSES)?,
            train_counts: optional(props, TRAIN_COUNTS)?,
            preprocess: optional(props, PREPROCESS)?,
            offsets: optional(props, OFFSETS)?,
            quantization: optional(props, QUANTIZATION)?,
        };
        if let Some(preprocess) = &parts.preprocess {
            preprocess.validate()?;
        }
        if let (Some(offsets), Some(classes)) = (&parts.offsets, &parts.classes) {
            offsets.validate(classes.len())?;
        }
        Ok(parts)
    }

    /// Checks that the class names and the training counts, where present, have `classes` entries.
    ///
    /// # Errors
    /// [`CardError::Length`].
    pub fn check_lengths(&self, classes: usize) -> Result<(), CardError> {
        let names = self.classes.as_ref().map(Vec::len);
        let counts = self.train_counts.as_ref().map(Vec::len);
        for (quantity, found) in [("class names", names), ("training counts", counts)] {
            if let Some(found) = found.filter(|&found| found != classes) {
                return Err(CardError::Length {
                    quantity,
                    found,
                    classes,
                });
            }
        }
        Ok(())
    }

    /// The parts as metadata.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_props(&self) -> BTreeMap<String, String> {
        let parts = [
            (CLASSES, self.classes.as_ref().map(json)),
            (TRAIN_COUNTS, self.train_counts.as_ref().map(json)),
            (PREPROCESS, self.preprocess.as_ref().map(json)),
            (OFFSETS, self.offsets.as_ref().map(json)),
            (QUANTIZATION, self.quantization.as_ref().map(json)),
        ];
        parts
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

impl ModelCard {
    /// Returns whether `props` belong to a model that tailfold exported, even if some keys are missing or damaged.
    pub fn is_in(props: &BTreeMap<String, String>) -> bool {
        [NAME, ARCHITECTURE, CHECKPOINT]
            .iter()
            .any(|key| props.contains_key(*key))
    }

    /// The card as metadata: keys ascending, values in JSON except for plain strings.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn to_props(&self) -> BTreeMap<String, String> {
        let mut props = BTreeMap::from([
            (NAME.to_owned(), self.name.clone()),
            (ARCHITECTURE.to_owned(), self.architecture.clone()),
            (CLASSES.to_owned(), json(&self.classes)),
            (TRAIN_COUNTS.to_owned(), json(&self.train_counts)),
            (PREPROCESS.to_owned(), json(&self.preprocess)),
            (CHECKPOINT.to_owned(), self.checkpoint_sha256.clone()),
        ]);
        if let Some(offsets) = &self.offsets {
            props.insert(OFFSETS.to_owned(), json(offsets));
        }
        if let Some(quantization) = &self.quantization {
            props.insert(QUANTIZATION.to_owned(), json(quantization));
        }
        props
    }

    /// Reads a card from metadata and ignores unknown keys.
    ///
    /// # Errors
    /// [`CardError`] naming the key.
    pub fn from_props(props: &BTreeMap<String, String>) -> Result<Self, CardError> {
        let text = |key: &'static str| props.get(key).cloned().ok_or(CardError::Missing(key));
        fn parse<T: DeserializeOwned>(key: &'static str, text: &str) -> Result<T, CardError> {
            serde_json::from_str(text).map_err(|source| CardError::Parse { key, source })
        }
        let card = Self {
            name: text(NAME)?,
            architecture: text(ARCHITECTURE)?,
            classes: parse(CLASSES, &text(CLASSES)?)?,
            train_counts: parse(TRAIN_COUNTS, &text(TRAIN_COUNTS)?)?,
            preprocess: parse(PREPROCESS, &text(PREPROCESS)?)?,
            offsets: optional(props, OFFSETS)?,
            checkpoint_sha256: text(CHECKPOINT)?,
            quantization: optional(props, QUANTIZATION)?,
        };
        if card.classes.len() != card.train_counts.len() {
            return Err(CardError::ClassCount {
                classes: card.classes.len(),
                found: card.train_counts.len(),
            });
        }
        if let Some(offsets) = &card.offsets {
            offsets.validate(card.classes.len())?;
        }
        card.preprocess.validate()?;
        Ok(card)
    }

    /// The group (many, medium or few) of each class.
    pub fn groups(&self) -> ClassGroups {
        ClassGroups::from_counts(&self.train_counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> ModelCard {
        ModelCard {
            name: "fashion-lt".to_owned(),
            architecture: "resnet8".to_owned(),
            classes: vec!["shirt".to_owned(), "boot, \"left\"".to_owned()],
            train_counts: vec![1000, 10],
            preprocess: Preprocess {
                channels: 1,
                height: 28,
                width: 26,
                bgr: false,
                resize: None,
                mean: vec![0.3],
                std: vec![0.35],
            },
            offsets: Some(OffsetsRecord::zeros(2)),
            checkpoint_sha256: "00".to_owned(),
            quantization: None,
        }
    }

    #[test]
    fn props_round_trip() {
        assert_eq!(ModelCard::from_props(&card().to_props()).unwrap(), card());
    }

    #[test]
    fn missing_and_damaged_metadata_is_named() {
        let check = |edit: &dyn Fn(&mut BTreeMap<String, String>), message: &str| {
            let mut props = card().to_props();
            edit(&mut props);
            assert_eq!(
                ModelCard::from_props(&props).unwrap_err().to_string(),
                message
            );
        };
        check(
            &|p| p.clear(),
            "the model has no metadata `tailfold.name`: it was not written by tailfold",
        );
        check(
            &|p| drop(p.insert(CLASSES.into(), "[1]".into())),
            "the model's metadata `tailfold.classes` is damaged",
        );
        check(
            &|p| {
                let record = serde_json::to_string(&OffsetsRecord::zeros(1)).unwrap();
                p.insert(OFFSETS.into(), record);
            },
            "the model's metadata `tailfold.offsets` is unusable",
        );
        check(
            &|p| drop(p.insert(TRAIN_COUNTS.into(), "[1]".into())),
            "the model names 2 classes but has 1 training counts",
        );
    }
    #[test]
    fn names_and_counts_must_match_number_of_classes() {
        let parts = |names: usize, counts: usize| CardParts {
            classes: Some(vec!["ant".to_owned(); names]),
            train_counts: Some(vec![1; counts]),
            ..CardParts::default()
        };
        let check = |parts: CardParts| parts.check_lengths(3).map_err(|e| e.to_string());
        assert_eq!(check(CardParts::default()), Ok(()));
        assert_eq!(check(parts(3, 3)), Ok(()));
        let error = |text: &str| Err(text.to_owned());
        assert_eq!(check(parts(2, 3)), error("2 class names for 3 classes"));
        assert_eq!(check(parts(3, 4)), error("4 training counts for 3 classes"));
    }
}
