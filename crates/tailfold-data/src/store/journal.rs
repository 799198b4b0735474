//! The index of the cache: one line per image, in the order of the data set.

use crate::{DataError, DataErrorKind};

/// The state of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `HEIGHTxWIDTHxCHANNELS`: the image's pixels follow the previous image's pixels.
    Image([usize; 3]),
    /// `! REASON`: the image cannot be used and has no pixels.
    Corrupt(String),
}

impl Line {
    /// Size of the image's pixels in bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Image(shape) => shape.iter().map(|&n| n as u64).product(),
            Self::Corrupt(_) => 0,
        }
    }

    /// Returns the line with its line break.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Image([height, width, channels]) => format!("{height}x{width}x{channels}\n"),
            Self::Corrupt(reason) => format!("! {reason}\n"),
        }
    }

    /// Parses a line without its line break.
    fn parse(line: &str) -> Option<Self> {
        if let Some(reason) = line.strip_prefix("! ") {
            return Some(Self::Corrupt(reason.to_owned()));
        }
        let sides = line.split('x').map(|side| side.parse().ok());
        let shape: [usize; 3] = sides.collect::<Option<Vec<_>>>()?.try_into().ok()?;
        let pixels = shape[0].checked_mul(shape[1])? as u64;
        let possible = (1..=crate::MAX_PIXELS).contains(&pixels) && matches!(shape[2], 1 | 3);
        possible.then_some(Self::Image(shape))
    }
}

/// Returns the lines before the first incomplete one, at most `most`: an interruption may have cut the last lines.
pub(super) fn read(text: &[u8], most: usize) -> Vec<Line> {
    let whole = |line: &[u8]| {
        let line = line.strip_suffix(b"\n")?;
        Line::parse(std::str::from_utf8(line).ok()?)
    };
    text.split_inclusive(|&byte| byte == b'\n')
        .take(most)
        .map_while(whole)
        .collect()
}

/// Returns an error if the image cannot be used, for callers that may not skip images.
pub(super) fn refuse(line: &Line, id: impl FnOnce() -> String) -> Result<(), DataError> {
    match line {
        Line::Image(_) => Ok(()),
        Line::Corrupt(reason) => Err(DataErrorKind::Image.error(format!(
            "{id} cannot be used: {reason}; `images.on_corrupt = \"skip\"` leaves such images out",
            id = id()
        ))),
    }
}
