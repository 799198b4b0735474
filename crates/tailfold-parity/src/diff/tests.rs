use tailfold_spec::Logits;

use super::*;
use crate::{ComparedModel, ParityErrorKind, Policy, compare};

/// Two classes of 1,000 images; the candidate loses `lost` images of the rare class.
fn report(lost: usize, names: [&str; 2]) -> Report {
    let labels: Vec<usize> = (0..2000).map(|image| image % 2).collect();
    let logits = |lost: usize| {
        let mut left = lost;
        let rows = labels.iter().flat_map(|&label| {
            let miss = label == 1 && left > 0;
            left -= usize::from(miss);
            if label == 1 && !miss {
                [0.0, 1.0]
            } else {
                [1.0, 0.0]
            }
        });
        Logits::new(rows.collect(), 2).unwrap()
    };
    let model = ComparedModel {
        name: "pets".to_owned(),
        classes: names.map(str::to_owned).to_vec(),
        train_counts: vec![500, 5],
    };
    compare(
        &logits(0),
        &logits(lost),
        &labels,
        &model,
        &Policy::default(),
    )
    .unwrap()
}

#[test]
fn loss_beyond_allowance_is_regression() {
    let accepted = report(1, ["cat", "lynx"]);
    let diff = |after: &Report| Diff::between(&accepted, after, &Regression::default()).unwrap();
    assert!(!diff(&accepted).is_regression());
    // The group may lose half a point, which is five of 1,000 images.
    assert!(!diff(&report(3, ["cat", "lynx"])).is_regression());
    let found = diff(&report(8, ["cat", "lynx"]));
    assert_eq!(
        found.regressions[0],
        "few: inconclusive, it was pass in the baseline"
    );
    let strict = Regression {
        group_pp: 0.1,
        ..Regression::default()
    };
    let found = Diff::between(&accepted, &report(3, ["cat", "lynx"]), &strict).unwrap();
    assert_eq!(
        found.regressions,
        ["few: 99.70 % against 99.90 % in the baseline (-0.20 pp, -0.10 is accepted)"]
    );
    assert_eq!(found.classes.len(), 1);
    assert!(
        found.to_table().contains("class 1 lynx: 99.90 -> 99.70 %"),
        "{}",
        found.to_table()
    );
}

#[test]
fn reports_on_other_models_images_or_classes_are_refused() {
    let accepted = report(1, ["cat", "lynx"]);
    let refused = |after: &Report| {
        Diff::between(&accepted, after, &Regression::default())
            .unwrap_err()
            .to_string()
    };
    let other = Report {
        model: "plants".to_owned(),
        ..accepted.clone()
    };
    assert!(
        refused(&other).contains("`pets`") && refused(&other).contains("`plants`"),
        "{}",
        refused(&other)
    );
    assert!(
        refused(&Report {
            images: 7,
            ..accepted.clone()
        })
        .contains("images")
    );
    let renamed = report(1, ["cat", "lion"]);
    assert!(refused(&renamed).contains("lynx") && refused(&renamed).contains("lion"));
}

#[test]
fn report_is_read_back_and_truncated_report_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parity.json");
    let report = report(3, ["cat", "lynx"]);
    let text = report.to_json();
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Report::read(&path).unwrap(), report);
    for cut in (0..text.len()).step_by(97) {
        std::fs::write(&path, &text[..cut]).unwrap();
        let error = Report::read(&path).unwrap_err();
        assert!(
            error.to_string().contains("is not a whole parity report"),
            "{cut}: {error}"
        );
    }
    std::fs::write(
        &path,
        text.replace("tailfold.parity/1", "tailfold.parity/9"),
    )
    .unwrap();
    assert!(
        Report::read(&path)
            .unwrap_err()
            .to_string()
            .contains("tailfold.parity/9")
    );
    let unchecked =
        crate::Unchecked::because(&ParityErrorKind::Empty.error("there are no images to compare"));
    std::fs::write(&path, unchecked.to_json()).unwrap();
    assert!(
        Report::read(&path)
            .unwrap_err()
            .to_string()
            .contains("could not be made")
    );
}
