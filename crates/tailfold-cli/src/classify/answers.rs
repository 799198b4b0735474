//! The output of `tailfold classify`.

use std::io::{self, BufWriter, Stdout, Write as _};

use serde::Serialize;
use tailfold::{Answer, Guess, ImageClassifier};
use tailfold_console::say;
use tailfold_spec::ScoreKind;

/// The answer for one image, or its error.
pub(super) struct Row {
    pub(super) file: String,
    pub(super) answer: anyhow::Result<Answer>,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One line of text per image; errors go to stderr.
    Text,
    /// One JSON object with one line per image.
    Object,
    /// One JSON object per image, each on its own line.
    Lines,
}

/// The beginning of `classify --json`, schema `tailfold.classify/1`; `images` follows, an array of [`Image`].
#[derive(Serialize)]
struct Head<'a> {
    schema: &'static str,
    model_sha256: &'a str,
    backend: &'static str,
    /// Kind of the scores at the model's output. The scores in `images` are probabilities for every kind.
    model_output: ScoreKind,
}

/// One image: `top` and `latency_ms`, or `error`.
#[derive(Serialize)]
struct Image<'a> {
    /// `tailfold.classify-image/1` for [`Form::Lines`].
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<&'a [Guess]>,
    /// Preprocessing and network, without decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Writes answers to stdout.
pub(super) struct Answers {
    form: Form,
    out: BufWriter<Stdout>,
    count: usize,
    /// Whether a write failed, because the reader closed the pipe.
    failed: bool,
}

impl Answers {
    /// Begins the output. The form [`Form::Object`] begins with the facts about `classifier`.
    pub(super) fn begin(form: Form, classifier: &ImageClassifier) -> Self {
        let mut answers = Self {
            form,
            out: BufWriter::new(io::stdout()),
            count: 0,
            failed: false,
        };
        if form == Form::Object {
            let head = Head {
                schema: "tailfold.classify/1",
                model_sha256: classifier.model_sha256(),
                backend: classifier.backend(),
                model_output: classifier.score_kind(),
            };
            let text = serde_json::to_string(&head).unwrap_or_default();
            // The object stays open for the images.
            answers.put(text.trim_end_matches('}'));
            answers.put(",\"images\":[\n");
        }
        answers
    }

    fn put(&mut self, text: &str) {
        self.failed |= self.out.write_all(text.as_bytes()).is_err();
    }

    /// Writes the answer for one image.
    pub(super) fn write(&mut self, row: &Row) {
        match self.form {
            Form::Text => self.text(row),
            Form::Object => {
                // The comma comes before the next image, so each line is complete as soon as its image is answered.
                self.put(if self.count > 0 { "," } else { "" });
                self.put(&json(row, None));
                self.put("\n");
            }
            Form::Lines => {
                self.put(&json(row, Some("tailfold.classify-image/1")));
                self.put("\n");
            }
        }
        self.count += 1;
    }

    fn text(&mut self, row: &Row) {
        match &row.answer {
            Ok(answer) => {
                let names: Vec<String> = answer
                    .top
                    .iter()
                    .map(|g| format!("{} {:.1} %", g.name, 100.0 * g.probability))
                    .collect();
                self.put(&format!(
                    "{}: {} ({:.2} ms)\n",
                    row.file,
                    names.join(", "),
                    answer.latency_ms
                ));
            }
            Err(error) => say(&format!("{}: {error:#}", row.file)),
        }
    }

    /// Flushes the answers to stdout.
    ///
    /// # Errors
    /// The reader closed the pipe.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    /// Ends the output.
    pub(super) fn end(mut self) {
        if self.form == Form::Object {
            self.put("]}\n");
        }
        // A closed pipe is not an error here.
        let _ = self.flush();
    }
}

fn json(row: &Row, schema: Option<&'static str>) -> String {
    let answer = row.answer.as_ref().ok();
    let image = Image {
        schema,
        file: &row.file,
        top: answer.map(|a| &a.top[..]),
        latency_ms: answer.map(|a| a.latency_ms),
        error: row.answer.as_ref().err().map(|error| format!("{error:#}")),
    };
    serde_json::to_string(&image).unwrap_or_default()
}
