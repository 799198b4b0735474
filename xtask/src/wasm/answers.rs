//! Comparison of the module's answers with the answers of `tailfold` on this machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tailfold_console::process::{must, shown};
use tailfold_console::{print, say};
use tailfold_spec::{Logits, Tensors, artifact};

use super::{DATA, IMAGES, browser, image};
use crate::process::build;

/// Number of times that each image is classified. Engines optimise a module after it has run for a while.
const ROUNDS: usize = 10;

/// The report that `check.mjs` prints and that the page posts.
#[derive(Debug, Deserialize)]
struct Report {
    answers: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    top: Vec<Guess>,
    logits: Vec<f32>,
    ms: f64,
}

#[derive(Debug, Deserialize)]
struct Guess {
    class: usize,
}

/// Whether the module in `folder` gives the same answers as `binary`, or as a newly built `tailfold`.
pub(super) fn agree(binary: Option<&Path>, folder: &Path) -> anyhow::Result<bool> {
    let expected = match binary {
        Some(binary) => native(binary, folder)?,
        None => native(&build("tailfold")?, folder)?,
    };
    let images = (0..ROUNDS).flat_map(|_| (0..IMAGES).map(image));
    let images: Vec<String> = images.collect();
    let mut holds = true;
    match Command::new("node").arg("--version").output() {
        Ok(version) => {
            let name = format!("Node {}", String::from_utf8_lossy(&version.stdout).trim());
            let mut node = Command::new("node");
            node.arg(folder.join("check.mjs")).arg(folder).args(&images);
            let output = node
                .output()
                .with_context(|| format!("cannot run {}", shown(&node)))?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{} failed: {said}", shown(&node));
            holds &= same(&name, &expected, &output.stdout)?;
        }
        Err(error) => say(&format!("skipped: the module in Node ({error})")),
    }
    match browser::found() {
        Some((browser, name)) => {
            let report = browser::report(browser, folder, &images)?;
            holds &= same(&name, &expected, report.as_bytes())?;
        }
        None => say("skipped: the page in Chromium (no chromium)"),
    }
    Ok(holds)
}

/// Logits of the images, computed by the integer kernels of this machine.
fn native(tailfold: &Path, folder: &Path) -> anyhow::Result<Logits> {
    let out = folder.join("native.safetensors");
    let mut command = Command::new(tailfold);
    command
        .args(["logits", "--backend", "integer", "--data", DATA, "--model"])
        .arg(folder.join("model.onnx"))
        .arg("--out")
        .arg(&out);
    must(&mut command)?;
    let bytes = artifact::read(&out)?;
    let tensors = Tensors::read(&bytes, &out.display().to_string())?;
    let (shape, values) = tensors.f32("logits")?;
    let &[images, classes] = &shape[..] else {
        anyhow::bail!("{}: logits of the shape {shape:?}", out.display());
    };
    Ok(Logits::answer(values, images, classes)?)
}

/// Compares the report of `name` with the expected logits, and prints the number of equal answers.
///
/// Equal answers have the same bits in every logit, and the same top-1 class.
fn same(name: &str, expected: &Logits, report: &[u8]) -> anyhow::Result<bool> {
    let report: Report =
        serde_json::from_slice(report).with_context(|| format!("{name} did not answer in JSON"))?;
    let (found, images) = (report.answers.len(), expected.len());
    ensure!(
        found > 0 && found.is_multiple_of(images),
        "{name} gave {found} answers, expected some for each of {images} images"
    );
    let rows = expected.rows().cycle();
    let pairs = report.answers.iter().zip(rows);
    let equal = pairs.filter(|(answer, row)| is_same(answer, row)).count();
    let ms: Vec<f64> = report.answers.iter().map(|answer| answer.ms).collect();
    let (mut first, mut last) = (ms[..images].to_vec(), ms[found - images..].to_vec());
    print(&format!(
        "{name}: {equal} of {found} answers have the same bits; {:.2} ms per image in the first round, {:.2} in the last",
        median(&mut first),
        median(&mut last)
    ));
    Ok(equal == found)
}

fn median(ms: &mut [f64]) -> f64 {
    ms.sort_by(f64::total_cmp);
    ms.get(ms.len() / 2).copied().unwrap_or(f64::NAN)
}

fn is_same(answer: &Answer, row: &[f32]) -> bool {
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    let first = answer.top.first().map(|guess| guess.class);
    bits(&answer.logits) == bits(row) && first == Logits::top1(row).map(|(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_bit_is_a_difference() {
        let expected = Logits::new(vec![0.5, 2.0, -1.0, 0.0], 2).unwrap();
        let report = |logit: f32, class: usize| {
            format!(
                r#"{{"answers":[{{"top":[{{"class":1}}],"logits":[0.5,{logit}],"ms":3}},
                    {{"top":[{{"class":{class}}}],"logits":[-1,0],"ms":1}}]}}"#
            )
        };
        let check = |logit, class| same("test", &expected, report(logit, class).as_bytes());
        assert!(check(2.0, 1).unwrap());
        assert!(!check(2.0_f32.next_up(), 1).unwrap());
        assert!(!check(2.0, 0).unwrap());
        let none = same("test", &expected, br#"{"answers":[]}"#).unwrap_err();
        assert!(none.to_string().contains("0 answers"), "{none}");
        assert!(same("test", &expected, b"no").is_err());
    }
}
