//! `tailfold parity diff`: compares two reports on the same images.

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_console::print;
use tailfold_parity::{Diff, Policy, Report};

/// Compare two reports on the same images: an accepted run and a later one.
///
/// Exit codes: 0 no regression, 1 a regression beyond the limits of the policy, 2 not comparable.
///
/// Example: tailfold parity diff accepted/parity.json parity/parity.json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `parity.json` of the accepted run.
    accepted: PathBuf,
    /// `parity.json` of the later run.
    later: PathBuf,
    /// Policy file whose `[baseline]` sets the limits. Default: the policy of the later report.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Print one JSON object (schema `tailfold.parity-diff/1`).
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let accepted = Report::read(&args.accepted)?;
    let later = Report::read(&args.later)?;
    let allowed = match &args.policy {
        Some(path) => Policy::read(path)?.baseline,
        None => later.policy.baseline,
    };
    let diff = Diff::between(&accepted, &later, &allowed)?;
    print(&if args.json {
        diff.to_json()
    } else {
        diff.to_table().trim_end().to_owned()
    });
    Ok(ExitCode::from(u8::from(diff.is_regression())))
}
