use super::*;

fn message<T: Element + std::fmt::Debug>(tensor: &TensorProto) -> String {
    tensor.values::<T>().unwrap_err().to_string()
}

#[test]
fn values_round_trip_exactly() {
    let floats = [0.1, -0.0, f32::MIN_POSITIVE / 2.0, f32::NAN];
    let tensor = TensorProto::new("x", &[2, 2], &floats);
    let back: Vec<f32> = tensor.values().unwrap();
    let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back), bits(&floats));
    assert_eq!(tensor.shape().unwrap(), [2, 2]);

    let tensor = TensorProto::new("x", &[3], &[-128_i8, 0, 127]);
    assert_eq!(tensor.raw_data(), [0x80, 0, 0x7f]);
    assert_eq!(tensor.values::<i8>().unwrap(), [-128, 0, 127]);
    let tensor = TensorProto::new("x", &[], &[i64::MIN]);
    assert_eq!(tensor.values::<i64>().unwrap(), [i64::MIN]);
    let tensor = TensorProto::new::<f32>("x", &[0, 7], &[]);
    assert_eq!(tensor.values::<f32>().unwrap(), [0.0; 0]);
}

#[test]
fn typed_fields_are_read_too() {
    let typed = |data_type: DataType| TensorProto {
        name: Some("x".to_owned()),
        dims: vec![2],
        data_type: Some(data_type.into()),
        float_data: vec![1.5, -2.0],
        int32_data: vec![3, 255],
        int64_data: vec![5, -6],
        ..TensorProto::default()
    };
    assert_eq!(typed(DataType::Float).values::<f32>().unwrap(), [1.5, -2.0]);
    assert_eq!(typed(DataType::Int32).values::<i32>().unwrap(), [3, 255]);
    assert_eq!(typed(DataType::Uint8).values::<u8>().unwrap(), [3, 255]);
    assert_eq!(typed(DataType::Int64).values::<i64>().unwrap(), [5, -6]);
    assert_eq!(
        message::<i8>(&typed(DataType::Int8)),
        "tensor `x` holds a value outside the range of i8"
    );
}

#[test]
fn mismatch_error_names_the_tensor() {
    let good = TensorProto::new("w", &[2, 3], &[0.0_f32; 6]);
    let check = |edit: &dyn Fn(&mut TensorProto), expect: &str| {
        let mut bad = good.clone();
        edit(&mut bad);
        assert_eq!(message::<f32>(&bad), expect);
    };
    check(
        &|t| t.dims = vec![2, 4],
        "tensor `w` of shape [2, 4] needs 32 bytes but has 24",
    );
    check(
        &|t| t.raw_data = None,
        "tensor `w` of shape [2, 3] needs 6 values but has 0",
    );
    check(
        &|t| t.dims = vec![-2, -3],
        "tensor `w` has the impossible shape [-2, -3]",
    );
    check(
        &|t| t.dims = vec![-6],
        "tensor `w` has the impossible shape [-6]",
    );
    check(
        &|t| t.dims = vec![i64::MAX, i64::MAX],
        "tensor `w` has the impossible shape [9223372036854775807, 9223372036854775807]",
    );
    check(
        &|t| t.dims = vec![i64::MAX],
        "tensor `w` of shape [9223372036854775807] needs 18446744073709551615 bytes but has 24",
    );
    check(
        &|t| t.data_type = Some(DataType::Int8.into()),
        "tensor `w` holds i8, expected f32",
    );
    check(
        &|t| t.data_type = Some(99),
        "tensor `w` holds the unknown type 99, expected f32",
    );
    check(
        &|t| t.set_data_location(DataLocation::External),
        "the values of tensor `w` are in another file, which is not supported",
    );
    let mut packed = good.clone();
    packed.data_type = Some(DataType::Int4.into());
    assert_eq!(
        packed.check().unwrap_err().to_string(),
        "tensor `w` holds i4, expected numbers of whole bytes"
    );
}
