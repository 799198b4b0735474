use std::fs;

use super::*;

#[test]
fn first_library_found_is_used() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for folder in ["bin", "ort/lib/python3.9/site-packages/onnxruntime/capi"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    let (named, variable) = (at("named.so"), at("variable.so"));
    let beside = at("bin/libonnxruntime.so.1.2.3");
    let installed = at("ort/lib/python3.9/site-packages/onnxruntime/capi/libonnxruntime.so.1.3.0");
    for file in [&named, &variable, &beside, &installed] {
        fs::write(file, "").unwrap();
    }
    let (bin, user) = (at("bin"), at("user"));
    let found =
        |named, variable| look(named, variable, Some(&bin), Some(&user)).map(|(_, path)| path);
    assert_eq!(found(Some(&named), Some(&variable)).unwrap(), named);
    assert_eq!(found(None, Some(&variable)).unwrap(), variable);
    assert_eq!(found(None, None).unwrap(), beside);
    fs::remove_file(&beside).unwrap();
    assert_eq!(found(None, None).unwrap(), installed);
    let for_user = at("user/lib/python3.12/site-packages/onnxruntime/capi");
    fs::create_dir_all(&for_user).unwrap();
    fs::write(for_user.join("libonnxruntime.so.1"), "").unwrap();
    assert_eq!(found(None, None).unwrap(), installed);
    let gone = at("gone.so");
    // A named file that is missing is an error, even if other libraries exist.
    let error = found(Some(&gone), None).unwrap_err().to_string();
    assert!(
        error.contains("named file") && error.contains("gone.so"),
        "{error}"
    );
    fs::remove_file(&installed).unwrap();
    let users = for_user.join("libonnxruntime.so.1");
    assert_eq!(found(None, None).unwrap(), users);
    fs::remove_file(&users).unwrap();
    let error = found(None, None).unwrap_err().to_string();
    for place in [
        "named file: not given",
        "ORT_DYLIB_PATH: not given",
        "bin",
        "site-packages",
        "user",
    ] {
        assert!(error.contains(place), "{place} is not in {error}");
    }
}
