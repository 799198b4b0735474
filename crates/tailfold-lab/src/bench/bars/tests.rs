use std::path::Path;

use serde_json::{Value, json};

use super::super::nets::{About, Net, Suite};
use super::super::overview;
use super::*;
use tailfold_plot::svg;

/// A report of three contenders, in the format of `tailfold bench --json`.
fn report() -> Value {
    let row = |name: &str, ms: f64| {
        let spread = json!({ "min": 0.9 * ms, "median": ms, "p95": 2.0 * ms });
        json!({
            "name": name, "kernel": "integer (avx2)", "threads": 1, "wall_ms": spread, "cpu_ms": spread,
            "ratio": ms / 0.5, "ratio_range": [ms, 3.0 * ms], "cpu_ratio": 2.0 * ms,
            "cpu_ratio_range": [ms, 3.0 * ms], "cold_start_ms": 2.0,
            "peak_rss_bytes": null, "file_bytes": 1000, "binary_bytes": 2000, "first_class": 3,
        })
    };
    json!({
        "schema": "tailfold.bench/1", "machine": "a machine", "rounds": 3, "images": 4,
        "rows": [row("tract", 0.5), row("tract-stock, float", 2.0), row("rten", 4.0)],
    })
}

/// Widths of the filled bars, in the order of painting.
fn widths(svg: &str) -> Vec<i32> {
    let number = |line: &str, key: &str| -> Option<i32> {
        let rest = line.split_once(&format!("{key}=\""))?.1;
        rest.split_once('"')?.0.parse().ok()
    };
    let bars = svg.lines().filter(|line| line.starts_with("<rect"));
    // The first rectangle is the background.
    bars.skip(1)
        .filter_map(|line| number(line, "width"))
        .collect()
}

#[test]
fn bar_of_each_contender_is_as_long_as_its_median() {
    let report = Report::of(report()).expect("a report");
    let picture = svg(&Bars::of_model("net.onnx", &report)).expect("a picture");
    for text in [
        "tailfold, INT8",
        "tract, float",
        "rten, INT8",
        "net.onnx",
        "a machine",
        "4.00 ms   8.00 x",
    ] {
        assert!(picture.contains(text), "{text} is missing");
    }
    let widths = widths(&picture);
    assert_eq!(widths.len(), 3);
    for (width, times) in widths.iter().zip([1, 4, 8]) {
        assert!((width - times * widths[0]).abs() <= 8, "{widths:?}");
    }
}

#[test]
fn overview_has_group_per_network_with_all_other_runtimes() {
    let net = |title: &str| Net {
        about: About {
            title: title.to_owned(),
            weights: "drawn".to_owned(),
        },
        report: Report::of(report()).expect("a report"),
    };
    let nets = [net("ResNet-8"), net("MobileNetV2")];
    let picture = svg(&overview::chart(&nets)).expect("a picture");
    let table = overview::table(&nets);
    for text in ["ResNet-8", "MobileNetV2", "tract, float", "rten, INT8"] {
        assert!(
            picture.contains(text) && table.contains(text),
            "{text} is missing"
        );
    }
    assert_eq!(widths(&picture).len(), 4);
    assert!(
        table.contains("| ResNet-8 | 0.500 | 4.00 (2.00-6.00) | 8.00 (4.00-12.00) |"),
        "{table}"
    );
}

#[test]
fn published_table_and_chart_match_their_report() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench");
    let suite = Suite::read(&folder.join("nets.json")).expect("a report");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect(file);
    assert_eq!(read("nets.md").trim_end(), overview::table(&suite.nets));
    assert_eq!(
        read("nets.svg"),
        svg(&overview::chart(&suite.nets)).expect("a picture")
    );
}

#[test]
fn wrong_schema_or_empty_report_is_error() {
    for (key, value) in [
        ("schema", json!("tailfold.bench-layers/1")),
        ("rows", json!([])),
    ] {
        let mut wrong = report();
        wrong[key] = value;
        assert!(Report::of(wrong).is_err(), "{key}");
    }
}

#[test]
fn ticks_are_round_and_few() {
    for (end, expected) in [(0.9, 0.2), (6.0, 1.0), (7.0, 2.0), (140.0, 50.0)] {
        assert!((tick(end) - expected).abs() < 1e-9, "{end}: {}", tick(end));
    }
}
