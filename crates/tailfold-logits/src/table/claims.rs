//! What a page claims, held against what it is.
//!
//! The parquet crate panics at some pages that are not what their headers say, or allocates for values that are not there.
//! A device's program is built to abort at a panic, so that catching one is no way out: such pages end here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::{Encoding, Type};
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

use super::codec::MAX_PAGE;

/// Values that a page may claim: as many as fit it as single-precision numbers. Runs of equal values could be more, and
/// then memory would go by a number in the file.
pub(super) const MAX_VALUES: usize = MAX_PAGE / 4;

/// How many more values the pages may claim. A list's end is known only where the next begins, so that a row alone could
/// go on over any number of pages.
#[derive(Clone)]
pub(super) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(super) fn unlimited() -> Self {
        Self(Arc::new(AtomicUsize::new(usize::MAX)))
    }

    pub(super) fn set(&self, values: usize) {
        self.0.store(values, Ordering::Relaxed);
    }

    fn take(&self, values: usize) -> Result<()> {
        let left = self.0.load(Ordering::Relaxed).checked_sub(values);
        let left = left.ok_or_else(|| wrong("a row goes on beyond what the others have"))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// What the pages of one column in one row group are held against.
pub(super) struct Claims {
    budget: Budget,
    /// Bytes of a value as it is, `None` for text, which has its length before it.
    width: Option<usize>,
    /// Whether pages begin with levels of repetition, and of definition.
    levels: [bool; 2],
    dictionary: bool,
}

impl Claims {
    pub(super) fn new(descr: &ColumnDescriptor, budget: Budget) -> Self {
        let width = match descr.physical_type() {
            Type::BYTE_ARRAY => None,
            Type::BOOLEAN => Some(0),
            Type::INT32 | Type::FLOAT => Some(4),
            Type::INT64 | Type::DOUBLE => Some(8),
            Type::INT96 => Some(12),
            Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(descr.type_length()).ok(),
        };
        Self {
            budget,
            width,
            levels: [descr.max_rep_level() > 0, descr.max_def_level() > 0],
            dictionary: false,
        }
    }

    /// Checks a page that is unpacked, the next of its column.
    pub(super) fn check(&mut self, page: &Page) -> Result<()> {
        let count = page.num_values() as usize;
        if count > MAX_VALUES {
            return Err(wrong(format!(
                "a page has {count} values, expected at most {MAX_VALUES}"
            )));
        }
        if page.is_dictionary_page() {
            self.dictionary = true;
            return self.fits("a dictionary", count, page.buffer());
        }
        self.budget.take(count)?;
        let values = self.values(page)?;
        match page.encoding() {
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY if !self.dictionary => {
                Err(wrong("a page refers to a dictionary, and there is none"))
            }
            // Where some are null this asks for too much; but then the page is refused in any case.
            Encoding::BYTE_STREAM_SPLIT => self.fits("a page", count, values),
            Encoding::PLAIN if self.width.is_none() => self.fits("a page", count, values),
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => Ok(()),
            // Among them the deltas, whose counts and lengths the crate believes. Few writers use them unless told to.
            other => Err(wrong(format!(
                "a page is encoded as {other}, expected PLAIN, RLE_DICTIONARY or BYTE_STREAM_SPLIT"
            ))),
        }
    }

    fn fits(&self, what: &str, count: usize, values: &[u8]) -> Result<()> {
        let fits = match self.width {
            Some(width) => count.saturating_mul(width) <= values.len(),
            None => (0..count)
                .try_fold(values, |rest, _| prefixed(rest))
                .is_some(),
        };
        if fits {
            return Ok(());
        }
        let bytes = values.len();
        Err(wrong(format!(
            "{what} of {bytes} bytes is too short for {count} values"
        )))
    }

    /// What comes after the levels.
    fn values<'a>(&self, page: &'a Page) -> Result<&'a [u8]> {
        let Page::DataPage {
            buf,
            rep_level_encoding,
            def_level_encoding,
            ..
        } = page
        else {
            return Ok(&page.buffer()[level_bytes(page)?..]);
        };
        let mut rest = &buf[..];
        for (there, encoding) in self
            .levels
            .iter()
            .zip([rep_level_encoding, def_level_encoding])
        {
            if !there {
                continue;
            }
            // The other way to encode them was given up before lists were in use.
            if *encoding != Encoding::RLE {
                return Err(wrong(format!("a page has levels encoded as {encoding}")));
            }
            rest = prefixed(rest).ok_or_else(|| wrong("a page ends in its levels"))?;
        }
        Ok(rest)
    }
}

/// What comes after bytes whose number is before them.
fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, after) = bytes.split_first_chunk()?;
    after.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)
}

/// Bytes of levels at the beginning of a page, as far as its header says.
pub(super) fn level_bytes(page: &Page) -> Result<usize> {
    let Page::DataPageV2 {
        buf,
        rep_levels_byte_len,
        def_levels_byte_len,
        ..
    } = page
    else {
        return Ok(0);
    };
    let levels = u64::from(*rep_levels_byte_len) + u64::from(*def_levels_byte_len);
    match usize::try_from(levels) {
        Ok(levels) if levels <= buf.len() => Ok(levels),
        _ => Err(wrong(format!(
            "a page of {} bytes has {levels} bytes of levels",
            buf.len()
        ))),
    }
}

fn wrong(why: impl Into<String>) -> ParquetError {
    ParquetError::General(why.into())
}

#[cfg(test)]
mod tests;
