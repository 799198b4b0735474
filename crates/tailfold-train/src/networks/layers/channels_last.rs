//! Tensors of logical shape `[n, c, h, w]` stored channels-last in memory.

use std::borrow::Cow;

use burn::prelude::*;
use burn::tensor::{Bytes, DType};
use burn_flex::{FlexTensor, Layout};

use crate::device::is_cpu;

/// Returns whether tailfold's CPU kernels accept `x`: the flex back end in single precision.
pub(crate) fn is_ours<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_cpu(&x.device())
}

/// Returns the strides of `[n, c, h, w]` with the channels innermost.
fn strides([_, c, h, w]: [usize; 4]) -> [usize; 4] {
    [h * w * c, 1, w * c, c]
}

/// Returns the shape of an image tensor.
pub(crate) fn dims(x: &FlexTensor) -> [usize; 4] {
    let shape = x.layout().shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// Returns whether the values are dense and channels-last.
fn is_channels_last(x: &FlexTensor) -> bool {
    let dims = dims(x);
    let expected = strides(dims).map(usize::cast_signed);
    let found = x.layout().strides();
    (0..4).all(|d| dims[d] == 1 || found[d] == expected[d])
}

/// Creates a tensor `[n, c, h, w]` from channels-last `values`.
pub(crate) fn tensor(values: Vec<f32>, dims: [usize; 4]) -> FlexTensor {
    let strides = strides(dims).map(usize::cast_signed);
    let layout = Layout::new(Shape::from(dims), strides.to_vec(), 0);
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// Creates a vector `[n]`.
pub(crate) fn vector(values: Vec<f32>) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from([values.len()]));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// Creates a tensor from `values` in row-major order.
pub(crate) fn row_major(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

/// Returns the same tensor in channels-last layout; copies only if the layout differs.
pub(crate) fn channels_last(x: FlexTensor) -> FlexTensor {
    if is_channels_last(&x) {
        return x;
    }
    x.permute(&[0, 2, 3, 1])
        .to_contiguous()
        .permute(&[0, 3, 1, 2])
}

/// Returns the values of a tensor from [`channels_last`].
pub(crate) fn image_values(x: &FlexTensor) -> &[f32] {
    let start = x.layout().start_offset();
    &x.storage::<f32>()[start..start + x.layout().num_elements()]
}

/// Changes the values of `x` in place, or in a copy if there is another reference to them.
pub(crate) fn change(x: FlexTensor, work: impl FnOnce(&mut [f32])) -> FlexTensor {
    let mut x = channels_last(x);
    if x.layout().start_offset() != 0 {
        x = tensor(image_values(&x).to_vec(), dims(&x));
    }
    let len = x.layout().num_elements();
    work(&mut x.storage_mut::<f32>()[..len]);
    x
}

/// Returns the values in row-major order.
pub(crate) fn values(x: &FlexTensor) -> Cow<'_, [f32]> {
    match x.as_slice::<f32>() {
        Some(values) => Cow::Borrowed(values),
        None => {
            let x = x.to_contiguous();
            Cow::Owned(x.storage::<f32>()[..x.layout().num_elements()].to_vec())
        }
    }
}
