//! Scratch memory of a running layer, allocated once.

/// Memory for intermediate codes and sums of one layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) bytes: Vec<i8>,
    pub(crate) codes: Vec<i16>,
    pub(crate) sums: Vec<i32>,
}

/// Number of bytes, codes and sums that a layer needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) bytes: usize,
    pub(crate) codes: usize,
    pub(crate) sums: usize,
}

impl Scratch {
    /// Memory for the largest of `needs`.
    pub(crate) fn new(needs: impl IntoIterator<Item = Need>) -> Self {
        let Need { bytes, codes, sums } =
            needs.into_iter().fold(Need::default(), |most, need| Need {
                bytes: most.bytes.max(need.bytes),
                codes: most.codes.max(need.codes),
                sums: most.sums.max(need.sums),
            });
        Self {
            bytes: vec![0; bytes],
            codes: vec![0; codes],
            sums: vec![0; sums],
        }
    }

    /// Size of the memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.codes.len() * 2 + self.sums.len() * 4
    }
}
