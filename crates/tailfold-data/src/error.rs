//! What can go wrong between a file and an image in memory.

use std::borrow::Cow;
use std::path::PathBuf;

use tailfold_spec::{PreprocessError, artifact::ArtifactError};

use crate::augment::AugmentError;
use crate::left_out::LeftOut;
use crate::spec::{SpecError, Split};

/// Data that cannot be used; every message names the file and, where there is one, the record or line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A data specification that cannot be parsed.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// A file that is there neither plain nor compressed.
    #[error("there is neither {} nor {}.zst", path.display(), path.display())]
    Missing {
        /// The plain file.
        path: PathBuf,
    },
    /// A file that is there only in a compression this program does not read.
    #[error("{} is only there as .gz, which is not read: run `gunzip --keep {}.gz`", path.display(), path.display())]
    OnlyGzip {
        /// The plain file.
        path: PathBuf,
    },
    /// A `.zst` that cannot be decompressed.
    #[error("cannot decompress {}", path.display())]
    Decompress {
        /// The compressed file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A pipe, a socket or a device.
    #[error("{} is no regular file: hand a pipe on as standard input", path.display())]
    NotAFile {
        /// Its name.
        path: PathBuf,
    },
    /// More bytes than are ever read into memory.
    #[error("{} holds more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes accepted.
        limit: u64,
    },
    /// A file without a single image, row or sub-folder.
    #[error("{} holds no {what}", path.display())]
    Nothing {
        /// The file or folder.
        path: PathBuf,
        /// `image`, `sub-folder with images`.
        what: &'static str,
    },
    /// A folder whose sub-folders have files but no images.
    #[error("{} holds no sub-folder with images, only {left_out}", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// Its skipped files.
        left_out: LeftOut,
    },
    /// A file of fixed-size records that ends inside one.
    #[error("{}: {size} bytes are not a whole number of {record}-byte records", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Its bytes after decompression.
        size: usize,
        /// Bytes a record.
        record: usize,
    },
    /// An IDX file of another kind.
    #[error("{}: the magic number is {found:#010x}, expected {expected:#010x}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// First four bytes, big-endian.
        found: u32,
        /// What a file of this name begins with.
        expected: u32,
    },
    /// A file that ends inside its header.
    #[error("{}: {found} bytes are too few for a header of {header}", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// Bytes of the header.
        header: usize,
        /// Bytes of the file after decompression.
        found: usize,
    },
    /// A file whose header claims more or less than it has.
    #[error("{}: the header claims {claimed} values after {header} bytes, the file has {found} bytes", path.display())]
    Claim {
        /// The file.
        path: PathBuf,
        /// Dimensions in the header: `10x28x28`.
        claimed: String,
        /// Bytes of the header.
        header: usize,
        /// Bytes of the file after decompression.
        found: usize,
    },
    /// As many labels as images are needed.
    #[error("{} has {images} images but {} has {labels} labels", images_file.display(), labels_file.display())]
    Count {
        /// File of the images.
        images_file: PathBuf,
        /// Images in it.
        images: usize,
        /// File of the labels.
        labels_file: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// A label out of range.
    #[error("{}, record {record}: label {label}, but there are {classes} classes", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Record, from 0.
        record: usize,
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A line of a text file that cannot be used.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A text file in another encoding.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A text file with the byte order mark of another encoding than UTF-8.
    #[error("{} begins with the byte order mark of {encoding}: save it as UTF-8", path.display())]
    ByteOrderMark {
        /// The file.
        path: PathBuf,
        /// `UTF-16 (little-endian)`.
        encoding: &'static str,
    },
    /// Two sub-folders whose names are equal in Unicode's form NFC.
    #[error("{} and {} are the same class name, `{name}`", first.display(), second.display())]
    SameClass {
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The name of both in NFC.
        name: String,
    },
    /// A folder whose sub-folders have the names of splits, opened without a split.
    #[error("{data} holds the splits {}, not classes: {}write {data}?split={split}", found.join(", "), rename(renames))]
    SplitsAsClasses {
        /// The data, as given.
        data: String,
        /// The sub-folders that have the name of a split.
        found: Vec<String>,
        /// The renaming that gives the folder of a split its name: `Train to train`.
        renames: Vec<String>,
        /// The split that the message suggests: `train` if it is there, otherwise the first.
        split: Split,
    },
    /// A split that this kind of data does not have.
    #[error("{data} has no `{split}` split: {accepted}")]
    NoSplit {
        /// The data, as given.
        data: String,
        /// Split asked for.
        split: Split,
        /// What it has instead.
        accepted: Cow<'static, str>,
    },
    /// A class that no image belongs to.
    #[error("class {class} (`{name}`) has no image in {data}{}; `empty=allow` accepts that", only(left_out.as_deref()))]
    EmptyClass {
        /// The class.
        class: usize,
        /// Its name.
        name: String,
        /// The data, as given.
        data: String,
        /// Skipped files of its folder: `3 .heic`.
        left_out: Option<String>,
    },
    /// A class too small for the long-tailed subset asked for.
    #[error("class {class} (`{name}`) has {found} images, imbalance {imbalance} needs {needed}")]
    TooFew {
        /// The class.
        class: usize,
        /// Its name.
        name: String,
        /// Images it has.
        found: usize,
        /// Images it would keep.
        needed: usize,
        /// Imbalance factor.
        imbalance: f64,
    },
    /// An imbalance that the files at hand cannot give.
    #[error("imbalance {asked} cannot be drawn from {}: {reason}", path.display())]
    Imbalance {
        /// File or folder.
        path: PathBuf,
        /// Imbalance factor asked for.
        asked: f64,
        /// Why.
        reason: String,
    },
    /// A `train-ifX` file that is not class by class in the long-tailed sizes its name claims.
    #[error("{}: class {class} has {found} records in one run, imbalance {imbalance} has {expected}", path.display())]
    Pack {
        /// The file.
        path: PathBuf,
        /// The class.
        class: usize,
        /// Records found.
        found: usize,
        /// Records expected.
        expected: usize,
        /// Imbalance factor in the file's name.
        imbalance: f64,
    },
    /// The embedded data set is in none of the places it is looked for.
    #[error("the embedded data set is not there; looked in {looked} (TAILFOLD_EMBEDDED overrides)")]
    NotEmbedded {
        /// Folders tried.
        looked: String,
    },
    /// A file that is not the one that was shipped.
    #[error("{} has SHA-256 {found}, but SHA256SUMS says {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Hash in `SHA256SUMS`, or `nothing`.
        expected: String,
        /// Hash of the file.
        found: String,
    },
    /// Bytes that are no image, or an image that is damaged.
    #[error("cannot decode {}", name.display())]
    Decode {
        /// The image.
        name: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An image that cannot be encoded.
    #[error("cannot encode an image of {height}x{width} pixels as PNG")]
    Encode {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An image too large to hold.
    #[error("{name} is {height}x{width} pixels, more than {limit} in all")]
    TooManyPixels {
        /// The image.
        name: String,
        /// Rows.
        height: u64,
        /// Columns.
        width: u64,
        /// Pixels accepted.
        limit: u64,
    },
    /// Values that do not fill an image's shape, or a number of channels other than 1 and 3.
    #[error(
        "{found} values do not make an image of {height}x{width} pixels with {channels} channels (1 or 3)"
    )]
    Shape {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
        /// Values given.
        found: usize,
    },
    /// An image of another size than the network's, and no resize to mend that.
    #[error(
        "the image is {found_height}x{found_width} pixels, the network takes {height}x{width} and no resize is set"
    )]
    ImageSize {
        /// Rows of the image.
        found_height: usize,
        /// Columns of the image.
        found_width: usize,
        /// Rows of the network's input.
        height: usize,
        /// Columns of the network's input.
        width: usize,
    },
    /// A file of images of another size than this file must have.
    #[error(
        "{}: {found_height}x{found_width} pixels with {found_channels} channels, expected {height}x{width} with {channels}",
        path.display()
    )]
    FileSize {
        /// The file.
        path: PathBuf,
        /// Rows of the image.
        found_height: usize,
        /// Columns of the image.
        found_width: usize,
        /// Channels of the image.
        found_channels: usize,
        /// Rows expected.
        height: usize,
        /// Columns expected.
        width: usize,
        /// Channels expected.
        channels: usize,
    },
    /// Images that were to be kept in memory, and are too many for that.
    #[error(
        "the images of {data} take more than {limit} bytes of memory: name a folder in `images.cache`"
    )]
    Memory {
        /// The data, as given.
        data: String,
        /// Bytes accepted.
        limit: u64,
    },
    /// An image that could not be decoded when the cache was filled.
    #[error("{id} cannot be used: {reason}; `images.on_corrupt = \"skip\"` leaves such images out")]
    Corrupt {
        /// The image.
        id: String,
        /// Why.
        reason: String,
    },
    /// A cache of decoded images that is not as it was written.
    #[error("{}: {reason}; remove the folder to make it anew", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A JSON file that cannot be used.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; names the image, annotation or category.
        reason: String,
    },
    /// A preprocessing that cannot be carried out.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// An augmentation value out of its range.
    #[error(transparent)]
    Augment(#[from] AugmentError),
}

/// The text on the skipped files of a class without images.
fn only(left_out: Option<&str>) -> String {
    left_out.map_or_else(String::new, |files| format!(", only {files}"))
}

/// The advice to rename folders of splits.
fn rename(renames: &[String]) -> String {
    if renames.is_empty() {
        return String::new();
    }
    format!("rename {}, and ", renames.join(", "))
}
