//! Image data sets, the long-tail sub-sampler, preprocessing and augmentation.
//!
//! Internal to tailfold, no stability promise.
//!
//! ```no_run
//! # fn main() -> Result<(), tailfold_data::DataError> {
//! use tailfold_data::{DataSpec, Dataset};
//!
//! let spec: DataSpec = "cifar100:data/cifar100?split=train&imbalance=100".parse()?;
//! let data = Dataset::open(&spec)?;
//! assert_eq!(data.image(0)?.values.len(), 32 * 32 * 3);
//! # Ok(())
//! # }
//! ```

mod augment;
mod class_list;
mod dataset;
mod decode;
mod draws;
pub mod embedded;
mod error;
mod files;
mod images;
mod left_out;
mod loaded;
pub mod longtail;
mod names;
mod overlap;
mod pixels;
mod preprocess;
mod readers;
mod spec;
mod store;
mod stream;
mod thumbnail;

pub use augment::{
    AugmentConfig, AugmentError, AugmentKey, Augmenter, ColourJitter, Policy, RandAugment,
};
pub use class_list::{class_counts, class_names, repeats};
pub use dataset::Dataset;
pub use decode::{decode, decode_file};
pub use draws::Draws;
pub use embedded::{BuildSummary, build_embedded};
pub use error::{DataError, DataErrorKind};
pub use left_out::LeftOut;
pub use names::{IMAGE_ENDINGS, ending, is_hidden, is_named_image, normalised};
pub use overlap::Overlap;
pub use pixels::{MAX_PIXELS, Pixels, PixelsRef};
pub use preprocess::{Normaliser, preprocess};
pub use spec::{DataSource, DataSpec, SpecError, Split};
pub use store::{ImageStore, OnCorrupt, Skipped, StoreConfig};
pub use stream::{ImageStream, StreamError};
