//! What a data set is called on the command line and in configurations: `cifar100:DIR?split=train&imbalance=100`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod inputs;
mod source;

pub use source::{DataSource, Split};

/// A data set and what of it is wanted; parsing what [`Display`](fmt::Display) prints gives the same specification.
///
/// The options, in the order they are applied: `split`; `imbalance` (training split only: LDAM-DRW's subset, always
/// drawn with its seed 0); `per-class` (at most so many images of each class) and then `limit` (at most so many images in
/// all), both drawn without repeats from `seed` and kept in file order; `empty=allow` accepts classes without images.
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

/// A data specification that cannot be parsed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// No data set of this name.
    #[error(
        "unknown data set `{0}`: expected embedded, cifar10:DIR, cifar100:DIR, idx:DIR, folder:DIR, list:FILE@ROOT, json:FILE@ROOT or csv:FILE"
    )]
    Kind(String),
    /// Nothing, or the wrong thing, after the colon.
    #[error("`{found}` is not of the form {form}")]
    Form {
        /// What was given.
        found: String,
        /// What is expected.
        form: &'static str,
    },
    /// No option of this name.
    #[error("unknown option `{0}`: expected split, imbalance, limit, per-class, seed or empty")]
    Option(String),
    /// An option with a value it cannot have.
    #[error("option `{option}` is `{value}`, expected {expected}")]
    Value {
        /// The option.
        option: &'static str,
        /// Value found.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// An option given twice.
    #[error("option `{0}` is given twice")]
    Twice(&'static str),
}

impl DataSpec {
    /// The embedded data set, training split.
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

    /// Where the images are.
    pub fn source(&self) -> &DataSource {
        &self.source
    }

    /// The split asked for; without one, `embedded`, CIFAR and IDX give their training split, and folders, lists and
    /// CSV files all they have.
    pub fn split(&self) -> Option<Split> {
        self.split
    }

    /// Imbalance factor asked for: images of the most frequent class for one of the rarest.
    pub fn imbalance(&self) -> Option<f64> {
        self.imbalance
    }

    /// Most images in all.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Most images a class.
    pub fn per_class(&self) -> Option<usize> {
        self.per_class
    }

    /// Seed of `per-class` and `limit`, 0 unless given.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// True when classes without images are accepted.
    pub fn allows_empty(&self) -> bool {
        self.allow_empty.unwrap_or(false)
    }

    /// The same data, classes without images accepted.
    #[must_use]
    pub fn allowing_empty(&self) -> Self {
        Self {
            allow_empty: Some(true),
            ..self.clone()
        }
    }

    /// The same data, another split.
    #[must_use]
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            split: Some(split),
            ..self.clone()
        }
    }

    /// The same data, at most `n` images a class.
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

    /// The options are what follows the last `?`; end the text with `?` when the path itself has one.
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
