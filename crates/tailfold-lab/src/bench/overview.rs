//! Overview of a benchmark of several networks: times relative to tailfold, as a table and a chart.

use super::bars::{Bar, Bars, Group, digits};
use super::nets::Net;
use super::report::Row;

/// The chart: one group of bars per network with the time ratio of each contender to tailfold, which is the line at 1.
pub(super) fn chart(nets: &[Net]) -> Bars {
    let bar = |row: &Row| {
        let [low, high] = row.cpu_ratio_range;
        Bar {
            name: row.title(),
            value: row.cpu_ratio,
            low,
            high,
            label: format!("{:.2} x   ({low:.2}-{high:.2})", row.cpu_ratio),
        }
    };
    let group = |net: &Net| {
        let (ours, others) = (&net.report.rows[0], &net.report.rows[1..]);
        Group {
            heading: Some(format!(
                "{}: tailfold INT8 {} ms",
                net.about.title,
                digits(ours.cpu_ms.median)
            )),
            bars: others.iter().map(bar).collect(),
        }
    };
    Bars {
        title: format!(
            "Processor time of an image relative to tailfold INT8, {} ({}, {})",
            nets[0].report.threads(),
            nets[0].report.machine,
            nets[0].report.rows[0].kernel
        ),
        axis: format!(
            "ratio of processor times, median of {} interleaved rounds; whiskers: least and greatest round; \
             line at 1: tailfold INT8",
            nets[0].report.rounds
        ),
        groups: nets.iter().map(group).collect(),
        unity: true,
    }
}

/// The tables as Markdown: one line per network with the ratio of every contender, by processor time, wall time and
/// least wall time; and the sizes of files and programs.
pub(super) fn table(nets: &[Net]) -> String {
    let first = &nets[0].report;
    let header = |what: &str| {
        let names: Vec<String> = first.rows[1..].iter().map(Row::title).collect();
        format!(
            "| {what} | tailfold, INT8: ms | {} |\n| --- | ---: |{}",
            names.join(" | "),
            " ---: |".repeat(names.len())
        )
    };
    let lines = |ours: fn(&Row) -> f64, cell: &dyn Fn(&Row, &Row) -> String| -> String {
        let line = |net: &Net| {
            let (own, others) = (&net.report.rows[0], &net.report.rows[1..]);
            let cells: Vec<String> = others.iter().map(|row| cell(row, own)).collect();
            let ms = digits(ours(own));
            format!("\n| {} | {ms} | {} |", net.about.title, cells.join(" | "))
        };
        nets.iter().map(line).collect()
    };
    let ranged = |ratio: f64, [low, high]: [f64; 2]| format!("{ratio:.2} ({low:.2}-{high:.2})");
    let cpu = lines(|row| row.cpu_ms.median, &|row, _| {
        ranged(row.cpu_ratio, row.cpu_ratio_range)
    });
    let wall = lines(|row| row.wall_ms.median, &|row, _| {
        ranged(row.ratio, row.ratio_range)
    });
    let least = lines(|row| row.wall_ms.min, &|row, own| {
        format!("{:.2}", row.wall_ms.min / own.wall_ms.min)
    });
    let mut text = format!(
        "{} interleaved rounds of all contenders, {}, {}, {}, one image at a time. INT8 is the same file for all \
         contenders, in ONNX Runtime's form U8S8; S8S8 is another form of ONNX Runtime.\n\n\
         Processor time relative to tailfold, per round: median and range of the rounds.\n\n{}{cpu}\n\n\
         Wall time relative to tailfold, likewise. Other programs on the machine interrupt long runs more than short \
         ones.\n\n\
         {}{wall}\n\n\
         Smallest wall time relative to tailfold's smallest.\n\n{}{least}\n\n\
         Sizes and cold starts. The size of a program includes its debug information.\n\n\
         | | contender | cold start ms | peak MB | file kB | program kB |\n| --- | --- | ---: | ---: | ---: | ---: |",
        first.rounds,
        first.machine,
        first.rows[0].kernel,
        first.threads(),
        header("processor time"),
        header("wall time"),
        header("least wall time"),
    );
    let size = |bytes: Option<u64>, unit: u64| {
        bytes.map_or_else(|| "-".to_owned(), |b| b.div_ceil(unit).to_string())
    };
    for net in nets {
        for row in &net.report.rows {
            text += &format!(
                "\n| {} | {} | {:.1} | {} | {} | {} |",
                net.about.title,
                row.title(),
                row.cold_start_ms,
                size(row.peak_rss_bytes, 1_000_000),
                size(row.file_bytes, 1000),
                size(row.binary_bytes, 1000),
            );
        }
    }
    text += "\n\nWeights.\n";
    for net in nets {
        text += &format!("\n- {}: {}", net.about.title, net.about.weights);
    }
    text
}
