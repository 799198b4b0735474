//! Checks that two models can be compared, and options that skip a check.

use tailfold::LoadedModel;
use tailfold_console::say;
use tailfold_parity::{Allowed, Carded, Policy, check_pair};

/// Options that skip a check.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Checks to skip")]
pub(super) struct Allow {
    /// Compare forms of one checkpoint that prepare images differently.
    #[arg(long)]
    allow_other_preprocessing: bool,
    /// Compare with a float file that the candidate was not quantized from.
    #[arg(long)]
    allow_other_float: bool,
    /// Compare a candidate that was calibrated without any image of a whole class group.
    #[arg(long)]
    allow_uncalibrated: bool,
}

impl Allow {
    /// Returns the given options as words of a command line.
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

/// Refuses two models for different tasks or of different kinds, and prints notes to the log output.
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
