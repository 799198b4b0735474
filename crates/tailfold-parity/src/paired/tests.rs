#![expect(
    clippy::cast_possible_truncation,
    reason = "counts of a few images, made from small numbers"
)]

use proptest::prelude::*;

use super::*;

fn paired(gained: usize, lost: usize, images: usize) -> Paired {
    Paired {
        images: images as f64,
        gained: gained as f64,
        lost: lost as f64,
    }
}

#[test]
fn bounds_match_other_implementations() {
    // Limits at the one-sided level from two sources that share no code with this one and agree to 1e-9 (SciPy 1.17):
    // brentq on the score with q found by numerical maximisation of the trinomial likelihood
    // g ln(q + d) + l ln q + (n - g - l) ln(1 - 2 q - d), and the quartic of Yang, Sun and Hardin (Statistics in
    // Medicine 32, 2013) by numpy.roots.
    let check = |level, (gained, lost, images), lower: f64, upper: f64| {
        let z = quantile(level);
        let found = paired(gained, lost, images);
        assert!(
            (found.lower(z) - lower).abs() < 5e-9,
            "{gained} {lost} {images}: {}",
            found.lower(z)
        );
        assert!(
            (-found.swapped().lower(z) - upper).abs() < 5e-9,
            "{gained} {lost} {images}: {}",
            -found.swapped().lower(z)
        );
    };
    check(0.025, (40, 20, 160), 0.030_864_533_1, 0.218_064_244_2);
    check(0.05, (0, 0, 300), -0.008_937_872_175, 0.008_937_872_175);
    check(0.05, (0, 1, 44), -0.095_662_426_399, 0.036_516_938_418);
    check(0.05, (3, 0, 25), 0.010_628_073_273, 0.265_225_114_324);
    check(0.05, (5, 14, 1000), -0.017_104_501_946, -0.001_973_131_579);
    check(0.05, (12, 9, 3000), -0.001_609_297_981, 0.003_720_945_763);
    check(0.05, (40, 90, 3000), -0.023_099_689_195, -0.010_531_326_974);
    check(
        0.05,
        (50, 114, 20_000),
        -0.004_285_542_587,
        -0.002_165_279_244,
    );
    check(0.05, (7, 7, 60), -0.107_214_031_018, 0.107_214_031_018);
    check(0.05, (2, 11, 40), -0.365_606_406_394, -0.085_267_293_678);
    check(0.05, (0, 10, 10), -1.0, -0.574_116_059_833);
}

#[test]
fn bounds_match_published_example() {
    // Expected output of R package contingencytables 3.0.0 for Cavo et al. (2012): n12 = 6, n21 = 16, n = 161,
    // "-0.0621 (95% CI -0.1240 to -0.0054)", "McNemar exact conditional test: P = 0.052479".
    let cavo = paired(6, 16, 161);
    let z = quantile(0.025);
    assert_eq!(format!("{:.4}", cavo.difference()), "-0.0621");
    assert_eq!(
        format!("{:.4} {:.4}", cavo.lower(z), -cavo.swapped().lower(z)),
        "-0.1240 -0.0054"
    );
    assert_eq!(format!("{:.6}", mcnemar(6, 16)), "0.052479");
}

#[test]
fn mcnemar_matches_statsmodels() {
    // statsmodels 0.14.6, mcnemar(exact=True).
    let check = |gained, lost, p: f64| {
        let found = mcnemar(gained, lost);
        assert!((found / p - 1.0).abs() < 1e-9, "{gained} {lost}: {found}");
        assert!((mcnemar(lost, gained) - found).abs() < 1e-15);
    };
    check(0, 0, 1.0);
    check(0, 1, 1.0);
    check(5, 5, 1.0);
    check(0, 7, 0.015_625);
    check(9, 12, 0.663_623_809_814_453_1);
    check(12, 86, 5.933_004_747_375_475e-15);
    check(50, 114, 6.331_600_153_869_774e-7);
    check(400, 600, 2.728_464_156_065_947e-10);
}

#[test]
fn bound_without_flips_matches_closed_form() {
    let z = quantile(0.05);
    for n in [1, 10, 268, 269, 3000] {
        let lower = paired(0, 0, n).lower(z);
        assert!(
            (lower + z * z / (n as f64 + z * z)).abs() < 1e-12,
            "{n}: {lower}"
        );
    }
    // A margin of one point therefore takes 268 images even without a flip.
    assert!(paired(0, 0, 267).lower(z) < -0.01);
    assert!(paired(0, 0, 268).lower(z) > -0.01);
}

/// Exact probability that n images, with a rate `q` of lost and `q + delta` of gained images, give a lower bound
/// above `delta`: the sum over all outcomes of the trinomial distribution.
fn chance_to_exclude(delta: f64, q: f64, n: usize) -> f64 {
    let z = quantile(0.05);
    let ln_factorial: Vec<f64> = std::iter::once(0.0)
        .chain((1..=n).scan(0.0, |sum, k| {
            *sum += (k as f64).ln();
            Some(*sum)
        }))
        .collect();
    let [ln_gain, ln_lose, ln_same] = [q + delta, q, 1.0 - 2.0 * q - delta].map(f64::ln);
    let mut chance = 0.0;
    for gained in 0..=n {
        for lost in 0..=n - gained {
            if paired(gained, lost, n).score(delta) > z {
                let same = n - gained - lost;
                let ln_ways = ln_factorial[n]
                    - ln_factorial[gained]
                    - ln_factorial[lost]
                    - ln_factorial[same];
                chance += (ln_ways
                    + gained as f64 * ln_gain
                    + lost as f64 * ln_lose
                    + same as f64 * ln_same)
                    .exp();
            }
        }
    }
    chance
}

#[test]
fn candidate_exactly_at_margin_rarely_passes() {
    for (n, delta, q) in [
        (60, -0.05, 0.06),
        (60, -0.05, 0.15),
        (150, -0.02, 0.03),
        (300, -0.01, 0.02),
    ] {
        let chance = chance_to_exclude(delta, q, n);
        assert!(
            (0.02..0.065).contains(&chance),
            "{n} images, {delta}, {q}: {chance}"
        );
    }
}

#[test]
fn unequal_classes_are_converted_to_effective_number_of_images() {
    let tally = |images, gained, lost| Tally {
        images,
        reference_right: images,
        gained,
        lost,
        ..Tally::default()
    };
    let check = |tallies: &[Tally], images: f64, difference: f64| {
        let found = Paired::over_classes(tallies).unwrap();
        assert!(
            (found.images - images).abs() < 1e-9,
            "{tallies:?}: {}",
            found.images
        );
        assert!(
            (found.difference() - difference).abs() < 1e-12,
            "{tallies:?}: {}",
            found.difference()
        );
    };
    check(&[tally(50, 1, 2), tally(50, 0, 3)], 100.0, -0.04);
    // Without a flip, Kish's number applies: 2^2 / (1/10 + 1/90).
    check(&[tally(10, 0, 0), tally(90, 0, 0)], 36.0, 0.0);
    // Flips in the small class, computed by hand: D = -0.1, variance 0.09, spread 1.70/400 + 0.90/32400.
    check(
        &[tally(10, 0, 2), tally(90, 0, 0)],
        0.09 / (1.70 / 400.0 + 0.90 / 32_400.0),
        -0.1,
    );
    // Flips in the large class do not make the small class certain, so Kish's number applies.
    check(&[tally(10, 0, 0), tally(90, 0, 18)], 36.0, -0.1);
    // A class without images is left out.
    check(&[tally(0, 0, 0), tally(50, 0, 5)], 50.0, -0.1);
    assert_eq!(Paired::over_classes(&[tally(0, 0, 0)]), None);
    assert_eq!(Paired::over_classes(&[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_contain_estimate_and_mirror(images in 1_usize..400, a in 0.0..1.0, b in 0.0..1.0) {
        let gained = (a * images as f64) as usize;
        let lost = (b * (images - gained) as f64) as usize;
        let found = paired(gained, lost, images);
        let (lower, upper) = (found.lower(quantile(0.05)), -found.swapped().lower(quantile(0.05)));
        prop_assert!((-1.0..=1.0).contains(&lower) && (-1.0..=1.0).contains(&upper));
        prop_assert!(lower <= found.difference() && found.difference() <= upper);
        prop_assert!(found.lower(quantile(0.01)) <= lower);
        let mirrored = paired(lost, gained, images);
        prop_assert!((mirrored.lower(quantile(0.05)) + upper).abs() < 1e-15);
    }

    #[test]
    fn scores_fall_with_difference_and_grow_with_root_of_images(images in 2_usize..400, a in 0.0..1.0, b in 0.0..1.0) {
        let gained = (a * images as f64) as usize;
        let lost = (b * (images - gained) as f64) as usize;
        let few = paired(gained, lost, images);
        let more = paired(4 * gained, 4 * lost, 4 * images);
        let mut last = f64::INFINITY;
        for step in -19_i32..=19 {
            let score = few.score(f64::from(step) / 20.0);
            prop_assert!(score <= last + 1e-9, "{score} after {last}");
            prop_assert!((more.score(f64::from(step) / 20.0) - 2.0 * score).abs() < 1e-6 * (1.0 + score.abs()));
            last = score;
        }
    }
}
