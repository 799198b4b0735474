use super::*;

use tailfold::Backend;

/// Opens a model of the repository on `backend`.
fn open_on(backend: Backend, model: &str) -> Result<TailfoldClassifier, Failure> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let path = format!("{root}/models/fashion-lt/{model}");
    let chosen = Chosen {
        backend,
        ..Chosen::default()
    };
    TailfoldClassifier::open(&path, &chosen)
}

/// Opens the quantized model.
fn open() -> TailfoldClassifier {
    open_on(Backend::Integer, "fashion-lt.int8.onnx").unwrap()
}

#[test]
fn float_model_needs_tract() {
    let float = "fashion-lt.onnx";
    let integer = open_on(Backend::Integer, float).err().unwrap();
    assert_eq!(integer.code, TailfoldCode::TailfoldUnsupported);
    assert!(integer.message.contains("fashion-lt.onnx: "), "{integer:?}");
    let tract = open_on(Backend::Tract, float);
    if cfg!(feature = "tract") {
        assert!(tract.is_ok());
    } else {
        let failure = tract.err().unwrap();
        assert_eq!(failure.code, TailfoldCode::TailfoldBackend);
        assert!(failure.message.contains("feature `tract`"), "{failure:?}");
    }
}

#[test]
fn panicked_handle_refuses_calls() {
    let mut handle = open();
    assert_eq!(handle.run(|_| Ok(7)).unwrap(), 7);
    let refused = handle.run(|_| Err::<(), _>(Failure::argument("no")));
    assert_eq!(refused.unwrap_err().message, "no");
    assert!(handle.run(|_| Ok(())).is_ok(), "a failure breaks nothing");
    let code = guarded(|| handle.run(|_| panic!("in the middle")));
    assert_eq!(code, TailfoldCode::TailfoldPanic);
    for failure in [handle.run(|_| Ok(())).err(), handle.fork().err()] {
        let failure = failure.unwrap();
        assert_eq!(failure.code, TailfoldCode::TailfoldPanic);
        assert!(failure.message.contains("close it"), "{failure:?}");
    }
}

#[test]
fn fork_keeps_names_of_closed_handle() {
    let handle = open();
    let fork = handle.fork().unwrap();
    let name = handle.names[0].as_ptr();
    drop(handle);
    assert_eq!(fork.names[0].as_ptr(), name);
    assert_eq!(fork.len(), 10);
}
