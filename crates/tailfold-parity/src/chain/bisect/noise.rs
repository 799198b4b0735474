//! Signal-to-noise ratio of a tensor's values, in decibels.

use serde::{Serialize, Serializer};

/// Sums of squares over all values of a tensor and all images.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    /// Sum of squares of the float model's values.
    signal: f64,
    /// Sum of squares of the differences.
    noise: f64,
}

/// A signal-to-noise ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decibel {
    /// The values are equal.
    Exact,
    /// `10 log10(signal / noise)`: at 20 dB the noise is a tenth of the signal, at 40 dB a hundredth.
    Db(f64),
    /// A value is NaN or infinite.
    NotFinite,
}

impl Noise {
    /// Adds one image: `wanted` has the float model's values, and `found` the values to compare, of the same length.
    pub fn add(&mut self, wanted: &[f32], found: &[f32]) {
        for (&wanted, &found) in wanted.iter().zip(found) {
            let (wanted, found) = (f64::from(wanted), f64::from(found));
            self.signal += wanted * wanted;
            self.noise += (found - wanted) * (found - wanted);
        }
    }

    /// Adds the sums of other images.
    pub fn merge(&mut self, other: &Self) {
        self.signal += other.signal;
        self.noise += other.noise;
    }

    /// Returns the signal-to-noise ratio.
    pub fn decibel(&self) -> Decibel {
        if !(self.signal.is_finite() && self.noise.is_finite()) {
            Decibel::NotFinite
        } else if self.noise <= 0.0 {
            Decibel::Exact
        } else {
            // A tensor of zeros with noise in it gets the lowest ratio.
            Decibel::Db(10.0 * (self.signal / self.noise).log10().max(-99.9))
        }
    }
}

impl Decibel {
    /// Returns the value as text for a table.
    pub fn text(self) -> String {
        match self {
            Self::Exact => "exact".to_owned(),
            Self::Db(value) => format!("{value:.1}"),
            Self::NotFinite => "not finite".to_owned(),
        }
    }
}

/// Serialises to a number, or to `exact` or `not finite`.
impl Serialize for Decibel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Db(value) => serializer.serialize_f64(*value),
            other => serializer.serialize_str(&other.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenth_is_twenty_decibels() {
        let check = |wanted: &[f32], found: &[f32], expect: &str| {
            let mut noise = Noise::default();
            noise.add(wanted, found);
            assert_eq!(noise.decibel().text(), expect);
        };
        check(&[1.0, -2.0], &[1.0, -2.0], "exact");
        check(&[1.0, -1.0], &[1.1, -1.1], "20.0");
        check(&[1.0], &[f32::NAN], "not finite");
        check(&[0.0], &[1.0], "-999.0");
    }
}
