use super::*;

use tailfold::Backend;

/// A model that ships.
fn open_on(backend: Backend, model: &str) -> Result<TailfoldClassifier, Failure> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let path = format!("{root}/models/fashion-lt/{model}");
    let chosen = Chosen {
        backend,
        ..Chosen::default()
    };
    TailfoldClassifier::open(&path, &chosen)
}

/// The quantized one.
fn open() -> TailfoldClassifier {
    open_on(Backend::Integer, "fashion-lt.int8.onnx").unwrap()
}

#[test]
fn a_float_model_needs_a_back_end_that_this_build_may_lack() {
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
fn a_handle_that_panicked_answers_nothing_else() {
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
fn a_fork_has_the_same_names_and_lives_on() {
    let handle = open();
    let fork = handle.fork().unwrap();
    let name = handle.names[0].as_ptr();
    drop(handle);
    assert_eq!(fork.names[0].as_ptr(), name);
    assert_eq!(fork.len(), 10);
}
