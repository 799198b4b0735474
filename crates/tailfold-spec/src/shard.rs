//! The part of a set of images that one run processes: `0/3`, `1/3` and `2/3` together cover the whole set.

use std::fmt;
use std::iter::StepBy;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of `of` shards of a set of images, written `I/N` with `I` from 0 to `N - 1`, because job arrays also count
/// from 0.
///
/// Image `i` belongs to shard `i mod N`. Shard sizes therefore differ by at most one image, each shard has its part
/// of every class if images are sorted by class, and some shards are empty if there are fewer images than shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: usize,
    of: usize,
}

/// The shard does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardError {
    /// The text is not two whole numbers.
    #[error("shard `{0}` is not of the form I/N, such as 0/4")]
    Form(String),
    /// The index is not below the number of shards.
    #[error("shard {index}/{of}: the first number counts from 0 and must be below the second")]
    Range {
        /// Index of the shard.
        index: usize,
        /// Number of shards.
        of: usize,
    },
}

impl Shard {
    /// Shard `index` of `of`.
    ///
    /// # Errors
    /// [`ShardError::Range`] unless `index` is below `of`.
    pub fn new(index: usize, of: usize) -> Result<Self, ShardError> {
        if index < of {
            Ok(Self { index, of })
        } else {
            Err(ShardError::Range { index, of })
        }
    }

    /// Index of the shard, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// Number of shards, at least 1.
    pub fn of(self) -> usize {
        self.of
    }

    /// Returns the indices of the shard's images out of `images`, ascending.
    pub fn images(self, images: usize) -> StepBy<Range<usize>> {
        (self.index.min(images)..images).step_by(self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |part: &str| {
            // Rust's integer parser accepts a sign.
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| digits)
        };
        text.split_once('/')
            .and_then(|(index, of)| number(index).zip(number(of)))
            .ok_or_else(|| ShardError::Form(text.to_owned()))
            .and_then(|(index, of)| Self::new(index, of))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_shard_is_refused() {
        let check = |text: &str, message: &str| {
            assert_eq!(text.parse::<Shard>().unwrap_err().to_string(), message);
        };
        let range = "the first number counts from 0 and must be below the second";
        check("0/0", &format!("shard 0/0: {range}"));
        check("3/2", &format!("shard 3/2: {range}"));
        check("2/2", &format!("shard 2/2: {range}"));
        for text in [
            "-1/2", "+1/2", "1", "1/2/3", "a/b", "", "/", "1/", "1 / 2", "1.0/2",
        ] {
            check(
                text,
                &format!("shard `{text}` is not of the form I/N, such as 0/4"),
            );
        }
        // The number does not fit a `usize`.
        assert!("1/99999999999999999999".parse::<Shard>().is_err());
    }

    #[test]
    fn printed_shard_parses_back() {
        for text in ["0/1", "0/3", "2/3", "9/10"] {
            let shard: Shard = text.parse().unwrap();
            assert_eq!(shard.to_string(), text);
        }
        assert_eq!("00/03".parse(), Shard::new(0, 3));
    }

    #[test]
    fn shards_partition_all_images() {
        for (images, of) in [(10, 1), (10, 2), (10, 3), (2, 7), (0, 3)] {
            let mut owners = vec![0; images];
            let mut sizes = Vec::new();
            for index in 0..of {
                let own: Vec<usize> = Shard::new(index, of).unwrap().images(images).collect();
                own.iter().for_each(|&image| owners[image] += 1);
                sizes.push(own.len());
            }
            assert!(
                owners.iter().all(|&n| n == 1),
                "{images} in {of}: {owners:?}"
            );
            let spread = sizes.iter().max().unwrap() - sizes.iter().min().unwrap();
            assert!(spread <= 1, "{images} in {of}: {sizes:?}");
        }
    }
}
