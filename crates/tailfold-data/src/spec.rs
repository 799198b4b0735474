//! The text form of a data set on the command line and in configurations: `cifar100:DIR?split=train&imbalance=100`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod inputs;
mod source;

pub use source::{DataSource, Split};

/// A data set with its options; parsing the text from [`Display`](fmt::Display) gives the same specification.
///
/// The options, in the order of application: `split`; `imbalance` (training split only: LDAM-DRW's subset, always drawn
/// with seed 0); `per-class` (at most this many images per class) and then `limit` (at most this many images in total),
/// both drawn without repeats from `seed` and kept in file order; `empty=allow` accepts classes without images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DataSpec {
    source: DataSource,
    split: Option<Split>,
    imbalance: Option<f64>,
    limit: Option<usize>,
    per_class: Option<usize>,
    seed: Option<u64>,
    allow_empty: Option<bool>,
}

/// The data specification cannot be parsed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// No data set has this name.
    #[error(
        "unknown data set `{0}`: expected embedded, cifar10:DIR, cifar100:DIR, idx:DIR, folder:DIR, list:FILE@ROOT, json:FILE@ROOT or csv:FILE"
    )]
    Kind(String),
    /// The text after the colon is missing or malformed.
    #[error("`{found}` is not of the form {form}")]
    Form {
        /// The text given.
        found: String,
        /// The expected form.
        form: &'static str,
    },
    /// No option has this name.
    #[error("unknown option `{0}`: expected split, imbalance, limit, per-class, seed or empty")]
    Option(String),
    /// The value of an option is invalid.
    #[error("option `{option}` is `{value}`, expected {expected}")]
    Value {
        /// Name of the option.
        option: &'static str,
        /// Value found.
        value: String,
        /// The accepted values, in words.
        expected: &'static str,
    },
    /// An option is given twice.
    #[error("option `{0}` is given twice")]
    Twice(&'static str),
}

impl DataSpec {
    /// The training split of the embedded data set.
    pub fn embedded() -> Self {
        Self::whole(DataSource::Embedded)
    }

    fn whole(source: DataSource) -> Self {
        Self {
            source,
            split: None,
            imbalance: None,
            limit: None,
            per_class: None,
            seed: None,
            allow_empty: None,
        }
    }

    /// The source of the images.
    pub fn source(&self) -> &DataSource {
        &self.source
    }

    /// The requested split. Without one, `embedded`, CIFAR and IDX use their training split, and folders, lists and CSV
    /// files use all their images.
    pub fn split(&self) -> Option<Split> {
        self.split
    }

    /// The requested imbalance factor: the ratio of the largest class size to the smallest.
    pub fn imbalance(&self) -> Option<f64> {
        self.imbalance
    }

    /// Largest number of images in total.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Largest number of images per class.
    pub fn per_class(&self) -> Option<usize> {
        self.per_class
    }

    /// Seed of `per-class` and `limit`; the default is 0.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// Returns whether classes without images are accepted.
    pub fn allows_empty(&self) -> bool {
        self.allow_empty.unwrap_or(false)
    }

    /// Returns the same data with classes without images accepted.
    #[must_use]
    pub fn allowing_empty(&self) -> Self {
        Self {
            allow_empty: Some(true),
            ..self.clone()
        }
    }

    /// Returns the same data with another split.
    #[must_use]
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            split: Some(split),
            ..self.clone()
        }
    }

    /// Returns the same data with at most `n` images per class.
    #[must_use]
    pub fn with_per_class(&self, n: usize) -> Self {
        Self {
            per_class: Some(n),
            ..self.clone()
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), SpecError> {
        fn put<T>(
            slot: &mut Option<T>,
            option: &'static str,
            value: &str,
            parsed: Option<T>,
            expected: &'static str,
        ) -> Result<(), SpecError> {
            let Some(parsed) = parsed else {
                return Err(SpecError::Value {
                    option,
                    value: value.to_owned(),
                    expected,
                });
            };
            if slot.replace(parsed).is_some() {
                Err(SpecError::Twice(option))
            } else {
                Ok(())
            }
        }
        let count = || value.parse().ok().filter(|&n: &usize| n > 0);
        match option {
            "split" => {
                let split = Split::ALL.into_iter().find(|split| split.name() == value);
                put(&mut self.split, "split", value, split, "train, val or test")
            }
            "imbalance" => {
                let factor = value
                    .parse()
                    .ok()
                    .filter(|f: &f64| f.is_finite() && *f >= 1.0);
                put(
                    &mut self.imbalance,
                    "imbalance",
                    value,
                    factor,
                    "a number of at least 1",
                )
            }
            "limit" => put(
                &mut self.limit,
                "limit",
                value,
                count(),
                "a whole number of at least 1",
            ),
            "per-class" => put(
                &mut self.per_class,
                "per-class",
                value,
                count(),
                "a whole number of at least 1",
            ),
            "seed" => put(
                &mut self.seed,
                "seed",
                value,
                value.parse().ok(),
                "a whole number below 2^64",
            ),
            "empty" => {
                let allow = ["refuse", "allow"]
                    .iter()
                    .position(|name| *name == value)
                    .map(|i| i == 1);
                put(
                    &mut self.allow_empty,
                    "empty",
                    value,
                    allow,
                    "allow or refuse",
                )
            }
            _ => Err(SpecError::Option(option.to_owned())),
        }
    }
}

impl FromStr for DataSpec {
    type Err = SpecError;

    /// Parses the options after the last `?`. A path that itself contains `?` needs another `?` behind it, even without
    /// options.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (source, options) = text.rsplit_once('?').unwrap_or((text, ""));
        let mut spec = Self::whole(source.parse()?);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            spec.set(key, value)?;
        }
        Ok(spec)
    }
}

impl fmt::Display for DataSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.to_string();
        let options = [
            self.split.map(|split| format!("split={split}")),
            self.imbalance.map(|factor| format!("imbalance={factor}")),
            self.limit.map(|n| format!("limit={n}")),
            self.per_class.map(|n| format!("per-class={n}")),
            self.seed.map(|seed| format!("seed={seed}")),
            self.allow_empty
                .map(|allow| format!("empty={}", if allow { "allow" } else { "refuse" })),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        f.write_str(&source)?;
        if !options.is_empty() || source.contains('?') {
            write!(f, "?{}", options.join("&"))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for DataSpec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl From<DataSpec> for String {
    fn from(spec: DataSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests;
