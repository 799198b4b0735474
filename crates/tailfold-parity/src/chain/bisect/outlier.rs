//! Parts whose own noise stands out among their kind.

use serde::Serialize;

use super::{Decibel, NoiseOf, Part, Tensor};

/// Distance to the median at which a part stands out, in decibels: ten times the power of the noise. Layers of a
/// sound quantization are closer together.
const STANDS_OUT: f64 = 10.0;

/// Largest number of outliers of one kind.
const MOST: usize = 5;

/// A part whose own noise stands out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Outlier {
    /// Kind of the part.
    pub part: Part,
    /// Name of the node or tensor.
    pub name: String,
    /// The tensor that the node produces, or that has the quantization.
    pub tensor: String,
    /// Signal-to-noise ratio of the part alone.
    pub alone_db: Decibel,
    /// Median over all parts of the kind.
    pub median_db: f64,
}

impl Outlier {
    /// Returns the outlier in words: "the node `conv1` alone: 9.1 dB, the median of nodes is 45.6".
    pub(super) fn words(&self) -> String {
        let kind = match self.part {
            Part::Node => "nodes",
            Part::Codes => "codes",
        };
        format!(
            "{} alone: {} dB, the median of {kind} is {:.1}",
            self.part.words(&self.name),
            self.alone_db.text(),
            self.median_db
        )
    }
}

/// Returns the outliers among `tensors`, whose noise is `noise`: nodes first, then quantizations, the noisiest of
/// each first.
pub(super) fn outliers(tensors: &[Tensor], noise: &[NoiseOf]) -> Vec<Outlier> {
    let mut found = Vec::new();
    for part in [Part::Node, Part::Codes] {
        let alone: Vec<(&Tensor, Decibel)> = tensors
            .iter()
            .zip(noise)
            .filter_map(|(tensor, noise)| {
                let db = match part {
                    Part::Node => noise.node,
                    Part::Codes => noise.codes,
                };
                Some((tensor, db.filter(|db| *db != Decibel::Exact)?))
            })
            .collect();
        let Some(median) = median(alone.iter().map(|(_, db)| *db)) else {
            continue;
        };
        let mut of_part: Vec<Outlier> = alone
            .into_iter()
            .filter(|(_, db)| value(*db) < median - STANDS_OUT)
            .map(|(tensor, alone_db)| Outlier {
                part,
                name: match (part, &tensor.node) {
                    (Part::Node, Some(node)) => node.clone(),
                    _ => tensor.name.clone(),
                },
                tensor: tensor.name.clone(),
                alone_db,
                median_db: median,
            })
            .collect();
        of_part.sort_by(|a, b| value(a.alone_db).total_cmp(&value(b.alone_db)));
        of_part.truncate(MOST);
        found.append(&mut of_part);
    }
    found
}

/// Converts a ratio to a number; a ratio that is not finite is the lowest.
fn value(db: Decibel) -> f64 {
    match db {
        Decibel::Exact => f64::INFINITY,
        Decibel::Db(value) => value,
        Decibel::NotFinite => f64::NEG_INFINITY,
    }
}

/// Returns the median. Of two values in the middle it is the upper one, so that one of two parts can stand out.
fn median(values: impl Iterator<Item = Decibel>) -> Option<f64> {
    let mut values: Vec<f64> = values.map(value).filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_ignores_values_that_are_not_finite() {
        let check = |values: &[Decibel], expect| assert_eq!(median(values.iter().copied()), expect);
        check(&[], None);
        check(&[Decibel::NotFinite], None);
        check(&[Decibel::Db(9.0), Decibel::Db(45.0)], Some(45.0));
        check(
            &[
                Decibel::Db(40.0),
                Decibel::NotFinite,
                Decibel::Db(9.0),
                Decibel::Db(45.0),
            ],
            Some(40.0),
        );
    }
}
