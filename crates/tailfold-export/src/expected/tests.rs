use super::*;

#[test]
fn each_class_is_weighted_by_its_prior_mass() {
    // Recalls 3/4 and 1/2 under 0.9 and 0.1; variances 3/16 * 4/3 = 1/4 and 1/4 * 2 = 1/2.
    let labels = [0, 0, 0, 0, 1, 1];
    let weighted = Weighted::new(&labels, &[0.9, 0.1]);
    let decisions = [0, 0, 0, 1, 1, 0];
    let estimate = weighted.mean(&right(&decisions, &labels));
    assert!((estimate.mean - 0.725).abs() < 1e-12);
    let variance: f64 = 0.81 * 0.25 / 4.0 + 0.01 * 0.5 / 2.0;
    assert!((estimate.standard_error.unwrap() - variance.sqrt()).abs() < 1e-12);
    // 0.9 * 3/4 + 0.1 * 1/2, and the rest.
    let answered = weighted.answered(&decisions);
    assert!((answered[0] - 0.725).abs() < 1e-12 && (answered[1] - 0.275).abs() < 1e-12);
    assert!((weighted.effective_images() - 1.0 / (0.81 / 4.0 + 0.01 / 2.0)).abs() < 1e-9);
}

#[test]
fn prior_of_the_images_leaves_accuracy_unchanged() {
    let labels = [0, 0, 0, 1];
    let weighted = Weighted::new(&labels, &[0.75, 0.25]);
    assert!((weighted.effective_images() - 4.0).abs() < 1e-12);
    let estimate = weighted.mean(&right(&[0, 1, 0, 1], &labels));
    assert!((estimate.mean - 0.75).abs() < 1e-12);
    // A class with a single image has no variance, so the mean has no standard error.
    assert_eq!(estimate.standard_error, None);
}
