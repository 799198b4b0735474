//! Tensors by name, from the bytes of a safetensors file.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

/// Shape and row-major values of f32 tensors by name.
pub type NamedTensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The tensors of a safetensors file.
#[derive(Debug)]
pub struct Tensors<'a> {
    bytes: &'a [u8],
    file: SafeTensors<'a>,
    /// Name of the file in messages.
    place: String,
}

/// The safetensors file, or a tensor in it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorsError {
    /// The file is not a valid safetensors file.
    #[error("{place} is not a safetensors file, or is damaged or cut short")]
    Damaged {
        /// The file.
        place: String,
        /// The underlying error.
        #[source]
        source: SafeTensorError,
    },
    /// No tensor has this name.
    #[error("{place}: there is no tensor `{tensor}`")]
    Missing {
        /// The file.
        place: String,
        /// Name of the tensor.
        tensor: String,
    },
    /// The tensor has another element type.
    #[error("{place}: tensor `{tensor}` holds {found:?}, expected {expected}")]
    Type {
        /// The file.
        place: String,
        /// Name of the tensor.
        tensor: String,
        /// Element type found.
        found: Dtype,
        /// The expected element types.
        expected: &'static str,
    },
    /// A label is negative or does not fit a `usize`.
    #[error("{place}: tensor `{tensor}` has the label {label} at index {index}")]
    Label {
        /// The file.
        place: String,
        /// Name of the tensor.
        tensor: String,
        /// Row-major index of the label.
        index: usize,
        /// The label.
        label: String,
    },
}

impl<'a> Tensors<'a> {
    /// Reads the `bytes` of a safetensors file; `place` names the file in messages.
    ///
    /// # Errors
    /// [`TensorsError::Damaged`].
    pub fn read(bytes: &'a [u8], place: &str) -> Result<Self, TensorsError> {
        let place = place.to_owned();
        match SafeTensors::deserialize(bytes) {
            Ok(file) => Ok(Self { bytes, file, place }),
            Err(source) => Err(TensorsError::Damaged { place, source }),
        }
    }

    /// Names of all tensors, ascending.
    pub fn names(&self) -> BTreeSet<&str> {
        self.file.names().into_iter().collect()
    }

    /// The value of `key` in the file's metadata; `None` if the file has no such entry.
    pub fn metadata(&self, key: &str) -> Option<String> {
        let (_, metadata) = SafeTensors::read_metadata(self.bytes).ok()?;
        metadata.metadata().as_ref()?.get(key).cloned()
    }

    /// Returns the f32 tensors with these `names`.
    ///
    /// # Errors
    /// [`TensorsError::Missing`] or [`TensorsError::Type`], naming the first such tensor.
    pub fn all_f32<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<NamedTensors, TensorsError> {
        let named = |name: &str| Ok((name.to_owned(), self.f32(name)?));
        names.into_iter().map(named).collect()
    }

    /// Shape and row-major values of the f32 tensor `tensor`.
    ///
    /// # Errors
    /// [`TensorsError::Missing`] or [`TensorsError::Type`].
    pub fn f32(&self, tensor: &str) -> Result<(Vec<usize>, Vec<f32>), TensorsError> {
        let view = self.view(tensor)?;
        if view.dtype() != Dtype::F32 {
            return Err(self.of_type(tensor, &view, "F32"));
        }
        let (values, _) = view.data().as_chunks();
        let values = values.iter().map(|&v| f32::from_le_bytes(v)).collect();
        Ok((view.shape().to_vec(), values))
    }

    /// Class labels in the int64 or uint64 tensor `tensor`.
    ///
    /// # Errors
    /// [`TensorsError::Missing`], [`TensorsError::Type`], or [`TensorsError::Label`] for a negative label.
    pub fn labels(&self, tensor: &str) -> Result<Vec<usize>, TensorsError> {
        let view = self.view(tensor)?;
        let (words, _) = view.data().as_chunks();
        let number: fn([u8; 8]) -> i128 = match view.dtype() {
            Dtype::I64 => |word| i64::from_le_bytes(word).into(),
            Dtype::U64 => |word| u64::from_le_bytes(word).into(),
            _ => return Err(self.of_type(tensor, &view, "I64 or U64")),
        };
        let labels = words.iter().map(|&word| number(word)).enumerate();
        labels
            .map(|(index, label)| {
                usize::try_from(label).map_err(|_| TensorsError::Label {
                    place: self.place.clone(),
                    tensor: tensor.to_owned(),
                    index,
                    label: label.to_string(),
                })
            })
            .collect()
    }

    /// Element type, shape and little-endian bytes of `tensor`.
    ///
    /// # Errors
    /// [`TensorsError::Missing`].
    pub fn view(&self, tensor: &str) -> Result<TensorView<'_>, TensorsError> {
        self.file.tensor(tensor).map_err(|_| TensorsError::Missing {
            place: self.place.clone(),
            tensor: tensor.to_owned(),
        })
    }

    fn of_type(&self, tensor: &str, view: &TensorView<'_>, expected: &'static str) -> TensorsError {
        TensorsError::Type {
            place: self.place.clone(),
            tensor: tensor.to_owned(),
            found: view.dtype(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        let view = TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        safetensors::serialize([("x", view)], None).unwrap()
    }

    #[test]
    fn values_keep_their_shape_and_order() {
        let values = [1.5_f32, -2.0, 0.0, 4.0, 5.0, f32::NAN];
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let bytes = file(Dtype::F32, &[2, 3], &bytes);
        let (shape, read) = Tensors::read(&bytes, "x.safetensors")
            .unwrap()
            .f32("x")
            .unwrap();
        assert_eq!(shape, [2, 3]);
        assert_eq!(read[..5], values[..5]);
        assert!(read[5].is_nan());
    }

    #[test]
    fn names_ascend_and_first_tensor_of_another_type_is_named() {
        let view = |dtype| TensorView::new(dtype, vec![1], &[0; 4]).unwrap();
        let entry = std::collections::HashMap::from([("key".to_owned(), "value".to_owned())]);
        let views = [
            ("b", view(Dtype::F32)),
            ("a", view(Dtype::F32)),
            ("c", view(Dtype::I32)),
        ];
        let bytes = safetensors::serialize(views, Some(entry)).unwrap();
        let tensors = Tensors::read(&bytes, "x.safetensors").unwrap();
        assert!(tensors.names().into_iter().eq(["a", "b", "c"]));
        let all = tensors.all_f32(["b", "a"]).unwrap();
        assert!(all.keys().eq(["a", "b"]));
        let error = tensors.all_f32(tensors.names()).unwrap_err().to_string();
        assert_eq!(error, "x.safetensors: tensor `c` holds I32, expected F32");
        assert_eq!(tensors.metadata("key").as_deref(), Some("value"));
        assert_eq!(tensors.metadata("other"), None);
    }

    #[test]
    fn labels_are_signed_or_unsigned_and_never_negative() {
        let labels = |dtype, word: [u8; 8]| {
            let bytes = file(dtype, &[1], &word);
            let tensors = Tensors::read(&bytes, "x.safetensors").unwrap();
            tensors.labels("x").map_err(|e| e.to_string())
        };
        assert_eq!(labels(Dtype::I64, 7_i64.to_le_bytes()), Ok(vec![7]));
        assert_eq!(labels(Dtype::U64, 7_u64.to_le_bytes()), Ok(vec![7]));
        let negative = labels(Dtype::I64, (-1_i64).to_le_bytes()).unwrap_err();
        assert_eq!(
            negative,
            "x.safetensors: tensor `x` has the label -1 at index 0"
        );
    }

    #[test]
    fn errors_name_file_tensor_and_both_types() {
        let bytes = file(Dtype::F16, &[2], &[0; 4]);
        let tensors = Tensors::read(&bytes, "x.safetensors").unwrap();
        let wrong = tensors.f32("x").unwrap_err().to_string();
        assert_eq!(wrong, "x.safetensors: tensor `x` holds F16, expected F32");
        let wrong = tensors.labels("x").unwrap_err().to_string();
        assert_eq!(
            wrong,
            "x.safetensors: tensor `x` holds F16, expected I64 or U64"
        );
        let missing = tensors.f32("y").unwrap_err().to_string();
        assert_eq!(missing, "x.safetensors: there is no tensor `y`");
        let cut = Tensors::read(&bytes[..bytes.len() - 1], "x.safetensors").unwrap_err();
        assert!(
            cut.to_string()
                .starts_with("x.safetensors is not a safetensors file")
        );
    }
}
