//! Test sets that follow a prior, drawn without repeats from images with other class frequencies.

use tailfold_data::Draws;

/// Returns the number of images per class, `[classes]`, that comes nearest to `prior` in a set of `images`. Each class
/// gets the integer part of its share; the largest remainders get one more image each. Ties go to the lowest class.
pub(super) fn counts(prior: &[f64], images: usize) -> Vec<usize> {
    let exact: Vec<f64> = prior.iter().map(|nu| nu * images as f64).collect();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a part of a number of images"
    )]
    let mut counts: Vec<usize> = exact.iter().map(|&n| n as usize).collect();
    let left = images.saturating_sub(counts.iter().sum());
    let mut order: Vec<usize> = (0..prior.len()).collect();
    let remainder = |class: usize| exact[class] - exact[class].floor();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    for &class in order.iter().cycle().take(left) {
        counts[class] += 1;
    }
    counts
}

/// Returns the size of the largest set that can be drawn for each of `priors` from `available` images per class,
/// without repeats.
pub(super) fn most_images(priors: &[&[f64]], available: &[usize]) -> usize {
    let fits = |images: usize| {
        priors.iter().all(|prior| {
            let counts = counts(prior, images);
            counts.iter().zip(available).all(|(n, most)| n <= most)
        })
    };
    // A remainder can give a class one image more than its share, so this bound may be slightly too large.
    let mut images = available.iter().sum();
    for prior in priors {
        for (nu, &n) in prior.iter().zip(available) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "bounded by the number of images"
            )]
            let most = ((n + 1) as f64 / nu).min(1e15) as usize;
            images = most.min(images);
        }
    }
    (0..=images).rev().find(|&n| fits(n)).unwrap_or(0)
}

/// Draws `counts` images per class and returns their indices in `labels`. The same seed and prior give the same images
/// on every machine.
pub(super) fn draw(labels: &[usize], counts: &[usize], seed: u64, prior: usize) -> Vec<usize> {
    let of_class = |(class, &count): (usize, &usize)| {
        let images: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == class).collect();
        Draws::new([seed, prior as u64, class as u64, PURPOSE]).sample(&images, count)
    };
    counts.iter().enumerate().flat_map(of_class).collect()
}

/// Separates these draws from other draws with the same seed: `priors` in ASCII.
const PURPOSE: u64 = 0x7072_696f_7273;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_fill_the_set_near_the_prior() {
        assert_eq!(counts(&[0.5, 0.3, 0.2], 10), [5, 3, 2]);
        assert_eq!(counts(&[0.5, 0.25, 0.25], 5), [3, 1, 1]);
        assert_eq!(counts(&[1.0 / 3.0; 3], 4).iter().sum::<usize>(), 4);
    }

    #[test]
    fn largest_set_fits_every_prior() {
        let (uniform, tailed) = ([0.5, 0.5], [0.9, 0.1]);
        let most = most_images(&[&uniform, &tailed], &[30, 30]);
        // 0.9 * 33 = 29.7 is 30; 0.9 * 34 = 30.6 is 31.
        assert_eq!(most, 33);
        assert_eq!(most_images(&[&uniform], &[30, 40]), 60);
    }

    #[test]
    fn draw_follows_prior_without_repeats() {
        let labels: Vec<usize> = (0..40).map(|i| i % 2).collect();
        let drawn = draw(&labels, &[12, 3], 7, 1);
        let unique: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!((drawn.len(), unique.len()), (15, 15));
        assert_eq!(drawn.iter().filter(|&&i| labels[i] == 1).count(), 3);
        assert_eq!(drawn, draw(&labels, &[12, 3], 7, 1));
        assert_ne!(drawn, draw(&labels, &[12, 3], 8, 1));
        assert_ne!(drawn, draw(&labels, &[12, 3], 7, 0));
    }
}
