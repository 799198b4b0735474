//! Planted faults, which `tailfold parity` must catch. Each has a control without the fault, which must pass.
//!
//! Rules catch faults that accuracy cannot show. For every fault, a table has the verdict by accuracy alone.

mod calibration;
mod evaluation;
mod head;
mod metadata;
mod network;
mod offsets;
mod preprocessing;
mod real;
mod table;
mod trial;

use std::sync::OnceLock;

use table::Row;
use trial::{Bench, Fault, Way};

/// Every fault, in the order of the table.
fn faults() -> Vec<Fault> {
    [
        head::FAULTS,
        offsets::FAULTS,
        network::FAULTS,
        preprocessing::FAULTS,
        calibration::FAULTS,
        metadata::FAULTS,
        evaluation::FAULTS,
        real::FAULTS,
    ]
    .concat()
}

/// The result of each fault with available images.
fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let bench = Bench::new();
        faults()
            .iter()
            .filter_map(|fault| Row::of(fault, &bench))
            .collect()
    })
}

#[test]
fn every_planted_fault_is_caught() {
    let missed: Vec<String> = rows()
        .iter()
        .filter_map(|row| row.missed().map(|why| format!("{}: {why}", row.fault)))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(rows().len() >= 20, "{} faults", rows().len());
}

#[test]
fn every_control_without_fault_passes() {
    let bench = Bench::new();
    for fault in faults() {
        let Some(trial) = (fault.plant)(&bench, Way::Sound) else {
            continue;
        };
        let answer = bench.parity(&trial);
        assert_eq!(answer.code, Some(0), "{}: {answer:?}", fault.name);
        assert_eq!(answer.json()["verdict"], "pass", "{}", fault.name);
    }
}

#[test]
fn committed_table_matches_this_run() {
    table::write(rows());
    let committed = table::committed();
    for row in rows() {
        let found = committed.iter().find(|cells| cells[0] == row.fault);
        let expect = [row.fault, &row.verdict, &row.rule, &row.alone];
        assert_eq!(
            found.map(|cells| cells[..4].iter().map(String::as_str).collect::<Vec<_>>()),
            Some(expect.to_vec()),
            "{}, beside the new one in {}",
            table::COMMITTED,
            table::WRITTEN
        );
    }
    // Every committed row has a fault that is still planted.
    let names: Vec<&str> = faults().iter().map(|fault| fault.name).collect();
    for cells in &committed {
        assert!(names.contains(&cells[0].as_str()), "{cells:?}");
    }
}
