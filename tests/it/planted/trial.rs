//! A planted fault: two models and images, which `tailfold parity` compares.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use tailfold_data::Pixels;
use tailfold_onnx::Model;
use tailfold_spec::artifact;

use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;
use crate::ties::shipped;

/// The embedded test images.
pub(super) const TEST: &str = "embedded?split=test";
/// The policy of the shipped model.
pub(super) const POLICY: &str = "models/fashion-lt/parity.toml";
/// The shipped float model, with its offsets in the bias.
pub(super) const FLOAT: &str = "models/fashion-lt/fashion-lt.onnx";
/// The shipped INT8 model, quantized from [`FLOAT`].
pub(super) const INT8: &str = "models/fashion-lt/fashion-lt.int8.onnx";

/// Whether the fault is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Faulty,
    Sound,
}

impl Way {
    pub(super) fn is_faulty(self) -> bool {
        self == Self::Faulty
    }
}

/// A fault and its expected result.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) caught: Caught,
    /// Makes the models and images to compare; `None` if the images are not available.
    pub(super) plant: fn(&Bench, Way) -> Option<Trial>,
}

/// The expected result of a fault.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caught {
    /// Verdict fail, decided by this rule.
    Fails(&'static str),
    /// Verdict error, with the rule's name in the table and a text of the reason.
    Refused(&'static str, &'static str),
}

/// A comparison of two models.
pub(super) struct Trial {
    pub(super) reference: String,
    pub(super) candidate: String,
    pub(super) data: String,
    pub(super) policy: Option<String>,
    /// Further options of the fault.
    pub(super) options: Vec<String>,
    /// Options instead of `options` with which accuracy alone decides; `None` if no run is possible.
    pub(super) alone: Option<Vec<String>>,
}

impl Trial {
    /// Compares `candidate` with the shipped float model on the embedded test images, with the model's policy.
    pub(super) fn of(candidate: String) -> Self {
        Self {
            reference: FLOAT.to_owned(),
            candidate,
            data: TEST.to_owned(),
            policy: Some(POLICY.to_owned()),
            options: Vec::new(),
            alone: Some(Vec::new()),
        }
    }

    /// Sets the options with which accuracy alone decides.
    pub(super) fn alone(mut self, options: &[&str]) -> Self {
        self.alone = Some(options.iter().map(|&option| option.to_owned()).collect());
        self
    }
}

/// A scratch folder with the files of faults.
pub(super) struct Bench {
    scratch: Scratch,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            scratch: Scratch::new(),
        }
    }

    /// Path of `name` in the scratch folder.
    pub(super) fn at(&self, name: &str) -> String {
        self.scratch.at(name)
    }

    /// Writes a file in the scratch folder and returns its path.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        self.scratch.write(name, bytes)
    }

    /// The shipped float model, edited.
    pub(super) fn edited(&self, edit: impl FnOnce(&mut Model)) -> String {
        self.edited_from("fashion-lt.onnx", edit)
    }

    /// A shipped model, edited.
    pub(super) fn edited_from(&self, file: &str, edit: impl FnOnce(&mut Model)) -> String {
        let mut model = shipped(file);
        edit(&mut model);
        self.write("candidate.onnx", model.to_bytes())
    }

    /// A data set in `folder` of `images` with labels, and with the classes of the shipped model. It is made once.
    pub(super) fn data(
        &self,
        folder: &str,
        images: impl Iterator<Item = (Pixels, usize)>,
    ) -> String {
        let file = self.at(&format!("{folder}/set.csv"));
        if fs::exists(&file).unwrap() {
            return format!("csv:{file}");
        }
        let classes = shipped("fashion-lt.onnx").card().unwrap().classes;
        self.write(&format!("{folder}/classes.txt"), classes.join("\n"));
        let mut rows = "file,label\n".to_owned();
        for (i, (pixels, label)) in images.enumerate() {
            // A plain write is faster than the atomic write of artifacts, and there are thousands of images.
            fs::write(
                self.at(&format!("{folder}/{i}.png")),
                pixels.to_png().unwrap(),
            )
            .unwrap();
            rows += &format!("{i}.png,{label}\n");
        }
        format!("csv:{}", self.write(&format!("{folder}/set.csv"), rows))
    }

    /// Runs `tailfold parity --json` on `trial`. Equal comparisons on the embedded images run once.
    pub(super) fn parity(&self, trial: &Trial) -> Answer {
        let mut args = vec!["parity", "--json", "--reference", &trial.reference];
        args.extend(["--candidate", &trial.candidate, "--data", &trial.data]);
        if let Some(policy) = &trial.policy {
            args.extend(["--policy", policy]);
        }
        args.extend(trial.options.iter().map(String::as_str));
        if trial.data != TEST {
            return run("tailfold", &args);
        }
        static MADE: Mutex<BTreeMap<String, Answer>> = Mutex::new(BTreeMap::new());
        let files = [&trial.reference, &trial.candidate];
        let hashes = files.map(|file| artifact::sha256(&fs::read(root().join(file)).unwrap()));
        let key = format!("{hashes:?} {:?}", &args[6..]);
        let made = MADE.lock().unwrap().get(&key).cloned();
        made.unwrap_or_else(|| {
            let answer = run("tailfold", &args);
            MADE.lock().unwrap().insert(key, answer.clone());
            answer
        })
    }

    /// `text` without the path of the scratch folder.
    pub(super) fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.scratch.path().display()), "")
    }
}

/// Edits the shape and the row-major values of an f32 initializer.
pub(super) fn with(model: &mut Model, name: &str, edit: impl FnOnce(&[usize], &mut [f32])) {
    let (shape, mut values) = model.initializer_f32(name).unwrap();
    edit(&shape, &mut values);
    model.set_initializer_f32(name, &shape, &values);
}
