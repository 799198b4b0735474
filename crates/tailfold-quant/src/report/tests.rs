use tailfold_spec::{Logits, QuantizationRecord};

use super::*;

/// Returns a report of a model whose names need escaping in tables and pages.
fn report() -> Report {
    let class = |name: &str, train_count, recall, bias| ClassReport {
        name: name.to_owned(),
        train_count,
        group: Group::of_count(train_count),
        recall,
        bias,
    };
    Report {
        schema: Report::SCHEMA,
        model: "<b>cats | dogs</b>".to_owned(),
        bytes: [400, 100],
        record: QuantizationRecord {
            target: "tract".to_owned(),
            rounding: "adaptive".to_owned(),
            observer: "minmax".to_owned(),
            calibration: "folder:<i>".to_owned(),
            ..QuantizationRecord::default()
        },
        layers: vec![LayerStatistics {
            layer: "a|b".to_owned(),
            operator: "Conv".to_owned(),
            shape: vec![4, 3, 3, 3],
            quantized: true,
            bytes: [432, 108],
            scales: Some([1e-3, 2e-3]),
            sqnr_db: None,
            input: "image".to_owned(),
        }],
        tensors: Vec::new(),
        search: None,
        evaluation: None,
        classes: vec![
            class("lynx", 0, [Some(0.5), Some(0.25)], [Some(1.0), Some(1.1)]),
            class(
                "cat",
                500,
                [Some(0.75), Some(0.5)],
                [Some(-1.0), Some(-1.1)],
            ),
        ],
    }
}

#[test]
fn names_are_escaped() {
    let page = report().to_html().unwrap();
    assert!(
        page.contains("&lt;b&gt;cats | dogs&lt;/b&gt;") && !page.contains("<b>"),
        "{page}"
    );
    assert!(page.contains("folder:&lt;i&gt;"));
    let text = report().to_markdown();
    assert!(
        text.contains(
            "| a\\|b | Conv | [4, 3, 3, 3] | int8 | 432 | 108 | 1.000e-3 to 2.000e-3 | - |"
        ),
        "{text}"
    );
}

#[test]
fn plot_without_values_is_left_out() {
    let mut report = report();
    assert_eq!(report.to_html().unwrap().matches("<svg").count(), 2);
    // One class has no training images, and one recall is unknown.
    report.classes[1].recall = [Some(0.75), None];
    report.classes.iter_mut().for_each(|c| c.bias = [None; 2]);
    assert_eq!(report.to_html().unwrap().matches("<svg").count(), 1);
    report.classes.clear();
    assert_eq!(report.to_html().unwrap().matches("<svg").count(), 0);
}

#[test]
fn each_row_has_a_cell_per_column() {
    let logits = Logits::new(vec![2.0, 1.0, 0.5, 3.0], 2).unwrap();
    let compared = ComparedModel::new(vec!["lynx".to_owned(), "cat".to_owned()], vec![0, 500]);
    let mut report = report();
    report.evaluation = Some(Evaluation {
        data: "folder".to_owned(),
        images: 2,
        accuracy: [0, 1].map(|_| Accuracy::of(&logits, &[0, 1], &[0, 500]).unwrap()),
        parity: Some(compare(&logits, &logits, &[0, 1], &compared, &Policy::default()).unwrap()),
        no_parity: None,
    });
    report.tensors = vec![TensorStatistics {
        tensor: "image".to_owned(),
        seen: [0.0, 1.0],
        range: [0.0, 1.0],
        scale: 0.1,
        zero_point: 0,
        saturated: 0.0,
        sqnr_db: Some(40.0),
    }];
    for (header, rows) in report.tables() {
        assert!(!rows.is_empty(), "{header:?}");
        assert!(
            rows.iter().all(|row| row.len() == header.len()),
            "{header:?} {rows:?}"
        );
    }
    // The groups many and few, and overall.
    assert_eq!(report.tables()[0].1.len(), 3);
}
