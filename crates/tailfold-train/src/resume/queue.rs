//! The feature queue as a tensor file: `features` `[n, dim]` and `labels` `[n]`, oldest first.

use std::collections::VecDeque;

use safetensors::SafeTensors;

use crate::error::TrainError;
use crate::products::{Tensors, safetensors_bytes};

/// Class and features, oldest first.
type Queue = VecDeque<(usize, Vec<f32>)>;

pub(super) fn to_bytes(queue: &Queue) -> Result<Vec<u8>, TrainError> {
    let dim = queue.front().map_or(0, |(_, z)| z.len());
    let features = queue.iter().flat_map(|(_, z)| z.iter().copied()).collect();
    let labels: Vec<i64> = queue
        .iter()
        .map(|(y, _)| i64::try_from(*y).unwrap_or(i64::MAX))
        .collect();
    let tensors = Tensors::from([("features".to_owned(), (vec![queue.len(), dim], features))]);
    safetensors_bytes(&tensors, Some(&labels))
}

/// The error says what does not fit.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Queue, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let tensor = |name| file.tensor(name).map_err(|e| e.to_string());
    let (features, labels) = (tensor("features")?, tensor("labels")?);
    let (&[n, dim], &[count]) = (features.shape(), labels.shape()) else {
        return Err("features are no matrix or labels no list".to_owned());
    };
    if n != count || (n > 0 && dim == 0) {
        return Err(format!("{n} features of length {dim} have {count} labels"));
    }
    let values: Vec<f32> = features
        .data()
        .chunks_exact(4)
        .filter_map(|b| b.try_into().ok().map(f32::from_le_bytes))
        .collect();
    let labels = labels
        .data()
        .chunks_exact(8)
        .filter_map(|b| b.try_into().ok().map(i64::from_le_bytes))
        .map(|y| usize::try_from(y).map_err(|_| format!("label {y}")));
    labels
        .zip(values.chunks_exact(dim.max(1)))
        .map(|(label, z)| Ok((label?, z.to_vec())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_the_inverse_of_writing() {
        let queue: Queue = [
            (3, vec![0.1, -2.5]),
            (0, vec![f32::MIN_POSITIVE, 7.0]),
            (3, vec![-0.0, 1e30]),
        ]
        .into();
        let read = from_bytes(&to_bytes(&queue).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{queue:?}"));
        assert!(
            from_bytes(&to_bytes(&Queue::new()).unwrap())
                .unwrap()
                .is_empty()
        );
        assert!(from_bytes(b"").is_err());
    }
}
