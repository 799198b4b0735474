use super::*;
use crate::OnnxError;
use crate::fixture::{self, PATH, Tensors};

fn read(bytes: &[u8]) -> Result<Checkpoint, OnnxError> {
    Checkpoint::from_safetensors(bytes, Path::new(PATH))
}

#[test]
fn first_non_finite_value_is_named() {
    let tensors = |value| {
        let mut tensors = Tensors::new();
        tensors.insert(
            "b".to_owned(),
            (vec![2, 2], vec![0.0, 1.0, value, f32::NAN]),
        );
        tensors.insert("c".to_owned(), (vec![1], vec![f32::NAN]));
        fixture::safetensors(&tensors)
    };
    let message = |value| read(&tensors(value)).unwrap_err().to_string();
    assert_eq!(
        message(f32::NAN),
        format!("{PATH}: tensor `b` has NaN at index 2")
    );
    assert_eq!(
        message(f32::NEG_INFINITY),
        format!("{PATH}: tensor `b` has -inf at index 2")
    );
    assert_eq!(
        message(0.0),
        format!("{PATH}: tensor `b` has NaN at index 3")
    );
}

#[test]
fn other_element_type_is_error() {
    let view =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F16, vec![2], &[0; 4]).unwrap();
    let bytes = safetensors::serialize([("w", view)], None).unwrap();
    assert_eq!(
        read(&bytes).unwrap_err().to_string(),
        format!("{PATH}: tensor `w` holds F16, expected F32")
    );
}

#[test]
fn tensor_has_the_values_of_the_file() {
    let arch = fixture::architecture(fixture::COSINE);
    let tensors = fixture::tensors(&arch);
    let checkpoint = fixture::checkpoint(&tensors);
    assert!(checkpoint.names().eq(tensors.keys()));
    for (name, (shape, values)) in &tensors {
        assert_eq!(checkpoint.tensor(name, shape).unwrap(), values);
    }
}

#[test]
fn truncated_checkpoint_is_error() {
    let bytes = fixture::safetensors(&fixture::tensors(&fixture::architecture(fixture::COSINE)));
    for len in [0, 7, 8, 100, bytes.len() - 1] {
        let error = read(&bytes[..len]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{PATH} is not a safetensors file, or is damaged or cut short")
        );
    }
    // The header claims more bytes than the file has.
    let error = read(&[0xff; 64]).unwrap_err();
    assert_eq!(error.kind(), OnnxErrorKind::Checkpoint);
    assert!(error.cause().is_some(), "{error}");
}
