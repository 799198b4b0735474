//! Exports, quantizes and measures the trained runs of each seed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;
use tailfold_console::process::{beside, json, must, silent};
use tailfold_spec::{Group, Manifest, artifact};

use crate::{images, process};

/// The programs of the chain.
pub(super) struct Tools {
    pub(super) root: PathBuf,
    pub(super) train: PathBuf,
    pub(super) lab: PathBuf,
    tailfold: PathBuf,
}

/// Accuracies of one model, in 0..1.
#[derive(Clone, Debug)]
pub(super) struct Accuracies {
    pub(super) overall: f64,
    /// Accuracies of the groups many, medium and few.
    pub(super) groups: [f64; 3],
    recall: Vec<f64>,
}

/// Results of one seed.
pub(super) struct Seed {
    pub(super) ce: Accuracies,
    pub(super) sdot: Accuracies,
    pub(super) int8: Accuracies,
    fold: Value,
    parity: Value,
    int8_file: PathBuf,
}

/// Names and training counts of the classes, in label order.
pub(super) struct Classes {
    pub(super) names: Vec<String>,
    pub(super) counts: Vec<u64>,
}

const POLICY: &str = "models/fashion-lt/parity.toml";
const TEST: &str = "embedded?split=test";
const TRAIN: &str = "embedded?split=train";

impl Tools {
    pub(super) fn build(root: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            tailfold: process::build("tailfold")?,
            // The same build made them.
            train: beside("tailfold-train"),
            lab: beside("tailfold-lab"),
        })
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Exports `run` as `file`, with the offsets of the run or without offsets (`unfolded`).
    fn export(&self, run: &Path, file: &Path, unfolded: bool) -> anyhow::Result<()> {
        let mut command = self.command(&self.tailfold);
        command.arg("export").arg("--run").arg(run);
        command.arg("--out").arg(file);
        if unfolded {
            command.args(["--offsets", "drop"]);
        }
        silent(&mut command)
    }

    fn evaluate(&self, file: &Path) -> anyhow::Result<Accuracies> {
        let mut command = self.command(&self.tailfold);
        command
            .arg("evaluate")
            .arg("--model")
            .arg(file)
            .args(["--data", TEST, "--json"]);
        let answer = json(&mut command, &[0])?;
        let number = |key: &str| {
            answer[key]
                .as_f64()
                .with_context(|| format!("no `{key}` in {answer}"))
        };
        let recall = answer["per_class"].as_array().context("no `per_class`")?;
        let recall = recall
            .iter()
            .map(|v| v.as_f64().context("a class without test images"));
        Ok(Accuracies {
            overall: number("top1")?,
            groups: [number("many")?, number("medium")?, number("few")?],
            recall: recall.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Margins of the model's policy in percentage points: overall, many, medium, few.
    pub(super) fn margins(&self) -> anyhow::Result<[f64; 4]> {
        let path = self.root.join(POLICY);
        let policy: toml::Value = toml::from_str(&artifact::read_to_string(&path)?)?;
        let mut margins = [0.0; 4];
        for (margin, key) in margins.iter_mut().zip(["overall", "many", "medium", "few"]) {
            let value = match key {
                "overall" => policy.get("overall_margin_pp"),
                group => policy
                    .get("group_margin_pp")
                    .and_then(|groups| groups.get(group)),
            };
            *margin = value
                .and_then(toml::Value::as_float)
                .with_context(|| format!("{POLICY} has no margin for {key}"))?;
        }
        Ok(margins)
    }

    /// Names and training counts of the data set that ships.
    pub(super) fn class_names(&self) -> anyhow::Result<Classes> {
        let mut info = self.command(&self.tailfold);
        let info = json(info.args(["data", "info", TRAIN, "--json"]), &[0])?;
        let list = |key: &str| info[key].clone();
        Ok(Classes {
            names: serde_json::from_value(list("classes")).context("no `classes`")?,
            counts: serde_json::from_value(list("counts")).context("no `counts`")?,
        })
    }

    /// Writes the first test image of the rarest class as a file and classifies it with the INT8 model.
    pub(super) fn classify_one(
        &self,
        out: &Path,
        seed: &Seed,
        classes: &Classes,
    ) -> anyhow::Result<String> {
        // Labels are in the order of training counts, the rarest class last.
        let name = classes.names.last().context("there is no class")?;
        let folder = tempfile::tempdir().context("cannot create a folder for an image")?;
        let options = ["--class", name, "--first", "1"];
        let images = images::write(process::lab(&self.lab)?, TEST, folder.path(), &options)?;
        let rarest = images.first().context("the class has no test image")?;
        let file = out.join("rarest.png");
        artifact::write(&file, &artifact::read(&rarest.file)?)?;
        let mut command = self.command(&self.tailfold);
        command
            .arg("classify")
            .arg("--model")
            .arg(&seed.int8_file)
            .arg(&file)
            .args(["--top", "3", "--json"]);
        let answer = json(&mut command, &[0])?;
        let image = &answer["images"][0];
        let guesses = image["top"].as_array().context("no `top`")?;
        let names: Vec<String> = guesses
            .iter()
            .map(|g| {
                format!(
                    "{} {:.1} %",
                    g["name"].as_str().unwrap_or("?"),
                    100.0 * g["probability"].as_f64().unwrap_or(f64::NAN)
                )
            })
            .collect();
        let latency = image["latency_ms"].as_f64().unwrap_or(f64::NAN);
        Ok(format!(
            "an image of {name} ({}), classified by the INT8 model: {} ({latency:.2} ms)",
            rarest.origin,
            names.join(", "),
        ))
    }
}

impl Seed {
    /// Exports, quantizes and measures the runs of `seed` below `out`.
    pub(super) fn measure(tools: &Tools, out: &Path, seed: u64) -> anyhow::Result<Self> {
        let (ce_run, sdot_run) = (
            out.join(format!("ce-{seed}")),
            out.join(format!("sdot-{seed}")),
        );
        let name = Manifest::read(&sdot_run)?.name;
        let ce = ce_run.join("ce.onnx");
        let sdot = sdot_run.join(format!("{name}.onnx"));
        let plain = sdot_run.join(format!("{name}.unfolded.onnx"));
        let int8 = sdot_run.join(format!("{name}.int8.onnx"));
        tools.export(&ce_run, &ce, false)?;
        tools.export(&sdot_run, &sdot, false)?;
        tools.export(&sdot_run, &plain, true)?;
        let mut verify = tools.command(&tools.tailfold);
        verify
            .arg("verify")
            .arg("--model")
            .arg(&sdot)
            .arg("--unfolded")
            .arg(&plain)
            .args(["--data", TEST, "--json"]);
        let fold = json(&mut verify, &[0, 1])?;
        let mut quantize = tools.command(&tools.tailfold);
        quantize
            .args(["quantize", "--model"])
            .arg(&sdot)
            .args(["--calibration", TRAIN, "--evaluation", TEST, "--out"])
            .arg(&int8)
            .arg("--list")
            .arg(sdot_run.join("calibration.csv"));
        must(&mut quantize)?;
        let mut gate = tools.command(&tools.tailfold);
        gate.arg("parity")
            .arg("--reference")
            .arg(&sdot)
            .arg("--candidate")
            .arg(&int8);
        gate.arg("--policy").arg(tools.root.join(POLICY));
        gate.args(["--data", TEST, "--json", "--report"])
            .arg(sdot_run.join("parity"));
        let parity = json(&mut gate, &[0, 1, 3])?;
        Ok(Self {
            ce: tools.evaluate(&ce)?,
            sdot: tools.evaluate(&sdot)?,
            int8: tools.evaluate(&int8)?,
            fold,
            parity,
            int8_file: int8,
        })
    }

    /// Recall per class of each stage, for the chart.
    pub(super) fn recalls(&self) -> [(&'static str, Vec<f64>); 3] {
        [
            ("cross-entropy", self.ce.recall.clone()),
            ("SDOT, float", self.sdot.recall.clone()),
            ("SDOT, INT8", self.int8.recall.clone()),
        ]
    }

    /// Whether folding changed no decision.
    pub(super) fn folding_holds(&self) -> bool {
        self.fold["holds"] == true
    }

    /// Returns whether the gate failed. Inconclusive is not a failure.
    pub(super) fn gate_fails(&self) -> bool {
        !matches!(
            self.parity["verdict"].as_str(),
            Some("pass" | "inconclusive")
        )
    }

    /// One line on folding and parity.
    pub(super) fn verdict_line(&self) -> String {
        let few = &self.parity["groups"][Group::Few.as_str()];
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        format!(
            "folding changed {} of {} decisions; INT8 parity {}: few {:+.2} pp (lower bound {:+.2}, margin {:.2}), overall {:+.2} pp (lower bound {:+.2}), {} flips",
            self.fold["changed_decisions"],
            self.fold["images"],
            self.parity["verdict"].as_str().unwrap_or("error"),
            number(&few["delta_pp"]),
            number(&few["lower_bound_pp"]),
            number(&few["margin_pp"]),
            number(&self.parity["overall"]["delta_pp"]),
            number(&self.parity["overall"]["lower_bound_pp"]),
            self.parity["flips"],
        )
    }
}
