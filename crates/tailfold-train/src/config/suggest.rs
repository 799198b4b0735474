//! The key or value that was probably meant.

use std::fmt;

use strsim::damerau_levenshtein;

/// An unknown name in a configuration, and the known name that is nearest to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// The unknown name.
    pub(super) found: String,
    /// The accepted name with the fewest edits; among equals, the first in the order of the fields.
    pub(super) nearest: String,
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown name `{}`, did you mean `{}`?",
            self.found, self.nearest
        )
    }
}

impl Suggestion {
    /// Reads the message of serde about an unknown field or variant. It quotes the unknown name, then the accepted names.
    pub(super) fn from_message(message: &str) -> Option<Self> {
        if !message.starts_with("unknown field `") && !message.starts_with("unknown variant `") {
            return None;
        }
        let mut quoted = message.split('`').skip(1).step_by(2);
        let found = quoted.next()?;
        let nearest = quoted.min_by_key(|name| damerau_levenshtein(found, name))?;
        Some(Self {
            found: found.to_owned(),
            nearest: nearest.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainConfig;

    fn suggestion(text: &str) -> Option<Suggestion> {
        let error = toml::from_str::<TrainConfig>(text).unwrap_err();
        Suggestion::from_message(error.message())
    }

    #[test]
    fn nearest_accepted_name_is_suggested() {
        let check = |text: &str, found: &str, nearest: &str| {
            let Some(suggestion) = suggestion(text) else {
                panic!("nothing for {text}");
            };
            assert_eq!((&*suggestion.found, &*suggestion.nearest), (found, nearest));
        };
        check("epoch = 1", "epoch", "epochs");
        check(
            "logit-adjustment.tau = 1.0",
            "logit-adjustment",
            "logit_adjustment",
        );
        check("focal.gama = 1.0", "gama", "gamma");
        check("ldam.drw_form = 1.0", "drw_form", "drw_from");
        check("network.widht = 1", "widht", "width");
        check("loss = 'se'", "se", "ce");
        check(
            "loss = 'logit_adjustment'",
            "logit_adjustment",
            "logit-adjustment",
        );
        check("loss = ''", "", "ce");
        check("offsets.source = 'spheres'", "spheres", "sphere");
        check("network.head = { kind = 'cosin' }", "cosin", "cosine");
        check("contrastive.kind = 'balance'", "balance", "balanced");
        check(
            "views.augment.crop_pading = 2",
            "crop_pading",
            "crop_padding",
        );
    }

    #[test]
    fn other_faults_suggest_nothing() {
        for text in ["", "epochs = 'x'", "epochs = ", "epochs = 1\nepochs = 2"] {
            assert_eq!(suggestion(text), None);
        }
        assert_eq!(
            Suggestion::from_message("unknown field `a`, there are no fields"),
            None
        );
    }

    #[test]
    fn suggestion_is_worded_as_a_question() {
        let suggestion = suggestion("epoch = 1").unwrap();
        assert_eq!(
            suggestion.to_string(),
            "unknown name `epoch`, did you mean `epochs`?"
        );
    }
}
