//! `tailfold merge`: combines the parts of a sharded run into the result of one run.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use tailfold_part::{Kind, Part, Parts};
use tailfold_spec::OutputCheck;

use crate::{dump, evaluate, parity};

/// Combine all parts of `evaluate`, `parity` or `logits` with `--shard` into exactly the result of one run over all
/// images.
///
/// Exit codes: as for the command that wrote the parts; 2 if a part is missing, damaged, given twice or from another
/// run.
///
/// Example: tailfold merge parts/*.part --json
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The parts, in any order.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// For parts of `parity`: also write `parity.json`, `parity.md`, `parity.xml` (JUnit) and `parity.html` into this
    /// folder. Old reports are replaced, even if the parts cannot be merged.
    #[arg(long)]
    report: Option<PathBuf>,
    /// For parts of `logits`: file to write.
    #[arg(long)]
    out: Option<PathBuf>,
    /// For parts of `evaluate` and `parity`: print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut files = OutputCheck::default();
    args.out.iter().for_each(|out| files.writes("--out", out));
    if let Some(folder) = &args.report {
        parity::add_reports(&mut files, folder);
    }
    let parts = args.parts.iter();
    parts.for_each(|part| files.reads("part", part));
    files.check()?;
    merge(args).inspect_err(|error| {
        if gates(args) {
            parity::say_unchecked(error, args.report.as_deref(), args.json);
        }
    })
}

fn merge(args: &Args) -> anyhow::Result<ExitCode> {
    let parts = Parts::read(&args.parts)?;
    let kind = parts.kind();
    for (option, given, of) in [
        ("--report", args.report.is_some(), &[Kind::Parity][..]),
        ("--out", args.out.is_some(), &[Kind::Logits]),
        ("--json", args.json, &[Kind::Evaluate, Kind::Parity]),
    ] {
        ensure!(
            !given || of.contains(&kind),
            "{option} does not go with parts of `{kind}`"
        );
    }
    match kind {
        Kind::Evaluate => evaluate::merge(&parts, args.json),
        Kind::Parity => parity::merge(&parts, args.report.as_deref(), args.json),
        Kind::Logits => {
            let out = args.out.as_deref();
            dump::merge(&parts, out.context("parts of `logits` need --out FILE")?)
        }
        Kind::Ranges | Kind::Windows | Kind::Answers => bail!(
            "{} is a part of a calibration (`{kind}`): give it to `tailfold quantize --partials`",
            args.parts[0].display()
        ),
    }
}

/// Whether the merge is a parity gate: a part comes from `parity`, or no part can be read and `--report` is given.
fn gates(args: &Args) -> bool {
    let parts = args.parts.iter().filter_map(|path| Part::read(path).ok());
    let kinds: Vec<Kind> = parts.map(|part| part.kind()).collect();
    kinds.contains(&Kind::Parity) || kinds.is_empty() && args.report.is_some()
}
