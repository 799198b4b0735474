//! Removes the GPU code of a CUDA library that a machine does not need.
//!
//! `nvcc` puts code for each kind of GPU into the section `.nv_fatbin`, as containers of entries, each for one compute
//! capability. Code for other GPUs is replaced by zeros, so that the library keeps its size and its addresses but compresses
//! better.
//!
//! The layout follows `fatbinary.h` of the CUDA toolkit. A container begins with the magic number `0xBA55ED50`, the version
//! and the length of its header (16 bits each), and the length of its entries (64 bits). An entry begins with its kind and
//! version, the length of its header (32 bits) and the length of its code (64 bits), and has the compute capability (32 bits)
//! at byte 28.

use anyhow::{Context as _, ensure};
use object::{Object as _, ObjectSection as _};

const MAGIC: u32 = 0xBA55_ED50;

/// Number of bytes of GPU code.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// Code that is unchanged.
    pub(super) kept: u64,
    /// Code that is replaced by zeros.
    pub(super) zeroed: u64,
}

/// Zeroes the code in `library` for all compute capabilities except `architecture`, which is 90 for 9.0.
pub(super) fn keep(library: &mut [u8], architecture: u32) -> anyhow::Result<Code> {
    let (begin, size) = {
        let file = object::File::parse(&*library).context("not a shared library")?;
        let section = file
            .section_by_name(".nv_fatbin")
            .context("the library holds no GPU code (.nv_fatbin)")?;
        section
            .file_range()
            .context("the section .nv_fatbin has no bytes in the file")?
    };
    let (begin, end) = (usize::try_from(begin)?, usize::try_from(begin + size)?);
    let code = keep_in(
        library
            .get_mut(begin..end)
            .context("the library was cut short")?,
        architecture,
    )?;
    ensure!(
        code.kept > 0,
        "the library has no GPU code for compute capability {architecture}"
    );
    Ok(code)
}

/// As [`keep`], for the bytes of the section `.nv_fatbin`.
fn keep_in(section: &mut [u8], architecture: u32) -> anyhow::Result<Code> {
    let mut code = Code::default();
    let mut at = 0;
    while at + 16 <= section.len() {
        if number(section, at, 4)? != u64::from(MAGIC) {
            // Containers are aligned to 8 bytes.
            at += 8;
            continue;
        }
        let mut entry = at + usize::try_from(number(section, at + 6, 2)?)?;
        at = entry + usize::try_from(number(section, at + 8, 8)?)?;
        while entry < at {
            let begin = entry + usize::try_from(number(section, entry + 4, 4)?)?;
            let size = number(section, entry + 8, 8)?;
            let end = begin + usize::try_from(size)?;
            ensure!(
                end > entry && end <= at && end <= section.len(),
                "an entry at byte {entry} is longer than its container"
            );
            if number(section, entry + 28, 4)? == u64::from(architecture) {
                code.kept += size;
            } else {
                section[begin..end].fill(0);
                code.zeroed += size;
            }
            entry = end;
        }
    }
    Ok(code)
}

/// The little-endian number of `width` bytes at byte `at`.
fn number(bytes: &[u8], at: usize, width: usize) -> anyhow::Result<u64> {
    let bytes = bytes
        .get(at..at + width)
        .with_context(|| format!("the GPU code ends at byte {}, inside a header", bytes.len()))?;
    Ok(bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(architecture: u32, code: &[u8]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 1, 1, 64, 0, 0, 0];
        bytes.extend((code.len() as u64).to_le_bytes());
        bytes.resize(28, 0);
        bytes.extend(architecture.to_le_bytes());
        bytes.resize(64, 0);
        bytes.extend(code);
        bytes
    }

    fn container(entries: &[Vec<u8>]) -> Vec<u8> {
        let entries = entries.concat();
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        bytes.extend([1, 0, 16, 0]);
        bytes.extend((entries.len() as u64).to_le_bytes());
        bytes.extend(entries);
        bytes
    }

    #[test]
    fn code_for_other_gpus_is_zeroed_in_place() {
        let mut section = container(&[entry(80, &[7; 24]), entry(90, &[8; 16])]);
        section.extend([0; 16]);
        section.extend(container(&[entry(90, &[9; 8]), entry(120, &[5; 8])]));
        let mut expected = section.clone();
        let code = keep_in(&mut section, 90).unwrap();
        assert_eq!(
            code,
            Code {
                kept: 24,
                zeroed: 32
            }
        );
        expected
            .iter_mut()
            .filter(|byte| [7, 5].contains(*byte))
            .for_each(|byte| *byte = 0);
        assert_eq!(section, expected);
    }

    #[test]
    fn truncated_or_inconsistent_code_is_error() {
        let whole = container(&[entry(90, &[8; 16])]);
        let mut cut = whole[..40].to_vec();
        assert!(keep_in(&mut cut, 90).is_err());
        let mut long = whole.clone();
        long[24] = 200;
        assert!(keep_in(&mut long, 90).is_err());
        assert!(keep(&mut [0; 64], 90).is_err());
    }
}
