//! Number types in files, and their conversion to `f32` logits and integer labels.

use half::{bf16, f16};

/// Floating-point type of the logits in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
    F16,
    BF16,
    F32,
    F64,
}

impl Float {
    /// Bytes per number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Appends the numbers in `bytes` to `into`; the byte order is little-endian unless `big_endian`.
    ///
    /// A number beyond the range of `f32` becomes infinite. Its row then has no decision, and the comparison reports
    /// it.
    pub(crate) fn append(self, bytes: &[u8], big_endian: bool, into: &mut Vec<f32>) {
        match self {
            Self::F16 => append(bytes, big_endian, into, |b| f16::from_le_bytes(b).to_f32()),
            Self::BF16 => append(bytes, big_endian, into, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F32 => append(bytes, big_endian, into, f32::from_le_bytes),
            Self::F64 => append(bytes, big_endian, into, |b| narrow(f64::from_le_bytes(b))),
        }
    }
}

fn append<const N: usize>(
    bytes: &[u8],
    big_endian: bool,
    into: &mut Vec<f32>,
    number: impl Fn([u8; N]) -> f32,
) {
    let (numbers, _) = bytes.as_chunks::<N>();
    if big_endian {
        into.extend(numbers.iter().map(|&(mut b)| {
            b.reverse();
            number(b)
        }));
    } else {
        into.extend(numbers.iter().map(|&b| number(b)));
    }
}

/// Converts to the nearest `f32`; a number beyond its range becomes infinite.
#[expect(
    clippy::cast_possible_truncation,
    reason = "logits are compared in single precision"
)]
pub(crate) fn narrow(number: f64) -> f32 {
    number as f32
}

/// Integer type of the labels in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    /// Bytes per number: 1, 2, 4 or 8.
    pub(crate) size: usize,
    /// True for two's complement.
    pub(crate) signed: bool,
}

impl Integer {
    /// Decodes one number from `bytes`, which must be `size` bytes long.
    pub(crate) fn value(self, bytes: &[u8], big_endian: bool) -> i128 {
        let digit = |value: i128, byte: &u8| value << 8 | i128::from(*byte);
        let value = if big_endian {
            bytes.iter().fold(0, digit)
        } else {
            bytes.iter().rev().fold(0, digit)
        };
        let bits = 8 * self.size;
        if self.signed && value >> (bits - 1) & 1 == 1 {
            value - (1 << bits)
        } else {
            value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_all_types_and_byte_orders_are_decoded() {
        let check = |float: Float, bytes: &[u8], expect: &[f32]| {
            let mut found = Vec::new();
            float.append(bytes, false, &mut found);
            assert_eq!(found, expect, "{float:?}");
            let turned: Vec<u8> = bytes
                .chunks(float.size())
                .flat_map(|number| number.iter().rev().copied())
                .collect();
            found.clear();
            float.append(&turned, true, &mut found);
            assert_eq!(found, expect, "{float:?}, big-endian");
        };
        check(
            Float::F16,
            &[0x00, 0x3e, 0x00, 0xfc],
            &[1.5, f32::NEG_INFINITY],
        );
        check(Float::BF16, &[0xc0, 0x3f], &[1.5]);
        check(Float::F32, &1.5f32.to_le_bytes(), &[1.5]);
        check(Float::F64, &(-1.5f64).to_le_bytes(), &[-1.5]);
        check(Float::F64, &1e300f64.to_le_bytes(), &[f32::INFINITY]);
    }

    #[test]
    fn integers_keep_their_sign() {
        let check = |size, signed, bytes: &[u8], expect| {
            assert_eq!(Integer { size, signed }.value(bytes, false), expect);
        };
        check(1, true, &[0xff], -1);
        check(1, false, &[0xff], 255);
        check(2, true, &[0xfe, 0xff], -2);
        check(4, false, &[1, 2, 0, 0], 513);
        check(8, true, &i64::MIN.to_le_bytes(), i128::from(i64::MIN));
        check(8, false, &u64::MAX.to_le_bytes(), i128::from(u64::MAX));
        let big = Integer {
            size: 2,
            signed: true,
        }
        .value(&[0x01, 0x02], true);
        assert_eq!(big, 258);
    }
}
