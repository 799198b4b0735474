//! Advice on errors: a library states the fact, and this program adds the option that helps.

use std::error::Error;

use tailfold::RuntimeError;
#[cfg(feature = "ort")]
use tailfold::{OrtError, OrtErrorKind};
#[cfg(feature = "tools")]
use tailfold_export::ExportError;
use tailfold_onnx::{OnnxError, OnnxErrorKind};
use tailfold_parity::{ParityError, ParityErrorKind};
#[cfg(feature = "tools")]
use tailfold_quant::{QuantError, QuantErrorKind};

/// Returns the advice on `error` or on the first of its causes that has one, ready to be appended to their text.
pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        let advice = error
            .downcast_ref()
            .and_then(on_model)
            .or_else(|| error.downcast_ref().and_then(on_pair));
        #[cfg(feature = "tools")]
        let advice = advice.or_else(|| error.downcast_ref().and_then(on_quantization));
        #[cfg(feature = "ort")]
        let advice = advice.or_else(|| error.downcast_ref().and_then(on_ort));
        if advice.is_some() {
            return advice;
        }
        next = behind(error);
    }
    None
}

/// Returns the cause of `error`, even if `error` shows the text of its cause as its own.
fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<RuntimeError>() {
        return error.cause();
    }
    #[cfg(feature = "tools")]
    if let Some(error) = error.downcast_ref::<QuantError>() {
        return error.cause();
    }
    #[cfg(feature = "tools")]
    if let Some(error) = error.downcast_ref::<ExportError>() {
        return error.cause();
    }
    error.source()
}

fn on_model(error: &OnnxError) -> Option<&'static str> {
    match error.kind() {
        OnnxErrorKind::SeveralOutputs => Some(": choose one with `--output`"),
        OnnxErrorKind::NoClasses => Some(": give --labels"),
        OnnxErrorKind::NoPreprocessing => Some(": give --mean and --std"),
        OnnxErrorKind::Normalised => Some(
            ": give --mean 0 and --std 1 for a graph that expects 0..1, or --std 0.00392157 for \
             one that expects 0..255",
        ),
        _ => None,
    }
}

fn on_pair(error: &ParityError) -> Option<&'static str> {
    match error.kind() {
        ParityErrorKind::Preprocessing => {
            Some("; `--allow-other-preprocessing` compares them all the same")
        }
        ParityErrorKind::OtherFloat => Some("; `--allow-other-float` compares them all the same"),
        ParityErrorKind::Uncalibrated => {
            Some("; `--allow-uncalibrated` compares them all the same")
        }
        _ => None,
    }
}

#[cfg(feature = "tools")]
fn on_quantization(error: &QuantError) -> Option<&'static str> {
    match error.kind() {
        QuantErrorKind::NoHead => Some(" (`--output`)"),
        QuantErrorKind::MissingClass => Some("; `--allow-missing` accepts that"),
        QuantErrorKind::NoPass => {
            Some(": give all parts with --partials and --out, without --shard")
        }
        _ => None,
    }
}

#[cfg(feature = "ort")]
fn on_ort(error: &OrtError) -> Option<&'static str> {
    match error.kind() {
        OrtErrorKind::NoLibrary => {
            Some("\nInstall it with `tailfold runtime install`, or name it with `--ort-library`.")
        }
        OrtErrorKind::TooOld => Some("; install it with `tailfold runtime install`"),
        OrtErrorKind::Provider => Some(match error.place() {
            Some("tensorrt-rtx") => {
                "; `tailfold runtime install --gpu --tensorrt-rtx` installs ONNX Runtime with it"
            }
            _ => "; `tailfold runtime install --gpu` installs ONNX Runtime with it",
        }),
        OrtErrorKind::NoEngineFolder => Some(": give --engine-cache, or set HOME"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_found_behind_contexts_and_transparent_errors() {
        let outputs = || OnnxErrorKind::SeveralOutputs.error("the graph has 2 outputs (a, b)");
        let opened = RuntimeError::of(tailfold::RuntimeErrorKind::Model, outputs()).at("m.onnx");
        let error = anyhow::Error::from(opened).context("while opening");
        let text = format!("{error:#}{}", of(error.as_ref()).unwrap());
        let expect =
            "while opening: m.onnx: the graph has 2 outputs (a, b): choose one with `--output`";
        assert_eq!(text, expect);
        #[cfg(feature = "tools")]
        assert!(of(&QuantError::from(outputs())).is_some());
        assert_eq!(of(&OnnxErrorKind::Damaged.error("cut short")), None);
    }
}
