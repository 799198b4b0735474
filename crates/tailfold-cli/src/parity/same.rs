//! Rules on the two models' cards, and the options that take one back.

use tailfold::LoadedModel;
use tailfold_console::say;
use tailfold_parity::{Allowed, Carded, Policy, check_pair};

/// Rules that a command line takes back.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Rules taken back")]
pub(super) struct Allow {
    /// Compare forms of one checkpoint that prepare images differently.
    #[arg(long)]
    allow_other_preprocessing: bool,
    /// Compare with a float file that the candidate was not quantized from.
    #[arg(long)]
    allow_other_float: bool,
    /// Compare a candidate that was calibrated without an image of a whole group.
    #[arg(long)]
    allow_uncalibrated: bool,
}

impl Allow {
    /// As on the command line.
    pub(super) fn arguments(self) -> impl Iterator<Item = &'static str> {
        [
            (
                "--allow-other-preprocessing",
                self.allow_other_preprocessing,
            ),
            ("--allow-other-float", self.allow_other_float),
            ("--allow-uncalibrated", self.allow_uncalibrated),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }
}

/// Refuses two models that are not for the same task, or not of the same kind; says what is worth knowing.
pub(super) fn check(
    reference: &LoadedModel,
    candidate: &LoadedModel,
    policy: &Policy,
    allow: Allow,
) -> anyhow::Result<()> {
    let mut allowed = Allowed::default();
    allowed.other_preprocessing = allow.allow_other_preprocessing;
    allowed.other_float = allow.allow_other_float;
    allowed.uncalibrated = allow.allow_uncalibrated;
    let [reference, candidate] =
        [reference, candidate].map(|model| Carded::new(&model.card, &model.sha256));
    for note in check_pair(reference, candidate, policy, allowed)? {
        say(&format!("note: {note}"));
    }
    Ok(())
}
