//! The uniform measure on a sphere, as a sample of any size.

use super::SampledMeasure;
use crate::sobol::{MAX_DIM, sobol_sphere};
use crate::{SolveError, SolveErrorKind, sphere_samples};

/// The sequence of the points on a sphere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sequence {
    /// Independent normalized Gaussians, as in [`sphere_samples`]. The error is `1 / sqrt(n)` in any number of
    /// dimensions.
    #[default]
    Gaussian,
    /// An Owen-scrambled Sobol sequence with at most 256 dimensions. Its gain is large in few dimensions and for smooth
    /// means, and small for the cells of many classes in many dimensions (docs/sdot.md has figures). Sizes of `2^k` are
    /// best. Up to 65,536 points form one sequence; further points belong to independent scramblings, whose errors
    /// average out as `1 / sqrt(n)`.
    Sobol,
}

/// The uniform measure on the sphere of radius `radius` about the origin of `R^dim`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sphere {
    /// Number of coordinates of a point, at least 1.
    pub dim: usize,
    /// Length of every point, positive.
    pub radius: f32,
    /// Sequence of the points.
    pub sequence: Sequence,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Sphere {
    /// Creates the unit sphere of `R^dim`, sampled by [`Sequence::Gaussian`] from `seed`.
    pub fn new(dim: usize, seed: u64) -> Self {
        Self {
            dim,
            radius: 1.0,
            sequence: Sequence::Gaussian,
            seed,
        }
    }

    /// Returns `n` points of equal weights.
    ///
    /// The same sphere and `n` give the same points on any number of threads, so two problems can share their noise.
    /// The first `m` points are the same for every `n >= m`, so a sample can grow.
    ///
    /// # Errors
    /// [`SolveError`] without points or dimensions, beyond [`Sequence::Sobol`]'s dimensions, or when the radius is not
    /// a positive number.
    pub fn sample(&self, n: usize) -> Result<SampledMeasure, SolveError> {
        let Self { dim, radius, .. } = *self;
        if !radius.is_normal() || radius < 0.0 {
            return Err(SolveErrorKind::Setting.error(format!(
                "the radius of the sphere is {radius}, expected a positive number"
            )));
        }
        if dim == 0 {
            return Err(SolveErrorKind::Empty.error("features must have at least one column"));
        }
        let mut points = match self.sequence {
            Sequence::Gaussian => sphere_samples(n, dim, self.seed),
            Sequence::Sobol if dim > MAX_DIM => {
                return Err(SolveErrorKind::Setting.error(format!(
                    "a Sobol sequence has at most {MAX_DIM} dimensions, the sphere has {dim}: take \
                     Gaussian points, which have no limit"
                )));
            }
            Sequence::Sobol => sobol_sphere(n, dim, self.seed),
        };
        points.iter_mut().for_each(|x| *x *= radius);
        SampledMeasure::features(points, None, dim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIRCLE: Sphere = Sphere {
        dim: 2,
        radius: 1.0,
        sequence: Sequence::Gaussian,
        seed: 7,
    };

    #[test]
    fn samples_repeat_grow_and_have_their_radius() {
        for sequence in [Sequence::Gaussian, Sequence::Sobol] {
            let sphere = Sphere {
                radius: 3.0,
                sequence,
                dim: 5,
                ..CIRCLE
            };
            let sample = sphere.sample(400).unwrap();
            assert_eq!(
                (sample.len(), sample.dim(), sample.weights()),
                (400, 5, None)
            );
            assert_eq!(sample, sphere.sample(400).unwrap());
            assert_eq!(
                sphere.sample(130).unwrap().points(),
                &sample.points()[..650],
                "{sequence:?}"
            );
            for point in sample.points().chunks_exact(5) {
                let norm = point.iter().map(|x| x * x).sum::<f32>().sqrt();
                assert!((norm - 3.0).abs() < 1e-5, "{sequence:?}: {norm}");
            }
            let other = Sphere { seed: 8, ..sphere };
            assert_ne!(other.sample(400).unwrap(), sample);
        }
    }

    #[test]
    fn unit_sphere_points_match_sphere_samples() {
        assert_eq!(
            CIRCLE.sample(50).unwrap().points(),
            sphere_samples(50, 2, 7)
        );
    }

    #[test]
    fn invalid_spheres_are_named() {
        let check = |sphere: Sphere, n, expect: &str| {
            assert_eq!(sphere.sample(n).unwrap_err().to_string(), expect);
        };
        check(CIRCLE, 0, "the sample is empty");
        let dim = |dim, sequence| Sphere {
            dim,
            sequence,
            ..CIRCLE
        };
        let none = "features must have at least one column";
        check(dim(0, Sequence::Sobol), 3, none);
        check(dim(0, Sequence::Gaussian), 3, none);
        check(
            dim(257, Sequence::Sobol),
            3,
            "a Sobol sequence has at most 256 dimensions, the sphere has 257: take Gaussian points, which have no limit",
        );
        assert_eq!(dim(256, Sequence::Sobol).sample(3).unwrap().len(), 3);
        assert_eq!(dim(257, Sequence::Gaussian).sample(3).unwrap().len(), 3);
        for radius in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let expect =
                format!("the radius of the sphere is {radius}, expected a positive number");
            check(Sphere { radius, ..CIRCLE }, 3, &expect);
        }
    }
}
