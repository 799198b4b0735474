use prost::Message as _;

use super::*;

#[test]
fn every_onnx_field_round_trips() {
    // testdata/every_field.py writes the file with the onnx package, which orders fields by tag, as prost
    // does: a field that is missing here, or has another type, changes the bytes.
    let bytes = include_bytes!("../../testdata/every_field.onnx");
    let model = ModelProto::decode(&bytes[..]).unwrap();
    assert_eq!(model.encode_to_vec(), bytes);
}

#[test]
fn absent_scalar_differs_from_zero() {
    let absent = AttributeProto::default();
    let zero = AttributeProto {
        i: Some(0),
        ..AttributeProto::default()
    };
    assert_eq!(absent.i(), zero.i());
    let back = |a: &AttributeProto| AttributeProto::decode(&a.encode_to_vec()[..]).unwrap();
    assert_eq!(back(&absent), absent);
    assert_eq!(back(&zero), zero);
    assert_ne!(absent, zero);
}

#[test]
fn deep_nesting_is_error() {
    // TypeProto { sequence_type { elem_type { ... } } }, 5,000 deep.
    let mut bytes = Vec::new();
    for _ in 0..5_000 {
        for tag in [0x0a, 0x22] {
            let mut outer = vec![tag];
            prost::encode_length_delimiter(bytes.len(), &mut outer).unwrap();
            outer.append(&mut bytes);
            bytes = outer;
        }
    }
    let error = TypeProto::decode(&bytes[..]).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}
