//! The feature queue as a tensor file: `features` `[n, dim]` and `labels` `[n]`, oldest first.

use burn::prelude::*;
use tailfold_spec::{NamedTensors, Tensors};

use crate::casts::to_host;
use crate::error::TrainError;
use crate::offsets::FeatureQueue;
use crate::products::safetensors_bytes;

pub(super) fn to_bytes(queue: &FeatureQueue) -> Result<Vec<u8>, TrainError> {
    let (shape, features) = match queue.features() {
        Some(features) => (features.dims().to_vec(), to_host(features)?),
        None => (vec![0, 0], Vec::new()),
    };
    let labels: Vec<i64> = (queue.labels().into_iter())
        .map(|y| i64::try_from(y).unwrap_or(i64::MAX))
        .collect();
    let tensors = NamedTensors::from([("features".to_owned(), (shape, features))]);
    safetensors_bytes(&tensors, Some(&labels))
}

/// Adds the saved rows to an empty `queue`, on `device`; the error says why they do not fit.
pub(super) fn restore(
    queue: &mut FeatureQueue,
    bytes: &[u8],
    device: &Device,
) -> Result<(), String> {
    let file = Tensors::read(bytes, "the feature queue").map_err(|e| e.to_string())?;
    let (shape, values) = file.f32("features").map_err(|e| e.to_string())?;
    let labels = file.labels("labels").map_err(|e| e.to_string())?;
    let [n, dim] = shape[..] else {
        return Err(format!(
            "features have the shape {shape:?}, expected [n, length]"
        ));
    };
    if n != labels.len() || (n > 0 && dim == 0) {
        let count = labels.len();
        return Err(format!("{n} features of length {dim} have {count} labels"));
    }
    if n > 0 {
        let features = Tensor::from_data(TensorData::new(values, [n, dim]), device);
        queue.push(features, labels);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_queue_reads_back() {
        let device = Device::flex();
        let read = |bytes: &[u8]| {
            let mut queue = FeatureQueue::new(8);
            restore(&mut queue, bytes, &device).map(|()| queue)
        };
        let values = [0.1, -2.5, f32::MIN_POSITIVE, 7.0, -0.0, 1e30];
        let mut queue = FeatureQueue::new(8);
        let empty = to_bytes(&queue).unwrap();
        let features = TensorData::new(values.to_vec(), [3, 2]);
        queue.push(Tensor::from_data(features, &device), vec![3, 0, 3]);
        let again = read(&to_bytes(&queue).unwrap()).unwrap();
        assert_eq!(again.labels(), [3, 0, 3]);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let found = to_host(again.features().unwrap()).unwrap();
        assert_eq!(bits(&found), bits(&values));
        assert!(read(&empty).unwrap().features().is_none());
        assert!(read(b"").is_err());
    }
}
