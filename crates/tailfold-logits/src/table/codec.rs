//! Decompresses pages.
//!
//! The parquet crate would allocate the size that a page's header claims, and needs a C compiler for Zstandard. Here
//! the claimed size is ignored: the output grows during decompression, up to [`MAX_PAGE`].

use std::io::Read;

use parquet::basic::CompressionCodec;

/// Largest decompressed page in bytes. Most writers aim at 1 MiB; DuckDB writes pages of up to 100 MB.
pub(super) const MAX_PAGE: usize = 1 << 27;

/// Largest output per input byte in LZ4: each byte of value 255 extends a run by 255 bytes.
const LZ4_RATIO: usize = 255;

/// Whether pages compressed with `codec` can be read.
pub(super) fn supports(codec: CompressionCodec) -> bool {
    matches!(
        codec,
        CompressionCodec::UNCOMPRESSED
            | CompressionCodec::SNAPPY
            | CompressionCodec::GZIP
            | CompressionCodec::ZSTD
            | CompressionCodec::LZ4_RAW
    )
}

/// Decompresses `bytes`.
pub(super) fn unpack(codec: CompressionCodec, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match codec {
        CompressionCodec::SNAPPY => snappy(bytes),
        CompressionCodec::GZIP => bounded(flate2::read::MultiGzDecoder::new(bytes)),
        CompressionCodec::ZSTD => zstandard(bytes),
        CompressionCodec::LZ4_RAW => {
            // The allocation is zeroed by the system, so only the pages that are written to use memory.
            let most = bytes.len().saturating_mul(LZ4_RATIO).min(MAX_PAGE);
            lz4_flex::block::decompress(bytes, most).map_err(|e| e.to_string())
        }
        _ => Err(format!("its pages are compressed by {codec:?}")),
    }
}

fn snappy(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let length = snap::raw::decompress_len(bytes).map_err(|e| e.to_string())?;
    if length > MAX_PAGE {
        return Err(too_large());
    }
    let unpacked = snap::raw::Decoder::new().decompress_vec(bytes);
    unpacked.map_err(|e| e.to_string())
}

fn zstandard(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let frame = ruzstd::decoding::StreamingDecoder::new(bytes);
    bounded(frame.map_err(|e| e.to_string())?)
}

fn bounded(source: impl Read) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut source = source.take(MAX_PAGE as u64 + 1);
    source
        .read_to_end(&mut unpacked)
        .map_err(|e| e.to_string())?;
    if unpacked.len() > MAX_PAGE {
        return Err(too_large());
    }
    Ok(unpacked)
}

fn too_large() -> String {
    format!("a page has more than {MAX_PAGE} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decompression_bomb_is_refused() {
        let bomb = vec![0; MAX_PAGE + 1];
        let mut packed = flate2::read::GzEncoder::new(&bomb[..], flate2::Compression::fast());
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).unwrap();
        let error = unpack(CompressionCodec::GZIP, &bytes).unwrap_err();
        assert_eq!(error, too_large());

        // Snappy states its length first, here 2^32 - 1.
        let error =
            unpack(CompressionCodec::SNAPPY, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0]).unwrap_err();
        assert_eq!(error, too_large());

        // A Zstandard frame with blocks that each repeat one byte 2^17 times.
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
        for _ in 0..=MAX_PAGE >> 17 {
            frame.extend([0x02, 0x00, 0x10, 0x00]);
        }
        frame.extend([0x03, 0x00, 0x10, 0x00]);
        let error = unpack(CompressionCodec::ZSTD, &frame).unwrap_err();
        assert_eq!(error, too_large());
    }
}
