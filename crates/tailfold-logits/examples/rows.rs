//! Prints the content of a logits file as JSON, so that the program that wrote the file can check it.
//!
//! cargo run --package tailfold-logits --example rows -- logits.parquet

use std::error::Error;
use std::path::Path;

use serde_json::json;
use tailfold_logits::LogitFile;

#[expect(clippy::print_stdout, reason = "the result goes to stdout")]
fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a file of logits")?;
    let mut file = LogitFile::open(Path::new(&path))?;
    let (labels, ids) = (file.labels()?, file.ids()?);
    let (mut rows, mut sum) = (Vec::new(), 0.0);
    let (mut first, mut last) = (None, None);
    while file.read(1024, &mut rows)? > 0 {
        sum += rows.iter().copied().map(f64::from).sum::<f64>();
        first = first.or(rows.first().copied());
        last = rows.last().copied();
    }
    let found = json!({
        "images": file.images(),
        "num_classes": file.num_classes(),
        "sum": sum,
        "first": first,
        "last": last,
        "labels": labels,
        "ids": ids,
    });
    println!("{found}");
    Ok(())
}
