//! Turns ONNX Runtime's messages into errors that name the missing part.

use std::path::{Path, PathBuf};

use crate::{Gpu, OrtError, OrtErrorKind, Provider};

/// Explains ONNX Runtime's `message`, which it returned while `name` was prepared for `provider`. `folders`
/// are the folders that the system searches for libraries.
pub(crate) fn explain(
    provider: Provider,
    name: &str,
    library: &Path,
    message: &str,
    folders: &[PathBuf],
) -> OrtError {
    let (back_end, ort_name, install) = (provider.name(), provider.ort_name(), provider.install());
    let message = message.trim().to_owned();
    if let Some(missing) = missing_library(&message) {
        let (provider, missing) = (back_end, missing.to_owned());
        return match another_version(&missing, folders) {
            Some(found) => OrtErrorKind::Provider
                .error(format!(
                    "{ort_name} needs {missing}, but only another version was found, {found}; \
                     install {install}",
                    found = found.display()
                ))
                .at(provider),
            None => OrtErrorKind::Provider
                .error(format!(
                    "{missing} cannot be found, which {ort_name} needs; install {install}, and put \
                     its folder on LD_LIBRARY_PATH"
                ))
                .at(provider),
        };
    }
    let has = |text: &str| message.contains(text);
    if has("not enabled in this build") || has("not supported in this build") {
        return OrtErrorKind::Provider
            .error(format!(
                "the ONNX Runtime at {library} has no {ort_name}; install {install}",
                library = library.display()
            ))
            .at(back_end);
    }
    if has("assigned to the default CPU EP") {
        return OrtErrorKind::Partial
            .error(format!(
                "{name} has nodes that {ort_name} does not run. tailfold does not move them to \
                 the CPU: {message}"
            ))
            .at(back_end);
    }
    if has("compute capability") || has("no kernel image is available") {
        return OrtErrorKind::Gpu
            .error(format!(
                "{ort_name} does not support this GPU ({gpu}): {message}",
                gpu = gpu()
            ))
            .at(back_end);
    }
    OrtErrorKind::Session.error(format!("{back_end} cannot run {name}: {message}"))
}

fn gpu() -> String {
    Gpu::first().map_or_else(
        |error| error.to_string(),
        |gpu| {
            format!(
                "{}, compute capability {}",
                gpu.name, gpu.compute_capability
            )
        },
    )
}

/// Returns the library that the system's loader did not find, as in
/// `libcublas.so.13: cannot open shared object file`.
fn missing_library(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(": cannot open shared object file")?;
    let name = before
        .rsplit(|c: char| c.is_whitespace() || c == '/')
        .next()?;
    name.contains(".so").then_some(name)
}

/// Returns a library of the same name and another version in `folders`.
fn another_version(wanted: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let (stem, _) = wanted.split_once(".so.")?;
    let prefix = format!("{stem}.so.");
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok());
    files
        .flatten()
        .flatten()
        .map(|file| file.path())
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && !name.starts_with(wanted)
        })
}

/// Returns the folders that the system searches for libraries, as far as a program can know.
pub(crate) fn library_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let given = std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
    let usual = [
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/local/cuda/lib64",
    ];
    let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let usual = usual.into_iter().map(PathBuf::from);
    given.chain(usual).chain([multiarch.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(provider: Provider, message: &str, folders: &[PathBuf]) -> String {
        let library = Path::new("lib/libonnxruntime.so");
        explain(provider, "m.onnx", library, message, folders).to_string()
    }

    // Messages of ONNX Runtime 1.31 and 1.32, verbatim.
    #[test]
    fn each_refusal_of_onnx_runtime_has_its_own_message() {
        let check = |provider, message: &str, expected: &[&str]| {
            let text = explained(provider, message, &[]);
            for part in expected {
                assert!(text.contains(part), "{part:?} is not in {text:?}");
            }
        };
        check(
            Provider::Cuda,
            "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory",
            &[
                "cuda: libcublasLt.so.13 cannot be found",
                "LD_LIBRARY_PATH",
                "CUDA 13",
            ],
        );
        check(
            Provider::Tensorrt,
            "TensorRT execution provider is not enabled in this build. ",
            &[
                "tensorrt: the ONNX Runtime at lib/libonnxruntime.so has no TensorrtExecutionProvider",
            ],
        );
        check(
            Provider::Cuda,
            "This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.",
            &["cuda: m.onnx has nodes that CUDAExecutionProvider does not run"],
        );
        check(
            Provider::TensorrtRtx,
            "TensorRT-RTX does not support this compute capability",
            &["tensorrt-rtx: NvTensorRTRTXExecutionProvider does not support this GPU"],
        );
        check(
            Provider::Cpu,
            "Protobuf parsing failed.",
            &["ort cannot run m.onnx: Protobuf"],
        );
    }

    #[test]
    fn error_tells_another_version_from_a_missing_library() {
        let folder = tempfile::tempdir().unwrap();
        let message = "Failed to load library a.so with error: libnvinfer.so.10: cannot open shared object file: No such file";
        let folders = [folder.path().to_owned()];
        std::fs::write(folder.path().join("libnvinfer_plugin.so.11"), "").unwrap();
        let none = explained(Provider::Tensorrt, message, &folders);
        assert!(none.contains("libnvinfer.so.10 cannot be found"), "{none}");
        std::fs::write(folder.path().join("libnvinfer.so.11.4.0"), "").unwrap();
        let other = explained(Provider::Tensorrt, message, &folders);
        assert!(
            other.contains("needs libnvinfer.so.10") && other.contains("libnvinfer.so.11.4.0"),
            "{other}"
        );
    }
}
