//! Other runtimes in a benchmark, as `--peer` arguments of `tailfold bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use tailfold_console::{process, say};

/// Commands of the other runtimes; `None` for a runtime that is left out.
pub(super) struct Peers {
    onnxruntime: Option<String>,
    rten: Option<String>,
}

/// The files of one model in several forms.
pub(super) struct Forms<'a> {
    /// The quantized model.
    pub(super) model: &'a Path,
    pub(super) float: Option<&'a Path>,
    /// Other quantized forms, with their names.
    pub(super) others: &'a [(String, PathBuf)],
}

impl Peers {
    pub(super) fn none() -> Self {
        Self {
            onnxruntime: None,
            rten: None,
        }
    }

    /// Finds the installed ONNX Runtime, and builds rten if `rten` is set. Fails without ONNX Runtime.
    pub(super) fn find(root: &Path, rten: bool) -> anyhow::Result<Self> {
        let python = root.join(".venv/bin/python");
        ensure!(
            python.exists(),
            "ONNX Runtime is missing: there is no {}. Run `cargo xtask ci` to install it, or give --no-peers",
            python.display()
        );
        let script = root.join("tests/judges/bench_onnxruntime.py");
        Ok(Self {
            onnxruntime: Some(format!("{} {}", python.display(), script.display())),
            rten: rten.then(|| build_rten(root)).transpose()?,
        })
    }

    /// The argument `NAME=COMMAND` of each contender for a model.
    pub(super) fn of(&self, forms: &Forms<'_>) -> Vec<String> {
        let mut peers = Vec::new();
        for (name, command) in [("ONNX Runtime", &self.onnxruntime), ("rten", &self.rten)] {
            let Some(command) = command else { continue };
            let mut add = |form: &str, file: &Path| {
                peers.push(format!("{name}{form}={command} --model {}", file.display()));
            };
            add("", forms.model);
            if name == "ONNX Runtime" {
                for (form, file) in forms.others {
                    add(&format!(", {form}"), file);
                }
            }
            if let Some(float) = forms.float {
                add(", float", float);
            }
        }
        peers
    }
}

/// Builds the separate project `tests/judges/bench-rten` in release mode, and returns the path of its program.
fn build_rten(root: &Path) -> anyhow::Result<String> {
    let target = root.join("target/bench-rten");
    say("building rten, which takes minutes the first time");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    process::must(
        Command::new(cargo)
            .args(["build", "--quiet", "--release", "--locked"])
            .arg("--manifest-path")
            .arg(root.join("tests/judges/bench-rten/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target),
    )?;
    let program = format!("release/bench-rten{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join(program).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_goes_to_the_runtimes_that_support_it() {
        let others = [("S8S8".to_owned(), PathBuf::from("s.onnx"))];
        let forms = Forms {
            model: Path::new("u.onnx"),
            float: Some(Path::new("f.onnx")),
            others: &others,
        };
        let peers = Peers {
            onnxruntime: Some("ort".to_owned()),
            rten: Some("rten".to_owned()),
        };
        let expected = [
            "ONNX Runtime=ort --model u.onnx",
            "ONNX Runtime, S8S8=ort --model s.onnx",
            "ONNX Runtime, float=ort --model f.onnx",
            "rten=rten --model u.onnx",
            "rten, float=rten --model f.onnx",
        ];
        assert_eq!(peers.of(&forms), expected);
        assert!(Peers::none().of(&forms).is_empty());
    }

    #[test]
    fn rten_version_is_pinned() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/judges/bench-rten");
        let read = |file: &str| std::fs::read_to_string(project.join(file)).expect(file);
        let pinned = |text: &str| -> String {
            let manifest: toml::Table = text.parse().expect("TOML");
            let version = manifest["dependencies"]["rten"]
                .as_str()
                .expect("a version");
            version
                .strip_prefix('=')
                .expect("an exact version")
                .to_owned()
        };
        let version = pinned(&read("Cargo.toml"));
        let locked = format!("name = \"rten\"\nversion = \"{version}\"\n");
        assert!(read("Cargo.lock").contains(&locked), "{locked}");
        let said = format!("VERSION: &str = \"{version}\"");
        assert!(read("src/main.rs").contains(&said), "{said}");
    }
}
