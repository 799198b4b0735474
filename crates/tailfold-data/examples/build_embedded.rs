//! Writes the embedded data set: `cargo run -p tailfold-data --example build_embedded -- IDX_DIR OUT_DIR`.

use std::path::Path;

#[expect(clippy::print_stdout, reason = "the summary is this program's result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [idx_dir, out] = arguments.as_slice() else {
        return Err("expected two folders: the IDX files and the output".into());
    };
    let summary = tailfold_data::build_embedded(Path::new(idx_dir), Path::new(out))?;
    println!(
        "{} training images: {:?} per class",
        summary.train, summary.train_counts
    );
    println!(
        "{} for validation, {} for the test",
        summary.val, summary.test
    );
    for (path, bytes) in &summary.files {
        println!("{bytes:>9} {}", path.display());
    }
    println!("{:>9} in all", summary.bytes());
    Ok(())
}
