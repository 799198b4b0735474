//! The result of a search as a table.

use tailfold_spec::Group;

use super::{LayerEffect, Search};

impl Search {
    /// Renders the layers as a table, by descending logit error of the layer alone, with a last line about the
    /// kept layers and the margins.
    pub fn to_table(&self) -> String {
        let of = self.group.map_or("all", Group::as_str);
        let mut text = format!(
            "each layer on {} images ({of}); logit error with every layer quantized {:.3e}\n{:32} {:>9} {:>12} {:>12} {:>10}\n",
            self.images,
            self.logit_error,
            "layer",
            "agreement",
            "error alone",
            "error without",
            "bytes",
        );
        let mut layers: Vec<&LayerEffect> = self.layers.iter().collect();
        layers.sort_by(|a, b| b.logit_error_alone.total_cmp(&a.logit_error_alone));
        for effect in layers {
            let kept = if effect.kept { "  kept in float" } else { "" };
            text += &format!(
                "{:32} {:8.2}% {:12.3e} {:12.3e} {:+10}{kept}\n",
                effect.layer,
                100.0 * effect.agreement_alone,
                effect.logit_error_alone,
                effect.logit_error_without,
                effect.extra_bytes,
            );
        }
        let verdict = if self.passes { "within" } else { "not within" };
        text + &format!(
            "{} of {} layers stay in float: every group is {verdict} its margin\n",
            self.kept.len(),
            self.layers.len()
        )
    }
}
