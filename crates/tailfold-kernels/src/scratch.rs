//! Memory that a layer uses while it runs, set aside once.

/// Codes and sums between the steps of one layer.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    codes: Vec<i16>,
    sums: Vec<i32>,
}

impl Scratch {
    /// Memory for the largest of `needs`, each codes and sums.
    pub fn new(needs: impl IntoIterator<Item = [usize; 2]>) -> Self {
        let [codes, sums] = needs
            .into_iter()
            .fold([0, 0], |[c, s], [codes, sums]| [c.max(codes), s.max(sums)]);
        Self {
            codes: vec![0; codes],
            sums: vec![0; sums],
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.codes.len() * 2 + self.sums.len() * 4
    }

    pub(crate) fn parts(&mut self) -> (&mut [i16], &mut [i32]) {
        (&mut self.codes, &mut self.sums)
    }
}
