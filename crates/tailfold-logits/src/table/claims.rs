//! Checks the header of each page against the bytes of the page.
//!
//! For some pages with a wrong header, the parquet crate panics or allocates memory for values that are not there.
//! Programs on devices are built with `panic = "abort"` and cannot catch a panic, so such pages must be refused here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::{Encoding, Type};
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

use super::codec::MAX_PAGE;

/// Largest number of values that a page may claim: as many single-precision numbers as fit in the largest page. Runs
/// of equal values could be longer, but then a number in the file would decide how much memory is used.
pub(super) const MAX_VALUES: usize = MAX_PAGE / 4;

/// Number of values that further pages may claim. A list ends only where the next list begins, so a single row could
/// otherwise extend over any number of pages.
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
        let left =
            left.ok_or_else(|| wrong("a row does not end after the expected number of values"))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// The limits for the pages of one column in one row group.
pub(super) struct Claims {
    budget: Budget,
    /// Bytes of a plain value; `None` for text, where each value follows its length.
    width: Option<usize>,
    /// Whether pages begin with repetition levels, and with definition levels.
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

    /// Checks the next page of the column, after decompression.
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
            // With nulls this check is too strict, but a page with nulls is refused in any case.
            Encoding::BYTE_STREAM_SPLIT => self.fits("a page", count, values),
            Encoding::PLAIN if self.width.is_none() => self.fits("a page", count, values),
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => Ok(()),
            // This includes the delta encodings, whose counts and lengths the crate trusts. Few writers use them by
            // default.
            other => Err(wrong(format!(
                "a page is encoded as {other}, expected PLAIN, RLE_DICTIONARY or BYTE_STREAM_SPLIT"
            ))),
        }
    }

    fn fits(&self, page: &str, count: usize, values: &[u8]) -> Result<()> {
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
            "{page} of {bytes} bytes is too short for {count} values"
        )))
    }

    /// The bytes after the levels.
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
            // The other encoding of levels was deprecated before lists were in use.
            if *encoding != Encoding::RLE {
                return Err(wrong(format!("a page has levels encoded as {encoding}")));
            }
            rest = prefixed(rest).ok_or_else(|| wrong("a page ends in its levels"))?;
        }
        Ok(rest)
    }
}

/// Returns the bytes after a length-prefixed block.
fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, after) = bytes.split_first_chunk()?;
    after.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)
}

/// Bytes of levels at the start of a page, as its header states.
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
