//! One model at a time, and its answers as JSON.

use std::error::Error;

use serde::Serialize;
use tailfold::{Backend, Guess, ImageClassifier, Options, RuntimeError};

/// A session with at most one model.
#[derive(Default)]
pub struct Session {
    classifier: Option<ImageClassifier>,
}

/// The answer of [`Session::open`].
#[derive(Serialize)]
struct Opened<'a> {
    classes: &'a [String],
    channels: usize,
    height: usize,
    width: usize,
    version: &'static str,
}

/// The answer of [`Session::classify`].
#[derive(Serialize)]
struct Classified {
    top: Vec<Guess>,
    /// Logits in label order, `[num_classes]`.
    logits: Vec<f32>,
}

#[derive(Serialize)]
struct Failed {
    error: String,
}

impl Session {
    /// Opens the model file `bytes` in place of the previous model. The answer has `classes` (names in label order),
    /// `channels`, `height` and `width` of the network's input, and `version` of this module. On failure it has
    /// `error`, and the session has no model.
    pub fn open(&mut self, bytes: &[u8]) -> String {
        self.classifier = None;
        let opened =
            ImageClassifier::from_bytes(bytes, "the model", Backend::Integer, &Options::default());
        match opened {
            Ok(classifier) => {
                let classifier = self.classifier.insert(classifier.fitting());
                let card = classifier.card();
                json(&Opened {
                    classes: &card.classes,
                    channels: card.preprocess.channels,
                    height: card.preprocess.height,
                    width: card.preprocess.width,
                    version: env!("CARGO_PKG_VERSION"),
                })
            }
            Err(error) => failed(&error),
        }
    }

    /// Classifies the image file `bytes` (JPEG, PNG, BMP, WebP or PNM, of any size). The answer has `top` (at most
    /// `top` classes as `class`, `name`, `probability`, most likely first) and `logits` (in label order). On failure it
    /// has `error`.
    pub fn classify(&mut self, bytes: &[u8], top: usize) -> String {
        let Some(classifier) = &mut self.classifier else {
            return json(&Failed {
                error: "there is no model: open one first".to_owned(),
            });
        };
        match classifier.classify(bytes, "the image", top) {
            Ok(answer) => json(&Classified {
                top: answer.top,
                logits: answer.logits,
            }),
            Err(error) => failed(&error),
        }
    }
}

/// Returns the messages of the error and of its causes as JSON.
fn failed(error: &RuntimeError) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text.push_str(": ");
        text.push_str(&source.to_string());
        below = source.source();
    }
    json(&Failed { error: text })
}

fn json(answer: &impl Serialize) -> String {
    // Text and finite numbers always serialise. If they did not, the page would still get an error.
    serde_json::to_string(answer).unwrap_or_else(|_| r#"{"error":"no JSON"}"#.to_owned())
}

#[cfg(test)]
mod tests;
