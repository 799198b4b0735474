//! The pages of one column in one row group, decompressed and checked.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Compression, CompressionCodec};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::serialized_reader::SerializedPageReader;

use super::claims::{Budget, Claims, level_bytes};
use super::{Inner, LogitFileError, codec};

/// Decompresses and checks the pages that the parquet crate finds.
pub(super) struct Pages {
    packed: SerializedPageReader<File>,
    /// The next page, still compressed, if it has been peeked at.
    next: Option<Page>,
    codec: CompressionCodec,
    claims: Claims,
}

/// The pages of `column` in row group `group`.
pub(super) fn pages(
    inner: &Inner,
    group: usize,
    column: usize,
    budget: Budget,
) -> std::result::Result<Box<Pages>, LogitFileError> {
    let chunk = inner.chunk(group, column);
    let failed = |error| inner.chunk_error(group, column, &error);
    // With the chunk marked as uncompressed, the crate returns the pages as stored.
    let plain = chunk
        .clone()
        .into_builder()
        .set_compression(Compression::UNCOMPRESSED)
        .build()
        .map_err(failed)?;
    let rows = inner.group_rows(group);
    let packed = SerializedPageReader::new(Arc::clone(&inner.file), &plain, rows, None);
    Ok(Box::new(Pages {
        packed: packed.map_err(failed)?,
        next: None,
        codec: chunk.compression_codec(),
        claims: Claims::new(&inner.descr(column), budget),
    }))
}

impl Pages {
    fn unpack(&self, page: &mut Page) -> Result<()> {
        if self.codec == CompressionCodec::UNCOMPRESSED {
            return Ok(());
        }
        let levels = level_bytes(page)?;
        let unpack = |bytes| codec::unpack(self.codec, bytes).map_err(ParquetError::General);
        match page {
            Page::DictionaryPage { buf, .. } | Page::DataPage { buf, .. } => {
                *buf = unpack(buf)?.into();
            }
            // Only the bytes after the levels are compressed. A page may have no such bytes.
            Page::DataPageV2 {
                buf, is_compressed, ..
            } => {
                if *is_compressed && levels < buf.len() {
                    let values = unpack(&buf[levels..])?;
                    *buf = [&buf[..levels], &values].concat().into();
                }
            }
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let next = match self.next.take() {
            None => self.packed.get_next_page()?,
            some => some,
        };
        let Some(mut page) = next else {
            return Ok(None);
        };
        self.unpack(&mut page)?;
        self.claims.check(&page)?;
        Ok(Some(page))
    }

    /// Reads the whole next page. The crate's own implementation reads only its header, and panics if the header is
    /// wrong.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        if self.next.is_none() {
            self.next = self.packed.get_next_page()?;
        }
        Ok(self.next.as_ref().map(|page| PageMetadata {
            num_rows: match page {
                Page::DataPageV2 { num_rows, .. } => Some(*num_rows as usize),
                _ => None,
            },
            num_levels: Some(page.num_values() as usize),
            is_dict: page.is_dictionary_page(),
        }))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        if self.next.take().is_none() {
            self.packed.get_next_page()?;
        }
        Ok(())
    }
}
